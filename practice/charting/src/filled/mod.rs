//! Filled forms and notes: drafts, answers to questions as they were, and what becomes of
//! them (behaviour 26).

pub mod autolock;
pub mod change;
pub mod confidentiality;
pub mod content;
pub mod hand;
pub mod input;
pub mod listing;
pub mod prefill;
pub mod session;
pub mod sheet;
pub mod sign;
pub mod steps;
pub mod tables;
pub mod visibility;
