//! Past events once more (beyond the contract): of a time, of what never arrived, or by their ids.
//! What is asked for becomes a row; the engine feeds its events into the webhook's queue.

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input, moment};
use ward_instance::Timestamp;
use ward_store::{Cond, Hint, Json, Query, Sql, StoreError, Value};

use crate::catalogue;
use crate::deliver::kept::KEPT as DELIVERIES_KEPT;
use crate::subscription;
use crate::tables::{DeliveryState, Webhook, WebhookReplay};
use crate::webhook::{named, requires};

/// Events of one replay.
const EVENTS_MAX: i64 = 10_000;

/// Events that can be named one by one.
const IDS_MAX: usize = 100;

/// Replays of one webhook that have not ended.
const UNDER_WAY_MAX: usize = 10;

input! {
    /// `replayWebhookEventsInput`.
    pub struct ReplayWebhookEvents {
        id: ward_store::Id<Webhook>,
        event_ids: Vec<String>,
        event_types: Vec<String>,
        occurred_after: String,
        occurred_before: String,
        undelivered: bool,
        dry_run: bool,
    }
}

/// Counts the events, and unless that is all, has them sent again: each under the id that it has
/// had, with `ward-cause: replay`, by the ordinary way of a delivery.
pub async fn replay(call: &mut Call<'_>, input: &ReplayWebhookEvents) -> Answer<Payload> {
    requires(call)?;
    let webhook = named(call, input.id.value()).await?;
    let own = subscription::of(call, webhook.id).await?;
    let own: Vec<&str> = own.iter().map(|event| event.event_type.as_str()).collect();
    let wanted = Wanted::read(call, input, &webhook, &own)?;
    let answered = Payload::new().one("webhook", webhook.id.0);
    if !(webhook.is_enabled || input.dry_run.is_true()) {
        let why = "Webhook is disabled. Enable it to send it something";
        return Err(Refused::on("id", why));
    }
    let until = last_number(call).await?;
    let mut row = WebhookReplay {
        id: call.next_id().await?,
        org_id: webhook.org_id,
        unit_id: webhook.unit_id,
        webhook_id: webhook.id,
        event_types: list(&wanted.types),
        event_ids: wanted.ids.as_deref().map(list),
        occurred_after: wanted.after,
        occurred_before: wanted.before,
        is_undelivered: input.undelivered.is_true(),
        event_count: 0,
        last_seq: 0,
        until_seq: until,
        ended_at: None,
        created_at: call.now(),
    };
    row.event_count = count(call, &row).await?;
    if let Some(ids) = &wanted.ids
        && row.event_count < i64::try_from(ids.len()).unwrap_or(i64::MAX)
    {
        return Err(Refused::not_found("event_ids"));
    }
    if row.event_count > EVENTS_MAX {
        let why = "More than 10,000 events happened in this time. Choose a shorter one";
        return Err(Refused::on("occurred_after", why));
    }
    let answered = answered.leaf("event_count", row.event_count);
    if input.dry_run.is_true() || row.event_count == 0 {
        return Ok(answered);
    }
    let open = Cond::eq("webhook_id", webhook.id.0).and(Cond::sql("{t}.ended_at IS NULL", []));
    if call.list::<WebhookReplay>(open, &[]).await?.len() >= UNDER_WAY_MAX {
        return Err(Refused::on("id", "Webhook has 10 replays under way. Wait for them to end"));
    }
    call.create(&row).await?;
    call.tx.on_commit(Hint::Events);
    Ok(answered.leaf("replay_id", row.id.0.to_string()))
}

/// What an input asks for.
struct Wanted {
    ids: Option<Vec<String>>,
    types: Vec<String>,
    after: Timestamp,
    before: Timestamp,
}

impl Wanted {
    fn read(
        call: &Call<'_>,
        input: &ReplayWebhookEvents,
        webhook: &Webhook,
        own: &[&str],
    ) -> Answer<Wanted> {
        let mut problems = Problems::new();
        let types = types(&input.event_types, own, &mut problems);
        let ids = ids(&input.event_ids, &mut problems);
        let mut at = |name: &str, given: &Given<String>| {
            let text = given.trimmed()?;
            let read = moment::instant(text, &call.request.zone);
            if read.is_none() {
                let wrong = format!("{name} must be a moment such as 2026-03-04T09:30:00Z");
                problems.add(name, wrong);
            }
            read
        };
        let after = at("occurred_after", &input.occurred_after);
        let before = at("occurred_before", &input.occurred_before);
        let kept_since = call.now().minus_micros(DELIVERIES_KEPT);
        let is_undelivered = input.undelivered.is_true();
        let after = match after {
            Some(after) if is_undelivered && after < kept_since => {
                let why = "What was delivered is known for 30 days. Choose a later moment";
                problems.add("occurred_after", why);
                after
            }
            Some(after) => after,
            None if is_undelivered => webhook.created_at.max(kept_since),
            None if ids.is_some() => Timestamp(0),
            None => {
                if !input.occurred_after.is_given() || input.occurred_after.trimmed().is_none() {
                    problems.add("occurred_after", "Occurred after can't be blank");
                }
                Timestamp(0)
            }
        };
        problems.check()?;
        Ok(Wanted { ids, types, after, before: before.unwrap_or_else(|| call.now()) })
    }
}

