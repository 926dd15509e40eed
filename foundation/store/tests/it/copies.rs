//! Copies for somebody who opens them at once: forks.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;
use ward_store::{Db, Place, Query, Sql, StoreError};

use crate::support::{self, World};
use crate::tables::{VISITS, insert, visit};

/// Two rows in one transaction, so that half of one would be seen.
async fn pair(db: &Db, org: i64, n: usize) -> Result<(), StoreError> {
    db.write(move |tx| {
        async move {
            for half in ["first", "second"] {
                let id = tx.next_id(&VISITS).await?;
                let row = visit(tx, org, id, &format!("{half} {n} {}", "long ".repeat(400)));
                tx.execute(&insert(row)).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
}

async fn read(db: &Db, text: &'static str) -> String {
    let rows = db.read().await.unwrap().rows(&Sql::fixed(text, [])).await.unwrap();
    let value = rows.row(0).first().cloned();
    value.and_then(|it| it.text().map(str::to_owned).or(it.int().map(|n| n.to_string()))).unwrap()
}

/// Whatever is written meanwhile, a copy holds whole transactions and all that were acknowledged
/// before it was asked for; the original goes on.
async fn a_copy_is_what_was_committed(w: World) {
    const PAIRS: usize = 300;
    let org = w.org_id();
    let writes = async {
        for n in 0..PAIRS / 10 {
            let some = (0..10).map(|k| pair(&w.db, org, n * 10 + k));
            assert!(join_all(some).await.iter().all(Result::is_ok));
        }
    };
    let copies = async {
        let mut counts = Vec::new();
        for n in 0..6 {
            let before = w.number("SELECT COUNT(*) FROM visits").await;
            let path = w.directory.join(format!("copy{n}.db"));
            w.db.copy_passing(path.clone()).await.unwrap();
            let place = Place::Passing { path };
            let copy = Db::open(place, Arc::clone(&w.instance), support::tables()).await.unwrap();
            assert_eq!(read(&copy, "PRAGMA integrity_check").await, "ok");
            let count: i64 = read(&copy, "SELECT COUNT(*) FROM visits").await.parse().unwrap();
            assert!(count >= before && count % 2 == 0, "{count} rows, {before} before");
            // It is a world of its own.
            pair(&copy, org, PAIRS + n).await.unwrap();
            copy.shutdown().await;
            counts.push(count);
        }
        counts
    };
    let ((), counts) = futures_util::future::join(writes, copies).await;
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!(w.number("SELECT COUNT(*) FROM visits").await, 2 * PAIRS as i64);
    // There already, it is not written over.
    let there = w.directory.join("copy0.db");
    assert!(w.db.copy_passing(there.clone()).await.is_err());
    assert!(there.exists());
}

only!(Lite, a_copy_is_what_was_committed);
