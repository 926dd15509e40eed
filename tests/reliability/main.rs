//! Reliability from outside: killed, asked twice, told to stop.

#![allow(clippy::unwrap_used)]

mod graceful;
mod idempotency;
mod kills;
