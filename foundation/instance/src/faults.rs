//! Faults that are made on purpose, so that who builds on a Sandbox sees how their own code takes
//! them. Only a [`SandboxWitness`] sets one: a Production has none, whatever its tables hold
//! (ISO-48).
//!
//! Which of the requests that a fault is meant for it hits is drawn from its seed: the same seed
//! hits the same ones again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::birth::SandboxWitness;
use crate::clock::Timestamp;
use crate::random::Random;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The answer is late by the fault's milliseconds.
    Latency,
    /// 429 with `Retry-After`; nothing is executed.
    RateLimited,
    /// 500; nothing is executed.
    InternalError,
    /// 502 as a proxy writes it, which is no JSON; nothing is executed.
    BadGateway,
    /// All is done and committed, then 504 as a proxy writes it: who asks again does it twice, unless
    /// they send an idempotency key.
    TimeoutAfterCommit,
    /// All is done and committed; the connection ends in the middle of the answer.
    ConnectionReset,
    /// All is done and committed; the answer is JSON that ends in the middle.
    TruncatedJson,
    /// One field of the answer is null with an error beside the others' data.
    PartialErrors,
    /// A query is answered as it was when it was first asked under this fault.
    StaleRead,
    /// The key is refused as one that has expired.
    ExpiredKey,
    /// A webhook arrives twice.
    WebhookDuplicate,
    /// A webhook arrives late by the fault's milliseconds of the instance's clock.
    WebhookLate,
    /// A webhook is held back a moment, so that later ones overtake it.
    WebhookReordered,
    /// A webhook is signed with a secret that nobody knows.
    WebhookBadSignature,
    /// Webhooks are signed as if the secret had been rotated and nobody had told the receiver.
    WebhookRotatedSecret,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [FaultKind; 15] = [
        FaultKind::Latency,
        FaultKind::RateLimited,
        FaultKind::InternalError,
        FaultKind::BadGateway,
        FaultKind::TimeoutAfterCommit,
        FaultKind::ConnectionReset,
        FaultKind::TruncatedJson,
        FaultKind::PartialErrors,
        FaultKind::StaleRead,
        FaultKind::ExpiredKey,
        FaultKind::WebhookDuplicate,
        FaultKind::WebhookLate,
        FaultKind::WebhookReordered,
        FaultKind::WebhookBadSignature,
        FaultKind::WebhookRotatedSecret,
    ];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            FaultKind::Latency => "latency",
            FaultKind::RateLimited => "rate_limited",
            FaultKind::InternalError => "internal_error",
            FaultKind::BadGateway => "bad_gateway",
            FaultKind::TimeoutAfterCommit => "timeout_after_commit",
            FaultKind::ConnectionReset => "connection_reset",
            FaultKind::TruncatedJson => "truncated_json",
            FaultKind::PartialErrors => "partial_errors",
            FaultKind::StaleRead => "stale_read",
            FaultKind::ExpiredKey => "expired_key",
            FaultKind::WebhookDuplicate => "webhook_duplicate",
            FaultKind::WebhookLate => "webhook_late",
            FaultKind::WebhookReordered => "webhook_reordered",
            FaultKind::WebhookBadSignature => "webhook_bad_signature",
            FaultKind::WebhookRotatedSecret => "webhook_rotated_secret",
        }
    }

    /// The kind of this name.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether a webhook waits for it.
    const fn holds_back(self) -> bool {
        matches!(self, FaultKind::WebhookLate | FaultKind::WebhookReordered)
    }

    /// Whether the answer's status is its own, one of 500 and above, whatever the request's was.
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            FaultKind::InternalError | FaultKind::BadGateway | FaultKind::TimeoutAfterCommit
        )
    }

    /// Whether webhooks are hit, not requests.
    pub const fn is_of_webhooks(self) -> bool {
        matches!(
            self,
            FaultKind::WebhookDuplicate
                | FaultKind::WebhookLate
                | FaultKind::WebhookReordered
                | FaultKind::WebhookBadSignature
                | FaultKind::WebhookRotatedSecret
        )
    }
}

