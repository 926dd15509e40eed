//! Encounters, which are made where an appointment took place, one a client; and episodes of care,
//! which put encounters together under a diagnosis (behaviour 38).
//!
//! Absent on purpose: claims and payments of an encounter, and any way to make or delete one by
//! hand.

pub mod access;
pub mod bindings;
pub mod change;
pub mod encounter;
pub mod input;
pub mod link;
pub mod listing;
pub mod rules;
pub mod seed;
pub mod table;
