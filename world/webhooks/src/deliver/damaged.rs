//! Rows that fail their check: nothing is sent of them, and nobody else waits because of them.

use ward_instance::Timestamp;
use ward_store::{Cond, Id, OrderKey, Query, Scope, Sql, StoreError, Tx, Uuid, Value};

use crate::deliver::recover::STOPPED;
use crate::tables::{DeliveryCause, Outcome, SentWebhook, WebhookDelivery};

/// How long a lane rests whose webhook or secret can't be read.
const REST: i64 = 60_000_000;

/// These deliveries, in the order of their queue, without those that can't be read: those are given up.
pub async fn readable(
    scope: &mut Scope<'_>,
    ids: &[Box<str>],
) -> Result<Vec<WebhookDelivery>, StoreError> {
    let order = [OrderKey::column("due_at", false), OrderKey::column("position", false)];
    let cond = Cond::sql("{t}.id IN_LIST(?)", [Value::Texts(ids.into())]);
    match scope.list(cond, &order).await {
        Err(StoreError::Corrupt { .. }) => {}
        deliveries => return deliveries,
    }
    let mut deliveries = Vec::with_capacity(ids.len());
    for id in ids {
        match scope.find_by(Cond::eq("id", &**id)).await {
            Err(StoreError::Corrupt { .. }) => {
                let org_id = scope.actor.org_id;
                give_up(scope.tx, org_id, id).await?;
            }
            found => deliveries.extend(found?),
        }
    }
    Ok(deliveries)
}

/// Ends a delivery whatever stands in it.
pub async fn give_up(tx: &mut Tx, org_id: i64, id: &str) -> Result<(), StoreError> {
    tracing::error!(org_id, delivery = id, "a webhook's delivery can't be read and is given up");
    let sql = Sql::fixed(
        "UPDATE webhook_deliveries SET state = 'dead', lease_epoch = NULL, lease_token = NULL, \
         lease_until = NULL, updated_at = $3 WHERE org_id = $1 AND id = $2",
        [org_id.into(), id.into(), tx.now().0.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Ends a delivery that was being sent. It may have arrived, which the log says as far as it can.
pub async fn give_up_sent(scope: &mut Scope<'_>, id: &str) -> Result<(), StoreError> {
    let org_id = scope.actor.org_id;
    let sql = Sql::fixed(
        "SELECT d.unit_id, d.webhook_id, d.resource_id, d.attempts, d.started_at, d.event_id, \
         d.event_type, d.cause, d.resource_type, COALESCE(w.url, '') \
         FROM webhook_deliveries d LEFT JOIN webhooks w \
         ON w.org_id = d.org_id AND w.id = d.webhook_id WHERE d.org_id = $1 AND d.id = $2",
        [org_id.into(), id.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    if let Some(sent) = rows.iter().next().and_then(|row| sent(org_id, id, row)) {
        let sent = SentWebhook { id: scope.next_id().await?, created_at: scope.now(), ..sent };
        scope.create(&sent).await?;
    }
    give_up(scope.tx, org_id, id).await
}

/// The line in the log of a delivery whose payload can't be read.
fn sent(org_id: i64, id: &str, row: &[Value]) -> Option<SentWebhook> {
    let int = |at: usize| row.get(at).and_then(Value::int);
    let text = |at: usize| row.get(at).and_then(Value::text);
    Some(SentWebhook {
        id: Id::new(0),
        org_id: Id::new(org_id),
        unit_id: Id::new(int(0)?),
        webhook_id: Id::new(int(1)?),
        delivery_id: Uuid(id.to_owned()),
        event_id: Uuid(text(5)?.to_owned()),
        event_type: text(6)?.to_owned(),
        cause: DeliveryCause::from_text(text(7)?)?,
        resource_id: int(2)?,
        resource_id_type: text(8)?.to_owned(),
        url: text(9)?.to_owned(),
        attempt_number: int(3)?,
        outcome: Outcome::Unknown,
        http_response_status: None,
        error: Some(STOPPED.to_owned()),
        duration_ms: 0,
        peer: None,
        request_body: String::new(),
        response_body: None,
        started_at: Timestamp(int(4)?),
        created_at: Timestamp(0),
    })
}

/// Tries a webhook again later.
pub async fn rest(tx: &mut Tx, org_id: i64, webhook: i64) -> Result<(), StoreError> {
    tracing::error!(org_id, webhook, "a webhook or its secret can't be read; it rests a minute");
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET broken_until = $3, broken_until_wall = $4 \
         WHERE org_id = $1 AND webhook_id = $2",
        [
            org_id.into(),
            webhook.into(),
            tx.now().plus_micros(REST).0.into(),
            tx.wall().plus_micros(REST).0.into(),
        ],
    );
    tx.execute(&sql).await.map(drop)
}
