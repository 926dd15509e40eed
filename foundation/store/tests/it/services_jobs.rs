//! Jobs: leases, backoff, order, the dead.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt;
use ward_store::jobs::{self, Job, NewJob};
use ward_store::{Sql, StoreError, Tx, Uuid, Value, due};

use crate::support::World;

const KINDS: &[&str] = &["mail", "fanout"];
const LEASE: Duration = Duration::from_secs(60);

async fn enqueue(w: &World, job: NewJob) -> Option<Uuid> {
    w.db.write(move |tx| jobs::enqueue(tx, job.clone()).boxed()).await.unwrap()
}

async fn claim(w: &World, batch: usize) -> Vec<Job> {
    jobs::claim(&w.db, KINDS, batch, LEASE).await.unwrap()
}

async fn with_job(
    w: &World,
    job: &Job,
    act: impl for<'t> Fn(
        &'t mut Tx,
        Job,
    ) -> futures_util::future::BoxFuture<'t, Result<bool, StoreError>>
    + Send
    + Sync
    + 'static,
) -> bool {
    let job = job.clone();
    w.db.write(move |tx| act(tx, job.clone())).await.unwrap()
}

async fn complete(w: &World, job: &Job) -> bool {
    with_job(w, job, |tx, job| async move { jobs::complete(tx, &job).await }.boxed()).await
}

async fn fail(w: &World, job: &Job) -> bool {
    with_job(w, job, |tx, job| async move { jobs::fail(tx, &job, "broken").await }.boxed()).await
}

/// Every lease runs out, every wait is over.
async fn much_later(w: &World) {
    let sql = "UPDATE jobs SET visible_at = 0, lease_until = CASE WHEN lease_until IS NULL THEN NULL ELSE 0 END";
    w.execute(Sql::fixed(sql, [])).await.unwrap();
}

fn new(n: i64) -> NewJob {
    NewJob::new(0, "mail", serde_json::json!({ "n": n }))
}

/// Eight workers, none ever gets a job that another holds.
async fn no_job_is_claimed_twice(w: World) {
    const JOBS: i64 = 200;
    w.db.write(|tx| {
        async move {
            for n in 0..JOBS {
                jobs::enqueue(tx, new(n)).await?;
            }
            Ok::<_, StoreError>(())
        }
        .boxed()
    })
    .await
    .unwrap();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let w = w.clone();
        workers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let batch = jobs::claim(&w.db, KINDS, 1 + worker, LEASE).await.unwrap();
                if batch.is_empty() && !jobs::any_due(&w.db, KINDS).await.unwrap() {
                    return mine;
                }
                for job in batch {
                    assert!(complete(&w, &job).await);
                    mine.push(job.id);
                }
            }
        });
    }
    let mut seen = HashMap::new();
    while let Some(ids) = workers.join_next().await {
        for id in ids.unwrap() {
            *seen.entry(id).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), 200);
    assert!(seen.values().all(|times| *times == 1));
    assert_eq!(w.number("SELECT COUNT(*) FROM jobs WHERE state = 'done'").await, JOBS);
    let purged = w
        .db
        .write(|tx| async move { jobs::purge_done(tx, tx.now().plus_seconds(1)).await }.boxed())
        .await
        .unwrap();
    assert_eq!(purged, 200);
}

both!(no_job_is_claimed_twice);

/// A worker that stalled can't write over its successor.
async fn a_stalled_worker_loses_its_lease(w: World) {
    enqueue(&w, new(1)).await.unwrap();
    let first = claim(&w, 16).await.remove(0);
    assert!(claim(&w, 16).await.is_empty());
    let kept = with_job(&w, &first, |tx, job| {
        async move { jobs::heartbeat(tx, &job, LEASE).await }.boxed()
    })
    .await;
    assert!(kept);
    much_later(&w).await;
    let second = claim(&w, 16).await.remove(0);
    assert_eq!((second.id.clone(), second.attempts), (first.id.clone(), 2));
    assert!(!complete(&w, &first).await);
    assert!(!fail(&w, &first).await);
    let kept = with_job(&w, &first, |tx, job| {
        async move { jobs::heartbeat(tx, &job, LEASE).await }.boxed()
    })
    .await;
    assert!(!kept);
    assert!(complete(&w, &second).await);
    assert!(!complete(&w, &second).await);
}

both!(a_stalled_worker_loses_its_lease);

