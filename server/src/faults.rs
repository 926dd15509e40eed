//! What the Sandbox's faults do to a request of the API ([`ward_instance::faults`]). In front of
//! the execution or behind it, never in it: what was committed is as if there were no fault.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use ward_engine::{Incoming, ViewId};
use ward_instance::{Fault, FaultKind};
use ward_store::Actor;

use crate::app::App;
use crate::graphql::VERSION;
use crate::respond::{self, refuse};

/// The header that says which fault an answer has.
pub const MARK: HeaderName = HeaderName::from_static("x-sandbox-fault");
/// Answers that are kept to be given again, and the largest of them, in bytes.
const KEPT_MAX: usize = 256;
const KEPT_BYTES: usize = 64 * 1024;
/// Requests that wait at once; further ones are not late.
pub const SLEEPERS: usize = 256;
/// How long the half of an answer has to leave before its connection ends.
const LEAVING: Duration = Duration::from_millis(100);

/// Answers of queries as they were when they were first asked under a fault, by who asked what.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<(i64, String), Bytes>>);

impl Kept {
    /// Forgets them: the faults have changed.
    pub fn forget(&self) {
        self.0.lock().clear();
    }
}

/// A fault that hits a request.
pub struct Hit {
    fault: Fault,
    /// Who asks what with which rights, where the answer may be one of before.
    question: Option<String>,
}

impl Hit {
    /// The fault that hits a request, if one does.
    pub fn of(app: &App, headers: &HeaderMap, actor: &Actor, incoming: &Incoming) -> Option<Self> {
        let wall = app.instance.clock().wall();
        let credential = actor.credential.as_deref();
        let fault = app.instance.faults().of_request(wall, credential, &incoming.query)?;
        let is_stale = fault.kind == FaultKind::StaleRead && !incoming.query.contains("mutation");
        let question = is_stale.then(|| question(headers, actor, incoming));
        Some(Hit { fault, question })
    }

    /// Which fault it is.
    pub fn name(&self) -> String {
        self.fault.mark()
    }

    /// What is answered instead of executing anything; a slow answer is waited for.
    pub async fn instead(&self, app: &App) -> Option<Response<Body>> {
        let response = match self.fault.kind {
            FaultKind::Latency => {
                self.wait(app).await;
                return None;
            }
            FaultKind::RateLimited => respond::too_many(Duration::from_secs(1)),
            FaultKind::InternalError => {
                refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error")
            }
            FaultKind::BadGateway => proxys(StatusCode::BAD_GATEWAY),
            // As an expired key is answered on /graphql (behaviour 3.5).
            FaultKind::ExpiredKey => {
                refuse(StatusCode::OK, "UNAUTHENTICATED", "API Key is Invalid")
            }
            _ => return None,
        };
        Some(self.marked(response))
    }

    /// The answer of the request, which was executed, as the fault leaves it.
    pub async fn spoil(&self, app: &App, response: Response<Body>) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return proxys(StatusCode::BAD_GATEWAY);
        };
        let body = match self.fault.kind {
            FaultKind::TimeoutAfterCommit => {
                self.wait(app).await;
                return self.marked(proxys(StatusCode::GATEWAY_TIMEOUT));
            }
            FaultKind::ConnectionReset => {
                parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
                torn(&body)
            }
            FaultKind::TruncatedJson => Body::from(body.slice(..body.len() / 2)),
            FaultKind::PartialErrors => Body::from(partial(app, &body).unwrap_or(body)),
            FaultKind::StaleRead => Body::from(self.stale(app, parts.status, body)),
            _ => Body::from(body),
        };
        self.marked(Response::from_parts(parts, body))
    }

    /// Late by the fault's time, unless so many are already that others would suffer from it.
    async fn wait(&self, app: &App) {
        if let Ok(_place) = app.sleepers.try_acquire() {
            tokio::time::sleep(Duration::from_millis(u64::from(self.fault.milliseconds))).await;
        }
    }

    /// The answer that the same question had when it was first asked under the fault. Who may not
    /// ask any more is told so, and an answer that is large or has errors is never of before.
    fn stale(&self, app: &App, status: StatusCode, body: Bytes) -> Bytes {
        let is_plain = status == StatusCode::OK && !body.starts_with(b"{\"errors\"");
        let Some(question) = &self.question else { return body };
        if !is_plain || body.len() > KEPT_BYTES || question.len() > KEPT_BYTES {
            return body;
        }
        let key = (self.fault.id, question.clone());
        let mut kept = app.stale.0.lock();
        if !kept.contains_key(&key) && kept.len() >= KEPT_MAX {
            return body;
        }
        kept.entry(key).or_insert(body).clone()
    }

    fn marked(&self, mut response: Response<Body>) -> Response<Body> {
        if let Ok(value) = HeaderValue::from_str(&self.fault.mark()) {
            response.headers_mut().insert(MARK, value);
        }
        response
    }
}

