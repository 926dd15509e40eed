//! Adding, changing, moving and taking out steps of a flow, with `can_edit_forms`.

use ward_engine::{Answer, Call, Payload, Refused, parse_id};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::id_or_blank::named;
use ward_identity::permit::requires;
use ward_store::{Id, Level};

use super::input::{self, CreateItem, DeleteItem, UpdateItem};
use super::rules::{self, Asked};
use super::tables::{ItemType, OnboardingFlow, OnboardingItem};
use super::{ITEMS_MAX, held, items_of};
use crate::question::order;
use crate::tables::CustomModuleForm;

/// Adds a step, or several, behind all others; answers the first.
pub async fn create(call: &mut Call<'_>, input: &CreateItem) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let flow = held(call, named(&input.onboarding_flow_id), "onboarding_flow_id").await?;
    let texts = [
        ("welcome_text", &input.welcome_text),
        ("billing_disclaimer", &input.billing_disclaimer),
        ("policy_disclaimer", &input.policy_disclaimer),
    ];
    input::check_texts(&texts).check()?;
    let Some(text) = input.item_type.trimmed() else {
        return Err(Refused::on("item_type", "Item type can't be blank"));
    };
    let own_id = input::form(&input.item_id).map(|id| id.to_string());
    let asked = rules::asked(text, own_id.as_deref())
        .map_err(|sentence| Refused::on("item_type", sentence))?;
    let mut all = items_of(call, flow.id).await?;
    if all.len() + asked.len() > ITEMS_MAX {
        let sentence = format!("An intake flow can have {ITEMS_MAX} steps");
        return Err(Refused::on("onboarding_flow_id", sentence));
    }
    let mut first = None;
    for one in &asked {
        let mut item = blank(call, &flow, &all, input.is_skippable.is_true()).await?;
        input.welcome_text.set_text(&mut item.welcome_text);
        input.billing_disclaimer.set_text(&mut item.billing_disclaimer);
        input.policy_disclaimer.set_text(&mut item.policy_disclaimer);
        asks(call, &flow, &mut item, one).await?;
        once(&all, &item)?;
        call.create(&item).await?;
        first.get_or_insert(item.id);
        all.push(item);
    }
    let first = first.ok_or_else(|| Refused::on("item_type", "Item type can't be blank"))?;
    Ok(Payload::new().one("onboardingItem", first.0))
}

