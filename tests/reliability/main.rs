//! Reliability from outside: killed, asked twice, told to stop.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod accesses;
mod at_rest;
mod backups;
mod clock;
mod crashes;
mod disk;
mod fuzz;
mod graceful;
mod histories;
mod idempotency;
mod kills;
mod machine;
mod memory;
mod rotation;
