//! The table of series.

use ward_identity::tables::Organization;
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, record};

use super::rule::RepeatInterval;
use crate::visibility;

record! {
    /// What the appointments of a series have in common.
    pub struct RecurringAppointment in RECURRING_APPOINTMENTS, recurring_appointments {
        id: Id<RecurringAppointment>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        repeat_interval: RepeatInterval,
        /// How many it has, or had before they were deleted one by one.
        repeat_times: i64,
        /// Whether those who attend come to all of them.
        join_all: bool,
        /// The series that this one was cut from.
        previous_recurring_appointment_id: Option<Id<RecurringAppointment>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [],
    references: [
        Reference {
            columns: &["org_id", "previous_recurring_appointment_id"],
            table: "recurring_appointments",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("RECURRING_APPOINTMENT"),
    visible: visibility::series,
}
