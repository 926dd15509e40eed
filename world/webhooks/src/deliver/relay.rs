//! From committed events to deliveries: each event is handed on once, in the transaction that
//! makes its deliveries.

use std::collections::{BTreeMap, BTreeSet};

use ward_instance::Timestamp;
use ward_store::events::{self, StoredEvent};
use ward_store::{Query, Sql, StoreError, Tx, Value};

use crate::deliver::queue::{self, New};
use crate::payload::Told;
use crate::tables::{DeliveryCause, IdEncoding};

/// Events of one transaction.
pub const BATCH: i64 = 100;

/// A webhook that wants an event.
#[derive(Clone, Copy, Debug)]
struct Subscriber {
    org_id: i64,
    unit_id: i64,
    webhook: i64,
    encoding: IdEncoding,
    is_ordered: bool,
    since: Timestamp,
}

/// Hands on up to [`BATCH`] events; how many.
///
/// One transaction at a time does this, so that a record's events come into a queue in the order
/// in which they were written.
pub async fn hand_on(tx: &mut Tx) -> Result<usize, StoreError> {
    tx.lock(&["webhooks", "relay"]).await?;
    let events = events::take_unrelayed(tx, BATCH).await?;
    if events.is_empty() {
        return Ok(0);
    }
    let subscribers = subscribers(tx, &events).await?;
    let mut wanted: BTreeMap<i64, (Subscriber, Vec<&StoredEvent>)> = BTreeMap::new();
    for event in &events {
        let key = (event.org_id, event.kind.clone());
        for subscriber in subscribers.get(&key).into_iter().flatten() {
            if hears(subscriber, event) {
                let entry = wanted.entry(subscriber.webhook);
                entry.or_insert_with(|| (*subscriber, Vec::new())).1.push(event);
            }
        }
    }
    for (subscriber, events) in wanted.into_values() {
        add(tx, &subscriber, &events).await?;
    }
    events::mark_relayed(tx, &events).await?;
    Ok(events.len())
}

/// A parent's webhook hears of itself and its sub-organizations, a sub-organization's of itself
/// alone (behaviour 13.5); and of nothing that happened before it listened.
fn hears(subscriber: &Subscriber, event: &StoredEvent) -> bool {
    let is_near = subscriber.unit_id == subscriber.org_id || subscriber.unit_id == event.unit_id;
    is_near && subscriber.since <= event.occurred_at
}

async fn add(
    tx: &mut Tx,
    subscriber: &Subscriber,
    events: &[&StoredEvent],
) -> Result<(), StoreError> {
    let told: Vec<Told<'_>> = events.iter().map(|event| told(event)).collect();
    let new = |(event, told): (&&StoredEvent, _)| New {
        event_id: event.id.clone(),
        cause: DeliveryCause::Event,
        probe: None,
        replay: String::new(),
        told,
        encoding: subscriber.encoding,
        is_ordered: subscriber.is_ordered,
    };
    let new: Vec<New<'_>> = events.iter().zip(&told).map(new).collect();
    let Subscriber { org_id, unit_id, webhook, .. } = *subscriber;
    queue::add(tx, org_id, unit_id, webhook, &new).await
}

/// What an event's payload tells.
pub fn told(event: &StoredEvent) -> Told<'_> {
    Told {
        event_type: &event.kind,
        resource_type: &event.resource_type,
        resource_id: event.resource_id,
        changed_fields: &event.changed_fields,
        extra: &event.extra,
    }
}

/// Enabled webhooks by organization and event.
async fn subscribers(
    tx: &mut Tx,
    events: &[StoredEvent],
) -> Result<BTreeMap<(i64, String), Vec<Subscriber>>, StoreError> {
    let orgs: BTreeSet<i64> = events.iter().map(|event| event.org_id).collect();
    let kinds: BTreeSet<Box<str>> = events.iter().map(|event| event.kind.as_str().into()).collect();
    let sql = Sql::fixed(
        "SELECT e.org_id, e.event_type, w.unit_id, w.id, w.id_encoding, w.is_ordered, \
         CASE WHEN w.listens_since > e.created_at THEN w.listens_since ELSE e.created_at END \
         FROM webhook_events e JOIN webhooks w ON w.org_id = e.org_id AND w.id = e.webhook_id \
         WHERE e.org_id IN_LIST($1) AND e.event_type IN_LIST($2) \
         AND w.is_enabled = TRUE AND w.deleted_at IS NULL ORDER BY w.id",
        [
            Value::Ints(orgs.into_iter().collect::<Vec<_>>().into()),
            Value::Texts(kinds.into_iter().collect::<Vec<_>>().into()),
        ],
    );
    let mut found: BTreeMap<(i64, String), Vec<Subscriber>> = BTreeMap::new();
    for row in tx.rows(&sql).await?.iter() {
        let decoded = (|| {
            let int = |at: usize| row.get(at).and_then(Value::int);
            let text = |at: usize| row.get(at).and_then(Value::text);
            let subscriber = Subscriber {
                org_id: int(0)?,
                unit_id: int(2)?,
                webhook: int(3)?,
                encoding: IdEncoding::from_text(text(4)?)?,
                is_ordered: row.get(5)?.truth(),
                since: Timestamp(int(6)?),
            };
            Some(((subscriber.org_id, text(1)?.to_owned()), subscriber))
        })();
        let bad = || StoreError::corrupt("webhooks", "a subscription does not decode");
        let (key, subscriber) = decoded.ok_or_else(bad)?;
        found.entry(key).or_default().push(subscriber);
    }
    Ok(found)
}

/// Whether anybody listens; without, events wait for the next second to be marked.
pub async fn anybody_listens(q: &mut impl Query) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT 1 FROM webhooks WHERE is_enabled = TRUE AND deleted_at IS NULL LIMIT 1",
        [],
    );
    Ok(!q.rows(&sql).await?.is_empty())
}
