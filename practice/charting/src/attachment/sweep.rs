//! What was told of and never attached is forgotten after a day: the instance looks for it, whoever
//! told of it and whether they ever come back.

use ward_instance::Timestamp;
use ward_store::{Actor, Db, Id, Query, Scope, Sql, StoreError, Tx, Value};

use super::change::{FORGOTTEN_SECONDS, take_away};
use super::tables::FileAttachment;

/// So many are looked for at one time, each forgotten by a transaction of its own.
const TOGETHER: usize = 100;
/// So many times at most in one sweep, so that others have their turn.
const ROUNDS_MAX: usize = 50;

/// Forgets the files of all organizations that were told of a day ago and are attached to nothing,
/// with their content; how many.
pub async fn sweep(db: &Db) -> Result<u64, StoreError> {
    let before = db.instance().now().minus_micros(FORGOTTEN_SECONDS * 1_000_000);
    let (mut gone, mut behind) = (0, (i64::MIN, 0));
    for _ in 0..ROUNDS_MAX {
        let sql = Sql::fixed(
            "SELECT org_id, id, created_at FROM file_attachments WHERE attached_at IS NULL \
             AND deleted_at IS NULL AND created_at < $1 AND (created_at, id) > ($2, $3) \
             ORDER BY created_at, id LIMIT 100",
            [before.0.into(), behind.0.into(), behind.1.into()],
        );
        let found = db.read().await?.rows(&sql).await?;
        let number = |row: &[Value], at: usize| row.get(at).and_then(Value::int);
        for row in found.iter() {
            let (Some(org_id), Some(id)) = (number(row, 0), number(row, 1)) else { continue };
            behind = (number(row, 2).unwrap_or(i64::MAX), id);
            // One that can't go now does not keep the others: the next sweep tries it again.
            match db.write(move |tx| Box::pin(forget(tx, org_id, Id::new(id), before))).await {
                Ok(()) => gone += 1,
                Err(error) => tracing::warn!(attachment = id, %error, "an upload is not forgotten"),
            }
        }
        if found.len() < TOGETHER {
            break;
        }
    }
    Ok(gone)
}

/// In the name of the instance, unless it was attached meanwhile.
async fn forget(
    tx: &mut Tx,
    org_id: i64,
    id: Id<FileAttachment>,
    before: Timestamp,
) -> Result<(), StoreError> {
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let found: Option<FileAttachment> = scope.find(id).await?;
    let is_open = |it: &FileAttachment| it.attached_at.is_none() && it.created_at < before;
    let Some(row) = found.filter(is_open) else { return Ok(()) };
    scope.subject_id = row.patient_id.map(|id| id.0);
    take_away(&mut scope, &row).await
}
