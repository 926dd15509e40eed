//! Taking what is due, lane after lane, so that no queue waits behind another's.

use std::sync::atomic::{AtomicI64, Ordering};

use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Id, OrderKey, Query, Scope, Sql, StoreError, Tx, Value};

use crate::deliver::damaged;
use crate::deliver::share::{Full, Room};
use crate::lane;
use crate::tables::{SecretState, Webhook, WebhookDelivery, WebhookSecret};

/// Deliveries that one lane gets in a turn, when others wait for theirs.
const QUANTUM: i64 = 4;

/// Lanes of one transaction.
const LANES: usize = 32;

/// How long a claim lasts on the wall clock: longer than a request may take.
pub const LEASE: i64 = 30_000_000;

/// A lane with nothing that can be sent now is looked at again after so long.
const PATIENCE: i64 = 1_000_000;

/// A delivery that is ours to send.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The delivery, as it was claimed.
    pub delivery: WebhookDelivery,
    /// Its webhook.
    pub webhook: Webhook,
    /// What signs: the current secret first, then a retiring one.
    pub secrets: Vec<String>,
    /// Whether it counts among the slow.
    pub is_slow: bool,
}

struct Lane {
    org_id: i64,
    webhook: i64,
    max_in_flight: i64,
    is_slow: bool,
}

/// Claims what is due for the process `epoch`, within `room`.
pub async fn claim(tx: &mut Tx, epoch: &str, mut room: Room) -> Result<Vec<Claimed>, StoreError> {
    let mut claimed = Vec::new();
    for is_slow in [false, true] {
        let free = if is_slow { room.all.min(room.slow) } else { room.all };
        if free == 0 {
            continue;
        }
        let lanes = ready(tx, is_slow, free.min(LANES), room.full()).await?;
        let quantum = quantum(free, lanes.len());
        for lane in lanes {
            let share = room.share(lane.org_id, is_slow);
            if share == 0 {
                continue;
            }
            let most = i64::try_from(share).unwrap_or(i64::MAX);
            let taken = match serve(tx, epoch, &lane, most.min(quantum)).await {
                Err(StoreError::Corrupt { .. }) => {
                    damaged::rest(tx, lane.org_id, lane.webhook).await?;
                    continue;
                }
                taken => taken?,
            };
            room.take(lane.org_id, is_slow, taken.len());
            claimed.extend(taken);
        }
    }
    Ok(claimed)
}

/// What a lane gets in this turn: when all that are ready have theirs in it, what is free is divided
/// among them, since the next turn comes after a commit.
fn quantum(free: usize, lanes: usize) -> i64 {
    match lanes {
        0 | LANES.. => QUANTUM,
        some => i64::try_from(free / some).unwrap_or(QUANTUM).max(QUANTUM),
    }
}

/// The condition of a lane in which something may be due: `$1` whether slow, `$2` logical now,
/// `$3` wall now, `$4` organizations that get nothing.
macro_rules! ready {
    () => {
        "is_slow = $1 AND is_paused = FALSE AND ready_at IS NOT NULL AND ready_at <= $2 \
         AND (broken_until IS NULL OR broken_until <= $2 OR broken_until_wall <= $3) \
         AND NOT (org_id IN_LIST($4))"
    };
}

/// Whether a claim would find something; takes no lock.
pub async fn any_ready(
    q: &mut impl Query,
    now: Timestamp,
    wall: Timestamp,
    full: &Full,
) -> Result<bool, StoreError> {
    for is_slow in [false, true] {
        let full = if is_slow { &full.slow } else { &full.fast };
        let full = Value::Ints(full.as_slice().into());
        let sql = Sql::fixed(
            concat!("SELECT 1 FROM webhook_lanes WHERE ", ready!(), " LIMIT 1"),
            [is_slow.into(), now.0.into(), wall.0.into(), full],
        );
        if !q.rows(&sql).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn ready(
    tx: &mut Tx,
    is_slow: bool,
    lanes: usize,
    full: Full,
) -> Result<Vec<Lane>, StoreError> {
    let limit = i64::try_from(lanes).unwrap_or(1);
    let full = Value::Ints(if is_slow { full.slow } else { full.fast }.into());
    let sql = Sql::fixed(
        concat!(
            "SELECT org_id, webhook_id, max_in_flight FROM webhook_lanes WHERE ",
            ready!(),
            " ORDER BY last_served, webhook_id LIMIT CAST($5 AS BIGINT) FOR_UPDATE_SKIP"
        ),
        [is_slow.into(), tx.now().0.into(), tx.wall().0.into(), full, limit.into()],
    );
    let rows = tx.rows(&sql).await?;
    let lane = |row: &[Value]| match row {
        [Value::Int(org_id), Value::Int(webhook), Value::Int(max_in_flight)] => {
            let (org_id, webhook, max_in_flight) = (*org_id, *webhook, *max_in_flight);
            Some(Lane { org_id, webhook, max_in_flight, is_slow })
        }
        _ => None,
    };
    let lanes: Option<Vec<Lane>> = rows.iter().map(lane).collect();
    lanes.ok_or_else(|| StoreError::corrupt("webhook_lanes", "a row does not decode"))
}

async fn serve(
    tx: &mut Tx,
    epoch: &str,
    lane: &Lane,
    most: i64,
) -> Result<Vec<Claimed>, StoreError> {
    let leased = Sql::fixed(
        "SELECT COUNT(*) FROM webhook_deliveries \
         WHERE org_id = $1 AND webhook_id = $2 AND state = 'leased'",
        [lane.org_id.into(), lane.webhook.into()],
    );
    let in_flight = tx.rows(&leased).await?.scalar().and_then(Value::int).unwrap_or(0);
    let room = (lane.max_in_flight - in_flight).max(0);
    let ids = match room.min(most) {
        0 => Vec::new(),
        limit => due(tx, lane, limit).await?,
    };
    let claimed = match ids.is_empty() {
        true => Vec::new(),
        false => lease(tx, epoch, lane, ids).await?,
    };
    let taken = i64::try_from(claimed.len()).unwrap_or(0);
    pass_turn(tx, lane).await?;
    if room - taken == 0 {
        // Whoever records an attempt looks again.
        set_ready(tx, lane, None).await?;
    } else if taken == 0 {
        let later = tx.now().plus_micros(PATIENCE);
        lane::look_again(tx, lane.org_id, lane.webhook).await?;
        postpone(tx, lane, later).await?;
    } else {
        lane::look_again(tx, lane.org_id, lane.webhook).await?;
    }
    Ok(claimed)
}

/// Ids of what is due: the oldest, without what waits for an earlier event of its record; of a
/// webhook that is disabled its probes alone.
async fn due(tx: &mut Tx, lane: &Lane, limit: i64) -> Result<Vec<Box<str>>, StoreError> {
    let sql = Sql::fixed(
        "SELECT d.id FROM webhook_deliveries d \
         WHERE d.org_id = $1 AND d.webhook_id = $2 AND d.state = 'pending' AND d.due_at <= $3 \
         AND (d.cause = 'probe' OR EXISTS (SELECT 1 FROM webhooks w \
              WHERE w.org_id = $1 AND w.id = $2 AND w.is_enabled = TRUE)) \
         AND (d.is_ordered = FALSE OR NOT EXISTS (SELECT 1 FROM webhook_deliveries e \
              WHERE e.org_id = d.org_id AND e.webhook_id = d.webhook_id \
              AND e.resource_type = d.resource_type AND e.resource_id = d.resource_id \
              AND e.position < d.position AND e.is_ordered = TRUE \
              AND e.state IN ('pending', 'leased'))) \
         ORDER BY d.due_at, d.position LIMIT CAST($4 AS BIGINT) FOR_UPDATE",
        [lane.org_id.into(), lane.webhook.into(), tx.now().0.into(), limit.into()],
    );
    let rows = tx.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.text()).map(Into::into).collect())
}

