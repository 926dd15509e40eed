//! Exports end by themselves: what was taken out of the records is not to lie about for ever.

use ward_documents::events;
use ward_documents::tables::Document;
use ward_engine::{Answer, errands, sweeps};
use ward_store::jobs::{Job, NewJob};
use ward_store::{Actor, Db, Id, Scope, Sql, StoreError, Tx, blobs};

/// An archive, and the list of a population's, is kept for so many days.
pub const KEPT_DAYS: i64 = 30;

/// The kind of job that deletes the exports of an organization whose files are gone.
pub(crate) const KIND: &str = "delete_exports";

const DAY_MICROS: i64 = 86_400_000_000;

/// Deletes the exports of all organizations whose time is over, as `deleteDocument` does, in the name
/// of the instance; how many.
pub async fn sweep(db: &Db) -> Result<u64, StoreError> {
    let before = db.instance().now().minus_micros(KEPT_DAYS * DAY_MICROS);
    // The types of `ward_documents`, written out: an index holds exactly these.
    let due = Sql::fixed(
        "SELECT org_id, id, created_at FROM documents WHERE deleted_at IS NULL \
         AND file_content_type IN ('application/zip', 'application/json') AND created_at <= $1",
        [before.0.into()],
    );
    let failed = "an export is not deleted";
    sweeps::sweep(db, &due, failed, |tx, org_id, id| Box::pin(delete(tx, org_id, Id::new(id))))
        .await
}

/// Deletes the exports whose files were taken back, once the transaction has ended.
pub(crate) fn of_lost_files(org_id: i64) -> NewJob {
    NewJob::new(org_id, KIND, serde_json::json!({}))
}

/// Does that, each by a transaction of its own: one that can't be deleted is warned of and keeps none of
/// the others; nobody fetches it any more, and the sweep tries it again when its time is over.
pub(crate) async fn clear(db: &Db, job: &Job) -> Answer<()> {
    let due = Sql::fixed(
        "SELECT org_id, id, created_at FROM documents WHERE deleted_at IS NULL \
         AND file_content_type IN ('application/zip', 'application/json') AND org_id = $1 \
         AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.org_id = documents.org_id \
         AND b.id = documents.file_id AND b.deleted_at IS NULL)",
        [job.org_id.into()],
    );
    let failed = "an export whose file is gone is not deleted";
    let mut some = 1;
    while some > 0 {
        some = sweeps::sweep(db, &due, failed, |tx, org_id, id| {
            Box::pin(delete(tx, org_id, Id::new(id)))
        })
        .await?;
    }
    errands::ended(db, job).await
}

/// Deletes an export, in the name of the instance.
async fn delete(tx: &mut Tx, org_id: i64, id: Id<Document>) -> Result<(), StoreError> {
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let found: Option<Document> = scope.find(id).await?;
    // Its owner may have deleted it meanwhile.
    let Some(document) = found else { return Ok(()) };
    scope.subject_id = document.rel_user_id.map(|id| id.0);
    scope.destroy(&document).await?;
    blobs::delete(scope.tx, org_id, &document.file_id).await?;
    scope.emit(events::document_deleted(&document));
    Ok(())
}

#[cfg(test)]
mod tests {
    use ward_documents::{EXPORT_TYPE, MANIFEST_TYPE};

    /// What the sweep and its index have written out.
    #[test]
    fn the_types_are_those_of_exports() {
        assert_eq!((EXPORT_TYPE, MANIFEST_TYPE), ("application/zip", "application/json"));
    }
}
