//! `/sandbox/v1/requests`: what was asked of the Sandbox, and what it caused.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::json;

use super::Named;
use crate::app::App;
use crate::desk::{Answered, desk, failed};
use crate::guard::Facts;
use crate::requests::{self, Filter};
use crate::respond::{self, refuse};

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/requests", get(list))
        .route("/sandbox/v1/requests/{id}", get(show))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    key: Option<String>,
    operation: Option<String>,
    #[serde(default)]
    failed: bool,
    limit: Option<i64>,
}

const WHAT: &str =
    "A request is found by key, operation, failed (true or false) and limit (1 to 200).";

async fn list(
    State(app): State<Arc<App>>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let actor = desk(&app, &headers, &facts).await?.actor;
    let Ok(Query(wanted)) = wanted else { return Err(crate::desk::wrong(WHAT)) };
    let Wanted { key, operation, failed: only_failed, limit } = wanted;
    let filter = Filter { key, operation, failed: only_failed, limit };
    written(&app).await?;
    let items = requests::list(&app.db, actor.org_id, &filter).await;
    Ok(respond::json(StatusCode::OK, &json!({"items": items.map_err(|error| failed(&error))?})))
}

async fn show(
    State(app): State<Arc<App>>,
    Named(id): Named,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let actor = desk(&app, &headers, &facts).await?.actor;
    written(&app).await?;
    let _alone = match &app.requests {
        Some(requests) => Some(requests.looking.lock().await),
        None => None,
    };
    match requests::show(&app.db, actor.org_id, &id).await.map_err(|error| failed(&error))? {
        Some(request) => Ok(respond::json(StatusCode::OK, &request)),
        None => Err(refuse(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            format!(
                "There is no record of this request in your organization. The last {} of each key \
                 to /graphql have one; take the X-Request-Id of an answer.",
                requests::KEPT_OF_KEY
            ),
        )),
    }
}

/// Waits until what was answered before is there to be read.
async fn written(app: &App) -> Result<(), axum::http::Response<axum::body::Body>> {
    match &app.requests {
        Some(requests) if !app.is_quarantined() => {
            requests.flush(&app.db).await.map_err(|error| failed(&error))
        }
        _ => Ok(()),
    }
}
