//! Production without a mail connector.

use ward_instance::ProductionWitness;

use crate::mail::message::Message;
use crate::mail::port::{MailPort, Sent};

/// The place of Production's mail connector, while there is none: every send answers that nothing
/// is connected, so intents wait and nothing is lost.
///
/// A live connector will be built as this is: by an `arm` that takes the witness and its
/// configuration, and by nothing else.
#[derive(Debug)]
pub struct AwaitingMail(());

impl AwaitingMail {
    /// Takes the place.
    pub fn arm(_: &ProductionWitness) -> Self {
        AwaitingMail(())
    }
}

impl MailPort for AwaitingMail {
    const IS_CONNECTED: bool = false;

    async fn send(&self, _: &Message) -> Sent {
        Sent::NotConnected
    }
}
