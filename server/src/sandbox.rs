//! The Sandbox's control plane, `/sandbox/v1`: mounted only where the
//! Sandbox's witness is; elsewhere every path of it answers `SANDBOX_ONLY`.

mod clock;
mod openapi;

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;
use ward_effects::InboxFilter;
use ward_store::Actor;

use crate::admin::{self, Command, Context};
use crate::app::App;
use crate::credential;
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// The routes that exist so far.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/openapi.json", get(openapi::description))
        .route("/sandbox/v1/inbox", get(inbox))
        .route("/sandbox/v1/reset", post(reset))
        .merge(clock::routes())
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

/// An administrator or developer of the whole organization, or why not: what
/// the control plane shows and does is not cut to a sub-organization.
async fn desk(app: &App, headers: &HeaderMap, facts: &Facts) -> Result<Actor, Response<Body>> {
    let caller = credential::identify(app, headers, &facts.address).await.map_err(|refused| {
        let status = if refused.status == 503 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::UNAUTHORIZED
        };
        refuse(status, refused.code, refused.message)
    })?;
    if !caller.actor.is_member() {
        return Err(refuse(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "Send an API key of an administrator or developer.",
        ));
    }
    let may = ward_identity::is_admin(&caller.actor) || ward_identity::is_developer(&caller.actor);
    if may && caller.actor.is_at_root() {
        return Ok(caller.actor);
    }
    Err(refuse(
        StatusCode::FORBIDDEN,
        "PERMISSION_DENIED",
        "The control plane is for administrators and developers of the root organization.",
    ))
}

/// The same of the founding organization: what concerns everybody in the Sandbox.
async fn founding_desk(
    app: &App,
    headers: &HeaderMap,
    facts: &Facts,
) -> Result<Actor, Response<Body>> {
    let actor = desk(app, headers, facts).await?;
    match admin::is_founding(&app.db, actor.org_id).await {
        Ok(true) => Ok(actor),
        Ok(false) => Err(refuse(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "Only the founding organization may do this: it concerns everybody in the Sandbox.",
        )),
        Err(error) => Err(failed(&error)),
    }
}

/// Simulated messages of the caller's organization, newest first.
async fn inbox(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    let actor = match desk(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    let filter = match filter(&query) {
        Ok(filter) => filter,
        Err(sentence) => return refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence),
    };
    match ward_effects::inbox(&app.db, actor.org_id, filter).await {
        Ok(items) => respond::json(StatusCode::OK, &json!({"items": items})),
        Err(error) => failed(&error),
    }
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

/// Empties the Sandbox and moves its ids to a fresh slot.
async fn reset(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    let actor = match founding_desk(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    if !ward_identity::is_admin(&actor) {
        return refuse(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "Only the owner or an administrator may reset the Sandbox.",
        );
    }
    match admin::run(&Context::of(&app), Command::SandboxReset { seed: None }).await {
        Ok(mut answer) => {
            // The link signs in as the owner.
            if !actor.is_owner
                && let Some(answer) = answer.as_object_mut()
            {
                answer.remove("set_password_link");
            }
            respond::json(StatusCode::OK, &answer)
        }
        Err(error) => refuse(StatusCode::CONFLICT, "RESET_REFUSED", error.to_string()),
    }
}

fn failed(error: &ward_store::StoreError) -> Response<Body> {
    tracing::error!(%error, "the control plane failed");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error")
}
