//! Tests of the domain: operations through the front door of the engine, on both
//! engines of the store.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod bad_files;
mod documents;
mod flag_truth;
mod folders;
mod from_notes;
mod quarantine;
mod shareable;
mod support;
mod visibility;
