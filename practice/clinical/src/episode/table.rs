//! The tables of encounters and of episodes of care (behaviour 38).

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_scheduling::appointment::table::Appointment;
use ward_scheduling::visibility::of_rules;
use ward_store::{Day, Id, Key, Reference, index, record, unique};

use crate::tables::HealthConcern;
use crate::visibility;

record! {
    /// That a client was at an appointment that took place: one a client and appointment, for good.
    /// Deleted is only what a merge of two clients made a double of.
    pub struct PatientEncounter in PATIENT_ENCOUNTERS, patient_encounters {
        id: Id<PatientEncounter>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client.
        user_id: Id<User>,
        appointment_id: Id<Appointment>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        // However often the appointment's status changes, and whoever changes it at once.
        unique(&["org_id", "appointment_id", "user_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("PATIENT_ENCOUNTER"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

record! {
    /// The care that a provider gives a client for a diagnosis, from a day on, until another.
    pub struct EpisodeOfCare in EPISODES_OF_CARE, episodes_of_care {
        id: Id<EpisodeOfCare>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client.
        user_id: Id<User>,
        provider_id: Id<User>,
        /// What it is for: an entry of the client's health concerns with a code of ICD-10-CM.
        diagnosis_id: Id<HealthConcern>,
        /// The first day.
        start_date: Day,
        /// The last day; none while it goes on.
        end_date: Option<Day>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "provider_id", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "diagnosis_id"]),
        // The list of all clients' is a page of this.
        index(&["org_id", "start_date", "id", "user_id"]).only("deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "provider_id"], table: "users", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "diagnosis_id"],
            table: "health_concerns",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("EPISODE_OF_CARE"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

record! {
    /// That an encounter belongs to an episode; it may belong to several.
    pub struct EpisodeEncounter in EPISODE_ENCOUNTERS, episode_encounters {
        org_id: Id<Organization>,
        episode_of_care_id: Id<EpisodeOfCare>,
        patient_encounter_id: Id<PatientEncounter>,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "episode_of_care_id", "patient_encounter_id"]),
    indexes: [index(&["org_id", "patient_encounter_id"])],
    references: [
        Reference {
            columns: &["org_id", "episode_of_care_id"],
            table: "episodes_of_care",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "patient_encounter_id"],
            table: "patient_encounters",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("EPISODE_ENCOUNTER"),
    visible: of_rules,
}
