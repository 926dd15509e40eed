//! Stored files: encrypted in chunks as they stream in, registered in the
//! transaction that wants them, removed by a sweep.
//!
//! A file is on the disk under its final name before its row is committed, so
//! a row never lacks its file; a file without a row is an orphan for the sweep.

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use ward_instance::file_seal::{
    CHUNK_BYTES, FileOpener, FileSealer, HEADER_BYTES, SEALED_CHUNK_BYTES,
};
use ward_instance::{Instance, SealError, file_seal};

use crate::blob_scan;
pub use crate::blob_scan::{FileScan, TellFind, judge, let_go};
pub use crate::blob_sweep::{Swept, sweep, sweep_but};
use crate::codec;
use crate::error::StoreError;
use crate::keyring::{Holding, OrgKeys};
use crate::query::Query;
use crate::system::{BLOBS, BlobRow, KeyClass};
use crate::tx::Tx;
use crate::types::Uuid;
use crate::value::{Sql, Value};

/// The bytes that an organization may store, unless configured.
pub const DEFAULT_QUOTA_BYTES: i64 = 10 << 30;

/// Where sealed files are kept: a directory, or an S3-compatible store.
pub trait BlobStore: Send + Sync {
    /// Begins a file; nothing is visible until it is finished. One of the same
    /// id is replaced then.
    fn begin<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobWrite>, StoreError>>;

    /// Opens a file at its start.
    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobRead>, StoreError>>;

    /// Removes a file; one that is not there is no error.
    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Ids of the files of one of 256 parts that have not changed for a day,
    /// by the wall clock in microseconds. Where looking costs something, it may
    /// answer none and look another time.
    fn settled<'a>(&'a self, part: u8, wall: i64)
    -> BoxFuture<'a, Result<Vec<String>, StoreError>>;
}

/// A file being written. Dropped unfinished, it leaves nothing.
pub trait BlobWrite: Send {
    /// Appends bytes.
    fn write(&mut self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Makes the file durable and visible.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// A file being read.
pub trait BlobRead: Send {
    /// Up to `limit` bytes; fewer only at the end.
    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<Vec<u8>, StoreError>>;

    /// Goes on at an offset of the same file. When another one has taken its
    /// name since it was opened, that is a [`StoreError::Conflict`] or no matter.
    fn seek(&mut self, offset: u64) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// A file on its way in.
pub struct Upload {
    id: String,
    sealer: FileSealer,
    writer: Box<dyn BlobWrite>,
    held: Vec<u8>,
    digest: Sha256,
    size: u64,
    limit: u64,
    holding: Holding,
}

/// A file on the disk that no row tells of yet.
#[derive(Debug)]
pub struct Stored {
    /// Its id.
    pub id: Uuid,
    /// Plain bytes.
    pub byte_size: i64,
    /// Digest of the plain bytes.
    pub sha256: Vec<u8>,
    org_id: i64,
    /// Until it has its row, a rotation would not find it.
    _holding: Holding,
}

/// What a transaction knows of a file that it registers.
#[derive(Clone, Debug)]
pub struct BlobFacts {
    /// The organization or sub-organization.
    pub unit_id: i64,
    /// The person whose file it is.
    pub owner_id: i64,
    /// What it is for.
    pub purpose: String,
    /// As the person called it.
    pub file_name: String,
    /// Media type.
    pub content_type: String,
    /// Whether it is to be looked at for malware, and whether it may be read before.
    pub scan: Option<FileScan>,
    /// The request that led here.
    pub cause: String,
}

/// Whether a file was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It was.
    Done,
    /// The organization would store more than it may; the file is an orphan.
    OverQuota {
        /// Bytes stored without it.
        used: i64,
    },
}

/// Begins a file of an organization, of at most `limit` plain bytes.
pub async fn begin(
    store: &dyn BlobStore,
    instance: &Instance,
    keys: &OrgKeys,
    limit: u64,
) -> Result<Upload, StoreError> {
    let id = instance.uuid();
    let key = keys.current(KeyClass::Personal)?;
    let place = keys.file_place(instance, &id);
    let sealer = FileSealer::new(key.key(), key.version(), &place, instance.random());
    let mut writer = store.begin(&id).await?;
    writer.write(sealer.header().to_vec()).await?;
    Ok(Upload {
        id,
        sealer,
        writer,
        held: Vec::with_capacity(CHUNK_BYTES),
        digest: Sha256::new(),
        size: 0,
        limit,
        holding: keys.holding(),
    })
}

impl Upload {
    /// Takes the next bytes; false when the file became larger than its limit,
    /// and the upload is to be dropped.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<bool, StoreError> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Ok(false);
        }
        self.digest.update(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            // A full chunk is written only when more follows: the last is marked.
            if self.held.len() == CHUNK_BYTES {
                let sealed = self.sealer.chunk(&self.held).map_err(sealing)?;
                self.held.clear();
                self.writer.write(sealed).await?;
            }
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - self.held.len()));
            self.held.extend_from_slice(now);
            rest = later;
        }
        Ok(true)
    }

    /// Puts the file on the disk. It becomes an orphan unless [`register`]ed.
    pub async fn finish(mut self, keys: &OrgKeys) -> Result<Stored, StoreError> {
        let last = self.sealer.finish(&self.held).map_err(sealing)?;
        self.writer.write(last).await?;
        self.writer.finish().await?;
        Ok(Stored {
            id: Uuid(self.id),
            byte_size: i64::try_from(self.size).unwrap_or(i64::MAX),
            sha256: self.digest.finalize().to_vec(),
            org_id: keys.org_id(),
            _holding: self.holding,
        })
    }
}

