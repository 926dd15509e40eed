//! Tables of group notes.

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record};

use super::visibility;
use crate::filled::tables::FormAnswerGroup;

record! {
    /// What a group note says of one client who attended. A client has one in a note, which whoever
    /// writes in the note holds; only who was merged with another can have two, and neither is
    /// lost. Nothing of what it says is in the audit log, which others read than the note.
    pub struct IndividualClientNote in INDIVIDUAL_CLIENT_NOTES, individual_client_notes {
        id: Id<IndividualClientNote>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        form_answer_group_id: Id<FormAnswerGroup>,
        /// The client in whose chart it is.
        user_id: Id<User>,
        content: Option<String> [sealed],
        /// Whether they came, as the note says: at first as the appointment does.
        attended: Option<bool> [unlogged],
        join_time: Option<Timestamp> [unlogged],
        leave_time: Option<Timestamp> [unlogged],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "form_answer_group_id", "id"]),
        index(&["org_id", "user_id", "form_answer_group_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "form_answer_group_id"],
            table: "form_answer_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("INDIVIDUAL_CLIENT_NOTE"),
    subject: restricted::by_user_id,
    visible: visibility::individual,
}
