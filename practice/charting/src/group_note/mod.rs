//! Notes of a group's appointment: one note of the session, and in it a note of its own for each
//! client who attends (behaviour 26). What the note says is in the chart of all of them; what it
//! says of one client is in the chart of that one alone.

pub mod input;
pub mod session;
pub mod tables;
pub mod visibility;
pub mod write;
