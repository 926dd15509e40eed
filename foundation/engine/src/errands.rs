//! Working off the jobs of a domain: each in a transaction of its own, which ends the job as well,
//! so that a job is done once however often it is begun.

use std::time::Duration;

use futures_util::future::BoxFuture;
use ward_store::jobs::{self, Job, MAX_BATCH};
use ward_store::{Db, Failure, StoreError, Tx};

use crate::{Answer, Refused};

/// How long a job is a worker's.
const LEASE: Duration = Duration::from_secs(60);

/// Does some of the jobs of these kinds that are due; how many were begun. What fails is given back
/// with `failed` for its error, never with the words of a refusal, which may name somebody.
pub async fn work_off<F>(
    db: &Db,
    kinds: &'static [&'static str],
    failed: &'static str,
    step: F,
) -> Result<u64, StoreError>
where
    F: for<'a> Fn(&'a mut Tx, &'a Job) -> BoxFuture<'a, Answer<()>> + Clone + Send + Sync + 'static,
{
    let due = jobs::claim(db, kinds, MAX_BATCH, LEASE).await?;
    let begun = due.len();
    for job in due {
        let held = (job.clone(), step.clone());
        let done = db.write(move |tx| {
            let (job, step) = held.clone();
            Box::pin(async move {
                step(tx, &job).await?;
                end(tx, &job).await
            })
        });
        if let Err(refused) = done.await {
            give_back(db, job, refused, failed).await?;
        }
    }
    Ok(u64::try_from(begun).unwrap_or(u64::MAX))
}

/// The number that a job's payload has under this name; 0 for none.
pub fn number(job: &Job, name: &str) -> Result<i64, StoreError> {
    Ok(payload(job)?[name].as_i64().unwrap_or_default())
}

/// What a job is to do.
pub fn payload(job: &Job) -> Result<serde_json::Value, StoreError> {
    serde_json::from_str(&job.payload)
        .map_err(|_| StoreError::corrupt("jobs", "a payload is no JSON"))
}

/// Ends a job in its transaction, unless another worker has it by now.
pub async fn end(tx: &mut Tx, job: &Job) -> Answer<()> {
    match jobs::complete(tx, job).await? {
        true => Ok(()),
        false => Err(StoreError::Conflict.into()),
    }
}

/// Ends a job that has nothing to do, in a transaction of its own.
pub async fn ended(db: &Db, job: &Job) -> Answer<()> {
    change(db, job.clone(), |tx, job| Box::pin(end(tx, job))).await
}

/// Goes on with a job in its transaction: what it is to do next is in its payload, and it is due at
/// once, unless another worker has it by now.
pub async fn go_on(tx: &mut Tx, job: &Job, payload: &serde_json::Value) -> Answer<()> {
    match jobs::go_on(tx, job, payload).await? {
        true => Ok(()),
        false => Err(StoreError::Conflict.into()),
    }
}

/// Ends a job that no further attempt would do: it is dead, with this error, which names nobody.
pub async fn give_up(db: &Db, job: Job, error: String) -> Result<(), StoreError> {
    tracing::warn!(job = %job.id, kind = %job.kind, "given up: {error}");
    let given = change(db, job, move |tx, job| {
        let error = error.clone();
        Box::pin(async move { jobs::give_up(tx, job, &error).await })
    });
    given.await.map(drop)
}

/// Gives a job back that failed, for another attempt: see [`work_off`].
pub async fn give_back(
    db: &Db,
    job: Job,
    refused: Refused,
    failed: &'static str,
) -> Result<(), StoreError> {
    let error = match refused {
        Refused::Store(error) => error.to_string(),
        _ => failed.to_owned(),
    };
    tracing::warn!(job = %job.id, kind = %job.kind, "{failed}");
    let given = change(db, job, move |tx, job| {
        let error = error.clone();
        Box::pin(async move { jobs::fail(tx, job, &error).await })
    });
    given.await.map(drop)
}

/// A change of one job, in a transaction of its own.
async fn change<T, E, F>(db: &Db, job: Job, how: F) -> Result<T, E>
where
    T: Send + 'static,
    E: Failure + Send + 'static,
    F: for<'a> Fn(&'a mut Tx, &'a Job) -> BoxFuture<'a, Result<T, E>>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let changed = db.write(move |tx| {
        let (job, how) = (job.clone(), how.clone());
        Box::pin(async move { how(tx, &job).await })
    });
    changed.await
}
