//! Notes that lock by themselves (behaviour 26), so many hours after they were finished or unlocked
//! as their organization has it: see [`ward_identity::autolock`]. It is the organization in which
//! the note was begun, wherever its client is by then.
//!
//! A job at the minute at which a note is due locks the one that has waited longest, and plans the
//! next: at once where more is due. One note is one transaction, so that nobody waits for others'.
//! It goes by what is there then: what was locked, deleted or unlocked again meanwhile, and whatever
//! the setting was when it was planned.

use ward_engine::{Answer, Refused, errands};
use ward_identity::autolock::{InForce, JOB_KIND, plan_now, read, warn_of_unreadable};
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::jobs::Job;
use ward_store::{Actor, Db, Id, Level, Query, Scope, Sql, StoreError, Tx, Value};

use super::sheet::Sheet;
use super::steps::{self, Step};
use super::tables::{Deed, FormAnswerGroup};
use crate::events;

const KINDS: &[&str] = &[JOB_KIND];

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
    if let Some(setting) = setting_of(scope, group.id).await? {
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
    let sql = Sql::fixed(
        "SELECT u.id, u.chart_note_autolock_hours, u.chart_note_autolock_since, \
         r.chart_note_autolock_hours, r.chart_note_autolock_since FROM form_answer_groups g \
         JOIN organizations u ON u.org_id = g.org_id AND u.id = g.unit_id \
         JOIN organizations r ON r.org_id = g.org_id AND r.id = g.org_id \
         WHERE g.org_id = $1 AND g.id = $2",
        [scope.actor.org_id.into(), id.0.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.iter().next().and_then(read).map(|(_, setting)| setting))
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
    let longest = waiting(&mut scope).await?.into_iter().min_by_key(Waiting::next);
    if let Some(of) = longest.filter(|it| it.next() <= now)
        && let Some(id) = first(&mut scope, of.unit).await?
    {
        hold_setting(&mut scope, of.unit).await?;
        lock(&mut scope, id).await?;
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

/// The note of an organization that has waited longest.
async fn first(
    scope: &mut Scope<'_>,
    unit: i64,
) -> Result<Option<Id<FormAnswerGroup>>, StoreError> {
    let sql = Sql::fixed(
        "SELECT g.id FROM form_answer_groups g WHERE g.org_id = $1 AND g.unit_id = $2 \
         AND g.autolock_from IS NOT NULL AND g.deleted_at IS NULL \
         ORDER BY g.autolock_from, g.id LIMIT 1",
        [scope.actor.org_id.into(), unit.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::int).map(Id::new))
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
        Err(Refused::Store(StoreError::Corrupt { .. })) => {
            scope.subject_id = None;
            warn_of_unreadable(id.0);
            return Ok(wait_no_more(scope, id).await?);
        }
        found => found?,
    };
    let Some(Due { before, locks, by }) = found else { return Ok(()) };
    let mut after = FormAnswerGroup { autolock_from: None, ..before.clone() };
    if locks {
        after.locked_at = Some(scope.now());
        if let Some(by) = by {
            let step =
                Step { action: Deed::Locked, by, is_automatic: true, description: Some(HOW) };
            steps::add(scope, &before, step).await?;
        }
        scope.emit(events::group_locked(&before));
    }
    scope.update(&before, &after).await?;
    scope.subject_id = None;
    Ok(())
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
        "UPDATE form_answer_groups SET autolock_from = NULL WHERE org_id = $1 AND id = $2",
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

/// Plans the job for what is due next: at once where more is due.
async fn go_on(scope: &mut Scope<'_>) -> Answer<()> {
    let next = waiting(scope).await?.iter().map(Waiting::next).min();
    let Some(next) = next else { return Ok(()) };
    let org_id = scope.actor.org_id;
    match next > scope.now() {
        true => ward_identity::autolock::plan(scope.tx, org_id, next).await?,
        false => plan_now(scope.tx, org_id).await?,
    }
    Ok(())
}
