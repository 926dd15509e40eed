//! What should have been sent by now: for a clock that was advanced.

use ward_instance::Timestamp;
use ward_store::due::Straggler;
use ward_store::{Query, Sql, StoreError, Uuid};

/// What a delivery is called among things that are late.
pub const KIND: &str = "webhook_delivery";

/// Deliveries that are due by `until` and have not had that attempt, or not its end, the longest
/// due first, at most `limit`. None that waits for an earlier event of its record, for a receiver
/// that rests, or for a webhook that is disabled.
pub async fn stragglers(
    q: &mut impl Query,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Straggler>, StoreError> {
    // Of each state by itself: the indexes hold what is open only, one state each.
    let sql = Sql::fixed(
        "SELECT s.id, s.due_at, s.attempts FROM (\
         SELECT d.id, d.due_at, d.attempts FROM webhook_deliveries d \
         WHERE d.state = 'leased' AND d.due_at <= $1 \
         UNION ALL \
         SELECT d.id, d.due_at, d.attempts FROM webhook_lanes l \
         JOIN webhook_deliveries d ON d.org_id = l.org_id AND d.webhook_id = l.webhook_id \
         WHERE d.state = 'pending' AND d.due_at <= $1 \
         AND l.is_paused = FALSE AND (l.broken_until IS NULL OR l.broken_until <= $1) \
         AND (d.cause = 'probe' OR EXISTS (SELECT 1 FROM webhooks w \
              WHERE w.org_id = d.org_id AND w.id = d.webhook_id AND w.is_enabled = TRUE)) \
         AND (d.is_ordered = FALSE OR NOT EXISTS (SELECT 1 FROM webhook_deliveries e \
              WHERE e.org_id = d.org_id AND e.webhook_id = d.webhook_id \
              AND e.resource_type = d.resource_type AND e.resource_id = d.resource_id \
              AND e.position < d.position AND e.is_ordered = TRUE \
              AND e.state IN ('pending', 'leased')))) s \
         ORDER BY s.due_at, s.id LIMIT CAST($2 AS BIGINT)",
        [until.0.into(), limit.into()],
    );
    let rows = q.rows(&sql).await?;
    let found = rows.iter().map(|row| {
        Some(Straggler {
            id: Uuid(row.first()?.text()?.to_owned()),
            kind: KIND.to_owned(),
            due_at: Timestamp(row.get(1)?.int()?),
            attempts: row.get(2)?.int()?,
            last_error: None,
        })
    });
    let found = found.collect::<Option<_>>();
    found.ok_or_else(|| StoreError::corrupt("webhook_deliveries", "a row does not decode"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::trial::World;

    const DAY: i64 = 24 * 3_600 * 1_000_000;

    /// What is under way or was to be sent is late; what waits for a later time, or for a webhook
    /// that is disabled, is not.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_due_and_not_at_its_end_is_late() {
        World::each(async |w| {
            w.webhook(false).await;
            w.emit(&[7]).await;
            let start = w.clock.now();
            let late = async |until: Timestamp| {
                let mut reader = w.db.read().await.unwrap();
                let late = stragglers(&mut reader, until, 10).await.unwrap();
                late.into_iter().map(|it| (it.kind, it.attempts)).collect::<Vec<_>>()
            };
            let claimed = w.claim("one", World::all_room()).await;
            assert_eq!(late(start).await, [(KIND.to_owned(), 1)]);
            w.record(&claimed, 500).await;
            assert_eq!(late(start).await, []);
            assert_eq!(late(start.plus_micros(DAY)).await, [(KIND.to_owned(), 1)]);
            w.spoil("UPDATE webhooks SET is_enabled = FALSE").await;
            assert_eq!(late(start.plus_micros(DAY)).await, []);
        })
        .await;
    }
}