/// Who asks what, with which rights and in which view.
fn question(headers: &HeaderMap, actor: &Actor, incoming: &Incoming) -> String {
    let rights = (actor.role, actor.user_id, actor.org_id, actor.unit_id, actor.is_owner);
    let flags = (actor.flags, actor.credential.as_deref(), headers.get(VERSION));
    let variables = Json::Object(incoming.variables.clone());
    let operation = incoming.operation_name.as_deref();
    format!("{rights:?} {flags:?} {operation:?} {variables} {}", incoming.query)
}

/// An answer of something that stands between, which knows nothing of JSON.
fn proxys(status: StatusCode) -> Response<Body> {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let page = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n</body>\n</html>\n"
    );
    respond::bytes(status, "text/html", page.into_bytes())
}

/// Half of a body; then the connection ends. What stands before an error that comes at once is never
/// sent: the head and the half are given the time to leave.
fn torn(body: &Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    let first = stream::once(std::future::ready(Ok::<Bytes, io::Error>(half)));
    let end = stream::once(async {
        tokio::time::sleep(LEAVING).await;
        Err::<Bytes, io::Error>(io::ErrorKind::ConnectionReset.into())
    });
    Body::from_stream(first.chain(end))
}

/// The answer with its first field that is no null yet as one, beside an error; where that may not
/// be null, all data is (GraphQL October 2021, 6.4.4).
fn partial(app: &App, body: &Bytes) -> Option<Bytes> {
    let mut answer: Json = serde_json::from_slice(body).ok()?;
    let data = answer.get_mut("data")?.as_object_mut()?;
    let mut names: Vec<String> =
        data.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()).collect();
    names.sort_by_key(|name| !may_be_null(app, name));
    let name = names.into_iter().next()?;
    let error = json!({
        "message": "Internal server error",
        "path": [name],
        "extensions": {"code": "INTERNAL"},
    });
    match may_be_null(app, &name) {
        true => data[&name] = Json::Null,
        false => answer["data"] = Json::Null,
    }
    match answer.get_mut("errors").and_then(Json::as_array_mut) {
        Some(errors) => errors.push(error),
        None => answer["errors"] = json!([error]),
    }
    Some(Bytes::from(answer.to_string()))
}

/// Whether a root field of this name may be null in both views; an alias says nothing.
fn may_be_null(app: &App, name: &str) -> bool {
    let is_nullable = |view: ViewId| {
        let schema = &app.engine.view(view).ok()?.schema;
        ["Query", "Mutation"].into_iter().find_map(|root| {
            let field = schema.get_object(root)?.fields.get(name)?;
            Some(!field.ty.is_non_null())
        })
    };
    let found: Vec<bool> =
        [ViewId::Baseline, ViewId::V2026].into_iter().filter_map(is_nullable).collect();
    !found.is_empty() && found.into_iter().all(|it| it)
}
