//! Settings of scheduling in layers: an appointment type's over its provider's
//! over the organization's (behaviour 21).

pub mod applies;
pub mod change;
pub mod input;
pub mod layers;
mod list;
pub mod of_user;
pub mod read;
pub mod table;
