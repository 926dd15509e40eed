//! Where the last validation of each webhook is kept.

use ward_identity::tables::Organization;
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Uuid, index, record, text_enum, unique};

use crate::tables::{Webhook, developers};

text_enum! {
    /// What a probe of a validation is, in the order in which they are sent.
    pub enum Probe {
        /// Asks for the challenge and the environment.
        Handshake = "handshake",
        /// Is as good as any event, of no record.
        Genuine = "genuine",
        /// Is the genuine one once more, under the same id.
        Duplicate = "duplicate",
        /// Is of a kind that there is not.
        Unknown = "unknown",
        /// Is signed with a secret that is not the webhook's.
        Forged = "forged",
        /// Is signed, and its body was changed since.
        Altered = "altered",
        /// Is signed, an hour ago.
        Stale = "stale",
    }
}

text_enum! {
    /// What came of a validation.
    pub enum ValidationState {
        /// It is under way.
        Running = "RUNNING",
        /// Answers for this environment, takes what is genuine, refuses everything else.
        Valid = "VALID",
        /// Answers, and says nothing of itself.
        Unverified = "UNVERIFIED",
        /// Takes itself for a receiver of the other environment.
        OtherEnvironment = "OTHER_ENVIRONMENT",
        /// Refuses what is genuine.
        RefusesGenuine = "REFUSES_GENUINE",
        /// Takes what is forged, altered or stale.
        AcceptsForgeries = "ACCEPTS_FORGERIES",
        /// Gave no answer to the handshake.
        Unreachable = "UNREACHABLE",
        /// Did not answer all probes with a yes or a no, or the server stopped meanwhile.
        Inconclusive = "INCONCLUSIVE",
    }
}

record! {
    /// The last validation of a webhook's receiver, as far as it got.
    pub struct WebhookValidation in WEBHOOK_VALIDATIONS, webhook_validations {
        id: Id<WebhookValidation>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        webhook_id: Id<Webhook>,
        state: ValidationState,
        /// What came of the one before.
        previous: Option<ValidationState>,
        /// Whether it is one of those of each week, that nobody asked for.
        is_repeat: bool,
        /// The probe that is under way, or was the last.
        event_id: Uuid,
        /// Which environment the receiver takes itself for.
        environment: Option<String>,
        /// None of these while it is not known.
        is_challenge_answered: Option<bool>,
        accepts_genuine: Option<bool>,
        accepts_duplicate: Option<bool>,
        accepts_unknown: Option<bool>,
        accepts_forged: Option<bool>,
        accepts_altered: Option<bool>,
        accepts_stale: Option<bool>,
        created_at: Timestamp,
        ended_at: Option<Timestamp>,
        /// When it is done again, by the instance's clock.
        repeats_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "webhook_id"]),
        index(&["repeats_at"]),
    ],
    references: [
        Reference { columns: &["org_id", "webhook_id"], table: "webhooks", target: &["org_id", "id"] },
    ],
    audit: Some("WEBHOOK_VALIDATION"),
    visible: developers,
}
