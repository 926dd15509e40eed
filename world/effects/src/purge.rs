//! What is not kept for ever: effects that happened, and what a Sandbox sent to nobody.

use ward_store::intents::{self, KEPT_MICROS};
use ward_store::{Query, Sql, StoreError, Tx};

/// Deletes some of what is kept no longer, by the instance's clock: at most 1,000 effects and as many
/// simulated messages. How many.
pub async fn purge(tx: &mut Tx) -> Result<u64, StoreError> {
    let before = tx.now().minus_micros(KEPT_MICROS);
    let messages = Sql::fixed(
        "DELETE FROM simulated_messages WHERE id IN (SELECT id FROM simulated_messages \
         WHERE created_at < $1 ORDER BY created_at LIMIT 1000)",
        [before.0.into()],
    );
    Ok(tx.execute(&messages).await? + intents::purge(tx).await?)
}
