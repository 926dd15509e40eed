//! Appointments: who meets whom and when, what became of it, and whose time it
//! takes (behaviour 23). `table` has the rows, `calendar` what is busy and the lock
//! behind which that is decided.

mod asked;
pub mod bookable;
pub mod calendar;
mod cancel;
mod client;
pub mod create;
pub mod delete;
pub mod inclusion;
pub mod input;
pub mod listing;
pub mod of_user;
pub mod part;
pub mod people;
pub mod permit;
pub mod reason;
pub mod room;
pub mod rules;
pub mod series;
pub mod settle;
pub mod shown;
pub mod status;
pub mod table;
pub mod update;
pub mod video;
pub mod when;
pub mod workflow;
