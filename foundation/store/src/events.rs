//! What happened, as rows of the transaction that made it happen: the outbox.
//!
//! Relays read by state. Order within an organization is the number that the
//! sequencer gives; an id says nothing about it.

use ward_instance::Timestamp;

use crate::error::StoreError;
use crate::query::{Engine, Query};
use crate::system::EVENTS;
use crate::tx::Tx;
use crate::types::Uuid;
use crate::value::{Sql, Value};
use crate::{codec, stamp};

/// Events are kept for 180 days of the instance's clock, as long as the attempts
/// to deliver them.
pub const KEPT_MICROS: i64 = 180 * 24 * 3600 * 1_000_000;

/// Events that one purge deletes at most.
pub const PURGED_TOGETHER: i64 = 1_000;

/// An event to be written with the transaction (behaviour 13.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Dotted name, `patient.created`.
    pub kind: &'static str,
    /// Model name of the record concerned.
    pub resource_type: &'static str,
    /// The record concerned.
    pub resource_id: i64,
    /// Names of changed columns; empty unless something was updated.
    pub changed_fields: Vec<&'static str>,
    /// Further fields of the payload.
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// The organization or sub-organization that the record belongs to; the
    /// actor's by default.
    pub unit_id: Option<i64>,
    /// The client concerned.
    pub subject_id: Option<i64>,
    /// Whether webhooks hear of it; whatever else follows from it does so regardless.
    pub is_told: bool,
    /// Whether people are written to because of it.
    pub is_noticed: bool,
    /// What reactions are told besides, within the transaction: it is kept nowhere.
    pub aside: Vec<(&'static str, i64)>,
}

impl Event {
    /// An event without further fields.
    pub fn new(kind: &'static str, resource_type: &'static str, resource_id: i64) -> Self {
        Event {
            kind,
            resource_type,
            resource_id,
            changed_fields: Vec::new(),
            extra: serde_json::Map::new(),
            unit_id: None,
            subject_id: None,
            is_told: true,
            is_noticed: true,
            aside: Vec::new(),
        }
    }

    /// With the columns that an update changed.
    #[must_use]
    pub fn changed(mut self, columns: &[&'static str]) -> Self {
        self.changed_fields = columns.to_vec();
        self
    }

    /// With one more field of the payload.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// With one more thing that only reactions are told.
    #[must_use]
    pub fn aside(mut self, name: &'static str, value: i64) -> Self {
        self.aside.push((name, value));
        self
    }

    /// In this organization or sub-organization.
    #[must_use]
    pub fn of_unit(mut self, unit_id: i64) -> Self {
        self.unit_id = Some(unit_id);
        self
    }

    /// Kept from webhooks, as the caller asked.
    #[must_use]
    pub fn told(mut self, is_told: bool) -> Self {
        self.is_told = is_told;
        self
    }

    /// Nobody is written to, as the caller asked.
    #[must_use]
    pub fn noticed(mut self, is_noticed: bool) -> Self {
        self.is_noticed = is_noticed;
        self
    }

    /// Concerning this client.
    #[must_use]
    pub fn about(mut self, client_id: i64) -> Self {
        self.subject_id = Some(client_id);
        self
    }
}

/// The event that a reaction reacts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The first event of the chain.
    pub root_event_id: Uuid,
    /// How many events lead to the reaction.
    pub depth: i64,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its id, the same at every delivery.
    pub id: Uuid,
    /// The root organization.
    pub org_id: i64,
    /// The organization or sub-organization.
    pub unit_id: i64,
    /// Place in the root organization's order, once it is numbered.
    pub seq: Option<i64>,
    /// Dotted name.
    pub kind: String,
    /// Model name of the record concerned.
    pub resource_type: String,
    /// The record concerned.
    pub resource_id: i64,
    /// JSON list of column names.
    pub changed_fields: String,
    /// JSON object.
    pub extra: String,
    /// The client concerned.
    pub subject_id: Option<i64>,
    /// Who did it; 0 for nobody and the system.
    pub actor_id: i64,
    /// Where the chain of causes began, and how long it is.
    pub cause: Cause,
    /// When, on the instance's clock.
    pub occurred_at: Timestamp,
}

