//! The Sandbox's control plane, `/sandbox/v1`: mounted only where the
//! Sandbox's witness is; elsewhere every path of it answers `SANDBOX_ONLY`.

mod be;
mod clock;
mod faults;
mod forks;
mod meant;
mod openapi;
mod rehearsal;
mod requests;
mod snapshots;

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;
use ward_effects::InboxFilter;
use ward_instance::SandboxWitness;
use ward_store::StoreError;

use crate::admin::{self, Command, Context};
use crate::app::App;
use crate::desk::{Answered, desk, failed, founding_administrator, founding_desk, wrong};
use crate::guard::Facts;
use crate::packs::Pack;
use crate::place::ServerError;
use crate::respond::{self, refuse};
use crate::rooms;

/// The routes that exist so far; none in Production.
pub fn routes(_: &SandboxWitness) -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/openapi.json", get(openapi::description))
        .route("/sandbox/v1/inbox", get(inbox))
        .route("/sandbox/v1/packs", get(packs))
        .route("/sandbox/v1/reset", post(reset))
        .merge(be::routes())
        .route("/sandbox/v1/rooms/{meeting}", get(rooms::simulated))
        .route("/sandbox/v1/rooms/{meeting}/{door}", get(rooms::simulated_door))
        .merge(clock::routes())
        .merge(faults::routes())
        .merge(rehearsal::routes())
        .merge(requests::routes())
        .merge(snapshots::routes())
        .merge(forks::routes())
        .route("/sandbox/{*path}", axum::routing::any(unknown))
}

/// What the whole control plane answers in Production.
pub async fn only_there() -> Response<Body> {
    refuse(
        StatusCode::NOT_FOUND,
        "SANDBOX_ONLY",
        "The control plane exists in a Sandbox only; this server is Production.",
    )
}

async fn unknown() -> Response<Body> {
    refuse(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "The control plane has no such path; GET /sandbox/v1/openapi.json lists them.",
    )
}

/// Simulated messages of the caller's organization, newest first.
async fn inbox(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let actor = desk(&app, &headers, &facts).await?.actor;
    let filter = filter(&query).map_err(wrong)?;
    let items = ward_effects::inbox(&app.db, actor.org_id, filter).await;
    let items = items.map_err(|error| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &json!({"items": items})))
}

fn filter(query: &HashMap<String, String>) -> Result<InboxFilter, &'static str> {
    let since = query.get("since").map(|text| text.parse()).transpose();
    let limit = query.get("limit").map(|text| text.parse()).transpose();
    Ok(InboxFilter {
        to: query.get("to").cloned(),
        class: query.get("class").cloned(),
        since: since.map_err(|_| "since is a time such as 2026-01-31T09:00:00Z")?,
        limit: limit.map_err(|_| "limit is a whole number")?,
    })
}

/// The worlds that a Sandbox can be filled with.
async fn packs(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    founding_desk(&app, &headers, &facts).await?;
    Ok(respond::json(StatusCode::OK, &Pack::list()))
}

/// Empties the Sandbox and moves its ids to a fresh slot.
async fn reset(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let caller = founding_administrator(&app, &headers, &facts).await?;
    // Whoever asked may go away meanwhile: it is done to its end all the same.
    let context = Context::asked(&app, caller.world);
    let done = tokio::spawn(async move {
        let command = Command::SandboxReset { seed: None, pack: Pack::Standard };
        admin::run(&context, command).await
    });
    let done = done.await.map_err(|_| failed(&StoreError::internal("a reset panicked")))?;
    let mut answer = done.map_err(|error| match error {
        ServerError::Store(error @ StoreError::OtherWorld) => failed(&error),
        error => refuse(StatusCode::CONFLICT, "RESET_REFUSED", error.to_string()),
    })?;
    // The link signs in as the owner.
    if !caller.actor.is_owner
        && let Some(answer) = answer.as_object_mut()
    {
        answer.remove("set_password_link");
    }
    Ok(respond::json(StatusCode::OK, &answer))
}
