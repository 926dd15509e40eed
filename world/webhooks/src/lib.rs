//! Webhooks: a practice's other programs are told what happens (behaviour 13, 14).
//!
//! An event is a row of the transaction that made it; [`Engine`] hands it on to the webhooks that
//! subscribe to it as deliveries, which are rows too, and sends them until a receiver takes them.
//! So nothing that was committed is lost, whatever ends the process.
//!
//! Absent on purpose: any other way out of the instance, redirects, proxies, and any knowledge of
//! what an event means.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod backoff;
mod bindings;
pub mod catalogue;
pub mod deliver;
mod enable;
mod guard;
mod hold;
mod lane;
mod listing;
mod payload;
mod replay;
pub mod rewind;
mod rotate;
mod secret;
pub mod signature;
mod subscription;
mod tables;
mod test_event;
mod told;
mod validation;
pub mod verify;
mod webhook;

pub use bindings::bind;
pub use deliver::Engine;
pub use hold::hold;
pub use tables::{
    WEBHOOK_ATTEMPTS, WEBHOOK_DELIVERIES, WEBHOOK_EVENTS, WEBHOOK_LANES, WEBHOOK_REPLAYS,
    WEBHOOK_SECRETS, WEBHOOK_VALIDATIONS, WEBHOOKS, tables,
};
pub use told::told_of;