/// A step behind these that asks for nothing yet.
async fn blank(
    call: &mut Call<'_>,
    flow: &OnboardingFlow,
    all: &[OnboardingItem],
    is_skippable: bool,
) -> Answer<OnboardingItem> {
    let now = call.now();
    Ok(OnboardingItem {
        id: call.next_id().await?,
        org_id: flow.org_id,
        unit_id: flow.unit_id,
        onboarding_flow_id: flow.id,
        item_type: ItemType::WelcomePage,
        custom_module_form_id: None,
        is_skippable,
        place: behind(all)?,
        welcome_text: None,
        billing_disclaimer: None,
        photo_id_disclaimer: None,
        policy_disclaimer: None,
        lens: flow.lens,
        completed_onboarding_item_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

fn behind(all: &[OnboardingItem]) -> Answer<i64> {
    let places: Vec<i64> = all.iter().map(|it| it.place).collect();
    order::at(&places, None).ok_or_else(no_room)
}

fn no_room() -> Refused {
    Refused::on("row_order", "There is no room for it")
}

/// Says what a step asks for: a form that clients of the flow can fill in.
async fn asks(
    call: &mut Call<'_>,
    flow: &OnboardingFlow,
    item: &mut OnboardingItem,
    asked: &Asked,
) -> Answer<()> {
    const AT: &str = "item_id";
    item.item_type = asked.item_type;
    item.custom_module_form_id = None;
    let Some(text) = &asked.id else { return Ok(()) };
    let ids = call.request.instance.ids();
    let id: Id<CustomModuleForm> = parse_id(text, &format!("input.{AT}"), ids)?;
    let found = call.visible_for_reference::<CustomModuleForm>(id, Level::Full).await?;
    let (form, _) = found.ok_or_else(|| Refused::not_found(AT))?;
    if form.unit_id != flow.unit_id && form.unit_id != form.org_id {
        return Err(Refused::on(AT, "The form belongs to another organization than the flow"));
    }
    if form.use_for_charting || form.use_for_program {
        let sentence = "Clients fill in intake forms only; this one is for notes or a program";
        return Err(Refused::on(AT, sentence));
    }
    if form.is_archived {
        return Err(Refused::on(AT, "This form is archived; put it to use again first"));
    }
    item.custom_module_form_id = Some(form.id);
    Ok(())
}

/// Nothing is asked for twice in one flow.
fn once(all: &[OnboardingItem], item: &OnboardingItem) -> Answer<()> {
    let is_same = |it: &&OnboardingItem| {
        it.id != item.id
            && it.item_type == item.item_type
            && it.custom_module_form_id == item.custom_module_form_id
    };
    match all.iter().find(is_same) {
        None => Ok(()),
        Some(_) => Err(Refused::on("item_type", "The intake flow has this step already")),
    }
}

/// Changes a step, moves it in its flow, or behind the steps of another.
pub async fn update(call: &mut Call<'_>, input: &UpdateItem) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let to = named(&input.onboarding_flow_id);
    let (from, to, before) = to_change(call, named(&input.id), to).await?;
    let texts = [
        ("welcome_text", &input.welcome_text),
        ("billing_disclaimer", &input.billing_disclaimer),
        ("photo_id_disclaimer", &input.photo_id_disclaimer),
        ("policy_disclaimer", &input.policy_disclaimer),
    ];
    input::check_texts(&texts).check()?;
    let flow = to.unwrap_or(from);
    let mut after = before.clone();
    if let Some(is_skippable) = input.is_skippable.value() {
        after.is_skippable = *is_skippable;
    }
    input.welcome_text.set_text(&mut after.welcome_text);
    input.billing_disclaimer.set_text(&mut after.billing_disclaimer);
    input.photo_id_disclaimer.set_text(&mut after.photo_id_disclaimer);
    input.policy_disclaimer.set_text(&mut after.policy_disclaimer);
    ask_otherwise(call, input, &flow, &mut after).await?;
    let mut others = items_of(call, flow.id).await?;
    others.retain(|it| it.id != before.id);
    once(&others, &after)?;
    if flow.id != before.onboarding_flow_id {
        if others.len() >= ITEMS_MAX {
            let sentence = format!("An intake flow can have {ITEMS_MAX} steps");
            return Err(Refused::on("onboarding_flow_id", sentence));
        }
        after.onboarding_flow_id = flow.id;
        after.unit_id = flow.unit_id;
        after.lens = flow.lens;
        after.place = behind(&others)?;
    }
    if let Some(index) = input.row_order.value() {
        after.place = room(call, &others, *index).await?;
    }
    call.update(&before, &after).await?;
    Ok(Payload::new().one("onboardingItem", before.id.0))
}

/// What was sent of the type and the form, each alone or both.
async fn ask_otherwise(
    call: &mut Call<'_>,
    input: &UpdateItem,
    flow: &OnboardingFlow,
    item: &mut OnboardingItem,
) -> Answer<()> {
    let form = input::form(&input.item_id).or(item.custom_module_form_id).map(|id| id.to_string());
    let asked = match (input.item_type.trimmed(), input::form(&input.item_id)) {
        // It asks for what it did; the other flow must be able to.
        (None, None) if flow.id == item.onboarding_flow_id => return Ok(()),
        (None, None) => Asked { item_type: item.item_type, id: form },
        (None, Some(_)) => Asked { item_type: ItemType::ModuleForm, id: form },
        (Some(text), _) => {
            let mut asked = rules::asked(text, form.as_deref())
                .map_err(|sentence| Refused::on("item_type", sentence))?;
            match (asked.pop(), asked.is_empty()) {
                (Some(one), true) => one,
                _ => return Err(Refused::on("item_type", "A step asks for one thing")),
            }
        }
    };
    let is_same = flow.id == item.onboarding_flow_id && item.item_type == asked.item_type;
    if is_same && asked.id == item.custom_module_form_id.map(|id| id.to_string()) {
        // Whatever became of the form.
        return Ok(());
    }
    asks(call, flow, item, &asked).await
}

/// A free place at `index`, counted from 0, among the others of a flow. Where there is no
/// room left between two, all are placed anew.
async fn room(call: &mut Call<'_>, others: &[OnboardingItem], index: i64) -> Answer<i64> {
    let index = Some(usize::try_from(index).unwrap_or(0));
    let places: Vec<i64> = others.iter().map(|it| it.place).collect();
    if let Some(place) = order::at(&places, index) {
        return Ok(place);
    }
    let places: Vec<i64> = order::anew(others.len()).collect();
    for (before, place) in others.iter().zip(&places) {
        let after = OnboardingItem { place: *place, ..before.clone() };
        call.update(before, &after).await?;
    }
    order::at(&places, index).ok_or_else(no_room)
}

/// Takes a step out; what clients have done of it stays.
pub async fn delete(call: &mut Call<'_>, input: &DeleteItem) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let (_, _, item) = to_change(call, named(&input.id), None).await?;
    call.destroy(&item).await?;
    Ok(Payload::new().one("onboardingItem", item.id.0))
}

/// A step that the caller sees, with its flow held and the one that it is to go to; flows in
/// the order of ids, so that two moves never wait for each other.
async fn to_change(
    call: &mut Call<'_>,
    id: Option<Id<OnboardingItem>>,
    to: Option<Id<OnboardingFlow>>,
) -> Answer<(OnboardingFlow, Option<OnboardingFlow>, OnboardingItem)> {
    const TO: &str = "onboarding_flow_id";
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible::<OnboardingItem>(id, Level::Full).await?;
    let (item, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    let own = item.onboarding_flow_id;
    let (from, to) = match to.filter(|to| *to != own) {
        Some(other) if other < own => {
            let to = held(call, Some(other), TO).await?;
            (held(call, Some(own), "id").await?, Some(to))
        }
        Some(other) => {
            let from = held(call, Some(own), "id").await?;
            (from, Some(held(call, Some(other), TO).await?))
        }
        None => (held(call, Some(own), "id").await?, None),
    };
    // It may have been taken out, or moved, until its flow was held.
    let item = call.find(id).await?.filter(|it| it.onboarding_flow_id == own);
    item.map(|item| (from, to, item)).ok_or_else(|| Refused::not_found("id"))
}
