//! The store's own tables: the audit log, the outbox, jobs, data keys and the
//! rest that every instance has, whatever its domains.

use ward_instance::Timestamp;

use crate::actor::Rule;
use crate::blob_scan::FileScan;
use crate::table::{Key, Table, index, unique};
use crate::types::{Entity, Id, Json, Uuid};
use crate::{record, text_enum};

/// The root organization, whose own table belongs to the identity domain.
#[derive(Clone, Copy, Debug)]
pub struct Tenant;

impl Entity for Tenant {
    const NAME: &'static str = "Organization";
}

text_enum! {
    /// Which of an organization's data keys seals a value.
    pub enum KeyClass {
        /// What is known of people: notes, answers, addresses.
        Personal = "personal",
        /// Credentials and other secrets.
        Secret = "secret",
    }
}

text_enum! {
    /// What an audit entry tells of.
    pub enum AuditType {
        /// A record was made.
        Create = "CREATE",
        /// A record was changed.
        Update = "UPDATE",
        /// A record was deleted, softly or not.
        Destroy = "DESTROY",
        /// Requests were refused.
        Refused = "REFUSED",
        /// An act on the instance itself.
        Admin = "ADMIN",
    }
}

text_enum! {
    /// Where a job stands.
    pub enum JobState {
        /// Waits for its time or a worker.
        Ready = "ready",
        /// A worker has it.
        Leased = "leased",
        /// Finished.
        Done = "done",
        /// Failed for good; waits for a person.
        Dead = "dead",
    }
}

text_enum! {
    /// What reaches the world outside (effects room).
    pub enum EffectClass {
        /// An e-mail about the receiver's own account: links, codes, warnings (trust ruling 12).
        AccountMail = "account_mail",
        /// Any other e-mail.
        Email = "email",
        /// An SMS.
        Sms = "sms",
        /// A notification to an app.
        Push = "push",
        /// A room for a video call.
        Video = "video",
        /// A look for malware at a file that was stored.
        Scan = "scan",
    }
}

impl EffectClass {
    /// All classes.
    pub const ALL: [EffectClass; 6] = [
        EffectClass::AccountMail,
        EffectClass::Email,
        EffectClass::Sms,
        EffectClass::Push,
        EffectClass::Video,
        EffectClass::Scan,
    ];
}

text_enum! {
    /// What became of an effect after it was handed over, as its receiver's side tells.
    pub enum EffectOutcome {
        /// Nothing is told yet.
        Sent = "sent",
        /// It arrived.
        Delivered = "delivered",
        /// There is no such mailbox.
        Bounced = "bounced",
        /// The mailbox does not take it now.
        SoftBounced = "soft_bounced",
        /// It arrived and was reported as spam.
        Complained = "complained",
        /// There is no such number.
        Undeliverable = "undeliverable",
        /// The receiver wants no more of the kind.
        OptedOut = "opted_out",
    }
}

text_enum! {
    /// Where an effect stands.
    pub enum EffectState {
        /// Waits for the dispatcher.
        Queued = "queued",
        /// Happened.
        Done = "done",
        /// Did not happen and won't.
        Failed = "failed",
        /// Held back until somebody decides.
        Waiting = "waiting",
    }
}

