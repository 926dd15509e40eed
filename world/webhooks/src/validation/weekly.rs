//! A receiver that was validated is validated again each week: what is deployed later is to be as
//! good as what was looked at. It is the instance's clock that counts the weeks.

use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Id, Level, Query, Scope, Sql, StoreError, Tx, Value};

use super::{Begun, start};
use crate::tables::{Webhook, WebhookValidation};

const DAY: i64 = 24 * 3_600 * 1_000_000;
const WEEK: i64 = 7 * DAY;

/// Validations that one transaction begins.
const TOGETHER: i64 = 20;

/// When a validation of `now` is repeated.
pub fn after(now: Timestamp) -> Timestamp {
    now.plus_micros(WEEK)
}

/// Whether one is due; takes no lock.
pub async fn any(q: &mut impl Query, now: Timestamp) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT 1 FROM webhook_validations WHERE repeats_at <= $1 LIMIT 1",
        [now.0.into()],
    );
    Ok(!q.rows(&sql).await?.is_empty())
}

/// When one is due next after `after`.
pub async fn next(q: &mut impl Query, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = Sql::fixed(
        "SELECT MIN(repeats_at) FROM webhook_validations WHERE repeats_at > $1",
        [after.0.into()],
    );
    Ok(q.rows(&sql).await?.scalar().and_then(Value::int).map(Timestamp))
}

/// Begins some of those that are due; how many were looked at.
pub async fn begin(tx: &mut Tx) -> Result<usize, StoreError> {
    // Of two processes the second sees what the first has done.
    tx.lock(&["webhooks", "weekly"]).await?;
    let sql = Sql::fixed(
        "SELECT org_id, webhook_id FROM webhook_validations WHERE repeats_at <= $1 \
         ORDER BY repeats_at, id LIMIT CAST($2 AS BIGINT)",
        [tx.now().0.into(), TOGETHER.into()],
    );
    let rows = tx.rows(&sql).await?;
    let due: Vec<(i64, i64)> =
        rows.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect();
    for (org_id, webhook) in &due {
        let system = Actor::system(*org_id);
        let mut scope = Scope::new(tx, &system);
        let wait = match again(&mut scope, Id::new(*webhook)).await {
            Err(StoreError::Corrupt { .. }) => {
                tracing::error!(org_id, webhook, "a webhook can't be read and is not validated");
                Some(WEEK)
            }
            wait => wait?,
        };
        if let Some(wait) = wait {
            postpone(tx, *org_id, *webhook, wait).await?;
        }
    }
    Ok(due.len())
}

/// Begins one that is still due; for how long it waits otherwise.
async fn again(scope: &mut Scope<'_>, id: Id<Webhook>) -> Result<Option<i64>, StoreError> {
    let found = scope.visible_for_update(id, Level::Full).await?;
    let Some((webhook, _)) = found.filter(|(webhook, _)| webhook.is_enabled) else {
        return Ok(Some(WEEK));
    };
    let known: Option<WebhookValidation> = scope.find_by(Cond::eq("webhook_id", id.0)).await?;
    let now = scope.now();
    if known.is_none_or(|known| known.repeats_at > now) {
        return Ok(None);
    }
    Ok(match start(scope, &webhook, true).await? {
        Begun::Yes => None,
        Begun::UnderWay | Begun::TooMany => Some(DAY),
    })
}

async fn postpone(tx: &mut Tx, org_id: i64, webhook: i64, wait: i64) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE webhook_validations SET repeats_at = $3 \
         WHERE org_id = $1 AND webhook_id = $2 AND repeats_at <= $4",
        [org_id.into(), webhook.into(), tx.now().plus_micros(wait).0.into(), tx.now().0.into()],
    );
    tx.execute(&sql).await.map(drop)
}
