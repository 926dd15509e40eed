//! What the dispatcher asks of a connector, simulated or live.

use std::future::Future;

use ward_store::room::Room;

use crate::message::Message;

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The message was handed over; the receiver's later answers are another matter.
    Done {
        /// The connector's name for it.
        reference: String,
    },
    /// A room for a video call is there, as it was ordered.
    Made {
        /// The room.
        room: Room,
    },
    /// No connector is there: the message waits until there is one.
    NotConnected,
    /// It was not taken, and nothing for this address ever will be: the app is gone from the device.
    Gone {
        /// Why, without address or text of the message.
        reason: String,
    },
    /// It was not handed over.
    Failed {
        /// Why, without address or text of the message.
        reason: String,
        /// Whether another attempt may succeed.
        retry: bool,
    },
}

/// A connector.
///
/// The dispatcher delivers at least once: a connector that is given a message of the same
/// [`Message::intent_id`] twice should hand it over once, where it can. It answers well within
/// [`crate::LEASE`].
pub trait Port: Send + Sync + 'static {
    /// Whether messages are handed over at all. Who would promise a code by mail asks first.
    fn is_connected(&self) -> bool;

    /// Hands a message over.
    fn send(&self, message: &Message) -> impl Future<Output = Sent> + Send;
}

/// A connector that takes Production's witness to arm. Simulators are none, so they do not fit
/// into Production's dispatcher.
pub trait Live: Port {}