async fn lease(
    tx: &mut Tx,
    epoch: &str,
    lane: &Lane,
    ids: Vec<Box<str>>,
) -> Result<Vec<Claimed>, StoreError> {
    let system = Actor::system(lane.org_id);
    let (now, wall, token) = (tx.now(), tx.wall(), tx.uuid());
    let mut scope = Scope::new(tx, &system);
    let Some(webhook) = scope.find(Id::<Webhook>::new(lane.webhook)).await? else {
        return Ok(Vec::new());
    };
    let secrets = secrets(&mut scope, &webhook, wall).await?;
    let sql = Sql::fixed(
        "UPDATE webhook_deliveries SET state = 'leased', attempts = attempts + 1, \
         lease_epoch = $3, lease_token = $4, lease_until = $5, started_at = $6, updated_at = $7 \
         WHERE org_id = $1 AND id IN_LIST($2)",
        [
            lane.org_id.into(),
            Value::Texts(ids.clone().into()),
            epoch.into(),
            token.0.as_str().into(),
            wall.plus_micros(LEASE).0.into(),
            wall.0.into(),
            now.0.into(),
        ],
    );
    scope.tx.execute(&sql).await?;
    let deliveries = damaged::readable(&mut scope, &ids).await?;
    let claimed = |delivery| Claimed {
        delivery,
        webhook: webhook.clone(),
        secrets: secrets.clone(),
        is_slow: lane.is_slow,
    };
    Ok(deliveries.into_iter().map(claimed).collect())
}

async fn secrets(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    wall: Timestamp,
) -> Result<Vec<String>, StoreError> {
    // `current` sorts before `retiring`.
    let order = [OrderKey::column("state", false), OrderKey::column("id", false)];
    let all: Vec<WebhookSecret> = scope.list(Cond::eq("webhook_id", webhook.id.0), &order).await?;
    let signs = |secret: &WebhookSecret| match secret.state {
        SecretState::Current => true,
        SecretState::Retiring => secret.retires_at.is_some_and(|end| end > wall),
    };
    Ok(all.into_iter().filter(signs).map(|secret| secret.secret).collect())
}

async fn pass_turn(tx: &mut Tx, lane: &Lane) -> Result<(), StoreError> {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let wall = tx.wall().0;
    let next = |last: i64| Some(wall.max(last + 1));
    let turn = match LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
        Ok(last) | Err(last) => wall.max(last + 1),
    };
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET last_served = $3 WHERE org_id = $1 AND webhook_id = $2",
        [lane.org_id.into(), lane.webhook.into(), turn.into()],
    );
    tx.execute(&sql).await.map(drop)
}

async fn set_ready(tx: &mut Tx, lane: &Lane, at: Option<Timestamp>) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET ready_at = $3 WHERE org_id = $1 AND webhook_id = $2",
        [lane.org_id.into(), lane.webhook.into(), at.map(|at| at.0).into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Not before `later`, if anything waits.
async fn postpone(tx: &mut Tx, lane: &Lane, later: Timestamp) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE webhook_lanes SET ready_at = $3 \
         WHERE org_id = $1 AND webhook_id = $2 AND ready_at < $3",
        [lane.org_id.into(), lane.webhook.into(), later.0.into()],
    );
    tx.execute(&sql).await.map(drop)
}
