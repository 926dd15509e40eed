//! `createGoalHistory` and `deleteGoalHistory`: that a goal was reached on a day, and that it was
//! not (behaviour 29).

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_store::{Cond, Day, Id};

use super::input::{CreateHistory, DeleteHistory};
use super::table::{Action, Goal, GoalHistory, Repeat};
use super::{access, progress};
use crate::events::of_goal_history;
use crate::rules;

/// Records that a goal was reached on a day, today if none is named; and on request that the goal
/// was which it is a part of. A day that is recorded already is answered as it is.
pub async fn create(call: &mut Call<'_>, input: &CreateHistory) -> Answer<Payload> {
    let (goal, client) = access::held(call, named(&input.goal_id), "goal_id").await?;
    if named(&input.user_id).is_some_and(|id| id != client.id) {
        return Err(Refused::not_found("user_id"));
    }
    let today = Day(progress::today(call, &client).await?);
    let mut problems = Problems::new();
    rules::word_of(("action", &input.action), None, Action::TEXTS, &mut problems);
    let sent = ("completed_on", &input.completed_on);
    let day = rules::day_of(sent, Some(today), &mut problems).unwrap_or(today);
    // A day has begun where the client is, or where whoever records it is.
    let here = Day(progress::day_at(call.now(), call.request.zone.clone()));
    if day > today.max(here) {
        problems.add("completed_on", "Completed on can't be in the future");
    }
    if day < goal.start_on {
        let sentence = format!("Completed on can't be before the goal begins, {}", goal.start_on);
        problems.add("completed_on", sentence);
    }
    problems.check()?;
    let id = match known(call, &goal, day).await? {
        Some(known) if known.completed_on != day => {
            let on = known.completed_on;
            let sentence = format!("This goal is to be reached once, and was completed on {on}");
            return Err(Refused::on("completed_on", sentence));
        }
        Some(known) => known.id,
        None => record(call, &goal, day).await?,
    };
    if let Some(parent) = goal.parent_id.filter(|_| input.mark_parent_complete.is_true()) {
        let (parent, _) = access::held(call, Some(parent), "goal_id").await?;
        if day >= parent.start_on && known(call, &parent, day).await?.is_none() {
            record(call, &parent, day).await?;
        }
    }
    Ok(Payload::new().one("goalHistory", id.0))
}

/// What is recorded of the day already; of what is to be reached once, of any day.
async fn known(call: &mut Call<'_>, goal: &Goal, day: Day) -> Answer<Option<GoalHistory>> {
    let of_goal = Cond::eq("goal_id", goal.id.0);
    let of_day = of_goal.clone().and(Cond::eq("completed_on", day.to_string()));
    let known: Option<GoalHistory> = call.find_by(of_day).await?;
    match goal.repeat {
        Repeat::Once if known.is_none() => Ok(call.find_by(of_goal).await?),
        Repeat::Daily | Repeat::Weekly | Repeat::Once => Ok(known),
    }
}

async fn record(call: &mut Call<'_>, goal: &Goal, day: Day) -> Answer<Id<GoalHistory>> {
    access::can_be_reached(call, goal).await?;
    let now = call.now();
    let row = GoalHistory {
        id: call.next_id().await?,
        org_id: goal.org_id,
        unit_id: goal.unit_id,
        user_id: goal.user_id,
        goal_id: goal.id,
        added_by_user_id: Id::new(call.actor.user_id),
        action: Action::Completed,
        completed_on: day,
        name: goal.name.clone(),
        description: goal.description.clone(),
        repeat: goal.repeat,
        is_subgoal: goal.parent_id.is_some(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&row).await?;
    call.emit(of_goal_history("goal_history.created", &row));
    Ok(row.id)
}

/// Takes back that a goal was reached on a day.
pub async fn delete(call: &mut Call<'_>, input: &DeleteHistory) -> Answer<Payload> {
    let history = access::to_take_back(call, &input.id).await?;
    let mut problems = Problems::new();
    let on = history.completed_on;
    let day = rules::day_of(("completed_on", &input.completed_on), Some(on), &mut problems);
    if day.is_some_and(|day| day != on) {
        problems.add("completed_on", format!("This was completed on {on}, and on no other day"));
    }
    problems.check()?;
    call.destroy(&history).await?;
    call.emit(of_goal_history("goal_history.deleted", &history));
    Ok(Payload::new().one("goal_history", history.id.0))
}