/// The webhook's own events, or those of them that are asked for.
fn types(given: &Given<Vec<String>>, own: &[&str], problems: &mut Problems) -> Vec<String> {
    let Some(given) = given.value() else {
        return own.iter().map(|&event| event.to_owned()).collect();
    };
    let mut types: Vec<String> = Vec::new();
    for text in given {
        match catalogue::find(text).filter(|event| own.contains(event)) {
            Some(event) if types.iter().any(|it| it == event) => {}
            Some(event) => types.push(event.to_owned()),
            None => problems
                .add("event_types", "Event types must be ones that the webhook subscribes to"),
        }
    }
    types
}

fn ids(given: &Given<Vec<String>>, problems: &mut Problems) -> Option<Vec<String>> {
    let mut ids = given.value()?.clone();
    ids.sort();
    ids.dedup();
    match ids.len() {
        0 => problems.add("event_ids", "Event ids can't be blank"),
        1..=IDS_MAX => {}
        _ => problems.add("event_ids", "Event ids has too many (maximum is 100)"),
    }
    Some(ids)
}

fn list(texts: &[String]) -> Json {
    Json(serde_json::json!(texts).to_string())
}

fn texts(list: &Json) -> Vec<Box<str>> {
    serde_json::from_str(&list.0).unwrap_or_default()
}

async fn last_number(call: &mut Call<'_>) -> Answer<i64> {
    let org_id = call.actor.org_id;
    let last = ward_store::events::last_numbers(&mut *call.tx, &[org_id]).await?;
    Ok(last.first().map_or(0, |(_, seq)| *seq))
}

async fn count(call: &mut Call<'_>, row: &WebhookReplay) -> Answer<i64> {
    let mut sql = Sql::new();
    sql.push("SELECT COUNT(*) FROM (SELECT 1 FROM events e WHERE ");
    selected(&mut sql, row);
    sql.limit(EVENTS_MAX + 1).push(") c");
    Ok(call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// Ids and numbers of the next events of a replay, in order.
pub(crate) async fn next(
    q: &mut impl Query,
    row: &WebhookReplay,
    limit: i64,
) -> Result<Vec<(Box<str>, i64)>, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT e.id, e.seq FROM events e WHERE ");
    selected(&mut sql, row);
    sql.push(" ORDER BY e.seq").limit(limit);
    let rows = q.rows(&sql).await?;
    let event = |row: &[Value]| Some((row.first()?.text()?.into(), row.get(1)?.int()?));
    Ok(rows.iter().filter_map(event).collect())
}

/// The events that a replay has still to look at: a parent's webhook hears of all units, another
/// of its own (behaviour 13.5).
fn selected(sql: &mut Sql, row: &WebhookReplay) {
    sql.push("e.is_told = TRUE AND e.org_id = ").bind(row.org_id.0);
    sql.push(" AND e.seq > ").bind(row.last_seq);
    sql.push(" AND e.seq <= ").bind(row.until_seq);
    sql.push(" AND e.occurred_at >= ").bind(row.occurred_after.0);
    sql.push(" AND e.occurred_at <= ").bind(row.occurred_before.0);
    sql.push(" AND e.event_type").bind_in_texts(texts(&row.event_types));
    if row.unit_id != row.org_id {
        sql.push(" AND e.unit_id = ").bind(row.unit_id.0);
    }
    if let Some(ids) = &row.event_ids {
        sql.push(" AND e.id").bind_in_texts(texts(ids));
    }
    if row.is_undelivered {
        sql.push(
            " AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.org_id = e.org_id \
             AND d.event_id = e.id AND d.state <> ",
        );
        sql.bind(DeliveryState::Dead.as_str()).push(" AND d.webhook_id = ");
        sql.bind(row.webhook_id.0).push(")");
    }
}
