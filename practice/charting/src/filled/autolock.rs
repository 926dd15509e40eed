//! Notes that lock by themselves (behaviour 26), so many hours after they were finished or unlocked
//! as their organization has it: see [`ward_identity::autolock`]. It is the organization in which
//! the note was begun, wherever its client is by then.
//!
//! A job at the minute at which a note is due locks the one that has waited longest, goes on as long
//! as more is due, and plans the next. One note is one transaction, so that nobody waits for others'.
//! It goes by what is there then: what was locked, deleted or unlocked again meanwhile, and whatever
//! the setting was when it was planned. A note at which it fails is skipped for a while, and then
//! tried again behind whatever is due, so that no other waits for it.

mod queue;
mod skip;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use ward_engine::{Answer, Refused, errands};
use ward_identity::autolock::{InForce, JOB_KIND, SETTING, UNITS, read};
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::jobs::{self, Job, MAX_BATCH};
use ward_store::{Actor, Db, Id, Level, Query, Scope, Sql, StoreError, Tx, Value};

use self::queue::{Waiting, first, next_up, waiting};
use super::sheet::Sheet;
use super::steps::{self, Step};
use super::tables::{Deed, FORM_ANSWER_GROUPS, FORM_ANSWERS, FormAnswerGroup};
use crate::events;

const KINDS: &[&str] = &[JOB_KIND];

/// How long a job is a worker's, for one note.
const LEASE: Duration = Duration::from_secs(60);
/// How often a batch looks for jobs, each of which locks one note and goes on.
const ROUNDS: usize = 50;
const FAILED: &str = "notes don't lock by themselves";
/// What the instance's log says of a note at which its lock failed, and of one that is damaged.
const LATER: &str = "a note doesn't lock by itself now; it is tried again later";
const UNREADABLE: &str = "a note can't be read and doesn't lock by itself; the others do";
/// What a value says that is whole, but whose key this server has not, or not yet.
const NO_KEY: &str = "which is not at hand";

/// How the history has it that nobody locked a note.
const HOW: &str = "Locked automatically";
/// In place of a note's id: a step is at none.
const NO_NOTE: i64 = 0;

/// Writes from when a note's time runs, as it is now: of one that is finished and open, from now on
/// unless it does already. What clients fill in is no note.
pub fn set_time(group: &mut FormAnswerGroup, now: Timestamp) {
    let is_open = group.use_for_charting && group.finished && group.locked_at.is_none();
    let from = group.autolock_from.unwrap_or(now);
    group.autolock_from = is_open.then_some(from);
}

/// Plans that a note, which was written, locks when its time has come, if its organization has it
/// so. That its lock failed is forgotten, and it is tried anew; that is no change of the note, and
/// neither its version nor the audit log nor an event has it.
pub async fn written(
    scope: &mut Scope<'_>,
    before: Option<&FormAnswerGroup>,
    after: &FormAnswerGroup,
) -> Answer<()> {
    let was_skipped = before.is_some_and(|it| it.autolock_skipped_until.is_some());
    if was_skipped {
        skip::forget(scope.tx, scope.actor.org_id, after.id.0).await?;
    }
    let is_planned = before.is_some_and(|it| it.autolock_from == after.autolock_from);
    let from = after.autolock_from.filter(|_| was_skipped || !is_planned);
    let Some(from) = from else { return Ok(()) };
    if let Some(setting) = setting_of(scope, after.id).await? {
        let org_id = scope.actor.org_id;
        ward_identity::autolock::plan(scope.tx, org_id, setting.due(from)).await?;
    }
    Ok(())
}

/// The setting by which a note locks, if it does: of the organization that its row has. In a call a
/// note is said to be of its client's.
async fn setting_of(
    scope: &mut Scope<'_>,
    id: Id<FormAnswerGroup>,
) -> Result<Option<InForce>, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT ").push(SETTING).push(" ").push(UNITS);
    sql.push(" JOIN form_answer_groups g ON g.org_id = u.org_id AND g.unit_id = u.id");
    sql.push(" WHERE g.org_id = ").bind(scope.actor.org_id).push(" AND g.id = ").bind(id.0);
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.iter().next().and_then(read).map(|(_, setting)| setting))
}

/// Locks some of the notes that are due; how many jobs were begun or gone on with.
pub async fn run_batch(db: &Db) -> Result<u64, StoreError> {
    let mut all = 0;
    for _ in 0..ROUNDS {
        let due = jobs::claim(db, KINDS, MAX_BATCH, LEASE).await?;
        if due.is_empty() {
            break;
        }
        for job in due {
            run(db, job).await?;
            all += 1;
        }
    }
    Ok(all)
}

