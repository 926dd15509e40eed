//! Letting go what waits, once its class is on and connected.

use ward_instance::Timestamp;
use ward_store::intents;
use ward_store::system::EffectClass;
use ward_store::{Db, Query, Sql, StoreError, Tx, Uuid, Value};

/// What waited longer is not sent any more: in seconds. A reminder of last week helps nobody, and
/// a backlog of months would be a flood (ISO-31). It is listed with what failed, and can be
/// replayed one by one.
pub const HELD_SECONDS: i64 = 24 * 3_600;

/// Why an effect that waited too long failed.
const TOO_OLD: &str = "it waited for more than 24 hours";

/// Effects of one transaction.
const PAGE: i64 = 100;

/// What became of what waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Put back into the queue.
    pub queued: u64,
    /// Given up, since they waited too long.
    pub expired: u64,
}

/// Lets go what waits of a class, oldest first. Whether the class is on and connected is for the
/// caller to know.
pub async fn release(db: &Db, class: EffectClass) -> Result<Released, StoreError> {
    let mut released = Released::default();
    loop {
        let page = db.write(move |tx| Box::pin(page_in(tx, class))).await?;
        released.queued += page.queued;
        released.expired += page.expired;
        if page == Released::default() {
            return Ok(released);
        }
    }
}

async fn page_in(tx: &mut Tx, class: EffectClass) -> Result<Released, StoreError> {
    let sql = Sql::fixed(
        "SELECT id, org_id, created_at, not_before FROM effect_intents \
         WHERE state = 'waiting' AND class = $1 \
         ORDER BY created_at, id LIMIT CAST($2 AS BIGINT) FOR_UPDATE_SKIP",
        [class.as_str().into(), PAGE.into()],
    );
    let oldest = tx.now().plus_seconds(-HELD_SECONDS);
    let mut released = Released::default();
    for row in tx.rows(&sql).await?.iter() {
        let [Value::Text(id), Value::Int(org_id), Value::Int(created), Value::Int(not_before)] =
            row
        else {
            return Err(StoreError::corrupt("effect_intents", "a row does not decode"));
        };
        let (id, wanted) = (Uuid(id.to_string()), Timestamp(*created.max(not_before)));
        if wanted < oldest {
            intents::mark_failed(tx, *org_id, &id, TOO_OLD, true).await?;
            released.expired += 1;
        } else {
            intents::requeue(tx, *org_id, &id).await?;
            released.queued += 1;
        }
    }
    Ok(released)
}
