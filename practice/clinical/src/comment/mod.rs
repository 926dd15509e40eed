//! What the client and those who look after them say of an entry (behaviour 14, 30).

pub mod bindings;
pub mod change;
pub mod table;