/// One step of a job, in a transaction of its own. Whatever fails at a note, also a panic, or when
/// its audit entry and event are written behind the step, is the note's.
async fn run(db: &Db, job: Job) -> Result<(), StoreError> {
    let at = Arc::new(AtomicI64::new(NO_NOTE));
    let held = (job.clone(), at.clone());
    let done = db.write(move |tx| {
        let (job, at) = held.clone();
        Box::pin(async move { step(tx, &job, &at).await })
    });
    let Err(refused) = done.await else { return Ok(()) };
    match (at.load(Ordering::Relaxed), refused) {
        (note, Refused::Store(error)) if note != NO_NOTE && is_of_note(&error) => {
            tracing::warn!(note, %error, "{LATER}");
            pass(db, job, note).await
        }
        (_, refused) => errands::give_back(db, job, refused, FAILED).await,
    }
}

/// Has a note skipped at which a job failed, and goes on with the job.
async fn pass(db: &Db, job: Job, note: i64) -> Result<(), StoreError> {
    let held = job.clone();
    let done = db.write(move |tx| {
        let job = held.clone();
        Box::pin(async move {
            skip::for_a_while(tx, job.org_id, note).await?;
            errands::go_on(tx, &job, &json!({})).await
        })
    });
    match done.await {
        Ok(()) => Ok(()),
        Err(refused) => errands::give_back(db, job, refused, FAILED).await,
    }
}

/// Whether an error may be one note's, and not of a database that is busy, full or away.
fn is_of_note(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Corrupt { .. }
            | StoreError::Internal { .. }
            | StoreError::Constraint(_)
            | StoreError::Unique(_)
    )
}

/// Locks the next note, which is kept in `at`: for whoever is told that it failed.
async fn step(tx: &mut Tx, job: &Job, at: &AtomicI64) -> Answer<()> {
    // It may be run again.
    at.store(NO_NOTE, Ordering::Relaxed);
    let system = Actor::system(job.org_id);
    let mut scope = Scope::new(tx, &system);
    let waiting = waiting(&mut scope).await?;
    if let Some((unit, line)) = next_up(&waiting, scope.now())
        && let Some(id) = first(&mut scope, unit, &line).await?
    {
        hold_setting(&mut scope, unit).await?;
        at.store(id.0, Ordering::Relaxed);
        lock(&mut scope, id).await?;
    }
    go_on(&mut scope, job).await
}

/// Keeps what an organization and its root say until the transaction ends: whoever changes it
/// meanwhile waits, or it is read here as they changed it. Before the note, as whoever writes a note
/// has that first and waits for no organization that is only kept.
async fn hold_setting(scope: &mut Scope<'_>, unit: i64) -> Result<(), StoreError> {
    let org_id = scope.actor.org_id;
    let sql = Sql::fixed(
        "SELECT o.id FROM organizations o WHERE o.org_id = $1 AND o.id IN_LIST($2) \
         ORDER BY o.id FOR_SHARE",
        [org_id.into(), Value::Ints([unit, org_id].into())],
    );
    scope.tx.rows(&sql).await.map(drop)
}

/// A note that is due, with all that is read of it.
struct Due {
    before: FormAnswerGroup,
    /// Whether it locks: not where answers are missing, or its client is gone.
    locks: bool,
    /// Who stands in its history.
    by: Option<Id<User>>,
}

/// Locks a note as whoever locks one by hand, if it is due still. One that doesn't lock, or that
/// nobody can read, stays open, and waits no more until somebody changes it.
async fn lock(scope: &mut Scope<'_>, id: Id<FormAnswerGroup>) -> Answer<()> {
    let found = match due(scope, id).await {
        Err(Refused::Store(StoreError::Corrupt { table, what })) if is_damaged(table, &what) => {
            scope.subject_id = None;
            tracing::warn!(note = id.0, table, "{UNREADABLE}");
            return Ok(wait_no_more(scope, id).await?);
        }
        found => found?,
    };
    let Some(Due { before, locks, by }) = found else {
        // One that was skipped and is due later, by another setting, waits as others do.
        return Ok(skip::forget(scope.tx, scope.actor.org_id, id.0).await?);
    };
    let mut after = FormAnswerGroup { autolock_from: None, ..before.clone() };
    if locks {
        let at = scope.now();
        after.locked_at = Some(at);
        if let Some(by) = by {
            let (action, description) = (Deed::Locked, Some(HOW));
            let step = Step { action, by, at, is_automatic: true, description };
            steps::add(scope, &before, step).await?;
        }
        scope.emit(events::group_locked(&before));
    }
    scope.update(&before, &after).await?;
    scope.subject_id = None;
    written(scope, Some(&before), &after).await
}

