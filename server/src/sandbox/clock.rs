//! `/sandbox/v1/clock`: for administrators and developers of the founding organization, since
//! everybody in the Sandbox lives in its time.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Span;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ward_instance::Timestamp;

use crate::app::App;
use crate::desk::{Answered, check_quarantine, failed, founding_desk, wrong};
use crate::guard::Facts;
use crate::respond::{self, refuse};
use crate::settle;
use crate::test_clock::{self, Act, ClockError};

/// The clock's routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/clock", get(show))
        .route("/sandbox/v1/clock/freeze", post(freeze))
        .route("/sandbox/v1/clock/resume", post(resume))
        .route("/sandbox/v1/clock/rate", post(rate))
        .route("/sandbox/v1/clock/set", post(set))
        .route("/sandbox/v1/clock/advance", post(advance))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    to: String,
    #[serde(default = "yes")]
    settle: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: String,
    #[serde(default = "yes")]
    settle: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    rate: f64,
}

const fn yes() -> bool {
    true
}

async fn show(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    founding_desk(&app, &headers, &facts).await?;
    let limit = test_clock::idle_limit(&app.config);
    Ok(respond::json(StatusCode::OK, &test_clock::shown(app.instance.clock(), limit)))
}

async fn freeze(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    moved(app, &facts, &headers, Ok((Act::Freeze, false))).await
}

async fn resume(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    moved(app, &facts, &headers, Ok((Act::Resume, false))).await
}

async fn rate(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let what = "send {\"rate\": 60}: so many times as fast as real time";
    let act = read::<Rate>(&body, what).map(|Rate { rate }| (Act::Rate(rate), false));
    moved(app, &facts, &headers, act).await
}

async fn set(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let what = "send {\"to\": \"2026-03-02T09:00:00Z\"}, and \"settle\": false not to wait";
    let act = read::<Set>(&body, what).and_then(|set| {
        let to: Timestamp = set.to.parse().map_err(|_| what)?;
        Ok((Act::To(to), set.settle))
    });
    moved(app, &facts, &headers, act).await
}

async fn advance(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let what = "send {\"by\": \"PT1H\"} (or 90s, 20m, 3d), and \"settle\": false not to wait";
    let act = read::<Advance>(&body, what).and_then(|advance| {
        let by: Span = advance.by.parse().map_err(|_| what)?;
        Ok((Act::By(by), advance.settle))
    });
    moved(app, &facts, &headers, act).await
}

fn read<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, &'static str> {
    serde_json::from_slice(body).map_err(|_| what)
}

async fn moved(
    app: Arc<App>,
    facts: &Facts,
    headers: &HeaderMap,
    act: Result<(Act, bool), &'static str>,
) -> Answered {
    let caller = founding_desk(&app, headers, facts).await?;
    let (act, settle) = act.map_err(wrong)?;
    let Some(witness) = app.instance.witness().sandbox() else {
        return Ok(super::only_there().await);
    };
    check_quarantine(&app)?;
    // What was begun is finished, although whoever asked may go away.
    let work =
        tokio::spawn(async move { settle::move_clock(&app, witness, &caller, act, settle).await });
    Err(match work.await {
        Ok(Ok(answer)) => return Ok(respond::json(StatusCode::OK, &answer)),
        Ok(Err(ClockError::Store(error))) => failed(&error),
        Ok(Err(refused)) => refuse(StatusCode::CONFLICT, "CLOCK_REFUSED", refused.to_string()),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error"),
    })
}
