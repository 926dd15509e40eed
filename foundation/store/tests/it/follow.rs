//! What follows from events is in their commit, and never in their way.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ward_store::{Followed, Hint, Query, Sql, StoreError, Tx};

use crate::support::World;
use crate::tables::{insert, visit};

/// What follows.
type Deed = for<'t> fn(&'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>>;

type Told = Arc<Mutex<Vec<i64>>>;

/// A visit of a title.
async fn write(tx: &mut Tx, org: i64, number: i64, title: &str) -> Result<(), StoreError> {
    let row = visit(tx, org, org + number, title);
    tx.execute(&insert(row)).await.map(drop)
}

/// From here on a visit "follower N", and then the deed; tells how many visits there were.
fn follow(w: &World, deed: Deed) -> (Option<Followed>, Told) {
    let (told, org) = (Told::default(), w.org_id());
    let telling = told.clone();
    let followed = w.db.follow(
        move |tx: &mut Tx| {
            async move {
                let before = tx.rows(&Sql::fixed("SELECT COUNT(*) FROM visits", [])).await?;
                let before = before.scalar().and_then(|count| count.int()).unwrap();
                write(tx, org, 500 + before, &format!("follower {before}")).await?;
                deed(tx).await?;
                Ok(before)
            }
            .boxed()
        },
        move |before| telling.lock().unwrap().push(before),
    );
    (followed, told)
}

/// Writes one visit, and says so or not.
async fn visited(w: &World, number: i64, hint: Option<Hint>) {
    let org = w.org_id();
    let written = w.db.write(move |tx| {
        async move {
            write(tx, org, number, &format!("leader {number}")).await?;
            hint.into_iter().for_each(|hint| tx.on_commit(hint));
            Ok::<_, StoreError>(())
        }
        .boxed()
    });
    written.await.unwrap();
}

async fn titles(w: &World) -> Vec<String> {
    let rows = w.rows(Sql::fixed("SELECT title FROM visits ORDER BY id", [])).await;
    rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
}

async fn in_the_same_commit(w: World) {
    let (followed, told) = follow(&w, |_| async { Ok(()) }.boxed());
    let before = w.db.writer_stats();
    visited(&w, 1, Some(Hint::Events)).await;
    visited(&w, 2, Some(Hint::Deliveries)).await;
    visited(&w, 3, Some(Hint::Jobs)).await;
    visited(&w, 4, None).await;
    assert_eq!(*told.lock().unwrap(), [1, 3], "twice, each with what it follows before it");
    assert_eq!(w.db.writer_stats().commits - before.commits, 4);
    drop(followed);
    visited(&w, 5, Some(Hint::Events)).await;
    let titles = titles(&w).await;
    assert_eq!(titles.iter().filter(|title| title.starts_with("follower")).count(), 2);
    assert_eq!(titles.len(), 7);
}

only!(Lite, in_the_same_commit);

/// One that fails leaves nothing, and is in nobody's way.
async fn a_follower_that_fails(w: World) {
    let (_followed, told) = follow(&w, |_| async { Err(StoreError::Conflict) }.boxed());
    visited(&w, 1, Some(Hint::Events)).await;
    visited(&w, 2, Some(Hint::Events)).await;
    assert_eq!(titles(&w).await, ["leader 1", "leader 2"]);
    assert!(told.lock().unwrap().is_empty());
}

only!(Lite, a_follower_that_fails);

/// One that takes the whole transaction down does it once: then the others are written without.
async fn a_follower_that_ends_the_transaction(w: World) {
    let (_followed, told) = follow(&w, |tx| {
        async move {
            let twice = "INSERT OR ROLLBACK INTO nodes (node, started_at, beat_at) \
                         SELECT 'twice', 1, 1 UNION ALL SELECT 'twice', 1, 1";
            tx.execute(&Sql::fixed(twice, [])).await.map(drop)
        }
        .boxed()
    });
    visited(&w, 1, Some(Hint::Events)).await;
    assert_eq!(titles(&w).await, ["leader 1"]);
    assert!(told.lock().unwrap().is_empty());
}

only!(Lite, a_follower_that_ends_the_transaction);

/// Where everybody commits for themselves there is nothing to follow in.
async fn nobody_follows(w: World) {
    assert!(follow(&w, |_| async { Ok(()) }.boxed()).0.is_none());
}

only!(Pg, nobody_follows);
