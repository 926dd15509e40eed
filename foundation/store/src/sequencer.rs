//! Numbers committed audit entries and events on PostgreSQL, one organization
//! after the other, and links the audit chain.
//!
//! One process does this at a time, under the leased role `sequencer` whose
//! fence its transactions prove. On SQLite the writer numbers as it writes and
//! there is nothing to do.

use std::sync::Arc;

use crate::audit;
use crate::db::Db;
use crate::error::StoreError;
use crate::nodes::{self, Fence};
use crate::outbox;
use crate::query::{Engine, Query};
use crate::stamp;
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// The leased role.
pub const ROLE: &str = "sequencer";

/// Organizations and rows of one transaction at most.
const ORGANIZATIONS: i64 = 32;
const ROWS: i64 = 500;

/// The database's lock on numbering: `ward seq` in ASCII.
const LOCK: i64 = 0x7761_7264_2073_6571;

/// Numbers what is there, in transactions that prove the role; how many rows.
/// [`StoreError::Conflict`] when the role is another node's by now.
pub async fn step(db: &Db, fence: &Fence) -> Result<usize, StoreError> {
    if db.engine() == Engine::Lite {
        return Ok(0);
    }
    let mut total = 0;
    loop {
        let fence = fence.clone();
        let numbered = db
            .write(move |tx| {
                let fence = fence.clone();
                Box::pin(async move {
                    nodes::prove(tx, &fence).await?;
                    number(tx).await
                })
            })
            .await?;
        total += numbered;
        if numbered == 0 {
            return Ok(total);
        }
    }
}

/// Numbers what is there, in the transaction; how many rows. The caller runs
/// it until it answers 0, woken by commits and each second.
///
/// Of two changes to one record the later has the later number: its row was
/// written while it held the lock that the earlier had let go.
pub async fn number(tx: &mut Tx) -> Result<usize, StoreError> {
    if tx.engine() == Engine::Lite {
        return Ok(0);
    }
    // Every node numbers what it commits; two at once would give a number twice.
    tx.rows(&Sql::fixed("SELECT 1 FROM pg_advisory_xact_lock($1)", [LOCK.into()])).await?;
    let mut numbered = 0;
    for org_id in
        unnumbered(tx, "SELECT DISTINCT org_id FROM audit_events WHERE seq IS NULL LIMIT $1")
            .await?
    {
        numbered += number_entries(tx, org_id).await?;
    }
    for org_id in
        unnumbered(tx, "SELECT DISTINCT org_id FROM events WHERE seq IS NULL LIMIT $1").await?
    {
        numbered += number_events(tx, org_id).await?;
    }
    Ok(numbered)
}

async fn unnumbered(tx: &mut Tx, text: &'static str) -> Result<Vec<i64>, StoreError> {
    let rows = tx.rows(&Sql::fixed(text, [ORGANIZATIONS.into()])).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

async fn number_entries(tx: &mut Tx, org_id: i64) -> Result<usize, StoreError> {
    let instance = Arc::clone(tx.instance());
    let head = outbox::read_head(tx, org_id).await?;
    let rows = tx
        .rows(&Sql::fixed(
            "SELECT id, row_mac FROM audit_events WHERE org_id = $1 AND seq IS NULL \
             ORDER BY written_at, id LIMIT $2 FOR_UPDATE",
            [org_id.into(), ROWS.into()],
        ))
        .await?;
    let (mut seq, mut chain) = (head.audit_seq, head.chain);
    let (mut ids, mut seqs, mut chains) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows.iter() {
        let [Value::Text(id), Value::Bytes(row_mac)] = row else {
            return Err(StoreError::corrupt("audit_events", "a row does not decode"));
        };
        seq += 1;
        chain = audit::link(&instance.ring(), &chain, row_mac, seq);
        ids.push(id.clone());
        seqs.push(seq);
        chains.push(stamp::to_hex(&chain).into_boxed_str());
    }
    let numbered = ids.len();
    tx.execute(&Sql::fixed(
        "UPDATE audit_events SET seq = n.seq, chain = decode(n.chain, 'hex') \
         FROM unnest($1::text[], $2::bigint[], $3::text[]) AS n (id, seq, chain) \
         WHERE audit_events.org_id = $4 AND audit_events.id = n.id",
        [
            Value::Texts(ids.into()),
            Value::Ints(seqs.into()),
            Value::Texts(chains.into()),
            org_id.into(),
        ],
    ))
    .await?;
    Ok(numbered)
}

async fn number_events(tx: &mut Tx, org_id: i64) -> Result<usize, StoreError> {
    let head = outbox::read_head(tx, org_id).await?;
    let rows = tx
        .rows(&Sql::fixed(
            "SELECT id FROM events WHERE org_id = $1 AND seq IS NULL \
             ORDER BY written_at, id LIMIT $2 FOR_UPDATE",
            [org_id.into(), ROWS.into()],
        ))
        .await?;
    let ids: Vec<Box<str>> =
        rows.iter().filter_map(|row| row.first()?.text()).map(Into::into).collect();
    let numbered = ids.len();
    let seqs: Vec<i64> = (1..).take(numbered).map(|n| head.event_seq + n).collect();
    tx.execute(&Sql::fixed(
        "UPDATE events SET seq = n.seq FROM unnest($1::text[], $2::bigint[]) AS n (id, seq) \
         WHERE events.org_id = $3 AND events.id = n.id",
        [Value::Texts(ids.into()), Value::Ints(seqs.into()), org_id.into()],
    ))
    .await?;
    Ok(numbered)
}
