//! A Sandbox's faults as a row: they survive restarts, and all processes of an instance have the
//! same. A Production has no row, and no witness to write one.

use ward_instance::{Fault, Kind, SandboxWitness};

use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Rows, Sql, Value};

/// Sets the faults of this process as the database has them.
pub async fn load(db: &Db, witness: &SandboxWitness) -> Result<(), StoreError> {
    let sql = Sql::fixed("SELECT last_id, active FROM faults", []);
    let (_, faults) = decoded(&db.read().await?.rows(&sql).await?)?;
    db.instance().faults().set(witness, faults);
    Ok(())
}

/// The number of the latest fault and those that were kept, held until the transaction ends: who
/// changes them meanwhile, waits.
pub async fn held(tx: &mut Tx, _: &SandboxWitness) -> Result<(i64, Vec<Fault>), StoreError> {
    tx.execute(&Sql::fixed(
        "INSERT INTO faults (only_row, kind, last_id, active) VALUES (1, $1, 0, '[]') \
         ON CONFLICT (only_row) DO NOTHING",
        [Kind::Sandbox.as_str().into()],
    ))
    .await?;
    let sql = Sql::fixed("SELECT last_id, active FROM faults FOR_UPDATE", []);
    decoded(&tx.rows(&sql).await?)
}

/// Writes them down. The caller has them [`held`], and sets this process's once the transaction is
/// committed.
pub async fn keep(
    tx: &mut Tx,
    _: &SandboxWitness,
    last_id: i64,
    faults: &[Fault],
) -> Result<(), StoreError> {
    let text = serde_json::to_string(faults)
        .map_err(|_| StoreError::internal("faults are not written as JSON"))?;
    let sql = Sql::fixed(
        "UPDATE faults SET last_id = $1, active = $2",
        [last_id.into(), text.as_str().into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Forgets them, for a reset.
pub async fn forget(tx: &mut Tx, _: &SandboxWitness) -> Result<(), StoreError> {
    tx.execute(&Sql::fixed("DELETE FROM faults", [])).await.map(drop)
}

fn decoded(rows: &Rows) -> Result<(i64, Vec<Fault>), StoreError> {
    let Some(row) = rows.iter().next() else { return Ok((0, Vec::new())) };
    let last_id = row.first().and_then(Value::int);
    let faults = row.get(1).and_then(Value::text).and_then(|it| serde_json::from_str(it).ok());
    last_id.zip(faults).ok_or_else(|| StoreError::corrupt("faults", "the row does not decode"))
}
