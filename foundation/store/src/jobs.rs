//! Work that waits, as rows: leases with a token, backoff, timers, dead jobs.
//!
//! A lease is exclusive while it lasts; delivery is at least once. What does
//! the work is elsewhere.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ward_instance::Timestamp;

use crate::bulk;
use crate::codec;
use crate::core::Hint;
use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::system::{JobRow, JobState};
use crate::table::Record;
use crate::tx::Tx;
use crate::types::{Json, Uuid};
use crate::value::{Sql, Value};

pub use crate::job_turns::{give_up, go_on, live};

/// The most jobs one claim takes.
pub const MAX_BATCH: usize = 16;

/// The longest wait between two attempts.
pub const MAX_BACKOFF: Duration = Duration::from_secs(6 * 3_600);

/// The first wait, doubled with each attempt.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);

/// Errors are cut to so many characters.
const MAX_ERROR_CHARS: usize = 500;

/// A job to be enqueued.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Whose work; 0 for the instance's.
    pub org_id: i64,
    /// What is to be done.
    pub kind: &'static str,
    /// With what.
    pub payload: serde_json::Value,
    /// While a job of this kind and key lives, no second one is made.
    pub dedupe_key: Option<String>,
    /// Jobs of one key run one after another, in the order of enqueueing.
    pub serial_key: Option<String>,
    /// Smaller first; 0 is the usual.
    pub priority: i64,
    /// After so many attempts the job is dead.
    pub max_attempts: i64,
    /// Not due before.
    pub not_before: Option<Timestamp>,
}

impl NewJob {
    /// A job due now, tried up to 12 times.
    pub fn new(org_id: i64, kind: &'static str, payload: serde_json::Value) -> Self {
        NewJob {
            org_id,
            kind,
            payload,
            dedupe_key: None,
            serial_key: None,
            priority: 0,
            max_attempts: 12,
            not_before: None,
        }
    }
}

/// A job that this worker holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// Whose work; 0 for the instance's.
    pub org_id: i64,
    /// What is to be done.
    pub kind: String,
    /// With what: JSON.
    pub payload: String,
    /// This attempt's number, from 1.
    pub attempts: i64,
    /// The last attempt's number.
    pub max_attempts: i64,
    /// Proves the lease.
    pub lease_token: String,
}

/// Makes a job in the transaction; nothing when a live one has its dedupe key.
pub async fn enqueue(tx: &mut Tx, job: NewJob) -> Result<Option<Uuid>, StoreError> {
    let row = row_of(tx, job);
    if !codec::insert_or_ignore(tx, &row).await? {
        return Ok(None);
    }
    tx.on_commit(Hint::Jobs);
    Ok(Some(row.id))
}

/// Makes jobs without dedupe keys, with few statements.
pub async fn enqueue_all(tx: &mut Tx, jobs: Vec<NewJob>) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<Value>> = jobs.into_iter().map(|job| row_of(tx, job).values()).collect();
    bulk::insert(tx, JobRow::table(), &rows).await?;
    tx.on_commit(Hint::Jobs);
    Ok(())
}

fn row_of(tx: &Tx, job: NewJob) -> JobRow {
    let now = tx.now();
    JobRow {
        id: tx.uuid(),
        org_id: job.org_id,
        kind: job.kind.to_owned(),
        dedupe_key: job.dedupe_key,
        serial_key: job.serial_key,
        payload: Json(job.payload.to_string()),
        priority: job.priority,
        state: JobState::Ready,
        visible_at: job.not_before.unwrap_or(now),
        attempts: 0,
        max_attempts: job.max_attempts.max(1),
        lease_token: None,
        lease_until: None,
        last_error: None,
        queued_at: order_of_enqueueing(tx.wall()),
        created_at: now,
        updated_at: now,
    }
}

/// Microseconds of the wall clock, but larger at every call.
fn order_of_enqueueing(wall: Timestamp) -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let next = |last: i64| Some(wall.0.max(last + 1));
    match LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
        Ok(last) | Err(last) => wall.0.max(last + 1),
    }
}

/// The condition of a due job: `$1` kinds, `$2` now, `$3` the wall clock.
macro_rules! due {
    () => {
        "j.state IN ('ready', 'leased') AND j.visible_at <= $2 AND j.kind IN_LIST($1) \
         AND (j.state = 'ready' OR j.lease_until <= $3) \
         AND (j.serial_key IS NULL OR NOT EXISTS (SELECT 1 FROM jobs e \
              WHERE e.org_id = j.org_id AND e.serial_key = j.serial_key \
                AND e.serial_key IS NOT NULL AND e.state IN ('ready', 'leased') \
                AND (e.queued_at, e.id) < (j.queued_at, j.id)))"
    };
}

