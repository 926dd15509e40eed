//! A webhook's lane: the head of its queue, one row. Whoever changes the queue wakes the lane in
//! the same transaction, so a lane that is not ready has nothing that is due.

use ward_store::{Id, Query, Scope, Sql, StoreError, Tx, Value};

use crate::tables::{Webhook, WebhookLane};

/// Requests at once to one receiver.
pub const IN_FLIGHT: i64 = 8;

/// The same of a receiver that answers fast, with those that are answered and not written down yet:
/// each waits for a commit, so this bounds the events a second that a receiver hears of on a busy
/// instance. At the receiver are at most the 64 of its organization (`deliver/share.rs`).
pub const IN_FLIGHT_MAX: i64 = 128;

/// As fast as this, in milliseconds, answers a receiver that is not kept busy by what it has.
pub const FAST_MS: i64 = 250;

/// Failures in a row after which a lane is broken: tried by single requests only.
pub const BROKEN_AFTER: i64 = 10;

/// How long a broken lane rests, in microseconds: at first, and at most.
const REST: i64 = 30_000_000;
const REST_MAX: i64 = 15 * 60 * 1_000_000;

/// Makes the lane of a new webhook. Until a first answer shows that its receiver is not slow, it
/// counts as slow, and has its turn after those who wait already.
pub async fn create(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<(), StoreError> {
    let lane = WebhookLane {
        org_id: webhook.org_id,
        webhook_id: webhook.id,
        ready_at: None,
        last_served: scope.tx.wall().0,
        last_position: 0,
        is_paused: !webhook.is_enabled,
        max_in_flight: 1,
        is_slow: true,
        failures: 0,
        counted_at: None,
        failing_since: None,
        broken_until: None,
        broken_until_wall: None,
        enabled_at: scope.now(),
    };
    scope.create(&lane).await
}

/// Takes the lane away: nothing is sent any more.
pub async fn remove(tx: &mut Tx, org_id: i64, webhook: Id<Webhook>) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "DELETE FROM webhook_lanes WHERE org_id = $1 AND webhook_id = $2",
        [org_id.into(), webhook.0.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Stops the lane; what waits, waits on.
pub async fn pause(tx: &mut Tx, org_id: i64, webhook: Id<Webhook>) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET is_paused = TRUE WHERE org_id = $1 AND webhook_id = $2",
        [org_id.into(), webhook.0.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Lets the probes of a disabled webhook through, whose lane is paused otherwise.
pub async fn open(tx: &mut Tx, org_id: i64, webhook: Id<Webhook>) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET is_paused = FALSE WHERE org_id = $1 AND webhook_id = $2",
        [org_id.into(), webhook.0.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Lets the lane begin anew, as if it were that of a new webhook.
pub async fn begin_anew(tx: &mut Tx, org_id: i64, webhook: Id<Webhook>) -> Result<(), StoreError> {
    let (now, wall) = (tx.now().0, tx.wall().0);
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET is_paused = FALSE, max_in_flight = 1, is_slow = TRUE, \
         failures = 0, failing_since = NULL, broken_until = NULL, broken_until_wall = NULL, \
         enabled_at = $3, last_served = $4 WHERE org_id = $1 AND webhook_id = $2",
        [org_id.into(), webhook.0.into(), now.into(), wall.into()],
    );
    tx.execute(&sql).await?;
    look_again(tx, org_id, webhook.0).await
}

/// Makes room for `count` deliveries that are due now; the place of the first. `None` when the
/// webhook is gone.
pub async fn enqueue(
    tx: &mut Tx,
    org_id: i64,
    webhook: i64,
    count: i64,
) -> Result<Option<i64>, StoreError> {
    let now = tx.now().0;
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET last_position = last_position + $3, \
         ready_at = CASE WHEN ready_at IS NULL OR ready_at > $4 THEN $4 ELSE ready_at END \
         WHERE org_id = $1 AND webhook_id = $2 RETURNING last_position",
        [org_id.into(), webhook.into(), count.into(), now.into()],
    );
    let last = tx.rows(&sql).await?.scalar().and_then(Value::int);
    Ok(last.map(|last| last - count + 1))
}

/// Makes the lane ready when the first of what waits is due, apart from what waits for an earlier
/// event of its record: that is looked for again when the earlier one has ended.
pub async fn look_again(tx: &mut Tx, org_id: i64, webhook: i64) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET ready_at = (SELECT d.due_at FROM webhook_deliveries d \
         WHERE d.org_id = $1 AND d.webhook_id = $2 AND d.state = 'pending' \
         AND (d.is_ordered = FALSE OR NOT EXISTS (SELECT 1 FROM webhook_deliveries e \
              WHERE e.org_id = d.org_id AND e.webhook_id = d.webhook_id \
              AND e.resource_type = d.resource_type AND e.resource_id = d.resource_id \
              AND e.position < d.position AND e.is_ordered = TRUE \
              AND e.state IN ('pending', 'leased'))) \
         ORDER BY d.due_at, d.position LIMIT 1) \
         WHERE org_id = $1 AND webhook_id = $2",
        [org_id.into(), webhook.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// How long a lane rests after this many failures in a row; `None` while it is not broken.
pub fn rest(failures: i64) -> Option<i64> {
    let beyond = failures - BROKEN_AFTER;
    (beyond >= 0).then(|| (REST << beyond.min(10)).min(REST_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_a_quarter_of_an_hour() {
        let seconds = |failures| rest(failures).map(|micros| micros / 1_000_000);
        assert_eq!(seconds(9), None);
        assert_eq!((seconds(10), seconds(11), seconds(12)), (Some(30), Some(60), Some(120)));
        assert_eq!((seconds(15), seconds(1_000_000)), (Some(900), Some(900)));
    }
}
