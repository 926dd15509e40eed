//! `createCarePlan` and its siblings (behaviour 29).

use ward_clients::access::client_to_change;
use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::flags::CAN_MANAGE_CARE_PLAN_TEMPLATES;
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::{Organization, User};
use ward_store::{Cond, Id, OrderKey};

use super::access::{self, Held};
use super::input::{CreatePlan, NamedPlan, UpdatePlan};
use super::table::{CarePlan, CarePlanConnection, Recommendation};
use super::{activate, connect, group, mail, rules};
use crate::events::of_plan;

/// A plan of nobody by whoever makes it, hidden.
pub async fn blank(call: &mut Call<'_>, name: &str) -> Answer<CarePlan> {
    let now = call.now();
    Ok(CarePlan {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::<Organization>::new(call.actor.unit_id),
        creator_id: Id::new(call.actor.user_id),
        patient_id: None,
        user_group_id: None,
        name: name.to_owned(),
        description: None,
        is_hidden: true,
        is_template: false,
        is_on: false,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

/// Makes a plan: a client's, a template, or one that is given to a client or a group later.
pub async fn create(call: &mut Call<'_>, input: &CreatePlan) -> Answer<Payload> {
    members_only(call.actor)?;
    let is_template = input.is_managing_templates.is_true();
    if is_template {
        requires(call.actor, CAN_MANAGE_CARE_PLAN_TEMPLATES)?;
    }
    let client = match named(&input.patient_id) {
        Some(id) => Some(client_to_change(call, id, "patient_id").await?),
        None => None,
    };
    if is_template && client.is_some() {
        return Err(Refused::on("patient_id", "A template is no client's: leave out one of both"));
    }
    let mut problems = Problems::new();
    rules::name_of_new(&input.name, &mut problems);
    problems.check()?;
    access::has_room(call, client.as_ref().map(|client| client.id), 1).await?;
    let mut plan = blank(call, input.name.trimmed().unwrap_or_default()).await?;
    plan.is_template = is_template;
    plan.is_hidden = input.is_hidden.value().copied().unwrap_or(true);
    if let Some(client) = &client {
        give(&mut plan, client);
        call.scope.subject_id = Some(client.id.0);
    }
    call.create(&plan).await?;
    call.emit(of_plan("care_plan.created", &plan, &[]));
    Ok(Payload::new().one("carePlan", plan.id.0))
}

/// A plan is a client's.
pub fn give(plan: &mut CarePlan, client: &User) {
    plan.patient_id = Some(client.id);
    plan.unit_id = client.unit_id;
}

/// Changes a plan; gives one that is nobody's to a client or a group, who keep it; adds a document
/// to it.
pub async fn update(call: &mut Call<'_>, input: &UpdatePlan) -> Answer<Payload> {
    // Who is to have it is held before it is.
    let new = match named(&input.new_patient_id) {
        Some(id) => Some(client_to_change(call, id, "new_patient_id").await?),
        None => None,
    };
    let Held { plan: before, client } = access::to_change(call, named(&input.id), "id").await?;
    let mut after = before.clone();
    let mut problems = Problems::new();
    rules::write((&input.name, &input.description), &mut after, &mut problems);
    problems.check()?;
    if let Some(is_hidden) = input.is_hidden.value() {
        after.is_hidden = *is_hidden;
    }
    become_template(call, input, &mut after)?;
    let client = owner(call, input, &mut after, (client, new)).await?;
    let changes = call.update(&before, &after).await?;
    if before.patient_id != after.patient_id || before.unit_id != after.unit_id {
        follow(call, &after).await?;
    }
    if !changes.is_empty() {
        call.emit(of_plan("care_plan.updated", &after, &changes.columns));
    }
    if let Some(document) = named(&input.doc_id) {
        connect::add_document(call, &after, document).await?;
    }
    if input.notify_client_by_email.is_true() {
        let sentence = "This care plan is no client's: bulkUpdateCarePlanUsers writes to a group";
        let client = client.ok_or_else(|| Refused::on("notify_client_by_email", sentence))?;
        mail::tell_or_refuse(call, &after, &client).await?;
    }
    Ok(Payload::new().one("carePlan", after.id.0))
}

/// A plan that is nobody's can become a template, and a template a plan of nobody.
fn become_template(call: &Call<'_>, input: &UpdatePlan, plan: &mut CarePlan) -> Answer<()> {
    let Some(wanted) = input.is_template.value().copied() else { return Ok(()) };
    if wanted == plan.is_template {
        return Ok(());
    }
    requires(call.actor, CAN_MANAGE_CARE_PLAN_TEMPLATES)?;
    if wanted && (plan.patient_id.is_some() || plan.user_group_id.is_some()) {
        let sentence = "This care plan is a client's or a group's: exportCarePlanToTemplate makes \
             a template of it";
        return Err(Refused::on("is_template", sentence));
    }
    plan.is_template = wanted;
    Ok(())
}

/// Whose it is from now on, and the client of them.
async fn owner(
    call: &mut Call<'_>,
    input: &UpdatePlan,
    plan: &mut CarePlan,
    (client, new): (Option<User>, Option<User>),
) -> Answer<Option<User>> {
    const TAKEN: &str = "This care plan is a client's or a group's already: make a template of it \
         with exportCarePlanToTemplate, and apply that";
    const TEMPLATE: &str = "This is a template: apply it to a client or a group with \
         bulkApplyCarePlanTemplate";
    let group = named(&input.user_group_id);
    let new = new.filter(|new| plan.patient_id != Some(new.id));
    let group = group.filter(|group| plan.user_group_id != Some(*group));
    let at = match (&new, group) {
        (None, None) => return Ok(client),
        (Some(_), Some(_)) => {
            let sentence = "A care plan is a client's or a group's, not both";
            return Err(Refused::on("user_group_id", sentence));
        }
        (Some(_), None) => "new_patient_id",
        (None, Some(_)) => "user_group_id",
    };
    if plan.is_template {
        return Err(Refused::on(at, TEMPLATE));
    }
    if plan.patient_id.is_some() || plan.user_group_id.is_some() {
        return Err(Refused::on(at, TAKEN));
    }
    if let Some(group) = group {
        // One of the root's becomes that of the group's organization.
        let unit = (plan.unit_id != plan.org_id).then_some(plan.unit_id);
        let group = access::group(call, group, unit, at).await?;
        if unit.is_none() {
            plan.unit_id = group.unit_id;
        }
        plan.user_group_id = Some(group.id);
        return Ok(None);
    }
    if let Some(new) = &new {
        if new.unit_id != plan.unit_id && plan.unit_id != plan.org_id {
            let sentence = "The care plan belongs to another organization than the client";
            return Err(Refused::on(at, sentence));
        }
        access::has_room(call, Some(new.id), 1).await?;
        give(plan, new);
        call.scope.subject_id = Some(new.id.0);
    }
    Ok(new)
}

/// What a plan holds is its client's, and of its organization, as the plan is.
async fn follow(call: &mut Call<'_>, plan: &CarePlan) -> Answer<()> {
    for before in recommendations(call, plan).await? {
        let after =
            Recommendation { patient_id: plan.patient_id, unit_id: plan.unit_id, ..before.clone() };
        call.update(&before, &after).await?;
    }
    for before in connections(call, plan).await? {
        let after = CarePlanConnection {
            patient_id: plan.patient_id,
            unit_id: plan.unit_id,
            ..before.clone()
        };
        call.update(&before, &after).await?;
    }
    Ok(())
}

/// The recommendations of a plan, in the order in which they were made.
pub async fn recommendations(call: &mut Call<'_>, plan: &CarePlan) -> Answer<Vec<Recommendation>> {
    let own = Cond::eq("care_plan_id", plan.id.0);
    Ok(call.list(own, &[OrderKey::column("id", false)]).await?)
}

/// The documents and goals of a plan, in the order in which they were added.
pub async fn connections(call: &mut Call<'_>, plan: &CarePlan) -> Answer<Vec<CarePlanConnection>> {
    let own = Cond::eq("care_plan_id", plan.id.0);
    Ok(call.list(own, &[OrderKey::column("id", false)]).await?)
}

/// Deletes a plan with its recommendations. Its documents and goals stay, and are of no plan; for
/// nobody is it active any more.
pub async fn delete(call: &mut Call<'_>, input: &NamedPlan) -> Answer<Payload> {
    let seen = access::seen(call, named(&input.id), "id").await?;
    access::may_write(call.actor, &seen)?;
    let clients = match seen.patient_id {
        Some(_) => Vec::new(),
        None => group::followers(call, seen.id).await?,
    };
    let Held { plan, client } = access::to_change(call, Some(seen.id), "id").await?;
    match &client {
        Some(client) => activate::leave(call, &plan, client).await?,
        None => {
            for id in clients {
                if let Some(client) = call.find::<User>(id).await? {
                    activate::leave(call, &plan, &client).await?;
                }
            }
        }
    }
    for row in recommendations(call, &plan).await? {
        call.destroy(&row).await?;
    }
    for row in connections(call, &plan).await? {
        call.destroy(&row).await?;
    }
    call.destroy(&plan).await?;
    call.emit(of_plan("care_plan.deleted", &plan, &[]));
    Ok(Payload::new().one("carePlan", plan.id.0))
}
