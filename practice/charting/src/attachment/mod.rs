//! Files of answers and of questions: told of first, sent by a signed link, then attached
//! (behaviour 10.3, 25, 26).

pub mod change;
pub mod copy;
pub mod input;
pub mod receive;
pub mod rules;
pub mod sweep;
pub mod tables;
pub mod visibility;

use ward_store::{Cond, Query, Scope, Sql, StoreError, Uuid};

/// The purpose of these files, by which their links find what they are attached to.
pub const PURPOSE: &str = "form_file";

/// Those that are attached; others are on their way.
pub fn attached() -> Cond {
    Cond::not_null("attached_at")
}

/// What has this file.
pub fn holds(blob: &str) -> Cond {
    Cond::eq("blob_id", blob)
}

/// Whether content is there, held until the transaction ends: who copies a file and who deletes it
/// wait for each other, so that no copy is left without its content, and no content without a file.
pub async fn keeps(scope: &mut Scope<'_>, blob: &Uuid) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT id FROM blobs WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL FOR_UPDATE",
        [scope.actor.org_id.into(), blob.0.as_str().into()],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}
