//! The table of feeds: a row for each member who took theirs back.

use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, record, unique};

use crate::visibility;

record! {
    /// How many times a member took their calendar's link back.
    pub struct CalendarFeed in CALENDAR_FEEDS, calendar_feeds {
        id: Id<CalendarFeed>,
        org_id: Id<Organization>,
        user_id: Id<User>,
        /// The links of this generation are good.
        generation: i64,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [unique(&["org_id", "user_id"])],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("CALENDAR_FEED"),
    visible: visibility::calendar_feeds,
}
