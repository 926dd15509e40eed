//! Where webhooks, their queues and their log are kept.

use ward_engine::Permission;
use ward_identity::flags::IS_DEVELOPER;
use ward_identity::tables::Organization;
use ward_instance::Timestamp;
use ward_store::{
    Actor, Id, Json, Key, Reference, Role, Rule, Table, Uuid, index, record, text_enum, unique,
};

pub use crate::validation::table::{
    Probe, ValidationState, WEBHOOK_VALIDATIONS, WebhookValidation, webhook_validations,
};

/// What a member needs for everything about webhooks (behaviour 16.3).
pub const PERMISSION: Permission = IS_DEVELOPER;

text_enum! {
    /// How ids are written in a payload (behaviour 13.2).
    pub enum IdEncoding {
        /// As a JSON number.
        Number = "NUMBER",
        /// As a JSON string.
        String = "STRING",
    }
}

text_enum! {
    /// Which of a webhook's secrets one is.
    pub enum SecretState {
        /// Signs.
        Current = "current",
        /// Signs beside the current one until its time is over.
        Retiring = "retiring",
    }
}

text_enum! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// Waits for its time.
        Pending = "pending",
        /// Is being sent.
        Leased = "leased",
        /// Was taken by the receiver.
        Delivered = "delivered",
        /// Was given up.
        Dead = "dead",
    }
}

text_enum! {
    /// Why there is a delivery.
    pub enum DeliveryCause {
        /// Something happened.
        Event = "event",
        /// A member wants to see whether the receiver answers.
        Test = "test",
        /// A member wants it again.
        Replay = "replay",
        /// A member wants to know whether the receiver is the right one, and refuses what is not ours.
        Probe = "probe",
    }
}

text_enum! {
    /// How an attempt ended.
    pub enum Outcome {
        /// With a status of 200 to 299.
        Delivered = "DELIVERED",
        /// With any other status.
        Refused = "REFUSED",
        /// No answer in time.
        TimedOut = "TIMED_OUT",
        /// The receiver could not be reached.
        Unreachable = "UNREACHABLE",
        /// The receiver's certificate or its TLS is not good.
        Insecure = "INSECURE",
        /// The address is one that webhooks may not go to.
        Forbidden = "FORBIDDEN",
        /// The process ended while it was under way: it may have arrived.
        Unknown = "UNKNOWN",
    }
}

/// Rows of the units that a developer may see.
pub(crate) fn developers(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(ward_store::Cond::Always),
        Role::Member if actor.has(PERMISSION.flag) => Rule::full(actor.units("unit_id")),
        Role::Member | Role::Client | Role::Anonymous => Rule::none(),
    }
}

record! {
    /// An address that is told what happens.
    pub struct Webhook in WEBHOOKS, webhooks {
        id: Id<Webhook>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        url: String [folded searched],
        is_enabled: bool,
        should_retry: bool,
        /// The first of its events, dotted; kept for lists and orders.
        event_type: Option<String> [folded],
        id_encoding: IdEncoding,
        /// Whether a record's events are sent one after another.
        is_ordered: bool,
        /// When its developers were warned that it fails.
        warned_at: Option<Timestamp>,
        /// When it was made or last switched on: of what happened before it hears nothing.
        listens_since: Timestamp,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "created_at", "id"]),
        index(&["org_id", "is_enabled"]).only("deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "unit_id"], table: "organizations", target: &["org_id", "id"] },
    ],
    audit: Some("WEBHOOK"),
    visible: developers,
}

record! {
    /// An event that a webhook subscribes to.
    pub struct WebhookEvent in WEBHOOK_EVENTS, webhook_events {
        id: Id<WebhookEvent>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        webhook_id: Id<Webhook>,
        /// Dotted name.
        event_type: String,
        /// Its place among the webhook's events.
        position: i64,
        /// Since when it fails; none while it does not.
        first_failed_at: Option<Timestamp>,
        last_failed_at: Option<Timestamp>,
        retry_count: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "webhook_id", "event_type"]),
        index(&["event_type", "org_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "webhook_id"], table: "webhooks", target: &["org_id", "id"] },
    ],
    audit: Some("WEBHOOK_EVENT"),
    visible: developers,
}

record! {
    /// A secret that requests of a webhook are signed with.
    pub struct WebhookSecret in WEBHOOK_SECRETS, webhook_secrets {
        id: Id<WebhookSecret>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        webhook_id: Id<Webhook>,
        secret: String [sealed secret],
        state: SecretState,
        /// Wall time after which a retiring one signs no more.
        retires_at: Option<Timestamp>,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "webhook_id", "state"]),
    ],
    references: [
        Reference { columns: &["org_id", "webhook_id"], table: "webhooks", target: &["org_id", "id"] },
    ],
    audit: Some("WEBHOOK_SECRET"),
    visible: developers,
}

