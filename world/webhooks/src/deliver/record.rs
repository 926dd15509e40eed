//! Writing down how attempts ended, and what follows: the next attempt, the lane's state, a
//! warning, the end of a webhook (behaviour 13.4).

use std::collections::BTreeMap;

use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Hint, Id, Level, Query, Scope, Sql, StoreError, Tx};

use crate::backoff;
use crate::deliver::notice::{self, Notice};
use crate::lane;
use crate::tables::{
    DeliveryCause, DeliveryState, Outcome, SentWebhook, Webhook, WebhookDelivery, WebhookLane,
};
use crate::validation;

/// A receiver that takes longer is slow.
const SLOW_MS: i64 = 2_000;

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The delivery as it was claimed.
    pub delivery: WebhookDelivery,
    /// The address that was asked.
    pub url: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// One sentence, when there was none.
    pub error: Option<&'static str>,
    /// The beginning of the answer.
    pub response: Option<String>,
    /// For how long the receiver asks not to be asked, in microseconds.
    pub retry_after: Option<i64>,
    /// Where it went.
    pub peer: Option<String>,
    /// How long it took, on the wall clock.
    pub duration_ms: i64,
}

/// Writes results down, each once: one whose lease was lost meanwhile is written by whoever
/// took it.
pub async fn record(tx: &mut Tx, results: &[Attempt]) -> Result<(), StoreError> {
    let mut of_webhook: BTreeMap<(i64, i64), Vec<&Attempt>> = BTreeMap::new();
    for result in results {
        let key = (result.delivery.org_id.0, result.delivery.webhook_id.0);
        of_webhook.entry(key).or_default().push(result);
    }
    for ((org_id, webhook), results) in of_webhook {
        let system = Actor::system(org_id);
        let mut scope = Scope::new(tx, &system);
        record_of(&mut scope, Id::new(webhook), &results).await?;
    }
    // There is room for others.
    tx.on_commit(Hint::Deliveries);
    Ok(())
}

async fn record_of(
    scope: &mut Scope<'_>,
    id: Id<Webhook>,
    results: &[&Attempt],
) -> Result<(), StoreError> {
    let webhook = scope.visible_for_update(id, Level::Full).await?.map(|(webhook, _)| webhook);
    let lane: Option<WebhookLane> = scope.find_by(Cond::eq("webhook_id", id.0)).await?;
    let (Some(mut webhook), Some(mut lane)) = (webhook, lane) else {
        // Deleted meanwhile: what happened is written, and nothing follows.
        for result in results {
            settle(scope, result, DeliveryState::Dead, None, None).await?;
        }
        return Ok(());
    };
    let mut given_up = false;
    for result in results {
        given_up |= match (result.delivery.cause, result.outcome) {
            (DeliveryCause::Probe, _) => probed(scope, &mut webhook, &mut lane, result).await?,
            (_, Outcome::Delivered) => succeeded(scope, &mut lane, result).await?,
            _ => failed(scope, &webhook, &mut lane, result).await?,
        };
        lane.is_slow = result.duration_ms > SLOW_MS;
    }
    let warned = follow(scope, &webhook, &lane, given_up).await?;
    lane.is_paused |= warned == Some(Notice::Disabled);
    write_lane(scope, &lane).await?;
    lane::look_again(scope.tx, lane.org_id.0, id.0).await
}

/// Writes a probe's end. What a receiver does with probes is no failure of its webhook's; what
/// comes of the last of them can switch it on or off.
async fn probed(
    scope: &mut Scope<'_>,
    webhook: &mut Webhook,
    lane: &mut WebhookLane,
    result: &Attempt,
) -> Result<bool, StoreError> {
    let state = match result.outcome {
        Outcome::Delivered => DeliveryState::Delivered,
        _ => DeliveryState::Dead,
    };
    if settle(scope, result, state, None, None).await? {
        write_lane(scope, lane).await?;
        if validation::go_on(scope, webhook, result).await? {
            let found: Option<Webhook> = scope.find(webhook.id).await?;
            *webhook = found.unwrap_or_else(|| webhook.clone());
            let found: Option<WebhookLane> =
                scope.find_by(Cond::eq("webhook_id", webhook.id.0)).await?;
            *lane = found.unwrap_or_else(|| lane.clone());
        }
    }
    Ok(false)
}

