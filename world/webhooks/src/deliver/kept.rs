//! How long what was delivered is known.

use ward_store::{Query, Sql, StoreError, Tx, Value};

/// Rows that a purge takes at once, and how long they are kept.
const PURGED_TOGETHER: i64 = 1_000;
const DAY: i64 = 24 * 3_600 * 1_000_000;
const ATTEMPTS_KEPT: i64 = 180 * DAY;
/// Of deliveries that are settled.
pub(crate) const KEPT: i64 = 30 * DAY;

/// How many attempts the log has.
pub async fn attempts(q: &mut impl Query) -> Result<u64, StoreError> {
    let sql = Sql::fixed("SELECT COUNT(*) FROM webhook_attempts", []);
    let count = q.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    Ok(count.unsigned_abs())
}

/// Deletes some of what is kept no longer: attempts after 180 days (behaviour 13.4), deliveries
/// that are settled and replays that have ended after 30. How many.
pub async fn purge(tx: &mut Tx) -> Result<u64, StoreError> {
    let now = tx.now();
    let attempts = Sql::fixed(
        "DELETE FROM webhook_attempts WHERE id IN (SELECT id FROM webhook_attempts \
         WHERE created_at < $1 ORDER BY created_at LIMIT CAST($2 AS BIGINT))",
        [now.minus_micros(ATTEMPTS_KEPT).0.into(), PURGED_TOGETHER.into()],
    );
    let deliveries = Sql::fixed(
        "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries \
         WHERE state IN ('delivered', 'dead') AND updated_at < $1 \
         ORDER BY updated_at LIMIT CAST($2 AS BIGINT))",
        [now.minus_micros(KEPT).0.into(), PURGED_TOGETHER.into()],
    );
    let replays = Sql::fixed(
        "DELETE FROM webhook_replays WHERE id IN (SELECT id FROM webhook_replays \
         WHERE ended_at < $1 ORDER BY ended_at LIMIT CAST($2 AS BIGINT))",
        [now.minus_micros(KEPT).0.into(), PURGED_TOGETHER.into()],
    );
    let mut gone = 0;
    for sql in [attempts, deliveries, replays] {
        gone += tx.execute(&sql).await?;
    }
    Ok(gone)
}
