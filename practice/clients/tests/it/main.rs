//! Tests of the domain: rules without a database, and operations through the
//! front door of the engine.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod accesses;
mod care;
mod clients;
mod deceased;
mod devices;
mod entrusting;
mod flag_truth;
mod groups;
mod guards;
mod merges;
mod places;
mod profile;
mod races;
mod referrals;
mod replays;
mod restricted;
mod rules;
mod seeds;
mod support;
mod toggles;
mod unseen;
