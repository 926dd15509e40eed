//! What is kept of requests.

use ward_instance::Timestamp;
use ward_store::{Key, Query, Rule, Sql, StoreError, Tx, Uuid, Value, index, record};

/// After so long a record is deleted, also of a key that asks nothing any more.
const KEPT_MICROS: i64 = 30 * 24 * 3_600 * 1_000_000;

record! {
    /// A request of a Sandbox, as its developers look at it afterwards.
    pub struct RequestRecord in REQUEST_RECORDS, request_records {
        /// `X-Request-Id` of its answer.
        id: Uuid,
        org_id: i64,
        actor_id: i64,
        /// The API key or session it was asked with.
        credential: String,
        /// `mutation createClient`; several with commas.
        operation: String,
        /// The HTTP status.
        status: i64,
        /// The code of its first error.
        code: Option<String>,
        /// The event that made its caller ask.
        caused_by: Option<Uuid>,
        /// The fault that hit it.
        fault: Option<String>,
        /// The rest, redacted, as JSON.
        detail: String [sealed],
        /// Microseconds of the wall clock.
        duration: i64,
        /// On the wall clock: a test clock may stand still.
        asked_at: Timestamp,
        /// On the instance's clock.
        occurred_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        index(&["org_id", "asked_at", "id"]),
        index(&["org_id", "credential", "asked_at", "id"]),
        index(&["org_id", "caused_by"]).only("caused_by IS NOT NULL"),
        index(&["asked_at"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

/// So many are kept of an organization, whoever asked: each sign-in is a session of its own.
const KEPT_OF_ORGANIZATION: i64 = 20_000;

/// Deletes what is older than a month, and the oldest of an organization that has very many.
pub async fn purge(tx: &mut Tx) -> Result<(), StoreError> {
    let before = tx.wall().minus_micros(KEPT_MICROS);
    let sql = Sql::fixed("DELETE FROM request_records WHERE asked_at < $1", [before.0.into()]);
    tx.execute(&sql).await?;
    let sql = Sql::fixed(
        "SELECT org_id FROM request_records GROUP BY org_id HAVING COUNT(*) > $1",
        [KEPT_OF_ORGANIZATION.into()],
    );
    for row in tx.rows(&sql).await?.iter() {
        let sql = Sql::fixed(
            "DELETE FROM request_records WHERE org_id = $1 AND asked_at < (SELECT k.asked_at \
             FROM request_records k WHERE k.org_id = $1 ORDER BY k.asked_at DESC LIMIT 1 \
             OFFSET $2)",
            [row.first().cloned().unwrap_or(Value::Null), KEPT_OF_ORGANIZATION.into()],
        );
        tx.execute(&sql).await?;
    }
    Ok(())
}
