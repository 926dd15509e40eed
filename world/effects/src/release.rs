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

/// Whether what waits of a class is given up after [`HELD_SECONDS`]. A room is wanted until its
/// appointment ends, which its order says itself; a file is to be looked at however old it is.
pub(crate) const fn goes_stale(class: EffectClass) -> bool {
    !matches!(class, EffectClass::Video | EffectClass::Scan)
}

/// Why an effect fails whose time is over.
pub(crate) const EXPIRED: &str = "it would have come too late";

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

/// Where a page ended: when the last effect was wanted, and its id.
type Place = (i64, String);

/// Lets go what waits of a class, oldest first: all of one that is live, of one that is at its
/// cohort what reaches somebody in it. What waited too long is given up; of a class that is off
/// everything stays. What is wanted meanwhile is not looked at. Whether the class is connected is
/// for the caller to know.
pub async fn release(db: &Db, class: EffectClass) -> Result<Released, StoreError> {
    release_of(db, class, None).await
}

/// The same of one organization only.
pub async fn release_own(db: &Db, class: EffectClass, org_id: i64) -> Result<Released, StoreError> {
    release_of(db, class, Some(org_id)).await
}

/// Gives up what waits of any class, off or not connected as well, and would come too late by now.
pub async fn expire(db: &Db) -> Result<u64, StoreError> {
    let mut expired = 0;
    while is_late(db).await? {
        expired +=
            db.write(|tx| Box::pin(async move { intents::expire(tx, EXPIRED).await })).await?;
    }
    Ok(expired)
}

/// Whether something waits that would come too late; takes no lock.
async fn is_late(db: &Db) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT 1 FROM effect_intents WHERE state = 'waiting' AND expires_at <= $1 LIMIT 1",
        [db.instance().now().0.into()],
    );
    Ok(!db.read().await?.rows(&sql).await?.is_empty())
}

async fn release_of(
    db: &Db,
    class: EffectClass,
    org_id: Option<i64>,
) -> Result<Released, StoreError> {
    let mut released = Released::default();
    let began = db.instance().now();
    let mut last: Option<Place> = None;
    loop {
        let after = last.take();
        let page = db.write(move |tx| {
            let after = after.clone();
            Box::pin(async move { page_in(tx, class, org_id, began, after).await })
        });
        let (page, place) = page.await?;
        released.queued += page.queued;
        released.expired += page.expired;
        if place.is_none() {
            return Ok(released);
        }
        last = place;
    }
}

/// One page behind a place; where it ended, if anything was there. The mode is read anew: whoever
/// switches a class off stops also what is being let go.
async fn page_in(
    tx: &mut Tx,
    class: EffectClass,
    org_id: Option<i64>,
    began: Timestamp,
    after: Option<Place>,
) -> Result<(Released, Option<Place>), StoreError> {
    let kind = tx.instance().kind();
    let mode = policy(tx, kind, class).await?.mode;
    let mut released = Released::default();
    if mode == EffectMode::Off {
        return Ok((released, None));
    }
    let oldest = tx.now().plus_seconds(-HELD_SECONDS);
    let sql = waiting((class, mode), org_id, (oldest, began), after);
    let mut place = None;
    for row in tx.rows(&sql).await?.iter() {
        let [Value::Text(id), Value::Int(org_id), Value::Int(created), Value::Int(not_before)] =
            row
        else {
            return Err(StoreError::corrupt("effect_intents", "a row does not decode"));
        };
        place = Some((*created, id.to_string()));
        let (id, wanted) = (Uuid(id.to_string()), Timestamp(*created.max(not_before)));
        if wanted < oldest && goes_stale(class) {
            intents::mark_failed(tx, *org_id, &id, TOO_OLD, true).await?;
            released.expired += 1;
        } else {
            intents::requeue(tx, *org_id, &id).await?;
            released.queued += 1;
        }
    }
    Ok((released, place))
}

fn waiting(
    (class, mode): (EffectClass, EffectMode),
    org_id: Option<i64>,
    (oldest, began): (Timestamp, Timestamp),
    after: Option<Place>,
) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT id, org_id, created_at, not_before FROM effect_intents e ");
    sql.push("WHERE state = 'waiting' AND class = ").bind(class.as_str());
    sql.push(" AND created_at <= ").bind(began.0);
    if let Some(org_id) = org_id {
        sql.push(" AND org_id = ").bind(org_id);
    }
    if let Some((created, id)) = after {
        sql.push(" AND (created_at > ").bind(created);
        sql.push(" OR (created_at = ").bind(created).push(" AND id > ").bind(id).push("))");
    }
    if mode == EffectMode::Cohort {
        sql.push(" AND (");
        if goes_stale(class) {
            sql.push("(created_at < ").bind(oldest.0);
            sql.push(" AND not_before < ").bind(oldest.0).push(") OR ");
        }
        if class == EffectClass::Video {
            sql.push("recipient_id IS NULL OR ");
        }
        sql.push(
            "EXISTS (SELECT 1 FROM effect_cohorts c WHERE c.org_id = e.org_id \
             AND c.class = e.class AND c.user_id = e.recipient_id))",
        );
    }
    sql.push(" ORDER BY created_at, id").limit(PAGE).push(" FOR_UPDATE_SKIP");
    sql
}
