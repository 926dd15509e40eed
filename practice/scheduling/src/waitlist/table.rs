//! The table of who waits.

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record, unique};

use crate::appointment::table::Appointment;
use crate::visibility;

record! {
    /// A client's place in the line for a seat. It is gone once they have a seat, or
    /// want none any more.
    pub struct WaitlistPlace in WAITLIST_PLACES, waitlist_places {
        id: Id<WaitlistPlace>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        appointment_id: Id<Appointment>,
        user_id: Id<User>,
        /// The order of joining: who is lower moves in first. Drawn while the
        /// appointment is held.
        position: i64,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "appointment_id", "user_id"]),
        unique(&["org_id", "appointment_id", "position"]),
        index(&["org_id", "user_id", "appointment_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("WAITLIST_PLACE"),
    subject: restricted::by_user_id,
    visible: visibility::waitlist,
}
