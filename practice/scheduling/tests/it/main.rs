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
mod credit_deficits;
mod credit_races;
mod credits;
mod feeds;
mod flag_truth;
mod groups;
mod hidden;
mod lists;
mod locks;
mod narrowed;
mod of_user;
mod one_rule;
mod places;
mod prices;
mod races;
mod request_matching;
mod requests;
mod room_races;
mod rooms;
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
mod waitlist;
mod waitlist_credits;
mod waitlist_races;
mod wall;
mod warnings;
mod whose;
