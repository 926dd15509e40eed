//! The tables of requests.

use ward_engine::{Answer, FromIn, IdCodec, In, Kind, Refused, last_step};
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Json, Key, Reference, index, record, text_enum};

use super::visibility;
use crate::appointment::table::Appointment;
use crate::tables::AppointmentType;

text_enum! {
    /// Whether somebody still waits for an answer.
    pub enum RequestStatus {
        Open = "OPEN",
        Closed = "CLOSED",
    }
}

impl FromIn for RequestStatus {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let text = String::from_in(value, at, ids)?;
        Self::from_text(&text).ok_or_else(|| {
            let known = Self::TEXTS.join(", ");
            Refused::on(last_step(at), format!("Status must be one of {known}"))
        })
    }
}

record! {
    /// What somebody asks for. What they said of themselves is all that they read of it
    /// again; whom they are taken for is not theirs to learn.
    pub struct AppointmentRequest in APPOINTMENT_REQUESTS, appointment_requests {
        id: Id<AppointmentRequest> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Whom it is to, if anybody.
        provider_id: Option<Id<User>>,
        /// The client who asks, as far as that is known.
        patient_id: Option<Id<User>>,
        /// Whether nobody signed in to make it.
        by_visitor: bool,
        appointment_type_id: Option<Id<AppointmentType>> [public],
        first_name: String [public folded],
        last_name: String [public folded],
        email: String [public folded],
        phone: String [public sealed],
        /// An IANA name.
        timezone: String [public],
        reason: String [public sealed],
        selected_contact_type: Option<String> [public],
        /// The code of a state.
        selected_state: Option<String> [public],
        /// What a booking page keeps for itself.
        booking_params: Option<Json> [sealed],
        provider_notes: Option<String> [sealed],
        current_status: RequestStatus [public],
        closed_at: Option<Timestamp>,
        closed_by_id: Option<Id<User>>,
        /// The appointment that was the answer.
        first_appointment_id: Option<Id<Appointment>>,
        /// The start of the earliest time that is asked for, else when it was asked.
        requested_at: Timestamp,
        version: i64,
        created_at: Timestamp [public],
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "unit_id", "created_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "provider_id", "created_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "patient_id"]).only("patient_id IS NOT NULL"),
        index(&["org_id", "unit_id"])
            .only("by_visitor = TRUE AND current_status = 'OPEN' AND deleted_at IS NULL"),
        index(&["org_id", "first_appointment_id"]).only("first_appointment_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "provider_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "closed_by_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "first_appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("APPOINTMENT_REQUEST"),
    subject: restricted::by_patient_id,
    visible: visibility::requests,
}

record! {
    /// A time at which they could come.
    pub struct AppointmentRequestSlot in APPOINTMENT_REQUEST_SLOTS, appointment_request_slots {
        id: Id<AppointmentRequestSlot> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        appointment_request_id: Id<AppointmentRequest> [public],
        slot_start: Timestamp [public],
        slot_end: Timestamp [public],
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "appointment_request_id", "slot_start", "id"])],
    references: [Reference {
        columns: &["org_id", "appointment_request_id"],
        table: "appointment_requests",
        target: &["org_id", "id"],
    }],
    audit: Some("APPOINTMENT_REQUEST_SLOT"),
    visible: visibility::request_slots,
}
