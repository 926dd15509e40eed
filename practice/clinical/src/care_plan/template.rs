//! Templates of care plans: made of a plan, applied to clients and groups, or added to a plan that
//! is there (behaviour 29). Recommendations are copied, documents are named by both; goals are a
//! client's own and are not copied.

use ward_clients::access::client_to_change;
use ward_clients::tables::UserGroup;
use ward_documents::tables::Document;
use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::flags::CAN_MANAGE_CARE_PLAN_TEMPLATES;
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::Id;

use super::connect::Part;
use super::input::{BulkApply, NamedPlan, UpdateByTemplate};
use super::table::{CarePlan, CarePlanConnection, Recommendation};
use super::{AT_ONCE, access, activate, change, connect, group, recommendation};
use crate::events::of_plan;

/// Makes a template out of a plan, which stays as it is.
pub async fn export(call: &mut Call<'_>, input: &NamedPlan) -> Answer<Payload> {
    requires(call.actor, CAN_MANAGE_CARE_PLAN_TEMPLATES)?;
    let from = access::seen(call, named(&input.id), "id").await?;
    access::has_room(call, None, 1).await?;
    let mut template = change::blank(call, &from.name).await?;
    template.description.clone_from(&from.description);
    template.is_template = true;
    call.create(&template).await?;
    copy_parts(call, &from, &template).await?;
    call.emit(of_plan("care_plan.created", &template, &[]));
    Ok(Payload::new().one("carePlan", template.id.0))
}

/// A template that a member reads to apply it.
async fn template(call: &mut Call<'_>, id: Option<Id<CarePlan>>, at: &str) -> Answer<CarePlan> {
    let found = access::seen(call, id, at).await?;
    match found.is_template {
        true => Ok(found),
        false => Err(Refused::on(
            at,
            "This care plan is no template: make one of it with exportCarePlanToTemplate",
        )),
    }
}

/// Makes a plan out of a template for each client and each group, active if that is asked for.
pub async fn apply(call: &mut Call<'_>, input: &BulkApply) -> Answer<Payload> {
    members_only(call.actor)?;
    let template = template(call, named(&input.id), "id").await?;
    let mut users: Vec<Id<User>> = input.user_ids.value().cloned().unwrap_or_default();
    users.sort_unstable();
    users.dedup();
    let mut groups: Vec<Id<UserGroup>> = input.user_group_ids.value().cloned().unwrap_or_default();
    groups.sort_unstable();
    groups.dedup();
    if users.is_empty() && groups.is_empty() {
        return Err(Refused::on("user_ids", "Name a client or a group to apply the template to"));
    }
    if users.len() + groups.len() > AT_ONCE {
        let sentence = format!("A template can be applied to {AT_ONCE} clients and groups at once");
        return Err(Refused::on("user_ids", sentence));
    }
    let is_active = input.force_activation.is_true();
    let mut made = Vec::with_capacity(users.len() + groups.len());
    for id in users {
        made.push(for_client(call, &template, id, is_active).await?.id.0);
    }
    if !groups.is_empty() {
        access::has_room(call, None, groups.len()).await?;
    }
    for id in groups {
        made.push(for_group(call, &template, id, is_active).await?.id.0);
    }
    Ok(Payload::new().many("carePlans", made))
}

async fn for_client(
    call: &mut Call<'_>,
    template: &CarePlan,
    id: Id<User>,
    is_active: bool,
) -> Answer<CarePlan> {
    let client = client_to_change(call, id, "user_ids").await?;
    access::has_room(call, Some(client.id), 1).await?;
    let subject = call.scope.subject_id.replace(client.id.0);
    let mut plan = like(call, template, is_active).await?;
    change::give(&mut plan, &client);
    write(call, template, &plan).await?;
    if is_active {
        activate::activate(call, &plan, &client).await?;
    }
    call.scope.subject_id = subject;
    Ok(plan)
}

async fn for_group(
    call: &mut Call<'_>,
    template: &CarePlan,
    id: Id<UserGroup>,
    is_active: bool,
) -> Answer<CarePlan> {
    const AT: &str = "user_group_ids";
    let of = access::group(call, id, None, AT).await?;
    let mut plan = like(call, template, is_active).await?;
    plan.unit_id = of.unit_id;
    plan.user_group_id = Some(of.id);
    plan.is_on = is_active;
    write(call, template, &plan).await?;
    if is_active {
        let clients = group::members(call, of.id).await?;
        group::is_bounded(&clients, AT)?;
        activate::join_all(call, &plan, &clients).await?;
        call.emit(of_plan("care_plan.activated", &plan, &[]));
    }
    Ok(plan)
}

/// A new plan that says what the template does; clients see one that is active at once.
async fn like(call: &mut Call<'_>, template: &CarePlan, is_active: bool) -> Answer<CarePlan> {
    let mut plan = change::blank(call, &template.name).await?;
    plan.description.clone_from(&template.description);
    plan.is_hidden = !is_active;
    Ok(plan)
}

async fn write(call: &mut Call<'_>, template: &CarePlan, plan: &CarePlan) -> Answer<()> {
    call.create(plan).await?;
    copy_parts(call, template, plan).await?;
    call.emit(of_plan("care_plan.created", plan, &[]));
    Ok(())
}

/// Adds what a template holds to a plan that is there.
pub async fn add(call: &mut Call<'_>, input: &UpdateByTemplate) -> Answer<Payload> {
    let held = access::to_change(call, named(&input.care_plan_id), "care_plan_id").await?;
    let id = named(&input.care_plan_template_id);
    let template = template(call, id, "care_plan_template_id").await?;
    if template.id == held.plan.id {
        let sentence = "A template can't be added to itself";
        return Err(Refused::on("care_plan_template_id", sentence));
    }
    let first = copy_parts(call, &template, &held.plan).await?;
    call.emit(of_plan("care_plan.updated", &held.plan, &[]));
    let payload = Payload::new();
    Ok(match first {
        Some(first) => payload.one("care_plan", first.0),
        None => payload,
    })
}

/// Copies recommendations, and names the documents that are about no other client; the first
/// connection with a document.
async fn copy_parts(
    call: &mut Call<'_>,
    from: &CarePlan,
    to: &CarePlan,
) -> Answer<Option<Id<CarePlanConnection>>> {
    for it in change::recommendations(call, from).await? {
        recommendation::has_room(call, to).await?;
        let now = call.now();
        let category = it.care_plan_recommendation_category_id;
        let category = recommendation::copied(call, category, to.unit_id).await?;
        let row = Recommendation {
            id: call.next_id().await?,
            unit_id: to.unit_id,
            care_plan_id: to.id,
            patient_id: to.patient_id,
            care_plan_recommendation_category_id: category,
            version: 1,
            created_at: now,
            updated_at: now,
            ..it
        };
        call.create(&row).await?;
    }
    let mut first = None;
    for it in change::connections(call, from).await? {
        let Some(id) = it.document_id else { continue };
        let Some(document) = call.find::<Document>(id).await? else { continue };
        if document.rel_user_id.is_some() && document.rel_user_id != to.patient_id {
            continue;
        }
        let connection = connect::add(call, to, Part::Document(id)).await?;
        first = first.or(Some(connection));
    }
    Ok(first)
}
