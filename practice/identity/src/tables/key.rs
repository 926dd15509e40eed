//! API keys (behaviour 17). A key has no rights of its own: it names a user.

use ward_instance::Timestamp;
use ward_store::{Day, Id, Json, Key, Reference, Rule, index, record, text_enum};

use crate::tables::{Organization, User};
use crate::visibility;

text_enum! {
    /// Whom a key is for; the word in its text.
    pub enum CredentialClass {
        /// A user's or an integration's.
        User = "user",
        /// An AI agent's.
        Agent = "agent",
        /// Of a Sandbox that dies with its process.
        Ephemeral = "ephemeral",
    }
}

record! {
    /// A key, of which only a digest is kept.
    pub struct ApiKey in API_KEYS, api_keys {
        id: Id<ApiKey>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        class: CredentialClass,
        name: Option<String> [folded searched],
        /// The look-up handle; safe to show and to log.
        kid: String,
        secret_hash: Vec<u8> [secret],
        /// Binds the columns above to this row and this instance.
        row_mac: Vec<u8> [secret],
        last_used_day: Option<Day>,
        /// Wall time.
        expires_at: Option<Timestamp>,
        /// From where it may be used: a JSON list of networks; everywhere when
        /// there is none.
        allowed_addresses: Option<Json>,
        created_by_id: Option<Id<User>>,
        /// Made by `signIn`: as good as the session that it stands for, so it ends
        /// with the sessions.
        made_at_sign_in: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["kid"]),
        index(&["org_id", "user_id", "id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("API_KEY"),
    visible: visibility::api_keys,
}

record! {
    /// A key that was revoked: it stays revoked whatever becomes of its row.
    pub struct RevokedKey in REVOKED_KEYS, revoked_keys {
        kid: String,
        /// The root organization.
        root_id: Id<Organization>,
        revoked_at: Timestamp,
    }
    key: Key::Columns(&["kid"]),
    indexes: [],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}
