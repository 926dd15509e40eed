//! Taking back what a process left that is gone: an attempt may have arrived, which the log says,
//! and its delivery is due again, unless it is one that is tried once whatever comes of it.
//!
//! On SQLite there is one process, so every other epoch's claims are left over. On PostgreSQL those
//! of an earlier start of this node are, and of other nodes a claim whose time ran out is.

use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Engine, Query, Scope, Sql, StoreError, Tx, Value};

use crate::backoff;
use crate::deliver::damaged;
use crate::deliver::record::{self, Attempt};
use crate::lane;
use crate::tables::{DeliveryCause, DeliveryState, Outcome, Webhook, WebhookDelivery};
use crate::validation;

/// What the log says of an attempt that nobody saw the end of.
pub const STOPPED: &str = "The server stopped while this was sent; it may have arrived";

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
    let mut sql = left_over(tx.engine(), "SELECT d.org_id, d.id, d.webhook_id", epoch, tx.wall());
    sql.push(" ORDER BY d.lease_until").limit(limit).push(" FOR_UPDATE_SKIP");
    let rows = tx.rows(&sql).await?;
    let left = |row: &[Value]| match row {
        [Value::Int(org_id), Value::Text(id), Value::Int(webhook)] => {
            Some((*org_id, id.to_string(), *webhook))
        }
        _ => None,
    };
    let left: Vec<(i64, String, i64)> = rows.iter().filter_map(left).collect();
    for (org_id, id, webhook) in &left {
        let system = Actor::system(*org_id);
        let mut scope = Scope::new(tx, &system);
        match take_back(&mut scope, id).await {
            Err(StoreError::Corrupt { .. }) => damaged::give_up_sent(&mut scope, id).await?,
            done => done?,
        }
        lane::look_again(tx, *org_id, *webhook).await?;
    }
    Ok(left.len())
}

