//! Live subscriptions as clients see them: ActionCable and graphql-transport-ws over real sockets,
//! on both engines, with several processes, and with clients that nobody has changed.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod bounds;
mod cable;
mod charting;
mod clients;
mod ends;
mod events;
mod messaging;
mod practice;
mod scheduling;
mod transport;
