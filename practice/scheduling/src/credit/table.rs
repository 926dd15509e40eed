//! The ledger of credits, and what a client's sum has as its id.

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Table, index, record, text_enum, unique};

use crate::appointment::table::Appointment;
use crate::tables::AppointmentType;
use crate::visibility;

text_enum! {
    /// Why a client has more or fewer credits.
    pub enum CreditCause {
        Booked = "appointment_booked",
        CalledOff = "appointment_cancelled",
        Deleted = "appointment_deleted",
        Left = "client_removed",
        TypeChanged = "appointment_type_changed",
        Set = "credits_set",
    }
}

impl CreditCause {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            CreditCause::Booked => "Appointment booked",
            CreditCause::CalledOff => "Appointment cancelled",
            CreditCause::Deleted => "Appointment deleted",
            CreditCause::Left => "Client no longer attends the appointment",
            CreditCause::TypeChanged => "Appointment changed to another type",
            CreditCause::Set => "Credits set by staff",
        }
    }
}

record! {
    /// That a client has credits for a type, or owes some. How many is the sum of
    /// their changes and stands nowhere else.
    pub struct AppointmentTypeCredit in APPOINTMENT_TYPE_CREDITS, appointment_type_credits {
        id: Id<AppointmentTypeCredit>,
        org_id: Id<Organization>,
        user_id: Id<User>,
        appointment_type_id: Id<AppointmentType>,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id", "appointment_type_id"]),
        index(&["org_id", "appointment_type_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("APPOINTMENT_TYPE_CREDIT"),
    subject: restricted::by_user_id,
    visible: visibility::prices,
}

record! {
    /// A change of what a client has: never changed itself, never taken away.
    pub struct AppointmentCreditChange in APPOINTMENT_CREDIT_CHANGES, appointment_credit_changes {
        id: Id<AppointmentCreditChange>,
        org_id: Id<Organization>,
        user_id: Id<User>,
        appointment_type_id: Id<AppointmentType>,
        /// The appointment that it is for; none when staff set the number.
        appointment_id: Option<Id<Appointment>>,
        /// Who did it; nobody when it was a visitor, or the practice itself.
        initiator_id: Option<Id<User>>,
        cause: CreditCause,
        /// So many more, or fewer.
        credit_quantity: i64,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "appointment_type_id", "created_at", "id"]),
        index(&["org_id", "appointment_id", "user_id"]).only("appointment_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "initiator_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("APPOINTMENT_CREDIT_CHANGE"),
    subject: restricted::by_user_id,
    visible: visibility::prices,
}

/// The tables of credits.
pub const TABLES: [&Table; 2] = [&APPOINTMENT_TYPE_CREDITS, &APPOINTMENT_CREDIT_CHANGES];
