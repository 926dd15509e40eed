//! What the Sandbox's faults do to a request of the API ([`ward_instance::faults`]). In front of
//! the execution or behind it, never in it: what was committed is as if there were no fault.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
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
const MARK: HeaderName = HeaderName::from_static("x-sandbox-fault");
/// Answers that are kept to be given again, and the largest of them, in bytes.
const KEPT_MAX: usize = 256;
const KEPT_BYTES: usize = 64 * 1024;

/// Answers of queries as they were when they were first asked under a fault.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<(i64, u64), Bytes>>);

/// A fault that hits a request.
pub struct Hit {
    fault: Fault,
    /// What tells the request's answer from others': who asks what.
    question: u64,
    is_query: bool,
}

impl Hit {
    /// The fault that hits a request, if one does.
    pub fn of(app: &App, headers: &HeaderMap, actor: &Actor, incoming: &Incoming) -> Option<Self> {
        let wall = app.instance.clock().wall();
        let credential = actor.credential.as_deref();
        let fault = app.instance.faults().of_request(wall, credential, &incoming.query)?;
        let mut hash = DefaultHasher::new();
        (actor.user_id, credential, &incoming.query, incoming.operation_name.as_deref())
            .hash(&mut hash);
        headers.get(VERSION).map(HeaderValue::as_bytes).hash(&mut hash);
        Json::Object(incoming.variables.clone()).to_string().hash(&mut hash);
        let is_query = !incoming.query.contains("mutation");
        Some(Hit { fault, question: hash.finish(), is_query })
    }

    /// What is answered instead of executing anything; a slow answer is waited for.
    pub async fn instead(&self) -> Option<Response<Body>> {
        let response = match self.fault.kind {
            FaultKind::Latency => {
                self.wait().await;
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
                self.wait().await;
                return self.marked(proxys(StatusCode::GATEWAY_TIMEOUT));
            }
            FaultKind::ConnectionReset => {
                parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
                torn(&body)
            }
            FaultKind::TruncatedJson => Body::from(body.slice(..body.len() / 2)),
            FaultKind::PartialErrors => Body::from(partial(app, &body).unwrap_or(body)),
            FaultKind::StaleRead => Body::from(self.stale(app, body)),
            _ => Body::from(body),
        };
        self.marked(Response::from_parts(parts, body))
    }

    async fn wait(&self) {
        tokio::time::sleep(Duration::from_millis(u64::from(self.fault.milliseconds))).await;
    }

    /// The answer that the same query by the same caller had when it was first asked under the
    /// fault.
    fn stale(&self, app: &App, body: Bytes) -> Bytes {
        if !self.is_query || body.len() > KEPT_BYTES {
            return body;
        }
        let mut kept = app.stale.0.lock();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.entry((self.fault.id, self.question)).or_insert(body).clone()
    }

    fn marked(&self, mut response: Response<Body>) -> Response<Body> {
        if let Ok(value) = HeaderValue::from_str(&self.fault.mark()) {
            response.headers_mut().insert(MARK, value);
        }
        response
    }
}

/// An answer of something that stands between, which knows nothing of JSON.
fn proxys(status: StatusCode) -> Response<Body> {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let page = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n</body>\n</html>\n"
    );
    respond::bytes(status, "text/html", page.into_bytes())
}

/// Half of a body; then the connection ends.
fn torn(body: &Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    Body::from_stream(futures_util::stream::iter([
        Ok(half),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]))
}

/// The answer with its first field that is no null yet as one, beside an error; where that may not
/// be null, all data is (GraphQL October 2021, 6.4.4).
fn partial(app: &App, body: &Bytes) -> Option<Bytes> {
    let mut answer: Json = serde_json::from_slice(body).ok()?;
    let data = answer.get_mut("data")?.as_object_mut()?;
    let has_value = |(_, value): &(&String, &mut Json)| !value.is_null();
    let (name, may_be_null) = {
        let mut found: Vec<_> = data.iter_mut().filter(has_value).map(|it| it.0.clone()).collect();
        found.sort_by_key(|name| !may_be_null(app, name));
        let first = found.into_iter().next()?;
        let may = may_be_null(app, &first);
        (first, may)
    };
    let error = json!({
        "message": "Internal server error",
        "path": [name],
        "extensions": {"code": "INTERNAL"},
    });
    match may_be_null {
        true => drop(data.insert(name, Json::Null)),
        false => answer["data"] = Json::Null,
    }
    match answer.get_mut("errors").and_then(Json::as_array_mut) {
        Some(errors) => errors.push(error),
        None => answer["errors"] = json!([error]),
    }
    Some(Bytes::from(answer.to_string()))
}

/// Whether a root field of this name may be null in both views.
fn may_be_null(app: &App, name: &str) -> bool {
    [ViewId::Baseline, ViewId::V2026].into_iter().all(|view| {
        let schema = &app.engine.view(view).schema;
        let is_required = |root: &str| {
            let field = schema.get_object(root).and_then(|object| object.fields.get(name));
            field.is_some_and(|field| field.ty.is_non_null())
        };
        !is_required("Query") && !is_required("Mutation")
    })
}
