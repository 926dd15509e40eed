//! Tests of the domain with a database: what happens between the making of an archive and its keeping.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod between;
mod inner;
mod quarantine;
mod support;
