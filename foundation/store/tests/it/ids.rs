//! Ids: of the instance's range, never twice, whatever is rolled back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join3, lazy};
use ward_instance::ids;
use ward_store::snapshots::{Beside, How, Name, Policy, Shelf, Then};
use ward_store::{Db, Query, Sql, StoreError, Tx};

use crate::group::held;
use crate::support::{self, World, open};
use crate::tables::{VISITS, insert, visit};

/// 16 tasks, every third transaction rolled back.
async fn never_twice(w: World) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (db, seen) = (w.db.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                for n in 0..24 {
                    let seen = Arc::clone(&seen);
                    let result = db
                        .write(move |tx| {
                            let seen = Arc::clone(&seen);
                            async move {
                                for _ in 0..(1 + n % 5) {
                                    let id = tx.next_id(&VISITS).await?;
                                    seen.lock().unwrap().push(id);
                                }
                                if (task + n) % 3 == 0 {
                                    Err(StoreError::Unavailable("no".into()))
                                } else {
                                    Ok(())
                                }
                            }
                            .boxed()
                        })
                        .await;
                    assert_eq!(result.is_err(), (task + n) % 3 == 0, "{result:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    let unique: BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len());
    let (first, last) = ids::slot_range(7);
    assert!(seen.iter().all(|id| (first..=last).contains(id)));
}

both!(never_twice);

/// A restart wastes the rest of a block at most, and gives nothing again.
async fn a_restart_goes_on_above(w: World) {
    let next = |db: ward_store::Db| async move {
        db.write(|tx| async move { tx.next_id(&VISITS).await }.boxed()).await
    };
    let mut last = 0;
    for _ in 0..3 {
        let db = ward_store::Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables())
            .await
            .unwrap();
        for _ in 0..20 {
            let id: Result<i64, StoreError> = next(db.clone()).await;
            let id = id.unwrap();
            assert!(id > last);
            last = id;
        }
        db.shutdown().await;
    }
    assert!(last < ids::slot_range(7).0 + 200, "blocks are small at first: {last}");
}

both!(a_restart_goes_on_above);

/// A new id.
async fn next(db: &Db, entity: &'static str) -> i64 {
    let id: Result<i64, StoreError> =
        db.write(move |tx| async move { tx.next_id_of(entity).await }.boxed()).await;
    id.unwrap()
}

/// A reset's step of the ledger.
fn take_the_next_slot(db: &Db) {
    let now = db.instance().clock().wall();
    db.instance().ledger().retire_and_advance(now).unwrap();
    db.forget();
}

/// What a write that runs meanwhile took of the slot of before is handed out to nobody, neither by
/// what it left nor by itself.
async fn ids_move_on_beside_a_write(w: World) {
    let during = w.db.clone();
    let before = w.db.write(move |tx| {
        let db = during.clone();
        async move {
            let id = tx.next_id(&VISITS).await?;
            take_the_next_slot(&db);
            Ok::<_, StoreError>(id)
        }
        .boxed()
    });
    assert_eq!(ids::slot_of(before.await.unwrap()), Some(7));
    assert_eq!(next(&w.db, "Visit").await, ids::slot_range(8).0, "an id of the slot of before");
    // None in stock, so that this one takes a block, too.
    w.db.forget();
    let during = w.db.clone();
    let both = w.db.write(move |tx| {
        let db = during.clone();
        async move {
            let id = tx.next_id(&VISITS).await?;
            take_the_next_slot(&db);
            Ok::<_, StoreError>([id, tx.next_id(&VISITS).await?])
        }
        .boxed()
    });
    assert_eq!(both.await.unwrap().map(ids::slot_of), [Some(8), Some(9)]);
    assert_eq!(
        next(&w.db, "Visit").await,
        ids::slot_range(9).0 + 1,
        "what it left of the new slot"
    );
}

both!(ids_move_on_beside_a_write);

/// Who writes between a reset's step of the ledger and its transaction has ids of the new slot: they
/// are not given again, also by the next process.
async fn ids_of_the_new_slot_outlive_a_reset(w: World) {
    next(&w.db, "Visit").await;
    next(&w.db, "User").await;
    take_the_next_slot(&w.db);
    let between = next(&w.db, "Visit").await;
    assert_eq!(between, ids::slot_range(8).0);
    let witness = w.instance.witness().sandbox().unwrap();
    let dropped: Result<(), StoreError> =
        w.db.write(move |tx| async move { tx.drop_retired_ids(&witness).await }.boxed()).await;
    dropped.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM id_blocks").await, 1, "of the slot of before");
    let again =
        Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables()).await.unwrap();
    let after = next(&again, "Visit").await;
    assert!(after > between, "{between} is given again");
    assert_eq!(next(&again, "User").await, ids::slot_range(8).0);
    again.shutdown().await;
}

