//! Being away: chat settings, replies by themselves, and the first words to a new
//! client (behaviour 32).

pub mod reply;
pub mod setting;
pub mod tables;
pub mod window;

pub use setting::bind;
