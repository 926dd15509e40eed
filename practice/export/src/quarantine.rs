//! Archives that may hold a file in which malware is found after they were made: nobody reads the file
//! any more, and none of these hands it out. A file that may be read until somebody has looked at it is
//! in archives meanwhile.

use futures_util::future::BoxFuture;
use ward_charting::attachment;
use ward_documents::{EXPORT_TYPE, viewing};
use ward_store::blobs::FileScan;
use ward_store::{Query, Rows, Sql, StoreError, Tx, Uuid, Value, jobs};

use super::expire;

/// What serializes the keeping of archives of an organization and what is found in its files.
const LOCK: &str = "archives_and_finds";

/// An archive is as old as the request that asked for it, and may hold what was stored while it was
/// being made: for less than this.
const MADE_WITHIN_MICROS: i64 = 3_600 * 1_000_000;

/// The clients whose archives hold a file: whom a document is about or who sent it, whose picture it is,
/// whose form it came with, and who has a part in a group note.
const CLIENTS: &str = "SELECT d.rel_user_id FROM documents d \
     WHERE d.org_id = $1 AND d.file_id = $2 AND d.rel_user_id IS NOT NULL \
     UNION SELECT d.owner_id FROM documents d WHERE d.org_id = $1 AND d.file_id = $2 \
     UNION SELECT u.id FROM users u WHERE u.org_id = $1 AND u.avatar_id = $2 \
     UNION SELECT fa.patient_id FROM file_attachments fa \
     WHERE fa.org_id = $1 AND fa.blob_id = $2 AND fa.patient_id IS NOT NULL \
     UNION SELECT n.user_id FROM file_attachments fa \
     JOIN individual_client_notes n ON n.org_id = fa.org_id \
     AND n.form_answer_group_id = fa.form_answer_group_id \
     WHERE fa.org_id = $1 AND fa.blob_id = $2";

/// Tells of what was found in a file, in the transaction that writes it down, as the domain of documents
/// does, and takes back the archives that may hold the file: none of one that was held until then.
pub fn told_of_find<'a>(
    tx: &'a mut Tx,
    org_id: i64,
    blob: &'a Uuid,
    threat: &'a str,
    was: FileScan,
) -> BoxFuture<'a, Result<(), StoreError>> {
    Box::pin(async move {
        ward_documents::quarantine::told_of_find(tx, org_id, blob, threat).await?;
        match was {
            // Where it was found before, they are taken back already.
            FileScan::Held | FileScan::Found => Ok(()),
            FileScan::Pending | FileScan::Clean => take_back_archives(tx, org_id, blob).await,
        }
    })
}

/// Whether something was found by now in one of these files. Until the transaction ends, nothing is
/// found in a file of the organization.
pub(crate) async fn is_found(
    tx: &mut Tx,
    org_id: i64,
    files: &[Box<str>],
) -> Result<bool, StoreError> {
    if files.is_empty() {
        return Ok(false);
    }
    hold(tx, org_id).await?;
    let mut sql = Sql::new();
    sql.push("SELECT 1 FROM blobs b WHERE b.org_id = ").bind(org_id);
    sql.push(" AND b.scan = ").bind(FileScan::Found.as_str());
    sql.push(" AND b.id").bind_in_texts(files.to_vec()).limit(1);
    Ok(!tx.rows(&sql).await?.is_empty())
}

async fn hold(tx: &mut Tx, org_id: i64) -> Result<(), StoreError> {
    tx.lock(&[LOCK, org_id.to_string().as_str()]).await
}

/// Takes back the archives that were made since a file was stored, of the clients whose it is; of all, if
/// it is a message's: a conversation may have been one of several clients. Their files are gone with
/// the find, whatever else becomes of them; their documents are a job's to delete.
async fn take_back_archives(tx: &mut Tx, org_id: i64, blob: &Uuid) -> Result<(), StoreError> {
    hold(tx, org_id).await?;
    let stored = Sql::fixed(
        "SELECT purpose, created_at FROM blobs WHERE org_id = $1 AND id = $2",
        [org_id.into(), blob.0.as_str().into()],
    );
    let rows = tx.rows(&stored).await?;
    let facts = rows.iter().next().and_then(|row| Some((row.first()?.text()?, row.get(1)?.int()?)));
    let Some((purpose, stored_at)) = facts else { return Ok(()) };
    let clients = match has_clients_of_its_own(purpose) {
        true => Some(clients(tx, org_id, blob).await?),
        false => None,
    };
    let mut sql = Sql::new();
    sql.push("UPDATE blobs SET deleted_at = ").bind(tx.now().0);
    sql.push(" WHERE org_id = ").bind(org_id);
    sql.push(
        " AND deleted_at IS NULL AND id IN (SELECT d.file_id FROM documents d WHERE d.org_id = ",
    );
    sql.bind(org_id);
    sql.push(" AND d.deleted_at IS NULL AND d.file_content_type = ").bind(EXPORT_TYPE);
    sql.push(" AND d.created_at >= ").bind(stored_at.saturating_sub(MADE_WITHIN_MICROS));
    if let Some(clients) = clients {
        sql.push(" AND d.rel_user_id").bind_in(clients);
    }
    sql.push(")");
    match tx.execute(&sql).await? {
        0 => Ok(()),
        _ => jobs::enqueue(tx, expire::of_lost_files(org_id)).await.map(drop),
    }
}

/// Whether the rows that name a file of this purpose say whose archives it is in.
fn has_clients_of_its_own(purpose: &str) -> bool {
    [viewing::PURPOSE, attachment::PURPOSE, "avatar", "logo"].contains(&purpose)
}

async fn clients(tx: &mut Tx, org_id: i64, blob: &Uuid) -> Result<Vec<i64>, StoreError> {
    let sql = Sql::fixed(CLIENTS, [org_id.into(), blob.0.as_str().into()]);
    Ok(numbers(&tx.rows(&sql).await?))
}

/// The first value of each row.
fn numbers(rows: &Rows) -> Vec<i64> {
    rows.iter().filter_map(|row| row.first().and_then(Value::int)).collect()
}

#[cfg(test)]
mod tests {
    use super::has_clients_of_its_own;

    #[test]
    fn of_a_message_it_is_not_said_whose_archives_it_is_in() {
        for purpose in ["document", "form_file", "avatar", "logo"] {
            assert!(has_clients_of_its_own(purpose), "{purpose}");
        }
        for purpose in ["note", "", "something later"] {
            assert!(!has_clients_of_its_own(purpose), "{purpose}");
        }
    }
}
