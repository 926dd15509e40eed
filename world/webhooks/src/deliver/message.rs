//! The request of one attempt: headers and signatures over the bytes that are sent.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use ward_instance::{Instance, Timestamp};

use crate::address::Address;
use crate::deliver::claim::Claimed;
use crate::signature;

const AGENT: &str = concat!("Ward/", env!("CARGO_PKG_VERSION"), " (webhooks)");

/// The request of an attempt at wall time `wall`; `None` when a header would not be one, which
/// the parts of a checked address never are.
pub fn request(
    claimed: &Claimed,
    address: &Address,
    instance: &Instance,
    wall: Timestamp,
) -> Option<Request<Full<Bytes>>> {
    let delivery = &claimed.delivery;
    let body = delivery.body.as_bytes();
    let seconds = wall.as_seconds();
    let id = delivery.event_id.0.as_str();
    let current = claimed.secrets.first().map(String::as_str).unwrap_or_default();
    let secrets = claimed.secrets.iter().map(String::as_str);
    let headers: [(&'static str, String); 12] = [
        ("content-digest", format!("SHA-256={}", signature::digest(body))),
        ("signature-input", signature::INPUT.to_owned()),
        ("signature", signature::contract(current, &address.path, &address.query, body)),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature::standard(secrets, id, seconds, body)),
        ("ward-event", delivery.event_type.clone()),
        ("ward-attempt", delivery.attempts.to_string()),
        ("ward-environment", instance.kind().as_str().to_owned()),
        ("ward-instance", instance.tag().to_string()),
        ("ward-logical-time", instance.now().to_string()),
        ("ward-cause", delivery.cause.as_str().to_owned()),
    ];
    let mut request = Request::post(address.target())
        .header(HOST, HeaderValue::from_str(&address.authority).ok()?)
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, signature::CONTENT_TYPE)
        .header(CONTENT_LENGTH, body.len());
    let replay = (!delivery.replay.is_empty()).then(|| ("ward-replay", delivery.replay.clone()));
    for (name, value) in headers.into_iter().chain(replay) {
        request =
            request.header(HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?);
    }
    request.body(Full::new(Bytes::copy_from_slice(body))).ok()
}