/// Each failure waits longer, the last one is the end, and a person may
/// start it over.
async fn failures_back_off_and_end(w: World) {
    let id = enqueue(&w, NewJob { max_attempts: 3, ..new(1) }).await.unwrap();
    for attempt in 1..=3 {
        let job = claim(&w, 1).await.remove(0);
        assert_eq!(job.attempts, attempt);
        let before = w.instance.now().0;
        assert!(fail(&w, &job).await);
        let due = w.number("SELECT visible_at FROM jobs").await;
        let ceiling = i64::try_from(jobs::backoff_ceiling(attempt)).unwrap();
        assert!(due <= w.instance.now().0 + ceiling && due >= before, "{attempt}");
        much_later(&w).await;
    }
    assert!(claim(&w, 1).await.is_empty());
    let mut reader = w.db.read().await.unwrap();
    let dead = jobs::list_dead(&mut reader, 0).await.unwrap();
    drop(reader);
    assert_eq!((dead.len(), &dead[0].id, dead[0].attempts), (1, &id, 3));
    assert_eq!(dead[0].last_error.as_deref(), Some("broken"));
    let again = id.clone();
    let replayed =
        w.db.write(move |tx| {
            let id = again.clone();
            async move { jobs::replay(tx, 0, &id).await }.boxed()
        })
        .await
        .unwrap();
    assert!(replayed);
    assert_eq!(claim(&w, 1).await.remove(0).attempts, 1);
}

both!(failures_back_off_and_end);

/// A job that kills its worker each time ends too.
async fn a_poison_job_dies_by_its_leases(w: World) {
    enqueue(&w, NewJob { max_attempts: 2, ..new(1) }).await.unwrap();
    for _ in 0..2 {
        assert_eq!(claim(&w, 1).await.len(), 1);
        much_later(&w).await;
    }
    assert!(claim(&w, 1).await.is_empty());
    assert_eq!(w.number("SELECT COUNT(*) FROM jobs WHERE state = 'dead'").await, 1);
}

both!(a_poison_job_dies_by_its_leases);

