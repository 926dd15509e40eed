//! From replays to deliveries, a few at a time: what happens meanwhile waits behind a hundred
//! deliveries at most, and a replay of thousands holds no transaction for long.

use ward_store::{Actor, Id, Query, Scope, Sql, StoreError, Tx, Value, events};

use crate::deliver::queue::{self, New};
use crate::deliver::relay;
use crate::payload::Told;
use crate::replay;
use crate::tables::{DeliveryCause, Webhook, WebhookReplay};

/// Deliveries that wait for a webhook when a replay adds to them, at most; and how many it adds.
const PAGE: i64 = 100;

/// Replays that are fed in one transaction.
const REPLAYS: i64 = 4;

/// The first open replay of each webhook that may have more in its queue; nothing of a webhook that
/// is disabled, which goes on where it was when it is enabled.
fn hungry(columns: &str) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT ").push(columns);
    sql.push(
        " FROM webhook_replays r JOIN webhooks w ON w.org_id = r.org_id AND w.id = r.webhook_id \
         WHERE r.ended_at IS NULL AND w.is_enabled = TRUE AND w.deleted_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM webhook_replays o WHERE o.org_id = r.org_id \
              AND o.webhook_id = r.webhook_id AND o.id < r.id AND o.ended_at IS NULL) \
         AND (SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries d WHERE d.org_id = r.org_id \
              AND d.webhook_id = r.webhook_id AND d.state = 'pending' LIMIT CAST(",
    );
    sql.bind(PAGE).push(" AS BIGINT)) c) < ").bind(PAGE);
    sql
}

/// Whether a replay has something to add; takes no lock.
pub async fn any(q: &mut impl Query) -> Result<bool, StoreError> {
    let mut sql = hungry("1");
    sql.limit(1);
    Ok(!q.rows(&sql).await?.is_empty())
}

/// Adds to the queues; how many replays had something done.
pub async fn feed(tx: &mut Tx) -> Result<usize, StoreError> {
    let mut sql = hungry("r.org_id, r.id");
    sql.push(" ORDER BY r.id").limit(REPLAYS);
    let rows = tx.rows(&sql).await?;
    let found: Vec<(i64, i64)> =
        rows.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect();
    for (org_id, id) in &found {
        // Of two processes the second sees what the first has done.
        tx.lock(&["webhooks", "replay", &id.to_string()]).await?;
        let system = Actor::system(*org_id);
        let mut scope = Scope::new(tx, &system);
        let Some(row) = scope.find(Id::<WebhookReplay>::new(*id)).await? else { continue };
        if row.ended_at.is_none()
            && let Some(webhook) = scope.find(row.webhook_id).await?
        {
            add(&mut scope, &row, &webhook).await?;
        }
    }
    Ok(found.len())
}

async fn add(
    scope: &mut Scope<'_>,
    row: &WebhookReplay,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let next = replay::next(scope.tx, row, PAGE).await?;
    let is_last = i64::try_from(next.len()).is_ok_and(|count| count < PAGE);
    let last_seq = next.last().map_or(row.until_seq, |(_, seq)| *seq);
    let ids = next.into_iter().map(|(id, _)| id).collect();
    let instance = scope.instance().clone();
    let found = events::of_ids(scope.tx, &instance, row.org_id.0, ids).await?;
    let told: Vec<Told<'_>> = found.iter().map(relay::told).collect();
    let new = |(event, told): (&events::StoredEvent, _)| New {
        event_id: event.id.clone(),
        cause: DeliveryCause::Replay,
        replay: row.id.0.to_string(),
        told,
        encoding: webhook.id_encoding,
        is_ordered: webhook.is_ordered,
    };
    let new: Vec<New<'_>> = found.iter().zip(&told).map(new).collect();
    if !new.is_empty() {
        queue::add(scope.tx, row.org_id.0, row.unit_id.0, webhook.id.0, &new).await?;
    }
    let ended = is_last.then(|| scope.now().0);
    let sql = Sql::fixed(
        "UPDATE webhook_replays SET last_seq = $3, ended_at = $4 WHERE org_id = $1 AND id = $2",
        [row.org_id.0.into(), row.id.0.into(), last_seq.into(), Value::from(ended)],
    );
    scope.tx.execute(&sql).await.map(drop)
}

/// Ends what a webhook still has open.
pub async fn end(tx: &mut Tx, org_id: i64, webhook: i64) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE webhook_replays SET ended_at = $3 \
         WHERE org_id = $1 AND webhook_id = $2 AND ended_at IS NULL",
        [org_id.into(), webhook.into(), tx.now().0.into()],
    );
    tx.execute(&sql).await.map(drop)
}
