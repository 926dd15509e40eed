//! Files on their way onto the disk: sealed piece by piece, outside any transaction.

use std::io::Read;
use std::sync::Arc;

use ward_engine::{Answer, Refused, Request};
use ward_store::Db;
use ward_store::blobs::{self, BlobStore, DEFAULT_QUOTA_BYTES};
use ward_store::keyring::OrgKeys;

use crate::picture::{Leftover, Named, NewFile, over_quota, too_large, unreadable};

/// A file is read in pieces of so many bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Whose file it is, and where it is kept.
pub struct Shelf<'a> {
    /// The organization.
    pub org_id: i64,
    /// Its store.
    pub db: &'a Db,
    /// Where files are.
    pub store: &'a Arc<dyn BlobStore>,
}

impl<'a> Shelf<'a> {
    /// That of whoever asks.
    pub fn of(request: &'a Request, at: &str) -> Answer<Self> {
        let stores_none = || Refused::on(at, "This instance stores no files");
        let store = request.blobs.as_ref().ok_or_else(stores_none)?;
        Ok(Shelf { org_id: request.actor.org_id, db: &request.db, store })
    }
}

/// Seals a file of `size` bytes onto the disk piece by piece, outside any transaction.
pub async fn sealed(
    request: &Request,
    file: &mut (dyn Read + Send),
    size: u64,
    named: &Named<'_>,
) -> Answer<NewFile> {
    sealed_on(&Shelf::of(request, named.at)?, file, size, named).await
}

/// The same for a file that comes with no GraphQL request.
pub async fn sealed_on(
    shelf: &Shelf<'_>,
    file: &mut (dyn Read + Send),
    size: u64,
    named: &Named<'_>,
) -> Answer<NewFile> {
    let mut sealing = Sealing::begin(shelf, size, named).await?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).map_err(|_| unreadable(named.at))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        sealing.write(bytes).await?;
    }
    sealing.finish().await
}

/// A file that is sealed onto the disk as its bytes come, outside any transaction. Dropped
/// unfinished, it leaves nothing.
pub struct Sealing {
    upload: blobs::Upload,
    keys: Arc<OrgKeys>,
    leftover: Leftover,
    file_name: String,
    content_type: &'static str,
    at: String,
    bytes_max: u64,
}

impl Sealing {
    /// Begins a file of `size` bytes, as far as that is known.
    pub async fn begin(shelf: &Shelf<'_>, size: u64, named: &Named<'_>) -> Answer<Self> {
        let Named { at, bytes_max, .. } = *named;
        let Shelf { org_id, db, store } = *shelf;
        let keys = {
            let mut reader = db.read().await?;
            let used = blobs::used_bytes(&mut reader, org_id).await?;
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            if used.saturating_add(size) > DEFAULT_QUOTA_BYTES {
                return Err(over_quota(at));
            }
            db.keyring().of(&mut reader, org_id).await?
        };
        let upload = blobs::begin(&**store, db.instance(), &keys, bytes_max).await?;
        let leftover = Leftover {
            org_id,
            // A refused file is removed also where the Sandbox went back meanwhile.
            db: db.in_any_world(),
            store: store.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let (file_name, content_type) = (named.file_name.to_owned(), named.content_type);
        Ok(Sealing {
            upload,
            keys,
            leftover,
            file_name,
            content_type,
            at: at.to_owned(),
            bytes_max,
        })
    }

    /// Takes the next bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        match self.upload.write(bytes).await? {
            true => Ok(()),
            false => Err(too_large(&self.at, self.bytes_max)),
        }
    }

    /// Puts the file on the disk.
    pub async fn finish(self) -> Answer<NewFile> {
        let Sealing { upload, keys, leftover, file_name, content_type, .. } = self;
        let stored = upload.finish(&keys).await?;
        Ok(NewFile { stored, file_name, content_type, leftover })
    }
}