/// Jobs of one key run one after another, others beside them.
async fn serial_jobs_keep_their_order(w: World) {
    let serial = |n| NewJob { serial_key: Some("run 7".into()), ..new(n) };
    w.db.write(move |tx| {
        async move {
            for n in 0..3 {
                jobs::enqueue(tx, NewJob { priority: n, ..serial(n) }).await?;
            }
            jobs::enqueue(tx, new(9)).await?;
            Ok::<_, StoreError>(())
        }
        .boxed()
    })
    .await
    .unwrap();
    let payloads = |jobs: &[Job]| jobs.iter().map(|job| job.payload.clone()).collect::<Vec<_>>();
    let first = claim(&w, 16).await;
    let mut sorted = payloads(&first);
    sorted.sort();
    assert_eq!(sorted, [r#"{"n":0}"#, r#"{"n":9}"#]);
    assert!(claim(&w, 16).await.is_empty());
    let head = first.iter().find(|job| job.payload.contains('0')).unwrap();
    assert!(fail(&w, head).await);
    much_later(&w).await;
    let retried: Vec<_> =
        claim(&w, 16).await.into_iter().filter(|job| !job.payload.contains('9')).collect();
    assert_eq!(payloads(&retried), [r#"{"n":0}"#]);
    assert!(complete(&w, &retried[0]).await);
    for n in 1..3 {
        let next = claim(&w, 16).await;
        assert_eq!(payloads(&next), [format!(r#"{{"n":{n}}}"#)]);
        assert!(complete(&w, &next[0]).await);
    }
}

both!(serial_jobs_keep_their_order);

/// Gone on with, a job is due again with all its attempts, and before those behind it; given up, it is
/// dead at once.
async fn jobs_are_gone_on_with_and_given_up(w: World) {
    let keyed = |n: i64| NewJob {
        dedupe_key: Some(format!("of {n}")),
        serial_key: Some("walk".into()),
        ..new(n)
    };
    enqueue(&w, keyed(1)).await.unwrap();
    enqueue(&w, keyed(2)).await.unwrap();
    let first = claim(&w, 16).await.remove(0);
    let went = with_job(&w, &first, |tx, job| {
        async move { jobs::go_on(tx, &job, &serde_json::json!({ "n": 7 })).await }.boxed()
    });
    assert!(went.await);
    let again = claim(&w, 16).await;
    let told: Vec<_> = again.iter().map(|job| (job.payload.as_str(), job.attempts)).collect();
    assert_eq!(told, [(r#"{"n":7}"#, 1)]);
    assert!(!complete(&w, &first).await, "the lease of before ends nothing");
    let live = jobs::live(&mut w.db.read().await.unwrap(), 0, "mail").await.unwrap();
    let live: Vec<_> = live.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(live, ["of 1", "of 2"]);
    let given_up = with_job(&w, &again[0], |tx, job| {
        async move { jobs::give_up(tx, &job, "too large").await }.boxed()
    });
    assert!(given_up.await);
    let dead = jobs::list_dead(&mut w.db.read().await.unwrap(), 0).await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts), (1, 1));
    assert_eq!(dead[0].last_error.as_deref(), Some("too large"));
    assert_eq!(claim(&w, 16).await[0].payload, r#"{"n":2}"#);
}

both!(jobs_are_gone_on_with_and_given_up);

/// One live job of a key; kinds that nobody knows wait; timers wait.
async fn what_is_not_due_waits(w: World) {
    let keyed = NewJob { dedupe_key: Some("once".into()), ..new(1) };
    assert!(enqueue(&w, keyed.clone()).await.is_some());
    assert!(enqueue(&w, keyed.clone()).await.is_none());
    let job = claim(&w, 1).await.remove(0);
    assert!(enqueue(&w, keyed.clone()).await.is_none());
    assert!(complete(&w, &job).await);
    assert!(enqueue(&w, keyed).await.is_some());
    let unknown = NewJob { kind: "of a later version", ..new(2) };
    enqueue(&w, unknown).await.unwrap();
    let due = w.instance.now().plus_seconds(3_600);
    enqueue(&w, NewJob { not_before: Some(due), ..new(3) }).await.unwrap();
    let claimed = claim(&w, 16).await;
    assert_eq!(claimed.len(), 1);
    let ready =
        w.rows(Sql::fixed("SELECT kind FROM jobs WHERE state = 'ready' ORDER BY kind", [])).await;
    let kinds: Vec<_> = ready.iter().map(|row| row[0].clone()).collect();
    assert_eq!(kinds, [Value::from("mail"), Value::from("of a later version")]);
}

both!(what_is_not_due_waits);

/// The next due moment is that of a job which waits for no other; what is done, dead or due
/// already is none. A job at work is one until its end.
async fn the_next_due_moment(w: World) {
    let now = w.instance.now();
    let at = |seconds: i64| now.plus_seconds(seconds);
    let next = async || due::next(&mut w.db.read().await.unwrap(), now).await.unwrap();
    let at_work = async || {
        let wall = w.instance.clock().wall();
        due::at_work(&mut w.db.read().await.unwrap(), wall).await.unwrap()
    };
    assert_eq!(next().await, None);
    let serial = |n, seconds| NewJob {
        serial_key: Some("run".into()),
        not_before: Some(at(seconds)),
        ..new(n)
    };
    enqueue(&w, serial(1, 900)).await.unwrap();
    enqueue(&w, serial(2, 60)).await.unwrap();
    enqueue(&w, NewJob { not_before: Some(at(-5)), ..new(3) }).await.unwrap();
    assert_eq!(next().await, Some(at(900)), "the second one of a chain waits for the first");
    assert!(!at_work().await);
    let job = claim(&w, 16).await.remove(0);
    assert!(at_work().await);
    let late = due::stragglers(&mut w.db.read().await.unwrap(), at(800), 10).await.unwrap();
    let late: Vec<_> = late.into_iter().map(|it| (it.id, it.due_at, it.attempts)).collect();
    assert_eq!(late, [(job.id.clone(), at(-5), 1)]);
    assert!(complete(&w, &job).await);
    assert!(!at_work().await);
    assert_eq!(next().await, Some(at(900)));
}

both!(the_next_due_moment);

#[test]
fn backoff_grows_to_six_hours() {
    let seconds: Vec<u64> = (1..=20).map(|n| jobs::backoff_ceiling(n) / 1_000_000).collect();
    assert_eq!(&seconds[..4], [2, 4, 8, 16]);
    assert_eq!(seconds[19], 6 * 3_600);
    assert!(seconds.windows(2).all(|pair| pair[0] <= pair[1]));
}
