//! The command line as a script meets it: exit statuses, what is printed
//! where, and what is never printed.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod running;
mod scan;
mod use_of;
mod ward;
