//! The table of comments.

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_identity::visibility::seen;
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Id, Key, Level, Reference, Role, Rule, index, record};

use crate::entry::table::{ENTRIES, Entry};

record! {
    /// What somebody says of an entry.
    pub struct Comment in COMMENTS, comments {
        id: Id<Comment>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        entry_id: Id<Entry>,
        /// The client whose entry it is.
        client_id: Id<User>,
        /// Whoever says it.
        user_id: Id<User>,
        content: String [sealed],
        /// Whether it is a sign, and not words.
        is_reaction: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "entry_id", "created_at", "id"]),
        index(&["org_id", "client_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "entry_id"], table: "entries", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "client_id"], table: "users", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("COMMENT"),
    subject: restricted::by_client_id,
    visible: visible,
}

/// Who sees the entry sees what is said of it, while it is there.
pub fn visible(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => return Rule::full(Cond::Always),
        Role::Anonymous => return Rule::none(),
        Role::Member | Role::Client => {}
    }
    let (rule, params) = seen(&ENTRIES, actor, Level::Full, "e");
    Rule::full(Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM entries e WHERE e.org_id = {{t}}.org_id \
             AND e.id = {{t}}.entry_id AND e.deleted_at IS NULL AND ({rule}))"
        ),
        params,
    ))
}
