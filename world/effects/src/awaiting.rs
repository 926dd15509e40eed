//! Production without a connector of a class.

use ward_instance::ProductionWitness;
use ward_store::blobs::Download;

use crate::message::Message;
use crate::port::{Live, Port, Sent};
use crate::scanner::{Judged, LiveScanner, Scanner};

/// The place of a connector that is not configured: every send, and every look at a file, answers
/// that nothing is connected, so intents wait and nothing is lost.
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

impl Scanner for Awaiting {
    fn is_connected(&self) -> bool {
        false
    }

    async fn scan(&self, _: &mut Download) -> Judged {
        Judged::NotConnected
    }
}

impl LiveScanner for Awaiting {}
