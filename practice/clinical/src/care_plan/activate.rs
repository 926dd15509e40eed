//! For whom a plan is active: `toggleCarePlanStatusForSpecificUser` and its siblings. A client has
//! one active plan; another that becomes active takes its place (behaviour 29).

use ward_clients::access::client_to_change;
use ward_clients::events::patient_updated;
use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Cond, Id, StoreError};

use super::input::{BulkUpdate, RemoveUser, Toggle, UpdateGroupPlan};
use super::table::{CarePlan, GroupCarePlanUserConnection as Connection};
use super::{AT_ONCE, access, group, mail, rules};
use crate::events::of_plan;

/// The facts of a client that change with their plan.
const FACTS: &[&str] = &["active_care_plan"];

/// Makes a plan the active one of a client, or not the active one any more.
pub async fn toggle(call: &mut Call<'_>, input: &Toggle) -> Answer<Payload> {
    let plan = access::seen(call, named(&input.id), "id").await?;
    let client = follower(call, &plan, named(&input.patient_id)).await?;
    // Whoever deletes it or gives it away does so before or after.
    let plan = access::kept(call, plan.id, "id").await?;
    rules::can_be_active(&plan)?;
    is_for(&plan, &client)?;
    let is_changed = match input.activate.is_true() {
        true => activate(call, &plan, &client).await?,
        false => match group::connection(call, plan.id, client.id).await? {
            Some(connection) if connection.active => {
                switch(call, &connection, &client, false).await?;
                call.emit(of_plan("care_plan.deactivated", &plan, &[]).about(client.id.0));
                true
            }
            Some(_) | None => false,
        },
    };
    if is_changed {
        call.emit(patient_updated(client.id.0, client.unit_id.0, FACTS));
    }
    Ok(Payload::new().one("carePlan", plan.id.0))
}

/// The client of a plan, held: whose it is, else who is named and in its group.
pub async fn follower(
    call: &mut Call<'_>,
    plan: &CarePlan,
    asked: Option<Id<User>>,
) -> Answer<User> {
    const AT: &str = "patient_id";
    let id = match (plan.patient_id, asked) {
        (Some(own), Some(asked)) if own != asked => return Err(Refused::not_found(AT)),
        (Some(own), _) => own,
        (None, Some(asked)) => asked,
        (None, None) => return Err(Refused::not_found(AT)),
    };
    let client = client_to_change(call, id, AT).await?;
    call.scope.subject_id = Some(client.id.0);
    is_for(plan, &client)?;
    Ok(client)
}

/// That a plan is a client's, or of their group.
fn is_for(plan: &CarePlan, client: &User) -> Answer<()> {
    let is_theirs = plan.patient_id == Some(client.id)
        || (plan.user_group_id.is_some() && plan.user_group_id == client.user_group_id);
    match is_theirs {
        true => Ok(()),
        false => Err(Refused::on(
            "patient_id",
            "This care plan is for nobody of whom this client is: put the client into its group, \
             or make a plan of their own",
        )),
    }
}