/// A fault: what, where, how often and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its number; none is used twice.
    pub id: i64,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Requests only whose document has this name in it: an operation's or a field's.
    pub operation: Option<String>,
    /// Requests only of this API key (the part of it that is no secret).
    pub key: Option<String>,
    /// Deliveries only of this webhook.
    pub webhook: Option<i64>,
    /// Deliveries only of this event type.
    pub event: Option<String>,
    /// How many of a hundred are hit, 1 to 100.
    pub percent: u8,
    /// At most so many are hit.
    pub times: Option<u32>,
    /// How late.
    pub milliseconds: u32,
    /// What decides which are hit.
    pub seed: u64,
    /// Its end, in real time.
    #[serde(with = "micros")]
    pub expires_at: Timestamp,
}

/// A moment as its microseconds.
mod micros {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::clock::Timestamp;

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp)
    }
}

impl Fault {
    /// What `X-Sandbox-Fault` says of it.
    pub fn mark(&self) -> String {
        format!("{}; id={}", self.kind.as_str(), self.id)
    }

    /// Whether it is meant for a request by this key with this document.
    fn is_of_request(&self, key: Option<&str>, document: &str) -> bool {
        !self.kind.is_of_webhooks()
            && self.key.as_deref().is_none_or(|wanted| key == Some(wanted))
            && self.operation.as_deref().is_none_or(|name| has_name(document, name))
    }

    /// Whether it is meant for a delivery of this event to this webhook.
    fn is_of_delivery(&self, webhook: i64, event: &str) -> bool {
        self.kind.is_of_webhooks()
            && self.webhook.is_none_or(|wanted| wanted == webhook)
            && self.event.as_deref().is_none_or(|wanted| wanted == event)
    }
}

/// Whether a name stands in a document by itself, not as a part of a longer one.
fn has_name(document: &str, name: &str) -> bool {
    let is_of_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    document.split(|c| !is_of_name(c)).any(|word| word == name)
}

/// A fault of this process, with what it has done here.
#[derive(Debug)]
struct Active {
    fault: Fault,
    draw: Random,
    hits: AtomicU32,
}

impl Active {
    fn new(fault: Fault) -> Arc<Self> {
        let draw = Random::seeded(fault.seed);
        Arc::new(Active { fault, draw, hits: AtomicU32::new(0) })
    }

    /// Whether it hits the next that it is meant for; counted.
    fn hits(&self) -> bool {
        if self.draw.below(100) >= u64::from(self.fault.percent) {
            return false;
        }
        let most = self.fault.times.unwrap_or(u32::MAX);
        let more = |hits: u32| (hits < most).then_some(hits + 1);
        self.hits.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }
}

/// The faults of an instance, as this process knows them.
#[derive(Debug, Default)]
pub struct Faults {
    is_any: AtomicBool,
    active: RwLock<Known>,
}

/// The faults, and how often they had been written by then.
#[derive(Debug, Default)]
struct Known {
    revision: i64,
    faults: Vec<Arc<Active>>,
}

impl Faults {
    /// Takes over which faults there are since they were written for the `revision`th time, unless
    /// later ones are known; those that stay go on where they were.
    pub fn set(&self, _: &SandboxWitness, revision: i64, faults: Vec<Fault>) {
        let mut active = self.active.write();
        if revision < active.revision {
            return;
        }
        let known = |fault: Fault| match active.faults.iter().find(|it| it.fault == fault) {
            Some(active) => active.clone(),
            None => Active::new(fault),
        };
        let faults = faults.into_iter().map(known).collect();
        *active = Known { revision, faults };
        self.is_any.store(!active.faults.is_empty(), Ordering::Release);
    }

    /// The fault that hits a request, if one does.
    pub fn of_request(&self, wall: Timestamp, key: Option<&str>, document: &str) -> Option<Fault> {
        self.first(wall, |fault| fault.is_of_request(key, document))
    }

