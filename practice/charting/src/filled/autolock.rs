//! Notes that lock by themselves (behaviour 26), so many hours after they were finished or unlocked
//! as their organization has it: see [`ward_identity::autolock`]. It is the organization in which
//! the note was begun, wherever its client is by then.
//!
//! A job at the minute at which a note is due locks all that are due in the practice, a few in a
//! transaction, and plans the next. It goes by what is there then: what was locked, deleted or
//! unlocked again meanwhile, and whatever the setting was when it was planned.

use serde_json::json;
use ward_engine::{Answer, Refused, errands};
use ward_identity::autolock::{InForce, JOB_KIND, in_force, read};
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::jobs::{self, Job, NewJob};
use ward_store::{Actor, Db, Id, Level, Query, Scope, Sql, StoreError, Tx, Value};

use super::sheet::Sheet;
use super::steps::{self, Step};
use super::tables::{Deed, FormAnswerGroup};
use crate::events;

const KINDS: &[&str] = &[JOB_KIND];

/// Notes that are locked in one transaction.
const AT_ONCE: usize = 20;

/// How the history has it that nobody locked a note.
const HOW: &str = "Locked automatically";

/// From when a note's time runs, as it is now: of one that is finished and open. What clients fill
/// in is no note.
pub fn runs_from(group: &FormAnswerGroup, now: Timestamp) -> Option<Timestamp> {
    let is_open = group.use_for_charting && group.finished && group.locked_at.is_none();
    is_open.then(|| group.autolock_from.unwrap_or(now))
}

/// Plans that a note, which is written, locks when its time has come, if its organization has it so.
pub async fn plan(scope: &mut Scope<'_>, group: &FormAnswerGroup) -> Answer<()> {
    let Some(from) = group.autolock_from else { return Ok(()) };
    let org_id = scope.actor.org_id;
    // The row's own: in a call a note is said to be of its client's organization.
    let sql = Sql::fixed(
        "SELECT g.unit_id FROM form_answer_groups g WHERE g.org_id = $1 AND g.id = $2",
        [org_id.into(), group.id.0.into()],
    );
    let unit = scope.tx.rows(&sql).await?.scalar().and_then(Value::int);
    let Some(unit) = unit else { return Ok(()) };
    let settings = in_force(scope.tx, org_id, &[unit]).await?;
    if let Some(setting) = settings.get(&unit) {
        ward_identity::autolock::plan(scope.tx, org_id, setting.due(from)).await?;
    }
    Ok(())
}

/// Locks some of the notes that are due; how many jobs were begun.
pub async fn run_batch(db: &Db) -> Result<u64, StoreError> {
    let failed = "notes don't lock by themselves";
    errands::work_off(db, KINDS, failed, |tx, job| Box::pin(step(tx, job))).await
}

async fn step(tx: &mut Tx, job: &Job) -> Answer<()> {
    let system = Actor::system(job.org_id);
    let mut scope = Scope::new(tx, &system);
    let now = scope.now();
    let mut some = Vec::new();
    for unit in waiting(&mut scope).await? {
        if unit.next() <= now && some.len() < AT_ONCE {
            let ids = due(&mut scope, &unit, AT_ONCE - some.len()).await?;
            some.extend(ids.into_iter().map(|id| (id, unit.setting)));
        }
    }
    // In one order, whoever else locks some.
    some.sort_unstable_by_key(|(id, _)| id.0);
    for (id, setting) in some {
        lock(&mut scope, id, setting).await?;
    }
    go_on(&mut scope).await
}

/// An organization whose notes lock, and from when the time of the first of them runs that is open.
struct Waiting {
    unit: i64,
    setting: InForce,
    first: Timestamp,
}

impl Waiting {
    /// When the first of them is due.
    fn next(&self) -> Timestamp {
        self.setting.due(self.first)
    }
}