fn due_params(kinds: &[&str], now: Timestamp, wall: Timestamp) -> [Value; 3] {
    let kinds: Vec<Box<str>> = kinds.iter().map(|kind| Box::from(*kind)).collect();
    [Value::Texts(kinds.into()), now.0.into(), wall.0.into()]
}

/// Takes up to `batch` due jobs of these kinds for `lease`.
pub async fn claim(
    db: &Db,
    kinds: &'static [&'static str],
    batch: usize,
    lease: Duration,
) -> Result<Vec<Job>, StoreError> {
    if !any_due(db, kinds).await? {
        return Ok(Vec::new());
    }
    db.write(move |tx| Box::pin(claim_in(tx, kinds, batch, lease))).await
}

/// Whether a claim would find something; takes no lock.
pub async fn any_due(db: &Db, kinds: &[&str]) -> Result<bool, StoreError> {
    let (now, wall) = (db.instance().now(), db.instance().clock().wall());
    let sql = Sql::fixed(
        concat!("SELECT 1 FROM jobs j WHERE ", due!(), " LIMIT 1"),
        due_params(kinds, now, wall),
    );
    Ok(!db.read().await?.rows(&sql).await?.is_empty())
}

/// [`claim`] in a transaction of the caller's.
pub async fn claim_in(
    tx: &mut Tx,
    kinds: &[&str],
    batch: usize,
    lease: Duration,
) -> Result<Vec<Job>, StoreError> {
    let (now, wall) = (tx.now(), tx.wall());
    let limit = batch.clamp(1, MAX_BATCH);
    let mut params = due_params(kinds, now, wall).to_vec();
    params.push(Value::Int(limit as i64));
    let found = tx
        .rows(&Sql::fixed(
            concat!(
                "SELECT j.id, j.org_id, j.kind, j.payload, j.attempts, j.max_attempts \
                 FROM jobs j WHERE ",
                due!(),
                " ORDER BY j.priority, j.visible_at, j.queued_at, j.id LIMIT CAST($4 AS BIGINT) FOR_UPDATE_SKIP"
            ),
            params,
        ))
        .await?;
    let lease_until = Timestamp(wall.0 + micros(lease));
    let mut jobs = Vec::with_capacity(found.len());
    for row in found.iter() {
        let Some(mut job) = job_of(row) else {
            return Err(StoreError::corrupt("jobs", "a row does not decode"));
        };
        if job.attempts >= job.max_attempts {
            bury(tx, &job, "the worker went away in the last attempt").await?;
            continue;
        }
        job.attempts += 1;
        job.lease_token = tx.uuid().0;
        tx.execute(&Sql::fixed(
            "UPDATE jobs SET state = 'leased', attempts = $1, lease_token = $2, lease_until = $3, \
             updated_at = $4 WHERE org_id = $5 AND id = $6",
            [
                job.attempts.into(),
                job.lease_token.as_str().into(),
                lease_until.0.into(),
                now.0.into(),
                job.org_id.into(),
                job.id.0.as_str().into(),
            ],
        ))
        .await?;
        jobs.push(job);
    }
    Ok(jobs)
}

fn job_of(row: &[Value]) -> Option<Job> {
    Some(Job {
        id: Uuid(row.first()?.text()?.to_owned()),
        org_id: row.get(1)?.int()?,
        kind: row.get(2)?.text()?.to_owned(),
        payload: row.get(3)?.text()?.to_owned(),
        attempts: row.get(4)?.int()?,
        max_attempts: row.get(5)?.int()?,
        lease_token: String::new(),
    })
}

async fn bury(tx: &mut Tx, job: &Job, error: &str) -> Result<u64, StoreError> {
    let now = tx.now();
    tx.execute(&Sql::fixed(
        "UPDATE jobs SET state = 'dead', lease_token = NULL, lease_until = NULL, last_error = $1, \
         updated_at = $2 WHERE org_id = $3 AND id = $4 AND state IN ('ready', 'leased')",
        [error.into(), now.0.into(), job.org_id.into(), job.id.0.as_str().into()],
    ))
    .await
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// Keeps the lease for another `lease`; false when it is another worker's.
pub async fn heartbeat(tx: &mut Tx, job: &Job, lease: Duration) -> Result<bool, StoreError> {
    let until = tx.wall().0 + micros(lease);
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE jobs SET lease_until = $1 \
             WHERE org_id = $2 AND id = $3 AND state = 'leased' AND lease_token = $4",
            [
                until.into(),
                job.org_id.into(),
                job.id.0.as_str().into(),
                job.lease_token.as_str().into(),
            ],
        ))
        .await?;
    Ok(changed == 1)
}

