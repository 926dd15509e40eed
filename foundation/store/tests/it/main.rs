//! The store's tests. Each runs on SQLite and, when `WARD_TEST_POSTGRES` names
//! a server, on PostgreSQL.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[macro_use]
mod support;

mod backup;
mod checks;
mod copies;
mod counts;
mod ddl;
mod durability;
mod follow;
mod foreign;
mod group;
mod ids;
mod migrations;
mod nodes;
mod postgres;
mod sec_21_sealed;
mod sec_22_rotation;
mod sec_22_world;
mod services_audit;
mod services_blobs;
mod services_checks;
mod services_events;
mod services_idempotency;
mod services_intents;
mod services_jobs;
mod services_keys;
mod services_numbering;
mod services_scope;
mod services_search;
mod services_tables;
mod services_visibility;
mod tables;
mod values;
mod worlds;
