//! `POST /callbacks/v1/{email|sms}`: what a mail server or an SMS provider tells later of what it
//! was given. In Production only, and only where the configuration has a token for it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
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
/// It arrives within this time.
const BODY_TIME: Duration = Duration::from_secs(30);
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
    let body = match arrived(body, BODY_TIME).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let report = match read(medium, &body) {
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

/// A report's bytes.
async fn arrived(body: Body, within: Duration) -> Result<Bytes, Response<Body>> {
    match tokio::time::timeout(within, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            "Send one report in at most 4 KiB.",
        )),
        Err(_) => Err(refuse(
            StatusCode::REQUEST_TIMEOUT,
            "BODY_TIMEOUT",
            "The report did not arrive within 30 seconds.",
        )),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_report_that_does_not_come_is_not_waited_for() {
        let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let refused = arrived(Body::from_stream(never), Duration::ZERO).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
        let large = Body::from(vec![b'x'; BODY + 1]);
        let refused = arrived(large, BODY_TIME).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(arrived(Body::from("{}"), BODY_TIME).await.unwrap(), "{}");
    }
}
