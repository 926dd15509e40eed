//! From an answered request to its record: noted in memory while it is answered, redacted and
//! written a moment later, so that nobody waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use ward_engine::{Incoming, Reply, Request};
use ward_instance::Timestamp;
use ward_store::{Actor, Db, Flags, Left, Query, Scope, Sql, StoreError, Tx, Uuid};

use super::redact;
use super::table::RequestRecord;

/// Requests that are kept of a key or session: its last ones.
pub const KEPT_OF_KEY: usize = 200;
/// Keys whose requests wait at once; those of further ones are not recorded.
const KEYS_MAX: usize = 1_000;
/// Answers up to so many bytes are kept, redacted.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Bytes that wait at once; what comes then is recorded without its answer.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Records of one transaction.
const BATCH: usize = 256;

/// Requests whose records are not written yet.
#[derive(Default)]
pub struct Recorder {
    waiting: Mutex<Waiting>,
    /// One flush at a time: who asks for the records waits for those that are being written.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    of_key: HashMap<(i64, Box<str>), VecDeque<Noted>>,
    bytes: usize,
}

/// What is known of a request beside itself and its answer.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What it asks for: `mutation createClient`.
    pub operations: Vec<String>,
    /// When it came, on the wall clock.
    pub asked_at: Timestamp,
    /// When it was answered, on the wall clock.
    pub answered_at: Timestamp,
    /// The fault that hits it.
    pub fault: Option<String>,
}

struct Noted {
    id: String,
    org_id: i64,
    actor_id: i64,
    credential: Box<str>,
    facts: Facts,
    occurred_at: Timestamp,
    caused_by: Option<Uuid>,
    status: u16,
    code: Option<String>,
    document: String,
    variables: Json,
    answer: Vec<u8>,
    answer_bytes: usize,
    replayed: bool,
    used: Flags,
    left: Vec<Left>,
}

impl Recorder {
    /// Notes an answered request of somebody with a credential.
    pub fn note(&self, request: &Request, incoming: &Incoming, reply: &Reply, facts: Facts) {
        let actor = &request.actor;
        let Some(credential) = actor.credential.as_deref() else { return };
        let noted = Noted {
            id: request.request_id.clone(),
            org_id: actor.org_id,
            actor_id: actor.user_id,
            credential: credential.into(),
            facts,
            occurred_at: request.now,
            caused_by: request.caused_by.clone(),
            status: reply.status,
            code: reply.code.clone(),
            document: redact::document(&incoming.query),
            variables: redact::values(&Json::Object(incoming.variables.clone())),
            answer: if reply.body.len() <= ANSWER_BYTES_MAX {
                reply.body.clone()
            } else {
                Vec::new()
            },
            answer_bytes: reply.body.len(),
            replayed: reply.replayed,
            used: actor.exercised.as_ref().map(|it| it.flags()).unwrap_or_default(),
            left: request.trail.as_ref().map(ward_engine::Trail::take).unwrap_or_default(),
        };
        self.waiting.lock().add(noted);
    }

    /// Writes what waits. The server calls it every second, when it stops, and before anybody
    /// looks. A batch that can't be written is lost: it is a convenience, and memory is not.
    pub async fn flush(&self, db: &Db) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let Waiting { of_key, .. } = std::mem::take(&mut *self.waiting.lock());
        let rows: Vec<RequestRecord> = of_key.into_values().flatten().map(Noted::record).collect();
        for batch in rows.chunks(BATCH) {
            write(db, batch.into()).await?;
        }
        Ok(())
    }
}

impl Waiting {
    fn add(&mut self, mut noted: Noted) {
        let key = (noted.org_id, noted.credential.clone());
        if self.of_key.len() >= KEYS_MAX && !self.of_key.contains_key(&key) {
            return;
        }
        if self.bytes + noted.bytes() > WAITING_BYTES_MAX {
            noted.answer = Vec::new();
        }
        self.bytes += noted.bytes();
        let of_key = self.of_key.entry(key).or_default();
        of_key.push_back(noted);
        if of_key.len() > KEPT_OF_KEY
            && let Some(oldest) = of_key.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
        }
    }
}

