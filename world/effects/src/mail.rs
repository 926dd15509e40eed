//! The texts of mails.

pub(crate) mod links;
pub(crate) mod payload;
pub(crate) mod render;
pub(crate) mod render_error;
