//! `ward sandbox run` and `pool`: a Sandbox for one command, as a developer's tests use it.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod be;
mod ending;
mod examples;
mod forks;
mod packs;
mod pool;
mod refill;
mod reports;
mod running;
mod signals;
mod world;
