//! Tables of appointments (behaviour 23).

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Json, Key, Reference, Table, index, record, unique};

use super::series::table::{RECURRING_APPOINTMENTS, RecurringAppointment};
use super::status::{CancelledBy, PmStatus};
use crate::appointment_location::table::{AppointmentLocation, Room};
use crate::tables::AppointmentType;
use crate::visibility;
use crate::waitlist::table::WAITLIST_PLACES;

record! {
    /// Somebody's time, for a client, for several, or kept free by a blocker.
    /// Deleted by staff, it stays for who asks for deleted ones by their id.
    pub struct Appointment in APPOINTMENTS, appointments {
        id: Id<Appointment> [public],
        org_id: Id<Organization>,
        /// The unit of the main provider.
        unit_id: Id<Organization>,
        /// The main provider.
        provider_id: Id<User> [public],
        /// The client of an individual one; those of a group have inclusions only.
        user_id: Option<Id<User>>,
        appointment_type_id: Option<Id<AppointmentType>> [public],
        /// How they meet: a number of the code set.
        contact_type_id: Option<i64> [public],
        /// Where they meet, as somebody wrote it.
        location: Option<String> [sealed public],
        /// Where they meet: a place of the practice's.
        appointment_location_id: Option<Id<AppointmentLocation>> [public],
        /// In which room of it.
        room_id: Option<Id<Room>>,
        start_at: Timestamp [public],
        end_at: Timestamp [public],
        /// Minutes from the start to the end.
        length: i64 [public],
        /// The zone in which it was booked, an IANA name.
        timezone: String [public],
        is_blocker: bool,
        is_group: bool [public],
        /// The seats of a group; NULL for as many as come.
        max_attendees: Option<i64>,
        pm_status: Option<PmStatus>,
        pm_status_changed_at: Option<Timestamp>,
        pm_status_last_changed_by_id: Option<Id<User>>,
        /// By the practice.
        confirmed: bool,
        client_confirmed: bool,
        notes: Option<String> [sealed],
        /// Why the client comes, in their words.
        reason: Option<String> [sealed],
        external_videochat_url: Option<String> [sealed],
        /// Whether a video call has a room, which the practice's video service makes.
        is_zoom_chat: bool,
        /// Whether a room is ordered of it now, made or not.
        room_ordered: bool,
        /// How many orders there were: of two, the later counts.
        room_orders: i64,
        /// The room as it was made; none while none is.
        zoom_meeting_id: Option<String> [sealed],
        /// Where who attends comes in.
        zoom_join_url: Option<String> [sealed],
        /// Where who gives it opens the room: whoever has it is the host.
        zoom_start_url: Option<String> [sealed secret],
        zoom_dial_in_info: Option<String> [sealed],
        metadata: Option<Json> [sealed],
        /// How long it took, in minutes.
        actual_duration: Option<i64>,
        /// Who booked it; nobody when it was a visitor.
        initiator_id: Option<Id<User>>,
        last_updated_by_id: Option<Id<User>>,
        /// How many times clients moved it.
        patient_reschedule_count: i64,
        /// A number of the code set of reasons.
        cancellation_reason_id: Option<i64>,
        other_cancellation_reason: Option<String> [sealed],
        cancellation_initiated_by: Option<CancelledBy>,
        recurring_appointment_id: Option<Id<RecurringAppointment>>,
        /// Its place in the series, from 1.
        current_position_in_recurring_series: Option<i64>,
        /// Whether it alone of its series was moved.
        time_recurring_override: bool,
        /// Whether it was put over another on purpose (double booking by staff).
        booked_over: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "provider_id", "start_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "unit_id", "start_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "user_id", "start_at", "id"]).only("user_id IS NOT NULL"),
        index(&["org_id", "appointment_type_id", "start_at"]).only("deleted_at IS NULL"),
        index(&["org_id", "appointment_location_id", "start_at"])
            .only("appointment_location_id IS NOT NULL"),
        index(&["org_id", "recurring_appointment_id", "current_position_in_recurring_series"])
            .only("recurring_appointment_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "provider_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "appointment_location_id"],
            table: "appointment_locations",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "room_id"], table: "rooms", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "recurring_appointment_id"],
            table: "recurring_appointments",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "pm_status_last_changed_by_id"],
            table: "users",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "initiator_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "last_updated_by_id"],
            table: "users",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("APPOINTMENT"),
    subject: visibility::of_attendees,
    visible: visibility::appointments,
}

record! {
    /// Somebody who attends an appointment: a client, or a member.
    pub struct AppointmentInclusion in APPOINTMENT_INCLUSIONS, appointment_inclusions {
        id: Id<AppointmentInclusion>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        appointment_id: Id<Appointment>,
        user_id: Id<User>,
        /// Since when they attend: since they were added, or came again.
        attends_from: Timestamp,
        attended: Option<bool>,
        confirmed: bool,
        /// Whether they waited for the seat and moved in when it was free.
        from_waitlist: bool,
        /// Called off for this one alone.
        cancelled: bool,
        cancelled_at: Option<Timestamp>,
        cancelled_by_id: Option<Id<User>>,
        cancellation_reason: Option<String> [sealed],
        other_cancellation_reason: Option<String> [sealed],
        /// Seats besides that visitors took who said that they are this client: what is
        /// free must not tell them that the client attends.
        seats_held: i64,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "appointment_id", "user_id"]),
        index(&["org_id", "user_id", "appointment_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "cancelled_by_id"],
            table: "users",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("APPOINTMENT_INCLUSION"),
    subject: restricted::by_user_id,
    visible: visibility::inclusions,
}

record! {
    /// A provider besides the main one.
    pub struct AppointmentProvider in APPOINTMENT_PROVIDERS, appointment_providers {
        org_id: Id<Organization>,
        appointment_id: Id<Appointment>,
        user_id: Id<User>,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "appointment_id", "user_id"]),
    indexes: [index(&["org_id", "user_id", "appointment_id"])],
    references: [
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("APPOINTMENT_PROVIDER"),
    visible: visibility::of_rules,
}

record! {
    /// A member's time that an active appointment takes: derived from the tables
    /// above, and written behind the calendar's lock only.
    pub struct CalendarEntry in CALENDAR_ENTRIES, calendar_entries {
        org_id: Id<Organization>,
        appointment_id: Id<Appointment>,
        user_id: Id<User>,
        start_at: Timestamp,
        end_at: Timestamp,
        is_blocker: bool,
    }
    key: Key::Columns(&["org_id", "appointment_id", "user_id"]),
    indexes: [
        index(&["org_id", "user_id", "start_at", "end_at", "appointment_id", "is_blocker"]),
        // The few that are longer than a day: what is busy in a window begins at
        // most a day before it, or is one of these.
        index(&["org_id", "user_id", "end_at", "start_at", "appointment_id", "is_blocker"])
            .only("end_at - start_at > 86400000000"),
    ],
    references: [
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: None,
    visible: visibility::of_rules,
}

/// The tables of appointments.
pub const TABLES: [&Table; 6] = [
    &RECURRING_APPOINTMENTS,
    &APPOINTMENTS,
    &APPOINTMENT_INCLUSIONS,
    &APPOINTMENT_PROVIDERS,
    &CALENDAR_ENTRIES,
    &WAITLIST_PLACES,
];
