//! `GET /graphql` for browsers: the explorer, marked with its environment.
//! Built without Node.js, a plain page with the same marking says how to get it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use rust_embed::RustEmbed;
use ward_instance::Kind;

use crate::app::App;
use crate::respond::{bytes, refuse};

/// The explorer's build, when there is one.
#[derive(RustEmbed)]
#[folder = "../web/explorer/dist/"]
#[allow_missing = true]
struct Files;

/// Nothing from elsewhere, nothing inline.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response<Body> {
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if !wants_page {
        let mut response = refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "Send GraphQL requests with POST.",
        );
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let kind = app.instance.kind();
    let tag = app.instance.tag();
    let title = format!("[{}] Ward explorer, {tag}", kind.title());
    let html = match Files::get("index.html") {
        Some(file) => String::from_utf8_lossy(&file.data)
            .replace("__WARD_ENVIRONMENT__", kind.as_str())
            .replace("__WARD_INSTANCE__", tag.as_str())
            .replace("__WARD_TITLE__", &title),
        None => plain(&title, kind, tag.as_str()),
    };
    page_of(html)
}

/// An HTML page under the strict policy.
pub fn page_of(html: String) -> Response<Body> {
    let mut response = bytes(StatusCode::OK, "text/html; charset=utf-8", html.into_bytes());
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn plain(title: &str, kind: Kind, tag: &str) -> String {
    let (environment, what) = (kind.as_str(), kind.words());
    format!(
        "<!doctype html><html lang=\"en\" data-environment=\"{environment}\" data-instance=\"{tag}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><header><strong>{what}, tag {tag}</strong></header><main><h1>{title}</h1>\
         <p>This binary was built without the explorer. With Node.js 20.19 or later: <code>cd web/explorer &amp;&amp; npm ci &amp;&amp; npm run build</code>, then build Ward again. \
         The API itself is whole: send <code>POST /graphql</code>.</p></main><footer>{what}, tag {tag}</footer></body></html>"
    )
}

/// A file of the page.
pub async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response<Body> {
    let name = format!("assets/{path}");
    let accepts_gzip = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.contains("gzip"));
    let zipped = accepts_gzip.then(|| Files::get(&format!("{name}.gz"))).flatten();
    let is_zipped = zipped.is_some();
    let Some(file) = zipped.or_else(|| Files::get(&name)) else {
        return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "There is no such file.");
    };
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let mut response = bytes(StatusCode::OK, kind, file.data.into_owned());
    let lasting = if path.starts_with("static/") {
        "no-cache"
    } else {
        "public, max-age=31536000, immutable"
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_zipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
