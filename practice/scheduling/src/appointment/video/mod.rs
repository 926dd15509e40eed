//! The room of a video call: ordered of the practice's video service with the change of the
//! appointment that wants it, kept when it was made, and shown to those who come (behaviour 23).
//!
//! Absent on purpose: anything of a client's in an order, a recording, a call by any other service.

mod keep;
pub mod link;
mod order;
pub mod shown;

pub use keep::keep;
pub(crate) use order::{afresh, end, follow};
pub use order::{facts, is_wanted};
