//! Goals of clients: what is to be reached, how often, from when and until when; on which days it
//! was; and how much of it that is (behaviour 29). The staff sets them, and so do clients.
//!
//! Absent on purpose: programs' goals, templates and reminders.

pub mod access;
pub mod bindings;
pub mod budget;
pub mod change;
pub mod history;
pub mod input;
pub mod listing;
pub mod overall;
pub mod progress;
pub mod rate;
pub mod rules;
pub mod seed;
pub mod subgoal;
pub mod table;
