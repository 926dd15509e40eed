//! The request of one attempt: headers and signatures over the bytes that are sent.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use ward_instance::{Fault, Instance, Timestamp};

use crate::address::Address;
use crate::deliver::claim::Claimed;
use crate::tables::Probe;
use crate::{secret, signature, validation};

const AGENT: &str = concat!("Ward/", env!("CARGO_PKG_VERSION"), " (webhooks)");

/// The request of an attempt at wall time `wall`; `None` when a header would not be one, which
/// the parts of a checked address never are.
pub fn request(
    claimed: &Claimed,
    address: &Address,
    instance: &Instance,
    wall: Timestamp,
    fault: Option<&Fault>,
) -> Option<Request<Full<Bytes>>> {
    let delivery = &claimed.delivery;
    let body = delivery.body.as_bytes();
    let id = delivery.event_id.0.as_str();
    let Seal { secrets, signed, seconds } = seal(claimed, instance, wall.as_seconds());
    let current = secrets.first().map(String::as_str).unwrap_or_default();
    let secrets = secrets.iter().map(String::as_str);
    let headers: [(&'static str, String); 12] = [
        ("content-digest", format!("SHA-256={}", signature::digest(signed.as_bytes()))),
        ("signature-input", signature::INPUT.to_owned()),
        (
            "signature",
            signature::contract(current, &address.path, &address.query, signed.as_bytes()),
        ),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature::standard(secrets, id, seconds, signed.as_bytes())),
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
    let is_replay = delivery.probe.is_none() && !delivery.replay.is_empty();
    let replay = is_replay.then(|| ("ward-replay", delivery.replay.clone()));
    // One held it back, another one may hit it now.
    let marks = delivery.fault.clone().into_iter().chain(fault.map(Fault::mark));
    let marks = marks.map(|mark| ("x-sandbox-fault", mark));
    for (name, value) in headers.into_iter().chain(replay).chain(marks) {
        request =
            request.header(HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?);
    }
    request.body(Full::new(Bytes::copy_from_slice(body))).ok()
}

/// What is signed, with which secrets and of which moment.
struct Seal<'a> {
    secrets: Cow<'a, [String]>,
    signed: Cow<'a, str>,
    seconds: i64,
}

/// Everything as it is, but for the probes that a receiver has to refuse.
fn seal<'a>(claimed: &'a Claimed, instance: &Instance, seconds: i64) -> Seal<'a> {
    let body = claimed.delivery.body.as_str();
    let mut seal = Seal {
        secrets: Cow::Borrowed(claimed.secrets.as_slice()),
        signed: Cow::Borrowed(body),
        seconds,
    };
    match claimed.delivery.probe {
        None | Some(Probe::Handshake | Probe::Genuine | Probe::Duplicate | Probe::Unknown) => {}
        Some(Probe::Forged) => seal.secrets = Cow::Owned(vec![secret::new(instance)]),
        Some(Probe::Altered) => seal.signed = Cow::Owned(validation::before_altering(body)),
        Some(Probe::Stale) => seal.seconds = seconds - validation::STALE_SECONDS,
    }
    seal
}