impl Noted {
    fn bytes(&self) -> usize {
        self.answer.len() + self.document.len()
    }

    fn record(self) -> RequestRecord {
        let answer: Json = serde_json::from_slice(&self.answer).unwrap_or(Json::Null);
        let used =
            ward_identity::flags::ALL.iter().filter(|line| self.used.has(line.permission.flag));
        let detail = json!({
            "document": self.document,
            "variables": self.variables,
            "answer": answer.get("data").map(redact::values),
            "answer_bytes": self.answer_bytes,
            "replayed": self.replayed,
            "errors": errors(&answer),
            "permissions_used": used.map(|line| line.permission.name).collect::<Vec<_>>(),
            "left": self.left,
        });
        let Facts { operations, asked_at, answered_at, fault } = self.facts;
        RequestRecord {
            id: Uuid(self.id),
            org_id: self.org_id,
            actor_id: self.actor_id,
            credential: self.credential.into(),
            operation: operations.join(", "),
            status: i64::from(self.status),
            code: self.code,
            caused_by: self.caused_by,
            fault,
            detail: detail.to_string(),
            duration: (answered_at.0 - asked_at.0).max(0),
            asked_at,
            occurred_at: self.occurred_at,
        }
    }
}

/// The errors of an answer, which are Ward's own words: what was refused, where, for want of what.
fn errors(answer: &Json) -> Vec<Json> {
    let told = |error: &Json| {
        let of = &error["extensions"];
        json!({
            "message": error["message"],
            "path": error["path"],
            "code": of["code"],
            "permission": of["permission"],
            "argument": of["argument"],
        })
    };
    answer["errors"]
        .as_array()
        .map(|errors| errors.iter().take(50).map(told).collect())
        .unwrap_or_default()
}

async fn write(db: &Db, batch: Arc<[RequestRecord]>) -> Result<(), StoreError> {
    db.write(move |tx: &mut Tx| {
        let batch = Arc::clone(&batch);
        Box::pin(async move {
            let mut there: HashMap<i64, bool> = HashMap::new();
            let mut keys: Vec<(i64, &str)> = Vec::new();
            for row in batch.iter() {
                let is_there = match there.get(&row.org_id) {
                    Some(is_there) => *is_there,
                    None => is_founded(tx, row.org_id).await?,
                };
                there.insert(row.org_id, is_there);
                if !is_there {
                    continue;
                }
                let actor = Actor::system(row.org_id);
                Scope::new(tx, &actor).create(row).await?;
                if !keys.contains(&(row.org_id, row.credential.as_str())) {
                    keys.push((row.org_id, row.credential.as_str()));
                }
            }
            for (org_id, credential) in keys {
                forget_older(tx, org_id, credential).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Whether the organization is there: the Sandbox may have been reset meanwhile.
async fn is_founded(tx: &mut Tx, org_id: i64) -> Result<bool, StoreError> {
    let sql = Sql::fixed("SELECT 1 FROM organizations WHERE id = $1", [org_id.into()]);
    Ok(!tx.rows(&sql).await?.is_empty())
}

async fn forget_older(tx: &mut Tx, org_id: i64, credential: &str) -> Result<(), StoreError> {
    let kept = i64::try_from(KEPT_OF_KEY).unwrap_or(i64::MAX);
    let sql = Sql::fixed(
        "DELETE FROM request_records WHERE org_id = $1 AND credential = $2 AND id NOT IN \
         (SELECT k.id FROM request_records k WHERE k.org_id = $1 AND k.credential = $2 \
          ORDER BY k.asked_at DESC, k.id DESC LIMIT $3)",
        [org_id.into(), credential.into(), kept.into()],
    );
    tx.execute(&sql).await.map(drop)
}