/// Whether a check that failed says that a note is damaged: not where it is of something else that is
/// read, or its key is not here, as on a server that has not heard yet of a new one.
fn is_damaged(table: &str, what: &str) -> bool {
    [FORM_ANSWER_GROUPS.name, FORM_ANSWERS.name].contains(&table) && !what.contains(NO_KEY)
}

/// A note, held, if it is due by what its organization says now. Nothing is written here, so that
/// one that can't be read leaves nothing half done.
async fn due(scope: &mut Scope<'_>, id: Id<FormAnswerGroup>) -> Answer<Option<Due>> {
    let now = scope.now();
    let found = scope.visible_for_update::<FormAnswerGroup>(id, Level::Full).await?;
    let Some(setting) = setting_of(scope, id).await? else { return Ok(None) };
    let is_due =
        |it: &FormAnswerGroup| it.autolock_from.is_some_and(|from| setting.due(from) <= now);
    let Some(mut before) = found.map(|(group, _)| group).filter(is_due) else { return Ok(None) };
    scope.subject_id = Some(before.user_id.0);
    let client: Option<User> = scope.find(before.user_id).await?;
    // The event and the audit entry of it are for those who look after the client now.
    if let Some(client) = &client {
        before.unit_id = client.unit_id;
    }
    let is_there = client.is_some() || before.is_group_appt_note;
    let is_open = before.finished && before.locked_at.is_none();
    let locks = is_there && is_open && is_whole(scope, &before).await?;
    let by = if locks { stand_in(scope, before.unit_id).await? } else { None };
    Ok(Some(Due { before, locks, by }))
}

/// Leaves a note open that can't be read, and so can't be written as others are.
async fn wait_no_more(scope: &mut Scope<'_>, id: Id<FormAnswerGroup>) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE form_answer_groups SET autolock_from = NULL, autolock_skipped_until = NULL, \
         autolock_failures = NULL WHERE org_id = $1 AND id = $2",
        [scope.actor.org_id.into(), id.0.into()],
    );
    scope.tx.execute(&sql).await.map(drop)
}

/// Whether nothing is missing that has to be answered.
async fn is_whole(scope: &mut Scope<'_>, group: &FormAnswerGroup) -> Answer<bool> {
    match Sheet::of(scope, group).await?.settle(true) {
        Ok(_) => Ok(true),
        Err(Refused::Problems(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Who stands in the history of a note that nobody locked, because the contract demands a member for
/// each step: the owner of the client's organization, or of the root. They did nothing.
async fn stand_in(scope: &mut Scope<'_>, unit: Id<Organization>) -> Answer<Option<Id<User>>> {
    let root = Id::<Organization>::new(scope.actor.org_id);
    for unit in [unit, root] {
        let found: Option<Organization> = scope.find(unit).await?;
        if let Some(owner) = found.and_then(|it| it.owner_id) {
            return Ok(Some(owner));
        }
    }
    Ok(None)
}

/// Goes on with the job where more is due; otherwise it ends, and the next moment is planned at which
/// a note is due or skipped no longer.
async fn go_on(scope: &mut Scope<'_>, job: &Job) -> Answer<()> {
    let now = scope.now();
    let next = waiting(scope).await?.iter().filter_map(Waiting::next).min();
    if next.is_some_and(|next| next <= now) {
        return errands::go_on(scope.tx, job, &json!({})).await;
    }
    // First: a job that lives keeps others of its key from being planned.
    errands::end(scope.tx, job).await?;
    if let Some(next) = next {
        ward_identity::autolock::plan(scope.tx, scope.actor.org_id, next).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ward_instance::SealError;

    use super::*;

    #[test]
    fn a_note_is_damaged_by_its_own_tables_and_not_for_want_of_a_key() {
        let altered = format!("answer: {}", SealError::Refused);
        let no_key = format!("answer: {}", SealError::Version(7));
        for table in ["form_answer_groups", "form_answers"] {
            assert!(is_damaged(table, &altered), "{table}");
            assert!(!is_damaged(table, &no_key), "{table}");
        }
        for table in ["data_keys", "database", "users", "organizations"] {
            assert!(!is_damaged(table, &altered), "{table}");
        }
    }
}
