//! Who waits for a seat in a group's appointment that is full (behaviour 24): `table`
//! has their places, `place` how one is taken and left, and `fill` who moves in when a
//! seat frees, by whatever path: it follows from the events of what freed it, in the
//! same transaction.

mod fill;
pub mod place;
pub mod table;

pub use fill::{bind, fill_first};
