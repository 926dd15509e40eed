//! Asking those who are to be asked, a few at a time: what is due of recurring forms, at its time on
//! the instance's clock, and the rest of what is asked of many at once (behaviour 28).
//!
//! A row says how far it came (`asked_until`), in the transaction that asks, so that nobody is
//! asked twice however often a job runs. After a halt one time is made up for, and the others are
//! not.

use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use serde_json::json;
use ward_engine::{Answer, errands, moment};
use ward_identity::person;
use ward_identity::tables::{USERS, User, users};
use ward_instance::Timestamp;
use ward_store::jobs::{self, Job, NewJob};
use ward_store::{Actor, Cond, Db, Id, Level, Query, Scope, Select, Sql, StoreError, Tx, Value};

use super::AT_ONCE;
use super::ask::{self, Asking};
use super::rules::Schedule;
use super::tables::{RecurringForm, RequestedFormCompletion};
use crate::tables::CustomModuleForm;

/// The kind of job.
pub const JOB_KIND: &str = "request_forms";
const KINDS: &[&str] = &[JOB_KIND];

/// What tells a client that they are asked.
pub type Tell =
    for<'a, 'b> fn(&'a mut Scope<'b>, &'a RequestedFormCompletion) -> BoxFuture<'a, Answer<()>>;

/// Asks some of those who are due; how many jobs were begun.
pub async fn run_batch(db: &Db, tell: Tell) -> Result<u64, StoreError> {
    let failed = "the form can't be asked for";
    errands::work_off(db, KINDS, failed, move |tx, job| Box::pin(step(tx, job, tell))).await
}

async fn step(tx: &mut Tx, job: &Job, tell: Tell) -> Answer<()> {
    let id = Id::<RecurringForm>::new(errands::number(job, "recurring_form")?);
    let system = Actor::system(job.org_id);
    let mut scope = Scope::new(tx, &system);
    let now = scope.now();
    let held = scope.visible_for_update(id, Level::Full).await?;
    // Moved, or stopped: another job is there for that, or none.
    let Some(row) = held.map(|(row, _)| row).filter(|row| is_due(row, now)) else { return Ok(()) };
    for request in some(&mut scope, &row).await? {
        if !row.skips_notice {
            scope.subject_id = Some(request.recipient_id.0);
            tell(&mut scope, &request).await?;
            scope.subject_id = None;
        }
    }
    Ok(())
}

/// Whether it is being asked, or is to be.
pub fn is_due(row: &RecurringForm, now: Timestamp) -> bool {
    row.is_active && row.next_at.is_some_and(|at| at <= now)
}

/// Asks the next few, and says when it goes on; the requests that were made.
pub async fn some(
    scope: &mut Scope<'_>,
    row: &RecurringForm,
) -> Answer<Vec<RequestedFormCompletion>> {
    let form: Option<CustomModuleForm> = scope.find(row.custom_module_form_id).await?;
    // What nobody can fill in is asked of nobody.
    let form = form.filter(|it| !it.is_archived && !it.use_for_charting);
    let sender = sender(scope, row).await?;
    if row.user_id.is_some() && sender.is_none() {
        rest(scope, row).await?;
        return Ok(Vec::new());
    }
    let ids = match &form {
        Some(form) => next_clients(scope, row, (sender.as_ref(), form)).await?,
        None => Vec::new(),
    };
    let asking = Asking {
        form: row.custom_module_form_id,
        sender: row.user_id,
        recurring: row.frequency.and(row.next_at).map(|at| (row.id, at)),
        metadata: row.metadata.clone(),
        skips_notice: row.skips_notice,
    };
    let mut made = Vec::with_capacity(ids.len());
    for id in &ids {
        let found = scope.visible_for_reference::<User>(*id, Level::Full).await?;
        let Some((client, _)) = found else { continue };
        let is_asked = ask::is_asked(scope, client.id, &asking).await?;
        if !is_asked && ask::has_room(scope, client.id).await? {
            made.push(ask::ask(scope, &client, &asking).await?);
        }
    }
    let last = ids.last().filter(|_| ids.len() == AT_ONCE);
    go_on(scope, row, last.copied()).await?;
    Ok(made)
}

/// Whoever asks, as they may at this moment; nobody where a program does, or they may act no more.
pub async fn sender(scope: &mut Scope<'_>, row: &RecurringForm) -> Answer<Option<Actor>> {
    let Some(id) = row.user_id else { return Ok(None) };
    let sender = person::load(scope.tx, row.org_id.0, id.0).await?;
    let able = sender.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    Ok(able.map(|it| it.actor(None)))
}

/// What somebody asks who may act no more rests until somebody else lets it go on; what they asked
/// once is over.
async fn rest(scope: &mut Scope<'_>, before: &RecurringForm) -> Answer<()> {
    if before.frequency.is_none() {
        return end(scope, before).await;
    }
    let after = RecurringForm { is_active: false, next_at: None, asked_until: 0, ..before.clone() };
    scope.update(before, &after).await?;
    Ok(())
}

/// Ends what was asked once: the rows of whom it was asked are nobody's to read.
async fn end(scope: &mut Scope<'_>, row: &RecurringForm) -> Answer<()> {
    let sql = Sql::fixed(
        "DELETE FROM recurring_form_recipients WHERE org_id = $1 AND recurring_form_id = $2",
        [row.org_id.0.into(), row.id.0.into()],
    );
    scope.tx.execute(&sql).await?;
    Ok(scope.destroy(row).await?)
}

/// Notes how far it came: behind `last`, or to the end of this time.
async fn go_on(
    scope: &mut Scope<'_>,
    before: &RecurringForm,
    last: Option<Id<User>>,
) -> Answer<()> {
    let mut after = before.clone();
    match (last, before.frequency) {
        (Some(last), _) => after.asked_until = last.0,
        // Everybody was asked who was to be asked once.
        (None, None) => return end(scope, before).await,
        (None, Some(_)) => {
            after.asked_until = 0;
            let now = scope.now();
            let since = before.next_at.map_or(now, |at| at.max(now));
            after.next_at = next(&after, since);
            after.is_active = after.next_at.is_some();
        }
    }
    scope.update(before, &after).await?;
    Ok(plan(scope, &after).await?)
}

/// When it is due next behind a moment; nothing once it has ended.
pub fn next(row: &RecurringForm, since: Timestamp) -> Option<Timestamp> {
    let schedule = schedule(row)?;
    let next = schedule.next(&zone(row), since)?;
    Some(next).filter(|at| row.recurrence_end_at.is_none_or(|end| *at <= end))
}

/// When a recurring form is due.
pub fn schedule(row: &RecurringForm) -> Option<Schedule> {
    Schedule::kept(row.frequency?, row.interval_text.as_deref()?, row.minute_of_day)
}

/// The zone of its wall.
pub fn zone(row: &RecurringForm) -> TimeZone {
    moment::zone(&row.time_zone).unwrap_or(TimeZone::UTC)
}

/// The job that goes on with it when it is due; none while it rests.
pub async fn plan(scope: &mut Scope<'_>, row: &RecurringForm) -> Result<(), StoreError> {
    let Some(next_at) = row.next_at.filter(|_| row.is_active) else { return Ok(()) };
    let what = json!({ "recurring_form": row.id.0 });
    let job = NewJob { not_before: Some(next_at), ..NewJob::new(row.org_id.0, JOB_KIND, what) };
    jobs::enqueue(scope.tx, job).await?;
    Ok(())
}

/// The next few whom it concerns, in the order of ids: active clients who are alive and named, or in
/// a group that is, as far as whoever asks sees them now. Of a program the unit's clients are asked,
/// but for restricted ones.
async fn next_clients(
    scope: &mut Scope<'_>,
    row: &RecurringForm,
    (sender, form): (Option<&Actor>, &CustomModuleForm),
) -> Answer<Vec<Id<User>>> {
    let (actor, near) = match sender {
        Some(sender) => (sender.clone(), Cond::Always),
        None => {
            let unit = match row.unit_id == row.org_id {
                true => Cond::Always,
                false => Cond::eq("unit_id", row.unit_id.0),
            };
            (Actor::system(row.org_id.0), unit.and(Cond::eq("restricted", false)))
        }
    };
    let mine = |column: &str, of: &str| {
        let text = format!(
            "{{t}}.{of} IN (SELECT r.{column} FROM recurring_form_recipients r \
             WHERE r.org_id = ? AND r.recurring_form_id = ? AND r.{column} IS NOT NULL)"
        );
        Cond::sql(text, [row.org_id.0.into(), row.id.0.into()])
    };
    let whom = mine("user_id", "id").or(mine("user_group_id", "user_group_id").and(near));
    let there = Cond::is_true("is_patient").and(Cond::is_true("active"));
    let there = there.and(Cond::is_null("deceased_on"));
    let behind = Cond::sql("{t}.id > ?", [row.asked_until.into()]);
    let of_form = match form.unit_id == form.org_id {
        true => Cond::Always,
        false => Cond::eq("unit_id", form.unit_id.0),
    };
    let mut select = Select::new(&USERS, &actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = whom.and(there).and(behind).and(of_form);
    select.limit = Some(AT_ONCE as i64);
    let select = select.ordered(Vec::new());
    let found = scope.tx.rows(&select.sql()).await?;
    Ok(found.iter().filter_map(|row| row.first().and_then(Value::int)).map(Id::new).collect())
}