/// Makes a file on the disk part of the instance, in the transaction that
/// wants it, unless its organization would store more than `quota` bytes.
pub async fn register(
    tx: &mut Tx,
    stored: &Stored,
    facts: BlobFacts,
    quota: i64,
) -> Result<Registered, StoreError> {
    // Uploads of one organization wait for each other here.
    let lock = Sql::fixed(
        "SELECT version FROM data_keys WHERE org_id = $1 AND class = $2 ORDER BY version LIMIT 1 \
         FOR_UPDATE",
        [stored.org_id.into(), KeyClass::Personal.as_str().into()],
    );
    tx.rows(&lock).await?;
    let used = used_bytes(tx, stored.org_id).await?;
    if used.saturating_add(stored.byte_size) > quota {
        return Ok(Registered::OverQuota { used });
    }
    let row = BlobRow {
        id: stored.id.clone(),
        org_id: stored.org_id,
        unit_id: facts.unit_id,
        owner_id: facts.owner_id,
        purpose: facts.purpose,
        file_name: facts.file_name,
        content_type: facts.content_type,
        byte_size: stored.byte_size,
        sha256: stored.sha256.clone(),
        created_at: tx.now(),
        deleted_at: None,
        scan: facts.scan,
        scanned_at: None,
        threat: None,
    };
    codec::insert(tx, &row).await?;
    if facts.scan.is_some() {
        blob_scan::ask(tx, &row, facts.cause).await?;
    }
    Ok(Registered::Done)
}

/// Bytes that an organization stores, deleted files included until they are
/// swept.
pub async fn used_bytes(q: &mut impl Query, org_id: i64) -> Result<i64, StoreError> {
    let sql = Sql::fixed(
        "SELECT CAST(COALESCE(SUM(byte_size), 0) AS BIGINT) FROM blobs WHERE org_id = $1",
        [org_id.into()],
    );
    Ok(q.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// A file's row, deleted ones not.
pub async fn find(
    q: &mut impl Query,
    keys: &OrgKeys,
    id: &Uuid,
) -> Result<Option<BlobRow>, StoreError> {
    let mut sql = Sql::fixed("SELECT ", [keys.org_id().into(), id.0.as_str().into()]);
    sql.push(&codec::column_list(&BLOBS, "b"));
    sql.push(" FROM blobs b WHERE b.org_id = $1 AND b.id = $2 AND b.deleted_at IS NULL");
    let rows = q.rows(&sql).await?;
    rows.iter().next().map(|row| codec::open_record(keys, row)).transpose()
}

/// Files a file under another unit of its organization: that of the row which has it from now on. False
/// when it is gone.
pub async fn move_to_unit(
    tx: &mut Tx,
    org_id: i64,
    id: &Uuid,
    unit_id: i64,
) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "UPDATE blobs SET unit_id = $1 WHERE org_id = $2 AND id = $3 AND deleted_at IS NULL",
        [unit_id.into(), org_id.into(), id.0.as_str().into()],
    );
    Ok(tx.execute(&sql).await? == 1)
}

/// Marks a file deleted; the sweep removes it a day later. False when it was.
pub async fn delete(tx: &mut Tx, org_id: i64, id: &Uuid) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::fixed(
        "UPDATE blobs SET deleted_at = $1 WHERE org_id = $2 AND id = $3 AND deleted_at IS NULL",
        [now.0.into(), org_id.into(), id.0.as_str().into()],
    );
    Ok(tx.execute(&sql).await? == 1)
}

