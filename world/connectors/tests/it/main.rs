//! The live connectors against real servers of this machine, over real TLS.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod authority;
mod mail;
mod push;
mod s3;
mod s3_faults;
mod s3_marker;
mod scan;
mod sink;
mod sms;
mod video;
mod world;
