//! Which plans a member may change, and who of their clients is held meanwhile (behaviour 16.3,
//! 29).

use ward_clients::access::client_to_change;
use ward_clients::group::{self as groups, check_unit};
use ward_clients::tables::UserGroup;
use ward_engine::{Answer, Call, Refused};
use ward_identity::flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_SETTINGS, CAN_MANAGE_CARE_PLAN_TEMPLATES,
};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::{Organization, User};
use ward_store::{Actor, Id, Level, Query, Sql, StoreError, Value};

use super::PLANS_MAX;
use super::table::CarePlan;

/// A plan that a member works on. Its client, if it has one, is held before.
pub struct Held {
    /// The plan.
    pub plan: CarePlan,
    /// Its client.
    pub client: Option<User>,
}

/// A plan that a member reads to use it: no lock, no more right than seeing it.
pub async fn seen(call: &mut Call<'_>, id: Option<Id<CarePlan>>, at: &str) -> Answer<CarePlan> {
    members_only(call.actor)?;
    let missing = || Refused::not_found(at);
    let id = id.ok_or_else(missing)?;
    let found: Option<(CarePlan, Level)> = call.visible(id, Level::Full).await?;
    found.map(|(plan, _)| plan).ok_or_else(missing)
}

/// The same, looked at again once its client is held: it can't be deleted before the transaction
/// ends.
pub async fn kept(call: &mut Call<'_>, id: Id<CarePlan>, at: &str) -> Answer<CarePlan> {
    let found: Option<(CarePlan, Level)> = call.visible_for_reference(id, Level::Full).await?;
    found.map(|(plan, _)| plan).ok_or_else(|| Refused::not_found(at))
}

/// A plan that a member changes, held with its client: the client first, as whoever works on a
/// client does it. `at` is the field that names it.
pub async fn to_change(call: &mut Call<'_>, id: Option<Id<CarePlan>>, at: &str) -> Answer<Held> {
    let seen = seen(call, id, at).await?;
    may_write(call.actor, &seen)?;
    let client = match seen.patient_id {
        Some(client) => Some(client_to_change(call, client, at).await?),
        None => None,
    };
    let found: Option<(CarePlan, Level)> = call.visible_for_update(seen.id, Level::Full).await?;
    let (mut plan, _) = found.ok_or_else(|| Refused::not_found(at))?;
    // Somebody gave it to a client or a group, or made a template of it, meanwhile.
    let is_as_seen = plan.patient_id == seen.patient_id
        && plan.user_group_id == seen.user_group_id
        && plan.is_template == seen.is_template;
    if !is_as_seen {
        return Err(StoreError::Conflict.into());
    }
    if let Some(client) = &client {
        call.scope.subject_id = Some(client.id.0);
        // The events and the audit entries of it are for those who look after the client now.
        plan.unit_id = client.unit_id;
    }
    Ok(Held { plan, client })
}

/// Templates take a flag of their own, plans of groups that of groups; a client's take seeing the
/// client.
pub fn may_write(actor: &Actor, plan: &CarePlan) -> Answer<()> {
    members_only(actor)?;
    if plan.is_template {
        requires(actor, CAN_MANAGE_CARE_PLAN_TEMPLATES)?;
    }
    match plan.user_group_id {
        Some(_) => may_write_for_groups(actor),
        None => Ok(()),
    }
}

/// Whether the actor may give plans to groups as a whole.
pub fn may_write_for_groups(actor: &Actor) -> Answer<()> {
    match actor.has(CAN_EDIT_SETTINGS.flag) {
        true => members_only(actor),
        false => requires(actor, ALLOW_GROUP_LEVEL_ACTIONS),
    }
}

/// The group that a plan is to be for, seen by the caller, who may write for groups.
pub async fn group(
    call: &mut Call<'_>,
    id: Id<UserGroup>,
    unit: Option<Id<Organization>>,
    at: &str,
) -> Answer<UserGroup> {
    may_write_for_groups(call.actor)?;
    let group = groups::seen(call, id, at).await?;
    if let Some(unit) = unit {
        check_unit(&group, unit, at)?;
    }
    Ok(group)
}

/// That there is room for so many more plans: of a client, else of the organization.
pub async fn has_room(call: &mut Call<'_>, client: Option<Id<User>>, more: usize) -> Answer<()> {
    let mut sql = Sql::new();
    sql.push("SELECT COUNT(*) FROM care_plans p WHERE p.org_id = ").bind(call.actor.org_id);
    sql.push(" AND p.deleted_at IS NULL AND p.patient_id");
    match client {
        Some(client) => drop(sql.push(" = ").bind(client.0)),
        None => drop(sql.push(" IS NULL")),
    }
    let plans = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    match (plans.saturating_add(more) <= PLANS_MAX, client) {
        (true, _) => Ok(()),
        (false, Some(_)) => Err(Refused::base(format!(
            "A client can have {PLANS_MAX} care plans; delete one first"
        ))),
        (false, None) => Err(Refused::base(format!(
            "An organization can have {PLANS_MAX} care plans that are no client's, templates \
             counted; delete one first"
        ))),
    }
}