record! {
    /// The head of a webhook's queue: what decides whether something is sent to it now.
    pub struct WebhookLane in WEBHOOK_LANES, webhook_lanes {
        org_id: Id<Organization>,
        webhook_id: Id<Webhook>,
        /// Logical time from which something may be due; none when nothing is, or when
        /// as much is under way as may be.
        ready_at: Option<Timestamp>,
        /// Grows with each turn, so that lanes take turns.
        last_served: i64,
        /// The place of the last delivery in the queue.
        last_position: i64,
        /// A disabled webhook sends nothing.
        is_paused: bool,
        /// Requests at once; 1 after a failure, doubled by each success, far only while answers are fast.
        max_in_flight: i64,
        /// Whether its receiver is slow: those share a part of the sockets.
        is_slow: bool,
        /// Failures one after another since the last success.
        failures: i64,
        /// Wall time at which the last of them was counted: what was begun before it, at once with it,
        /// is no further one.
        counted_at: Option<Timestamp>,
        /// Logical time of the first of them.
        failing_since: Option<Timestamp>,
        /// Logical and wall time until which nothing is tried, whichever comes first.
        broken_until: Option<Timestamp>,
        broken_until_wall: Option<Timestamp>,
        /// Logical time since which the webhook is enabled: failures of before are forgiven.
        enabled_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "webhook_id"]),
    indexes: [
        index(&["is_slow", "last_served"]).only("ready_at IS NOT NULL AND is_paused = FALSE"),
    ],
    // A foreign key would be checked at a lane's second change in a transaction, under a lock on the
    // webhook that whoever records an attempt holds: a deadlock at every other claim.
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// An event on its way to one webhook.
    pub struct WebhookDelivery in WEBHOOK_DELIVERIES, webhook_deliveries {
        id: Uuid,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        webhook_id: Id<Webhook>,
        /// The event's id, the same at every delivery and attempt.
        event_id: Uuid,
        /// Dotted name.
        event_type: String,
        resource_type: String,
        resource_id: i64,
        /// The payload's bytes, the same at every attempt.
        body: String [sealed],
        cause: DeliveryCause,
        /// Which probe it is, of a validation.
        probe: Option<Probe>,
        /// Which replay wants it; empty for what was sent by itself.
        replay: String,
        state: DeliveryState,
        /// Its place in the webhook's queue.
        position: i64,
        /// Whether it waits for earlier ones of the same record.
        is_ordered: bool,
        /// Logical time.
        due_at: Timestamp,
        /// The fault that held it back, in a Sandbox: what the header of each attempt says.
        fault: Option<String>,
        attempts: i64,
        /// Logical time.
        first_failed_at: Option<Timestamp>,
        /// The process that is sending it.
        lease_epoch: Option<String>,
        lease_token: Option<String>,
        /// Wall time.
        lease_until: Option<Timestamp>,
        /// Wall time at which the attempt under way began; of a probe, before, at which it was wanted.
        started_at: Option<Timestamp>,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "webhook_id", "event_id", "replay"]),
        index(&["org_id", "webhook_id", "due_at", "position"]).only("state = 'pending'"),
        index(&["org_id", "webhook_id"]).only("state = 'leased'"),
        index(&["lease_until"]).only("state = 'leased'"),
        index(&["org_id", "webhook_id", "resource_type", "resource_id", "position"])
            .only("is_ordered = TRUE AND state IN ('pending', 'leased')"),
        index(&["updated_at"]).only("state IN ('delivered', 'dead')"),
        index(&["org_id", "started_at"]).only("probe = 'handshake'"),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// One attempt to tell one webhook of one event: the log that developers read.
    pub struct SentWebhook in WEBHOOK_ATTEMPTS, webhook_attempts {
        id: Id<SentWebhook>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        webhook_id: Id<Webhook>,
        delivery_id: Uuid,
        event_id: Uuid,
        /// Dotted name.
        event_type: String,
        cause: DeliveryCause,
        resource_id: i64,
        resource_id_type: String,
        url: String,
        /// 1 for the first.
        attempt_number: i64,
        outcome: Outcome,
        http_response_status: Option<String>,
        /// One sentence, when there is no status.
        error: Option<String>,
        /// Wall time from the look-up of the name to the end of the answer.
        duration_ms: i64,
        /// The address that it went to.
        peer: Option<String>,
        request_body: String [sealed],
        /// The beginning of the answer.
        response_body: Option<String> [sealed],
        /// Wall time.
        started_at: Timestamp,
        /// Logical time.
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "created_at", "id"]),
        index(&["org_id", "webhook_id", "created_at"]),
        index(&["org_id", "resource_id"]),
        index(&["created_at"]),
    ],
    references: [],
    audit: None,
    visible: developers,
}

record! {
    /// A wish to have past events again, which are fed into the webhook's queue little by little.
    pub struct WebhookReplay in WEBHOOK_REPLAYS, webhook_replays {
        id: Id<WebhookReplay>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        webhook_id: Id<Webhook>,
        /// JSON list of dotted names: which of the webhook's events.
        event_types: Json,
        /// JSON list of ids; none for every event of the time.
        event_ids: Option<Json>,
        occurred_after: Timestamp,
        occurred_before: Timestamp,
        /// Only what was not delivered to this webhook.
        is_undelivered: bool,
        /// How many events there were when it was asked for.
        event_count: i64,
        /// The number of the last event that was looked at.
        last_seq: i64,
        /// The number of the last event that there was when it was asked for.
        until_seq: i64,
        /// When its last event was put into the queue, or its webhook was deleted.
        ended_at: Option<Timestamp>,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "webhook_id", "id"]),
        index(&["id"]).only("ended_at IS NULL"),
        index(&["ended_at"]).only("ended_at IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "webhook_id"], table: "webhooks", target: &["org_id", "id"] },
    ],
    audit: Some("WEBHOOK_REPLAY"),
    visible: developers,
}

/// The tables of this domain.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &WEBHOOKS,
        &WEBHOOK_EVENTS,
        &WEBHOOK_SECRETS,
        &WEBHOOK_LANES,
        &WEBHOOK_DELIVERIES,
        &WEBHOOK_ATTEMPTS,
        &WEBHOOK_REPLAYS,
        &WEBHOOK_VALIDATIONS,
    ]
}
