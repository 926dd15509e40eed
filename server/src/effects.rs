//! `/effects`: which classes of effects happen, what waits, and what failed. Of both environments;
//! whose key it is says whose instance.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_effects::{EffectMode, Pending};
use ward_store::StoreError;
use ward_store::system::{EffectClass, EffectState};

use crate::app::App;
use crate::desk::{desk, failed, founding_administrator, founding_desk, quarantined};
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// The longest reason, in characters.
pub(crate) const REASON_CHARS_MAX: usize = 500;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/effects", get(list))
        .route("/effects/{class}", post(set))
        .route("/effects/failed", get(letters))
        .route("/effects/failed/{id}/replay", post(replay))
}

/// Every class, with how much of it has not happened, in the whole instance.
async fn list(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    if let Err(response) = founding_desk(&app, &headers, &facts).await {
        return response;
    }
    let mut classes = Vec::new();
    for class in EffectClass::ALL.iter().copied() {
        match shown(&app, class).await {
            Ok(class) => classes.push(class),
            Err(error) => return failed(&error),
        }
    }
    respond::json(StatusCode::OK, &json!({"classes": classes}))
}

async fn shown(app: &App, class: EffectClass) -> Result<Json, StoreError> {
    let policy =
        ward_effects::policy(&mut app.db.read().await?, app.instance.kind(), class).await?;
    let pending = ward_effects::pending(&app.db).await?;
    let count = |state: EffectState| {
        let is_it = |it: &&Pending| it.class == class && it.state == state;
        pending.iter().find(is_it).map_or(0, |it| it.count)
    };
    Ok(json!({
        "class": class.as_str(),
        "mode": policy.mode.as_str(),
        "connected": app.door.is_connected(class),
        "queued": count(EffectState::Queued),
        "waiting": count(EffectState::Waiting),
        "failed": count(EffectState::Failed),
        "reason": policy.reason,
        "changed_at": policy.changed_at.map(|at| at.to_string()),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    mode: String,
    reason: String,
}

/// Switches a class; what waits of one that is switched on is let go.
async fn set(
    State(app): State<Arc<App>>,
    Path(class): Path<String>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let actor = match founding_administrator(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    let Some(class) = EffectClass::from_text(&class) else {
        return unknown_class();
    };
    let (mode, reason) = match decision(&body) {
        Ok(decision) => decision,
        Err(sentence) => return refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence),
    };
    if mode == EffectMode::Cohort && !ward_effects::has_cohort(class) {
        let sentence = "Account mail is off or live: who is in no cohort could not sign in.";
        return refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence);
    }
    if let Some(response) = quarantined(&app) {
        return response;
    }
    let done = async {
        ward_effects::decide(&app.db, &actor, class, mode, &reason).await?;
        let released = app.door.release(&app.db, class).await?;
        app.door.look(&app.db).await?;
        let mut answer = shown(&app, class).await?;
        answer["released"] = json!(released.queued);
        answer["expired"] = json!(released.expired);
        Ok(answer)
    };
    match done.await {
        Ok(answer) => respond::json(StatusCode::OK, &answer),
        Err(error) => failed(&error),
    }
}

/// There is no class of this name.
pub(crate) fn unknown_class() -> Response<Body> {
    let sentence = "There is no such class; GET /effects lists them.";
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", sentence)
}

fn decision(body: &[u8]) -> Result<(EffectMode, String), &'static str> {
    const WHAT: &str = "send {\"mode\": \"off\", \"cohort\" or \"live\", \"reason\": \"…\"}";
    let decision: Decision = serde_json::from_slice(body).map_err(|_| WHAT)?;
    let mode = EffectMode::from_text(&decision.mode).ok_or(WHAT)?;
    let reason = decision.reason.trim();
    match reason.chars().count() {
        0 => Err("reason can't be blank: it stands in the audit log"),
        count if count > REASON_CHARS_MAX => Err("reason has at most 500 characters"),
        _ => Ok((mode, reason.to_owned())),
    }
}

/// What failed for good of the caller's organization, latest first.
async fn letters(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    let actor = match desk(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    let class = match query.get("class").map(|class| EffectClass::from_text(class)) {
        Some(None) => {
            let sentence = "There is no such class; GET /effects lists them.";
            return refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence);
        }
        class => class.flatten(),
    };
    match ward_effects::failed(&app.db, actor.org_id, class).await {
        Ok(items) => respond::json(StatusCode::OK, &json!({"items": items})),
        Err(error) => failed(&error),
    }
}

/// Lets one be tried again.
async fn replay(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    let actor = match desk(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    if let Some(response) = quarantined(&app) {
        return response;
    }
    match ward_effects::replay(&app.db, &actor, &id).await {
        Ok(true) => respond::json(StatusCode::OK, &json!({"replayed": id})),
        Ok(false) => {
            let sentence = "There is no failed effect of this id; GET /effects/failed lists them.";
            refuse(StatusCode::NOT_FOUND, "NOT_FOUND", sentence)
        }
        Err(error) => failed(&error),
    }
}