/// A file on its way out, chunk after chunk.
pub struct Download {
    opener: FileOpener,
    reader: Box<dyn BlobRead>,
    next: u64,
    end: u64,
    last: u64,
}

/// Opens a registered file at the chunk that holds plain byte `offset`, up to
/// the one that holds byte `until` (exclusive). Chunks are of 64 KiB; the
/// caller cuts the first and the last to its range.
pub async fn open(
    store: &dyn BlobStore,
    instance: &Instance,
    keys: &OrgKeys,
    blob: &BlobRow,
    range: std::ops::Range<u64>,
) -> Result<Download, StoreError> {
    match open_once(store, instance, keys, blob, range.clone()).await {
        // It was sealed anew in between.
        Err(StoreError::Conflict) => open_once(store, instance, keys, blob, range).await,
        opened => opened,
    }
}

async fn open_once(
    store: &dyn BlobStore,
    instance: &Instance,
    keys: &OrgKeys,
    blob: &BlobRow,
    range: std::ops::Range<u64>,
) -> Result<Download, StoreError> {
    let size = u64::try_from(blob.byte_size).unwrap_or(0);
    let last = size.saturating_sub(1) / CHUNK_BYTES as u64;
    let first = (range.start / CHUNK_BYTES as u64).min(last);
    let end = (range.end.saturating_sub(1) / CHUNK_BYTES as u64).min(last) + 1;
    let mut reader = store.open(&blob.id.0).await?;
    let header = reader.read(HEADER_BYTES).await?;
    let version = file_seal::file_version(&header).map_err(opening)?;
    let key = keys.of_version(KeyClass::Personal, version).map_err(opening)?;
    let place = keys.file_place(instance, &blob.id.0);
    let opener = FileOpener::new(key.key(), &place, &header).map_err(opening)?;
    let at = HEADER_BYTES as u64 + first * SEALED_CHUNK_BYTES as u64;
    reader.seek(at).await?;
    Ok(Download { opener, reader, next: first, end, last })
}

impl Download {
    /// The next plain bytes; none at the end. Each chunk is authentic; that
    /// the file is whole is certain only when the last has come.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.next >= self.end {
            return Ok(None);
        }
        let sealed = self.reader.read(SEALED_CHUNK_BYTES).await?;
        let index = u32::try_from(self.next).map_err(|_| opening(SealError::TooLarge))?;
        let plain = self.opener.open_at(index, self.next == self.last, &sealed).map_err(opening)?;
        self.next += 1;
        Ok(Some(plain.to_vec()))
    }
}

/// Whether a file is sealed with the key of this version.
pub(crate) async fn is_sealed_with(
    store: &dyn BlobStore,
    id: &str,
    version: u32,
) -> Result<bool, StoreError> {
    let header = store.open(id).await?.read(HEADER_BYTES).await?;
    Ok(file_seal::file_version(&header).map_err(opening)? == version)
}

/// Seals a file anew with the present key: a new file takes its name when it is
/// whole, and whoever reads the old one reads it to its end.
pub(crate) async fn reseal(
    store: &dyn BlobStore,
    instance: &Instance,
    keys: &OrgKeys,
    id: &str,
) -> Result<(), StoreError> {
    let place = keys.file_place(instance, id);
    let mut reader = store.open(id).await?;
    let header = reader.read(HEADER_BYTES).await?;
    let version = file_seal::file_version(&header).map_err(opening)?;
    let key = keys.of_version(KeyClass::Personal, version).map_err(opening)?;
    let mut opener = FileOpener::new(key.key(), &place, &header).map_err(opening)?;
    let key = keys.current(KeyClass::Personal)?;
    let mut sealer = FileSealer::new(key.key(), key.version(), &place, instance.random());
    let mut writer = store.begin(id).await?;
    writer.write(sealer.header().to_vec()).await?;
    let mut held = reader.read(SEALED_CHUNK_BYTES).await?;
    loop {
        let ahead = reader.read(SEALED_CHUNK_BYTES).await?;
        if ahead.is_empty() {
            let plain = opener.finish(&held).map_err(opening)?;
            writer.write(sealer.finish(&plain).map_err(sealing)?).await?;
            return writer.finish().await;
        }
        let plain = opener.chunk(&held).map_err(opening)?;
        writer.write(sealer.chunk(&plain).map_err(sealing)?).await?;
        held = ahead;
    }
}

fn sealing(error: SealError) -> StoreError {
    StoreError::internal(format!("a file can't be sealed: {error}"))
}

fn opening(error: SealError) -> StoreError {
    StoreError::corrupt("blobs", format!("a file does not open: {error}"))
}
