//! The isolation suite: what keeps a Sandbox and a Production apart, tried from outside on two
//! processes of one program. One function a row of the mistake catalogue, named after it.
//!
//! Rows whose subject is not served yet (sockets, feeds, connectors) are not here.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod absence;
mod addresses;
mod backups;
mod clock;
mod clones;
mod confined;
mod conformance;
mod control;
mod databases;
mod epochs;
mod foreign_ids;
mod keys;
mod leaked_keys;
mod pair;
mod parity;
mod rewind;
mod rows;
mod sameness;
mod starts;
mod stored_files;
mod tokens;
