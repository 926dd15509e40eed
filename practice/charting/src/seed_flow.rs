//! A Sandbox's intake flow: a greeting, the consent and the health history, for the clients of
//! the provider, and of the whole practice where the provider is its owner. What was filled
//! in before is done. Rows as the operations would have left them, without events.

use ward_identity::tables::User;
use ward_store::{Cond, Id, OrderKey, Scope, StoreError};

use crate::filled::tables::FormAnswerGroup;
use crate::flow::due;
use crate::flow::tables::{
    CompletedOnboardingItem, ItemType, OnboardingDefault, OnboardingFlow, OnboardingItem,
};
use crate::question::order;
use crate::seed_filled::Laid;

/// What the flow is called.
pub const NAME: &str = "New client intake";
/// The forms that it asks for, and whether each may be skipped.
const ASKED: &[(&str, bool)] = &[("Consent to care", false), ("Health history", true)];
const WELCOME: &str = "Welcome! Please answer a few questions before your first visit.";

/// Lays the flow of the provider's clients.
pub async fn lay(
    scope: &mut Scope<'_>,
    (forms, provider): (&[Laid], &User),
    clients: &[User],
) -> Result<(), StoreError> {
    let now = scope.now();
    let id: Id<OnboardingFlow> = scope.next_id().await?;
    let flow = OnboardingFlow {
        id,
        org_id: provider.org_id,
        unit_id: provider.unit_id,
        user_id: Some(provider.id),
        name: NAME.to_owned(),
        lens: -id.0,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    scope.create(&flow).await?;
    let items = items(scope, &flow, forms).await?;
    scope.create_all(&items).await?;
    let default = OnboardingDefault {
        org_id: provider.org_id,
        user_id: provider.id,
        onboarding_flow_id: flow.id,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    scope.create(&default).await?;
    for client in clients.iter().filter(|it| it.org_id == provider.org_id) {
        lay_done(scope, (&flow, &items), client).await?;
    }
    Ok(())
}

/// The greeting, and the forms that were laid.
async fn items(
    scope: &mut Scope<'_>,
    flow: &OnboardingFlow,
    forms: &[Laid],
) -> Result<Vec<OnboardingItem>, StoreError> {
    let mut asked = vec![(ItemType::WelcomePage, None, true)];
    for (name, is_skippable) in ASKED {
        let form = forms.iter().find(|it| it.form.name == *name);
        asked.extend(form.map(|it| (ItemType::ModuleForm, Some(it.form.id), *is_skippable)));
    }
    let places = order::anew(asked.len());
    let mut items = Vec::with_capacity(asked.len());
    for ((item_type, form, is_skippable), place) in asked.into_iter().zip(places) {
        let is_welcome = item_type == ItemType::WelcomePage;
        items.push(OnboardingItem {
            id: scope.next_id().await?,
            org_id: flow.org_id,
            unit_id: flow.unit_id,
            onboarding_flow_id: flow.id,
            item_type,
            custom_module_form_id: form,
            is_skippable,
            place,
            welcome_text: is_welcome.then(|| WELCOME.to_owned()),
            billing_disclaimer: None,
            photo_id_disclaimer: None,
            policy_disclaimer: None,
            lens: flow.lens,
            completed_onboarding_item_id: None,
            version: 1,
            created_at: flow.created_at,
            updated_at: flow.created_at,
            deleted_at: None,
        });
    }
    Ok(items)
}

/// What a client has done of it by the forms that they have finished.
async fn lay_done(
    scope: &mut Scope<'_>,
    (flow, items): (&OnboardingFlow, &[OnboardingItem]),
    client: &User,
) -> Result<(), StoreError> {
    let finished = Cond::is_true("finished").and(Cond::eq("use_for_charting", false));
    let finished = finished.and(Cond::eq("user_id", client.id.0));
    let of = [OrderKey::column("id", false)];
    let groups: Vec<FormAnswerGroup> = scope.list(finished, &of).await?;
    if groups.is_empty() || !is_theirs(scope, flow, client).await? {
        return Ok(());
    }
    let mut done = Vec::new();
    for item in items {
        let of_form =
            |it: &&FormAnswerGroup| item.custom_module_form_id == Some(it.custom_module_form_id);
        let group = groups.iter().find(of_form);
        // Who has filled in a form has passed the greeting.
        if item.custom_module_form_id.is_some() && group.is_none() {
            continue;
        }
        let at = group.and_then(|it| it.completed_at).unwrap_or(flow.created_at);
        done.push(CompletedOnboardingItem {
            id: scope.next_id().await?,
            org_id: client.org_id,
            unit_id: client.unit_id,
            onboarding_item_id: item.id,
            user_id: client.id,
            skipped: false,
            form_answer_group_id: group.map(|it| it.id),
            completed_by_id: Some(client.id),
            completed_at: at,
            version: 1,
            created_at: at,
            updated_at: at,
            deleted_at: None,
        });
    }
    scope.create_all_about(&done, |row| Some(row.user_id.0)).await
}

async fn is_theirs(
    scope: &mut Scope<'_>,
    flow: &OnboardingFlow,
    client: &User,
) -> Result<bool, StoreError> {
    Ok(due::flow_of(scope.tx, client.org_id.0, client.id.0).await? == Some(flow.id))
}
