//! The access log's rows. A set of clients is stored once however often it is
//! read, so a list that is read all day costs one row a request.

use std::collections::HashSet;

use ward_instance::Timestamp;
use ward_instance::mac;

use crate::access::{AccessEntry, KEPT_MICROS};
use crate::actor::Rule;
use crate::codec;
use crate::error::StoreError;
use crate::query::{Engine, Query};
use crate::record;
use crate::system::Tenant;
use crate::table::{Key, Watch, index};
use crate::tx::Tx;
use crate::types::{Entity, Id, Uuid};
use crate::value::{Sql, Value};

/// A client, whose own table belongs to the identity domain.
#[derive(Clone, Copy, Debug)]
pub struct Client;

impl Entity for Client {
    const NAME: &'static str = "User";
}

record! {
    /// A request that read clients.
    pub struct AccessRow in ACCESS_LOG, access_log {
        id: Uuid,
        org_id: Id<Tenant>,
        occurred_at: Timestamp,
        wall_at: Timestamp,
        /// Who read.
        actor_id: i64,
        actor_kind: String,
        credential: Option<String>,
        credential_kind: String,
        request_id: String,
        /// Root fields and edges that led to the clients, or the file.
        path: String,
        /// Who was read, if it was one client.
        client_id: Option<Id<Client>>,
        /// Who was read, if it were several.
        set_key: Option<String>,
        client_count: i64,
        /// A restricted client seen by breaking the glass only.
        break_glass: bool,
    }
    key: Key::Uuid,
    indexes: [
        index(&["org_id", "client_id", "occurred_at", "id"]).only("client_id IS NOT NULL"),
        index(&["org_id", "set_key", "occurred_at", "id"]).only("set_key IS NOT NULL"),
        index(&["wall_at"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// A client of a set that was read together.
    pub struct AccessSetRow in ACCESS_SETS, access_sets {
        org_id: Id<Tenant>,
        client_id: Id<Client>,
        set_key: String,
    }
    key: Key::Columns(&["org_id", "client_id", "set_key"]),
    indexes: [],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

/// What a set of clients is known by: half a digest of its organization and
/// members.
pub(crate) type SetKey = [u8; 16];

/// The key of an entry's clients, if they are several.
pub(crate) fn set_key(entry: &AccessEntry) -> Option<SetKey> {
    if entry.clients.len() < 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(8 * (entry.clients.len() + 1));
    bytes.extend(entry.org_id.to_be_bytes());
    bytes.extend(entry.clients.iter().flat_map(|id| id.to_be_bytes()));
    mac::sha256_fields(&[b"ward/access-set/v1", &bytes]).first_chunk().copied()
}

fn row(tx: &Tx, entry: &AccessEntry) -> AccessRow {
    let one = (entry.clients.len() == 1).then(|| entry.clients.first().copied()).flatten();
    AccessRow {
        id: tx.uuid(),
        org_id: Id::new(entry.org_id),
        occurred_at: entry.occurred_at,
        wall_at: entry.wall_at,
        actor_id: entry.actor_id,
        actor_kind: entry.actor_kind.to_owned(),
        credential: entry.credential.as_deref().map(str::to_owned),
        credential_kind: entry.credential_kind.to_owned(),
        request_id: entry.request_id.to_string(),
        path: entry.path.to_string(),
        client_id: one.map(Id::new),
        set_key: set_key(entry).map(|key| crate::stamp::to_hex(&key)),
        client_count: i64::try_from(entry.clients.len()).unwrap_or(i64::MAX),
        break_glass: entry.watch == Watch::BrokenGlass,
    }
}

/// Writes entries within a transaction: the readings of a change's own answer.
pub async fn write(tx: &mut Tx, entries: &[AccessEntry]) -> Result<(), StoreError> {
    let fresh: HashSet<SetKey> = entries.iter().filter_map(set_key).collect();
    insert(tx, entries, &fresh).await
}

/// Writes entries, and the members of the sets that may be new.
pub(crate) async fn insert(
    tx: &mut Tx,
    entries: &[AccessEntry],
    fresh: &HashSet<SetKey>,
) -> Result<(), StoreError> {
    let mut stored = HashSet::new();
    for entry in entries {
        let Some(key) = set_key(entry).filter(|key| fresh.contains(key)) else { continue };
        if stored.insert(key) {
            insert_set(tx, entry, &crate::stamp::to_hex(&key)).await?;
        }
    }
    if tx.engine() == Engine::Pg && entries.len() > 1 {
        return insert_together(tx, entries).await;
    }
    for entry in entries {
        let row = row(tx, entry);
        codec::insert(tx, &row).await?;
    }
    Ok(())
}

async fn insert_set(tx: &mut Tx, entry: &AccessEntry, key: &str) -> Result<(), StoreError> {
    let text = match tx.engine() {
        Engine::Lite => {
            "INSERT INTO access_sets (org_id, client_id, set_key) \
             SELECT $1, value, $2 FROM json_each($3) WHERE TRUE ON CONFLICT DO NOTHING"
        }
        Engine::Pg => {
            "INSERT INTO access_sets (org_id, client_id, set_key) \
             SELECT $1::bigint, id, $2::text FROM unnest($3::bigint[]) AS c (id) \
             ON CONFLICT DO NOTHING"
        }
    };
    let clients = Value::Ints(entry.clients.as_slice().into());
    tx.execute(&Sql::fixed(text, [entry.org_id.into(), key.into(), clients])).await.map(drop)
}

/// Many entries with one statement, where each is a round trip.
async fn insert_together(tx: &mut Tx, entries: &[AccessEntry]) -> Result<(), StoreError> {
    let rows: Vec<AccessRow> = entries.iter().map(|entry| row(tx, entry)).collect();
    let texts = |of: fn(&AccessRow) -> &str| {
        Value::Texts(rows.iter().map(|row| of(row).into()).collect::<Vec<Box<str>>>().into())
    };
    let ints =
        |of: fn(&AccessRow) -> i64| Value::Ints(rows.iter().map(of).collect::<Vec<i64>>().into());
    let sql = Sql::fixed(
        "INSERT INTO access_log (id, org_id, occurred_at, wall_at, actor_id, actor_kind, \
         credential, credential_kind, request_id, path, client_id, set_key, client_count, \
         break_glass) \
         SELECT n.id, n.org_id, n.occurred_at, n.wall_at, n.actor_id, n.actor_kind, \
         NULLIF(n.credential, ''), n.credential_kind, n.request_id, n.path, \
         NULLIF(n.client_id, 0), NULLIF(n.set_key, ''), n.client_count, n.break_glass = 1 \
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
         $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], \
         $12::text[], $13::bigint[], $14::bigint[]) AS n (id, org_id, occurred_at, wall_at, \
         actor_id, actor_kind, credential, credential_kind, request_id, path, client_id, \
         set_key, client_count, break_glass)",
        [
            texts(|row| &row.id.0),
            ints(|row| row.org_id.0),
            ints(|row| row.occurred_at.0),
            ints(|row| row.wall_at.0),
            ints(|row| row.actor_id),
            texts(|row| &row.actor_kind),
            texts(|row| row.credential.as_deref().unwrap_or_default()),
            texts(|row| &row.credential_kind),
            texts(|row| &row.request_id),
            texts(|row| &row.path),
            ints(|row| row.client_id.map_or(0, |id| id.0)),
            texts(|row| row.set_key.as_deref().unwrap_or_default()),
            ints(|row| row.client_count),
            ints(|row| i64::from(row.break_glass)),
        ],
    );
    tx.execute(&sql).await.map(drop)
}

/// Deletes up to 1,000 entries that are older than they must be kept; how many.
/// Sets stay: they hold only numbers, and another node may be about to name one.
pub async fn purge(tx: &mut Tx) -> Result<u64, StoreError> {
    let before = tx.wall().minus_micros(KEPT_MICROS);
    tx.execute(&Sql::fixed(
        "DELETE FROM access_log WHERE id IN \
         (SELECT id FROM access_log WHERE wall_at < $1 ORDER BY wall_at LIMIT 1000)",
        [before.0.into()],
    ))
    .await
}
