//! The identity domain's tests: rules alone, and operations through the engine
//! on a database of their own: SQLite and, when `WARD_TEST_POSTGRES` names a
//! server, PostgreSQL.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[macro_use]
mod support;

mod allowance;
mod attempt;
mod audit;
mod circle;
mod confirm_email;
mod credential;
mod crowd;
mod escalation;
mod every_field;
mod flags;
mod front;
mod handover;
mod integration;
mod key;
mod key_bounds;
mod leak;
mod links;
mod members;
mod mfa;
mod organizations;
mod password;
mod profile;
mod seed;
mod session;
mod sign_up;
mod takeovers;
mod templates;
mod visibility;
