//! Clearing away stored files: those deleted, and those that no row tells of.

use std::collections::HashSet;
use std::sync::Arc;

use ward_instance::uuid;

use crate::blobs::BlobStore;
use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::value::{Sql, Value};

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files without a row.
    pub orphans: usize,
    /// Files whose row was deleted.
    pub deleted: usize,
}

/// Removes files that were deleted a day ago, and files that no row tells of.
pub async fn sweep(db: &Db, store: &Arc<dyn BlobStore>) -> Result<Swept, StoreError> {
    sweep_but(db, store, &HashSet::new()).await
}

/// The same, where the files in `held` stay, whatever becomes of their rows: a snapshot tells of
/// them. Nor is a file touched that another instance has named, whoever it was that led both to one
/// place.
pub async fn sweep_but(
    db: &Db,
    store: &Arc<dyn BlobStore>,
    held: &HashSet<String>,
) -> Result<Swept, StoreError> {
    const DAY: i64 = 24 * 3_600 * 1_000_000;
    let mut swept = Swept::default();
    let instance = db.instance();
    let is_own = |id: &str| uuid::is_of(instance.kind(), &instance.tag(), id);
    let before = instance.clock().now().0 - DAY;
    loop {
        let sql = Sql::fixed(
            "SELECT id FROM blobs WHERE deleted_at IS NOT NULL AND deleted_at <= $1 \
             ORDER BY deleted_at LIMIT 100",
            [before.into()],
        );
        let rows = db.read().await?.rows(&sql).await?;
        let ids: Vec<Box<str>> =
            rows.iter().filter_map(|row| row.first()?.text()).map(Into::into).collect();
        if ids.is_empty() {
            break;
        }
        for id in ids.iter().filter(|id| is_own(id) && !held.contains(&***id)) {
            store.remove(id).await?;
        }
        swept.deleted += ids.len();
        let gone = Sql::fixed("DELETE FROM blobs WHERE id IN_LIST($1)", [Value::Texts(ids.into())]);
        db.write(move |tx| {
            let gone = gone.clone();
            Box::pin(async move { tx.execute(&gone).await })
        })
        .await?;
    }
    let wall = instance.clock().wall().0;
    for part in 0..=u8::MAX {
        let mut found = store.settled(part, wall).await?;
        found.retain(|id| is_own(id));
        for ids in found.chunks(500) {
            let list: Vec<Box<str>> = ids.iter().map(|id| id.as_str().into()).collect();
            let sql = Sql::fixed(
                "SELECT id FROM blobs WHERE id IN_LIST($1)",
                [Value::Texts(list.into())],
            );
            let rows = db.read().await?.rows(&sql).await?;
            let known: Vec<&str> = rows.iter().filter_map(|row| row.first()?.text()).collect();
            let is_known = |id: &&String| known.contains(&id.as_str()) || held.contains(*id);
            for id in ids.iter().filter(|id| !is_known(id)) {
                store.remove(id).await?;
                swept.orphans += 1;
            }
        }
    }
    Ok(swept)
}
