//! What a record shows: the request, and the tree of what it caused, which grows while effects and
//! webhooks are on their way.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::{Db, Left, Query, Reader, Sql, StoreError, Uuid, Value, codec, events};

use super::table::{REQUEST_RECORDS, RequestRecord};

/// Requests that one tree tells of; a receiver that writes back may cause many.
const REQUESTS_MAX: usize = 50;
/// The most records that one list has, and how many when nobody says.
const LISTED_MAX: i64 = 200;
const LISTED: i64 = 50;

/// Which requests are wanted; all when empty.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this key, by its public part, or session.
    pub key: Option<String>,
    /// Whose name of an operation has this in it.
    pub operation: Option<String>,
    /// Only those that were refused or failed.
    pub failed: bool,
    /// At most so many, up to 200.
    pub limit: Option<i64>,
}

/// The organization's last requests, newest first.
pub async fn list(db: &Db, org_id: i64, filter: &Filter) -> Result<Vec<Json>, StoreError> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT id, actor_id, credential, operation, status, COALESCE(code, ''), duration, asked_at \
         FROM request_records WHERE org_id = ",
    )
    .bind(org_id);
    if let Some(key) = &filter.key {
        sql.push(" AND credential = ").bind(key.as_str());
    }
    if filter.failed {
        sql.push(" AND (code IS NOT NULL OR status >= 400)");
    }
    // A key has 200 at most: what is left out here is not worth an index.
    sql.push(" ORDER BY asked_at DESC, id DESC");
    let rows = db.read().await?.rows(&sql).await?;
    let wanted = |row: &&[Value]| match (&filter.operation, row.get(3).and_then(Value::text)) {
        (Some(part), Some(operation)) => operation.contains(part.as_str()),
        _ => true,
    };
    let limit = filter.limit.unwrap_or(LISTED).clamp(1, LISTED_MAX);
    let limit = usize::try_from(limit).unwrap_or_default();
    let shown = rows.iter().filter(wanted).take(limit).map(|row| {
        let text = |at: usize| row.get(at)?.text();
        Some(json!({
            "id": text(0)?,
            "asked_at": Timestamp(row.get(7)?.int()?).to_string(),
            "operation": text(3)?,
            "status": row.get(4)?.int()?,
            "code": text(5).filter(|code| !code.is_empty()),
            "duration_ms": millis(row.get(6)?.int()?),
            "key": text(2)?,
            "user_id": row.get(1)?.int()?.to_string(),
        }))
    });
    shown
        .collect::<Option<_>>()
        .ok_or_else(|| StoreError::corrupt(REQUEST_RECORDS.name, "a row does not decode"))
}

/// One request of the organization with what it caused; none when there is no record of it.
pub async fn show(db: &Db, org_id: i64, id: &str) -> Result<Option<Json>, StoreError> {
    let mut reader = db.read().await?;
    let found = records(&mut reader, db, org_id, Cond::Id(id)).await?;
    let Some(record) = found.into_iter().next() else { return Ok(None) };
    let mut tree = Tree { db, reader, org_id, told: vec![record.id.clone()] };
    let detail: Json = serde_json::from_str(&record.detail).unwrap_or_default();
    let caused = tree.caused(&record, &detail).await?;
    let mut shown = head(&record);
    shown["caused_by"] = json!(record.caused_by.as_ref().map(|id| &id.0));
    shown["fault"] = json!(record.fault);
    for name in ["document", "variables", "answer", "answer_bytes", "replayed", "errors"] {
        shown[name] = detail[name].clone();
    }
    shown["permissions_used"] = detail["permissions_used"].clone();
    shown["caused"] = Json::Array(caused);
    Ok(Some(shown))
}

fn head(record: &RequestRecord) -> Json {
    json!({
        "id": record.id.0,
        "asked_at": record.asked_at.to_string(),
        "occurred_at": record.occurred_at.to_string(),
        "operation": record.operation,
        "status": record.status,
        "code": record.code,
        "duration_ms": millis(record.duration),
        "key": record.credential,
        "user_id": record.actor_id.to_string(),
    })
}

