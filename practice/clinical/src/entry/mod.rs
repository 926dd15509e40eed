//! What is noted of a client's days: metrics, meals, sleep, symptoms and the other entries of a
//! journal (behaviour 30). The client notes them, and so does the staff.

pub mod access;
pub mod answer;
pub mod bindings;
pub mod bulk;
pub mod change;
pub mod input;
pub mod listing;
pub mod metric;
pub mod rules;
pub mod seed;
pub mod table;
pub mod weight;
