//! Group commit: exactly the innocent are acknowledged, and they are there.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join, join_all, lazy};
use tokio::task::JoinHandle;
use ward_store::{Query, Sql, StoreError, Tx, Value};

use crate::support::World;
use crate::tables::{insert, visit};

/// What the one odd member does.
type Deed = for<'t> fn(&'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>>;

const MEMBERS: i64 = 12;
const ODD: i64 = 5;

/// A write that holds the writer, alone in its group, until the gate is opened.
pub async fn held(w: &World) -> (mpsc::Sender<()>, JoinHandle<Result<(), StoreError>>) {
    let (open, gate) = mpsc::channel::<()>();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let (gate, db) = (Mutex::new(gate), w.db.clone());
    let holder = tokio::spawn(async move {
        db.write(move |_| {
            begun.send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
            async { Ok(()) }.boxed()
        })
        .await
    });
    has_begun.recv().await.unwrap();
    (open, holder)
}

/// Queues all members behind one that holds the writer, so that they meet in
/// one group; answers each one's result.
async fn meet(w: &World, deed: Deed) -> Vec<Result<(), StoreError>> {
    let (open, holder) = held(w).await;
    let org = w.org_id();
    let members = join_all((0..MEMBERS).map(|n| {
        w.db.write(move |tx| {
            async move {
                // An earlier member may have left it small.
                tx.rows(&Sql::fixed("PRAGMA max_page_count = 1000000", [])).await?;
                let row = visit(tx, org, org + 1 + n, &format!("member {n}"));
                tx.execute(&insert(row)).await?;
                if n == ODD {
                    deed(tx).await?;
                }
                Ok(())
            }
            .boxed()
        })
    }));
    // Polled in this order: the gate opens when all are queued.
    let opener = lazy(move |_| open.send(()).unwrap());
    let (results, ()) = join(members, opener).await;
    holder.await.unwrap().unwrap();
    results
}

async fn only_the_odd_one_failed(w: &World, results: &[Result<(), StoreError>]) {
    for (n, result) in (0..).zip(results) {
        assert_eq!(result.is_err(), n == ODD, "member {n}: {result:?}");
    }
    let titles = w.rows(Sql::fixed("SELECT title FROM visits ORDER BY id", [])).await;
    let titles: Vec<_> = titles.iter().map(|row| row[0].text().unwrap().to_owned()).collect();
    let innocent = (0..MEMBERS).filter(|n| *n != ODD).map(|n| format!("member {n}"));
    assert_eq!(titles, innocent.collect::<Vec<_>>());
    let check = w.rows(Sql::fixed("PRAGMA integrity_check", [])).await;
    assert_eq!(check.scalar(), Some(&"ok".into()));
}

/// Many writes, few syncs.
async fn members_share_a_commit(w: World) {
    let before = w.db.writer_stats();
    let results = meet(&w, |_| async { Ok(()) }.boxed()).await;
    assert!(results.iter().all(Result::is_ok));
    let after = w.db.writer_stats();
    assert_eq!(after.members - before.members, MEMBERS as u64 + 1);
    assert_eq!(after.commits - before.commits, 2, "the holder and the group");
}

only!(Lite, members_share_a_commit);

/// A body that returns an error leaves nothing.
async fn an_error(w: World) {
    let results = meet(&w, |_| async { Err(StoreError::Conflict) }.boxed()).await;
    assert!(matches!(results[ODD as usize], Err(StoreError::Conflict)));
    only_the_odd_one_failed(&w, &results).await;
}

only!(Lite, an_error);

/// A body that panics, too.
async fn a_panic(w: World) {
    let results = meet(&w, |_| async { panic!("on purpose") }.boxed()).await;
    assert!(matches!(results[ODD as usize], Err(StoreError::Internal { .. })));
    only_the_odd_one_failed(&w, &results).await;
}

only!(Lite, a_panic);

/// A body that waits for something else must not hold the writer.
async fn a_wait(w: World) {
    let results = meet(&w, |_| std::future::pending().boxed()).await;
    assert!(matches!(results[ODD as usize], Err(StoreError::Internal { .. })));
    only_the_odd_one_failed(&w, &results).await;
}

only!(Lite, a_wait);

fn fill_the_disk(tx: &mut Tx) -> BoxFuture<'_, Result<(), StoreError>> {
    async move {
        let pages = tx.rows(&Sql::fixed("PRAGMA page_count", [])).await?;
        let most = pages.scalar().and_then(Value::int).unwrap() + 3;
        tx.rows(Sql::new().push(&format!("PRAGMA max_page_count = {most}"))).await?;
        // One row of one table has no journal of its own to be undone by.
        let fill = Sql::fixed("INSERT INTO nodes VALUES (hex(zeroblob(1000000)), 1, 1)", []);
        tx.execute(&fill).await.map(drop)
    }
    .boxed()
}

/// A full disk ends the whole transaction; the others run again.
async fn a_full_disk(w: World) {
    let before = w.db.writer_stats();
    let results = meet(&w, fill_the_disk).await;
    assert!(matches!(results[ODD as usize], Err(StoreError::Full(_))), "{results:?}");
    only_the_odd_one_failed(&w, &results).await;
    let ran = w.db.writer_stats().members - before.members;
    assert!(ran > MEMBERS as u64 + 1, "the group was run again: {ran}");
}

only!(Lite, a_full_disk);