both!(ids_of_the_new_slot_outlive_a_reset);

fn takes_an_id<'t>(tx: &'t mut Tx, _: &'t Beside) -> BoxFuture<'t, Result<Then, StoreError>> {
    async move {
        let id = usize::try_from(tx.next_id(&VISITS).await?).unwrap();
        Ok(Then { told: vec![("id", id)], ..Then::default() })
    }
    .boxed()
}

/// What going back itself takes ids for is above the highest of before, so it is not undone.
async fn going_back_takes_ids_above(w: World) {
    let witness = w.instance.witness().sandbox().unwrap();
    let (shelf, name) = (Shelf::of(&w.directory, &witness), "one".parse::<Name>().unwrap());
    next(&w.db, "Visit").await;
    shelf.take(&w.db, &name).await.unwrap();
    let since = next(&w.db, "Visit").await;
    let policy =
        Policy { kept: &["audit_events"], joined: &["access_log", "access_sets", "data_keys"] };
    let how = How { witness, policy, look: takes_an_id, shown: w.instance.now() };
    let restored =
        shelf.restore(&w.db, &name, how, |_, _| async { Ok::<(), StoreError>(()) }.boxed());
    let ((), brought) = restored.await.unwrap();
    let (id, highest) = (brought.told[0].1, brought.today["Visit"]);
    assert!(highest >= since, "{since} is given out since, and not known as undone");
    assert!(i64::try_from(id).unwrap() > highest, "what came with it is undone with the rest");
}

both!(going_back_takes_ids_above);

/// Blocks of two entities often end at the same id: who fails beside somebody leaves none of theirs.
async fn blocks_of_who_failed_go_to_nobody(w: World) {
    take_the_next_slot(&w.db);
    let (open, holder) = held(&w).await;
    let kept = next(&w.db, "User");
    let failed = w.db.write(|tx| {
        async move {
            tx.next_id_of("Visit").await?;
            Err::<(), _>(StoreError::Conflict)
        }
        .boxed()
    });
    let opener = lazy(move |_| open.send(()).unwrap());
    let (_, failed, ()) = join3(kept, failed, opener).await;
    holder.await.unwrap().unwrap();
    assert!(failed.is_err());
    let before = next(&w.db, "Visit").await;
    let again =
        Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables()).await.unwrap();
    let after = next(&again, "Visit").await;
    assert!(after > before, "{before} is given again");
    again.shutdown().await;
}

only!(Lite, blocks_of_who_failed_go_to_nobody);

/// A snapshot that is refused beside another write is in nobody's way later.
async fn a_refused_snapshot_is_let_go(w: World) {
    let witness = w.instance.witness().sandbox().unwrap();
    let (shelf, name) = (Shelf::of(&w.directory, &witness), "one".parse::<Name>().unwrap());
    shelf.take(&w.db, &name).await.unwrap();
    let file = w.directory.join("snapshots").join("one.db");
    let (good, kept) = (file.clone(), w.directory.join("kept.db"));
    std::fs::copy(&good, &kept).unwrap();
    let foreign = rusqlite::Connection::open(&file).unwrap();
    foreign.execute("UPDATE instance SET base_url = 'https://elsewhere.example'", []).unwrap();
    drop(foreign);
    let policy =
        Policy { kept: &["audit_events"], joined: &["access_log", "access_sets", "data_keys"] };
    let how = How { witness, policy, look: takes_an_id, shown: w.instance.now() };
    let restore = || {
        shelf.restore(&w.db, &name, how.clone(), |_, _| async { Ok::<(), StoreError>(()) }.boxed())
    };
    let (open, holder) = held(&w).await;
    let opener = lazy(move |_| open.send(()).unwrap());
    let (refused, _, ()) = join3(restore(), next(&w.db, "Visit"), opener).await;
    holder.await.unwrap().unwrap();
    assert!(refused.is_err());
    std::fs::copy(&kept, &good).unwrap();
    restore().await.unwrap();
    next(&w.db, "Visit").await;
}

only!(Lite, a_refused_snapshot_is_let_go);

/// Who empties tables, or copies them, has the ids to itself.
async fn who_is_alone_has_the_ids(w: World) {
    let url = w.url();
    let is_refused = w.db.write(move |tx| {
        let url = url.clone();
        async move {
            ward_store::snapshots::alone(tx).await?;
            let other = support::raw(&url).await;
            let takes = "BEGIN; LOCK TABLE id_blocks IN ROW SHARE MODE NOWAIT";
            Ok::<_, StoreError>(other.batch_execute(takes).await.is_err())
        }
        .boxed()
    });
    assert!(is_refused.await.unwrap(), "somebody takes ids meanwhile");
}

