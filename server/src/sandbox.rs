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
mod worlds;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::json;
use ward_effects::InboxFilter;
use ward_instance::SandboxWitness;

use crate::app::App;
use crate::desk::{Answered, desk, failed, wrong};
use crate::guard::Facts;
use crate::respond::{self, refuse};
use crate::rooms;

/// The routes that exist so far; none in Production.
pub fn routes(_: &SandboxWitness) -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/openapi.json", get(openapi::description))
        .route("/sandbox/v1/inbox", get(inbox))
        .merge(worlds::routes())
        .merge(be::routes())
        .route("/sandbox/v1/rooms/{meeting}", get(rooms::simulated))
        .route("/sandbox/v1/rooms/{meeting}/{door}", get(rooms::simulated_door))
        .merge(clock::routes())
        .merge(faults::routes())
        .merge(rehearsal::routes())
        .merge(requests::routes())
        .merge(snapshots::routes())
        .merge(forks::routes())
        .method_not_allowed_fallback(other_method)
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

/// A path that is there, asked by a method that it does not have.
async fn other_method(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    desk(&app, &headers, &facts).await?;
    Err(refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "This path does not have the method; GET /sandbox/v1/openapi.json lists what each has.",
    ))
}

/// What a path names, empty where it is no text: who asks is looked at before what.
struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        Ok(Named(path.map(|Path(name)| name).unwrap_or_default()))
    }
}

/// Simulated messages of the caller's organization, newest first.
async fn inbox(
    State(app): State<Arc<App>>,
    query: Result<Query<HashMap<String, String>>, QueryRejection>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let actor = desk(&app, &headers, &facts).await?.actor;
    let Ok(Query(query)) = query else { return Err(wrong(FILTERS)) };
    let filter = filter(&query).map_err(wrong)?;
    let items = ward_effects::inbox(&app.db, actor.org_id, filter).await;
    let items = items.map_err(|error| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &json!({"items": items})))
}

const FILTERS: &str = "messages are found by to, class, since and limit, and by nothing else";

fn filter(query: &HashMap<String, String>) -> Result<InboxFilter, &'static str> {
    if query.keys().any(|name| !["to", "class", "since", "limit"].contains(&name.as_str())) {
        return Err(FILTERS);
    }
    let class = query.get("class").cloned();
    if class.as_deref().is_some_and(|class| !["email", "sms", "push", "video"].contains(&class)) {
        return Err("class is email, sms, push or video");
    }
    let since = query.get("since").map(|text| text.parse()).transpose();
    let limit = query.get("limit").map(|text| text.parse()).transpose();
    Ok(InboxFilter {
        to: query.get("to").cloned(),
        class,
        since: since.map_err(|_| "since is a time such as 2026-01-31T09:00:00Z")?,
        limit: limit.map_err(|_| "limit is a whole number")?,
    })
}
