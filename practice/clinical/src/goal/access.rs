//! Whose goals somebody may set and change: members those of the clients whom they see, clients
//! their own (behaviour 29). Whoever writes holds the client, so that no two calls do at a time.

use ward_clients::access;
use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Actor, Id, Level, Query, Sql, Value};

use super::table::{Goal, GoalHistory};

/// A client has so many goals at most, subgoals counted.
pub const GOALS_MAX: i64 = 1_000;
/// A goal has so many subgoals at most.
pub const SUBGOALS_MAX: usize = 10;
/// A goal is recorded as reached on so many days at most: every day of ten years and more.
pub const HISTORIES_MAX: i64 = 4_000;
/// And so often at most with what was taken back since.
pub const RECORDED_MAX: i64 = 10_000;

const NOT_THEIRS: &str = "This goal was set by your practice, which alone can change it";
pub(super) const NOT_RECORDED: &str =
    "This was recorded by your practice, which alone can take it back";

/// The client whom a goal is set for, held: whoever asks, where that is a client.
pub async fn subject(call: &mut Call<'_>, id: &Given<IdOrBlank<User>>) -> Answer<User> {
    const AT: &str = "user_id";
    let asked = named(id);
    let id = match call.actor.is_client() {
        true => own(call, asked).await?,
        false => {
            members_only(call.actor)?;
            asked.ok_or_else(|| Refused::not_found(AT))?
        }
    };
    let client = access::client_to_change(call, id, AT).await?;
    call.scope.subject_id = Some(client.id.0);
    Ok(client)
}

async fn own(call: &mut Call<'_>, asked: Option<Id<User>>) -> Answer<Id<User>> {
    let (org_id, own) = (call.actor.org_id, Id::new(call.actor.user_id));
    if asked.is_some_and(|id| id != own) {
        return Err(Refused::not_found("user_id"));
    }
    match feature_toggle::is_on(call.scope.tx, org_id, own.0, Switch::Goals).await? {
        true => Ok(own),
        false => Err(Refused::base("Your practice has switched goals off")),
    }
}

/// That so many more goals can be set for the client.
pub async fn has_room(call: &mut Call<'_>, client: &User, more: usize) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM goals g WHERE g.org_id = $1 AND g.user_id = $2 \
         AND g.deleted_at IS NULL",
        [client.org_id.0.into(), client.id.0.into()],
    );
    let goals = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match goals.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)) <= GOALS_MAX {
        true => Ok(()),
        false => Err(Refused::base(format!(
            "A client can have {GOALS_MAX} goals, subgoals counted; delete one first"
        ))),
    }
}

/// That a goal can be recorded as reached once more.
pub async fn can_be_reached(call: &mut Call<'_>, goal: &Goal) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(CASE WHEN h.deleted_at IS NULL THEN 1 END), COUNT(*) \
         FROM goal_histories h WHERE h.org_id = $1 AND h.goal_id = $2",
        [goal.org_id.0.into(), goal.id.0.into()],
    );
    let found = call.tx.rows(&sql).await?;
    let count = |at: usize| found.row(0).get(at).and_then(Value::int).unwrap_or(0);
    if count(0) >= HISTORIES_MAX {
        return Err(Refused::base(format!(
            "This goal was completed {HISTORIES_MAX} times, which is the most; set a new one"
        )));
    }
    match count(1) < RECORDED_MAX {
        true => Ok(()),
        false => Err(Refused::base(format!(
            "This goal was recorded {RECORDED_MAX} times, with what was taken back, which is the \
             most; set a new one"
        ))),
    }
}

/// A goal that somebody works on, and its client, who is held. `at` is the field that names it.
pub async fn held(call: &mut Call<'_>, id: Option<Id<Goal>>, at: &str) -> Answer<(Goal, User)> {
    let missing = || Refused::not_found(at);
    let id = id.ok_or_else(missing)?;
    let found: Option<(Goal, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let client = access::client_to_change(call, seen.user_id, at).await?;
    let found: Option<(Goal, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (mut goal, _) = found.ok_or_else(missing)?;
    call.scope.subject_id = Some(client.id.0);
    // The events and the audit entries of it are for those who look after the client now.
    goal.unit_id = client.unit_id;
    Ok((goal, client))
}

/// The same, to change it.
pub async fn to_change(call: &mut Call<'_>, id: Option<Id<Goal>>) -> Answer<(Goal, User)> {
    let (goal, client) = held(call, id, "id").await?;
    may_change(call.actor, &goal)?;
    Ok((goal, client))
}

/// Clients change what they set themselves.
pub fn may_change(actor: &Actor, goal: &Goal) -> Answer<()> {
    match actor.is_client() && goal.created_user_id.0 != actor.user_id {
        true => Err(Refused::base(NOT_THEIRS)),
        false => Ok(()),
    }
}

/// What was recorded of a goal, to take it back: clients what they recorded themselves.
pub async fn to_take_back(
    call: &mut Call<'_>,
    id: &Given<IdOrBlank<GoalHistory>>,
) -> Answer<GoalHistory> {
    let missing = || Refused::not_found("id");
    let id = named(id).ok_or_else(missing)?;
    let found: Option<(GoalHistory, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let client = access::client_to_change(call, seen.user_id, "id").await?;
    let found: Option<(GoalHistory, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (mut history, _) = found.ok_or_else(missing)?;
    call.scope.subject_id = Some(client.id.0);
    if call.actor.is_client() && history.added_by_user_id.0 != call.actor.user_id {
        return Err(Refused::base(NOT_RECORDED));
    }
    history.unit_id = client.unit_id;
    Ok(history)
}
