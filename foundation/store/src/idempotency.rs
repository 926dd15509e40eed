//! The answer of a repeated request: kept in the transaction that made it.

use std::sync::Arc;

use ward_instance::mac;
use ward_instance::{Key, Purpose, Sealer};

use crate::codec;
use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::retired::Retired;
use crate::system::IdempotencyRow;
use crate::tx::Tx;
use crate::value::{Sql, Value};
use ward_instance::{Place, SealError, Timestamp, seal};

/// Answers are kept for a day.
const KEPT_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Which request it is.
#[derive(Clone, Copy, Debug)]
pub struct RequestKey<'a> {
    /// The root organization; 0 for anonymous requests.
    pub org_id: i64,
    /// The user; 0 for anonymous requests.
    pub actor_id: i64,
    /// The caller's key.
    pub key: &'a str,
    /// Which mutation of the request; empty for the whole.
    pub alias: &'a str,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new; the key is this transaction's from here on, and its answer
    /// is to be given to [`store`].
    Fresh,
    /// It was answered before, like this.
    Replay(Vec<u8>),
    /// The key was used for another request.
    Mismatch,
}

/// The digest of a request under each of the instance's keys, for [`lookup`]:
/// a request is known again across a rotation of the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHash {
    /// As it is stored, under the current root.
    current: Vec<u8>,
    older: Vec<Vec<u8>>,
}

impl RequestHash {
    fn is(&self, stored: &[u8]) -> bool {
        self.current == stored || self.older.iter().any(|older| older == stored)
    }
}

/// The digest of a request.
pub fn request_hash(db: &Db, parts: &[&[u8]]) -> RequestHash {
    let ring = db.instance().ring();
    let retired = db.keyring().retired();
    let digest = |version: u32, key: &Key| {
        let mut hash = version.to_be_bytes().to_vec();
        hash.extend(mac::mac(key, parts));
        hash
    };
    let current = ring.current_version();
    let old = ring.versions().into_iter().filter(|version| *version != current);
    let old = old.filter_map(|version| {
        Some(digest(version, &ring.derive_version(version, Purpose::Idempotency)?))
    });
    let gone = retired.versions(Retired::Idempotency);
    let gone = gone.filter(|(version, _)| !ring.versions().contains(version));
    RequestHash {
        current: digest(current, &ring.derive(Purpose::Idempotency)),
        older: old.chain(gone.map(|(version, key)| digest(version, key))).collect(),
    }
}

/// Takes the key, or gives what is known of its earlier use.
///
/// A second caller waits for the first one's transaction: in the queue of the
/// one writer on SQLite, on the uniqueness rule on PostgreSQL, where waiting
/// longer than the lock's time ends as [`StoreError::Conflict`].
pub async fn lookup(
    tx: &mut Tx,
    key: &RequestKey<'_>,
    request_hash: &RequestHash,
) -> Result<Outcome, StoreError> {
    let now = tx.now();
    tx.execute(&Sql::fixed(
        "DELETE FROM idempotency_keys WHERE org_id = $1 AND actor_id = $2 AND key = $3 \
         AND alias = $4 AND expires_at <= $5",
        params(key, [now.0.into()]),
    ))
    .await?;
    // A key stands for one request, whatever the alias of the mutation in it.
    let others = tx
        .rows(&Sql::fixed(
            "SELECT request_hash FROM idempotency_keys WHERE org_id = $1 AND actor_id = $2 \
             AND key = $3 AND expires_at > $4",
            [key.org_id.into(), key.actor_id.into(), key.key.into(), now.0.into()],
        ))
        .await?;
    let is_this = |row: &[Value]| {
        row.first().and_then(Value::bytes).is_some_and(|stored| request_hash.is(stored))
    };
    if !others.iter().all(is_this) {
        return Ok(Outcome::Mismatch);
    }
    let row = IdempotencyRow {
        id: tx.uuid(),
        org_id: key.org_id,
        actor_id: key.actor_id,
        key: key.key.to_owned(),
        alias: key.alias.to_owned(),
        request_hash: request_hash.current.clone(),
        answer: None,
        expires_at: Timestamp(now.0 + KEPT_MICROS),
        created_at: now,
    };
    if codec::insert_or_ignore(tx, &row).await? {
        return Ok(Outcome::Fresh);
    }
    let rows = tx
        .rows(&Sql::fixed(
            "SELECT id, request_hash, answer FROM idempotency_keys \
             WHERE org_id = $1 AND actor_id = $2 AND key = $3 AND alias = $4",
            params(key, []),
        ))
        .await?;
    match rows.row(0) {
        // Its holder was rolled back or purged between the two statements.
        [] => Err(StoreError::Conflict),
        [_, Value::Bytes(known), _] if !request_hash.is(known) => Ok(Outcome::Mismatch),
        [Value::Text(id), _, Value::Bytes(answer)] => {
            open(tx, key, id, answer).map(Outcome::Replay)
        }
        // Without an answer: this very transaction has it already.
        _ => Err(StoreError::internal("an idempotency key was taken and not answered")),
    }
}

