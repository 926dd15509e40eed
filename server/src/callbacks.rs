//! `POST /callbacks/v1/{email|sms}`: what a mail server or an SMS provider tells later of what it
//! was given. In Production only, and only where the configuration has a token for it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde_json::Value as Json;
use ward_effects::Medium;
use ward_store::system::EffectOutcome;

use crate::app::App;
use crate::control;
use crate::respond::{refuse, unavailable};

/// Bytes of a report.
const BODY: usize = 4 * 1024;
/// Characters of a reference; longer ones are none of ours.
const REFERENCE: usize = 64;

/// Takes a report: `{"reference": "…", "state": "delivered"}`. The answer does not tell whether the
/// reference is known.
pub async fn post(
    State(app): State<Arc<App>>,
    Path(medium): Path<String>,
    request: Request,
) -> Response<Body> {
    let medium = Medium::from_text(&medium);
    let Some((medium, callbacks)) = medium.zip(app.door.callbacks()) else {
        return control::nowhere().await;
    };
    if !callbacks.is_open(medium) {
        return control::nowhere().await;
    }
    let (parts, body) = request.into_parts();
    if !callbacks.admits(medium, token(&parts.headers)) {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "The token is not the one of this callback.",
        );
    }
    if app.is_quarantined() {
        return unavailable("The instance is quarantined; report again later.");
    }
    let Ok(body) = Limited::new(body, BODY).collect().await else {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            "Send one report in at most 4 KiB.",
        );
    };
    let report = match read(medium, &body.to_bytes()) {
        Ok(report) => report,
        Err(sentence) => return refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence),
    };
    match ward_effects::told(&app.db, medium, &report.0, report.1).await {
        Ok(()) => {
            let mut taken = Response::new(Body::empty());
            *taken.status_mut() = StatusCode::NO_CONTENT;
            taken
        }
        Err(error) => {
            tracing::error!(%error, "a report could not be kept");
            unavailable("The report can't be kept now; report again later.")
        }
    }
}

fn token(headers: &HeaderMap) -> &str {
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default().trim()
}

/// Reference and state of a report.
fn read(medium: Medium, body: &[u8]) -> Result<(String, EffectOutcome), String> {
    let report: Json =
        serde_json::from_slice(body).map_err(|_| "The report is not JSON".to_owned())?;
    let reference = report["reference"].as_str().map(plain);
    let reference = reference.filter(|text| text.len() <= REFERENCE && !text.contains('\0'));
    let reference = reference.ok_or("reference is the one that the message came with")?;
    let tellable = ward_effects::tellable(medium);
    let state = report["state"].as_str().unwrap_or_default();
    match tellable.iter().find(|outcome| outcome.as_str() == state) {
        Some(outcome) => Ok((reference.to_owned(), *outcome)),
        None => {
            let known: Vec<&str> = tellable.iter().map(|outcome| outcome.as_str()).collect();
            Err(format!("state is one of {}", known.join(", ")))
        }
    }
}

/// A mail's reference may come as its whole `Message-ID`.
fn plain(reference: &str) -> &str {
    let reference = reference.trim_start_matches('<');
    reference.split_once('@').map_or(reference, |(local, _)| local)
}
