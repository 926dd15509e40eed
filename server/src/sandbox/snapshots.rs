//! `/sandbox/v1/snapshots`: for administrators and developers of the founding organization, since
//! everybody in the Sandbox goes back with it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::Value as Json;
use ward_store::StoreError;
use ward_store::snapshots::Name;

use super::Named;
use crate::admin::Context;
use crate::app::App;
use crate::credential::Caller;
use crate::desk::{Answered, check_quarantine, failed, founding_desk, wrong};
use crate::guard::Facts;
use crate::place::ServerError;
use crate::respond::{self, refuse};
use crate::rewind;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/snapshots", get(list).post(take))
        .route("/sandbox/v1/snapshots/{name}", delete(remove))
        .route("/sandbox/v1/snapshots/{name}/restore", post(restore))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    name: String,
}

const WHAT: &str = "send {\"name\": \"before-import\"}: what the snapshot is to be called";

async fn list(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    founding_desk(&app, &headers, &facts).await?;
    answered(rewind::list(&Context::of(&app)))
}

async fn take(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    let Wish { name } = serde_json::from_slice(&body).map_err(|_| wrong(WHAT))?;
    done(app, Act::Take, caller, name).await
}

async fn remove(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    Named(name): Named,
    headers: HeaderMap,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    done(app, Act::Remove, caller, name).await
}

async fn restore(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    Named(name): Named,
    headers: HeaderMap,
) -> Answered {
    let caller = founding_desk(&app, &headers, &facts).await?;
    done(app, Act::Restore, caller, name).await
}

#[derive(Clone, Copy)]
enum Act {
    Take,
    Remove,
    Restore,
}

async fn done(app: Arc<App>, act: Act, caller: Caller, name: String) -> Answered {
    if let Err(sentence) = name.parse::<Name>() {
        return Err(wrong(sentence));
    }
    check_quarantine(&app)?;
    // What was begun is finished, although whoever asked may go away.
    let work = tokio::spawn(async move {
        let (context, actor) = (Context::asked(&app, caller.world), Some(caller.actor));
        match act {
            Act::Take => rewind::take(&context, actor, &name).await,
            Act::Remove => rewind::delete(&context, actor, &name).await,
            Act::Restore => rewind::restore(&context, actor, &name).await,
        }
    });
    match work.await {
        Ok(outcome) => answered(outcome),
        Err(_) => Err(failed(&StoreError::internal("a snapshot's work panicked"))),
    }
}

fn answered(outcome: Result<Json, ServerError>) -> Answered {
    match outcome {
        Ok(answer) => Ok(respond::json(StatusCode::OK, &answer)),
        Err(error) => Err(refused(&error, "SNAPSHOT_REFUSED")),
    }
}

/// Why it was not done.
pub fn refused(error: &ServerError, code: &str) -> Response<Body> {
    match error {
        ServerError::Store(error @ (StoreError::Unavailable(_) | StoreError::Full(_))) => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", error.to_string())
        }
        ServerError::Store(error) => failed(error),
        error => refuse(StatusCode::CONFLICT, code, error.to_string()),
    }
}
