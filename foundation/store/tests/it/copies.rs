//! Copies for somebody who opens them at once: forks.

use std::path::Path;
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
    let (org, witness) = (w.org_id(), w.instance.witness().sandbox().unwrap());
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
            w.db.copy_passing(path.clone(), &witness).await.unwrap();
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
    assert!(w.db.copy_passing(there.clone(), &witness).await.is_err());
    assert!(there.exists());
}

only!(Lite, a_copy_is_what_was_committed);

/// Who is refused after the writer has begun leaves nobody at work on the file, who could remove it
/// at once.
async fn a_copy_that_is_refused_is_let_go(w: World) {
    let kind = w.instance.kind().as_str();
    let text = "INSERT INTO retired_keys (purpose, root_version, kind, wrapped, retired_at) \
                VALUES ('unheard of', 1, $1, $2, 0)";
    let row = Sql::fixed(text, [kind.into(), vec![0_u8].into()]);
    w.execute(row).await.unwrap();
    let witness = w.instance.witness().sandbox().unwrap();
    for n in 0..5 {
        let path = w.directory.join(format!("refused{n}.db"));
        w.db.copy_passing(path.clone(), &witness).await.unwrap();
        for place in [Place::Passing { path: path.clone() }, Place::Lite { path: path.clone() }] {
            let opened = Db::open(place, Arc::clone(&w.instance), support::tables()).await;
            assert!(matches!(opened.err(), Some(StoreError::Corrupt { .. })));
            assert_eq!(descriptors(&path), 0, "the file is open still");
        }
    }
}

only!(Lite, a_copy_that_is_refused_is_let_go);

/// How often this process has a file open, its log included.
fn descriptors(file: &Path) -> usize {
    let listed = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let open = listed.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let name = file.to_str().unwrap();
    open.filter(|path| path.to_string_lossy().starts_with(name)).count()
}
