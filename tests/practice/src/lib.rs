//! The world of the domains' own tests: an instance with a database and an engine that answers
//! both views ([`Premises`]), and in most of them a practice with its people ([`Practice`]).
//!
//! A domain says what its world has ([`Plan`]), wraps the practice in a `World` of its own with
//! what only its tests ask for, and runs each test on both engines ([`each`]). The identity
//! domain's tests sign people in, and have a world of their own.
//!
//! `WARD_TEST_POSTGRES` names a PostgreSQL server in which databases may be made; without it the
//! tests on PostgreSQL print NOT RUN, and fail if `WARD_REQUIRE_ALL=1`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod plan;
mod practice;
mod premises;
#[path = "../../../foundation/store/tests/it/scratch.rs"]
mod scratch;

pub use plan::{Domain, Plan, contract};
pub use practice::Practice;
pub use premises::{Premises, each};
