//! What became of the effects that a request wanted: for its record in a Sandbox.

use serde_json::{Value as Json, json};
use ward_store::{Query, Sql, StoreError, Value};

/// So many effects of one request are told of.
const MOST: i64 = 200;

/// The effects of an organization that name the request as their cause, or are among `intents`;
/// oldest first, at most 200. No address and no text: the inbox has these, by `message_id`.
pub async fn caused(
    q: &mut impl Query,
    org_id: i64,
    request_id: &str,
    intents: &[&str],
) -> Result<Vec<Json>, StoreError> {
    let intents: Vec<Box<str>> = intents.iter().map(|id| Box::from(*id)).collect();
    let sql = Sql::fixed(
        "SELECT e.id, e.class, e.kind, e.state, e.attempts, COALESCE(e.outcome, ''), \
         COALESCE(e.last_error, ''), COALESCE(m.id, '') FROM effect_intents e \
         LEFT JOIN simulated_messages m ON m.org_id = e.org_id AND m.intent_id = e.id \
         WHERE e.org_id = $1 AND e.id IN (SELECT c.id FROM effect_intents c WHERE c.org_id = $1 \
         AND c.cause = $2 UNION SELECT i.id FROM effect_intents i WHERE i.org_id = $1 \
         AND i.id IN_LIST($3)) ORDER BY e.created_at, e.id LIMIT CAST($4 AS BIGINT)",
        [org_id.into(), request_id.into(), Value::Texts(intents.into()), MOST.into()],
    );
    let rows = q.rows(&sql).await?;
    let shown = rows.iter().map(shown).collect::<Option<_>>();
    shown.ok_or_else(|| StoreError::corrupt("effect_intents", "a row does not decode"))
}

fn shown(row: &[Value]) -> Option<Json> {
    let text = |at: usize| row.get(at)?.text();
    let some = |at: usize| text(at).filter(|text| !text.is_empty());
    Some(json!({
        "what": "effect",
        "id": text(0)?,
        "class": text(1)?,
        "kind": text(2)?,
        "state": text(3)?,
        "attempts": row.get(4)?.int()?,
        "outcome": some(5),
        "error": some(6),
        "message_id": some(7),
    }))
}