/// Columns that the row's own MAC leaves out.
pub(crate) const UNSIGNED: [&str; 4] = ["seq", "written_at", "relayed", "row_mac"];

fn select(condition: &str, params: impl IntoIterator<Item = Value>) -> Sql {
    let mut sql = Sql::fixed("SELECT ", params);
    sql.push(&codec::column_list(&EVENTS, "e")).push(" FROM events e WHERE ").push(condition);
    sql
}

fn decode(instance: &ward_instance::Instance, row: &[Value]) -> Result<StoredEvent, StoreError> {
    use crate::system::events as at;
    let bad = || StoreError::corrupt("events", "a row does not decode");
    let int = |n: usize| row.get(n).and_then(Value::int).ok_or_else(bad);
    let text = |n: usize| row.get(n).and_then(Value::text).map(str::to_owned).ok_or_else(bad);
    let row_mac = row.get(at::row_mac).and_then(Value::bytes).unwrap_or_default();
    if !stamp::verify_row(&instance.ring(), &EVENTS, row, &UNSIGNED, row_mac) {
        return Err(StoreError::corrupt("events", "the MAC of an event does not fit"));
    }
    Ok(StoredEvent {
        id: Uuid(text(at::id)?),
        org_id: int(at::org_id)?,
        unit_id: int(at::unit_id)?,
        seq: row.get(at::seq).and_then(Value::int),
        kind: text(at::event_type)?,
        resource_type: text(at::resource_type)?,
        resource_id: int(at::resource_id)?,
        changed_fields: text(at::changed_fields)?,
        extra: text(at::extra)?,
        subject_id: row.get(at::subject_id).and_then(Value::int),
        actor_id: int(at::actor_id)?,
        cause: Cause { root_event_id: Uuid(text(at::root_event_id)?), depth: int(at::depth)? },
        occurred_at: Timestamp(int(at::occurred_at)?),
    })
}

/// Takes up to `limit` events that no relay has handed on, oldest first, and
/// locks them for this transaction. The relay makes its deliveries and calls
/// [`mark_relayed`] in the same one.
///
/// An event that is damaged is reported and marked: it can't be told to anybody,
/// and must not hold up those of others.
pub async fn take_unrelayed(tx: &mut Tx, limit: i64) -> Result<Vec<StoredEvent>, StoreError> {
    let sql = select(
        "e.relayed = FALSE ORDER BY e.written_at, e.seq, e.id LIMIT CAST($1 AS BIGINT) FOR_UPDATE_SKIP",
        [limit.into()],
    );
    let rows = tx.rows(&sql).await?;
    let (mut good, mut damaged) = (Vec::with_capacity(rows.len()), 0);
    for row in rows.iter() {
        match decode(tx.instance(), row) {
            Ok(event) => good.push(event),
            Err(error) => {
                let cell = |n: usize| row.get(n).cloned().unwrap_or(Value::Null);
                let (org_id, id) =
                    (cell(crate::system::events::org_id), cell(crate::system::events::id));
                let (org, event) = (org_id.int(), id.text());
                tracing::error!(%error, org, event, "a damaged event is handed on to nobody");
                mark(tx, org_id, id).await?;
                damaged += 1;
            }
        }
    }
    if good.is_empty() && damaged > 0 {
        // Behind a page of nothing but damage others may wait.
        return Box::pin(take_unrelayed(tx, limit)).await;
    }
    Ok(good)
}

/// Notes that one event is not to be handed on any more.
async fn mark(tx: &mut Tx, org_id: Value, id: Value) -> Result<(), StoreError> {
    const MARK: &str = "UPDATE events SET relayed = TRUE WHERE org_id = $1 AND id = $2";
    tx.execute(&Sql::fixed(MARK, [org_id, id])).await.map(drop)
}

/// Whether an event waits for a relay; takes no lock.
pub async fn any_unrelayed(q: &mut impl Query) -> Result<bool, StoreError> {
    let sql = Sql::fixed("SELECT 1 FROM events WHERE relayed = FALSE LIMIT 1", []);
    Ok(!q.rows(&sql).await?.is_empty())
}

