//! The live connectors against real servers of this machine, over real TLS.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod authority;
mod mail;
mod sink;
mod sms;
mod world;
