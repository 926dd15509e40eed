//! A snapshot on SQLite: a file of its own, a copy of the database page by page.

use std::path::Path;

use ward_instance::ledger::Heads;

use crate::birth;
use crate::certificate;
use crate::db::Db;
use crate::driver::lite::{Access, Lite};
use crate::error::StoreError;
use crate::query::Query;
use crate::snapshots::heads_in;
use crate::tx::Tx;
use crate::value::{Rows, Sql};

/// What a table's name begins with while the file is attached.
pub(super) const PREFIX: &str = "snapshot.";

pub(super) async fn take(db: &Db, folder: &Path, file: &Path) -> Result<Heads, StoreError> {
    let draft = file.with_extension("new");
    make_folder(folder)?;
    remove(&draft)?;
    db.check_space(folder)?;
    let taken = copied(db, &draft).await.and_then(|heads| {
        std::fs::rename(&draft, file).map_err(|error| failed(&draft, &error))?;
        Ok(heads)
    });
    if taken.is_err()
        && let Err(error) = remove(&draft)
    {
        tracing::warn!(%error, "the rest of a snapshot that failed was not removed");
    }
    taken
}

async fn copied(db: &Db, draft: &Path) -> Result<Heads, StoreError> {
    let (copy, into) = (db.clone(), draft.to_path_buf());
    // As a write, so that the writer stands still and ids in stock are of either side.
    db.write(move |tx: &mut Tx| {
        let copied = {
            tx.core.ids.forget();
            copy.copy_pages_to(&into)
        };
        Box::pin(async move { copied })
    })
    .await?;
    let sql = Sql::fixed("SELECT entity, next_id - 1 FROM id_blocks", []);
    Ok(heads_in(&Lite::open(draft, Access::Read)?.rows(&sql)?))
}

fn make_folder(folder: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| failed(folder, &error))
}

/// The path of a file that can be attached; whose it is, [`verify`] says then: a connection of its
/// own would have the definitions of all tables read once more.
pub(super) fn found(db: &Db, file: &Path) -> Result<String, StoreError> {
    if !file.exists() {
        return Err(StoreError::Unavailable(format!(
            "the snapshot's file {} is gone",
            file.display()
        )));
    }
    birth::check_application_id(file, Some(db.instance().kind()))?;
    let path = file.to_str().ok_or_else(|| StoreError::internal("the path is not UTF-8"))?;
    Ok(path.to_owned())
}

/// Refuses an attached file of another instance.
pub(super) async fn verify(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = tx.rows(&certificate::select_in(PREFIX)).await?;
    let verified = certificate::decode(&rows)?.verify(&tx.instance().ring());
    verified.map(drop).map_err(StoreError::Foreign)
}

pub(super) fn remove(file: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(file, &error)),
        _ => Ok(()),
    }
}

pub(super) fn blobs(file: &Path) -> Result<Rows, StoreError> {
    match file.exists() {
        true => Lite::open(file, Access::Read)?.rows(&Sql::fixed("SELECT id FROM blobs", [])),
        // Removed by hand: it holds nothing.
        false => Ok(Rows::default()),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    let what = format!("{}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full(what),
        _ => StoreError::Unavailable(what),
    }
}
