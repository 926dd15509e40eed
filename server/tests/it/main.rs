//! Tests of the assembled house.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod contract;
mod exported;
mod merge;
mod proxies;
mod rotation;
mod statements;
mod subjects;
