//! Which step back in time the database took last: the ledger of ids, which is a file beside it, is
//! ended by that when the process was killed between the two.

use ward_instance::ledger::Heads;

use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// Where it stands among the leases, which are of the database and not of its content: no snapshot
/// and no backup has them. Nobody holds it.
const ROLE: &str = "going_back";

/// Writes the step down, in its own transaction, with the highest ids of before.
pub async fn note_step(tx: &mut Tx, token: &str, today: &Heads) -> Result<(), StoreError> {
    let heads = serde_json::to_string(today)
        .map_err(|_| StoreError::internal("ids are not written as JSON"))?;
    let text = format!("{token} {heads}");
    let sql = Sql::fixed(
        "INSERT INTO leases (role, node, fence, until_at) VALUES ($1, $2, 0, 0) \
         ON CONFLICT (role) DO UPDATE SET node = excluded.node",
        [ROLE.into(), text.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// The highest ids of before the step with this token, if it was the last one that was committed.
pub async fn step(db: &Db, token: &str) -> Result<Option<Heads>, StoreError> {
    let last = noted(&mut db.read().await?).await?;
    let Some((_, heads)) = last.filter(|(of, _)| of == token) else { return Ok(None) };
    serde_json::from_str(&heads)
        .map(Some)
        .map_err(|_| StoreError::corrupt("leases", "the highest ids do not decode"))
}

/// The token of the last step that was committed.
pub async fn last_step(query: &mut impl Query) -> Result<Option<String>, StoreError> {
    Ok(noted(query).await?.map(|(token, _)| token))
}

/// The token and the ids, as they were written down.
async fn noted(query: &mut impl Query) -> Result<Option<(String, String)>, StoreError> {
    let sql = Sql::fixed("SELECT node FROM leases WHERE role = $1", [ROLE.into()]);
    let rows = query.rows(&sql).await?;
    let noted = rows.scalar().and_then(Value::text).and_then(|text| text.split_once(' '));
    Ok(noted.map(|(token, heads)| (token.to_owned(), heads.to_owned())))
}
