//! Places at which appointments are held, with their rooms (behaviour 20 to 23).
//!
//! A place is a unit's, or one provider's own, as the layer of settings is that it was
//! made with. `table` has the rows, `change` what settings say of them, `choice` which
//! of them an appointment can be at, `read` and `listing` what is answered.

pub mod change;
pub mod choice;
pub mod input;
pub mod listing;
pub mod read;
pub mod table;
pub mod visibility;