only!(Pg, who_is_alone_has_the_ids);

/// Who has an id of the world of before when it is emptied has ended before, or begins afterwards:
/// nothing of then is written into the new one.
async fn nobody_carries_an_id_across(w: World) {
    // In stock, so that no row of the database is locked by whoever takes one.
    next(&w.db, "Visit").await;
    let (reached, at_it) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let waits = Mutex::new(Some((reached, gone)));
    let (db, org) = (w.db.clone(), w.org_id());
    let writer = tokio::spawn(async move {
        db.write(move |tx| {
            let waits = waits.lock().unwrap().take();
            async move {
                let id = tx.next_id(&VISITS).await?;
                if let Some((reached, gone)) = waits {
                    reached.send(()).unwrap();
                    gone.await.unwrap();
                }
                let row = visit(tx, org, id, "of before");
                tx.execute(&insert(row)).await.map(drop)
            }
            .boxed()
        })
        .await
    });
    at_it.await.unwrap();
    let db = w.db.clone();
    let emptied = tokio::spawn(async move {
        db.write_alone(|tx| {
            async move {
                ward_store::snapshots::alone(tx).await?;
                tx.execute(&Sql::fixed("DELETE FROM visits", [])).await.map(drop)
            }
            .boxed()
        })
        .await
    });
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    let written: Result<(), StoreError> = writer.await.unwrap();
    let emptied: Result<(), StoreError> = emptied.await.unwrap();
    written.unwrap();
    emptied.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM visits").await, 0, "a row of before is there");
}

only!(Pg, nobody_carries_an_id_across);

/// The seed's ids start at round offsets of the slot.
async fn reserved_ids_are_aligned(w: World) {
    let (first, _) = ids::slot_range(7);
    let ids =
        w.db.write(|tx| {
            async move {
                let single = tx.next_id(&VISITS).await?;
                let seeded = tx.reserve_ids("Visit", 150, 1_000).await?;
                let again = tx.reserve_ids("Visit", 10, 1_000).await?;
                Ok::<_, StoreError>([single, seeded, again, tx.next_id(&VISITS).await?])
            }
            .boxed()
        })
        .await
        .unwrap();
    assert_eq!(ids, [first, first + 1_000, first + 2_000, first + 1]);
}

both!(reserved_ids_are_aligned);

/// A full slot: the type takes another one of its own.
async fn a_full_slot_takes_the_next(w: World) {
    let (_, last) = ids::slot_range(7);
    let id =
        w.db.write(|tx| {
            async move {
                tx.reserve_ids("Visit", 999_999, 1).await?;
                tx.next_id(&VISITS).await?;
                tx.next_id(&VISITS).await
            }
            .boxed()
        })
        .await;
    let id: Result<i64, StoreError> = id;
    assert_eq!(id.unwrap(), last + 1);
    assert_eq!(w.instance.ledger().slot_for("Visit"), Some(8));
    assert_eq!(w.instance.ledger().slot_for("User"), Some(7));
}

both!(a_full_slot_takes_the_next);

/// Production starts at a million, and ends in an error for types that may not
/// leave 32 bits.
#[tokio::test]
async fn production_ids() {
    let directory = tempfile::tempdir().unwrap();
    let born = support::born(ward_instance::Kind::Production);
    let place = ward_store::Place::Lite { path: directory.path().join("ward.db") };
    support::create(&born, &place, &[]).await.unwrap();
    let db = open(&born, &place).await.unwrap();
    let ids = db
        .write(|tx| {
            async move {
                let first = tx.next_id(&VISITS).await?;
                tx.reserve_ids("Visit", ids::PRODUCTION.1 - ids::PRODUCTION.0 - 15, 1).await?;
                for _ in 0..15 {
                    tx.next_id(&VISITS).await?;
                }
                let wide = tx.next_id(&VISITS).await?;
                tx.reserve_ids("User", ids::PRODUCTION.1 - ids::PRODUCTION.0 + 1, 1).await?;
                assert!(matches!(tx.next_id_of("User").await, Err(StoreError::Full(_))));
                Ok::<_, StoreError>([first, wide])
            }
            .boxed()
        })
        .await
        .unwrap();
    assert_eq!(ids, [ids::PRODUCTION.0, ids::PRODUCTION_WIDE.0]);
    db.shutdown().await;
}
