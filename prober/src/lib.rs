//! Ward from outside: what keeps a Sandbox and a Production apart, tried with one key of each.
//!
//! The questions and how an answer is judged are here, for the program `ward-probe` and for the
//! tests. Nothing of an instance is linked, and no instance links this: it is the only code that
//! ever knows both addresses.

#![allow(
    clippy::disallowed_methods,
    reason = "a client has the time and the patience of the machine that it runs on"
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod checks;
pub mod document;
pub mod failure;
pub mod foreign;
pub mod holdings;
pub mod ids;
pub mod isolation;
pub mod kind;
pub mod outline;
pub mod page;
pub mod pair;
pub mod report;
pub mod schema;
pub mod side;
pub mod sign;
pub mod text;
pub mod wire;
