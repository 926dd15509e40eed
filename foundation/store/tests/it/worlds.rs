//! Who was looked up before a Sandbox was emptied writes nothing into what is there afterwards.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join3, lazy};
use ward_store::snapshots::{alone, empty};
use ward_store::{Db, Query, Sql, StoreError, Table, Tx, Value, nodes};

use crate::group::held;
use crate::support::World;
use crate::tables::{self, VISIT_TAGS, VISITS, insert, visit};

async fn add(db: &Db, org: i64) -> Result<(), StoreError> {
    db.write(move |tx| {
        async move {
            let id = tx.next_id(&VISITS).await?;
            let row = visit(tx, org, id, &format!("visit {id}"));
            tx.execute(&insert(row)).await.map(drop)
        }
        .boxed()
    })
    .await
}

/// As a reset does; with what it ends.
async fn emptied(w: &World, end: fn() -> Result<(), StoreError>) -> Result<(), StoreError> {
    let witness = w.instance.witness().sandbox().unwrap();
    w.db.write_alone(move |tx| {
        async move {
            alone(tx).await?;
            empty(tx, &[&VISITS], &witness).await?;
            end()
        }
        .boxed()
    })
    .await
}

async fn visits(w: &World) -> i64 {
    w.number("SELECT COUNT(*) FROM visits").await
}

async fn who_is_of_before_writes_nothing(w: World) {
    let org = w.org_id();
    let before = w.db.in_world(w.db.world());
    add(&before, org).await.unwrap();
    // What was not emptied is the same world.
    emptied(&w, || Err(StoreError::Conflict)).await.unwrap_err();
    add(&before, org).await.unwrap();
    assert_eq!(visits(&w).await, 2);
    emptied(&w, || Ok(())).await.unwrap();
    let refused = add(&before, org).await;
    assert!(matches!(refused, Err(StoreError::OtherWorld)), "{refused:?}");
    let refused: Result<(), StoreError> = before.write_alone(|_| async { Ok(()) }.boxed()).await;
    assert!(matches!(refused, Err(StoreError::OtherWorld)), "{refused:?}");
    assert_eq!(visits(&w).await, 0);
    // Who was looked up since, and the instance itself.
    add(&w.db.in_world(w.db.world()), org).await.unwrap();
    add(&w.db, org).await.unwrap();
    // And what tidies up behind who was looked up before.
    add(&before.in_any_world(), org).await.unwrap();
    assert_eq!(visits(&w).await, 3);
    // Reading goes on.
    drop(before.read().await.unwrap());
}

both!(who_is_of_before_writes_nothing);

/// Also who waits for the writer in the same group.
async fn who_waits_beside_it_writes_nothing(w: World) {
    let org = w.org_id();
    let before = w.db.in_world(w.db.world());
    add(&before, org).await.unwrap();
    let (open, holder) = held(&w).await;
    let opener = lazy(move |_| open.send(()).unwrap());
    // Polled in this order: the gate opens when both are queued.
    let (done, refused, ()) = join3(emptied(&w, || Ok(())), add(&before, org), opener).await;
    holder.await.unwrap().unwrap();
    done.unwrap();
    assert!(matches!(refused, Err(StoreError::OtherWorld)), "{refused:?}");
    assert_eq!(visits(&w).await, 0);
}

only!(Lite, who_waits_beside_it_writes_nothing);

/// Also who waits until the one that is alone has ended.
async fn who_waits_for_who_is_alone_writes_nothing(w: World) {
    let (org, witness) = (w.org_id(), w.instance.witness().sandbox().unwrap());
    let before = w.db.in_world(w.db.world());
    add(&before, org).await.unwrap();
    let (reached, at_it) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let waits = std::sync::Mutex::new(Some((reached, gone)));
    let db = w.db.clone();
    let emptied = tokio::spawn(async move {
        db.write_alone(move |tx| {
            let waits = waits.lock().unwrap().take();
            async move {
                alone(tx).await?;
                if let Some((reached, gone)) = waits {
                    reached.send(()).unwrap();
                    gone.await.unwrap();
                }
                empty(tx, &[&VISITS], &witness).await
            }
            .boxed()
        })
        .await
    });
    at_it.await.unwrap();
    let writer = tokio::spawn(async move { add(&before, org).await });
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    let emptied: Result<(), StoreError> = emptied.await.unwrap();
    emptied.unwrap();
    let refused = writer.await.unwrap();
    assert!(matches!(refused, Err(StoreError::OtherWorld)), "{refused:?}");
    assert_eq!(visits(&w).await, 0);
}

only!(Pg, who_waits_for_who_is_alone_writes_nothing);

async fn tag(tx: &mut Tx, org: i64, visit: i64) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "INSERT INTO visit_tags (org_id, visit_id, tag) VALUES ($1, $2, 'new')",
        [Value::Int(org), Value::Int(visit)],
    );
    tx.execute(&sql).await.map(drop)
}

const TAGS: &[&Table] = &[&VISIT_TAGS];
const BOTH: &[&Table] = &[&VISIT_TAGS, &VISITS];

/// Empties the tables, and refers to a visit then.
async fn emptied_and_tagged(
    w: &World,
    tables: &'static [&'static Table],
    visit: i64,
) -> Result<(), StoreError> {
    let (org, witness) = (w.org_id(), w.instance.witness().sandbox().unwrap());
    w.db.write_alone(move |tx| {
        async move {
            alone(tx).await?;
            empty(tx, tables, &witness).await?;
            tag(tx, org, visit).await
        }
        .boxed()
    })
    .await
}

