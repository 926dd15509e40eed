//! `POST /graphql`: from bytes to an engine request, and back.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use ward_engine::{Chosen, Incoming, Reply, RequestError, Upload, ViewId, choose, moment};
use ward_store::{Actor, Role, Uuid};

use crate::app::App;
use crate::credential::{self, Caller};
use crate::faults::Hit;
use crate::guard::Facts;
use crate::respond::{self, refuse};
use crate::{multipart, requests, tally};

/// The header that asks for a version.
pub const VERSION: &str = "healthie-graphql-api-version";
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
            let hit = Hit::of(&app, &parts.headers, &caller.actor, &incoming);
            if let Some(hit) = &hit
                && let Some(response) = hit.instead(&app).await
            {
                return response;
            }
            let response = {
                let Some(_inside) = app.admission.enter() else { return respond::overloaded() };
                let fault = hit.as_ref().map(Hit::name);
                let work = execute(&app, &parts.headers, facts, caller, (incoming, uploads), fault);
                app.admission.work(work).await
            };
            match hit {
                Some(hit) => hit.spoil(&app, response).await,
                None => response,
            }
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

/// The whole body, in one piece from the start: a list of its frames would hold
/// it twice.
async fn collect(body: Body, limit: usize) -> Result<Vec<u8>, Response<Body>> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(limit);
    let mut bytes = Vec::with_capacity(announced.min(limit));
    let mut body = Limited::new(body, limit);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| not_read(&*error, limit))?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

fn not_read(error: &(dyn Error + 'static), limit: usize) -> Response<Body> {
    if error.is::<LengthLimitError>() {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            format!("The body is larger than {} MiB; nothing was executed.", limit / 1024 / 1024),
        );
    }
    refuse(
        StatusCode::BAD_REQUEST,
        "BAD_REQUEST",
        "The body did not arrive whole; nothing was executed.",
    )
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
    read_request(json).map_err(|problem| refuse(problem.status, problem.code, problem.message))
}

/// What is wrong with what should be a request.
#[derive(Debug)]
pub struct Unreadable {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Unreadable {
    /// As an error of an answer.
    pub fn error(&self) -> RequestError {
        RequestError::coded(self.code, self.message)
    }
}

/// A JSON value as a request, whatever it came by.
pub fn read_request(json: Json) -> Result<Incoming, Unreadable> {
    let bad =
        |message| Unreadable { status: StatusCode::BAD_REQUEST, code: "BAD_REQUEST", message };
    let Json::Object(mut object) = json else {
        return Err(bad("Send one request as a JSON object; a list of requests is not accepted."));
    };
    let Some(Json::String(query)) = object.remove("query") else {
        return Err(bad("The body has no \"query\" text."));
    };
    if query.len() > DOCUMENT {
        return Err(Unreadable {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: "DOCUMENT_TOO_LARGE",
            message: "The query is longer than 256 KiB. Send values as variables.",
        });
    }
    let operation_name = match object.remove("operationName") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(name),
        Some(_) => return Err(bad("\"operationName\" is a text.")),
    };
    let variables = match object.remove("variables") {
        None | Some(Json::Null) => serde_json::Map::new(),
        Some(Json::Object(variables)) => variables,
        Some(Json::String(text)) => match serde_json::from_str(&text) {
            Ok(Json::Object(variables)) => variables,
            _ => return Err(bad("\"variables\" is a JSON object.")),
        },
        Some(_) => return Err(bad("\"variables\" is a JSON object.")),
    };
    Ok(Incoming { query, operation_name, variables })
}

async fn execute(
    app: &Arc<App>,
    headers: &HeaderMap,
    facts: Facts,
    caller: Caller,
    (incoming, uploads): (Incoming, Vec<Upload>),
    fault: Option<String>,
) -> Response<Body> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let chosen = match version(app, text(VERSION)) {
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
    let mut request = request_of(app, facts, caller, chosen.view);
    request.uploads = uploads;
    request.idempotency_key = idempotency_key;
    request.caused_by = text("x-causation-id").and_then(event_id);
    let request = Arc::new(request);
    let asked_at = app.instance.clock().wall();
    let reply = answer(app, request.clone(), &incoming, &chosen.warnings).await;
    if let Some(recorder) = &app.requests {
        let operations = app.engine.operations(&incoming, request.view);
        let answered_at = app.instance.clock().wall();
        let facts = requests::Facts { operations, asked_at, answered_at, fault };
        recorder.note(&request, &incoming, &reply, facts);
    }
    respond::reply(reply)
}

