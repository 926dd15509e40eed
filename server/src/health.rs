//! Whether the process, and the instance, are well.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use ward_store::{Query, Sql};

use crate::app::App;
use crate::respond::{bytes, json};

/// `GET /healthz`: the process answers.
pub async fn healthz(State(app): State<Arc<App>>) -> Response<Body> {
    json(
        StatusCode::OK,
        &serde_json::json!({"status": "ok", "environment": app.instance.kind().as_str(), "instance": app.instance.tag().as_str()}),
    )
}

/// `GET /readyz`: the store answers, takes writes and is this instance's. A clock
/// that was put back is told, but no reason not to serve; so is how far a Sandbox's is ahead of real
/// time, which it never is in Production.
pub async fn readyz(State(app): State<Arc<App>>) -> Response<Body> {
    let store = match app.db.read().await {
        Ok(mut reader) => reader.rows(&Sql::fixed("SELECT kind FROM instance", [])).await.is_ok(),
        Err(_) => false,
    };
    let writable = !app.db.is_broken();
    let ready = store && writable && !app.is_quarantined();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(
        status,
        &serde_json::json!({
            "ready": ready,
            "store": store,
            "writable": writable,
            "quarantined": app.is_quarantined(),
            "clock_behind_seconds": app.instance.clock().behind_micros() / 1_000_000,
            "clock_offset_seconds": app.instance.clock().offset_micros() / 1_000_000,
        }),
    )
}

/// `GET /metrics` on the private listener, in the Prometheus text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Response<Body> {
    let mut text = String::new();
    let labels =
        format!("{{environment=\"{}\",instance=\"{}\"}}", app.instance.kind(), app.instance.tag());
    let mut metric = |name: &str, kind: &str, help: &str, value: u64| {
        let _ =
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {value}");
    };
    metric(
        "ward_requests_total",
        "counter",
        "HTTP requests answered.",
        app.answered.load(Ordering::Relaxed),
    );
    metric(
        "ward_failed_requests_total",
        "counter",
        "HTTP requests answered with a status of 500 or more.",
        app.failed.load(Ordering::Relaxed),
    );
    metric(
        "ward_overload_refusals_total",
        "counter",
        "Requests refused because too many were at work.",
        app.admission.refused(),
    );
    metric("ward_sockets", "gauge", "Open WebSockets.", app.live.sockets() as u64);
    metric(
        "ward_subscriptions",
        "gauge",
        "Subscriptions that listen.",
        app.live.listeners() as u64,
    );
    metric(
        "ward_subscription_answers_total",
        "counter",
        "Answers handed to sockets.",
        app.live.told.load(Ordering::Relaxed),
    );
    metric(
        "ward_quarantined",
        "gauge",
        "1 while the instance is quarantined.",
        app.is_quarantined().into(),
    );
    metric(
        "ward_waiting_refusals",
        "gauge",
        "Refusals not yet in the audit log.",
        app.refusals.len() as u64,
    );
    bytes(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.into_bytes())
}