/// Keeps the answer, in the transaction that took the key.
pub async fn store(tx: &mut Tx, key: &RequestKey<'_>, answer: &[u8]) -> Result<(), StoreError> {
    let rows = tx
        .rows(&Sql::fixed(
            "SELECT id FROM idempotency_keys \
             WHERE org_id = $1 AND actor_id = $2 AND key = $3 AND alias = $4",
            params(key, []),
        ))
        .await?;
    let Some(Value::Text(id)) = rows.scalar().cloned() else {
        return Err(StoreError::internal("the idempotency key was not taken"));
    };
    let instance = Arc::clone(tx.instance());
    let sealer = sealer(&instance, instance.ring().current_version())?;
    let sealed = sealer.seal(&place(key, &id), answer, instance.random());
    let sql = Sql::fixed(
        "UPDATE idempotency_keys SET answer = $1 WHERE org_id = $2 AND id = $3",
        [sealed.into(), key.org_id.into(), Value::Text(id)],
    );
    tx.execute(&sql).await.map(drop)
}

/// Deletes up to 1,000 expired keys; how many.
pub async fn purge(tx: &mut Tx) -> Result<u64, StoreError> {
    let now = tx.now();
    tx.execute(&Sql::fixed(
        "DELETE FROM idempotency_keys WHERE id IN \
         (SELECT id FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)",
        [now.0.into()],
    ))
    .await
}

fn params(key: &RequestKey<'_>, more: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut params: Vec<Value> =
        vec![key.org_id.into(), key.actor_id.into(), key.key.into(), key.alias.into()];
    params.extend(more);
    params
}

fn place<'a>(key: &RequestKey<'_>, id: &'a str) -> Place<'a> {
    Place { table: "idempotency_keys", column: "answer", org_id: key.org_id, row: id }
}

/// The instance's own key: requests without organization have answers too.
fn sealer(instance: &ward_instance::Instance, version: u32) -> Result<Sealer, StoreError> {
    let ring = instance.ring();
    let key = ring.derive_version(version, Purpose::Idempotency);
    let key = key.ok_or_else(|| StoreError::corrupt("idempotency_keys", "its root is gone"))?;
    // Apart from the digests of the same purpose.
    let key = Key::from_bytes(mac::mac(&key, &[b"ward/answer/v1"]));
    Ok(Sealer::new(ring.kind(), ring.instance_id(), &key, version))
}

/// Seals an answer under the current root; none when it is so already.
pub(crate) fn resealed(
    instance: &ward_instance::Instance,
    org_id: i64,
    id: &str,
    answer: &[u8],
) -> Result<Option<Vec<u8>>, SealError> {
    let current = instance.ring().current_version();
    let version = seal::version_of(answer)?;
    if version == current {
        return Ok(None);
    }
    let place = Place { table: "idempotency_keys", column: "answer", org_id, row: id };
    let gone = |_| SealError::Version(version);
    let plain = sealer(instance, version).map_err(gone)?.open(&place, answer)?;
    let sealer = sealer(instance, current).map_err(gone)?;
    Ok(Some(sealer.seal(&place, &plain, instance.random())))
}

fn open(tx: &Tx, key: &RequestKey<'_>, id: &str, answer: &[u8]) -> Result<Vec<u8>, StoreError> {
    let bad = |error: ward_instance::SealError| {
        StoreError::corrupt("idempotency_keys", format!("answer: {error}"))
    };
    let version = seal::version_of(answer).map_err(bad)?;
    let plain = sealer(tx.instance(), version)?.open(&place(key, id), answer).map_err(bad)?;
    Ok(plain.to_vec())
}
