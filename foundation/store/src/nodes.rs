//! Processes of one instance: heartbeats, and leases for roles of which there
//! is one holder at a time.
//!
//! On SQLite one process holds the file, so every role is always its own. On
//! PostgreSQL a lease carries a fence that grows with every new holder; what a
//! holder writes proves the fence in the same transaction, so one that was
//! asleep cannot write over its successor. Times are wall time.

use std::time::Duration;

use crate::db::Db;
use crate::error::StoreError;
use crate::query::{Engine, Query};
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// The holding of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Which role.
    pub role: &'static str,
    /// Which process.
    pub node: Box<str>,
    /// Larger than every earlier holder's; 0 on SQLite.
    pub number: i64,
}

/// Who takes it, shared, begins to serve; who has it [`alone`](crate::snapshots::alone) keeps others from
/// that. One instance has the database, so one number is enough: `ward nod` in ASCII.
pub(crate) const ARRIVALS: i64 = 0x7761_7264_206e_6f64;

/// Notes that the node lives. It waits for nobody who has the data [`alone`](crate::snapshots::alone): a
/// node that has it lives, too, and so do others.
pub async fn beat(tx: &mut Tx, node: &str) -> Result<(), StoreError> {
    // The transaction may have begun long before, and waited.
    let wall = tx.instance().clock().wall().0;
    tx.execute(&Sql::fixed(
        "INSERT INTO nodes (node, started_at, beat_at) VALUES ($1, $2, $2) \
         ON CONFLICT (node) DO UPDATE SET beat_at = excluded.beat_at",
        [node.into(), wall.into()],
    ))
    .await
    .map(drop)
}

/// The first sign of life of a node that is about to serve, before it reads anything of the data. On
/// PostgreSQL it waits, however long, while somebody has the data [`alone`](crate::snapshots::alone), and
/// so reads what is there afterwards; whoever wants it alone later counts the node.
pub async fn arrive(tx: &mut Tx, node: &str) -> Result<(), StoreError> {
    if tx.engine() == Engine::Pg {
        let text = format!(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
             SELECT pg_advisory_xact_lock_shared({ARRIVALS})"
        );
        tx.batch(&text).await?;
    }
    beat(tx, node).await
}

/// Takes the node's row away, at a clean stop, and all its leases.
pub async fn leave(tx: &mut Tx, node: &str) -> Result<(), StoreError> {
    let wall = tx.wall().0;
    tx.execute(&Sql::fixed(
        "UPDATE leases SET until_at = $1 WHERE node = $2 AND until_at > $1",
        [wall.into(), node.into()],
    ))
    .await?;
    tx.execute(&Sql::fixed("DELETE FROM nodes WHERE node = $1", [node.into()])).await.map(drop)
}

/// A node that has given no sign of life for so long, in microseconds of wall
/// time, is taken to be gone; each gives one every [`BEAT_SECONDS`].
const GONE: i64 = 15_000_000;

/// Seconds from one sign of life to the next.
pub const BEAT_SECONDS: u64 = 5;

/// How many other nodes work on the same database; none ever on SQLite.
pub async fn others(db: &Db, node: &str) -> Result<i64, StoreError> {
    if db.engine() == Engine::Lite {
        return Ok(0);
    }
    let since = db.instance().clock().wall().0 - GONE;
    others_since(&mut db.read().await?, since, node).await
}

/// The same inside of a transaction that has the data [`alone`](crate::snapshots::alone): who came while
/// it waited for that is counted, and nobody else comes before it ends.
pub async fn others_in(tx: &mut Tx, node: &str) -> Result<i64, StoreError> {
    if tx.engine() == Engine::Lite {
        return Ok(0);
    }
    let since = tx.wall().0 - GONE;
    others_since(tx, since, node).await
}

async fn others_since(query: &mut impl Query, since: i64, node: &str) -> Result<i64, StoreError> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM nodes WHERE beat_at >= $1 AND node <> $2",
        [since.into(), node.into()],
    );
    Ok(query.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// How many nodes gave a sign of life within `within`.
pub async fn living(query: &mut dyn Query, since: i64) -> Result<i64, StoreError> {
    let sql = Sql::fixed("SELECT COUNT(*) FROM nodes WHERE beat_at >= $1", [since.into()]);
    Ok(query.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// Takes a role whose lease ran out, or that is this node's own; nothing when
/// another node holds it.
pub async fn acquire(
    tx: &mut Tx,
    role: &'static str,
    node: &str,
    lease: Duration,
) -> Result<Option<Fence>, StoreError> {
    let fence = |number| Fence { role, node: node.into(), number };
    if tx.engine() == Engine::Lite {
        return Ok(Some(fence(0)));
    }
    let wall = tx.wall().0;
    let rows = tx
        .rows(&Sql::fixed(
            "INSERT INTO leases AS held (role, node, fence, until_at) VALUES ($1, $2, 1, $3) \
             ON CONFLICT (role) DO UPDATE SET node = excluded.node, \
               until_at = excluded.until_at, fence = held.fence + 1 \
             WHERE held.until_at <= $4 OR held.node = excluded.node RETURNING fence",
            [role.into(), node.into(), (wall + micros(lease)).into(), wall.into()],
        ))
        .await?;
    Ok(rows.scalar().and_then(Value::int).map(fence))
}

/// Keeps a role for another `lease`; false when it was lost.
pub async fn renew(tx: &mut Tx, fence: &Fence, lease: Duration) -> Result<bool, StoreError> {
    if tx.engine() == Engine::Lite {
        return Ok(true);
    }
    let until = tx.wall().0 + micros(lease);
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE leases SET until_at = $1 WHERE role = $2 AND node = $3 AND fence = $4",
            [until.into(), fence.role.into(), (&*fence.node).into(), fence.number.into()],
        ))
        .await?;
    Ok(changed == 1)
}

/// Proves, and until the end of the transaction ensures, that the role is still
/// held: the lease's row is locked, so nobody can take the role over meanwhile.
pub async fn prove(tx: &mut Tx, fence: &Fence) -> Result<(), StoreError> {
    if tx.engine() == Engine::Lite {
        return Ok(());
    }
    let sql = Sql::fixed(
        "SELECT 1 FROM leases WHERE role = $1 AND node = $2 AND fence = $3 FOR_UPDATE",
        [fence.role.into(), (&*fence.node).into(), fence.number.into()],
    );
    if tx.rows(&sql).await?.is_empty() { Err(StoreError::Conflict) } else { Ok(()) }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
