//! The table of who may act for whom.

use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Day, Id, Key, Reference, Role, Rule, index, record, unique};

use crate::tables::{Organization, User};

record! {
    /// A client may act for another one.
    pub struct ClientProxy in CLIENT_PROXIES, client_proxies {
        id: Id<ClientProxy>,
        org_id: Id<Organization>,
        /// The client's whose record it is.
        unit_id: Id<Organization>,
        /// Whose record it is.
        user_id: Id<User>,
        /// Who acts.
        proxy_id: Id<User>,
        /// From this day on, in the client's time zone, it is over.
        until: Option<Day>,
        /// The day on which it was given, in the client's time zone: of who was a minor then, it
        /// is over when they are of age, whatever else is said.
        granted_on: Day,
        /// The client was a minor by the date of birth of then.
        is_guardian: bool,
        /// The member who gave it.
        granted_by: Option<Id<User>>,
        /// When somebody took it away.
        ended_at: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id", "proxy_id"]).only("ended_at IS NULL"),
        index(&["org_id", "user_id", "id"]),
        index(&["org_id", "proxy_id", "id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "proxy_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("CLIENT_PROXY"),
    visible: nobodys,
}

/// Contacts show what there is of it; the rows themselves are nobody's to read.
fn nobodys(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member | Role::Client | Role::Anonymous => Rule::none(),
    }
}
