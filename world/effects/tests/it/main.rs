//! The effects room's tests. Each that needs a database runs on SQLite and, when
//! `WARD_TEST_POSTGRES` names a server, on PostgreSQL.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

#[macro_use]
mod support;

mod cohort;
mod compile_fail;
mod dispatch;
mod inbox;
mod kept;
mod leases;
mod policy;
mod production;
mod rooms;
mod scan;
mod templates;
