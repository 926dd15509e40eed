//! The global tables: from what a stranger types to the organization it
//! belongs to. They have no tenant, so `root_id` carries the environment.

use ward_instance::Timestamp;
use ward_store::{Id, Key, Rule, index, record, text_enum};

use crate::tables::{Organization, User};

text_enum! {
    /// What an invite code leads to.
    pub enum InviteKind {
        /// A provider.
        Provider = "provider",
        /// A group of clients.
        Group = "group",
        /// An organization.
        Organization = "organization",
    }
}

text_enum! {
    /// What is known of a sign-in address being its account's person's.
    pub enum LoginStanding {
        /// The operator named it, or a link that was sent there was used.
        Proven = "proven",
        /// Staff named it, for a client.
        Vouched = "vouched",
        /// Whoever made the account says so.
        Claimed = "claimed",
    }
}

record! {
    /// Which accounts an e-mail address may mean at sign-in.
    pub struct Login in LOGINS, logins {
        namespace: String,
        /// The address, case and accents folded.
        email_key: String,
        /// The root organization.
        root_id: Id<Organization>,
        user_id: Id<User>,
        is_patient: bool,
        standing: LoginStanding,
        created_at: Timestamp,
    }
    key: Key::Columns(&["namespace", "email_key", "root_id", "user_id"]),
    indexes: [
        index(&["root_id", "user_id"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// A code that a client signs up with.
    pub struct InviteCode in INVITE_CODES, invite_codes {
        /// Compared without case.
        code: String,
        /// The root organization.
        root_id: Id<Organization>,
        kind: InviteKind,
        /// The provider, group or organization.
        target_id: i64,
        created_at: Timestamp,
    }
    key: Key::Columns(&["code"]),
    indexes: [
        index(&["root_id", "kind", "target_id"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}
