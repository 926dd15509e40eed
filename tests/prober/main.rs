//! `ward-probe`, the customer's own check from outside: a healthy pair has no fault, and each
//! fault that is built on purpose is found and named (GL-06).

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod doors;
mod healthy;
mod keys;
mod pair;
mod reports;
