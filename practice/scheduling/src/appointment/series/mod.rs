//! Series of appointments (behaviour 23.5). `rule` says when they are and is pure,
//! `table` has what they have in common, `create` books them, `update` changes or
//! deletes one and all behind it.

pub mod create;
pub mod rule;
pub mod table;
pub mod update;
