//! `/sandbox/v1/faults`: for administrators and developers of the founding organization, since a
//! fault hits whoever asks.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{delete, get};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_instance::{Fault, FaultKind, SandboxWitness, Timestamp};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Actor, Db, Scope, StoreError, Tx, faults};

use super::{Named, meant};
use crate::app::App;
use crate::credential::Caller;
use crate::desk::{Answered, check_quarantine, failed, founding_desk, wrong};
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// A fault ends after an hour at most (ISO-48), in seconds.
const SECONDS_MAX: i64 = 3_600;
/// And after ten minutes where nothing is said.
const SECONDS: i64 = 600;
/// So many at once.
const FAULTS_MAX: usize = 20;
/// An answer is late by less than a stop waits for, a webhook by a day; in milliseconds.
const LATE_MAX: u32 = 20_000;
const WEBHOOK_LATE_MAX: u32 = 86_400_000;
/// Characters of a name.
const NAME_MAX: usize = 100;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/faults", get(list).post(add).delete(clear))
        .route("/sandbox/v1/faults/{id}", delete(end))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    kind: String,
    operation: Option<String>,
    key: Option<String>,
    webhook: Option<Json>,
    event: Option<String>,
    percent: Option<u8>,
    times: Option<u32>,
    milliseconds: Option<u32>,
    seed: Option<u64>,
    seconds: Option<i64>,
}

impl Asked {
    fn read(body: &[u8]) -> Result<(Self, FaultKind), String> {
        let asked: Asked = serde_json::from_slice(body).map_err(|error| {
            format!("send {{\"kind\": \"rate_limited\"}} and how often and for how long: {error}")
        })?;
        let kind = FaultKind::from_text(&asked.kind).ok_or_else(|| {
            let known = FaultKind::ALL.map(FaultKind::as_str).join(", ");
            format!("kind is one of {known}")
        })?;
        Ok((asked, kind))
    }

    /// The fault of this number, from now on; or why there is none of that sort.
    fn fault(self, kind: FaultKind, id: i64, now: Timestamp) -> Result<Fault, String> {
        let is_of_webhooks = kind.is_of_webhooks();
        for (name, is_said, fits) in [
            ("operation", self.operation.is_some(), !is_of_webhooks),
            ("key", self.key.is_some(), !is_of_webhooks),
            ("webhook", self.webhook.is_some(), is_of_webhooks),
            ("event", self.event.is_some(), is_of_webhooks),
        ] {
            if is_said && !fits {
                let theirs = if is_of_webhooks { "webhook and event" } else { "operation and key" };
                return Err(format!("{name} does not go with {}; {theirs} do", kind.as_str()));
            }
        }
        let webhook = match &self.webhook {
            None => None,
            Some(said) => Some(id_of(said).ok_or("webhook is the id of one, such as \"123\"")?),
        };
        let names = [("operation", &self.operation), ("event", &self.event)];
        for (name, text) in names {
            let fits = |text: &String| (1..=NAME_MAX).contains(&text.len());
            if !text.as_ref().is_none_or(fits) {
                return Err(format!("{name} has 1 to {NAME_MAX} characters"));
            }
        }
        let is_id =
            |key: &String| key.len() == 8 && key.bytes().all(|it| it.is_ascii_alphanumeric());
        if !self.key.as_ref().is_none_or(is_id) {
            return Err(
                "key is the eight characters behind the tag in ward_sbx_<tag>_<key>…".to_owned()
            );
        }
        let bounded = |name: &str, value: i64, most: i64| match (1..=most).contains(&value) {
            true => Ok(value),
            false => Err(format!("{name} is from 1 to {most}")),
        };
        bounded("percent", i64::from(self.percent.unwrap_or(100)), 100)?;
        bounded("times", i64::from(self.times.unwrap_or(1)), i64::from(u32::MAX))?;
        let seconds = bounded("seconds", self.seconds.unwrap_or(SECONDS), SECONDS_MAX)?;
        let (usual, most) = match kind {
            FaultKind::Latency => (1_000, LATE_MAX),
            FaultKind::WebhookLate => (3_600_000, WEBHOOK_LATE_MAX),
            FaultKind::WebhookReordered => (2_000, WEBHOOK_LATE_MAX),
            _ => (0, LATE_MAX),
        };
        let milliseconds = self.milliseconds.unwrap_or(usual);
        if milliseconds > most {
            return Err(format!("milliseconds is from 0 to {most}"));
        }
        Ok(Fault {
            id,
            kind,
            operation: self.operation,
            key: self.key,
            webhook,
            event: self.event,
            percent: self.percent.unwrap_or(100),
            times: self.times,
            milliseconds,
            seed: self.seed.unwrap_or(1),
            expires_at: now.plus_seconds(seconds),
        })
    }
}

/// An id as the API writes it, or as a number.
fn id_of(said: &Json) -> Option<i64> {
    said.as_i64().or_else(|| said.as_str()?.parse().ok())
}

