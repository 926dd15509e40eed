//! `availableItemTypes`: what a step of an intake flow can ask for (behaviour 27), as a JSON
//! list in a text.

use ward_engine::{Answer, Args, Bindings, Kind, Out, Request, RowView};
use ward_store::{Cond, Entity, Id, Level, OrderKey, Query, Select};

use crate::filled::listing::id;
use crate::flow::tables::{
    ItemType, ONBOARDING_FLOWS, ONBOARDING_ITEMS, OnboardingFlow, onboarding_flows,
    onboarding_items,
};
use crate::listing::requestable;
use crate::tables::{CUSTOM_MODULE_FORMS, custom_module_forms as at};

/// So many forms are listed.
const LISTED_MAX: i64 = 2_000;

/// Binds the field.
pub fn bind(b: &mut Bindings) {
    b.batch("Query", "availableItemTypes", &[], |request, q, rows, args| {
        Box::pin(types(request, q, rows, args))
    })
    .args(&[("onboarding_flow_id", Kind::Id(OnboardingFlow::NAME))]);
}

/// Forms that clients fill in, and what needs none; not what the flow asks for already.
async fn types(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    if !request.actor.is_member() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let flow: Option<Id<OnboardingFlow>> = id(args, "onboarding_flow_id", request)?;
    let (used_forms, used_types) = match flow {
        Some(flow) => match used(request, q, flow).await? {
            Some(used) => used,
            None => return Ok(vec![Out::Null; rows.len()]),
        },
        None => (Vec::new(), Vec::new()),
    };
    let mut select = Select::new(&CUSTOM_MODULE_FORMS, &request.actor);
    select.columns = vec![at::id, at::name];
    select.least = Level::Full;
    select.filter = requestable();
    select.limit = Some(LISTED_MAX);
    let select = select.ordered(vec![OrderKey::column("name_fold", false)]);
    let mut list = Vec::new();
    for row in q.rows(&select.sql()).await?.iter() {
        let [id, name, ..] = row else { continue };
        let (Some(id), Some(name)) = (id.int(), name.text()) else { continue };
        if !used_forms.contains(&id) {
            let item_type = ItemType::ModuleForm.as_str();
            list.push(serde_json::json!({
                "id": id.to_string(), "name": name, "type": item_type,
            }));
        }
    }
    for item_type in ItemType::FIXED.iter().filter(|it| !used_types.contains(it)) {
        let name = item_type.as_str();
        list.push(serde_json::json!({ "id": name, "name": name, "type": name }));
    }
    let text = serde_json::Value::from(list).to_string();
    Ok(vec![Out::from(text); rows.len()])
}

/// What the steps of a flow ask for; nothing where the caller doesn't see it.
async fn used(
    request: &Request,
    q: &mut dyn Query,
    flow: Id<OnboardingFlow>,
) -> Answer<Option<(Vec<i64>, Vec<ItemType>)>> {
    use onboarding_items as item;
    let mut select = Select::new(&ONBOARDING_FLOWS, &request.actor);
    select.columns = vec![onboarding_flows::id];
    select.least = Level::Full;
    select.filter = Cond::eq("id", flow.0);
    if q.rows(&select.sql()).await?.is_empty() {
        return Ok(None);
    }
    let mut select = Select::new(&ONBOARDING_ITEMS, &request.actor);
    select.columns = vec![item::item_type, item::custom_module_form_id];
    select.filter = Cond::eq("onboarding_flow_id", flow.0);
    let (mut forms, mut types) = (Vec::new(), Vec::new());
    for row in q.rows(&select.sql()).await?.iter() {
        let [item_type, form, ..] = row else { continue };
        forms.extend(form.int());
        types.extend(item_type.text().and_then(ItemType::from_text));
    }
    Ok(Some((forms, types)))
}
