//! Who uses which flow: groups one each, members one for their clients whose group has none
//! (behaviour 27).
//!
//! Groups are held before flows, and both before the rows that say who uses which, by all
//! that write these. Whose default it is isn't held by who deletes a flow: of two who write
//! such a row at once one is told so, by its version.

use ward_engine::{Answer, Call, Given, Payload, Refused};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::requires;
use ward_identity::tables::{Organization, User, UserGroup};
use ward_store::{Cond, Id, Level, Query, Sql, StoreError, Value};

use super::GROUPS_MAX;
use super::input::{DefaultFlow, GroupFlow};
use super::tables::{OnboardingDefault, OnboardingFlow, OnboardingFlowGroup};

/// The input field that names groups.
const GROUPS: &str = "groups_to_use_onboarding_flow";

/// Holds these groups and those that use one of these flows, in the order of ids.
pub async fn hold(
    call: &mut Call<'_>,
    groups: &[Id<UserGroup>],
    flows: &[Id<OnboardingFlow>],
) -> Answer<()> {
    let org = call.actor.org_id;
    let mut ids: Vec<i64> = groups.iter().map(|id| id.0).collect();
    for flow in flows {
        let used = Cond::eq("onboarding_flow_id", flow.0);
        let rows: Vec<OnboardingFlowGroup> = call.list(used, &[]).await?;
        ids.extend(rows.iter().map(|row| row.user_group_id.0));
    }
    if ids.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new();
    sql.push("SELECT g.id FROM user_groups g WHERE g.org_id = ").bind(org).push(" AND g.id");
    sql.bind_in(ids.as_slice()).push(" ORDER BY g.id FOR_NO_KEY_UPDATE");
    call.tx.rows(&sql).await?;
    Ok(())
}

/// These groups use the flow from then on, whatever they used before.
pub async fn groups(
    call: &mut Call<'_>,
    flow: &OnboardingFlow,
    ids: &[Id<UserGroup>],
) -> Answer<()> {
    for id in ids {
        let group = ward_clients::group::seen(call, *id, GROUPS).await?;
        use_of_group(call, &group, Some(flow), GROUPS).await?;
    }
    Ok(())
}

/// These groups use the flow, and of those that the caller sees no other.
pub async fn only(call: &mut Call<'_>, flow: &OnboardingFlow, ids: &[Id<UserGroup>]) -> Answer<()> {
    let used = Cond::eq("onboarding_flow_id", flow.id.0);
    let rows: Vec<OnboardingFlowGroup> = call.list(used, &[]).await?;
    for row in rows.iter().filter(|row| !ids.contains(&row.user_group_id)) {
        let seen = call.visible::<UserGroup>(row.user_group_id, Level::Full).await?;
        if seen.is_some() {
            call.destroy(row).await?;
        }
    }
    groups(call, flow, ids).await
}

/// Who used a flow that is deleted uses another from then on, or none of their own.
pub async fn hand_over(
    call: &mut Call<'_>,
    flow: &OnboardingFlow,
    to: Option<&OnboardingFlow>,
) -> Answer<()> {
    let used = || Cond::eq("onboarding_flow_id", flow.id.0);
    let rows: Vec<OnboardingFlowGroup> = call.list(used(), &[]).await?;
    for row in &rows {
        let group: Option<UserGroup> = call.find(row.user_group_id).await?;
        match (group, to) {
            (Some(group), Some(to)) => {
                use_of_group(call, &group, Some(to), "flow_to_receive_groups").await?;
            }
            _ => call.destroy(row).await?,
        }
    }
    let rows: Vec<OnboardingDefault> = call.list(used(), &[]).await?;
    for before in &rows {
        match to {
            Some(to) => {
                if let Some(member) = call.find::<User>(before.user_id).await? {
                    near(to, (member.unit_id, member.org_id), "flow_to_receive_groups")?;
                }
                let after = OnboardingDefault { onboarding_flow_id: to.id, ..before.clone() };
                call.update(before, &after).await?;
            }
            None => call.destroy(before).await?,
        }
    }
    Ok(())
}