async fn succeeded(
    scope: &mut Scope<'_>,
    lane: &mut WebhookLane,
    result: &Attempt,
) -> Result<bool, StoreError> {
    if !settle(scope, result, DeliveryState::Delivered, None, None).await? {
        return Ok(false);
    }
    lane.failures = 0;
    lane.failing_since = None;
    (lane.broken_until, lane.broken_until_wall) = (None, None);
    let is_fast = result.duration_ms <= lane::FAST_MS;
    let most = if is_fast { lane::IN_FLIGHT_MAX } else { lane::IN_FLIGHT };
    lane.max_in_flight = (lane.max_in_flight * 2).clamp(1, most);
    let delivery = &result.delivery;
    let sql = Sql::fixed(
        "UPDATE webhook_events SET first_failed_at = NULL, last_failed_at = NULL, retry_count = 0 \
         WHERE org_id = $1 AND webhook_id = $2 AND event_type = $3 AND first_failed_at IS NOT NULL",
        of_event(delivery),
    );
    scope.tx.execute(&sql).await?;
    Ok(false)
}

/// True when the time of the event is over.
async fn failed(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    lane: &mut WebhookLane,
    result: &Attempt,
) -> Result<bool, StoreError> {
    let (now, wall) = (scope.now(), scope.tx.wall());
    let delivery = &result.delivery;
    let first = delivery.first_failed_at.unwrap_or(now);
    let is_last = !webhook.should_retry || delivery.cause == DeliveryCause::Test;
    let drawn = scope.instance().random().below(2_001);
    let counts_from = first.max(lane.enabled_at);
    let next = backoff::next(delivery.attempts, counts_from, now, result.retry_after, drawn);
    let (state, due) = match next {
        Some(due) if !is_last => (DeliveryState::Pending, Some(due)),
        _ => (DeliveryState::Dead, None),
    };
    if !settle(scope, result, state, due, Some(first)).await? {
        return Ok(false);
    }
    // What fails at once is one failure: a receiver that was away for a moment is not broken.
    let is_new = delivery.started_at >= lane.counted_at;
    if is_new {
        lane.failures += 1;
        lane.counted_at = Some(wall);
    }
    lane.failing_since = lane.failing_since.or(Some(now));
    lane.max_in_flight = 1;
    if is_new && let Some(rest) = lane::rest(lane.failures) {
        // The last attempt is not late for a rest.
        let left = backoff::GIVE_UP - now.micros_since(counts_from);
        let rest = if next.is_some() { rest.min(left.max(0)) } else { rest };
        lane.broken_until = Some(now.plus_micros(rest));
        lane.broken_until_wall = Some(wall.plus_micros(rest));
    }
    let [org_id, id, event_type] = of_event(delivery);
    let retried = i64::from(delivery.attempts > 1);
    let sql = Sql::fixed(
        "UPDATE webhook_events SET first_failed_at = COALESCE(first_failed_at, $4), \
         last_failed_at = $4, retry_count = retry_count + $5, updated_at = $4 \
         WHERE org_id = $1 AND webhook_id = $2 AND event_type = $3",
        [org_id, id, event_type, now.0.into(), retried.into()],
    );
    scope.tx.execute(&sql).await?;
    Ok(next.is_none() && !is_last)
}

fn of_event(delivery: &WebhookDelivery) -> [ward_store::Value; 3] {
    let (org_id, id) = (delivery.org_id.0, delivery.webhook_id.0);
    [org_id.into(), id.into(), delivery.event_type.as_str().into()]
}