async fn take_back(scope: &mut Scope<'_>, id: &str) -> Result<(), StoreError> {
    let found: Option<WebhookDelivery> = scope.find_by(Cond::eq("id", id)).await?;
    let Some(delivery) = found else { return Ok(()) };
    let webhook: Option<Webhook> = scope.find_deleted_too(delivery.webhook_id).await?;
    let is_gone = webhook.as_ref().is_none_or(|webhook| webhook.deleted_at.is_some());
    let is_probe = delivery.cause == DeliveryCause::Probe;
    let is_once = is_probe
        || delivery.cause == DeliveryCause::Test
        || webhook.as_ref().is_some_and(|webhook| !webhook.should_retry);
    let due = if is_gone || is_once { None } else { due_again(scope, &delivery) };
    let attempt = Attempt {
        url: webhook.as_ref().map(|webhook| webhook.url.clone()).unwrap_or_default(),
        outcome: Outcome::Unknown,
        status: None,
        error: Some(STOPPED),
        response: None,
        retry_after: None,
        peer: None,
        duration_ms: 0,
        delivery,
    };
    let state = if due.is_none() { DeliveryState::Dead } else { DeliveryState::Pending };
    if record::settle(scope, &attempt, state, due, None).await?
        && is_probe
        && let Some(webhook) = webhook
    {
        validation::cut_off(scope, &webhook, &attempt).await?;
    }
    Ok(())
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
    use crate::tables::{SentWebhook, ValidationState, WebhookValidation};
    use crate::validation::{Begun, HOURLY_MAX};
    use ward_store::Id;

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

    async fn begin(w: &World, webhook: i64) -> Begun {
        let org = w.org;
        let begun = w.db.write(move |tx: &mut Tx| {
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                match scope.find(Id::<Webhook>::new(webhook)).await? {
                    Some(webhook) => validation::begin(&mut scope, &webhook).await,
                    None => panic!("there is no such webhook"),
                }
            })
        });
        begun.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    /// A probe goes before what waits; one that is cut off is not sent again, and ends its
    /// validation, which can be begun anew.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_probe_that_is_cut_off_ends_its_validation() {
        World::each(async |w| {
            let webhook = w.webhook(false).await;
            w.emit(&[7]).await;
            assert!(w.claim("one:first", World::room(0, 0)).await.is_empty());
            assert_eq!(begin(&w, webhook).await, Begun::Yes);
            assert_eq!(begin(&w, webhook).await, Begun::UnderWay);
            let probe = w.claim("one:first", World::all_room()).await;
            assert_eq!(probe[0].delivery.cause, DeliveryCause::Probe);
            let next = w.claim("one:second", World::all_room()).await;
            assert_eq!((next.len(), next[0].delivery.resource_id), (1, 7));
            let found = w.rows::<WebhookValidation>().await;
            assert_eq!(found[0].state, ValidationState::Inconclusive);
            let log = w.rows::<SentWebhook>().await;
            assert_eq!((log[0].cause, log[0].outcome), (DeliveryCause::Probe, Outcome::Unknown));
            // What comes late of it changes nothing.
            w.record(&probe, 200).await;
            assert_eq!(w.rows::<WebhookValidation>().await[0].state, ValidationState::Inconclusive);
            assert_eq!(begin(&w, webhook).await, Begun::Yes);
        })
        .await;
    }

    /// Of what waits for a disabled webhook a probe is sent, and nothing else.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_disabled_webhook_is_sent_its_probes_alone() {
        World::each(async |w| {
            let webhook = w.webhook(false).await;
            w.emit(&[7]).await;
            assert!(w.claim("one:first", World::room(0, 0)).await.is_empty());
            w.spoil("UPDATE webhooks SET is_enabled = FALSE").await;
            w.spoil("UPDATE webhook_lanes SET is_paused = TRUE, max_in_flight = 8").await;
            assert!(w.claim("one:first", World::all_room()).await.is_empty());
            assert_eq!(begin(&w, webhook).await, Begun::Yes);
            let probe = w.claim("one:first", World::all_room()).await;
            assert_eq!(probe.len(), 1);
            assert_eq!(probe[0].delivery.cause, DeliveryCause::Probe);
            // Nobody is there: the validation is over, and the lane closed again.
            w.record(&probe, 503).await;
            let probe = w.claim("one:first", World::all_room()).await;
            assert_eq!(probe[0].delivery.cause, DeliveryCause::Probe);
            w.record(&probe, 503).await;
            assert!(w.claim("one:first", World::all_room()).await.is_empty());
            let paused = "SELECT COUNT(*) FROM webhook_lanes WHERE is_paused = TRUE";
            assert_eq!(w.number(paused).await, 1);
            assert_eq!(w.rows::<WebhookValidation>().await[0].state, ValidationState::Unverified);
        })
        .await;
    }

    /// A practice can't have validations without end, nor with webhooks that it makes anew.
    #[tokio::test(flavor = "multi_thread")]
    async fn validations_are_counted_by_the_hour() {
        World::each(async |w| {
            let first = w.webhook(false).await;
            for _ in 0..HOURLY_MAX {
                assert_eq!(begin(&w, first).await, Begun::Yes);
                // What is not answered is over.
                w.spoil("UPDATE webhook_deliveries SET state = 'dead'").await;
            }
            assert_eq!(begin(&w, first).await, Begun::TooMany);
            let another = w.webhook(false).await;
            assert_eq!(begin(&w, another).await, Begun::TooMany);
            w.clock.advance(3_600 * SECOND);
            assert_eq!(begin(&w, another).await, Begun::Yes);
        })
        .await;
    }

    #[test]
    fn a_node_is_what_stands_before_the_start() {
        assert_eq!(node_of(&epoch("ab", "1:2")), Some("ab:"));
        assert_eq!((node_of(&epoch("", "1")), node_of("ab")), (None, None));
    }
}
