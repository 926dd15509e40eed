//! A Sandbox's faults as a row: they survive restarts, and all processes of an instance have the
//! same. A Production has no row, and no witness to write one.

use ward_instance::{Fault, Kind, SandboxWitness};

use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// Sets the faults of this process as the database has them. Of another version, which does not
/// read them, there are none.
pub async fn load(db: &Db, witness: &SandboxWitness) -> Result<(), StoreError> {
    let sql = Sql::fixed("SELECT revision, active FROM faults", []);
    let rows = db.read().await?.rows(&sql).await?;
    let Some(row) = rows.iter().next() else { return Ok(()) };
    let revision = row.first().and_then(Value::int).unwrap_or(0);
    let faults = row.get(1).and_then(Value::text).and_then(|it| serde_json::from_str(it).ok());
    if faults.is_none() {
        tracing::warn!("the faults in the database are of another version: there are none");
    }
    db.instance().faults().set(witness, revision, faults.unwrap_or_default());
    Ok(())
}

/// Faults as they are written.
#[derive(Clone, Debug)]
pub struct Held {
    /// How often they were written.
    pub revision: i64,
    /// The number of the latest fault.
    pub last_id: i64,
    /// Those that were kept.
    pub faults: Vec<Fault>,
}

/// Them as they stand, held until the transaction ends: who changes them meanwhile, waits.
pub async fn held(tx: &mut Tx, _: &SandboxWitness) -> Result<Held, StoreError> {
    tx.execute(&Sql::fixed(
        "INSERT INTO faults (only_row, kind, revision, last_id, active) \
         VALUES (1, $1, 0, 0, '[]') ON CONFLICT (only_row) DO NOTHING",
        [Kind::Sandbox.as_str().into()],
    ))
    .await?;
    let sql = Sql::fixed("SELECT revision, last_id, active FROM faults FOR_UPDATE", []);
    let rows = tx.rows(&sql).await?;
    let row = rows.iter().next();
    let number = |at: usize| row.and_then(|row| row.get(at)).and_then(Value::int);
    let text = row.and_then(|row| row.get(2)).and_then(Value::text).unwrap_or_default();
    let (Some(revision), Some(last_id)) = (number(0), number(1)) else {
        return Err(StoreError::corrupt("faults", "the row does not decode"));
    };
    Ok(Held { revision, last_id, faults: serde_json::from_str(text).unwrap_or_default() })
}

/// Writes them down as the next revision. The caller has them [`held`], and sets this process's
/// once the transaction is committed.
pub async fn keep(tx: &mut Tx, _: &SandboxWitness, held: &mut Held) -> Result<(), StoreError> {
    held.revision += 1;
    let text = serde_json::to_string(&held.faults)
        .map_err(|_| StoreError::internal("faults are not written as JSON"))?;
    let sql = Sql::fixed(
        "UPDATE faults SET revision = $1, last_id = $2, active = $3",
        [held.revision.into(), held.last_id.into(), text.as_str().into()],
    );
    tx.execute(&sql).await.map(drop)
}
