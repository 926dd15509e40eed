//! Tables of the domain, one a list. What somebody wrote and what a code says of a person is
//! sealed; what lists are filtered and ordered by is plain.

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Day, Id, Json, Key, Reference, Table, index, record, text_enum};

use crate::care_plan::table::{
    CARE_PLAN_CONNECTIONS, CARE_PLAN_RECOMMENDATION_CATEGORIES, CARE_PLANS,
    GROUP_CARE_PLAN_USER_CONNECTIONS, RECOMMENDATIONS,
};
use crate::comment::table::COMMENTS;
use crate::entry::table::ENTRIES;
use crate::episode::table::{EPISODE_ENCOUNTERS, EPISODES_OF_CARE, PATIENT_ENCOUNTERS};
use crate::goal::table::{GOAL_HISTORIES, GOALS};
use crate::visibility;

text_enum! {
    /// What something that a client does not take well is to them.
    pub enum Category {
        Allergy = "ALLERGY",
        Sensitivity = "SENSITIVITY",
        Preference = "PREFERENCE",
        Intolerance = "INTOLERANCE",
        Ccda = "CCDA",
    }
}

text_enum! {
    /// Whether it holds.
    pub enum Status {
        Active = "ACTIVE",
        Inactive = "INACTIVE",
        Resolved = "RESOLVED",
    }
}

const OF_CLIENT: Reference =
    Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] };

record! {
    /// What a client takes, or took.
    pub struct Medication in MEDICATIONS, medications {
        id: Id<Medication>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        active: bool,
        name: String [sealed],
        /// Of RxNorm.
        code: Option<String> [sealed],
        dosage: Option<String> [sealed],
        frequency: Option<String> [sealed],
        route: Option<String> [sealed],
        directions: Option<String> [sealed],
        comment: Option<String> [sealed],
        start_date: Option<Timestamp>,
        /// Of one that is not taken any more.
        end_date: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL")],
    references: [OF_CLIENT],
    audit: Some("MEDICATION"),
    subject: restricted::by_user_id,
    visible: visibility::medications,
}

record! {
    /// What a client does not take well, or does not want.
    pub struct AllergySensitivity in ALLERGY_SENSITIVITIES, allergy_sensitivities {
        id: Id<AllergySensitivity>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        created_by_id: Option<Id<User>>,
        category: Category,
        status: Status,
        category_type: Option<String> [sealed],
        name: String [sealed],
        reaction: Option<String> [sealed],
        reaction_type: Option<String> [sealed],
        severity: Option<String> [sealed],
        onset_date: Option<Day>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL")],
    references: [
        OF_CLIENT,
        Reference {
            columns: &["org_id", "created_by_id"], table: "users", target: &["org_id", "id"],
        },
    ],
    audit: Some("ALLERGY_SENSITIVITY"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

record! {
    /// A vaccine that a client got, or did not.
    pub struct Immunization in IMMUNIZATIONS, immunizations {
        id: Id<Immunization>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        vaccine_name: String [sealed],
        cvx_code: i64 [sealed],
        status: String [sealed],
        additional_notes: Option<String> [sealed],
        received_at: Timestamp,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL")],
    references: [OF_CLIENT],
    audit: Some("IMMUNIZATION"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

record! {
    /// A problem of a client's health.
    pub struct HealthConcern in HEALTH_CONCERNS, health_concerns {
        id: Id<HealthConcern>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        code: Option<String> [sealed],
        display_name: Option<String> [sealed],
        description: Option<String> [sealed],
        /// Since when.
        effective_time: Option<Day>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL")],
    references: [OF_CLIENT],
    audit: Some("HEALTH_CONCERN"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

record! {
    /// What was done to a client, or is to be.
    pub struct Procedure in PROCEDURES, procedures {
        id: Id<Procedure>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        code: Option<String> [sealed],
        code_system_name: Option<String> [sealed],
        display_name: Option<String> [sealed],
        status: Option<String> [sealed],
        target_site: Option<String> [sealed],
        procedure_start_datetime: Option<Timestamp>,
        procedure_end_datetime: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL")],
    references: [OF_CLIENT],
    audit: Some("PROCEDURE"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

record! {
    /// What relatives of a client have or had.
    pub struct FamilyHistoryCondition in FAMILY_HISTORY_CONDITIONS, family_history_conditions {
        id: Id<FamilyHistoryCondition>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        /// Of SNOMED CT.
        concept_id: String [sealed],
        /// A list of texts: mother, brother.
        relationships: Json [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL")],
    references: [OF_CLIENT],
    audit: Some("FAMILY_HISTORY_CONDITION"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

record! {
    /// Whether a client smokes, for a time.
    pub struct SmokingStatus in SMOKING_STATUSES, smoking_statuses {
        id: Id<SmokingStatus>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        /// Of SNOMED CT.
        smoking_status_code: String [sealed],
        status_start_datetime: Option<Timestamp>,
        status_end_datetime: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL")],
    references: [OF_CLIENT],
    audit: Some("SMOKING_STATUS"),
    subject: restricted::by_user_id,
    visible: visibility::lists,
}

/// The tables of the domain.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &MEDICATIONS,
        &ALLERGY_SENSITIVITIES,
        &IMMUNIZATIONS,
        &HEALTH_CONCERNS,
        &PROCEDURES,
        &FAMILY_HISTORY_CONDITIONS,
        &SMOKING_STATUSES,
        &ENTRIES,
        &COMMENTS,
        &GOALS,
        &GOAL_HISTORIES,
        &PATIENT_ENCOUNTERS,
        &EPISODES_OF_CARE,
        &EPISODE_ENCOUNTERS,
        &CARE_PLANS,
        &CARE_PLAN_CONNECTIONS,
        &GROUP_CARE_PLAN_USER_CONNECTIONS,
        &CARE_PLAN_RECOMMENDATION_CATEGORIES,
        &RECOMMENDATIONS,
    ]
}
