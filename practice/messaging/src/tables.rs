//! Tables of the domain: conversations, who takes part in them, and what was
//! written (behaviour 32).

use ward_clients::tables::UserGroup;
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Json, Key, Reference, Table, Uuid, index, record, unique};

use crate::notices::tables as notices;
use crate::visibility;

record! {
    /// A conversation of two or more people. It is never deleted.
    pub struct Conversation in CONVERSATIONS, conversations {
        id: Id<Conversation>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The member whose conversation it is.
        owner_id: Id<User>,
        /// The client in it, when there is exactly one.
        patient_id: Option<Id<User>>,
        /// As somebody named it; without a name it goes by its participants.
        name: Option<String> [folded],
        /// How many clients take part.
        clients_count: i64,
        /// How many notes were sent in it: the number of the last one.
        notes_count: i64,
        /// Nothing is written any more since.
        closed_at: Option<Timestamp>,
        closed_by_id: Option<Id<User>>,
        metadata: Option<Json> [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "owner_id", "patient_id"]),
        index(&["org_id", "patient_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "owner_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "closed_by_id"], table: "users", target: &["org_id", "id"],
        },
    ],
    audit: Some("CONVERSATION"),
    subject: restricted::by_patient_id,
    visible: visibility::conversations,
}

record! {
    /// Somebody's part in a conversation. What they have seen is a number, so
    /// that a new note changes nobody's row but its author's.
    pub struct ConversationMembership in CONVERSATION_MEMBERSHIPS, conversation_memberships {
        id: Id<ConversationMembership>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        conversation_id: Id<Conversation>,
        user_id: Id<User>,
        /// The group that they came with.
        user_group_id: Option<Id<UserGroup>>,
        /// The number of the last note that they have seen; -1 when they marked a
        /// conversation without notes as unread.
        viewed_count: i64,
        /// The number of the last note when they put it away: a newer one brings it
        /// back.
        archived_count: Option<i64>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "conversation_id", "user_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "user_id", "conversation_id"]).only("deleted_at IS NULL"),
    ],
    references: [
        Reference {
            columns: &["org_id", "conversation_id"],
            table: "conversations",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("CONVERSATION_MEMBERSHIP"),
    subject: restricted::by_user_id,
    visible: visibility::of_conversation,
}

record! {
    /// A group of clients that was added to a conversation as a whole.
    pub struct ConversationGroup in CONVERSATION_GROUPS, conversation_groups {
        org_id: Id<Organization>,
        conversation_id: Id<Conversation>,
        user_group_id: Id<UserGroup>,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "conversation_id", "user_group_id"]),
    indexes: [index(&["org_id", "user_group_id", "conversation_id"])],
    references: [
        Reference {
            columns: &["org_id", "conversation_id"],
            table: "conversations",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("CONVERSATION_GROUP"),
    visible: visibility::of_conversation,
}

record! {
    /// A message. Deleted by its author, it stays without its content.
    pub struct Note in NOTES, notes {
        id: Id<Note>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        conversation_id: Id<Conversation>,
        /// Its place in the conversation, from 1; none while it waits for its time.
        number: Option<i64>,
        /// Who wrote it.
        user_id: Id<User>,
        /// The member in whose conversation a colleague wrote.
        on_behalf_user_id: Option<Id<User>>,
        /// The client concerned: the author, or the only one in the conversation.
        patient_id: Option<Id<User>>,
        content: String [sealed],
        image_id: Option<Uuid>,
        image_name: Option<String> [sealed],
        audio_id: Option<Uuid>,
        attached_document_id: Option<Uuid>,
        document_name: Option<String> [sealed],
        is_autoresponse: bool,
        deleted_by_user: bool,
        /// When it is, or was, to be sent.
        scheduled_at: Option<Timestamp>,
        /// When it was, if it waited.
        sent_at: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "conversation_id", "number"]).only("deleted_at IS NULL"),
        index(&["org_id", "user_id"]),
        index(&["org_id", "image_id"]).only("image_id IS NOT NULL"),
        index(&["org_id", "audio_id"]).only("audio_id IS NOT NULL"),
        index(&["org_id", "attached_document_id"]).only("attached_document_id IS NOT NULL"),
    ],
    references: [
        Reference {
            columns: &["org_id", "conversation_id"],
            table: "conversations",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "on_behalf_user_id"], table: "users", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("NOTE"),
    subject: restricted::by_patient_id,
    visible: visibility::notes,
}

record! {
    /// A message that waits for its time, or is on its way to many: one note in a
    /// conversation, or a broadcast.
    pub struct NoteScheduler in NOTE_SCHEDULERS, note_schedulers {
        id: Id<NoteScheduler>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Who sends it.
        user_id: Id<User>,
        /// The note that waits, when it is one.
        note_id: Option<Id<Note>>,
        /// What the conversations that a broadcast begins are called.
        name: Option<String>,
        /// Of a broadcast.
        content: Option<String> [sealed],
        image_id: Option<Uuid>,
        image_name: Option<String> [sealed],
        attached_document_id: Option<Uuid>,
        document_name: Option<String> [sealed],
        /// When it is to be sent.
        scheduled_at: Timestamp,
        sent_at: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]),
        index(&["org_id", "note_id"]).only("note_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "note_id"], table: "notes", target: &["org_id", "id"] },
    ],
    audit: Some("NOTE_SCHEDULER"),
    subject: restricted::by_user_id,
    visible: visibility::schedulers,
}

record! {
    /// Somebody whom a broadcast goes to.
    pub struct NoteRecipient in NOTE_RECIPIENTS, note_recipients {
        org_id: Id<Organization>,
        note_scheduler_id: Id<NoteScheduler>,
        user_id: Id<User>,
        /// The group that they were named with.
        user_group_id: Option<Id<UserGroup>>,
        /// Whether it was dealt with: sent, or not sent any more.
        is_done: bool,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "note_scheduler_id", "user_id"]),
    indexes: [index(&["org_id", "user_id"])],
    references: [
        Reference {
            columns: &["org_id", "note_scheduler_id"],
            table: "note_schedulers",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("NOTE_RECIPIENT"),
    subject: restricted::by_user_id,
    visible: visibility::recipients,
}

/// The tables of the domain.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &CONVERSATIONS,
        &CONVERSATION_MEMBERSHIPS,
        &crate::draft::DRAFTS,
        &CONVERSATION_GROUPS,
        &NOTES,
        &NOTE_SCHEDULERS,
        &NOTE_RECIPIENTS,
        &notices::NOTIFICATION_SETTINGS,
        &notices::NOTIFICATIONS,
        &notices::SENT_NOTIFICATION_RECORDS,
        &notices::REMINDERS,
        &crate::notices::contact::NOTIFICATION_CONTACTS,
        &crate::away::tables::CHAT_SETTINGS,
        &crate::away::tables::AUTO_REPLIES,
    ]
}
