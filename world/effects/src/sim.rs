//! The Sandbox's simulators: an inbox that everything lands in.

pub(crate) mod inbox;
pub(crate) mod magic;
pub(crate) mod reports;
pub(crate) mod rooms;
pub(crate) mod rotation;
pub(crate) mod scanner;
pub(crate) mod simulator;
pub(crate) mod tables;
