//! The archives that were made by a consent, as long as they lie among somebody's documents: no more
//! than so many at a time, and none once it is revoked.

use ward_documents::events;
use ward_documents::tables::Document;
use ward_engine::{Answer, Call, Refused};
use ward_store::{Cond, Id, Query, Sql, Value, blobs};

use super::grant::AT;
use super::table::DisclosureConsent;

/// So many there can be at a time: all of them are deleted in one transaction.
const ARCHIVES_MAX: i64 = 1_000;

/// Refuses one more where there are as many as can be. The consent is held.
pub async fn has_room(call: &mut Call<'_>, consent: &DisclosureConsent) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM documents d WHERE d.org_id = $1 AND d.disclosure_consent_id = $2 \
         AND d.deleted_at IS NULL",
        [consent.org_id.0.into(), consent.id.0.into()],
    );
    let archives = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match archives < ARCHIVES_MAX {
        true => Ok(()),
        false => Err(Refused::on(
            AT,
            format!("There are {ARCHIVES_MAX} archives by this consent: delete one of them first"),
        )),
    }
}

/// Deletes what was made by a consent that is revoked, as `deleteDocument` does, whoever has it. What
/// was fetched before can't be called back.
pub async fn destroy(call: &mut Call<'_>, consent: Id<DisclosureConsent>) -> Answer<()> {
    let org_id = call.actor.org_id;
    // Held: who deletes one at this moment is before this or after it.
    let held = Sql::fixed(
        "SELECT d.id FROM documents d WHERE d.org_id = $1 AND d.disclosure_consent_id = $2 \
         AND d.deleted_at IS NULL ORDER BY d.id FOR_NO_KEY_UPDATE",
        [org_id.into(), consent.0.into()],
    );
    call.scope.tx.rows(&held).await?;
    let by = Cond::eq("disclosure_consent_id", consent.0);
    let archives: Vec<Document> = call.list(by, &[]).await?;
    for document in archives {
        call.destroy(&document).await?;
        blobs::delete(call.scope.tx, org_id, &document.file_id).await?;
        call.emit(events::document_deleted(&document));
    }
    Ok(())
}
