//! What becomes of a job otherwise than being done or tried again: given up at once, or gone on with.

use crate::core::Hint;
use crate::error::StoreError;
use crate::jobs::{Job, fail};
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// Ends a job that no further attempt would do, with why: dead, as after the last one. False when
/// the lease is another worker's.
pub async fn give_up(tx: &mut Tx, job: &Job, error: &str) -> Result<bool, StoreError> {
    let last = Job { max_attempts: job.attempts, ..job.clone() };
    fail(tx, &last, error).await
}

/// Gives a job back with what is to be done next: due now, with all its attempts, and in its place
/// among those of its serial key. False when the lease is another worker's by now, as
/// [`crate::jobs::complete`] says.
pub async fn go_on(
    tx: &mut Tx,
    job: &Job,
    payload: &serde_json::Value,
) -> Result<bool, StoreError> {
    let now = tx.now();
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE jobs SET state = 'ready', payload = $1, attempts = 0, lease_token = NULL, \
             lease_until = NULL, last_error = NULL, visible_at = $2, updated_at = $2 \
             WHERE org_id = $3 AND id = $4 AND state = 'leased' AND lease_token = $5",
            [
                payload.to_string().into(),
                now.0.into(),
                job.org_id.into(),
                job.id.0.as_str().into(),
                job.lease_token.as_str().into(),
            ],
        ))
        .await?;
    if changed == 1 {
        tx.on_commit(Hint::Jobs);
    }
    Ok(changed == 1)
}

/// The live jobs of a kind of an organization, at most 1,000: the dedupe key and the payload of each.
pub async fn live(
    q: &mut impl Query,
    org_id: i64,
    kind: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = q
        .rows(&Sql::fixed(
            "SELECT dedupe_key, payload FROM jobs WHERE org_id = $1 AND kind = $2 \
             AND dedupe_key IS NOT NULL AND state IN ('ready', 'leased') \
             ORDER BY queued_at LIMIT 1000",
            [org_id.into(), kind.into()],
        ))
        .await?;
    let text = |row: &[Value], at: usize| Some(row.get(at)?.text()?.to_owned());
    let decode = |row: &[Value]| Some((text(row, 0)?, text(row, 1)?));
    let live = rows.iter().map(decode).collect::<Option<_>>();
    live.ok_or_else(|| StoreError::corrupt("jobs", "a row does not decode"))
}
