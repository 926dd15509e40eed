//! The two engines. Nothing above this folder knows which one it talks to.

pub(crate) mod lite;
pub(crate) mod lite_copy;
pub(crate) mod lite_error;
pub(crate) mod pg;
pub(crate) mod pg_error;
pub(crate) mod pg_value;
pub(crate) mod text;
