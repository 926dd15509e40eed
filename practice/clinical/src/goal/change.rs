//! `createGoal` and its siblings (behaviour 29).

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::tables::User;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Cond, Id, Level, OrderKey, Query, Sql};

use super::access::{self, SUBGOALS_MAX};
use super::input::{CreateGoal, DeleteGoal, Subgoal, UpdateGoal};
use super::table::{Goal, GoalHistory};
use super::{progress, rules, subgoal};
use crate::care_plan::connect::{self, Part};
use crate::events::{of_goal, of_goal_history};

/// Sets a goal for a client, with its subgoals; or a subgoal of one.
pub async fn create(call: &mut Call<'_>, input: &CreateGoal) -> Answer<Payload> {
    let client = access::subject(call, &input.user_id).await?;
    let plan = match named(&input.care_plan_id) {
        Some(id) => Some(connect::plan_for_goal(call, id, client.id).await?),
        None => None,
    };
    let parent = match named(&input.parent_id) {
        Some(id) => Some(parent(call, id, &client).await?),
        None => None,
    };
    if plan.is_some() && parent.is_some() {
        let sentence = "A subgoal is in the care plan of its goal: leave out one of both";
        return Err(Refused::on("care_plan_id", sentence));
    }
    let subgoals: &[Subgoal] = input.subgoals.value().map_or(&[][..], Vec::as_slice);
    access::has_room(call, &client, 1).await?;
    let today = progress::today(call, &client).await?;
    let author = Id::new(call.actor.user_id);
    let mut goal = Goal::new(call.next_id().await?, &client, (author, today), call.now());
    if let Some(parent) = &parent {
        goal.parent_id = Some(parent.id);
        goal.start_on = parent.start_on;
        // How often, unless it says otherwise, as the goal that it is a part of.
        goal.repeat = parent.repeat;
    }
    let mut problems = Problems::new();
    rules::wants_none(&input.program_goal, &input.reminder, &mut problems);
    rules::write(&input.said(), &mut goal, &mut problems);
    problems.check()?;
    call.create(&goal).await?;
    if let Some(plan) = &plan {
        connect::add(call, plan, Part::Goal(goal.id)).await?;
    }
    tell(call, "goal.created", &goal, &[]).await?;
    subgoal::write(call, (&goal, &client), subgoals).await?;
    Ok(Payload::new().one("goal", goal.id.0))
}

/// The goal of the client that another one is to be a part of.
async fn parent(call: &mut Call<'_>, id: Id<Goal>, client: &User) -> Answer<Goal> {
    const AT: &str = "parent_id";
    let found: Option<(Goal, Level)> = call.visible_for_update(id, Level::Full).await?;
    let goal = found.map(|(goal, _)| goal).filter(|goal| goal.user_id == client.id);
    let goal = goal.ok_or_else(|| Refused::not_found(AT))?;
    access::may_change(call.actor, &goal)?;
    if goal.parent_id.is_some() {
        return Err(Refused::on(AT, subgoal::ONE_LEVEL));
    }
    match subgoal::of(call, &goal).await?.len() < SUBGOALS_MAX {
        true => Ok(goal),
        false => Err(subgoal::too_many(AT)),
    }
}

/// Changes a goal and its subgoals; it stays the client's whose it is, and what it is a part of.
pub async fn update(call: &mut Call<'_>, input: &UpdateGoal) -> Answer<Payload> {
    let (before, client) = access::to_change(call, named(&input.id)).await?;
    if named(&input.user_id).is_some_and(|id| id != client.id) {
        return Err(Refused::not_found("user_id"));
    }
    let mut after = before.clone();
    let mut problems = Problems::new();
    rules::wants_none(&input.program_goal, &input.reminder, &mut problems);
    rules::write(&input.said(), &mut after, &mut problems);
    problems.check()?;
    changed(call, &before, &after).await?;
    subgoal::follow(call, &before, &after).await?;
    let subgoals: &[Subgoal] = input.subgoals.value().map_or(&[][..], Vec::as_slice);
    subgoal::write(call, (&after, &client), subgoals).await?;
    if after.start_on != before.start_on {
        subgoal::end_in_time(call, &after).await?;
    }
    Ok(Payload::new().one("goal", after.id.0))
}

/// Writes what was changed of a goal, and tells of it.
pub async fn changed(call: &mut Call<'_>, before: &Goal, after: &Goal) -> Answer<()> {
    let changes = call.update(before, after).await?;
    match changes.is_empty() {
        true => Ok(()),
        false => tell(call, "goal.updated", after, &changes.columns).await,
    }
}

/// Emits what happened to a goal, with the care plan that it is in.
async fn tell(
    call: &mut Call<'_>,
    kind: &'static str,
    goal: &Goal,
    columns: &[&'static str],
) -> Answer<()> {
    let plan = connect::plan_of_goal(call, goal.id).await?.map(|id| id.0.to_string());
    call.emit(of_goal(kind, goal, columns).with("care_plan_id", plan));
    Ok(())
}

/// Deletes a goal with its subgoals, and what was recorded of any of them: all that, or nothing
/// where one of the subgoals is not the caller's to change.
pub async fn delete(call: &mut Call<'_>, input: &DeleteGoal) -> Answer<Payload> {
    let (goal, _) = access::to_change(call, named(&input.id)).await?;
    let parts = subgoal::of(call, &goal).await?;
    for part in &parts {
        access::may_change(call.actor, part)?;
    }
    for part in &parts {
        remove(call, part).await?;
    }
    remove(call, &goal).await?;
    Ok(Payload::new().one("goal", goal.id.0))
}

/// Deletes one goal, and what was recorded of it: all of that by one statement, since it may be
/// much, with an audit entry and an event each.
pub async fn remove(call: &mut Call<'_>, goal: &Goal) -> Answer<()> {
    let recorded = Cond::eq("goal_id", goal.id.0);
    let histories: Vec<GoalHistory> = call.list(recorded, &[OrderKey::column("id", false)]).await?;
    let is_own = |it: &GoalHistory| it.added_by_user_id.0 == call.actor.user_id;
    if call.actor.is_client() && !histories.iter().all(is_own) {
        return Err(Refused::base(access::NOT_RECORDED));
    }
    let now = call.now().0;
    let mut sql = Sql::new();
    sql.push("UPDATE goal_histories SET deleted_at = ").bind(now);
    sql.push(", updated_at = ").bind(now).push(", version = version + 1 WHERE org_id = ");
    sql.bind(goal.org_id.0).push(" AND goal_id = ").bind(goal.id.0);
    sql.push(" AND deleted_at IS NULL");
    if !histories.is_empty() {
        call.tx.execute(&sql).await?;
    }
    for mut history in histories {
        history.unit_id = goal.unit_id;
        let key = history.id.0.to_string();
        let mut entry = AuditEntry::by(call.actor, AuditType::Destroy, "GOAL_HISTORY", key);
        entry.unit_id = goal.unit_id.0;
        entry.subject_id = Some(goal.user_id.0);
        entry.changes = vec![AuditChange::new("deleted_at", None, Some(&now.to_string()))];
        call.record(entry);
        call.emit(of_goal_history("goal_history.deleted", &history));
    }
    call.destroy(goal).await?;
    tell(call, "goal.deleted", goal, &[]).await?;
    connect::forget_goal(call, goal.id).await
}
