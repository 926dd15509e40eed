//! What was told of and never attached is forgotten after a day: the instance looks for it, whoever
//! told of it and whether they ever come back.

use ward_engine::sweeps;
use ward_instance::Timestamp;
use ward_store::{Actor, Db, Id, Scope, Sql, StoreError, Tx};

use super::change::{FORGOTTEN_SECONDS, take_away};
use super::tables::FileAttachment;

/// Forgets the files of all organizations that were told of a day ago and are attached to nothing,
/// with their content; how many.
pub async fn sweep(db: &Db) -> Result<u64, StoreError> {
    let before = db.instance().now().minus_micros(FORGOTTEN_SECONDS * 1_000_000);
    let due = Sql::fixed(
        "SELECT org_id, id, created_at FROM file_attachments WHERE attached_at IS NULL \
         AND deleted_at IS NULL AND created_at < $1",
        [before.0.into()],
    );
    let failed = "an upload is not forgotten";
    sweeps::sweep(db, &due, failed, move |tx, org_id, id| {
        Box::pin(forget(tx, org_id, Id::new(id), before))
    })
    .await
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
