//! Notifications to apps through a push service's HTTP interface: `{"to", "text", "reference"}`, as
//! [`crate::provider`] posts it. 404 and 410 say that the app is gone from the device: it is
//! notified no more until it registers again.

use std::path::Path;

use serde_json::json;
use ward_effects::{Live, Message, Port, Sent};
use ward_instance::config::Connectors;
use ward_instance::{InstanceError, ProductionWitness};

use crate::provider::{Address, Provider};

/// Production's connector for notifications: a push service, or the place of one that is not
/// configured.
pub struct LivePush(Option<Provider>);

impl LivePush {
    /// Arms it with the service that the configuration names. Paths are those of the instance's
    /// directory `dir` unless they are absolute.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &Path,
    ) -> Result<Self, InstanceError> {
        let Some(url) = &config.push_url else { return Ok(LivePush(None)) };
        let address = Address {
            name: "the push service",
            url: ("push_url", url),
            token: ("push_token_file", config.push_token_file.as_deref()),
            ca: config.push_ca.as_deref(),
        };
        Ok(LivePush(Some(Provider::new(&address, dir)?)))
    }
}

impl Port for LivePush {
    fn is_connected(&self) -> bool {
        self.0.is_some()
    }

    async fn send(&self, message: &Message) -> Sent {
        let Some(service) = &self.0 else { return Sent::NotConnected };
        let id = &message.intent_id.0;
        let body = json!({ "to": message.to, "text": message.content.text, "reference": id });
        match service.post(id, body).await {
            Ok(404 | 410) => Sent::Gone { reason: "the app is gone from the device".to_owned() },
            Ok(status) => service.judged(status, id),
            Err(sent) => sent,
        }
    }
}

impl Live for LivePush {}
