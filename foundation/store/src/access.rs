//! The access log: who read which clients, when and by which way. One entry a
//! request and set of clients.
//!
//! Entries wait in memory for at most [`DELAY`] and are written together; those
//! of restricted clients are written before the answer leaves. A full buffer
//! makes readers wait for the log: no log, no answer.

use std::collections::HashSet;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use ward_instance::Timestamp;

use crate::access_rows::{self, SetKey};
use crate::db::Db;
use crate::error::StoreError;
use crate::table::Watch;

pub use crate::access_rows::{
    ACCESS_LOG, ACCESS_SETS, AccessRow, AccessSetRow, access_log, purge, write,
};

/// How long an entry waits for others.
pub const DELAY: Duration = Duration::from_millis(100);

/// How long entries are kept: six years (45 CFR 164.316(b)(2)), and a day so
/// that leap years do not shorten them.
pub const KEPT_MICROS: i64 = (6 * 365 + 3) * 24 * 3600 * 1_000_000;

/// Entries that may wait, when the database takes none.
const WAITING_MAX: usize = 65_536;

/// Entries of one transaction.
const BATCH: usize = 256;

/// Sets of clients that are known to be stored.
const SETS_KNOWN_MAX: usize = 50_000;

/// What a request read of clients.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessEntry {
    /// The reader's root organization.
    pub org_id: i64,
    /// Who read.
    pub actor_id: i64,
    /// `member` or `client`.
    pub actor_kind: &'static str,
    /// The API key's kid or the session's id.
    pub credential: Option<Box<str>>,
    /// `api_key`, `session`, `file_link`, `calendar_link` or `none`.
    pub credential_kind: &'static str,
    /// The request's number.
    pub request_id: Box<str>,
    /// Root fields and edges that led to the clients, or the file.
    pub path: Box<str>,
    /// Who was read, each once, ascending.
    pub clients: Vec<i64>,
    /// How closely the reading is watched.
    pub watch: Watch,
    /// When, on the instance's clock.
    pub occurred_at: Timestamp,
    /// When, on the real clock.
    pub wall_at: Timestamp,
}

/// Entries that wait to be written.
#[derive(Debug, Default)]
pub struct AccessLog {
    waiting: Mutex<Vec<AccessEntry>>,
    filled: Notify,
    known: Mutex<HashSet<SetKey>>,
}

impl AccessLog {
    /// Nothing waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Whether no entry waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Until there is an entry to write.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Logs what a request read. Ordinary readings wait for the next flush;
    /// watched ones are on the disk when this returns, and so is everything
    /// when too much waits already. An error means that the answer must not
    /// leave.
    pub async fn log(&self, db: &Db, entries: Vec<AccessEntry>) -> Result<(), StoreError> {
        if entries.iter().any(|entry| entry.watch > Watch::Ordinary) {
            return self.write(db, &entries).await;
        }
        if self.push(entries) { self.flush(db).await.map(drop) } else { Ok(()) }
    }

    /// Adds entries; whether too many wait.
    fn push(&self, entries: Vec<AccessEntry>) -> bool {
        if entries.is_empty() {
            return false;
        }
        let mut waiting = self.waiting.lock();
        let was_empty = waiting.is_empty();
        waiting.extend(entries);
        if was_empty {
            self.filled.notify_one();
        }
        waiting.len() > WAITING_MAX
    }

    /// Writes what waits; how many entries. What could not be written waits on.
    pub async fn flush(&self, db: &Db) -> Result<usize, StoreError> {
        let due = std::mem::take(&mut *self.waiting.lock());
        let mut written = 0;
        while written < due.len() {
            let batch = &due[written..due.len().min(written + BATCH)];
            if let Err(error) = self.write(db, batch).await {
                let mut waiting = self.waiting.lock();
                let newer = std::mem::take(&mut *waiting);
                waiting.extend_from_slice(&due[written..]);
                waiting.extend(newer);
                return Err(error);
            }
            written += batch.len();
        }
        Ok(written)
    }

    /// Writes entries in a transaction of their own.
    async fn write(&self, db: &Db, entries: &[AccessEntry]) -> Result<(), StoreError> {
        let sets: Vec<SetKey> = entries.iter().filter_map(access_rows::set_key).collect();
        let fresh: HashSet<SetKey> = {
            let known = self.known.lock();
            sets.into_iter().filter(|key| !known.contains(key)).collect()
        };
        let batch = std::sync::Arc::new((entries.to_vec(), fresh));
        let shared = std::sync::Arc::clone(&batch);
        // They are of several requests, and were read whichever world is there by now.
        let db = db.in_any_world();
        db.write(move |tx| {
            let batch = std::sync::Arc::clone(&shared);
            tx.writes_log_only();
            Box::pin(async move { access_rows::insert(tx, &batch.0, &batch.1).await })
        })
        .await?;
        let mut known = self.known.lock();
        if known.len() > SETS_KNOWN_MAX {
            known.clear();
        }
        known.extend(&batch.1);
        Ok(())
    }

    /// Forgets which sets are stored: after rows went.
    pub(crate) fn forget(&self) {
        self.known.lock().clear();
    }
}
