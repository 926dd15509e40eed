//! Tables of notices: what people want to be told, what they were told, and what
//! is still to be said (behaviour 42).

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Json, Key, Reference, Uuid, index, record, text_enum, unique};

use crate::notices::visibility;
use crate::tables::Conversation;

record! {
    /// What somebody wants to be told, and when; who has no row has changed
    /// nothing yet. It goes by the person's own id.
    pub struct NotificationSetting in NOTIFICATION_SETTINGS, notification_settings {
        org_id: Id<Organization>,
        user_id: Id<User>,
        unit_id: Id<Organization>,
        /// What was chosen, by the contract's names; the rest is as usual.
        choices: Json,
        /// Wall-clock times such as `21:00`; none is the usual.
        quiet_hours_start: Option<String>,
        quiet_hours_end: Option<String>,
        /// Opens nothing but the way out, from a mail.
        unsubscribe_uuid: Uuid [secret],
        /// When notices of messages were switched on last: what the receiver's side
        /// reported before does not count any more.
        renewed_at: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "user_id"]),
    indexes: [unique(&["unsubscribe_uuid"])],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("NOTIFICATION_SETTING"),
    subject: restricted::by_user_id,
    visible: visibility::settings,
}

text_enum! {
    /// What a notification tells.
    pub enum NotificationKind {
        /// Somebody wrote in a conversation.
        Message = "message",
        /// A new client is theirs.
        ClientCreated = "client_created",
        /// A client became theirs.
        ClientAssigned = "client_assigned",
    }
}

record! {
    /// Something that a person is told inside the practice's own pages.
    pub struct Notification in NOTIFICATIONS, notifications {
        id: Id<Notification>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Who is told.
        user_id: Id<User>,
        kind: NotificationKind,
        /// Who did what it tells.
        creator_id: Option<Id<User>>,
        /// The client it is about, to staff; whom it comes from, to a client.
        other_party_id: Option<Id<User>>,
        /// The client concerned.
        patient_id: Option<Id<User>>,
        /// Of a message: where it is. One that was not seen tells of all of them.
        conversation_id: Option<Id<Conversation>>,
        seen: bool,
        is_read: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]),
        index(&["org_id", "user_id"]).only("seen = FALSE"),
        index(&["org_id", "patient_id"]).only("patient_id IS NOT NULL"),
        index(&["org_id", "conversation_id", "user_id"]).only("seen = FALSE"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "creator_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "other_party_id"], table: "users", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "conversation_id"],
            table: "conversations",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("NOTIFICATION"),
    subject: restricted::by_patient_id,
    visible: visibility::notifications,
}

text_enum! {
    /// By which way a notice went.
    pub enum NoticeCategory {
        /// By mail.
        Email = "email",
        /// By SMS.
        Sms = "sms",
        /// By a notification to an app.
        Push = "push",
    }
}

record! {
    /// A notice that was sent; what became of it is the effect's own to tell.
    pub struct SentNotificationRecord in SENT_NOTIFICATION_RECORDS, sent_notification_records {
        id: Id<SentNotificationRecord>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Whom it went to.
        user_id: Id<User>,
        category: NoticeCategory,
        /// `new_message`, `client_assigned`.
        notification_type: String,
        /// Finds the effect.
        intent_key: String,
        /// Whether somebody took note that it did not arrive.
        bounce_viewed: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]),
        // When somebody was told last of what comes in great numbers.
        index(&["org_id", "user_id", "created_at"])
            .only("notification_type = 'new_appointment_request'"),
        unique(&["org_id", "intent_key"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("SENT_NOTIFICATION_RECORD"),
    subject: restricted::by_user_id,
    visible: visibility::sent,
}

record! {
    /// What is to be said to somebody at its time. A row is gone when it was said,
    /// or when there is nothing to say any more.
    pub struct Reminder in REMINDERS, reminders {
        id: Id<Reminder>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Which of the kinds that domains register.
        kind: String,
        /// The record that it is about, of the kind's own table.
        subject_id: i64,
        /// Of several about one record: which, such as `2_days`; else empty.
        slot: String,
        /// Who is reminded.
        user_id: Id<User>,
        due_at: Timestamp,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "kind", "subject_id", "user_id", "slot"]),
        index(&["org_id", "user_id", "kind"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("REMINDER"),
    subject: restricted::by_user_id,
    visible: visibility::reminders,
}
