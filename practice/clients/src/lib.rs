//! Clients (patients) as a practice keeps them: making and changing them, their
//! groups, tags, addresses and lists (behaviour 8, 18, 19).
//!
//! Absent on purpose: accounts, passwords and visibility of people, which stand
//! with the identity domain; any environment check; any way to delete a client.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod access_log;
pub mod account;
pub mod applied_tag;
pub mod bindings;
pub mod break_glass;
pub mod bulk;
pub mod client;
pub mod client_rules;
pub mod contact;
pub mod create_client;
pub mod events;
pub mod export;
pub mod fact;
pub mod feature_switch;
pub mod feature_toggle;
mod feature_toggle_switches;
pub mod feature_toggle_table;
pub mod group;
pub mod listing;
pub mod location;
pub mod merge;
pub mod password;
pub mod place_of_service;
pub mod referral;
pub mod restriction;
pub mod rules;
pub mod seed;
pub mod seed_messy;
pub mod seed_people;
pub mod ssn;
pub mod tables;
pub mod tag;
pub mod update_client;
pub mod update_user;
pub mod visitor;

pub use bindings::bind;
pub use tables::tables;
pub use ward_identity::npi;
