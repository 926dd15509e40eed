//! What happens to every request before and after its handler: the host, the
//! expected environment, the headers that name the instance.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use ward_instance::Instance;
use ward_instance::base_url::{BaseUrl, is_loopback_host};

use crate::app::App;
use crate::faults;
use crate::respond::refuse;
use crate::test_clock;

/// Facts of a request that handlers use.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The request's number.
    pub id: String,
    /// The caller's address, as far as it can be trusted.
    pub address: String,
}

/// Request headers that browsers of other sites may send.
const ALLOWED_HEADERS: &str = "Authorization, AuthorizationSource, AuthorizationShard, Content-Type, Content-MD5, Healthie-GraphQL-API-Version, Idempotency-Key, X-Expect-Environment, X-Causation-Id";
/// Answer headers that they may read.
const EXPOSED_HEADERS: &str =
    "X-Environment, X-Instance, X-Request-Id, X-Sandbox-Fault, Retry-After";

/// Wraps every route.
pub async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let id = app.request_number();
    let address =
        caller(&app, request.headers(), request.extensions().get::<ConnectInfo<SocketAddr>>());
    request.extensions_mut().insert(Facts { id: id.clone(), address });
    let mut response = match refused(&app, &request) {
        Some(response) => response,
        None if request.method() == Method::OPTIONS => preflight(),
        None => next.run(request).await,
    };
    app.answered.fetch_add(1, Ordering::Relaxed);
    if response.status().is_server_error() {
        app.failed.fetch_add(1, Ordering::Relaxed);
    }
    if let Some(tally) = app.tally.get()
        && let Some(fault) = response.headers().get(faults::MARK)
    {
        tally.note_fault(fault.to_str().unwrap_or_default(), response.status().as_u16());
    }
    mark(&app, &id, response.headers_mut());
    response
}

fn refused(app: &App, request: &Request) -> Option<Response<Body>> {
    if request.uri().path() == "/healthz" {
        return None;
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().host());
    if !host.is_some_and(|host| is_own_host(app, host)) {
        let message = format!(
            "This server answers to {} only; nothing was read. Check the address, or add the name to hosts in ward.toml.",
            app.instance.base_url()
        );
        return Some(refuse(StatusCode::MISDIRECTED_REQUEST, "WRONG_HOST", message));
    }
    let own = app.instance.kind().as_str();
    let is_own = |expected: &HeaderValue| {
        expected.to_str().is_ok_and(|expected| expected.trim().eq_ignore_ascii_case(own))
    };
    // Sent more than once, by a caller and by what forwards its requests, it counts each time.
    if request.headers().get_all("x-expect-environment").iter().all(is_own) {
        return None;
    }
    let message = format!(
        "This server is {own}, which is not the environment that X-Expect-Environment names; nothing was read or executed."
    );
    Some(refuse(StatusCode::MISDIRECTED_REQUEST, "UNEXPECTED_ENVIRONMENT", message))
}

/// The base URL's host, the configured further ones; all names of this very
/// machine are one host, on the port that is listened on.
fn is_own_host(app: &App, host: &str) -> bool {
    app.instance.with_base_url(|base| is_host_of(app, base, host))
}

fn is_host_of(app: &App, base: &BaseUrl, host: &str) -> bool {
    let (name, port) = split_host(host);
    let default_port = if base.is_secure() { 443 } else { 80 };
    let port = port.unwrap_or(default_port);
    if base.is_loopback() && is_loopback_host(name) {
        return port == base.effective_port();
    }
    (name.eq_ignore_ascii_case(base.host()) && port == base.effective_port())
        || app.config.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
}

fn split_host(host: &str) -> (&str, Option<u16>) {
    if let Some(end) = host.rfind(']') {
        let port = host[end + 1..].strip_prefix(':').and_then(|port| port.parse().ok());
        return (&host[..=end], port);
    }
    match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()),
        None => (host, None),
    }
}

/// The caller's address: the connection's, or what a trusted proxy says.
fn caller(app: &App, headers: &HeaderMap, connection: Option<&ConnectInfo<SocketAddr>>) -> String {
    let Some(ConnectInfo(peer)) = connection else { return "unknown".to_owned() };
    let peer = peer.ip().to_canonical();
    let trusted =
        app.config.trusted_proxy.as_deref().is_some_and(|network| in_network(peer, network));
    // The proxy adds at the end, in a line of its own too; what is before may be forged.
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.rsplit(',').next());
    match forwarded.and_then(|text| text.trim().parse::<IpAddr>().ok()) {
        Some(address) if trusted => address.to_canonical().to_string(),
        _ => peer.to_string(),
    }
}

fn in_network(address: IpAddr, network: &str) -> bool {
    let (base, bits) = network.split_once('/').unwrap_or((network, "128"));
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let prefix = |bytes: &[u8], bits: u32| -> Vec<u8> {
        bytes
            .iter()
            .enumerate()
            .map(|(n, byte)| {
                let kept = bits.saturating_sub(n as u32 * 8).min(8);
                byte & (0xff_u16 << (8 - kept)) as u8
            })
            .collect()
    };
    match (address, base) {
        (IpAddr::V4(a), IpAddr::V4(b)) => prefix(&a.octets(), bits) == prefix(&b.octets(), bits),
        (IpAddr::V6(a), IpAddr::V6(b)) => prefix(&a.octets(), bits) == prefix(&b.octets(), bits),
        _ => false,
    }
}

fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, OPTIONS"),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// The headers that every answer of an instance has.
pub fn marks(instance: &Instance) -> Vec<(HeaderName, HeaderValue)> {
    let tag = instance.tag();
    let marks = [
        ("x-environment", instance.kind().as_str()),
        ("x-instance", tag.as_str()),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", EXPOSED_HEADERS),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ];
    let header =
        |(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?));
    marks.into_iter().filter_map(header).collect()
}

/// Sets them, and what differs from answer to answer.
fn mark(app: &App, id: &str, headers: &mut HeaderMap) {
    headers.reserve(app.marks.len() + 3);
    for (name, value) in &app.marks {
        headers.insert(name.clone(), value.clone());
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if app.instance.with_base_url(BaseUrl::is_secure) {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if app.is_quarantined() {
        headers.insert(HeaderName::from_static("x-quarantined"), HeaderValue::from_static("true"));
    }
    if app.is_sandbox()
        && test_clock::is_moved(app.instance.clock())
        && let Ok(now) = HeaderValue::from_str(&app.instance.now().to_string())
    {
        headers.insert(HeaderName::from_static("x-sandbox-clock"), now);
    }
}
