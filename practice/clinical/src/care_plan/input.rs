//! The inputs of care plans, recommendations and their categories.

use ward_clients::tables::UserGroup;
use ward_documents::tables::Document;
use ward_engine::{Answer, FromIn, IdCodec, In, Kind, input, parse_id};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_store::{Entity, Id};

use super::table::{CarePlan, CarePlanRecommendationCategory as Category, Recommendation};
use crate::goal::table::Goal;

/// The id of what a plan holds: of which type is said beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Connectable {
    /// If it can be a document's.
    pub document: Option<Id<Document>>,
    /// If it can be a goal's.
    pub goal: Option<Id<Goal>>,
}

impl FromIn for Connectable {
    const KIND: Kind = Kind::Id(Document::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let text = String::from_in(value, at, ids)?;
        match (parse_id(&text, at, ids), parse_id(&text, at, ids)) {
            (Err(refused), Err(_)) => Err(refused),
            (document, goal) => Ok(Connectable { document: document.ok(), goal: goal.ok() }),
        }
    }
}

input! {
    /// `createCarePlanInput`.
    pub struct CreatePlan {
        name: String,
        patient_id: IdOrBlank<User>,
        is_hidden: bool,
        is_managing_templates: bool,
    }
}

input! {
    /// `updateCarePlanInput`.
    pub struct UpdatePlan {
        id: IdOrBlank<CarePlan>,
        name: String,
        description: String,
        is_hidden: bool,
        is_template: bool,
        new_patient_id: IdOrBlank<User>,
        user_group_id: IdOrBlank<UserGroup>,
        doc_id: IdOrBlank<Document>,
        notify_client_by_email: bool,
    }
}

input! {
    /// `deleteCarePlanInput` and `exportToTemplateInput`.
    pub struct NamedPlan { id: IdOrBlank<CarePlan> }
}

input! {
    /// `toggleCarePlanStatusForSpecificUserInput`.
    pub struct Toggle {
        id: IdOrBlank<CarePlan>,
        patient_id: IdOrBlank<User>,
        activate: bool,
    }
}

input! {
    /// `updateGroupCarePlanInput`.
    pub struct UpdateGroupPlan { id: IdOrBlank<CarePlan>, is_active: bool }
}

input! {
    /// `removeUserFromGroupCarePlanInput`.
    pub struct RemoveUser { care_plan_id: IdOrBlank<CarePlan>, user_id: IdOrBlank<User> }
}

input! {
    /// `bulkUpdateCarePlanUsersInput`.
    pub struct BulkUpdate { ids: Vec<Id<CarePlan>>, activate: bool, notify: bool }
}

input! {
    /// `bulkApplyCarePlanTemplateInput`.
    pub struct BulkApply {
        id: IdOrBlank<CarePlan>,
        user_ids: Vec<Id<User>>,
        user_group_ids: Vec<Id<UserGroup>>,
        force_activation: bool,
    }
}

input! {
    /// `updateByTemplateInput`.
    pub struct UpdateByTemplate {
        care_plan_id: IdOrBlank<CarePlan>,
        care_plan_template_id: IdOrBlank<CarePlan>,
    }
}

input! {
    /// `sendCarePlanEmailInput`.
    pub struct SendEmail { id: IdOrBlank<CarePlan>, patient_id: IdOrBlank<User> }
}

input! {
    /// `deleteCarePlanConnectionInput`.
    pub struct DeleteConnection {
        care_plan_id: IdOrBlank<CarePlan>,
        connectable_id: Connectable,
        connectable_type: String,
    }
}

input! {
    /// `createRecommendationInput`.
    pub struct CreateRecommendation {
        care_plan_id: IdOrBlank<CarePlan>,
        care_plan_recommendation_category_id: IdOrBlank<Category>,
        recommendation_body: String,
        recommendation_type: String,
    }
}

input! {
    /// `updateRecommendationInput`.
    pub struct UpdateRecommendation {
        id: IdOrBlank<Recommendation>,
        care_plan_recommendation_category_id: IdOrBlank<Category>,
        recommendation_body: String,
        recommendation_type: String,
    }
}

input! {
    /// `deleteRecommendationInput`.
    pub struct DeleteRecommendation { id: IdOrBlank<Recommendation> }
}

input! {
    /// `createCarePlanRecommendationCategoryInput`.
    pub struct CreateCategory { name: String, is_active: bool }
}

input! {
    /// `updateCarePlanRecommendationCategoryInput`.
    pub struct UpdateCategory { id: IdOrBlank<Category>, name: String, is_active: bool }
}

input! {
    /// `deleteCarePlanRecommendationCategoryInput`.
    pub struct DeleteCategory { id: IdOrBlank<Category> }
}