/// Going on after the error that ended the transaction writes nothing and
/// is no success.
async fn a_full_disk_that_the_body_ignores(w: World) {
    let results = meet(&w, |tx| {
        async move {
            assert!(fill_the_disk(tx).await.is_err());
            let more = Sql::fixed("UPDATE visits SET count = 99", []);
            assert!(tx.execute(&more).await.is_err());
            Ok(())
        }
        .boxed()
    })
    .await;
    only_the_odd_one_failed(&w, &results).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM visits WHERE count = 99").await, 0);
}

only!(Lite, a_full_disk_that_the_body_ignores);

/// An interrupt of one statement.
async fn an_interrupt(w: World) {
    let before = w.db.writer_stats();
    let results = meet(&w, |tx| {
        async move {
            let handle = tx.interrupt_handle().unwrap();
            let (done, is_done) = mpsc::channel::<()>();
            let interrupter = std::thread::spawn(move || {
                // Only a statement that is already running can be interrupted.
                while is_done.recv_timeout(Duration::from_millis(5)).is_err() {
                    handle.interrupt();
                }
            });
            let endless = Sql::fixed(
                "UPDATE visits SET count = (WITH RECURSIVE n(i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n)",
                [],
            );
            let result = tx.execute(&endless).await;
            done.send(()).unwrap();
            interrupter.join().unwrap();
            result.map(drop)
        }
        .boxed()
    })
    .await;
    only_the_odd_one_failed(&w, &results).await;
    let ran = w.db.writer_stats().members - before.members;
    assert!(ran > MEMBERS as u64 + 1, "the group was run again: {ran}");
}

only!(Lite, an_interrupt);

/// A COMMIT that fails because of one member: each is tried alone.
async fn a_failed_commit(w: World) {
    let results = meet(&w, |tx| {
        async move {
            tx.execute(&Sql::fixed("PRAGMA defer_foreign_keys = ON", [])).await?;
            let sql =
                Sql::fixed("UPDATE visits SET parent_id = 2000000999 WHERE title = 'member 5'", []);
            tx.execute(&sql).await.map(drop)
        }
        .boxed()
    })
    .await;
    assert!(matches!(results[ODD as usize], Err(StoreError::Constraint(_))), "{results:?}");
    only_the_odd_one_failed(&w, &results).await;
}

only!(Lite, a_failed_commit);

/// Whoever has gone away before their turn is not served.
async fn an_abandoned_write_is_skipped(w: World) {
    let (open, holder) = held(&w).await;
    let ran = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&ran);
    let mut gone = Box::pin(w.db.write(move |_| {
        *seen.lock().unwrap() = true;
        async { Ok::<_, StoreError>(()) }.boxed()
    }));
    assert!((&mut gone).now_or_never().is_none());
    drop(gone);
    open.send(()).unwrap();
    holder.await.unwrap().unwrap();
    w.db.write(|_| async { Ok::<_, StoreError>(()) }.boxed()).await.unwrap();
    assert!(!*ran.lock().unwrap());
}

only!(Lite, an_abandoned_write_is_skipped);

/// The queue has an end, and says so.
async fn a_full_queue_refuses(w: World) {
    let (open, holder) = held(&w).await;
    let mut waiting = Vec::new();
    let refused = loop {
        let mut next = w.db.write(|_| async { Ok::<_, StoreError>(()) }.boxed()).boxed();
        match (&mut next).now_or_never() {
            None => waiting.push(next),
            Some(result) => break result,
        }
        assert!(waiting.len() < 10_000, "the queue has no end");
    };
    assert!(
        matches!(&refused, Err(StoreError::Unavailable(what)) if what.contains("retry")),
        "{refused:?}"
    );
    assert_eq!(waiting.len(), 4_096);
    open.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert!(join_all(waiting).await.into_iter().all(|result| result.is_ok()));
}

only!(Lite, a_full_queue_refuses);

/// Writing beyond the process's file size limit is an I/O error: at the COMMIT
/// for what fits the cache, inside the member for what does not.
#[test]
fn an_input_output_error() {
    let program = std::env::current_exe().unwrap();
    // The signal of the limit stays ignored in the program that replaces the shell.
    let script =
        "trap '' XFSZ; ulimit -f 4096; exec \"$0\" --exact group::under_a_limit --nocapture";
    let mut child = std::process::Command::new("sh");
    child.args(["-c", script]).arg(program);
    let output = child.env(LIMITED, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("both sizes failed alone"), "{told}");
}

/// Set in the process that has the limit.
const LIMITED: &str = "WARD_TEST_LIMITED";

fn insert_megabytes(tx: &mut Tx, megabytes: i64) -> BoxFuture<'_, Result<(), StoreError>> {
    let sql =
        Sql::fixed("INSERT INTO nodes SELECT hex(zeroblob($1 * 500000)), 1, 1", [megabytes.into()]);
    async move { tx.execute(&sql).await.map(drop) }.boxed()
}

async fn under_the_limit(w: World) {
    let small: Deed = |tx| insert_megabytes(tx, 6);
    let large: Deed = |tx| insert_megabytes(tx, 40);
    for deed in [small, large] {
        let results = meet(&w, deed).await;
        assert!(matches!(results[ODD as usize], Err(StoreError::Full(_))), "{results:?}");
        only_the_odd_one_failed(&w, &results).await;
        w.execute(Sql::fixed("DELETE FROM visits", [])).await.unwrap();
    }
    println!("both sizes failed alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_limit() {
    if std::env::var_os(LIMITED).is_some() {
        let kind = ward_instance::Kind::Sandbox;
        crate::support::run(ward_store::Engine::Lite, kind, under_the_limit).await;
    }
}
