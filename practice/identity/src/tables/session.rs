//! What a signed-in person, a link in a mail and a guesser leave behind. No
//! text that opens anything is stored, only digests under the instance's keys.

use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Rule, Uuid, index, record, text_enum, unique};

use crate::proxy::ClientProxy;
use crate::tables::{Organization, User};

text_enum! {
    /// What a mailed link is for.
    pub enum LinkPurpose {
        /// A forgotten password.
        Reset = "reset",
        /// A first password.
        Invite = "invite",
        /// A first password, by a link that staff hand out themselves.
        Handed = "handed",
        /// A new e-mail address.
        ConfirmEmail = "confirm_email",
    }
}

text_enum! {
    /// Whose guesses are counted.
    pub enum AttemptScope {
        /// One account name, whoever asks.
        Account = "account",
        /// One network address, whatever it asks for.
        Address = "address",
    }
}

record! {
    /// A signed-in browser.
    pub struct Session in SESSIONS, sessions {
        id: Uuid,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        lookup: Vec<u8> [secret],
        created_at: Timestamp,
        /// Accurate to a minute.
        last_used_at: Timestamp,
        ended_at: Option<Timestamp>,
        /// The password was right, the second factor is still to come: until
        /// then the session opens nothing.
        awaits_code: bool,
        /// Codes that were tried, right or wrong.
        code_tries: i64,
        /// Somebody else of the practice was given it, to see what the user sees.
        is_lent: bool,
        /// By which access somebody else is in it, who acts for the user.
        proxy_id: Option<Id<ClientProxy>>,
        /// In which session of their own they began to.
        begun_in: Option<Uuid>,
    }
    key: Key::Uuid,
    indexes: [
        index(&["lookup"]),
        index(&["org_id", "user_id", "created_at"]),
        index(&["org_id", "proxy_id"]).only("proxy_id IS NOT NULL"),
        index(&["org_id", "begun_in"]).only("begun_in IS NOT NULL"),
        index(&["created_at"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "proxy_id"], table: "client_proxies", target: &["org_id", "id"],
        },
    ],
    audit: Some("SESSION"),
    visible: |_| Rule::none(),
}

record! {
    /// A mailed link: sets a password or confirms an address, once.
    pub struct LinkToken in LINK_TOKENS, link_tokens {
        id: Uuid,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        purpose: LinkPurpose,
        lookup: Vec<u8> [secret],
        /// Digest of the address that a link confirms.
        address_digest: Option<Vec<u8>> [secret],
        created_at: Timestamp,
        expires_at: Timestamp,
        used_at: Option<Timestamp>,
        /// When a newer link replaced it.
        voided_at: Option<Timestamp>,
    }
    key: Key::Uuid,
    indexes: [
        index(&["lookup"]),
        index(&["org_id", "user_id", "created_at"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("LINK_TOKEN"),
    visible: |_| Rule::none(),
}

record! {
    /// How often somebody guessed. Global: a guesser names no organization.
    pub struct SignInAttempt in SIGN_IN_ATTEMPTS, sign_in_attempts {
        id: Uuid,
        scope: AttemptScope,
        /// A digest of the account name or the address.
        subject: Vec<u8> [secret],
        attempts: i64,
        /// Refused until then.
        blocked_until: Timestamp,
        last_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["scope", "subject"]),
        index(&["last_at"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}
