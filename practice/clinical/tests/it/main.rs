//! Tests of the domain: rules without a database, and operations through the
//! front door of the engine.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod allergies;
mod answers;
mod care_plan_parts;
mod care_plans;
mod codes;
mod comments;
mod encounters;
mod entries;
mod episodes;
mod goal_access;
mod goal_parts;
mod goal_rates;
mod goals;
mod lists;
mod medications;
mod seeds;
mod seen;
mod support;
