//! The black-box harness: real processes of the program `ward`, asked from outside.
//!
//! The program is taken from `WARD_BIN`, else from the directory that the tests were built into
//! (`cargo test --workspace` builds it there; so does `cargo build -p ward`). It is built once if
//! it is missing; after a change, build it before `cargo test -p ward-tests`.
//!
//! `WARD_TEST_POSTGRES` names a PostgreSQL server in which databases may be made; without it the
//! cases on PostgreSQL print NOT RUN, and fail if `WARD_REQUIRE_ALL=1`.

#![allow(clippy::disallowed_methods, reason = "the harness waits by the real clock")]
#![allow(clippy::unwrap_used)]

pub mod api;
mod backups;
pub mod bucket;
mod charts;
pub mod database;
pub mod instance;
pub mod janitor;
pub mod middle;
pub mod night;
pub mod people;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod raw;
pub mod seeded;
pub mod server;
pub mod socket;
pub mod templates;
pub mod wait;

pub use api::{Api, BASELINE, Reply, V2026, code};
pub use ward_probe::{document, schema};

pub use instance::{Engine, Instance, Kind};
pub use program::{Output, ward};
pub use server::Server;
pub use wait::{until, within};

pub use serde_json::{Value as Json, json};

/// Prints a row's outcome, for who reads the run with `--nocapture`.
pub fn tell(row: &str, what: impl std::fmt::Display) {
    println!("{row}: {what}");
}
