//! Scheduling: what can be booked with whom, and by which rules (behaviour 20
//! to 24).
//!
//! Absent on purpose: any look at the clock but through `Call` and `Scope`, any
//! way to delete a type so that what was booked loses it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod appointment;
pub mod appointment_location;
pub mod appointment_type;
pub mod availability;
pub mod bindings;
pub mod calendar_feed;
pub mod checkout;
pub mod contact_type;
pub mod credit;
pub mod events;
pub mod export;
pub use ward_identity::id_list;
pub mod listing;
pub mod money;
pub mod price;
pub(crate) mod providers;
pub mod request;
pub mod rewind;
pub mod seed;
pub mod seed_appointments;
pub mod seed_edges;
pub mod settings;
pub mod slots;
pub mod tables;
pub mod visibility;
pub mod waitlist;

pub use bindings::bind;
pub use tables::tables;
