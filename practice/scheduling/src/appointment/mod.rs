//! Appointments: who meets whom and when, what became of it, and whose time it
//! takes (behaviour 23). `table` has the rows, `calendar` what is busy and the lock
//! behind which that is decided.

pub mod calendar;
pub mod status;
pub mod table;
