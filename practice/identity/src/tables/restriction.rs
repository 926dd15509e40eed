//! Who sees a restricted client besides those who care for them: providers with
//! an authorization, and for a while whoever broke the glass.

use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record, unique};

use crate::restricted;
use crate::tables::{Organization, User};

record! {
    /// A provider may see a restricted client (behaviour 16.2.4).
    pub struct ClientRestrictionAuthorization
        in CLIENT_RESTRICTION_AUTHORIZATIONS, client_restriction_authorizations
    {
        id: Id<ClientRestrictionAuthorization>,
        org_id: Id<Organization>,
        /// The client's.
        unit_id: Id<Organization>,
        client_id: Id<User>,
        provider_id: Id<User>,
        reason: String [sealed],
        created_by_id: Option<Id<User>>,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "provider_id", "client_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "client_id", "id"]),
    ],
    references: [
        Reference { columns: &["org_id", "client_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "provider_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("CLIENT_RESTRICTION_AUTHORIZATION"),
    subject: restricted::by_client_id,
    visible: restricted::authorizations,
}

record! {
    /// A member broke the glass: reads a restricted client whom they would not
    /// see, for a reason and for an hour at most. An addition to the contract.
    pub struct BreakGlassAccess in BREAK_GLASS_ACCESSES, break_glass_accesses {
        id: Id<BreakGlassAccess>,
        org_id: Id<Organization>,
        /// The client's.
        unit_id: Id<Organization>,
        client_id: Id<User>,
        /// Who broke it.
        user_id: Id<User>,
        reason: String [sealed],
        /// On the real clock, like its end.
        started_at: Timestamp,
        /// It ends by itself then.
        expires_at: Timestamp,
        /// When somebody ended it early.
        ended_at: Option<Timestamp>,
        ended_by_id: Option<Id<User>>,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "expires_at", "client_id"]),
        index(&["org_id", "client_id", "id"]),
    ],
    references: [
        Reference { columns: &["org_id", "client_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("BREAK_GLASS_ACCESS"),
    subject: restricted::by_client_id,
    visible: restricted::break_glass_accesses,
}
