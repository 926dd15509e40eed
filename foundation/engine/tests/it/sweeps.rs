//! Sweeps: every row that is due is tried once, whatever becomes of the others.

use futures_util::future::BoxFuture;
use ward_engine::sweeps;
use ward_store::{Actor, Query, Scope, Sql, StoreError, Tx};

use crate::world::World;
use crate::world::seed::{BASE, ORG, author};

cases!(one_that_fails_keeps_nobody);

/// More than are looked for at one time, all made at the same moment.
const MANY: i64 = 250;
/// The first of them.
const FIRST: i64 = 2_000;
/// The one that never goes.
const STUCK: i64 = BASE + FIRST + 7;

/// All of them, until they are deleted.
fn due() -> Sql {
    Sql::fixed(
        "SELECT org_id, id, created_at FROM authors WHERE deleted_at IS NULL AND id >= $1",
        [(BASE + FIRST).into()],
    )
}

async fn make_many(w: &World) {
    let made = w.db.write(|tx| {
        Box::pin(async move {
            let actor = Actor::system(ORG);
            let mut scope = Scope::new(tx, &actor);
            for n in FIRST..FIRST + MANY {
                scope.create(&author(n, "One of many", None, "2026-03-04T14:30:00Z")).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    made.await.unwrap();
}

/// Deletes one, and fails behind that at the one that is stuck.
async fn delete(tx: &mut Tx, org_id: i64, id: i64) -> Result<(), StoreError> {
    let now = tx.now().0;
    let sql = Sql::fixed(
        "UPDATE authors SET deleted_at = $1 WHERE org_id = $2 AND id = $3",
        [now.into(), org_id.into(), id.into()],
    );
    tx.execute(&sql).await?;
    match id == STUCK {
        true => Err(StoreError::Conflict),
        false => Ok(()),
    }
}

fn refuse(_: &mut Tx, _: i64, _: i64) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async { Err(StoreError::Conflict) })
}

async fn sweep(w: &World) -> u64 {
    let due = due();
    let step = sweeps::sweep(&w.db, &due, "an author stays", |tx, org_id, id| {
        Box::pin(delete(tx, org_id, id))
    });
    step.await.unwrap()
}

const LEFT: &str = "SELECT COUNT(*) FROM authors WHERE deleted_at IS NULL AND name = 'One of many'";

async fn one_that_fails_keeps_nobody(w: World) {
    make_many(&w).await;
    // Where none goes it ends, too.
    let gone = sweeps::sweep(&w.db, &due(), "an author stays", refuse).await;
    assert_eq!((gone.unwrap(), w.number(LEFT).await), (0, MANY));
    assert_eq!(sweep(&w).await, MANY.unsigned_abs() - 1);
    // What it had done is undone, and it is tried again.
    assert_eq!(w.number(LEFT).await, 1);
    assert_eq!(sweep(&w).await, 0);
    assert_eq!(w.number(LEFT).await, 1);
    // Those of the library were not due.
    let others = "SELECT COUNT(*) FROM authors WHERE deleted_at IS NULL AND name <> 'One of many'";
    assert_eq!(w.number(others).await, 5);
}
