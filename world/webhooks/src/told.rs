//! Which webhooks were told of an event, and what they answered: for the record of the request
//! that caused it, in a Sandbox.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::{Query, Sql, StoreError, Value};

/// The deliveries of an organization's event that happened at `since` or later, each with its
/// attempts; no body.
pub async fn told_of(
    q: &mut impl Query,
    org_id: i64,
    event: &str,
    since: Timestamp,
) -> Result<Vec<Json>, StoreError> {
    let corrupt = |table| StoreError::corrupt(table, "a row does not decode");
    let sql = Sql::fixed(
        "SELECT d.id, d.webhook_id, d.state, d.cause FROM webhook_deliveries d \
         WHERE d.org_id = $1 AND d.event_id = $2 ORDER BY d.created_at, d.id",
        [org_id.into(), event.into()],
    );
    let deliveries = q.rows(&sql).await?;
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::fixed(
        "SELECT a.delivery_id, a.attempt_number, a.outcome, COALESCE(a.http_response_status, ''), \
         COALESCE(a.error, ''), a.duration_ms FROM webhook_attempts a \
         WHERE a.org_id = $1 AND a.created_at >= $2 AND a.event_id = $3 \
         ORDER BY a.created_at, a.id",
        [org_id.into(), since.0.into(), event.into()],
    );
    let mut attempts: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for row in q.rows(&sql).await?.iter() {
        let (delivery, shown) = attempt(row).ok_or_else(|| corrupt("webhook_attempts"))?;
        attempts.entry(delivery).or_default().push(shown);
    }
    let shown = deliveries.iter().map(|row| {
        let text = |at: usize| row.get(at)?.text();
        Some(json!({
            "what": "webhook",
            "id": text(0)?,
            "webhook_id": row.get(1)?.int()?.to_string(),
            "state": text(2)?,
            "cause": text(3)?,
            "attempts": attempts.remove(text(0)?).unwrap_or_default(),
        }))
    });
    shown.collect::<Option<_>>().ok_or_else(|| corrupt("webhook_deliveries"))
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
