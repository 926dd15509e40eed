//! The engine's tests, on a small library in two views. Each runs on SQLite
//! and, when `WARD_TEST_POSTGRES` names a server, on PostgreSQL.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[macro_use]
mod support;
mod world;

mod differential;
mod errors;
mod formatting;
mod inputs;
mod introspection;
mod invalid;
mod limits;
mod lists;
mod mutated;
mod mutating;
mod paging;
mod plans;
mod relations;
mod results;
mod subscriptions;
mod sweeps;
mod versions;
mod views;
