//! What only a server does: conflicts, lost connections, aborted callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::join;
use tokio::sync::Barrier;
use ward_store::{Query, Sql, StoreError};

use crate::support::{self, World};
use crate::tables::{insert, visit};

async fn two_visits(w: &support::World) {
    let org = w.org_id();
    w.db.write(move |tx| {
        async move {
            for n in [1, 2] {
                let row = visit(tx, org, org + n, &format!("v{n}"));
                tx.execute(&insert(row)).await?;
            }
            Ok::<_, StoreError>(())
        }
        .boxed()
    })
    .await
    .unwrap();
}

/// Two transactions that lock each other out: one is run again, both succeed.
async fn a_deadlock_is_retried(w: World) {
    two_visits(&w).await;
    let (barrier, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let add = |first: i64, second: i64| {
        let (barrier, runs, org) = (Arc::clone(&barrier), Arc::clone(&runs), w.org_id());
        w.db.write(move |tx| {
            let (barrier, runs) = (Arc::clone(&barrier), Arc::clone(&runs));
            async move {
                let add = |id: i64| {
                    Sql::fixed(
                        "UPDATE visits SET count = count + 1 WHERE id = $1",
                        [(org + id).into()],
                    )
                };
                tx.execute(&add(first)).await?;
                if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                    barrier.wait().await;
                }
                tx.execute(&add(second)).await?;
                Ok::<_, StoreError>(())
            }
            .boxed()
        })
    };
    let (one, two) = join(add(1, 2), add(2, 1)).await;
    one.unwrap();
    two.unwrap();
    assert_eq!(w.number("SELECT CAST(SUM(count) AS BIGINT) FROM visits").await, 4);
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

only!(Pg, a_deadlock_is_retried);

/// After five attempts the conflict is the caller's.
async fn a_lasting_conflict_ends(w: World) {
    let runs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&runs);
    let result =
        w.db.write(move |tx| {
            seen.fetch_add(1, Ordering::SeqCst);
            async move {
                let raise = "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$";
                tx.execute(&Sql::fixed(raise, [])).await
            }
            .boxed()
        })
        .await;
    let result: Result<u64, StoreError> = result;
    assert!(matches!(result, Err(StoreError::Conflict)), "{result:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 5);
}

only!(Pg, a_lasting_conflict_ends);

/// A body that swallows an error does not commit, and a panic rolls back.
async fn an_ignored_error_is_no_success(w: World) {
    let result =
        w.db.write(|tx| {
            async move {
                tx.execute(&Sql::fixed("DELETE FROM nodes", [])).await?;
                drop(tx.execute(&Sql::fixed("DELETE FROM nowhere", [])).await);
                Ok::<_, StoreError>(())
            }
            .boxed()
        })
        .await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    two_visits(&w).await;
    let panicked =
        w.db.write(|tx| {
            async move {
                tx.execute(&Sql::fixed("DELETE FROM visits", [])).await?;
                if true {
                    panic!("on purpose")
                }
                Ok::<_, StoreError>(())
            }
            .boxed()
        })
        .await;
    assert!(matches!(panicked, Err(StoreError::Internal { .. })));
    assert_eq!(w.number("SELECT COUNT(*) FROM visits").await, 2);
}

only!(Pg, an_ignored_error_is_no_success);

/// A caller that goes away in the middle leaves no open transaction behind.
async fn an_aborted_caller(w: World) {
    two_visits(&w).await;
    let (reached, at_it) = tokio::sync::oneshot::channel();
    let reached = std::sync::Mutex::new(Some(reached));
    let db = w.db.clone();
    let caller = tokio::spawn(async move {
        db.write(move |tx| {
            let reached = reached.lock().unwrap().take();
            async move {
                tx.execute(&Sql::fixed("DELETE FROM visits", [])).await?;
                reached.unwrap().send(()).unwrap();
                std::future::pending::<()>().await;
                Ok::<_, StoreError>(())
            }
            .boxed()
        })
        .await
    });
    at_it.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    // Not blocked by locks that were left.
    w.execute(Sql::fixed("UPDATE visits SET count = 7", [])).await.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM visits WHERE count = 7").await, 2);
}

only!(Pg, an_aborted_caller);

/// Connections that the server closed are replaced.
async fn the_pool_heals(w: World) {
    two_visits(&w).await;
    let raw = support::raw(&w.url()).await;
    raw.batch_execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await
    .unwrap();
    let mut tries = 0;
    while let Err(error) = w.execute(Sql::fixed("UPDATE visits SET count = 8", [])).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        tries += 1;
        assert!(tries < 50, "{error}");
    }
}

only!(Pg, the_pool_heals);

/// A server that is not there is said in a sentence without the address.
#[tokio::test]
async fn no_server() {
    let born = support::born(ward_instance::Kind::Sandbox);
    let url = "postgres://me:secret@127.0.0.1:1/sandbox_x".to_owned();
    let place = ward_store::Place::Pg { url };
    let error = support::open(&born, &place).await.err().unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(!format!("{error:?} {place:?}").contains("secret"));
}
