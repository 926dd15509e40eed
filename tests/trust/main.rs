//! Promises of security that no other suite looks at: what an instance keeps to itself, and what
//! it never begins with.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod beginnings;
mod deletion;
mod guessing;
mod leftovers;
mod silence;
