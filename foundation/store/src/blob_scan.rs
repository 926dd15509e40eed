//! Looks for malware at stored files: asked for with the file, done by the one dispatcher.

use futures_util::future::BoxFuture;

use crate::error::StoreError;
use crate::intents::{self, EffectIntent};
use crate::query::Query;
use crate::system::{BlobRow, EffectClass};
use crate::text_enum;
use crate::tx::Tx;
use crate::types::Uuid;
use crate::value::{Sql, Value};

text_enum! {
    /// Where the look for malware at a stored file stands.
    pub enum FileScan {
        /// Not looked at yet; it may be read meanwhile.
        Pending = "pending",
        /// Not looked at yet; it may not be read until nothing was found.
        Held = "held",
        /// Nothing was found.
        Clean = "clean",
        /// Something was found: nobody may read it.
        Found = "found",
    }
}

/// What tells of a threat that was found in a file of an organization, and of where the file stood until
/// then, in the transaction that writes it down.
pub type TellFind = for<'a> fn(
    &'a mut Tx,
    i64,
    &'a Uuid,
    &'a str,
    FileScan,
) -> BoxFuture<'a, Result<(), StoreError>>;

/// Asks for a look at a file. The effect reaches nobody.
pub(crate) async fn ask(tx: &mut Tx, blob: &BlobRow, cause: String) -> Result<bool, StoreError> {
    let intent = EffectIntent {
        class: EffectClass::Scan,
        kind: "file_scan",
        to: blob.id.0.clone(),
        payload: serde_json::json!({ "file": blob.id.0 }),
        subject_client: None,
        recipient: None,
        cause,
        idempotency_key: format!("file_scan:{}", blob.id.0),
        not_before: None,
        expires_at: None,
    };
    intents::intend(tx, blob.org_id, intent).await
}

/// Writes down what a look at a file came to: nothing, or the threat that was found. Where the file
/// stood until then; none when it is gone, or nobody asked.
pub async fn judge(
    tx: &mut Tx,
    org_id: i64,
    id: &Uuid,
    threat: Option<&str>,
) -> Result<Option<FileScan>, StoreError> {
    // Held: who lets it go at this moment is before this or behind it.
    let stands = Sql::fixed(
        "SELECT b.scan FROM blobs b WHERE b.org_id = $1 AND b.id = $2 \
         AND b.deleted_at IS NULL AND b.scan IS NOT NULL FOR_NO_KEY_UPDATE",
        [org_id.into(), id.0.as_str().into()],
    );
    let rows = tx.rows(&stands).await?;
    let was = rows.scalar().and_then(Value::text).and_then(FileScan::from_text);
    let Some(was) = was else { return Ok(None) };
    let state = if threat.is_some() { FileScan::Found } else { FileScan::Clean };
    let sql = Sql::fixed(
        "UPDATE blobs SET scan = $1, scanned_at = $2, threat = $3 \
         WHERE org_id = $4 AND id = $5 AND deleted_at IS NULL AND scan IS NOT NULL",
        [
            state.as_str().into(),
            tx.now().0.into(),
            threat.into(),
            org_id.into(),
            id.0.as_str().into(),
        ],
    );
    tx.execute(&sql).await?;
    Ok(Some(was))
}

/// Lets go the files of an organization that are held until somebody has looked at them: they may be
/// read meanwhile, and are looked at all the same. How many.
pub async fn let_go(tx: &mut Tx, org_id: i64) -> Result<u64, StoreError> {
    let sql = Sql::fixed(
        "UPDATE blobs SET scan = $1 WHERE org_id = $2 AND scan = $3 AND deleted_at IS NULL",
        [FileScan::Pending.as_str().into(), org_id.into(), FileScan::Held.as_str().into()],
    );
    tx.execute(&sql).await
}
