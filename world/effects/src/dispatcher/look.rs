//! A look at a stored file: the dispatcher opens it, the scanner gets what is open.

use ward_store::blobs::{self, BlobStore, Download};
use ward_store::{Db, StoreError, Uuid};

use crate::scanner::{Judged, Scanner, unreadable};

/// What there is to look at.
enum Opened {
    Ready(Box<Download>),
    /// The file was deleted meanwhile.
    Gone,
    Unreadable(Judged),
}

/// Has a file of an organization looked at; none when it is gone. Without a store, or a scanner that is
/// there now, it waits. It holds no transaction, and no reader while the scanner is at work.
pub(super) async fn look<S: Scanner>(
    db: &Db,
    store: Option<&dyn BlobStore>,
    scanner: &S,
    (org_id, file): (i64, &Uuid),
) -> Result<Option<Judged>, StoreError> {
    let Some(store) = store.filter(|_| scanner.is_connected()) else {
        return Ok(Some(Judged::NotConnected));
    };
    Ok(match open(db, store, org_id, file).await? {
        Opened::Ready(mut file) => Some(scanner.scan(&mut file).await),
        Opened::Gone => None,
        Opened::Unreadable(judged) => Some(judged),
    })
}

/// Opens a file from its first byte to its last.
async fn open(
    db: &Db,
    store: &dyn BlobStore,
    org_id: i64,
    file: &Uuid,
) -> Result<Opened, StoreError> {
    let mut reader = db.read().await?;
    let keys = db.keyring().of(&mut reader, org_id).await?;
    let Some(blob) = blobs::find(&mut reader, &keys, file).await? else { return Ok(Opened::Gone) };
    drop(reader);
    let range = 0..u64::try_from(blob.byte_size).unwrap_or(0);
    Ok(match blobs::open(store, db.instance(), &keys, &blob, range).await {
        Ok(download) => Opened::Ready(Box::new(download)),
        Err(error) => Opened::Unreadable(unreadable(&error)),
    })
}
