//! Taking back what a process left that is gone: an attempt may have arrived, which the log says,
//! and its delivery is due again, unless it is one that is tried once whatever comes of it.
//!
//! On SQLite there is one process, so every other epoch's claims are left over. On PostgreSQL those
//! of an earlier start of this node are, and of other nodes a claim whose time ran out is.

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
    match (engine, node_of(epoch)) {
        (Engine::Lite, _) => {
            sql.push(" OR d.lease_epoch <> ").bind(epoch);
        }
        (Engine::Pg, Some(node)) => {
            let length = i64::try_from(node.len()).unwrap_or(i64::MAX);
            sql.push(" OR (SUBSTR(d.lease_epoch, 1, CAST(").bind(length).push(" AS INTEGER)) = ");
            sql.bind(node).push(" AND d.lease_epoch <> ").bind(epoch).push(")");
        }
        (Engine::Pg, None) => {}
    }
    sql.push(")");
    sql
}

/// The epoch of a node's start: a node has one process at a time.
pub fn epoch(node: &str, start: &str) -> String {
    format!("{node}:{start}")
}

/// The part of an epoch that all starts of its node share.
fn node_of(epoch: &str) -> Option<&str> {
    let end = epoch.find(':').filter(|end| *end > 0)?;
    epoch.get(..=end)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::trial::World;

    const SECOND: i64 = 1_000_000;

    /// A node that starts again knows what it left; what others are sending is theirs until its
    /// time is over.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_restart_takes_back_its_own_at_once() {
        World::each(async |w| {
            w.webhook(false).await;
            w.emit(&[7]).await;
            assert_eq!(w.claim("one:first", World::all_room()).await.len(), 1);
            assert!(w.claim("one:first", World::all_room()).await.is_empty());
            let is_lite = w.db.engine() == Engine::Lite;
            if !is_lite {
                assert!(w.claim("two:first", World::all_room()).await.is_empty());
            }
            let again = w.claim("one:second", World::all_room()).await;
            assert_eq!((again.len(), again[0].delivery.attempts), (1, 2));
            w.clock.advance(super::super::claim::LEASE + SECOND);
            // Cut off a second time, it rests first.
            assert!(w.claim("two:first", World::all_room()).await.is_empty());
            w.clock.advance(60 * SECOND);
            assert_eq!(w.claim("two:first", World::all_room()).await.len(), 1);
        })
        .await;
    }

    #[test]
    fn a_node_is_what_stands_before_the_start() {
        assert_eq!(node_of(&epoch("ab", "1:2")), Some("ab:"));
        assert_eq!((node_of(&epoch("", "1")), node_of("ab")), (None, None));
    }
}
