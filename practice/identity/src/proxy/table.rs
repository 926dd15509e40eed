//! The table of who may act for whom.

use ward_instance::Timestamp;
use ward_store::{
    Actor, Cond, Day, Id, Key, Reference, Role, Rule, index, record, text_enum, unique,
};

use crate::tables::{Organization, User};

text_enum! {
    /// Why somebody acts no more.
    pub enum Ended {
        /// Somebody took it away.
        TakenAway = "TAKEN_AWAY",
        /// Its time was over, or it turned out to be.
        Over = "OVER",
        /// The account of either is closed.
        Closed = "CLOSED",
        /// The client's record is another one's, too, by a merge.
        Merged = "MERGED",
        /// It had ended before a Sandbox went back to when it had not.
        WentBack = "WENT_BACK",
    }
}

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
        /// When it ended, for good.
        ended_at: Option<Timestamp>,
        ended_because: Option<Ended>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id", "proxy_id"]).only("ended_at IS NULL"),
        index(&["org_id", "user_id", "id"]),
        index(&["org_id", "proxy_id", "id"]),
        index(&["created_at", "id"]).only("ended_at IS NULL"),
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