/// Ends the job; false when the lease is another worker's by now, which then
/// does the work again: what the caller did in `tx` should be rolled back.
pub async fn complete(tx: &mut Tx, job: &Job) -> Result<bool, StoreError> {
    let now = tx.now();
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE jobs SET state = 'done', lease_token = NULL, lease_until = NULL, updated_at = $1 \
             WHERE org_id = $2 AND id = $3 AND state = 'leased' AND lease_token = $4",
            [now.0.into(), job.org_id.into(), job.id.0.as_str().into(), job.lease_token.as_str().into()],
        ))
        .await?;
    Ok(changed == 1)
}

/// Records a failed attempt: tried again after a while, or dead after the last
/// one. False when the lease is another worker's.
pub async fn fail(tx: &mut Tx, job: &Job, error: &str) -> Result<bool, StoreError> {
    let now = tx.now();
    let dead = job.attempts >= job.max_attempts;
    let state = if dead { JobState::Dead } else { JobState::Ready };
    let wait = if dead { 0 } else { tx.instance().random().below(backoff_ceiling(job.attempts)) };
    let error: String = error.chars().take(MAX_ERROR_CHARS).collect();
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE jobs SET state = $1, lease_token = NULL, lease_until = NULL, last_error = $2, \
             visible_at = $3, updated_at = $4 \
             WHERE org_id = $5 AND id = $6 AND state = 'leased' AND lease_token = $7",
            [
                state.as_str().into(),
                error.into(),
                (now.0 + i64::try_from(wait).unwrap_or(0)).into(),
                now.0.into(),
                job.org_id.into(),
                job.id.0.as_str().into(),
                job.lease_token.as_str().into(),
            ],
        ))
        .await?;
    Ok(changed == 1)
}

/// The longest wait after this attempt, in microseconds; the wait is drawn
/// evenly below it (full jitter).
pub fn backoff_ceiling(attempts: i64) -> u64 {
    let doublings = u32::try_from(attempts.clamp(1, 30) - 1).unwrap_or(0);
    let ceiling = FIRST_BACKOFF.saturating_mul(1 << doublings.min(24)).min(MAX_BACKOFF);
    u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX)
}

/// A job that failed for good.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadJob {
    /// Its id.
    pub id: Uuid,
    /// What was to be done.
    pub kind: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it died.
    pub died_at: Timestamp,
}

/// Dead jobs of an organization, latest first, at most 200.
pub async fn list_dead(q: &mut impl Query, org_id: i64) -> Result<Vec<DeadJob>, StoreError> {
    let rows = q
        .rows(&Sql::fixed(
            "SELECT id, kind, attempts, last_error, updated_at FROM jobs \
             WHERE org_id = $1 AND state = 'dead' ORDER BY updated_at DESC, id LIMIT 200",
            [org_id.into()],
        ))
        .await?;
    let decode = |row: &[Value]| {
        Some(DeadJob {
            id: Uuid(row.first()?.text()?.to_owned()),
            kind: row.get(1)?.text()?.to_owned(),
            attempts: row.get(2)?.int()?,
            last_error: row.get(3)?.text().map(str::to_owned),
            died_at: Timestamp(row.get(4)?.int()?),
        })
    };
    let dead = rows.iter().map(decode).collect::<Option<_>>();
    dead.ok_or_else(|| StoreError::corrupt("jobs", "a row does not decode"))
}

/// Gives a dead job all its attempts again; false when it isn't dead.
pub async fn replay(tx: &mut Tx, org_id: i64, id: &Uuid) -> Result<bool, StoreError> {
    let now = tx.now();
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE jobs SET state = 'ready', attempts = 0, visible_at = $1, updated_at = $1 \
             WHERE org_id = $2 AND id = $3 AND state = 'dead'",
            [now.0.into(), org_id.into(), id.0.as_str().into()],
        ))
        .await?;
    Ok(changed == 1)
}

/// Deletes up to 1,000 jobs that were done before `before`; how many.
pub async fn purge_done(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&Sql::fixed(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs \
         WHERE state = 'done' AND updated_at < $1 ORDER BY updated_at LIMIT 1000)",
        [before.0.into()],
    ))
    .await
}
