//! Subgoals, as they are sent with their goal: one level of them (behaviour 29).

use std::collections::BTreeSet;

use ward_engine::{Answer, Call, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::tables::User;
use ward_store::{Cond, Id, OrderKey};

use super::access::{self, SUBGOALS_MAX};
use super::input::Subgoal;
use super::table::Goal;
use super::{change, rules};
use crate::events::of_goal;

/// Why a subgoal gets no subgoals.
pub const ONE_LEVEL: &str = "A subgoal can't have subgoals of its own";

/// So many are taken at once.
const SENT_MAX: usize = 2 * SUBGOALS_MAX;

/// Why a goal gets no more of them.
pub fn too_many(field: &str) -> Refused {
    Refused::on(field, format!("A goal can have {SUBGOALS_MAX} subgoals"))
}

/// The subgoals of a goal, in the order in which they were set.
pub async fn of(call: &mut Call<'_>, goal: &Goal) -> Answer<Vec<Goal>> {
    let own = Cond::eq("parent_id", goal.id.0);
    let mut subgoals: Vec<Goal> = call.list(own, &[OrderKey::column("id", false)]).await?;
    // The events and the audit entries of them are for those who look after the client now.
    for subgoal in &mut subgoals {
        subgoal.unit_id = goal.unit_id;
    }
    Ok(subgoals)
}

/// Subgoals that began with their goal do so still when it begins on another day; a client's call
/// leaves those that their practice set.
pub async fn follow(call: &mut Call<'_>, before: &Goal, goal: &Goal) -> Answer<()> {
    if goal.start_on == before.start_on {
        return Ok(());
    }
    for part in of(call, goal).await? {
        let is_theirs = access::may_change(call.actor, &part).is_ok();
        if part.start_on == before.start_on && is_theirs {
            let moved = Goal { start_on: goal.start_on, ..part.clone() };
            change::changed(call, &part, &moved).await?;
        }
    }
    Ok(())
}

/// That no subgoal ends before it begins, now that their goal begins on another day.
pub async fn end_in_time(call: &mut Call<'_>, goal: &Goal) -> Answer<()> {
    let parts = of(call, goal).await?;
    let ended = parts.iter().find_map(|part| part.due_date.filter(|due| *due < part.start_on));
    match ended {
        Some(due) => {
            let sentence = format!("Start on can't be after {due}, when a subgoal ends");
            Err(Refused::on("start_on", sentence))
        }
        None => Ok(()),
    }
}

/// Sets, changes and deletes subgoals: with an id one that is there, with `_destroy` no more;
/// without, a new one. Those that are not sent stay as they are.
pub async fn write(
    call: &mut Call<'_>,
    (goal, client): (&Goal, &User),
    sent: &[Subgoal],
) -> Answer<()> {
    const AT: &str = "subgoals";
    if sent.is_empty() {
        return Ok(());
    }
    if goal.parent_id.is_some() {
        return Err(Refused::on(AT, ONE_LEVEL));
    }
    if sent.len() > SENT_MAX {
        return Err(Refused::on(AT, format!("At most {SENT_MAX} subgoals can be sent at once")));
    }
    let known = of(call, goal).await?;
    let mut seen: BTreeSet<Id<Goal>> = BTreeSet::new();
    let (mut gone, mut new) = (0, 0);
    for input in sent {
        match named(&input.id) {
            Some(id) if !seen.insert(id) => {
                return Err(Refused::on(AT, "The same subgoal can't be sent twice"));
            }
            Some(_) if input._destroy.is_true() => gone += 1,
            None if !input._destroy.is_true() => new += 1,
            Some(_) | None => {}
        }
    }
    if known.len().saturating_sub(gone) + new > SUBGOALS_MAX {
        return Err(too_many(AT));
    }
    // Two merged clients may have more than one can: who adds none needs no room.
    if new > gone {
        access::has_room(call, client, new - gone).await?;
    }
    for (place, input) in sent.iter().enumerate() {
        match named(&input.id) {
            Some(id) => {
                let before = known.iter().find(|it| it.id == id);
                let before = before.ok_or_else(|| Refused::not_found("id"))?;
                access::may_change(call.actor, before)?;
                one(call, before, (place, input)).await?;
            }
            None if input._destroy.is_true() => {}
            None => create(call, (goal, client), (place, input)).await?,
        }
    }
    Ok(())
}

/// Changes or deletes one that is there.
async fn one(call: &mut Call<'_>, before: &Goal, (place, input): (usize, &Subgoal)) -> Answer<()> {
    if input._destroy.is_true() {
        return change::remove(call, before).await;
    }
    let mut after = before.clone();
    said(&mut after, (place, input))?;
    change::changed(call, before, &after).await
}

async fn create(
    call: &mut Call<'_>,
    (goal, client): (&Goal, &User),
    (place, input): (usize, &Subgoal),
) -> Answer<()> {
    let author = Id::new(call.actor.user_id);
    let id = call.next_id().await?;
    let mut subgoal = Goal::new(id, client, (author, goal.start_on.0), call.now());
    subgoal.parent_id = Some(goal.id);
    // How often, unless it says otherwise, as the goal that it is a part of.
    subgoal.repeat = goal.repeat;
    said(&mut subgoal, (place, input))?;
    call.create(&subgoal).await?;
    call.emit(of_goal("goal.created", &subgoal, &[]));
    Ok(())
}

/// Writes what was sent; a problem says of which of them it is.
fn said(subgoal: &mut Goal, (place, input): (usize, &Subgoal)) -> Answer<()> {
    let mut problems = Problems::new();
    rules::write(&input.said(), subgoal, &mut problems);
    problems.check().map_err(|refused| match refused {
        Refused::Problems(mut problems) => {
            for problem in &mut problems {
                problem.message = format!("Subgoal {}: {}", place + 1, problem.message);
            }
            Refused::Problems(problems)
        }
        other => other,
    })
}