/// A fault without what it does not say.
fn told(fault: &Fault) -> Json {
    let mut told = json!(fault);
    told["expires_at"] = fault.expires_at.to_string().into();
    told["webhook"] = fault.webhook.map(|id| id.to_string()).into();
    if let Some(members) = told.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    told
}

fn shown(fault: &Fault, hits: u32) -> Json {
    let mut shown = told(fault);
    shown["hits"] = hits.into();
    shown
}

/// Those that have not ended.
async fn list(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    founding_desk(&app, &headers, &facts).await?;
    Ok(respond::json(StatusCode::OK, &listed(&app)))
}

fn listed(app: &App) -> Json {
    let all = app.instance.faults().all(app.instance.clock().wall());
    let all: Vec<Json> = all.iter().map(|(fault, hits)| shown(fault, *hits)).collect();
    json!({ "faults": all })
}

async fn add(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    let (asked, kind) = Asked::read(&body).map_err(|sentence| wrong(&sentence))?;
    let first = asked.fault(kind, 0, app.instance.clock().wall());
    let first = first.map_err(|sentence| wrong(&sentence))?;
    meant::check(&app, &first).await?;
    let note = first.operation.as_deref().and_then(|name| meant::note(&app, name));
    let change = move |last: &mut i64, faults: &mut Vec<Fault>| {
        if faults.len() >= FAULTS_MAX {
            return Err(format!("there are {FAULTS_MAX} faults already; end one first"));
        }
        *last += 1;
        faults.push(Fault { id: *last, ..first.clone() });
        Ok(())
    };
    let mut answer = changed(&app, caller, change).await?;
    if let Some(note) = note {
        answer["note"] = note.into();
    }
    Ok(respond::json(StatusCode::OK, &answer))
}

async fn clear(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    let change = |_: &mut i64, faults: &mut Vec<Fault>| {
        faults.clear();
        Ok(())
    };
    Ok(respond::json(StatusCode::OK, &changed(&app, caller, change).await?))
}

async fn end(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    Named(id): Named,
    headers: HeaderMap,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    let Ok(id) = id.parse::<i64>() else {
        return Err(wrong("a fault has a number; GET /sandbox/v1/faults lists them"));
    };
    let change = move |_: &mut i64, faults: &mut Vec<Fault>| {
        let before = faults.len();
        faults.retain(|fault| fault.id != id);
        match faults.len() < before {
            true => Ok(()),
            false => Err(format!("there is no fault {id}; GET /sandbox/v1/faults lists them")),
        }
    };
    Ok(respond::json(StatusCode::OK, &changed(&app, caller, change).await?))
}

/// Why faults were not changed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ward_store::Failure for Failed {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Failed::Store(error) => Some(error),
            Failed::Refused(_) => None,
        }
    }
}

/// Changes the faults as asked, audited; answers those there are then.
async fn changed<C>(app: &App, caller: Caller, change: C) -> Result<Json, Response<Body>>
where
    C: Fn(&mut i64, &mut Vec<Fault>) -> Result<(), String> + Clone + Send + Sync + 'static,
{
    let Caller { actor, world, .. } = caller;
    let Some(witness) = app.instance.witness().sandbox() else {
        return Err(super::only_there().await);
    };
    check_quarantine(app)?;
    match written(&app.db.in_world(world), witness, actor, change).await {
        Ok(kept) => {
            app.instance.faults().set(&witness, kept.revision, kept.faults);
            app.stale.forget();
            Ok(listed(app))
        }
        Err(Failed::Refused(sentence)) => {
            Err(refuse(StatusCode::CONFLICT, "FAULT_REFUSED", sentence))
        }
        Err(Failed::Store(error)) => Err(failed(&error)),
    }
}

async fn written<C>(
    db: &Db,
    witness: SandboxWitness,
    actor: Actor,
    change: C,
) -> Result<faults::Held, Failed>
where
    C: Fn(&mut i64, &mut Vec<Fault>) -> Result<(), String> + Clone + Send + Sync + 'static,
{
    db.write(move |tx: &mut Tx| {
        let (actor, change) = (actor.clone(), change.clone());
        Box::pin(async move {
            let wall = tx.wall();
            let mut kept = faults::held(tx, &witness).await?;
            kept.faults.retain(|fault| wall < fault.expires_at);
            let before = kept.faults.clone();
            change(&mut kept.last_id, &mut kept.faults).map_err(Failed::Refused)?;
            faults::keep(tx, &witness, &mut kept).await?;
            record(tx, &actor, &before, &kept.faults);
            Ok::<_, Failed>(kept)
        })
    })
    .await
}

fn record(tx: &mut Tx, actor: &Actor, before: &[Fault], after: &[Fault]) {
    let all = |faults: &[Fault]| {
        faults.iter().map(|fault| told(fault).to_string()).collect::<Vec<_>>().join(", ")
    };
    let tag = tx.instance().tag().to_string();
    let mut entry = AuditEntry::by(actor, AuditType::Admin, "FAULTS", tag);
    entry.changes = vec![AuditChange::new("faults", Some(&all(before)), Some(&all(after)))];
    Scope::new(tx, actor).record(entry);
}
