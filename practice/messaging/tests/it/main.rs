//! Tests of the domain: rules without a database, and operations through the
//! front door of the engine.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod appointments;
mod asked;
mod attendees;
mod away;
mod conversations;
mod desk;
mod drafts;
mod flag_truth;
mod notes;
mod notice_rules;
mod notices;
mod proxies;
mod restricted;
mod rules;
mod scheduled;
mod seeds;
mod support;
mod unread;