record! {
    /// A data key of a root organization, wrapped under the key-encryption key.
    pub struct DataKeyRow in DATA_KEYS, data_keys {
        org_id: Id<Tenant>,
        class: KeyClass,
        version: i64,
        wrapped: Vec<u8> [secret],
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "class", "version"]),
    indexes: [],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// One entry of the audit log.
    pub struct AuditRow in AUDIT_EVENTS, audit_events {
        id: Uuid,
        org_id: i64,
        unit_id: i64,
        /// Place in the organization's log; none until the entry is numbered.
        seq: Option<i64>,
        occurred_at: Timestamp,
        wall_at: Timestamp,
        actor_id: i64,
        actor_kind: String,
        credential: Option<String>,
        event_type: AuditType,
        resource_name: String,
        resource_id: String,
        /// The client concerned.
        subject_id: Option<i64>,
        /// `[{"field","before","after"}]`.
        changes: String [sealed],
        /// The order of writing: microseconds of the one writer's or the one
        /// database server's clock, read while the change's locks are held.
        written_at: i64,
        row_mac: Vec<u8> [secret],
        chain: Option<Vec<u8>> [secret],
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "seq"]),
        index(&["org_id", "occurred_at", "id"]),
        index(&["org_id", "resource_name", "resource_id"]),
        index(&["org_id", "subject_id"]).only("subject_id IS NOT NULL"),
        index(&["org_id", "written_at", "id"]).only("seq IS NULL"),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// What happened, for webhooks, subscriptions and automations.
    pub struct EventRow in EVENTS, events {
        id: Uuid,
        org_id: i64,
        unit_id: i64,
        /// Gap-free in the organization; none until the event is numbered.
        seq: Option<i64>,
        /// Dotted name, `patient.created`.
        event_type: String,
        resource_type: String,
        resource_id: i64,
        /// JSON list of column names.
        changed_fields: Json,
        /// JSON object.
        extra: Json,
        subject_id: Option<i64>,
        actor_id: i64,
        /// The first event of the chain of causes; its own id when it is the first.
        root_event_id: Uuid,
        /// How many causes lead here.
        depth: i64,
        occurred_at: Timestamp,
        /// Whether webhooks hear of it, now or when it is sent again.
        is_told: bool,
        /// The order of writing, as in the audit log.
        written_at: i64,
        /// Whether the relay has handed it on.
        relayed: bool,
        row_mac: Vec<u8> [secret],
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "seq"]),
        index(&["written_at", "seq", "id"]).only("relayed = FALSE"),
        index(&["org_id", "written_at", "id"]).only("seq IS NULL"),
        index(&["occurred_at"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// Work that waits.
    pub struct JobRow in JOBS, jobs {
        id: Uuid,
        /// 0 for work of the instance.
        org_id: i64,
        kind: String,
        dedupe_key: Option<String>,
        /// Jobs of one key run one after another.
        serial_key: Option<String>,
        payload: Json,
        /// Smaller first.
        priority: i64,
        state: JobState,
        /// Due from then on, on the instance's clock.
        visible_at: Timestamp,
        attempts: i64,
        max_attempts: i64,
        lease_token: Option<String>,
        /// On the wall clock: a stopped test clock must not keep a lease.
        lease_until: Option<Timestamp>,
        last_error: Option<String>,
        /// Order of enqueueing, microseconds, never twice in a process.
        queued_at: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        index(&["priority", "visible_at", "queued_at"]).only("state IN ('ready', 'leased')"),
        unique(&["org_id", "kind", "dedupe_key"])
            .only("dedupe_key IS NOT NULL AND state IN ('ready', 'leased')"),
        index(&["org_id", "serial_key", "queued_at"])
            .only("serial_key IS NOT NULL AND state IN ('ready', 'leased')"),
        index(&["state", "updated_at"]).only("state IN ('done', 'dead')"),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// The answer that a repeated request gets.
    pub struct IdempotencyRow in IDEMPOTENCY_KEYS, idempotency_keys {
        id: Uuid,
        /// 0 for anonymous requests.
        org_id: i64,
        actor_id: i64,
        key: String,
        /// Which mutation of the request; empty for the whole.
        alias: String,
        request_hash: Vec<u8> [secret],
        /// Sealed under the instance's own key; none while the request runs.
        answer: Option<Vec<u8>> [secret],
        expires_at: Timestamp,
        created_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "actor_id", "key", "alias"]),
        index(&["expires_at"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// Something that is to happen outside.
    pub struct EffectRow in EFFECT_INTENTS, effect_intents {
        id: Uuid,
        org_id: i64,
        class: EffectClass,
        kind: String,
        to_sealed: String [sealed],
        payload: String [sealed],
        subject_id: Option<i64>,
        /// The person whom it reaches: who is in a cohort is chosen by person.
        recipient_id: Option<i64>,
        state: EffectState,
        attempts: i64,
        /// The request that led here.
        cause: String,
        idempotency_key: String,
        not_before: Timestamp,
        /// From then on it is not sent any more.
        expires_at: Option<Timestamp>,
        created_at: Timestamp,
        done_at: Option<Timestamp>,
        last_error: Option<String>,
        /// None until it was handed over.
        outcome: Option<EffectOutcome>,
        /// When the receiver's side told that.
        outcome_at: Option<Timestamp>,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "idempotency_key"]),
        index(&["org_id", "cause"]),
        index(&["org_id", "state", "created_at"]),
        index(&["class", "created_at"]).only("state = 'waiting'"),
        index(&["expires_at"]).only("state = 'waiting' AND expires_at IS NOT NULL"),
        index(&["org_id", "recipient_id"]).only("state IN ('queued', 'waiting')"),
        index(&["org_id", "recipient_id", "class", "outcome_at"])
            .only("outcome IN ('opted_out', 'complained')"),
        index(&["done_at"]).only("state = 'done' AND outcome IN ('sent', 'delivered')"),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// A stored file.
    pub struct BlobRow in BLOBS, blobs {
        id: Uuid,
        org_id: i64,
        unit_id: i64,
        /// The person whose file it is.
        owner_id: i64,
        /// What it is for: `avatar`, `document`.
        purpose: String,
        file_name: String [sealed],
        content_type: String,
        byte_size: i64,
        sha256: Vec<u8> [secret],
        created_at: Timestamp,
        deleted_at: Option<Timestamp>,
        /// None where nobody asked for a look.
        scan: Option<FileScan>,
        /// When it was looked at.
        scanned_at: Option<Timestamp>,
        /// What was found, as the scanner calls it.
        threat: Option<String>,
    }
    key: Key::Uuid,
    indexes: [
        index(&["org_id", "owner_id", "purpose"]),
        index(&["org_id", "scanned_at"]).only("scan = 'found'"),
        index(&["deleted_at"]).only("deleted_at IS NOT NULL"),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// What the searched values of a row go on with from every second place.
    pub struct GramRow in SEARCH_GRAMS, search_grams {
        org_id: Id<Tenant>,
        /// The table.
        kind: String,
        gram: String,
        row_id: i64,
    }
    key: Key::Columns(&["org_id", "kind", "gram", "row_id"]),
    indexes: [],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

/// The store's own tables.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &DATA_KEYS,
        &AUDIT_EVENTS,
        &EVENTS,
        &JOBS,
        &IDEMPOTENCY_KEYS,
        &EFFECT_INTENTS,
        &BLOBS,
        &SEARCH_GRAMS,
        &crate::access::ACCESS_LOG,
        &crate::access::ACCESS_SETS,
    ]
}
