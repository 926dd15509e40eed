//! What reaches the world outside: the one dispatcher, and what stands behind it.
//!
//! Practice code never performs an effect. It records an intent in the transaction of the change
//! that wants it; [`Dispatcher`] does it later, through the environment's own connectors. In a
//! Sandbox these are simulators with an inbox, which open no socket. Live connectors take
//! Production's witness to build, and a dispatcher of the other environment does not accept them:
//! both are errors of the compiler (ISO-26).
//!
//! Absent on purpose: any network access, any switch between simulated and live, any knowledge of
//! what an effect means to the practice. Whether the instance may act at all (it may be
//! quarantined) is decided by who runs the dispatcher.

mod counts;
mod dispatcher;
mod env;
mod mail;

pub use counts::{Waiting, waiting};
pub use dispatcher::{Dispatcher, LEASE, Report, kinds};
pub use env::{Env, ProductionEnv, SandboxEnv};
pub use mail::about::About;
pub use mail::awaiting::AwaitingMail;
pub use mail::inbox::{INBOX_MAX, InboxFilter, inbox};
pub use mail::magic::SLOW_SECONDS;
pub use mail::message::Message;
pub use mail::port::{MailPort, Sent};
pub use mail::render::{MAIL_KINDS, Rendered, rendered};
pub use mail::render_error::RenderError;
pub use mail::rotation::rotation_hooks;
pub use mail::simulator::SimMail;
pub use mail::tables::{MessageState, SIMULATED_MESSAGES, SimulatedMessage, simulated_messages};

/// The tables of this crate. Both environments have them; only a Sandbox's simulator writes.
pub fn tables() -> Vec<&'static ward_store::Table> {
    vec![&SIMULATED_MESSAGES]
}
