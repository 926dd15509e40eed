//! What was acknowledged is there after a restart.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;
use ward_store::{Db, Hint, Place, Query, Sql, StoreError};

use crate::support::{self, World};
use crate::tables::{VISITS, insert, visit};

/// Also without a clean stop.
async fn acknowledged_writes_stay(w: World) {
    let org = w.org_id();
    let mut expected = 0;
    for is_clean in [false, true] {
        let db =
            Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables()).await.unwrap();
        let writes = (0..40).map(|n| {
            db.write(move |tx| {
                async move {
                    let id = tx.next_id(&VISITS).await?;
                    let row = visit(tx, org, id, &format!("{is_clean} {n}"));
                    tx.execute(&insert(row)).await
                }
                .boxed()
            })
        });
        let results: Vec<Result<u64, StoreError>> = join_all(writes).await;
        expected += results.iter().filter(|result| result.is_ok()).count() as i64;
        if is_clean {
            db.shutdown().await;
        }
    }
    assert_eq!(expected, 80);
    assert_eq!(w.number("SELECT COUNT(*) FROM visits").await, expected);
}

both!(acknowledged_writes_stay);

/// A clean stop leaves everything in the one file.
async fn shutdown_empties_the_log(w: World) {
    w.execute(Sql::fixed("INSERT INTO nodes VALUES ('a', 1, 1)", [])).await.unwrap();
    w.db.shutdown().await;
    let log = w.file().with_extension("db-wal");
    assert!(!log.exists() || log.metadata().unwrap().len() == 0);
    assert!(matches!(
        w.execute(Sql::fixed("DELETE FROM nodes", [])).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(w.db.read().await.is_err());
    let alone = w.directory.join("alone.db");
    std::fs::copy(w.file(), &alone).unwrap();
    let db = Db::open(Place::Lite { path: alone }, Arc::clone(&w.instance), support::tables())
        .await
        .unwrap();
    let rows =
        db.read().await.unwrap().rows(&Sql::fixed("SELECT node FROM nodes", [])).await.unwrap();
    assert_eq!(rows.len(), 1);
    db.shutdown().await;
}

only!(Lite, shutdown_empties_the_log);

/// While the writer is never idle, so that it empties the log nowhere itself.
async fn a_long_log_is_written_back_beside_the_writer(w: World) {
    let size = || w.file().metadata().unwrap().len();
    let before = size();
    let many = "INSERT INTO nodes SELECT hex(randomblob(2000)) || n, 1, 1 FROM (WITH RECURSIVE \
        c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1500) SELECT n FROM c)";
    w.execute(Sql::fixed(many, [])).await.unwrap();
    let written = 1_500 * 4_000;
    for n in 0_i64.. {
        if size() >= before + written {
            break;
        }
        assert!(n < 4_000, "nobody wrote it back: {} bytes, {before} before", size());
        w.execute(Sql::fixed("INSERT INTO nodes VALUES ($1, 1, 1)", [n.to_string().into()]))
            .await
            .unwrap();
    }
    let count = "SELECT COUNT(*) FROM nodes WHERE LENGTH(node) > 100";
    assert_eq!(w.number(count).await, 1_500);
    w.db.shutdown().await;
    let log = w.file().with_extension("db-wal");
    assert!(!log.exists() || log.metadata().unwrap().len() == 0);
}

only!(Lite, a_long_log_is_written_back_beside_the_writer);

/// Hints come after the commit, and only then.
async fn hints_follow_the_commit(w: World) {
    let mut hints = w.db.hints();
    let undone: Result<(), StoreError> =
        w.db.write(|tx| {
            async move {
                tx.on_commit(Hint::Events);
                Err(StoreError::Conflict)
            }
            .boxed()
        })
        .await;
    assert!(undone.is_err());
    w.db.write(|tx| {
        async move {
            tx.on_commit(Hint::Jobs);
            tx.on_commit(Hint::Jobs);
            Ok::<_, StoreError>(())
        }
        .boxed()
    })
    .await
    .unwrap();
    assert_eq!(hints.recv().await.unwrap(), Hint::Jobs);
    assert!(hints.try_recv().is_err());
}

both!(hints_follow_the_commit);
