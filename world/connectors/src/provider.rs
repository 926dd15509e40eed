//! A provider that takes messages over HTTPS: one `POST` of JSON for each, with
//! `Authorization: Bearer` and the intent's id as `Idempotency-Key`, so that a provider which
//! honours it sends one that comes twice once. 2xx is taken; 408, 429 and 5xx are tried again; any
//! other status is final.

use std::path::Path;

use hyper::body::Bytes;
use serde_json::Value;
use ward_effects::Sent;
use ward_instance::InstanceError;
use zeroize::Zeroizing;

use crate::https::{Place, Unanswered};
use crate::secret;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES: usize = 16 * 1024;

/// Where a provider is, and how its keys of the configuration are called.
pub(crate) struct Address<'a> {
    /// As it is called in reasons: `the SMS provider`.
    pub name: &'static str,
    /// The key of the address, and the address.
    pub url: (&'static str, &'a str),
    /// The key of the token's file, and the file.
    pub token: (&'static str, Option<&'a str>),
    /// A further root certificate in PEM.
    pub ca: Option<&'a str>,
}

/// One that is armed.
pub(crate) struct Provider {
    name: &'static str,
    place: Place,
    token: Zeroizing<String>,
}

impl Provider {
    /// Paths are those of the instance's directory `dir` unless they are absolute.
    pub(crate) fn new(address: &Address<'_>, dir: &Path) -> Result<Self, InstanceError> {
        let ca = address.ca.map(|file| dir.join(file));
        let place = Place::new(address.url.0, address.url.1, ca.as_deref())?;
        let (key, file) = address.token;
        let token = secret::read(key, &dir.join(file.unwrap_or_default()))?;
        Ok(Provider { name: address.name, place, token })
    }

    /// The status that it answers to a message, or what became of it without one.
    pub(crate) async fn post(&self, id: &str, body: Value) -> Result<u16, Sent> {
        self.posted(id, body, 0).await.map(|(status, _)| status)
    }

    /// The same, with what it says: at most so much as a short JSON text is.
    pub(crate) async fn ask(&self, id: &str, body: Value) -> Result<(u16, Bytes), Sent> {
        self.posted(id, body, ANSWER_BYTES).await
    }

    async fn posted(&self, id: &str, body: Value, most: usize) -> Result<(u16, Bytes), Sent> {
        let answer = self.place.post(&self.token, id, body.to_string(), most).await;
        answer.map_err(|unanswered| {
            let what = match unanswered {
                Unanswered::Unreached => " is not reached",
                Unanswered::Tls => "'s TLS is refused",
                Unanswered::Late => " does not answer in time",
            };
            Sent::Failed { reason: format!("{}{what}", self.name), retry: true }
        })
    }

    /// What a status means.
    pub(crate) fn judged(&self, status: u16, id: &str) -> Sent {
        match status {
            200..=299 => Sent::Done { reference: id.to_owned() },
            _ => Sent::Failed {
                reason: format!("{} answered {status}", self.name),
                retry: matches!(status, 408 | 429 | 500..=599),
            },
        }
    }
}
