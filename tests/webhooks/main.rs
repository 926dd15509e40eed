//! Webhooks from outside: a receiver of our own, told by the real program of what was really done
//! through the API (behaviour 13, 14).

#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "a test reads its environment")]

mod accesses;
mod autolocked;
mod command_line;
mod configuration;
mod crashes;
mod delivery;
mod events;
mod faults;
mod fired;
mod loops;
mod neighbours;
mod practice;
mod quiet;
mod receiver;
mod receivers;
mod replay;
mod requests;
mod rewind;
mod three_days;
mod validation;
mod verify;
mod weekly;