/// Notes that the events were handed on.
pub async fn mark_relayed(tx: &mut Tx, events: &[StoredEvent]) -> Result<(), StoreError> {
    let ids: Vec<Box<str>> = events.iter().map(|event| event.id.0.as_str().into()).collect();
    let mut orgs: Vec<i64> = events.iter().map(|event| event.org_id).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let sql = Sql::fixed(
        "UPDATE events SET relayed = TRUE WHERE org_id IN_LIST($1) AND id IN_LIST($2)",
        [Value::Ints(orgs.into()), Value::Texts(ids.into())],
    );
    tx.execute(&sql).await.map(drop)
}

/// An organization's numbered events behind `seq`, in order: for ordered
/// lanes, subscriptions and pulls.
pub async fn after(
    q: &mut impl Query,
    instance: &ward_instance::Instance,
    org_id: i64,
    seq: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sql = select(
        "e.org_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT CAST($3 AS BIGINT)",
        [org_id.into(), seq.into(), limit.into()],
    );
    q.rows(&sql).await?.iter().map(|row| decode(instance, row)).collect()
}

/// The last number of each of these organizations' events, 0 before the first.
pub async fn last_numbers(
    q: &mut dyn Query,
    org_ids: &[i64],
) -> Result<Vec<(i64, i64)>, StoreError> {
    const LITE: &str = "SELECT o.value, COALESCE((SELECT MAX(e.seq) FROM events e \
         WHERE e.org_id = o.value), 0) FROM json_each($1) o";
    const PG: &str = "SELECT o.id, COALESCE((SELECT MAX(e.seq) FROM events e \
         WHERE e.org_id = o.id), 0) FROM unnest($1::bigint[]) AS o (id)";
    let text = match q.engine() {
        Engine::Lite => LITE,
        Engine::Pg => PG,
    };
    let rows = q.rows(&Sql::fixed(text, [Value::Ints(org_ids.into())])).await?;
    Ok(rows.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect())
}

/// One event.
pub async fn get(
    q: &mut impl Query,
    instance: &ward_instance::Instance,
    org_id: i64,
    id: &Uuid,
) -> Result<Option<StoredEvent>, StoreError> {
    let sql = select("e.org_id = $1 AND e.id = $2", [org_id.into(), id.0.as_str().into()]);
    let rows = q.rows(&sql).await?;
    rows.iter().next().map(|row| decode(instance, row)).transpose()
}

/// These events of an organization, those that there are, in order.
pub async fn of_ids(
    q: &mut impl Query,
    instance: &ward_instance::Instance,
    org_id: i64,
    ids: Vec<Box<str>>,
) -> Result<Vec<StoredEvent>, StoreError> {
    // The plus keeps SQLite from walking through all events of the organization in their order.
    let sql = select(
        "e.org_id = $1 AND e.id IN_LIST($2) ORDER BY +e.seq, e.id",
        [org_id.into(), Value::Texts(ids.into())],
    );
    q.rows(&sql).await?.iter().map(|row| decode(instance, row)).collect()
}

/// Deletes up to [`PURGED_TOGETHER`] events that happened before the time for
/// which they are kept; how many. What no relay has handed on stays, as does
/// what has no number yet, and each organization keeps its newest, which holds
/// the place in the numbering. A delivery has what it tells with itself.
pub async fn purge(tx: &mut Tx) -> Result<u64, StoreError> {
    let before = tx.now().minus_micros(KEPT_MICROS);
    tx.execute(&Sql::fixed(
        "DELETE FROM events WHERE id IN (SELECT e.id FROM events e \
         WHERE e.occurred_at < $1 AND e.relayed = TRUE AND e.seq < \
           (SELECT MAX(m.seq) FROM events m WHERE m.org_id = e.org_id) \
         ORDER BY e.occurred_at LIMIT CAST($2 AS BIGINT))",
        [before.0.into(), PURGED_TOGETHER.into()],
    ))
    .await
}
