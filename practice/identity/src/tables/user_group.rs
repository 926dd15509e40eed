//! Groups of clients (behaviour 19). Its operations are the clients domain's; the
//! table stands beside the users who refer to it.

use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record, unique};

use crate::tables::{Organization, User};
use crate::visibility;

record! {
    /// A group of clients; a client is in at most one (behaviour 19).
    pub struct UserGroup in USER_GROUPS, user_groups {
        id: Id<UserGroup> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        name: String [public folded searched],
        /// Six hexadecimal characters; joins the group at sign-up.
        invite_code: String,
        /// The member who made it.
        user_id: Option<Id<User>> [limited],
        version: i64,
        created_at: Timestamp [limited],
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["invite_code"]),
        index(&["org_id", "name_fold", "id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("USER_GROUP"),
    visible: visibility::user_groups,
}
