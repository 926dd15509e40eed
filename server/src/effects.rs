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
use crate::credential::Caller;
use crate::desk::{
    Answered, check_quarantine, desk, failed, founding_administrator, founding_desk, reason, wrong,
};
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/effects", get(list))
        .route("/effects/{class}", post(set))
        .route("/effects/{class}/discard", post(discard))
        .route("/effects/failed", get(letters))
        .route("/effects/failed/{id}/replay", post(replay))
}

/// Every class, with how much of it has not happened, in the whole instance.
async fn list(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    founding_desk(&app, &headers, &facts).await?;
    let mut classes = Vec::new();
    for class in EffectClass::ALL.iter().copied() {
        classes.push(shown(&app, class).await.map_err(|error| failed(&error))?);
    }
    Ok(respond::json(StatusCode::OK, &json!({"classes": classes})))
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
) -> Answered {
    let Caller { actor, world, .. } = founding_administrator(&app, &headers, &facts).await?;
    let class = class_named(&class)?;
    let (mode, reason) = decision(&body).map_err(wrong)?;
    if mode == EffectMode::Cohort {
        check_cohort(class)?;
    }
    check_quarantine(&app)?;
    let done = async {
        ward_effects::decide(&app.db.in_world(world), &actor, class, mode, &reason).await?;
        let released = app.door.release(&app.db, class).await?;
        app.door.look(&app.db).await?;
        let mut answer = shown(&app, class).await?;
        answer["released"] = json!(released.queued);
        answer["expired"] = json!(released.expired);
        Ok(answer)
    };
    let answer = done.await.map_err(|error: StoreError| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Discarded {
    reason: String,
}

/// Gives up what waits of a class, instead of letting it go.
async fn discard(
    State(app): State<Arc<App>>,
    Path(class): Path<String>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let Caller { actor, world, .. } = founding_administrator(&app, &headers, &facts).await?;
    let class = class_named(&class)?;
    let said = serde_json::from_slice::<Discarded>(&body);
    let said = said.map_err(|_| wrong("send {\"reason\": \"…\"}"))?;
    let reason = reason(&said.reason).map_err(wrong)?;
    check_quarantine(&app)?;
    let done = async {
        let given_up =
            ward_effects::discard(&app.db.in_world(world), &actor, class, &reason).await?;
        let mut answer = shown(&app, class).await?;
        answer["discarded"] = json!(given_up);
        Ok(answer)
    };
    let answer = done.await.map_err(|error: StoreError| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &answer))
}

/// The class of this name.
pub(crate) fn class_named(text: &str) -> Result<EffectClass, Response<Body>> {
    EffectClass::from_text(text).ok_or_else(|| {
        let sentence = "There is no such class; GET /effects lists them.";
        refuse(StatusCode::NOT_FOUND, "NOT_FOUND", sentence)
    })
}

/// The class that a query asks for, if it does.
pub(crate) fn class_asked(
    query: &HashMap<String, String>,
) -> Result<Option<EffectClass>, Response<Body>> {
    query.get("class").map(|class| class_named(class)).transpose()
}

/// Refuses of a class that has no cohort.
pub(crate) fn check_cohort(class: EffectClass) -> Result<(), Response<Body>> {
    let sentence = match class {
        _ if ward_effects::has_cohort(class) => return Ok(()),
        EffectClass::Scan => {
            "Looks at files are off or live: they reach nobody who could be chosen."
        }
        _ => "Account mail is off or live: who is in no cohort could not sign in.",
    };
    Err(wrong(sentence))
}

fn decision(body: &[u8]) -> Result<(EffectMode, String), &'static str> {
    const WHAT: &str = "send {\"mode\": \"off\", \"cohort\" or \"live\", \"reason\": \"…\"}";
    let decision: Decision = serde_json::from_slice(body).map_err(|_| WHAT)?;
    let mode = EffectMode::from_text(&decision.mode).ok_or(WHAT)?;
    Ok((mode, reason(&decision.reason)?))
}

/// What failed for good of the caller's organization, latest first.
async fn letters(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let actor = desk(&app, &headers, &facts).await?.actor;
    let class = class_asked(&query)?;
    let items = ward_effects::failed(&app.db, actor.org_id, class).await;
    let items = items.map_err(|error| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &json!({"items": items})))
}

/// Lets one be tried again.
async fn replay(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let Caller { actor, world, .. } = desk(&app, &headers, &facts).await?;
    check_quarantine(&app)?;
    let replayed = ward_effects::replay(&app.db.in_world(world), &actor, &id).await;
    match replayed.map_err(|error| failed(&error))? {
        true => Ok(respond::json(StatusCode::OK, &json!({"replayed": id}))),
        false => {
            let sentence = "There is no failed effect of this id; GET /effects/failed lists them.";
            Err(refuse(StatusCode::NOT_FOUND, "NOT_FOUND", sentence))
        }
    }
}