/// The event that a caller names as the cause of the request; what can't be one is
/// not an error, since clients pass on what they were sent (ISO-41).
fn event_id(text: &str) -> Option<Uuid> {
    let looks_like_one =
        text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    looks_like_one.then(|| Uuid(text.to_owned()))
}

/// A request of a caller, without files and without idempotency key.
pub fn request_of(app: &App, facts: Facts, caller: Caller, view: ViewId) -> ward_engine::Request {
    ward_engine::Request {
        instance: app.instance.clone(),
        db: app.db.in_world(caller.world),
        blobs: Some(app.blobs.clone()),
        zone: moment::zone(&caller.actor.time_zone).unwrap_or(TimeZone::UTC),
        actor: Arc::new(caller.actor),
        view,
        now: app.instance.now(),
        uploads: Vec::new(),
        request_id: facts.id,
        idempotency_key: None,
        caused_by: None,
        address: facts.address,
        session: caller.session,
        sign_up_open: app.config.sign_up == ward_instance::config::SignUp::Open,
        read_only: app.is_quarantined(),
        base_url: app.instance.base_url().to_string(),
        reads: ward_engine::Reads::default(),
        work: ward_engine::Work::default(),
        trail: app.requests.as_ref().map(|_| ward_engine::Trail::default()),
        refused: ward_engine::RefusedCodes::default(),
    }
}

/// Executes a query or a mutation, unless the instance is quarantined, and
/// notes what it used and what it was refused.
pub async fn answer(
    app: &App,
    request: Arc<ward_engine::Request>,
    incoming: &Incoming,
    warnings: &[Json],
) -> Reply {
    if app.is_quarantined() && !quarantine_admits(&request.actor, incoming) {
        let message = "This instance is quarantined: its files were moved, copied or restored. Administrators may read; ward attest ends it.";
        let error = RequestError::coded("QUARANTINED_INSTANCE", message);
        return ward_engine::reply(200, None, &[error], &[], false);
    }
    let reply = app.engine.execute(incoming, request.clone(), warnings).await;
    if let Some(tally) = app.tally.get() {
        let uncoded = reply.body.starts_with(b"{\"errors\"").then_some(tally::NO_CODE);
        let operations = app.engine.operations(incoming, request.view);
        tally.note(operations, reply.code.as_deref().or(uncoded), reply.status);
    }
    count_refusals(app, &request, reply.code.as_deref());
    app.exercises.note(&request.actor, app.instance.clock().wall());
    reply
}

/// Counts the refusals that tell of a mix-up or an attack: of the answer, and
/// those that were noted on the way.
pub fn count_refusals(app: &App, request: &ward_engine::Request, code: Option<&str>) {
    let is_refusal = |code: &&str| {
        matches!(
            *code,
            "PERMISSION_DENIED"
                | "TOO_MANY_REQUESTS"
                | "WRONG_ENVIRONMENT_ID"
                | "STALE_EPOCH_ID"
                | "CAUSATION_LOOP"
                | "WRONG_ENVIRONMENT_TOKEN"
                | "REAL_DATA_IN_SANDBOX"
        )
    };
    let actor = &request.actor;
    let who = actor.credential.as_deref().unwrap_or(&request.address);
    let known = (actor.role != Role::Anonymous).then_some(actor.as_ref());
    let noted = request.refused.take();
    for code in code.filter(is_refusal).into_iter().chain(noted.iter().copied()) {
        app.refusals.note(known, who, code, app.instance.clock().wall());
    }
}

/// In quarantine, administrators read; nobody writes.
fn quarantine_admits(actor: &Actor, incoming: &Incoming) -> bool {
    let reads = !incoming.query.contains("mutation");
    reads && (actor.is_owner || ward_identity::is_admin(actor))
}

/// The answer to who asks too often; counted.
pub fn too_many(app: &App, actor: Option<&Actor>, who: &str, wait: Duration) -> Response<Body> {
    app.refusals.note(actor, who, "TOO_MANY_REQUESTS", app.instance.clock().wall());
    respond::too_many(wait)
}

/// The view of the version that was asked for, if one was.
pub fn version(app: &App, asked: Option<&str>) -> Result<Chosen, RequestError> {
    choose(asked, app.sunset, moment_day(app))
}

/// The real clock's day, which sunset dates are judged on.
fn moment_day(app: &App) -> jiff::civil::Date {
    jiff::Timestamp::from_microsecond(app.instance.clock().wall().0)
        .map_or(jiff::civil::Date::ZERO, |now| now.to_zoned_datetime(TimeZone::UTC).date())
}
