//! `POST /graphql`: from bytes to an engine request, and back.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use ward_engine::{Incoming, RequestError, Upload, choose, moment};
use ward_store::{Actor, Role};

use crate::app::App;
use crate::credential::{self, Caller};
use crate::guard::Facts;
use crate::multipart;
use crate::respond::{self, refuse};

/// Bytes of a body without a credential (trust ruling 11).
const ANONYMOUS_BODY: usize = 1024 * 1024;
/// Bytes of a body with one: files may be data URLs in it.
const BODY: usize = 32 * 1024 * 1024;
/// Bytes of the document.
const DOCUMENT: usize = 256 * 1024;
/// A body has to be here within this time.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Serves one GraphQL request.
pub async fn post(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(facts) = parts.extensions.get::<Facts>().cloned() else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error");
    };
    if app.admission.is_full() {
        return respond::overloaded();
    }
    if let Err(wait) = app.limiter.take(&facts.address) {
        return too_many(&app, None, &facts.address, wait);
    }
    let caller = match credential::identify(&app, &parts.headers, &facts.address).await {
        Ok(caller) => caller,
        Err(refused) => {
            app.refusals.note(None, &facts.address, refused.code, app.instance.clock().wall());
            // On /graphql a refused credential is an answer (behaviour 3.5).
            return respond::reply(ward_engine::reply(
                refused.status,
                None,
                &[RequestError::coded(refused.code, refused.message)],
                &[],
                false,
            ));
        }
    };
    if let Some(credential) = caller.actor.credential.as_deref()
        && let Err(wait) = app.limiter.take(credential)
    {
        return too_many(&app, Some(&caller.actor), credential, wait);
    }
    let read = tokio::time::timeout(BODY_TIME, read(&app, &parts.headers, body, &caller)).await;
    match read {
        Err(_) => refuse(
            StatusCode::REQUEST_TIMEOUT,
            "BODY_TIMEOUT",
            "The body did not arrive within 30 seconds; nothing was executed.",
        ),
        Ok(Err(response)) => response,
        Ok(Ok((incoming, uploads))) => {
            let Some(_inside) = app.admission.enter() else { return respond::overloaded() };
            let work = execute(&app, &parts.headers, facts, caller, incoming, uploads);
            app.admission.work(work).await
        }
    }
}

async fn read(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    caller: &Caller,
) -> Result<(Incoming, Vec<Upload>), Response<Body>> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "application/json" | "application/graphql+json" | "application/graphql-response+json" => {
            let limit = if caller.actor.role == Role::Anonymous { ANONYMOUS_BODY } else { BODY };
            let bytes = collect(body, limit).await?;
            incoming(&bytes).map(|incoming| (incoming, Vec::new()))
        }
        "multipart/form-data" if caller.actor.role == Role::Anonymous => Err(refuse(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "Files are accepted only with a credential.",
        )),
        "multipart/form-data" => multipart::read(app, content_type, body).await,
        _ => Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request as Content-Type: application/json, or files as multipart/form-data.",
        )),
    }
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, Response<Body>> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            format!("The body is larger than {} MiB; nothing was executed.", limit / 1024 / 1024),
        )),
        Err(_) => Err(refuse(
            StatusCode::BAD_REQUEST,
            "BAD_REQUEST",
            "The body did not arrive whole; nothing was executed.",
        )),
    }
}

/// A JSON body as a request.
pub fn incoming(bytes: &[u8]) -> Result<Incoming, Response<Body>> {
    let bad = |message: &str| refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    let Ok(text) = std::str::from_utf8(bytes) else { return Err(bad("The body is not UTF-8.")) };
    let json: Json = serde_json::from_str(text)
        .map_err(|_| bad("The body is not JSON. Send {\"query\": \"…\", \"variables\": {…}}."))?;
    from_json(json)
}

/// A JSON value as a request.
pub fn from_json(json: Json) -> Result<Incoming, Response<Body>> {
    let bad = |message: &str| Err(refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", message));
    let Json::Object(mut object) = json else {
        return bad("Send one request as a JSON object; a list of requests is not accepted.");
    };
    let Some(Json::String(query)) = object.remove("query") else {
        return bad("The body has no \"query\" text.");
    };
    if query.len() > DOCUMENT {
        return Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "DOCUMENT_TOO_LARGE",
            "The query is longer than 256 KiB. Send values as variables.",
        ));
    }
    let operation_name = match object.remove("operationName") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(name),
        Some(_) => return bad("\"operationName\" is a text."),
    };
    let variables = match object.remove("variables") {
        None | Some(Json::Null) => serde_json::Map::new(),
        Some(Json::Object(variables)) => variables,
        Some(Json::String(text)) => match serde_json::from_str(&text) {
            Ok(Json::Object(variables)) => variables,
            _ => return bad("\"variables\" is a JSON object."),
        },
        Some(_) => return bad("\"variables\" is a JSON object."),
    };
    Ok(Incoming { query, operation_name, variables })
}

