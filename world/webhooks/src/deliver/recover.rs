//! Taking back what a process left that is gone: an attempt may have arrived, which the log says,
//! and its delivery is due again, unless it is one that is tried once whatever comes of it.
//!
//! On SQLite there is one process, so every other epoch's claims are left over; on PostgreSQL a
//! claim whose time ran out is.

use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Engine, Query, Scope, Sql, StoreError, Tx};

use crate::backoff;
use crate::deliver::record::{self, Attempt};
use crate::lane;
use crate::tables::{DeliveryCause, DeliveryState, Outcome, Webhook, WebhookDelivery};

fn left_over(engine: Engine, start: &str, epoch: &str, wall: Timestamp) -> Sql {
    let mut sql = Sql::new();
    sql.push(start)
        .push(" FROM webhook_deliveries d WHERE d.state = 'leased' AND (d.lease_until <= ");
    sql.bind(wall.0);
    if engine == Engine::Lite {
        sql.push(" OR d.lease_epoch <> ").bind(epoch);
    }
    sql.push(")");
    sql
}

/// Whether something was left over; takes no lock.
pub async fn any(q: &mut impl Query, epoch: &str, wall: Timestamp) -> Result<bool, StoreError> {
    let mut sql = left_over(q.engine(), "SELECT 1", epoch, wall);
    sql.push(" LIMIT 1");
    Ok(!q.rows(&sql).await?.is_empty())
}

/// Takes back up to `limit`; how many.
pub async fn recover(tx: &mut Tx, epoch: &str, limit: i64) -> Result<usize, StoreError> {
    let mut sql = left_over(tx.engine(), "SELECT d.org_id, d.id", epoch, tx.wall());
    sql.push(" ORDER BY d.lease_until").limit(limit).push(" FOR_UPDATE_SKIP");
    let rows = tx.rows(&sql).await?;
    let left: Vec<(i64, String)> = rows
        .iter()
        .filter_map(|row| Some((row.first()?.int()?, row.get(1)?.text()?.to_owned())))
        .collect();
    for (org_id, id) in &left {
        let system = Actor::system(*org_id);
        let mut scope = Scope::new(tx, &system);
        let found: Option<WebhookDelivery> = scope.find_by(Cond::eq("id", id.as_str())).await?;
        if let Some(delivery) = found {
            take_back(&mut scope, delivery).await?;
        }
    }
    Ok(left.len())
}

async fn take_back(scope: &mut Scope<'_>, delivery: WebhookDelivery) -> Result<(), StoreError> {
    let webhook: Option<Webhook> = scope.find_deleted_too(delivery.webhook_id).await?;
    let is_gone = webhook.as_ref().is_none_or(|webhook| webhook.deleted_at.is_some());
    let is_once = delivery.cause == DeliveryCause::Test
        || webhook.as_ref().is_some_and(|webhook| !webhook.should_retry);
    let due = if is_gone || is_once { None } else { due_again(scope, &delivery) };
    let (org_id, id) = (delivery.org_id.0, delivery.webhook_id.0);
    let attempt = Attempt {
        url: webhook.map(|webhook| webhook.url).unwrap_or_default(),
        outcome: Outcome::Unknown,
        status: None,
        error: Some("The server stopped while this was sent; it may have arrived"),
        response: None,
        retry_after: None,
        peer: None,
        duration_ms: 0,
        delivery,
    };
    let state = if due.is_none() { DeliveryState::Dead } else { DeliveryState::Pending };
    record::settle(scope, &attempt, state, due, None).await?;
    lane::look_again(scope.tx, org_id, id).await
}

/// At once after the first attempt; who is cut off again and again waits as after failures, so that
/// what stops the server is not what it begins with each time.
fn due_again(scope: &Scope<'_>, delivery: &WebhookDelivery) -> Option<Timestamp> {
    let now = scope.now();
    if delivery.attempts <= 1 {
        return Some(now);
    }
    let drawn = scope.instance().random().below(2_001);
    let first = delivery.first_failed_at.unwrap_or(now);
    backoff::next(delivery.attempts - 1, first, now, None, drawn)
}
