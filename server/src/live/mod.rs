//! Live subscriptions (behaviour 12): sockets that speak ActionCable or
//! graphql-transport-ws, and the hub that tells them what happened.
//!
//! Events come from the outbox, after their commit and in the order of their
//! numbers, whichever process wrote them. Each subscriber's answer is read with
//! what their credential may do at that moment.

mod budget;
mod cable;
mod deliver;
mod hub;
mod intake;
mod outgoing;
mod seat;
mod socket;
mod transport;
mod turns;

pub use cable::connect as cable;
pub use deliver::{run, watch_credentials};
pub use hub::{Hub, SOCKETS_OF_PERSON};
pub use intake::{Intake, Metered};
pub use transport::connect as transport;