/// Makes a plan the active one of a client, who is held; whether it was not before.
pub async fn activate(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<bool> {
    let own = Cond::eq("user_id", client.id.0).and(Cond::is_true("active"));
    let former: Option<Connection> = call.find_by(own).await?;
    match former {
        Some(it) if it.care_plan_id == plan.id && it.user_group_id == plan.user_group_id => {
            return Ok(false);
        }
        Some(it) => {
            switch(call, &it, client, false).await?;
            let left: Option<CarePlan> = call.find(it.care_plan_id).await?;
            // A group's plan stays active for the others.
            if let Some(left) = left.filter(|it| it.id != plan.id) {
                call.emit(of_plan("care_plan.deactivated", &left, &[]).about(client.id.0));
            }
        }
        None => {}
    }
    match group::connection(call, plan.id, client.id).await? {
        Some(connection) => {
            let connection = Connection { user_group_id: plan.user_group_id, ..connection };
            switch(call, &connection, client, true).await?;
        }
        None => connect(call, plan, client).await?,
    }
    call.emit(of_plan("care_plan.activated", plan, &[]).about(client.id.0));
    Ok(true)
}

async fn connect(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<()> {
    let now = call.now();
    let row = Connection {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        care_plan_id: plan.id,
        user_id: client.id,
        user_group_id: plan.user_group_id,
        active: true,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let subject = call.scope.subject_id.replace(client.id.0);
    call.create(&row).await?;
    call.scope.subject_id = subject;
    Ok(())
}

/// Switches what is there.
async fn switch(
    call: &mut Call<'_>,
    connection: &Connection,
    client: &User,
    active: bool,
) -> Answer<()> {
    let mut before = connection.clone();
    before.unit_id = client.unit_id;
    let after = Connection { active, ..before.clone() };
    let subject = call.scope.subject_id.replace(client.id.0);
    call.update(&before, &after).await?;
    call.scope.subject_id = subject;
    Ok(())
}

/// Switches a group's plan on, for each of the group who has no active plan, or off for all.
pub async fn update_group(call: &mut Call<'_>, input: &UpdateGroupPlan) -> Answer<Payload> {
    const AT: &str = "is_active";
    let plan = access::seen(call, named(&input.id), "id").await?;
    access::may_write(call.actor, &plan)?;
    let Some(of) = plan.user_group_id else {
        let sentence = "This care plan is no group's: toggleCarePlanStatusForSpecificUser makes \
             one client's plan active";
        return Err(Refused::on("id", sentence));
    };
    let Some(wanted) = input.is_active.value().copied() else {
        return Err(Refused::on(AT, "Is active can't be blank"));
    };
    let clients = match wanted {
        true => group::members(call, of).await?,
        false => group::followers(call, plan.id).await?,
    };
    group::is_bounded(&clients, "id")?;
    let held = access::to_change(call, Some(plan.id), "id").await?;
    let after = CarePlan { is_on: wanted, ..held.plan.clone() };
    let is_changed = !call.update(&held.plan, &after).await?.is_empty();
    for client in clients {
        let Some(client) = call.find::<User>(client).await? else { continue };
        match wanted {
            true => join(call, &after, &client).await?,
            false => leave(call, &after, &client).await?,
        }
    }
    if is_changed {
        let kind = if wanted { "care_plan.activated" } else { "care_plan.deactivated" };
        call.emit(of_plan(kind, &after, &[]));
    }
    Ok(Payload::new().one("carePlan", after.id.0))
}

/// Makes a group's plan the active one of a client who has none, without an event: there is one
/// for the whole group.
async fn join(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<()> {
    let own = Cond::eq("user_id", client.id.0).and(Cond::is_true("active"));
    if let Some(former) = call.find_by::<Connection>(own).await? {
        // What was a group's that they left is not active any more.
        let holds = former.user_group_id.is_none() || former.user_group_id == client.user_group_id;
        // Nor is one that was deleted while it became active.
        if holds && call.find(former.care_plan_id).await?.is_some() {
            return Ok(());
        }
        switch(call, &former, client, false).await?;
    }
    match group::connection(call, plan.id, client.id).await? {
        Some(connection) => switch(call, &connection, client, true).await,
        None => connect(call, plan, client).await,
    }
}

/// The same of clients who are held.
pub async fn join_all(call: &mut Call<'_>, plan: &CarePlan, clients: &[Id<User>]) -> Answer<()> {
    for id in clients {
        if let Some(client) = call.find::<User>(*id).await? {
            join(call, plan, &client).await?;
        }
    }
    Ok(())
}

/// A plan is not a client's active one any more.
pub async fn leave(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<()> {
    match group::connection(call, plan.id, client.id).await? {
        Some(connection) if connection.active => switch(call, &connection, client, false).await,
        Some(_) | None => Ok(()),
    }
}

/// Takes a client out of a group's plan; they stay in the group.
pub async fn remove_user(call: &mut Call<'_>, input: &RemoveUser) -> Answer<Payload> {
    let plan = access::seen(call, named(&input.care_plan_id), "care_plan_id").await?;
    if plan.user_group_id.is_none() {
        return Err(Refused::on("care_plan_id", "This care plan is no group's"));
    }
    let missing = || Refused::not_found("user_id");
    let id = named(&input.user_id).ok_or_else(missing)?;
    let client = client_to_change(call, id, "user_id").await?;
    call.scope.subject_id = Some(client.id.0);
    let plan = access::kept(call, plan.id, "care_plan_id").await?;
    let found = group::connection(call, plan.id, client.id).await?;
    let connection = found.ok_or_else(missing)?;
    if connection.active {
        switch(call, &connection, &client, false).await?;
        call.emit(of_plan("care_plan.deactivated", &plan, &[]).about(client.id.0));
        call.emit(patient_updated(client.id.0, client.unit_id.0, FACTS));
    }
    Ok(Payload::new().one("groupCarePlanUserConnection", connection.id.0))
}

/// Makes plans active for their clients, and for those of their groups who have no active plan;
/// or mails to those for whom they are active that there is one to see.
pub async fn bulk(call: &mut Call<'_>, input: &BulkUpdate) -> Answer<Payload> {
    members_only(call.actor)?;
    let mut ids: Vec<Id<CarePlan>> = input.ids.value().cloned().unwrap_or_default();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > AT_ONCE {
        return Err(Refused::on("ids", format!("At most {AT_ONCE} care plans at once")));
    }
    let mut plans = Vec::with_capacity(ids.len());
    for id in &ids {
        let plan = access::seen(call, Some(*id), "ids").await?;
        access::may_write(call.actor, &plan)?;
        rules::can_be_active(&plan)?;
        plans.push(plan);
    }
    let mut reached: Vec<(CarePlan, Vec<Id<User>>)> = Vec::with_capacity(plans.len());
    let mut all: Vec<Id<User>> = Vec::new();
    for plan in plans {
        let clients = match (plan.patient_id, plan.user_group_id) {
            (Some(client), _) => vec![client],
            (None, Some(group)) => group::members(call, group).await?,
            (None, None) => Vec::new(),
        };
        all.extend(&clients);
        group::is_bounded(&all, "ids")?;
        reached.push((plan, clients));
    }
    for (plan, clients) in &reached {
        for id in clients {
            // A group's are held already, whether the caller sees each of them or not.
            let client = match plan.patient_id {
                Some(_) => Some(client_to_change(call, *id, "ids").await?),
                None => call.find(*id).await?,
            };
            let Some(client) = client else { continue };
            // Whoever deletes it or gives it away does so before or after.
            let plan = &access::kept(call, plan.id, "ids").await?;
            if is_for(plan, &client).is_err() {
                return Err(StoreError::Conflict.into());
            }
            let subject = call.scope.subject_id.replace(client.id.0);
            if input.activate.is_true() {
                one(call, plan, &client).await?;
            }
            if input.notify.is_true() && reaches(call, plan, &client).await? {
                mail::tell(call, plan, &client).await?;
            }
            call.scope.subject_id = subject;
        }
        if input.activate.is_true() && plan.user_group_id.is_some() && !plan.is_on {
            switch_on(call, plan).await?;
        }
    }
    Ok(Payload::new().many("carePlans", ids.iter().map(|id| id.0).collect()))
}

/// One client's own plan takes the place of any other; a group's only that of none.
async fn one(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<()> {
    match plan.patient_id {
        Some(_) => activate(call, plan, client).await.map(|_| ()),
        None => join(call, plan, client).await,
    }
}

/// Whether a client can read a plan for all that its group says: one of a group's only while it is
/// active for them.
pub async fn reaches(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<bool> {
    if plan.user_group_id.is_none() {
        return Ok(true);
    }
    let found = group::connection(call, plan.id, client.id).await?;
    Ok(found.is_some_and(|it| it.active && it.user_group_id == client.user_group_id))
}

/// A group's plan is on from now on.
async fn switch_on(call: &mut Call<'_>, plan: &CarePlan) -> Answer<()> {
    let held = access::to_change(call, Some(plan.id), "ids").await?;
    let after = CarePlan { is_on: true, ..held.plan.clone() };
    if !call.update(&held.plan, &after).await?.is_empty() {
        call.emit(of_plan("care_plan.activated", &after, &[]));
    }
    Ok(())
}