/// Warns once a failing, and disables what was given up.
async fn follow(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    lane: &WebhookLane,
    given_up: bool,
) -> Result<Option<Notice>, StoreError> {
    let now = scope.now();
    let Some(since) = lane.failing_since else { return Ok(None) };
    let is_warned = webhook.warned_at.is_some_and(|warned| warned >= since);
    let notice = match given_up && webhook.is_enabled {
        true => Notice::Disabled,
        false if !is_warned && now.micros_since(since) >= backoff::WARN => Notice::Failing,
        false => return Ok(None),
    };
    let mut after = webhook.clone();
    match notice == Notice::Disabled {
        true => after.is_enabled = false,
        false => after.warned_at = Some(now),
    }
    scope.update(webhook, &after).await?;
    notice::send(scope, webhook, notice).await?;
    Ok(Some(notice))
}

/// Writes the attempt and where its delivery stands now; false when the lease was lost.
pub(crate) async fn settle(
    scope: &mut Scope<'_>,
    result: &Attempt,
    state: DeliveryState,
    due: Option<Timestamp>,
    first_failed: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let delivery = &result.delivery;
    let now = scope.now();
    let sql = Sql::fixed(
        "UPDATE webhook_deliveries SET state = $1, due_at = COALESCE($2, due_at), \
         first_failed_at = COALESCE(first_failed_at, $3), lease_epoch = NULL, lease_token = NULL, \
         lease_until = NULL, updated_at = $4 \
         WHERE org_id = $5 AND id = $6 AND state = 'leased' AND lease_token = $7",
        [
            state.as_str().into(),
            due.map(|due| due.0).into(),
            first_failed.map(|at| at.0).into(),
            now.0.into(),
            delivery.org_id.0.into(),
            delivery.id.0.as_str().into(),
            delivery.lease_token.as_deref().into(),
        ],
    );
    if scope.tx.execute(&sql).await? == 0 {
        return Ok(false);
    }
    let attempt = SentWebhook {
        id: scope.next_id().await?,
        org_id: delivery.org_id,
        unit_id: delivery.unit_id,
        webhook_id: delivery.webhook_id,
        delivery_id: delivery.id.clone(),
        event_id: delivery.event_id.clone(),
        event_type: delivery.event_type.clone(),
        cause: delivery.cause,
        resource_id: delivery.resource_id,
        resource_id_type: delivery.resource_type.clone(),
        url: result.url.clone(),
        attempt_number: delivery.attempts,
        outcome: result.outcome,
        http_response_status: result.status.map(|status| status.to_string()),
        error: result.error.map(str::to_owned),
        duration_ms: result.duration_ms,
        peer: result.peer.clone(),
        request_body: delivery.body.clone(),
        response_body: result.response.clone(),
        started_at: delivery.started_at.unwrap_or(scope.tx.wall()),
        created_at: now,
    };
    scope.create(&attempt).await?;
    Ok(true)
}

async fn write_lane(scope: &mut Scope<'_>, lane: &WebhookLane) -> Result<(), StoreError> {
    let instant = |at: Option<Timestamp>| at.map(|at| at.0);
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET is_paused = $3, max_in_flight = $4, is_slow = $5, failures = $6, \
         failing_since = $7, broken_until = $8, broken_until_wall = $9, counted_at = $10 \
         WHERE org_id = $1 AND webhook_id = $2",
        [
            lane.org_id.0.into(),
            lane.webhook_id.0.into(),
            lane.is_paused.into(),
            lane.max_in_flight.into(),
            lane.is_slow.into(),
            lane.failures.into(),
            instant(lane.failing_since).into(),
            instant(lane.broken_until).into(),
            instant(lane.broken_until_wall).into(),
            instant(lane.counted_at).into(),
        ],
    );
    scope.tx.execute(&sql).await.map(drop)
}
