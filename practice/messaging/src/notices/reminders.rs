//! Reminders: planned, re-planned and dropped with the record that they are
//! about, and said at their time on the instance's clock (behaviour 42).
//!
//! A domain registers a [`ReminderKind`], plans with [`plan`] whenever its record
//! changes, and says in `deliver` what is to be said, or that it is too late:
//! what was true at planning is asked again at that moment.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::json;
use ward_engine::{Answer, errands};
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::jobs::{self, Job, NewJob};
use ward_store::{Actor, Cond, Db, Id, Scope, StoreError, Tx};

use crate::notices::plan::{self, Slots};
use crate::notices::tables::Reminder;

/// The kind of job that says a reminder.
pub const JOB_KIND: &str = "remind";
const KINDS: &[&str] = &[JOB_KIND];
/// What is said of a job whose notice was not given.
pub(crate) const NOT_GIVEN: &str = "a notice was not given";

/// What became of a reminder at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was said, or there is nothing to say any more: it is gone.
    Done,
    /// It is held until then.
    Later(Timestamp),
}

/// What says a kind of reminder.
pub type Deliver =
    for<'a, 'b> fn(&'a mut Scope<'b>, &'a Reminder) -> BoxFuture<'a, Answer<Outcome>>;

/// A kind of reminder, as a domain registers it.
#[derive(Clone, Copy)]
pub struct ReminderKind {
    /// Its name.
    pub name: &'static str,
    /// What says it.
    pub deliver: Deliver,
}

/// What a reminder is about, and whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The name of its kind.
    pub kind: &'static str,
    /// The record.
    pub subject_id: i64,
    /// Who is reminded.
    pub user_id: Id<User>,
    /// Whose matter it is.
    pub unit_id: Id<Organization>,
}

impl About {
    fn cond(&self) -> Cond {
        Cond::eq("kind", self.kind)
            .and(Cond::eq("subject_id", self.subject_id))
            .and(Cond::eq("user_id", self.user_id.0))
    }
}

/// Makes the reminders of a record and a person those that are wanted; none is
/// wanted, and all are dropped.
pub async fn plan(scope: &mut Scope<'_>, about: About, wanted: &Slots) -> Answer<()> {
    let rows: Vec<Reminder> = scope.list(about.cond(), &[]).await?;
    let planned: Slots = rows.iter().map(|row| (row.slot.clone(), row.due_at)).collect();
    let by_slot: BTreeMap<&str, &Reminder> =
        rows.iter().map(|row| (row.slot.as_str(), row)).collect();
    let changes = plan::changes(scope.now(), &planned, wanted);
    for slot in &changes.dropped {
        if let Some(row) = by_slot.get(slot.as_str()) {
            scope.destroy(*row).await?;
        }
    }
    for (slot, due_at) in &changes.moved {
        if let Some(row) = by_slot.get(slot.as_str()) {
            hold(scope, row, *due_at).await?;
        }
    }
    for (slot, due_at) in changes.planned {
        add(scope, about, slot, due_at).await?;
    }
    Ok(())
}

/// Plans the one reminder of a record and a person, unless it is planned already.
pub async fn keep(scope: &mut Scope<'_>, about: About, due_at: Timestamp) -> Answer<()> {
    let planned: Option<Reminder> = scope.find_by(about.cond()).await?;
    match planned {
        Some(_) => Ok(()),
        None => add(scope, about, String::new(), due_at).await,
    }
}

/// Plans reminders of records and people of whom none is planned yet, with few statements.
pub(crate) async fn add_all(scope: &mut Scope<'_>, wanted: Vec<(About, Slots)>) -> Answer<()> {
    let now = scope.now();
    let mut rows = Vec::new();
    for (about, slots) in wanted {
        for (slot, due_at) in plan::changes(now, &Slots::new(), &slots).planned {
            rows.push(new(scope, about, slot, due_at).await?);
        }
    }
    scope.create_all_about(&rows, |it| Some(it.user_id.0)).await?;
    jobs::enqueue_all(scope.tx, rows.iter().map(job_of).collect()).await?;
    Ok(())
}

async fn add(scope: &mut Scope<'_>, about: About, slot: String, due_at: Timestamp) -> Answer<()> {
    let row = new(scope, about, slot, due_at).await?;
    scope.create(&row).await?;
    enqueue(scope, &row).await
}

async fn new(
    scope: &mut Scope<'_>,
    about: About,
    slot: String,
    due_at: Timestamp,
) -> Answer<Reminder> {
    let now = scope.now();
    Ok(Reminder {
        id: scope.next_id().await?,
        org_id: Id::new(scope.actor.org_id),
        unit_id: about.unit_id,
        kind: about.kind.to_owned(),
        subject_id: about.subject_id,
        slot,
        user_id: about.user_id,
        due_at,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Gives a reminder another time; the job of the old one finds that it is not due.
async fn hold(scope: &mut Scope<'_>, before: &Reminder, due_at: Timestamp) -> Answer<()> {
    let after = Reminder { due_at, ..before.clone() };
    scope.update(before, &after).await?;
    enqueue(scope, &after).await
}

async fn enqueue(scope: &mut Scope<'_>, row: &Reminder) -> Answer<()> {
    jobs::enqueue(scope.tx, job_of(row)).await?;
    Ok(())
}

fn job_of(row: &Reminder) -> NewJob {
    NewJob {
        not_before: Some(row.due_at),
        ..NewJob::new(row.org_id.0, JOB_KIND, json!({ "reminder": row.id.0 }))
    }
}

/// Says some of what is due; how many jobs were begun.
pub async fn run_batch(db: &Db, kinds: &'static [ReminderKind]) -> Result<u64, StoreError> {
    errands::work_off(db, KINDS, NOT_GIVEN, move |tx, job| Box::pin(step(tx, job, kinds))).await
}

async fn step(tx: &mut Tx, job: &Job, kinds: &[ReminderKind]) -> Answer<()> {
    let id = errands::number(job, "reminder")?;
    let system = Actor::system(job.org_id);
    let mut scope = Scope::new(tx, &system);
    let row: Option<Reminder> = scope.find(Id::new(id)).await?;
    let Some(row) = row.filter(|row| row.due_at <= scope.now()) else { return Ok(()) };
    let kind = kinds.iter().find(|kind| kind.name == row.kind);
    let kind = kind
        .ok_or_else(|| StoreError::internal(format!("nothing says reminders of {}", row.kind)))?;
    match (kind.deliver)(&mut scope, &row).await? {
        Outcome::Done => Ok(scope.destroy(&row).await?),
        Outcome::Later(until) => hold(&mut scope, &row, until).await,
    }
}
