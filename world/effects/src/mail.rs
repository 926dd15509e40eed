//! E-mail: messages, their texts, and where they go.

pub(crate) mod about;
pub(crate) mod awaiting;
pub(crate) mod inbox;
pub(crate) mod links;
pub(crate) mod magic;
pub(crate) mod message;
pub(crate) mod payload;
pub(crate) mod port;
pub(crate) mod render;
pub(crate) mod render_error;
pub(crate) mod rotation;
pub(crate) mod simulator;
pub(crate) mod tables;
