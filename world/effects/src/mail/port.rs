//! What the dispatcher asks of a mail connector.

use std::future::Future;

use crate::mail::message::Message;

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The message was handed over; the receiver's later answers are another matter.
    Done {
        /// The connector's name for it.
        reference: String,
    },
    /// No connector is there: the message waits until somebody decides.
    NotConnected,
    /// It was not handed over.
    Failed {
        /// Why, without address or text of the message.
        reason: String,
        /// Whether another attempt may succeed.
        retry: bool,
    },
}

/// A mail connector, simulated or live.
///
/// The dispatcher delivers at least once: a connector that is given a message of the same
/// [`Message::intent_id`] twice should hand it over once, where it can. It answers well within
/// [`crate::LEASE`].
pub trait MailPort: Send + Sync + 'static {
    /// Whether messages are handed over at all. Who would promise a code by mail asks first.
    const IS_CONNECTED: bool;

    /// Hands a message over.
    fn send(&self, message: &Message) -> impl Future<Output = Sent> + Send;
}
