//! Appointment types: what can be booked, how long it takes, and who may book and
//! offer it (behaviour 21). `input` has what is sent and what is wrong with it,
//! `change` the operations, `circle` who may have and give a type.

pub mod change;
pub mod circle;
pub mod input;
pub mod order;
