//! `POST /keys/revoke`: whoever has found a key ends it by sending it (ISO-14).
//! No credential, and the same answer whatever was sent: nobody learns here
//! whether a text is a key.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value as Json, json};

use crate::app::App;
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// Reports a second from one address; nobody finds keys faster.
pub const REPORTS_A_SECOND: u32 = 5;
/// Bytes of a report.
const BODY: usize = 4 * 1024;

/// Takes a report: `{"api_key": "…"}`, or the key alone.
pub async fn post(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(facts) = parts.extensions.get::<Facts>().cloned() else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error");
    };
    if let Err(wait) = app.reports.take(&facts.address) {
        let sentence = "Too many requests. Please try again later.";
        let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", sentence);
        if let Ok(seconds) = HeaderValue::from_str(&wait.as_secs().max(1).to_string()) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        return response;
    }
    if app.is_quarantined() {
        return not_now();
    }
    let Ok(body) = Limited::new(body, BODY).collect().await else {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            "Send one key in at most 4 KiB.",
        );
    };
    // The store is asked whatever the text is, so that its state tells nothing.
    if app.db.read().await.is_err() {
        return not_now();
    }
    let text = reported(&body.to_bytes());
    match ward_identity::leak::revoke(&app.db, &text, &facts.id).await {
        Ok(()) => respond::json(
            StatusCode::OK,
            &json!({"message": "Thank you. If this is a live key of this server, it is revoked now and its owner is told."}),
        ),
        Err(error) => {
            tracing::error!(%error, "a reported key could not be revoked");
            not_now()
        }
    }
}

fn not_now() -> Response<Body> {
    refuse(
        StatusCode::SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        "This can't be done now. Nothing was changed; retry in a moment.",
    )
}

/// The key in a body.
fn reported(body: &[u8]) -> String {
    match serde_json::from_slice::<Json>(body) {
        Ok(Json::Object(object)) => {
            object.get("api_key").and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        Ok(Json::String(text)) => text,
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}
