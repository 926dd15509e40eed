//! Which webhooks were told of events, and what they answered: for the record of the request that
//! caused them, in a Sandbox.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::{Query, Sql, StoreError, Value};

/// So many attempts are told of, the first.
const ATTEMPTS: i64 = 1_000;

/// The deliveries of an organization's events that happened at `since` or later, by event, each
/// with its attempts; no body.
pub async fn told_of(
    q: &mut impl Query,
    org_id: i64,
    events: &[&str],
    since: Timestamp,
) -> Result<BTreeMap<String, Vec<Json>>, StoreError> {
    let mut told: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    if events.is_empty() {
        return Ok(told);
    }
    let ids: Vec<Box<str>> = events.iter().map(|id| Box::from(*id)).collect();
    let events = Value::Texts(ids.into());
    // By webhook, as the index has them.
    let sql = Sql::fixed(
        "SELECT d.id, d.webhook_id, d.state, d.cause, d.event_id FROM webhook_deliveries d \
         WHERE d.org_id = $1 AND d.webhook_id IN (SELECT w.id FROM webhooks w WHERE w.org_id = $1) \
         AND d.event_id IN_LIST($2) ORDER BY d.created_at, d.id",
        [org_id.into(), events.clone()],
    );
    let deliveries = q.rows(&sql).await?;
    if deliveries.is_empty() {
        return Ok(told);
    }
    let mut attempts = attempts(q, org_id, events, since).await?;
    for row in deliveries.iter() {
        let text = |at: usize| row.get(at)?.text();
        let shown = || {
            let shown = json!({
                "what": "webhook",
                "id": text(0)?,
                "webhook_id": row.get(1)?.int()?.to_string(),
                "state": text(2)?,
                "cause": text(3)?,
                "attempts": attempts.remove(text(0)?).unwrap_or_default(),
            });
            Some((text(4)?.to_owned(), shown))
        };
        let (event, shown) = { shown }().ok_or_else(|| corrupt("webhook_deliveries"))?;
        told.entry(event).or_default().push(shown);
    }
    Ok(told)
}

/// By delivery.
async fn attempts(
    q: &mut impl Query,
    org_id: i64,
    events: Value,
    since: Timestamp,
) -> Result<BTreeMap<String, Vec<Json>>, StoreError> {
    let sql = Sql::fixed(
        "SELECT a.delivery_id, a.attempt_number, a.outcome, COALESCE(a.http_response_status, ''), \
         COALESCE(a.error, ''), a.duration_ms FROM webhook_attempts a \
         WHERE a.org_id = $1 AND a.created_at >= $2 AND a.event_id IN_LIST($3) \
         ORDER BY a.created_at, a.id LIMIT CAST($4 AS BIGINT)",
        [org_id.into(), since.0.into(), events, ATTEMPTS.into()],
    );
    let mut attempts: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for row in q.rows(&sql).await?.iter() {
        let (delivery, shown) = attempt(row).ok_or_else(|| corrupt("webhook_attempts"))?;
        attempts.entry(delivery).or_default().push(shown);
    }
    Ok(attempts)
}

fn attempt(row: &[Value]) -> Option<(String, Json)> {
    let text = |at: usize| row.get(at)?.text();
    let some = |at: usize| text(at).filter(|text| !text.is_empty());
    let shown = json!({
        "number": row.get(1)?.int()?,
        "outcome": text(2)?,
        "status": some(3),
        "error": some(4),
        "duration_ms": row.get(5)?.int()?,
    });
    Some((text(0)?.to_owned(), shown))
}

fn corrupt(table: &'static str) -> StoreError {
    StoreError::corrupt(table, "a row does not decode")
}
