//! From an answered request to its record: noted in memory while it is answered, redacted and
//! written a moment later, so that nobody waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use ward_engine::{Incoming, Noted, Reply, Request, RequestError, Trail};
use ward_instance::Timestamp;
use ward_store::{Actor, Db, Flags, Query, Role, Scope, Sql, StoreError, Tx, Uuid};

use super::redact;
use super::table::RequestRecord;

/// Requests that are kept of a key or session: its last ones.
pub const KEPT_OF_KEY: usize = 200;
/// Keys whose requests wait at once; those of further ones are not recorded.
const KEYS_MAX: usize = 1_000;
/// Documents are cut to so many bytes; variables that are larger, redacted, are left out.
const DOCUMENT_BYTES_MAX: usize = 16 * 1024;
/// Bytes that wait at once; what comes then is not recorded.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a record takes beside its texts, about.
const OVERHEAD_BYTES: usize = 500;
/// And what it takes for each thing that it tells of.
const ENTRY_BYTES: usize = 300;
/// Records of one transaction.
const BATCH: usize = 64;

/// Requests whose records are not written yet.
#[derive(Default)]
pub struct Recorder {
    waiting: Mutex<Waiting>,
    /// One flush at a time: who asks for the records waits for those that are being written.
    turn: tokio::sync::Mutex<()>,
    /// One look at a time: a tree takes many statements.
    pub looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    of_key: HashMap<(i64, Box<str>), VecDeque<Answered>>,
    bytes: usize,
}

/// What is known of a request beside itself and its answer.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What it asks for: `mutation createClient`; nothing of what is no document of the contract.
    pub operations: Vec<String>,
    /// When it came, on the wall clock.
    pub asked_at: Timestamp,
    /// When it was answered, on the wall clock.
    pub answered_at: Timestamp,
    /// The fault that hits it.
    pub fault: Option<String>,
}

struct Answered {
    id: String,
    org_id: i64,
    actor_id: i64,
    credential: Box<str>,
    facts: Facts,
    occurred_at: Timestamp,
    caused_by: Option<Uuid>,
    status: u16,
    code: Option<String>,
    /// Redacted when it is written.
    document: String,
    /// Redacted.
    variables: String,
    answer_bytes: usize,
    replayed: bool,
    used: Flags,
    noted: Noted,
}

impl Recorder {
    /// Notes an answered request of somebody with a credential.
    pub fn note(&self, request: &Request, incoming: &Incoming, reply: &Reply, facts: Facts) {
        let actor = &request.actor;
        let Some(credential) = actor.credential.as_deref() else { return };
        // What looked like a real person's is kept nowhere, and what can't be read may be anything.
        let is_kept = reply.code.as_deref() != Some(REAL_DATA) && !facts.operations.is_empty();
        let is_member = actor.role == Role::Member;
        let answered = Answered {
            id: request.request_id.clone(),
            org_id: actor.org_id,
            actor_id: actor.doer(),
            credential: credential.into(),
            facts,
            occurred_at: request.now,
            // As what is written heeds it.
            caused_by: request.caused_by.clone().filter(|_| is_member),
            status: reply.status,
            code: reply.code.clone(),
            document: if is_kept { cut(&incoming.query).to_owned() } else { String::new() },
            variables: if is_kept { variables(incoming) } else { String::new() },
            answer_bytes: reply.body.len(),
            replayed: reply.replayed,
            used: actor.exercised.as_ref().map(|it| it.flags()).unwrap_or_default(),
            noted: request.trail.as_ref().map(Trail::take).unwrap_or_default(),
        };
        self.waiting.lock().add(answered);
    }

    /// Writes what waits. The server calls it every second, when it stops, and before anybody
    /// looks. What can't be written is lost: it is a convenience, and memory is not.
    pub async fn flush(&self, db: &Db) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let Waiting { of_key, .. } = std::mem::take(&mut *self.waiting.lock());
        let mut outcome = Ok(());
        for of_key in of_key.into_values() {
            let rows: Vec<RequestRecord> = of_key.into_iter().map(Answered::record).collect();
            for batch in rows.chunks(BATCH) {
                // One tenant's failure is not the others'.
                outcome = write(db, batch.into()).await.and(outcome);
            }
        }
        outcome
    }
}

/// The guard's refusal.
const REAL_DATA: &str = "REAL_DATA_IN_SANDBOX";

impl Waiting {
    fn add(&mut self, answered: Answered) {
        let key = (answered.org_id, answered.credential.clone());
        let is_full = self.of_key.len() >= KEYS_MAX && !self.of_key.contains_key(&key);
        if is_full || self.bytes + answered.bytes() > WAITING_BYTES_MAX {
            return;
        }
        self.bytes += answered.bytes();
        let of_key = self.of_key.entry(key).or_default();
        of_key.push_back(answered);
        if of_key.len() > KEPT_OF_KEY
            && let Some(oldest) = of_key.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
        }
    }
}

impl Answered {
    fn bytes(&self) -> usize {
        let Noted { left, problems, errors, .. } = &self.noted;
        let entries = left.len() + problems.len() + errors.len();
        OVERHEAD_BYTES + self.document.len() + self.variables.len() + entries * ENTRY_BYTES
    }

    fn record(self) -> RequestRecord {
        let flags = ward_identity::flags::ALL.iter();
        let used = flags.filter(|line| self.used.has(line.permission.flag));
        let variables: Json = serde_json::from_str(&self.variables).unwrap_or(Json::Null);
        let Noted { left, more, problems, errors } = self.noted;
        let detail = json!({
            "document": redact::document(&self.document),
            "variables": variables,
            "answer_bytes": self.answer_bytes,
            "replayed": self.replayed,
            "errors": errors.iter().map(told).collect::<Vec<_>>(),
            "problems": problems.iter().map(|(mutation, problem)| json!({
                "mutation": mutation, "field": problem.field, "message": problem.message,
            })).collect::<Vec<_>>(),
            "permissions_used": used.map(|line| line.permission.name).collect::<Vec<_>>(),
            "left": left,
            "more": more,
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

/// An error as it is kept. Those without a code are of a document or of variables that do not fit
/// the contract, and say of them what was found.
fn told(error: &RequestError) -> Json {
    let json = error.to_json();
    let of = &json["extensions"];
    json!({
        "message": if of["code"].is_string() { &json["message"] } else { &Json::Null },
        "path": json["path"],
        "code": of["code"],
        "permission": of["permission"],
        "argument": of["argument"],
    })
}

/// The variables, redacted; nothing of many.
fn variables(incoming: &Incoming) -> String {
    let kept = redact::values(&incoming.variables).to_string();
    if kept.len() > DOCUMENT_BYTES_MAX { String::new() } else { kept }
}

/// As much of a document as is looked at.
fn cut(text: &str) -> &str {
    let most = DOCUMENT_BYTES_MAX.min(text.len());
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
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
    let sql =
        Sql::fixed("SELECT 1 FROM organizations WHERE id = $1 FOR_KEY_SHARE", [org_id.into()]);
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