    /// The fault that holds a delivery back, if one does.
    pub fn of_queue(&self, wall: Timestamp, webhook: i64, event: &str) -> Option<Fault> {
        self.first(wall, |fault| fault.kind.holds_back() && fault.is_of_delivery(webhook, event))
    }

    /// The fault that hits the request of a delivery, if one does.
    pub fn of_delivery(&self, wall: Timestamp, webhook: i64, event: &str) -> Option<Fault> {
        self.first(wall, |fault| !fault.kind.holds_back() && fault.is_of_delivery(webhook, event))
    }

    /// Those that have not ended, each with how often it hit in this process.
    pub fn all(&self, wall: Timestamp) -> Vec<(Fault, u32)> {
        let active = self.active.read();
        let lives = active.faults.iter().filter(|it| wall < it.fault.expires_at);
        lives.map(|it| (it.fault.clone(), it.hits.load(Ordering::Acquire))).collect()
    }

    fn first(&self, wall: Timestamp, is_meant: impl Fn(&Fault) -> bool) -> Option<Fault> {
        if !self.is_any.load(Ordering::Acquire) {
            return None;
        }
        let active = self.active.read();
        let mut lives = active.faults.iter().filter(|it| wall < it.fault.expires_at);
        lives.find(|it| is_meant(&it.fault) && it.hits()).map(|it| it.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault {
            id: 1,
            kind,
            operation: None,
            key: None,
            webhook: None,
            event: None,
            percent: 100,
            times: None,
            milliseconds: 0,
            seed: 7,
            expires_at: Timestamp(100),
        }
    }

    fn of(faults: Vec<Fault>) -> Faults {
        let faults = faults.into_iter().map(Active::new).collect();
        let known = Known { revision: 1, faults };
        Faults { is_any: AtomicBool::new(true), active: RwLock::new(known) }
    }

    #[test]
    fn names_are_told_once() {
        for kind in FaultKind::ALL {
            assert_eq!(FaultKind::from_text(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn it_ends_and_is_counted() {
        let faults = of(vec![Fault { times: Some(2), ..fault(FaultKind::InternalError) }]);
        let hit = |at: i64| faults.of_request(Timestamp(at), None, "{ a }").is_some();
        assert_eq!([hit(1), hit(100), hit(99), hit(99)], [true, false, true, false]);
        assert_eq!(faults.all(Timestamp(99))[0].1, 2);
        assert!(faults.all(Timestamp(100)).is_empty());
    }

    #[test]
    fn it_hits_what_it_is_meant_for() {
        let of_one = Fault {
            key: Some("kid".into()),
            operation: Some("createClient".into()),
            ..fault(FaultKind::BadGateway)
        };
        let hit = |key, document: &str| {
            of(vec![of_one.clone()]).of_request(Timestamp(0), key, document).is_some()
        };
        assert!(hit(Some("kid"), "mutation { createClient(input: {}) { user { id } } }"));
        assert!(!hit(None, "mutation { createClient(input: {}) { user { id } } }"));
        assert!(!hit(Some("kid"), "mutation { createClients }"));
        assert!(!hit(Some("kid"), "mutation { bulk_createClient }"));
        let webhooks = Fault { webhook: Some(5), ..fault(FaultKind::WebhookDuplicate) };
        let faults = of(vec![webhooks]);
        assert!(faults.of_delivery(Timestamp(0), 5, "patient.created").is_some());
        assert!(faults.of_delivery(Timestamp(0), 6, "patient.created").is_none());
        assert!(faults.of_request(Timestamp(0), None, "").is_none());
    }

    #[test]
    fn the_same_seed_hits_the_same() {
        let some = Fault { percent: 30, ..fault(FaultKind::RateLimited) };
        let hits = || -> Vec<bool> {
            let faults = of(vec![some.clone()]);
            (0..200).map(|_| faults.of_request(Timestamp(0), None, "").is_some()).collect()
        };
        let first = hits();
        assert_eq!(first, hits());
        let count = first.iter().filter(|hit| **hit).count();
        assert!((30..=90).contains(&count), "{count} of 200 with 30 %");
    }
}
