//! Clinical lists of clients: medications, allergies, immunizations, health concerns,
//! procedures, family history and smoking status (behaviour 39); and what is noted of their
//! days (behaviour 30); what they want to reach, with their care plans (behaviour 29); and
//! encounters and episodes of care (behaviour 38).
//!
//! Absent on purpose: tables of licensed codes, prescriptions, interaction checks, and any
//! advice. What is kept is what somebody wrote down.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod allergy;
pub mod bindings;
pub mod care_plan;
pub mod client;
pub mod codes;
pub mod comment;
pub mod concern;
pub mod entry;
pub mod episode;
pub mod events;
pub mod export;
pub mod family;
pub mod goal;
pub mod immunization;
pub mod medication;
pub mod options;
pub mod procedure;
pub mod rules;
pub mod sample;
pub mod seed;
pub mod smoking;
pub mod tables;
pub mod visibility;

pub use bindings::bind;
pub use tables::tables;
