//! What is sent of flows and steps, and what is wrong with it. Pure.

use ward_clients::rules as texts;
use ward_engine::{Answer, FromIn, Given, IdCodec, In, Kind, Problems, input};
use ward_identity::id_list::IdList;
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{User, UserGroup};
use ward_store::{Entity, Id};

use super::tables::{ItemType, OnboardingFlow, OnboardingItem};
use crate::tables::CustomModuleForm;

/// The form that a step asks for, by its id. The types that `availableItemTypes` offers are their
/// own ids, which name no form.
#[derive(Clone, Debug, PartialEq)]
pub struct FormOrType(pub Option<Id<CustomModuleForm>>);

impl FromIn for FormOrType {
    const KIND: Kind = Kind::Id(CustomModuleForm::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let text = String::from_in(value, at, ids)?;
        match ItemType::meant(&text).is_some_and(|it| ItemType::FIXED.contains(&it)) {
            true => Ok(FormOrType(None)),
            false => IdOrBlank::from_in(value, at, ids).map(|id| FormOrType(id.0)),
        }
    }
}

/// The form that was sent, if any.
pub fn form(given: &Given<FormOrType>) -> Option<Id<CustomModuleForm>> {
    given.value().and_then(|it| it.0)
}

input! {
    /// `createOnboardingFlowInput`.
    pub struct CreateFlow {
        groups_to_use_onboarding_flow: IdList<UserGroup>,
        name: String,
    }
}

input! {
    /// `updateOnboardingFlowInput`; the groups are all that use it from then on.
    pub struct UpdateFlow {
        groups_to_use_onboarding_flow: IdList<UserGroup>,
        id: IdOrBlank<OnboardingFlow>,
        name: String,
    }
}

input! {
    /// `deleteOnboardingFlowInput`.
    pub struct DeleteFlow {
        flow_to_receive_groups: IdOrBlank<OnboardingFlow>,
        id: IdOrBlank<OnboardingFlow>,
    }
}

input! {
    /// `createOnboardingItemInput`; `item_type` may be JSON that names several.
    pub struct CreateItem {
        billing_disclaimer: String,
        is_skippable: bool,
        item_id: FormOrType,
        item_type: String,
        onboarding_flow_id: IdOrBlank<OnboardingFlow>,
        policy_disclaimer: String,
        welcome_text: String,
    }
}

input! {
    /// `updateOnboardingItemInput`; `row_order` is its place, counted from 0.
    pub struct UpdateItem {
        billing_disclaimer: String,
        id: IdOrBlank<OnboardingItem>,
        is_skippable: bool,
        item_id: FormOrType,
        item_type: String,
        onboarding_flow_id: IdOrBlank<OnboardingFlow>,
        photo_id_disclaimer: String,
        policy_disclaimer: String,
        row_order: i64,
        welcome_text: String,
    }
}

input! {
    /// `deleteOnboardingItemInput`.
    pub struct DeleteItem { id: IdOrBlank<OnboardingItem> }
}

input! {
    /// `createCompletedOnboardingItemInput`; without `user_id` the client who asks.
    pub struct CreateCompleted {
        onboarding_item_id: IdOrBlank<OnboardingItem>,
        skipped: bool,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// What of `updateUserGroupInput` is of flows.
    pub struct GroupFlow { onboarding_flow_id: IdOrBlank<OnboardingFlow> }
}

input! {
    /// What of `updateUserInput` is of flows.
    pub struct DefaultFlow { default_onboarding_flow_id: IdOrBlank<OnboardingFlow> }
}

/// What is wrong with a new flow.
pub fn check_new(input: &CreateFlow) -> Problems {
    let mut problems = Problems::new();
    texts::required("name", &input.name, &mut problems);
    texts::bounded("name", &input.name, texts::LINE_CHARS_MAX, &mut problems);
    problems
}

/// What is wrong with a change of one.
pub fn check_change(input: &UpdateFlow) -> Problems {
    let mut problems = Problems::new();
    texts::not_emptied("name", &input.name, &mut problems);
    texts::bounded("name", &input.name, texts::LINE_CHARS_MAX, &mut problems);
    problems
}

/// What is wrong with the texts of a step.
pub fn check_texts(given: &[(&str, &Given<String>)]) -> Problems {
    let mut problems = Problems::new();
    for (field, text) in given {
        texts::bounded(field, text, texts::NOTES_CHARS_MAX, &mut problems);
    }
    problems
}