/// Writes down which flow a group uses.
async fn use_of_group(
    call: &mut Call<'_>,
    group: &UserGroup,
    flow: Option<&OnboardingFlow>,
    at: &str,
) -> Answer<()> {
    let own = Cond::eq("user_group_id", group.id.0);
    let before: Option<OnboardingFlowGroup> = call.find_by(own).await?;
    let Some(flow) = flow else {
        if let Some(before) = before {
            call.destroy(&before).await?;
        }
        return Ok(());
    };
    near(flow, (group.unit_id, group.org_id), at)?;
    if before.as_ref().is_some_and(|it| it.onboarding_flow_id == flow.id) {
        return Ok(());
    }
    room(call, flow, at).await?;
    let now = call.now();
    match before {
        Some(before) => {
            let after = OnboardingFlowGroup { onboarding_flow_id: flow.id, ..before.clone() };
            call.update(&before, &after).await?;
        }
        None => {
            let row = OnboardingFlowGroup {
                org_id: group.org_id,
                user_group_id: group.id,
                onboarding_flow_id: flow.id,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            call.create(&row).await?;
        }
    }
    Ok(())
}

/// A flow is used in its own unit, that of the whole everywhere: siblings don't meet in one
/// (behaviour 15).
fn near(
    flow: &OnboardingFlow,
    (unit_id, org_id): (Id<Organization>, Id<Organization>),
    at: &str,
) -> Answer<()> {
    match flow.unit_id == unit_id || flow.unit_id == org_id {
        true => Ok(()),
        false => {
            let sentence = "The intake flow belongs to another organization than who would use it";
            Err(Refused::on(at, sentence))
        }
    }
}

/// Refuses one group more where a flow has very many.
async fn room(call: &mut Call<'_>, flow: &OnboardingFlow, at: &str) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM onboarding_flow_groups WHERE org_id = $1 AND onboarding_flow_id = $2",
        [flow.org_id.0.into(), flow.id.0.into()],
    );
    match call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0) < GROUPS_MAX {
        true => Ok(()),
        false => Err(Refused::on(at, format!("An intake flow can have {GROUPS_MAX} groups"))),
    }
}

/// The flow that somebody is to use; a blank one means none of their own.
async fn chosen(
    call: &mut Call<'_>,
    given: &Given<IdOrBlank<OnboardingFlow>>,
    at: &str,
) -> Answer<Option<OnboardingFlow>> {
    let Some(id) = named(given) else { return Ok(None) };
    let found = call.visible_for_reference(id, Level::Public).await?;
    found.map(|(flow, _)| Some(flow)).ok_or_else(|| Refused::not_found(at))
}

/// `updateUserGroup(onboarding_flow_id:)`, of the group that it has found and holds; an empty
/// text takes the flow off, null leaves it.
pub async fn of_group(call: &mut Call<'_>, input: &GroupFlow, payload: &Payload) -> Answer<()> {
    const AT: &str = "onboarding_flow_id";
    if input.onboarding_flow_id.value().is_none() {
        return Ok(());
    }
    requires(call.actor, CAN_EDIT_FORMS)?;
    let group: Option<UserGroup> = match payload.id("user_group") {
        Some(id) => call.find(Id::new(id)).await?,
        None => None,
    };
    let group = group.ok_or(StoreError::Conflict)?;
    let before: Option<OnboardingFlowGroup> =
        call.find_by(Cond::eq("user_group_id", group.id.0)).await?;
    if before.map(|it| it.onboarding_flow_id) == named(&input.onboarding_flow_id) {
        return Ok(());
    }
    let flow = chosen(call, &input.onboarding_flow_id, AT).await?;
    use_of_group(call, &group, flow.as_ref(), AT).await
}

/// `updateUser(default_onboarding_flow_id:)`, of the member who asks: it is that of their
/// clients, and the owner's is the organization's.
pub async fn of_member(call: &mut Call<'_>, input: &DefaultFlow, payload: &Payload) -> Answer<()> {
    const AT: &str = "default_onboarding_flow_id";
    if input.default_onboarding_flow_id.value().is_none() {
        return Ok(());
    }
    requires(call.actor, CAN_EDIT_FORMS)?;
    let member: Option<User> = match payload.id("user") {
        Some(id) => call.find(Id::new(id)).await?,
        None => None,
    };
    let member = member.ok_or(StoreError::Conflict)?;
    if member.is_patient {
        let sentence = "Only members have a default intake flow; give the client's group one";
        return Err(Refused::on(AT, sentence));
    }
    let own = Cond::eq("user_id", member.id.0);
    let before: Option<OnboardingDefault> = call.find_by(own).await?;
    let used = before.as_ref().map(|it| it.onboarding_flow_id);
    if used == named(&input.default_onboarding_flow_id) {
        return Ok(());
    }
    let flow = chosen(call, &input.default_onboarding_flow_id, AT).await?;
    if let Some(flow) = &flow {
        near(flow, (member.unit_id, member.org_id), AT)?;
    }
    let now = call.now();
    match (before, flow) {
        (Some(before), Some(flow)) => {
            let after = OnboardingDefault { onboarding_flow_id: flow.id, ..before.clone() };
            call.update(&before, &after).await?;
        }
        (Some(before), None) => call.destroy(&before).await?,
        (None, Some(flow)) => {
            let row = OnboardingDefault {
                org_id: member.org_id,
                user_id: member.id,
                onboarding_flow_id: flow.id,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            call.create(&row).await?;
        }
        (None, None) => {}
    }
    Ok(())
}
