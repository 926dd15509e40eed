//! The tables of care plans. A plan's name is plain, since it is searched and ordered by (behaviour
//! 7, 8); what else somebody wrote is sealed.

use ward_clients::tables::UserGroup;
use ward_documents::tables::Document;
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record, unique};

use super::visibility;
use crate::goal::table::Goal;

const OF_PATIENT: Reference =
    Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] };
const OF_PLAN: Reference = Reference {
    columns: &["org_id", "care_plan_id"],
    table: "care_plans",
    target: &["org_id", "id"],
};
const OF_GROUP: Reference = Reference {
    columns: &["org_id", "user_group_id"],
    table: "user_groups",
    target: &["org_id", "id"],
};

record! {
    /// What a client or a group is to follow; or a template, which is nobody's.
    pub struct CarePlan in CARE_PLANS, care_plans {
        id: Id<CarePlan>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Who made it.
        creator_id: Id<User>,
        /// The client whose it is; never together with a group.
        patient_id: Option<Id<User>>,
        user_group_id: Option<Id<UserGroup>>,
        /// For the staff.
        name: String [folded searched],
        /// For the client.
        description: Option<String> [sealed],
        /// Clients do not see it.
        is_hidden: bool,
        is_template: bool,
        /// Whether it is switched on for its group; a client's is active by their connection.
        is_on: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "patient_id"]).only("patient_id IS NOT NULL"),
        index(&["org_id", "user_group_id"]).only("user_group_id IS NOT NULL"),
        index(&["org_id", "created_at", "id"]).only("deleted_at IS NULL"),
    ],
    references: [
        OF_PATIENT,
        OF_GROUP,
        Reference { columns: &["org_id", "creator_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("CARE_PLAN"),
    subject: restricted::by_patient_id,
    visible: visibility::plans,
}

record! {
    /// A document or a goal that a plan holds: exactly one of the two.
    pub struct CarePlanConnection in CARE_PLAN_CONNECTIONS, care_plan_connections {
        id: Id<CarePlanConnection>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        care_plan_id: Id<CarePlan>,
        /// The plan's client.
        patient_id: Option<Id<User>>,
        document_id: Option<Id<Document>>,
        goal_id: Option<Id<Goal>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "care_plan_id", "document_id"]).only("deleted_at IS NULL"),
        unique(&["org_id", "goal_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "document_id"]).only("document_id IS NOT NULL"),
        index(&["org_id", "patient_id"]).only("patient_id IS NOT NULL"),
    ],
    references: [
        OF_PLAN,
        OF_PATIENT,
        Reference {
            columns: &["org_id", "document_id"], table: "documents", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "goal_id"], table: "goals", target: &["org_id", "id"] },
    ],
    audit: Some("CARE_PLAN_CONNECTION"),
    subject: restricted::by_patient_id,
    visible: visibility::parts,
}

record! {
    /// That a plan is active for a client, or was: their own, or their group's.
    pub struct GroupCarePlanUserConnection in GROUP_CARE_PLAN_USER_CONNECTIONS, group_care_plan_user_connections {
        id: Id<GroupCarePlanUserConnection>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        care_plan_id: Id<CarePlan>,
        user_id: Id<User>,
        /// The group whose plan it is; it holds while the client is in it.
        user_group_id: Option<Id<UserGroup>>,
        active: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        // A client has one active plan (behaviour 29).
        unique(&["org_id", "user_id"]).only("active = TRUE AND deleted_at IS NULL"),
        index(&["org_id", "care_plan_id", "user_id"]),
    ],
    references: [
        OF_PLAN,
        OF_GROUP,
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("GROUP_CARE_PLAN_USER_CONNECTION"),
    subject: restricted::by_user_id,
    visible: visibility::connections,
}

record! {
    /// What a plan advises, in HTML.
    pub struct Recommendation in RECOMMENDATIONS, recommendations {
        id: Id<Recommendation>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        care_plan_id: Id<CarePlan>,
        /// The plan's client.
        patient_id: Option<Id<User>>,
        care_plan_recommendation_category_id: Option<Id<CarePlanRecommendationCategory>>,
        recommendation_body: Option<String> [sealed],
        recommendation_type: Option<String> [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "care_plan_id", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "patient_id"]).only("patient_id IS NOT NULL"),
        index(&["org_id", "care_plan_recommendation_category_id"])
            .only("care_plan_recommendation_category_id IS NOT NULL"),
    ],
    references: [
        OF_PLAN,
        OF_PATIENT,
        Reference {
            columns: &["org_id", "care_plan_recommendation_category_id"],
            table: "care_plan_recommendation_categories",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("RECOMMENDATION"),
    subject: restricted::by_patient_id,
    visible: visibility::parts,
}

record! {
    /// What a practice sorts recommendations by.
    pub struct CarePlanRecommendationCategory in CARE_PLAN_RECOMMENDATION_CATEGORIES, care_plan_recommendation_categories {
        id: Id<CarePlanRecommendationCategory>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        name: String [folded],
        /// Whether it is offered for new recommendations.
        is_active: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [unique(&["org_id", "unit_id", "name_fold"]).only("deleted_at IS NULL")],
    references: [],
    audit: Some("CARE_PLAN_RECOMMENDATION_CATEGORY"),
    visible: visibility::categories,
}
