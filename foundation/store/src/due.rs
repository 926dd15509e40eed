//! What waits for its time: for a clock that is moved on from one due moment to the next.

use ward_instance::Timestamp;

use crate::error::StoreError;
use crate::query::Query;
use crate::types::Uuid;
use crate::value::{Sql, Value};

/// Live jobs that wait for no other: of those of one serial key, only the first is due at its
/// time; the others are due after it.
macro_rules! heads {
    () => {
        "FROM jobs j WHERE j.state IN ('ready', 'leased') \
         AND (j.serial_key IS NULL OR NOT EXISTS (SELECT 1 FROM jobs e \
              WHERE e.org_id = j.org_id AND e.serial_key = j.serial_key \
                AND e.serial_key IS NOT NULL AND e.state IN ('ready', 'leased') \
                AND (e.queued_at, e.id) < (j.queued_at, j.id)))"
    };
}

/// When a job is due next, after a moment.
pub async fn next(q: &mut impl Query, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = Sql::fixed(
        concat!("SELECT MIN(j.visible_at) ", heads!(), " AND j.visible_at > $1"),
        [after.0.into()],
    );
    Ok(q.rows(&sql).await?.scalar().and_then(Value::int).map(Timestamp))
}

/// Whether a worker has a job at this moment of real time, whichever worker.
pub async fn at_work(q: &mut impl Query, wall: Timestamp) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT 1 FROM jobs WHERE state = 'leased' AND lease_until > $1 LIMIT 1",
        [wall.0.into()],
    );
    Ok(!q.rows(&sql).await?.is_empty())
}

/// A job, or what else waits for its time, that should have ended by now.
#[derive(Clone, Debug, PartialEq)]
pub struct Straggler {
    /// Its id.
    pub id: Uuid,
    /// What is to be done.
    pub kind: String,
    /// Since when it is due.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// Jobs that are due by `until` and have not ended, the longest due first, at most `limit`.
pub async fn stragglers(
    q: &mut impl Query,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Straggler>, StoreError> {
    let sql = Sql::fixed(
        concat!(
            "SELECT j.id, j.kind, j.visible_at, j.attempts, j.last_error ",
            heads!(),
            " AND j.visible_at <= $1 ORDER BY j.visible_at, j.id LIMIT CAST($2 AS BIGINT)"
        ),
        [until.0.into(), limit.into()],
    );
    let rows = q.rows(&sql).await?;
    let found = rows.iter().map(|row| {
        Some(Straggler {
            id: Uuid(row.first()?.text()?.to_owned()),
            kind: row.get(1)?.text()?.to_owned(),
            due_at: Timestamp(row.get(2)?.int()?),
            attempts: row.get(3)?.int()?,
            last_error: row.get(4)?.text().map(str::to_owned),
        })
    });
    let found = found.collect::<Option<_>>();
    found.ok_or_else(|| StoreError::corrupt("jobs", "a row does not decode"))
}