/// Nothing refers to a row that is gone, neither in the transaction that empties nor in a later one.
async fn what_is_emptied_is_not_referred_to(w: World) {
    let org = w.org_id();
    let is_refused = |it: Result<(), StoreError>| matches!(it, Err(StoreError::Constraint(_)));
    add(&w.db, org).await.unwrap();
    let visit = w.number("SELECT id FROM visits").await;
    w.db.write(move |tx| tag(tx, org, visit).boxed()).await.unwrap();
    // What stays refers to it.
    assert!(is_refused(emptied(&w, || Ok(())).await));
    assert!(is_refused(emptied_and_tagged(&w, BOTH, visit).await));
    assert_eq!(visits(&w).await, 1);
    emptied_and_tagged(&w, TAGS, visit).await.unwrap();
    w.execute(Sql::fixed("DELETE FROM visit_tags", [])).await.unwrap();
    emptied(&w, || Ok(())).await.unwrap();
    let later = w.db.write(move |tx| tag(tx, org, visit).boxed()).await;
    assert!(is_refused(later));
}

both!(what_is_emptied_is_not_referred_to);

/// Another process of the same database.
async fn beside(w: &World) -> Db {
    Db::open(w.place.clone(), w.instance.clone(), tables::all()).await.unwrap()
}

async fn arrive(db: &Db, node: &'static str) -> Result<(), StoreError> {
    db.write(move |tx| nodes::arrive(tx, node).boxed()).await
}

/// Those who wait until they may begin to serve, or can keep others from it: `ward nod` in ASCII.
const WAITING: &str = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted \
    AND locktype = 'advisory' AND classid = 2002874980 AND objid = 544108388 \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// So often somebody is looked for, 10 ms apart, who has to come.
const LOOKS: usize = 6_000;

/// A node that comes while a Sandbox is emptied waits for that, and reads what is there then.
async fn a_node_that_comes_meanwhile_waits(w: World) {
    let (org, witness) = (w.org_id(), w.instance.witness().sandbox().unwrap());
    add(&w.db, org).await.unwrap();
    let other = beside(&w).await;
    let (reached, at_it) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let waits = std::sync::Mutex::new(Some((reached, gone)));
    let db = w.db.clone();
    let emptied = tokio::spawn(async move {
        db.write_alone(move |tx| {
            let waits = waits.lock().unwrap().take();
            async move {
                alone(tx).await?;
                if let Some((reached, gone)) = waits {
                    reached.send(()).unwrap();
                    gone.await.unwrap();
                }
                empty(tx, &[&VISITS], &witness).await?;
                nodes::others_in(tx, "one").await
            }
            .boxed()
        })
        .await
    });
    at_it.await.unwrap();
    let newcomer = other.clone();
    let came = tokio::spawn(async move {
        arrive(&newcomer, "two").await?;
        let there = Sql::fixed("SELECT COUNT(*) FROM visits", []);
        newcomer.read().await?.rows(&there).await
    });
    let mut looks = 0;
    while w.number(WAITING).await == 0 {
        assert!(!came.is_finished(), "it did not wait");
        assert!(looks < LOOKS, "it does not come");
        looks += 1;
        tokio::time::sleep(Duration::from_millis(10)).await; // allow-sleep: polling a condition
    }
    go.send(()).unwrap();
    let counted: Result<i64, StoreError> = emptied.await.unwrap();
    assert_eq!(counted.unwrap(), 0);
    let there = came.await.unwrap().unwrap();
    assert_eq!(there.scalar().unwrap().int(), Some(0), "it read what was there before");
    assert_eq!(nodes::others(&w.db, "one").await.unwrap(), 1);
    other.shutdown().await;
}

only!(Pg, a_node_that_comes_meanwhile_waits);

/// One that came before that is counted, although whoever counts had begun by then.
async fn a_node_that_came_before_is_counted(w: World) {
    let other = beside(&w).await;
    let newcomer = other.clone();
    let counted = w.db.write_alone(move |tx| {
        let newcomer = newcomer.clone();
        async move {
            tx.rows(&Sql::fixed("SELECT COUNT(*) FROM nodes", [])).await?;
            arrive(&newcomer, "two").await?;
            alone(tx).await?;
            nodes::others_in(tx, "one").await
        }
        .boxed()
    });
    let counted: Result<i64, StoreError> = counted.await;
    assert_eq!(counted.unwrap(), 1);
    other.shutdown().await;
}

only!(Pg, a_node_that_came_before_is_counted);

/// Who has the data alone goes on living for others, and so do they, however long it takes.
async fn who_is_alone_says_that_it_lives(w: World) {
    let other = beside(&w).await;
    arrive(&other, "two").await.unwrap();
    let (own, others) = (w.db.clone(), other.clone());
    let counted = w.db.write_alone(move |tx| {
        let (own, others) = (own.clone(), others.clone());
        async move {
            alone(tx).await?;
            for (db, node) in [(own, "one"), (others, "two")] {
                db.write_aside(move |tx| nodes::beat(tx, node).boxed()).await?;
            }
            let counted = (nodes::others_in(tx, "one").await?, nodes::others_in(tx, "none").await?);
            Ok::<_, StoreError>(counted)
        }
        .boxed()
    });
    let counted: Result<(i64, i64), StoreError> = counted.await;
    assert_eq!(counted.unwrap(), (1, 2));
    other.shutdown().await;
}

only!(Pg, who_is_alone_says_that_it_lives);
