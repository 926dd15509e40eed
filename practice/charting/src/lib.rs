//! Charting: form templates with their questions, and the rules by which what is
//! filled in is shown, scored and judged (behaviour 25).
//!
//! Absent on purpose: any way to change what a question was. A change makes
//! another version, and an answer points at the one that it was given.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attachment;
pub mod bindings;
pub mod events;
pub mod export;
pub mod filled;
pub mod flow;
pub mod form;
pub mod group_note;
pub mod listing;
pub mod paper;
pub mod proxy;
pub mod question;
pub mod request;
pub mod rules;
pub mod seed;
pub mod seed_filled;
pub mod seed_flow;
pub mod seed_forms;
pub mod seed_request;
pub mod tables;
pub mod visibility;

pub use bindings::bind;
pub use tables::tables;
