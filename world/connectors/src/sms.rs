//! SMS through a provider's HTTP interface: `{"from", "to", "text", "reference"}`, as
//! [`crate::provider`] posts it.

use std::path::Path;

use serde_json::json;
use ward_effects::{Live, Message, Port, Sent};
use ward_instance::config::Connectors;
use ward_instance::{InstanceError, ProductionWitness};

use crate::provider::{Address, Provider};

/// Production's SMS connector: a provider, or the place of one that is not configured.
pub struct LiveSms(Option<(Provider, String)>);

impl LiveSms {
    /// Arms it with the provider that the configuration names. Paths are those of the instance's
    /// directory `dir` unless they are absolute.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &Path,
    ) -> Result<Self, InstanceError> {
        let Some(url) = &config.sms_url else { return Ok(LiveSms(None)) };
        let address = Address {
            name: "the SMS provider",
            url: ("sms_url", url),
            token: ("sms_token_file", config.sms_token_file.as_deref()),
            ca: config.sms_ca.as_deref(),
        };
        let from = config.sms_from.clone().unwrap_or_default();
        Ok(LiveSms(Some((Provider::new(&address, dir)?, from))))
    }
}

impl Port for LiveSms {
    fn is_connected(&self) -> bool {
        self.0.is_some()
    }

    async fn send(&self, message: &Message) -> Sent {
        let Some((provider, from)) = &self.0 else { return Sent::NotConnected };
        let id = &message.intent_id.0;
        let body = json!({
            "from": from,
            "to": message.to,
            "text": message.content.text,
            "reference": id,
        });
        match provider.post(id, body).await {
            Ok(status) => provider.judged(status, id),
            Err(sent) => sent,
        }
    }
}

impl Live for LiveSms {}
