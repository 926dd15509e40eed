//! Sweeps: rows that a domain keeps for a time only, looked for in all organizations, and each of
//! them gone by a transaction of its own.

use futures_util::future::BoxFuture;
use ward_store::{Db, Query, Sql, StoreError, Tx, Value};

/// So many are looked for at one time.
const TOGETHER: usize = 100;
/// So many times at most in one sweep, so that others have their turn.
const ROUNDS_MAX: usize = 50;

/// Does `step` with every row of `due`, the oldest first, up to 5,000 of them; with how many it went
/// well. `step` has the row's organization and its id. A row with which it fails does not keep the
/// others: it is warned of by `failed`, and the next sweep tries it again.
///
/// `due` is a statement `SELECT org_id, id, created_at FROM … WHERE …` whose conditions are joined by
/// `AND`; where to go on, the order and the limit are added to it.
///
/// # Errors
///
/// The store's, where the rows can't be read.
pub async fn sweep<F>(db: &Db, due: &Sql, failed: &'static str, step: F) -> Result<u64, StoreError>
where
    F: for<'a> Fn(&'a mut Tx, i64, i64) -> BoxFuture<'a, Result<(), StoreError>>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let (mut gone, mut behind) = (0, (i64::MIN, 0));
    for _ in 0..ROUNDS_MAX {
        let found = db.read().await?.rows(&round(due, behind)).await?;
        let number = |row: &[Value], at: usize| row.get(at).and_then(Value::int);
        for row in found.iter() {
            let (Some(org_id), Some(id)) = (number(row, 0), number(row, 1)) else { continue };
            behind = (number(row, 2).unwrap_or(i64::MAX), id);
            let step = step.clone();
            match db.write(move |tx| step(tx, org_id, id)).await {
                Ok(()) => gone += 1,
                Err(error) => tracing::warn!(id, %error, "{failed}"),
            }
        }
        if found.len() < TOGETHER {
            break;
        }
    }
    Ok(gone)
}

/// The next of them behind the row that was made at this time and has this id.
fn round(due: &Sql, behind: (i64, i64)) -> Sql {
    let mut sql = due.clone();
    sql.push(" AND (created_at, id) > (").bind(behind.0).push(", ").bind(behind.1);
    sql.push(&format!(") ORDER BY created_at, id LIMIT {TOGETHER}"));
    sql
}
