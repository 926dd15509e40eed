//! Making, changing and deleting flows, with `can_edit_forms`.

use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::id_or_blank::named;
use ward_identity::permit::requires;
use ward_store::{Id, Query, Sql, Value};

use super::input::{self, CreateFlow, DeleteFlow, UpdateFlow};
use super::tables::OnboardingFlow;
use super::{FLOWS_MAX, assign, held, items_of};
use crate::form::caller;

/// Makes a flow of the caller's organization, without a step yet; these groups use it.
pub async fn create(call: &mut Call<'_>, input: &CreateFlow) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    input::check_new(input).check()?;
    room(call).await?;
    let groups = input.groups_to_use_onboarding_flow.value();
    let groups = groups.map(|list| list.0.as_slice()).unwrap_or_default();
    assign::hold(call, groups, &[]).await?;
    let now = call.now();
    let id: Id<OnboardingFlow> = call.next_id().await?;
    let flow = OnboardingFlow {
        id,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        user_id: caller(call),
        name: input.name.trimmed().unwrap_or_default().to_owned(),
        lens: -id.0,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&flow).await?;
    assign::groups(call, &flow, groups).await?;
    Ok(Payload::new().one("onboardingFlow", flow.id.0))
}

async fn room(call: &mut Call<'_>) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM onboarding_flows \
         WHERE org_id = $1 AND unit_id = $2 AND deleted_at IS NULL",
        [call.actor.org_id.into(), call.actor.unit_id.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match count < FLOWS_MAX {
        true => Ok(()),
        false => Err(Refused::base(format!(
            "An organization can have {FLOWS_MAX} intake flows; delete one first"
        ))),
    }
}

/// Renames a flow, and says which groups use it: these, and no other that the caller sees.
pub async fn update(call: &mut Call<'_>, input: &UpdateFlow) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    input::check_change(input).check()?;
    let id = named(&input.id).ok_or_else(|| Refused::not_found("id"))?;
    let groups = input.groups_to_use_onboarding_flow.value().map(|list| list.0.as_slice());
    if let Some(groups) = groups {
        assign::hold(call, groups, &[id]).await?;
    }
    let before = held(call, Some(id), "id").await?;
    let mut after = before.clone();
    if let Some(name) = input.name.trimmed() {
        name.clone_into(&mut after.name);
    }
    call.update(&before, &after).await?;
    if let Some(groups) = groups {
        assign::only(call, &after, groups).await?;
    }
    Ok(Payload::new().one("onboardingFlow", before.id.0))
}

/// Deletes a flow. Who used it uses the one that is to receive them, else what is the default
/// (behaviour 27); what clients have done of it stays.
pub async fn delete(call: &mut Call<'_>, input: &DeleteFlow) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    const TO: &str = "flow_to_receive_groups";
    let (id, to) = (named(&input.id), named(&input.flow_to_receive_groups));
    let flows: Vec<Id<OnboardingFlow>> = id.into_iter().collect();
    assign::hold(call, &[], &flows).await?;
    // In the order of ids, so that two deletions never wait for each other.
    let (flow, to) = match to {
        Some(other) if id.is_some_and(|id| other < id) => {
            let to = held(call, Some(other), TO).await?;
            (held(call, id, "id").await?, Some(to))
        }
        Some(other) => {
            let flow = held(call, id, "id").await?;
            (flow, Some(held(call, Some(other), TO).await?))
        }
        None => (held(call, id, "id").await?, None),
    };
    if to.as_ref().is_some_and(|to| to.id == flow.id) {
        return Err(Refused::on(TO, "The flow to receive the groups must be another flow"));
    }
    assign::hand_over(call, &flow, to.as_ref()).await?;
    for item in items_of(call, flow.id).await? {
        call.destroy(&item).await?;
    }
    call.destroy(&flow).await?;
    Ok(Payload::new().one("onboardingFlow", flow.id.0))
}
