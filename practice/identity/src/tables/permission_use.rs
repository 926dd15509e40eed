//! When members last used their permissions.

use ward_store::{Day, Id, Key, Reference, Rule, record};

use crate::tables::{Organization, User};

record! {
    /// The last day on which a permission of a member decided a request.
    pub struct PermissionUse in PERMISSION_USES, permission_uses {
        org_id: Id<Organization>,
        user_id: Id<User>,
        /// Its name, such as `can_add_clients`.
        permission: String,
        /// In UTC.
        last_on: Day,
    }
    key: Key::Columns(&["org_id", "user_id", "permission"]),
    indexes: [],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: None,
    visible: |_| Rule::none(),
}
