//! Second factors of members and the one-time codes that are mailed to them
//! (behaviour 3.2; clients have none).

use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Rule, Uuid, index, record, text_enum, unique};

use crate::tables::{Organization, User};

text_enum! {
    /// What a second factor is.
    pub enum FactorKind {
        /// A code that is sent to the account's address.
        Email = "EMAIL",
        /// A code of an authenticator app (RFC 6238).
        Totp = "TOTP",
    }
}

text_enum! {
    /// What a mailed code is for.
    pub enum CodePurpose {
        /// Finishing a sign-in.
        SignIn = "sign_in",
        /// Showing that mail arrives, before it is relied on.
        Enroll = "enroll",
    }
}

record! {
    /// A second factor; it counts once it is confirmed.
    pub struct SecondFactor in SECOND_FACTORS, second_factors {
        id: Uuid,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        kind: FactorKind,
        /// Of an authenticator app, in base32.
        totp_secret: Option<String> [sealed secret],
        /// The last time step whose code was used: none is good twice.
        last_step: Option<i64>,
        /// Codes that were tried to confirm it.
        tries: i64,
        confirmed_at: Option<Timestamp>,
        created_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "user_id", "kind"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("SECOND_FACTOR"),
    visible: |_| Rule::none(),
}

record! {
    /// A mailed code, of which only a digest is kept.
    pub struct VerificationCode in VERIFICATION_CODES, verification_codes {
        id: Uuid,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        purpose: CodePurpose,
        /// The session that it finishes.
        session_id: Option<Uuid>,
        digest: Vec<u8> [secret],
        created_at: Timestamp,
        expires_at: Timestamp,
        /// Used, or replaced by a newer one.
        used_at: Option<Timestamp>,
    }
    key: Key::Uuid,
    indexes: [
        index(&["org_id", "user_id", "created_at"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("VERIFICATION_CODE"),
    visible: |_| Rule::none(),
}
