//! When clients can book (behaviour 22): `rule` is what makes a start one that can be
//! chosen, and pure; `ask` what is asked, `reading` whom and what that means, `diary`
//! when they are free, `found` which starts that leaves, `answer` how they are told.
//! `rooms` is when a place has one, `moved` is what counts of an appointment that is to be moved, `budget` how much one
//! request may ask.

pub mod answer;
pub mod ask;
pub mod budget;
pub mod choose;
mod deficits;
pub mod diary;
pub mod found;
pub mod group;
pub mod moved;
pub mod reading;
pub mod rooms;
pub mod rule;
pub mod warnings;

pub use rule::{Calendar, Rules, can_begin, collides, merged, starts};
