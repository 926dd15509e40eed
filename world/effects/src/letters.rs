//! Effects that will not happen unless somebody lets them: what failed for good.

use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::audit::AuditEntry;
use ward_store::system::{AuditType, EffectClass};
use ward_store::{Actor, Db, Query, Scope, Sql, StoreError, Uuid, Value, intents};

/// The most that one reading answers.
const MOST: i64 = 200;

/// Effects of an organization that failed for good, or whose worker went away in the last attempt;
/// latest first, at most 200. No address and no text: they hold what opens accounts.
pub async fn failed(
    db: &Db,
    org_id: i64,
    class: Option<EffectClass>,
) -> Result<Vec<Json>, StoreError> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT e.id, e.class, e.kind, e.state, e.attempts, e.created_at, e.cause, \
         COALESCE(e.last_error, '') FROM effect_intents e WHERE e.org_id = ",
    )
    .bind(org_id);
    sql.push(
        " AND (e.state = 'failed' OR (e.state = 'queued' AND NOT EXISTS (SELECT 1 FROM jobs j \
         WHERE j.org_id = e.org_id AND j.kind = 'effect_' || e.class AND j.dedupe_key = e.id \
         AND j.state IN ('ready', 'leased'))))",
    );
    if let Some(class) = class {
        sql.push(" AND e.class = ").bind(class.as_str());
    }
    sql.push(" ORDER BY e.created_at DESC, e.id").limit(MOST);
    let rows = db.read().await?.rows(&sql).await?;
    let shown = rows.iter().map(shown).collect::<Option<_>>();
    shown.ok_or_else(|| StoreError::corrupt("effect_intents", "a row does not decode"))
}

fn shown(row: &[Value]) -> Option<Json> {
    let text = |at: usize| row.get(at)?.text();
    let is_dead = text(3)? == "queued";
    Some(json!({
        "id": text(0)?,
        "class": text(1)?,
        "kind": text(2)?,
        "attempts": row.get(4)?.int()?,
        "created_at": Timestamp(row.get(5)?.int()?).to_string(),
        "cause": text(6)?,
        "error": if is_dead { "its worker went away in the last attempt" } else { text(7)? },
    }))
}

/// Lets a failed effect of the actor's organization be tried again, with all its attempts. False
/// when there is none of this id. Audited.
pub async fn replay(db: &Db, actor: &Actor, id: &str) -> Result<bool, StoreError> {
    let (actor, id) = (actor.clone(), Uuid(id.to_owned()));
    db.write(move |tx| {
        let (actor, id) = (actor.clone(), id.clone());
        Box::pin(async move {
            let sql = Sql::fixed(
                "SELECT 1 FROM effect_intents WHERE org_id = $1 AND id = $2 AND state <> 'waiting'",
                [actor.org_id.into(), id.0.as_str().into()],
            );
            if tx.rows(&sql).await?.is_empty() || !intents::requeue(tx, actor.org_id, &id).await? {
                return Ok(false);
            }
            let mut entry = AuditEntry::by(&actor, AuditType::Admin, "EFFECT", id.0.as_str());
            entry.changes =
                vec![ward_store::audit::AuditChange::new("replayed", None, Some("true"))];
            Scope::new(tx, &actor).record(entry);
            Ok(true)
        })
    })
    .await
}
