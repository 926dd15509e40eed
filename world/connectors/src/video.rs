//! Rooms for video calls through a service's HTTP interface, as [`crate::provider`] posts: a room is
//! ordered with `{"action": "open", "room", "number", "start", "minutes", "timezone", "host",
//! "reference"}` and answered with `{"meeting_id", "join_url", "start_url", "dial_in"}`; the same
//! `room` is ordered again when its call is moved, and given up with `"action": "close"`.
//!
//! The service is told when a call is and which member gives it, by their id; nothing of a client.

use std::path::Path;

use serde_json::{Value as Json, json};
use ward_effects::{Live, Message, Port, Sent};
use ward_instance::config::Connectors;
use ward_instance::{InstanceError, ProductionWitness};
use ward_store::room::{Room, RoomOrder};

use crate::provider::{Address, Provider};

/// Production's connector for rooms: a video service, or the place of one that is not configured.
pub struct LiveVideo(Option<Provider>);

impl LiveVideo {
    /// Arms it with the service that the configuration names. Paths are those of the instance's
    /// directory `dir` unless they are absolute.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &Path,
    ) -> Result<Self, InstanceError> {
        let Some(url) = &config.video_url else { return Ok(LiveVideo(None)) };
        let address = Address {
            name: "the video service",
            url: ("video_url", url),
            token: ("video_token_file", config.video_token_file.as_deref()),
            ca: config.video_ca.as_deref(),
        };
        Ok(LiveVideo(Some(Provider::new(&address, dir)?)))
    }
}

/// What is posted.
fn body(order: &RoomOrder, reference: &str) -> Json {
    let mut body = json!({
        "action": "close",
        "room": order.room(),
        "number": order.number,
        "reference": reference,
    });
    if let Some(facts) = &order.wanted {
        body["action"] = "open".into();
        body["start"] = facts.start.as_str().into();
        body["minutes"] = facts.minutes.into();
        body["timezone"] = facts.timezone.as_str().into();
        body["host"] = facts.host_id.to_string().into();
    }
    body
}

impl Port for LiveVideo {
    fn is_connected(&self) -> bool {
        self.0.is_some()
    }

    async fn send(&self, message: &Message) -> Sent {
        let Some(service) = &self.0 else { return Sent::NotConnected };
        let id = &message.intent_id.0;
        let Some(order) = &message.content.order else {
            return Sent::Failed { reason: "no room is ordered".to_owned(), retry: false };
        };
        let (status, text) = match service.ask(id, body(order, id)).await {
            Ok(answer) => answer,
            Err(sent) => return sent,
        };
        match (status, order.wanted.is_some()) {
            // It is gone, which is what is wanted.
            (404 | 410, false) => Sent::Done { reference: id.to_owned() },
            (200..=299, true) => match serde_json::from_slice::<Room>(&text) {
                Ok(room) if room.is_sound() => Sent::Made { room },
                _ => Sent::Failed {
                    reason: "the video service answered without a room".to_owned(),
                    retry: false,
                },
            },
            (status, _) => service.judged(status, id),
        }
    }
}

impl Live for LiveVideo {}
