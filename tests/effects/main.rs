//! The door to the world from outside: the Sandbox's clock, its simulators, what is held back.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod autolock;
mod bucket;
mod bucket_moves;
mod callbacks;
mod classes;
mod clock;
mod cohort;
mod deceased;
mod idle;
mod network;
mod notices;
mod push;
mod quarter;
mod requests;
mod scan;
mod silent;
mod switch;
mod video;
