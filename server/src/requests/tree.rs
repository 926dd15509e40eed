//! What a record shows: the request, and the tree of what it caused, which grows while effects and
//! webhooks are on their way.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::{Db, Left, Query, Reader, Sql, StoreError, Uuid, Value, codec};

use super::table::{REQUEST_RECORDS, RequestRecord};

/// Requests that one tree tells of; a receiver that writes back may cause many.
const REQUESTS_MAX: usize = 50;
/// The most records that one list has, and how many when nobody says.
const LISTED_MAX: i64 = 200;
const LISTED: i64 = 50;

/// What a record tells of the request itself.
const KEPT: [&str; 7] =
    ["document", "variables", "answer_bytes", "replayed", "errors", "problems", "permissions_used"];

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
    if let Some(part) = &filter.operation {
        // Names have no more than these; an underscore stands for any character, which is harmless.
        let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == ' ';
        let part: String = part.to_ascii_lowercase().chars().filter(is_part).collect();
        sql.push(" AND LOWER(operation) LIKE ").bind(format!("%{part}%"));
    }
    let limit = filter.limit.unwrap_or(LISTED).clamp(1, LISTED_MAX);
    sql.push(" ORDER BY asked_at DESC, id DESC").limit(limit);
    let rows = db.read().await?.rows(&sql).await?;
    let shown = rows.iter().map(|row: &[Value]| {
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
    for name in KEPT {
        shown[name] = detail[name].clone();
    }
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
    CausedBy(Vec<Box<str>>),
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
        Cond::CausedBy(events) => {
            sql.push(" AND caused_by IN_LIST(").bind(Value::Texts(events.into())).push(")")
        }
    };
    let most = i64::try_from(REQUESTS_MAX).unwrap_or(i64::MAX);
    sql.push(" ORDER BY asked_at, id").limit(most + 1);
    let rows = reader.rows(&sql).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let keys = db.keyring().of(reader, org_id).await?;
    rows.iter().map(|row| codec::open_record(&keys, row)).collect()
}

/// A tree while it grows.
struct Tree<'a> {
    db: &'a Db,
    reader: Reader,
    org_id: i64,
    /// Requests that are told of already.
    told: Vec<Uuid>,
}

impl Tree<'_> {
    /// What a request caused: its changes, its events with what came of them, its effects.
    fn caused<'b>(
        &'b mut self,
        record: &'b RequestRecord,
        detail: &'b Json,
    ) -> BoxFuture<'b, Result<Vec<Json>, StoreError>> {
        async move {
            let left: Vec<Left> =
                serde_json::from_value(detail["left"].clone()).unwrap_or_default();
            let events: Vec<&str> = left.iter().filter_map(event_id).collect();
            let since = record.occurred_at;
            let mut webhooks =
                ward_webhooks::told_of(&mut self.reader, self.org_id, &events, since).await?;
            let mut requests = self.of_receivers(&events).await?;
            let mut caused = Vec::new();
            for one in left.iter().filter(|one| !matches!(one, Left::Effect { .. })) {
                let mut shown = json!(one);
                if let Left::Event { id, .. } = one {
                    let mut followed = webhooks.remove(id).unwrap_or_default();
                    followed.extend(requests.remove(id).unwrap_or_default());
                    shown["caused"] = Json::Array(followed);
                }
                caused.push(shown);
            }
            let intents: Vec<&str> = left.iter().filter_map(effect_id).collect();
            let (reader, request) = (&mut self.reader, &record.id.0);
            caused.extend(ward_effects::caused(reader, self.org_id, request, &intents).await?);
            if let Some(count) = detail["more"].as_u64().filter(|count| *count > 0) {
                caused.push(json!({"what": "more", "count": count}));
            }
            Ok(caused)
        }
        .boxed()
    }

    /// The requests of receivers that named one of these events as their cause, by event.
    async fn of_receivers(
        &mut self,
        events: &[&str],
    ) -> Result<BTreeMap<String, Vec<Json>>, StoreError> {
        let mut shown: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        if events.is_empty() {
            return Ok(shown);
        }
        let cond = Cond::CausedBy(events.iter().map(|id| Box::from(*id)).collect());
        for record in records(&mut self.reader, self.db, self.org_id, cond).await? {
            let Some(event) = record.caused_by.clone() else { continue };
            let of_event = shown.entry(event.0).or_default();
            if self.told.contains(&record.id) {
                continue;
            }
            if self.told.len() > REQUESTS_MAX {
                of_event.push(json!({"what": "more", "count": null}));
                break;
            }
            self.told.push(record.id.clone());
            let detail: Json = serde_json::from_str(&record.detail).unwrap_or_default();
            let mut request = head(&record);
            request["what"] = json!("request");
            request["caused"] = Json::Array(self.caused(&record, &detail).await?);
            of_event.push(request);
        }
        Ok(shown)
    }
}

fn event_id(left: &Left) -> Option<&str> {
    match left {
        Left::Event { id, .. } => Some(id),
        Left::Change { .. } | Left::Effect { .. } => None,
    }
}

fn effect_id(left: &Left) -> Option<&str> {
    match left {
        Left::Effect { id } => Some(id),
        Left::Change { .. } | Left::Event { .. } => None,
    }
}
