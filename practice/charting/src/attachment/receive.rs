//! Taking a file that was told of, by its link: outside GraphQL, in a transaction of its own.

use std::sync::Arc;

use ward_identity::authenticate;
use ward_identity::picture::NewFile;
use ward_identity::upload_scan::upload_scan;
use ward_instance::text::hex;
use ward_instance::upload_link::UploadLink;
use ward_store::blobs::{self, BlobFacts, DEFAULT_QUOTA_BYTES, Registered};
use ward_store::{Actor, Cond, Db, Record, Scope, Select, StoreError, Value, read_selected};

use super::PURPOSE;
use super::tables::{FILE_ATTACHMENTS, FileAttachment};

/// A file that is awaited.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// What was told of it.
    pub row: FileAttachment,
    /// Who told of it, with what they may do now.
    pub actor: Arc<Actor>,
}

/// What became of a file that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is here.
    Now,
    /// It was here before.
    Before,
    /// Nobody waits for it any more.
    Unwanted,
    /// The organization has used up its storage.
    NoRoom,
}

/// What a link is for; nothing where it was forgotten, or who told of it may not act any more.
pub async fn awaited(db: &Db, link: &UploadLink) -> Result<Option<Awaited>, StoreError> {
    let mut reader = db.read().await?;
    let (who, now) = ((link.user_id, link.proxy_id), db.instance().now());
    let actor = authenticate::actor_of_link(&mut reader, link.org_id, who, now).await?;
    let Some(actor) = actor else { return Ok(None) };
    let system = Actor::system(link.org_id);
    let mut select = Select::new(&FILE_ATTACHMENTS, &system);
    let width = FILE_ATTACHMENTS.columns.len();
    select.columns = (0..width).collect();
    select.filter = Cond::eq("id", link.upload_id).and(Cond::eq("user_id", link.user_id));
    let rows = read_selected(&mut reader, db, &select).await?;
    let record = |row: &[Value]| FileAttachment::from_values(row.get(..width)?).ok();
    let row = rows.iter().next().and_then(record);
    Ok(row.map(|row| Awaited { row, actor: Arc::new(actor) }))
}

/// Writes down that a file is here, by the request `cause`. It is looked at for malware where the
/// organization says so.
pub async fn keep(
    db: &Db,
    awaited: &Awaited,
    file: Arc<NewFile>,
    cause: &str,
) -> Result<Received, StoreError> {
    let (id, actor, cause) = (awaited.row.id, awaited.actor.clone(), cause.to_owned());
    db.write(move |tx| {
        let (actor, file, cause) = (actor.clone(), file.clone(), cause.clone());
        Box::pin(async move {
            let mut scope = Scope::new(tx, &actor);
            let found: Option<FileAttachment> = scope.find(id).await?;
            let Some(before) = found else { return Ok(Received::Unwanted) };
            if before.blob_id.is_some() {
                return Ok(Received::Before);
            }
            let scan = upload_scan(scope.tx, actor.org_id).await?;
            let facts = BlobFacts {
                unit_id: before.unit_id.0,
                owner_id: before.user_id.0,
                purpose: PURPOSE.to_owned(),
                file_name: file.file_name.clone(),
                content_type: file.content_type().to_owned(),
                scan,
                cause,
            };
            let stored = file.stored();
            let registered = blobs::register(scope.tx, stored, facts, DEFAULT_QUOTA_BYTES).await?;
            if let Registered::OverQuota { .. } = registered {
                return Ok(Received::NoRoom);
            }
            let mut after = before.clone();
            after.content_type = file.content_type().to_owned();
            after.content_hash = Some(hex(&stored.sha256));
            after.blob_id = Some(stored.id.clone());
            scope.update(&before, &after).await?;
            Ok(Received::Now)
        })
    })
    .await
}
