//! The command line as a script meets it: exit statuses, what is printed
//! where, and what is never printed.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod running;
mod scan;
mod use_of;
mod ward;
