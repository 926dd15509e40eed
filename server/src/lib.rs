//! The HTTP server of an instance: GraphQL, files, the explorer, health, and
//! in the Sandbox its control plane.
//!
//! Absent on purpose: any knowledge of another instance; any route that moves
//! something from one to another.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod admin;
mod admission;
pub mod app;
pub mod assemble;
mod attest;
pub mod backup;
pub mod birthday;
mod calendars;
mod callbacks;
mod cohort;
mod command;
pub mod control;
mod credential;
mod desk;
pub mod door;
mod due;
mod effects;
mod explorer;
mod faults;
mod file_guard;
pub mod file_mark;
pub mod file_store;
mod files;
pub mod forks;
mod graphql;
mod guard;
mod health;
mod key_revoke;
mod limiter;
mod lists;
mod live;
mod multipart;
mod notes_pdf;
pub mod packs;
pub mod passing;
mod password_page;
pub mod place;
mod requests;
mod reset;
mod respond;
pub mod restore;
mod rewind;
mod rooms;
pub mod rotator;
mod sandbox;
mod seen;
mod serve;
mod settle;
pub mod tally;
mod test_clock;
pub mod tripwire;
mod unsubscribe_page;
mod uploads;
mod workers;

pub use app::App;
pub use place::{Hold, Newborn, Opened, ServerError, arrive_again, birth, leave, open};
pub use serve::{listen, router, serve, serve_private};
