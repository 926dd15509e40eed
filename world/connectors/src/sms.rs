//! SMS through a provider's HTTP interface: one `POST` of JSON for each.
//!
//! `{"from", "to", "text", "reference"}`, with `Authorization: Bearer` and the intent's id as
//! `Idempotency-Key`, so that a provider which honours it sends one that comes twice once. 2xx is
//! taken; 408, 429 and 5xx are tried again; any other status is final.

use std::path::Path;

use serde_json::json;
use ward_effects::{Live, Message, Port, Sent};
use ward_instance::config::Connectors;
use ward_instance::{InstanceError, ProductionWitness};
use zeroize::Zeroizing;

use crate::https::{Place, Unanswered};
use crate::secret;

/// Production's SMS connector: a provider, or the place of one that is not configured.
pub struct LiveSms(Option<Provider>);

struct Provider {
    place: Place,
    token: Zeroizing<String>,
    from: String,
}

impl LiveSms {
    /// Arms it with the provider that the configuration names. Paths are those of the instance's
    /// directory `dir` unless they are absolute.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &Path,
    ) -> Result<Self, InstanceError> {
        let Some(address) = &config.sms_url else { return Ok(LiveSms(None)) };
        let ca = config.sms_ca.as_ref().map(|file| dir.join(file));
        let place = Place::new("sms_url", address, ca.as_deref())?;
        let file = config.sms_token_file.as_deref().unwrap_or_default();
        let token = secret::read("sms_token_file", &dir.join(file))?;
        let from = config.sms_from.clone().unwrap_or_default();
        Ok(LiveSms(Some(Provider { place, token, from })))
    }
}

impl Port for LiveSms {
    fn is_connected(&self) -> bool {
        self.0.is_some()
    }

    async fn send(&self, message: &Message) -> Sent {
        let Some(provider) = &self.0 else { return Sent::NotConnected };
        let id = &message.intent_id.0;
        let body = json!({
            "from": provider.from,
            "to": message.to,
            "text": message.content.text,
            "reference": id,
        });
        match provider.place.post(&provider.token, id, body.to_string()).await {
            Ok(status) => judged(status, id),
            Err(unanswered) => Sent::Failed { reason: told(unanswered).to_owned(), retry: true },
        }
    }
}

impl Live for LiveSms {}

fn judged(status: u16, id: &str) -> Sent {
    match status {
        200..=299 => Sent::Done { reference: id.to_owned() },
        _ => Sent::Failed {
            reason: format!("the SMS provider answered {status}"),
            retry: matches!(status, 408 | 429 | 500..=599),
        },
    }
}

const fn told(unanswered: Unanswered) -> &'static str {
    match unanswered {
        Unanswered::Unreached => "the SMS provider is not reached",
        Unanswered::Tls => "the SMS provider's TLS is refused",
        Unanswered::Late => "the SMS provider does not answer in time",
    }
}
