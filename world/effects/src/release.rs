//! Letting go what waits, once its class is on and connected.

use ward_instance::Timestamp;
use ward_store::intents;
use ward_store::system::EffectClass;
use ward_store::{Db, Query, Sql, StoreError, Tx, Uuid, Value};

use crate::policy::{EffectMode, policy};

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

/// Lets go what waits of a class, oldest first: all of one that is live, of one that is at its
/// cohort what reaches somebody in it. What waited too long is given up; of a class that is off
/// everything stays. Whether the class is connected is for the caller to know.
pub async fn release(db: &Db, class: EffectClass) -> Result<Released, StoreError> {
    let mut released = Released::default();
    let kind = db.instance().kind();
    let mode = policy(&mut db.read().await?, kind, class).await?.mode;
    if mode == EffectMode::Off {
        return Ok(released);
    }
    loop {
        let page = db.write(move |tx| Box::pin(page_in(tx, class, mode))).await?;
        released.queued += page.queued;
        released.expired += page.expired;
        if page == Released::default() {
            return Ok(released);
        }
    }
}

async fn page_in(
    tx: &mut Tx,
    class: EffectClass,
    mode: EffectMode,
) -> Result<Released, StoreError> {
    let oldest = tx.now().plus_seconds(-HELD_SECONDS);
    let mut sql = Sql::new();
    sql.push("SELECT id, org_id, created_at, not_before FROM effect_intents e ");
    sql.push("WHERE state = 'waiting' AND class = ").bind(class.as_str());
    if mode == EffectMode::Cohort {
        sql.push(" AND ((created_at < ").bind(oldest.0);
        sql.push(" AND not_before < ").bind(oldest.0);
        sql.push(
            ") OR EXISTS (SELECT 1 FROM effect_cohorts c WHERE c.org_id = e.org_id \
             AND c.class = e.class AND c.user_id = e.recipient_id))",
        );
    }
    sql.push(" ORDER BY created_at, id").limit(PAGE).push(" FOR_UPDATE_SKIP");
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
