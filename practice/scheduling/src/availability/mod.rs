//! When providers can be booked (behaviour 20): once, or every week at a time on
//! the wall. `wall` has the rule of the clocks, `input` what is sent, `change` and
//! `removal` the operations, `read` the lists with their occurrences.

pub mod change;
pub mod input;
pub mod of_types;
pub mod read;
pub mod removal;
pub mod wall;