/// Milliseconds of microseconds, to a tenth.
fn millis(micros: i64) -> Json {
    let tenths = u32::try_from(micros / 100).unwrap_or(u32::MAX);
    json!(f64::from(tenths) / 10.0)
}

enum Cond<'a> {
    Id(&'a str),
    CausedBy(&'a str),
}

async fn records(
    reader: &mut Reader,
    db: &Db,
    org_id: i64,
    cond: Cond<'_>,
) -> Result<Vec<RequestRecord>, StoreError> {
    let columns: Vec<&str> = REQUEST_RECORDS.columns.iter().map(|column| column.name).collect();
    let mut sql = Sql::new();
    sql.push("SELECT ").push(&columns.join(", "));
    sql.push(" FROM request_records WHERE org_id = ").bind(org_id);
    match cond {
        Cond::Id(id) => sql.push(" AND id = ").bind(id),
        Cond::CausedBy(event) => sql.push(" AND caused_by = ").bind(event),
    };
    sql.push(" ORDER BY asked_at, id");
    let rows = reader.rows(&sql).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let keys = db.keyring().of(reader, org_id).await?;
    rows.iter().map(|row| codec::open_record(&keys, row)).collect()
}

fn event_id(left: &Left) -> Option<&str> {
    match left {
        Left::Event { id, .. } => Some(id),
        Left::Change { .. } | Left::Effect { .. } => None,
    }
}

struct Tree<'a> {
    db: &'a Db,
    reader: Reader,
    org_id: i64,
    /// Requests that are told of already.
    told: Vec<Uuid>,
}

impl Tree<'_> {
    /// What a request caused: its changes, then its events and effects with what came of them.
    fn caused<'b>(
        &'b mut self,
        record: &'b RequestRecord,
        detail: &'b Json,
    ) -> BoxFuture<'b, Result<Vec<Json>, StoreError>> {
        async move {
            let left: Vec<Left> =
                serde_json::from_value(detail["left"].clone()).unwrap_or_default();
            let own: Vec<&str> = left.iter().filter_map(event_id).collect();
            let mut caused = Vec::new();
            let mut intents: Vec<&str> = Vec::new();
            for one in &left {
                match one {
                    Left::Change { .. } => caused.push(json!(one)),
                    Left::Event { id, .. } => {
                        let mut event = json!(one);
                        event["caused"] =
                            Json::Array(self.followed(id, &own, record.occurred_at).await?);
                        caused.push(event);
                    }
                    Left::Effect { id } => intents.push(id),
                }
            }
            caused.extend(
                ward_effects::caused(&mut self.reader, self.org_id, &record.id.0, &intents).await?,
            );
            Ok(caused)
        }
        .boxed()
    }

    /// What followed from an event: its webhooks, what else the instance did because of it, and the
    /// requests of receivers that named it as their cause.
    /// Those of the request's own transaction stand beside it.
    async fn followed(
        &mut self,
        event: &str,
        own: &[&str],
        since: Timestamp,
    ) -> Result<Vec<Json>, StoreError> {
        let mut caused =
            ward_webhooks::told_of(&mut self.reader, self.org_id, event, since).await?;
        let later = events::following(&mut self.reader, self.org_id, event, since).await?;
        let is_later = |it: &Left| event_id(it).is_some_and(|id| !own.contains(&id));
        caused.extend(later.iter().filter(|it| is_later(it)).map(|it| json!(it)));
        for record in records(&mut self.reader, self.db, self.org_id, Cond::CausedBy(event)).await?
        {
            if self.told.len() >= REQUESTS_MAX || self.told.contains(&record.id) {
                continue;
            }
            self.told.push(record.id.clone());
            let detail: Json = serde_json::from_str(&record.detail).unwrap_or_default();
            let mut request = head(&record);
            request["what"] = json!("request");
            request["caused"] = Json::Array(self.caused(&record, &detail).await?);
            caused.push(request);
        }
        Ok(caused)
    }
}
