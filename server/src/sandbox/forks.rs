//! `/sandbox/v1/forks`: for administrators and developers of the founding organization, since a
//! fork has everybody's data and answers everybody's keys.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::Value as Json;
use ward_store::StoreError;

use super::Named;
use super::snapshots::refused;
use crate::admin::Context;
use crate::app::App;
use crate::desk::{Answered, check_quarantine, failed, founding_desk, wrong};
use crate::guard::Facts;
use crate::place::ServerError;
use crate::{forks, respond};

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/forks", get(list).post(open).delete(end_all))
        .route("/sandbox/v1/forks/{id}", delete(end))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    ttl: Option<String>,
}

const WHAT: &str = "send {\"ttl\": \"20m\"}: how long the fork is to live";

async fn list(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    founding_desk(&app, &headers, &facts).await?;
    answered(forks::list(&Context::of(&app)))
}

async fn open(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    let wish = match body.is_empty() {
        true => Wish::default(),
        false => serde_json::from_slice(&body).map_err(|_| wrong(WHAT))?,
    };
    let ttl = forks::ttl(wish.ttl.as_deref()).map_err(|sentence| wrong(&sentence))?;
    check_quarantine(&app)?;
    // What was begun is finished, although whoever asked may go away.
    let work = tokio::spawn(async move {
        let context = Context::asked(&app, caller.world);
        forks::open(&context, Some(caller.actor), ttl).await
    });
    match work.await {
        Ok(outcome) => answered(outcome),
        Err(_) => Err(failed(&StoreError::internal("a fork panicked while it was made"))),
    }
}

async fn end(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    Named(id): Named,
    headers: HeaderMap,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    answered(forks::end(&Context::asked(&app, caller.world), Some(&id)).await)
}

async fn end_all(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    answered(forks::end(&Context::asked(&app, caller.world), None).await)
}

fn answered(outcome: Result<Json, ServerError>) -> Answered {
    match outcome {
        Ok(answer) => Ok(respond::json(StatusCode::OK, &answer)),
        Err(error) => Err(refused(&error, "FORK_REFUSED")),
    }
}
