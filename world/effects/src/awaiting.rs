//! Production without a connector of a class.

use ward_instance::ProductionWitness;

use crate::message::Message;
use crate::port::{Live, Port, Sent};

/// The place of a connector that is not configured: every send answers that nothing is connected,
/// so intents wait and nothing is lost.
#[derive(Debug)]
pub struct Awaiting(());

impl Awaiting {
    /// Takes the place.
    pub fn arm(_: &ProductionWitness) -> Self {
        Awaiting(())
    }
}

impl Port for Awaiting {
    fn is_connected(&self) -> bool {
        false
    }

    async fn send(&self, _: &Message) -> Sent {
        Sent::NotConnected
    }
}

impl Live for Awaiting {}