/// The organizations of the practice that have notes which wait for their time.
async fn waiting(scope: &mut Scope<'_>) -> Result<Vec<Waiting>, StoreError> {
    let sql = Sql::fixed(
        "SELECT u.id, u.chart_note_autolock_hours, u.chart_note_autolock_since, \
         r.chart_note_autolock_hours, r.chart_note_autolock_since, \
         (SELECT MIN(g.autolock_from) FROM form_answer_groups g WHERE g.org_id = u.org_id \
         AND g.unit_id = u.id AND g.autolock_from IS NOT NULL AND g.deleted_at IS NULL) \
         FROM organizations u JOIN organizations r ON r.org_id = u.org_id AND r.id = u.org_id \
         WHERE u.org_id = $1 \
         AND COALESCE(u.chart_note_autolock_hours, r.chart_note_autolock_hours, 0) > 0 \
         ORDER BY u.id",
        [scope.actor.org_id.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    let one = |row: &[Value]| {
        let (unit, setting) = read(row)?;
        let first = row.get(5).and_then(Value::int).map(Timestamp)?;
        Some(Waiting { unit, setting, first })
    };
    Ok(rows.iter().filter_map(one).collect())
}

/// Notes of an organization that are due, at most so many, the longest due first.
async fn due(
    scope: &mut Scope<'_>,
    of: &Waiting,
    most: usize,
) -> Result<Vec<Id<FormAnswerGroup>>, StoreError> {
    let sql = Sql::fixed(
        "SELECT g.id FROM form_answer_groups g WHERE g.org_id = $1 AND g.unit_id = $2 \
         AND g.autolock_from IS NOT NULL AND g.autolock_from <= $3 AND g.deleted_at IS NULL \
         ORDER BY g.autolock_from, g.id LIMIT CAST($4 AS BIGINT)",
        [
            scope.actor.org_id.into(),
            of.unit.into(),
            of.setting.due_from(scope.now()).0.into(),
            Value::Int(most as i64),
        ],
    );
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).map(Id::new).collect())
}

/// Locks a note as whoever locks one by hand, if it is due still. One that misses answers, or whose
/// client is gone, stays open, and waits no more until somebody changes it.
async fn lock(scope: &mut Scope<'_>, id: Id<FormAnswerGroup>, setting: InForce) -> Answer<()> {
    let now = scope.now();
    let found = scope.visible_for_update::<FormAnswerGroup>(id, Level::Full).await?;
    let is_due =
        |it: &FormAnswerGroup| it.autolock_from.is_some_and(|from| setting.due(from) <= now);
    let Some(mut before) = found.map(|(group, _)| group).filter(is_due) else { return Ok(()) };
    scope.subject_id = Some(before.user_id.0);
    let client: Option<User> = scope.find(before.user_id).await?;
    // The event and the audit entry of it are for those who look after the client now.
    if let Some(client) = &client {
        before.unit_id = client.unit_id;
    }
    let is_there = client.is_some() || before.is_group_appt_note;
    let is_open = before.finished && before.locked_at.is_none();
    let mut after = FormAnswerGroup { autolock_from: None, ..before.clone() };
    if is_there && is_open && is_whole(scope, &before).await? {
        after.locked_at = Some(now);
        note(scope, &before).await?;
        scope.emit(events::group_locked(&before));
    }
    scope.update(&before, &after).await?;
    scope.subject_id = None;
    Ok(())
}

/// Whether nothing is missing that has to be answered.
async fn is_whole(scope: &mut Scope<'_>, group: &FormAnswerGroup) -> Answer<bool> {
    match Sheet::of(scope, group).await?.settle(true) {
        Ok(_) => Ok(true),
        Err(Refused::Problems(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// The step in the note's history. Each names somebody: here the owner of the organization that
/// looks after the client, whose setting it is, and whom all its staff see.
async fn note(scope: &mut Scope<'_>, group: &FormAnswerGroup) -> Answer<()> {
    let root = Id::<Organization>::new(scope.actor.org_id);
    for unit in [group.unit_id, root] {
        let found: Option<Organization> = scope.find(unit).await?;
        if let Some(by) = found.and_then(|it| it.owner_id) {
            let step =
                Step { action: Deed::Locked, by, is_automatic: true, description: Some(HOW) };
            return steps::add(scope, group, step).await;
        }
    }
    Ok(())
}

/// Plans the job for what is due next: at once where more is due than one transaction locks.
async fn go_on(scope: &mut Scope<'_>) -> Answer<()> {
    let next = waiting(scope).await?.iter().map(Waiting::next).min();
    let Some(next) = next else { return Ok(()) };
    let org_id = scope.actor.org_id;
    if next > scope.now() {
        return Ok(ward_identity::autolock::plan(scope.tx, org_id, next).await?);
    }
    jobs::enqueue(scope.tx, NewJob::new(org_id, JOB_KIND, json!({}))).await?;
    Ok(())
}