async fn execute(
    app: &Arc<App>,
    headers: &HeaderMap,
    facts: Facts,
    caller: Caller,
    incoming: Incoming,
    uploads: Vec<Upload>,
) -> Response<Body> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let today = moment_day(app);
    let chosen = match choose(text("healthie-graphql-api-version"), app.sunset, today) {
        Ok(chosen) => chosen,
        Err(error) => return respond::reply(ward_engine::reply(400, None, &[error], &[], false)),
    };
    let idempotency_key = match text("idempotency-key") {
        Some(key)
            if key.is_empty()
                || key.len() > 255
                || !key.chars().all(|c| c.is_ascii_graphic() || c == ' ') =>
        {
            return refuse(
                StatusCode::BAD_REQUEST,
                "BAD_REQUEST",
                "Idempotency-Key is 1 to 255 printable ASCII characters.",
            );
        }
        key => key.map(str::to_owned),
    };
    if app.is_quarantined() && !quarantine_admits(&caller.actor, &incoming) {
        let message = "This instance is quarantined: its files were moved, copied or restored. Administrators may read; ward attest ends it.";
        return respond::reply(ward_engine::reply(
            200,
            None,
            &[RequestError::coded("QUARANTINED_INSTANCE", message)],
            &[],
            false,
        ));
    }
    let zone = moment::zone(&caller.actor.time_zone).unwrap_or(TimeZone::UTC);
    let actor = Arc::new(caller.actor);
    let request = Arc::new(ward_engine::Request {
        instance: app.instance.clone(),
        db: app.db.clone(),
        blobs: Some(app.blobs.clone()),
        actor: actor.clone(),
        view: chosen.view,
        now: app.instance.now(),
        zone,
        uploads,
        request_id: facts.id,
        idempotency_key,
        address: facts.address.clone(),
        session: caller.session,
        sign_up_open: app.config.sign_up == ward_instance::config::SignUp::Open,
        base_url: app.instance.base_url().to_string(),
        reads: ward_engine::Reads::default(),
        refused: ward_engine::RefusedCodes::default(),
    });
    let reply = app.engine.execute(&incoming, request.clone(), &chosen.warnings).await;
    let refused = request.refused.take();
    count_refusals(app, &actor, &facts.address, reply.code.as_deref(), &refused);
    app.exercises.note(&actor, app.instance.clock().wall());
    respond::reply(reply)
}

fn count_refusals(
    app: &App,
    actor: &Actor,
    address: &str,
    code: Option<&str>,
    noted: &[&'static str],
) {
    let is_refusal = |code: &&str| {
        matches!(
            *code,
            "PERMISSION_DENIED"
                | "TOO_MANY_REQUESTS"
                | "WRONG_ENVIRONMENT_ID"
                | "STALE_EPOCH_ID"
                | "WRONG_ENVIRONMENT_TOKEN"
        )
    };
    let who = actor.credential.as_deref().unwrap_or(address);
    let known = (actor.role != Role::Anonymous).then_some(actor);
    for code in code.filter(is_refusal).into_iter().chain(noted.iter().copied()) {
        app.refusals.note(known, who, code, app.instance.clock().wall());
    }
}

/// In quarantine, administrators read; nobody writes.
fn quarantine_admits(actor: &Actor, incoming: &Incoming) -> bool {
    let reads = !incoming.query.contains("mutation");
    reads && (actor.is_owner || ward_identity::is_admin(actor))
}

fn too_many(app: &App, actor: Option<&Actor>, who: &str, wait: Duration) -> Response<Body> {
    app.refusals.note(actor, who, "TOO_MANY_REQUESTS", app.instance.clock().wall());
    let mut response = refuse(
        StatusCode::TOO_MANY_REQUESTS,
        "TOO_MANY_REQUESTS",
        "Too many requests. Please try again later.",
    );
    let seconds = wait.as_secs().max(1).to_string();
    if let Ok(value) = HeaderValue::from_str(&seconds) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// The real clock's day, which sunset dates are judged on.
fn moment_day(app: &App) -> jiff::civil::Date {
    jiff::Timestamp::from_microsecond(app.instance.clock().wall().0)
        .map_or(jiff::civil::Date::ZERO, |now| now.to_zoned_datetime(TimeZone::UTC).date())
}
