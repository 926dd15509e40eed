//! What a backup brings back is held: what was on its way to receivers is given up, and is sent
//! again only when somebody replays it (ISO-10a).

use ward_store::{Query, Sql, StoreError, Tx};

/// Gives up deliveries that wait or are under way, ends replays, and takes events that nobody was
/// told of yet as told, for the transaction that ends a restore; how many deliveries and events.
///
/// All of them are undelivered for `replayWebhookEvents`. What asks a receiver whether it is the
/// right one is no news of before and goes on.
pub async fn hold(tx: &mut Tx) -> Result<u64, StoreError> {
    let now = tx.now().0;
    let deliveries = tx
        .execute(&Sql::fixed(
            "UPDATE webhook_deliveries SET state = 'dead', lease_epoch = NULL, \
             lease_token = NULL, lease_until = NULL, updated_at = $1 \
             WHERE state IN ('pending', 'leased') AND cause <> 'probe'",
            [now.into()],
        ))
        .await?;
    tx.execute(&Sql::fixed(
        "UPDATE webhook_lanes SET ready_at = NULL WHERE ready_at IS NOT NULL AND NOT EXISTS (\
         SELECT 1 FROM webhook_deliveries d WHERE d.org_id = webhook_lanes.org_id \
         AND d.webhook_id = webhook_lanes.webhook_id AND d.state IN ('pending', 'leased'))",
        [],
    ))
    .await?;
    tx.execute(&Sql::fixed(
        "UPDATE webhook_replays SET ended_at = $1 WHERE ended_at IS NULL",
        [now.into()],
    ))
    .await?;
    let events = tx
        .execute(&Sql::fixed("UPDATE events SET relayed = TRUE WHERE relayed = FALSE", []))
        .await?;
    Ok(deliveries + events)
}
