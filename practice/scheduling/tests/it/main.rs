//! Tests of the domain: rules without a database, and operations through the
//! front door of the engine.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod attending;
mod availability;
mod bad_input;
mod booking;
mod calendars;
mod checkout;
mod checkout_races;
mod clients_own;
mod feeds;
mod flag_truth;
mod groups;
mod hidden;
mod lists;
mod narrowed;
mod one_rule;
mod prices;
mod races;
mod rules;
mod seed;
mod series;
mod settings;
mod shared;
mod slot_lists;
mod slot_oracle;
mod slot_questions;
mod slots;
mod support;
mod taken;
mod types;
mod visitors;
mod wall;
mod warnings;
mod whose;
