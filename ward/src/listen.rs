//! `ward listen`: a webhook of its own, for as long as it runs, whose requests go on to a program
//! of yours just as they came: the same bytes to the same path, so that both signatures fit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use ward_webhooks::verify::{self, Arrived, Verdict};
use ward_webhooks::{catalogue, signature};

use crate::cli::ListenArgs;
use crate::failure::{Done, Failure};
use crate::graphql::{mutate, query};
use crate::http::Api;
use crate::output::{BOLD, DIM, GREEN, Out, PLAIN, RED};
use crate::signals::Signals;

/// A receiver's time: a little less than the instance gives us.
const PATIENCE: Duration = Duration::from_secs(9);

/// Headers of one connection, which the next has of its own.
const HOP: [&str; 4] = ["host", "connection", "content-length", "transfer-encoding"];

/// Where events go on to.
struct Forward {
    url: String,
    agent: ureq::Agent,
    /// Signs what comes.
    secret: String,
    /// Signs what goes on, when that is to be another webhook's.
    other: Option<String>,
    out: Out,
}

/// `ward listen`.
pub async fn run(args: ListenArgs, out: Out) -> Done {
    let target = target(&args.forward)?;
    let events = events(&args.events)?;
    let api = Api::sandbox(&args.there)?;
    let unable = |error| Failure::unavailable(format!("cannot listen on 127.0.0.1: {error}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(unable)?;
    let url = format!("http://{}{target}", listener.local_addr().map_err(unable)?);
    let mut signals = Signals::new()?;
    let (webhook, other) = tokio::task::block_in_place(|| {
        let other = args.sign_as.as_deref().map(|id| secret_of(&api, id)).transpose()?;
        Ok::<_, Failure>((open(&api, &url, &events)?, other))
    })?;
    let id = webhook["id"].as_str().unwrap_or_default().to_owned();
    announce(&webhook, &args.forward, events.len(), other.is_some(), out);
    let forward = Forward {
        url: args.forward.clone(),
        agent: agent(),
        secret: webhook["signature_secret"].as_str().unwrap_or_default().to_owned(),
        other,
        out,
    };
    let app = Router::new().fallback(pass_on).with_state(Arc::new(forward));
    tokio::select! {
        _ = axum::serve(listener, app) => {}
        _ = signals.next() => {}
    }
    tokio::task::block_in_place(|| {
        mutate(&api, "deleteWebhook", "webhook { id }", &json!({"id": id}))
    })
    .map(|_| out.say(format_args!("webhook {id} is removed")))
    .map_err(|failure| {
        let why = failure.sentence;
        Failure::unavailable(format!("webhook {id} could not be removed: {why}"))
    })
}

/// Path and query of the address to forward to, which the webhook's own has too.
fn target(forward: &str) -> Done<String> {
    let uri: Uri = forward
        .parse()
        .map_err(|_| Failure::usage(format!("--forward {forward} is no address")))?;
    if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
        return Err(Failure::usage(
            "--forward takes an address such as http://127.0.0.1:3000/hook",
        ));
    }
    Ok(uri.path_and_query().map_or("/", |target| target.as_str()).to_owned())
}

/// The members of the contract's enum that are asked for.
fn events(names: &[String]) -> Done<Vec<String>> {
    if names.is_empty() {
        return Ok(catalogue::EVENTS.iter().map(|(name, _)| catalogue::member(name)).collect());
    }
    let member = |name: &String| {
        let found = catalogue::find(name).map(catalogue::member);
        found.ok_or_else(|| Failure::usage(format!("{name} is no event of the catalogue")))
    };
    names.iter().map(member).collect()
}

fn open(api: &Api, url: &str, events: &[String]) -> Done<Json> {
    let events: Vec<Json> = events.iter().map(|event| json!({"event_type": event})).collect();
    let input = json!({"url": url, "webhook_events": events, "should_retry": false});
    let shown = "webhook { id url is_enabled signature_secret standard_signature_secret }";
    let mut made = mutate(api, "createWebhook", shown, &input).map_err(|failure| {
        let fix = match failure.sentence.starts_with("Url must") {
            true => "; the Sandbox has to be started with --allow-loopback-webhooks",
            false => "",
        };
        Failure { sentence: failure.sentence + fix, ..failure }
    })?;
    let webhook = made["webhook"].take();
    if webhook["is_enabled"] == false {
        mutate(api, "deleteWebhook", "webhook { id }", &json!({"id": webhook["id"]}))?;
        let sentence = "the organization has webhooks enabled by a validation only \
            (requires_webhook_validation); switch that off in this Sandbox to listen";
        return Err(Failure::said_no(sentence.to_owned()));
    }
    Ok(webhook)
}

fn secret_of(api: &Api, id: &str) -> Done<String> {
    let data =
        query(api, "{ webhooks(first: 100) { nodes { id signature_secret } } }", &json!({}))?;
    let nodes = data["webhooks"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = nodes.iter().find(|node| node["id"] == id);
    let secret = found.and_then(|node| node["signature_secret"].as_str());
    secret.map(str::to_owned).ok_or_else(|| Failure::said_no(format!("there is no webhook {id}")))
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(PATIENCE));
    config.build().into()
}

fn announce(webhook: &Json, forward: &str, events: usize, is_other: bool, out: Out) {
    let answer = json!({
        "webhook": webhook["id"],
        "forward": forward,
        "events": events,
        "signature_secret": webhook["signature_secret"],
        "standard_signature_secret": webhook["standard_signature_secret"],
    });
    out.answer(&answer, || {
        let secret = |name: &str| webhook[name].as_str().unwrap_or_default();
        let secrets = match is_other {
            true => "signed with the secret of the webhook that you named".to_owned(),
            false => format!(
                "signed with {BOLD}{}{PLAIN}\nfor Standard Webhooks {BOLD}{}{PLAIN}",
                secret("signature_secret"),
                secret("standard_signature_secret")
            ),
        };
        format!("{events} kinds of events go to {BOLD}{forward}{PLAIN}\n{secrets}\nCtrl-C ends")
    });
}

/// Passes a request on and answers as the receiver did; what is not signed is not passed on.
async fn pass_on(
    State(forward): State<Arc<Forward>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let target = uri.path_and_query().map(|target| target.as_str().to_owned());
    let named = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let mut headers: Vec<(String, String)> = headers.iter().filter_map(named).collect();
    let arrived = Arrived { target: target.as_deref(), headers: &headers, body: &body };
    let is_own =
        method == Method::POST && verify::standard(&forward.secret, &arrived) == Verdict::Valid;
    if !is_own {
        forward.out.say("a request came that the instance has not signed; it was not passed on");
        return (StatusCode::UNAUTHORIZED, Bytes::new());
    }
    if let Some(secret) = &forward.other {
        sign_anew(secret, target.as_deref().unwrap_or("/"), &mut headers, &body);
    }
    let began = Instant::now();
    let (sender, sent) = (forward.clone(), (headers.clone(), body.clone()));
    let answered = tokio::task::spawn_blocking(move || send(&sender, &sent.0, &sent.1)).await;
    let answered = answered.unwrap_or_else(|_| Err("it was cut off".to_owned()));
    tell(&forward, &headers, &body, &answered, began.elapsed());
    answered.unwrap_or_else(|_| (StatusCode::BAD_GATEWAY, Bytes::new()))
}

/// Both signatures by another webhook's secret.
fn sign_anew(secret: &str, target: &str, headers: &mut [(String, String)], body: &[u8]) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let of = |name: &str| {
        let found = headers.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let seconds = of("webhook-timestamp").parse().unwrap_or(0);
    let standard = signature::standard([secret], &of("webhook-id"), seconds, body);
    for (name, value) in headers {
        match name.as_str() {
            "signature" => *value = signature::contract(secret, path, query, body),
            "webhook-signature" => value.clone_from(&standard),
            _ => {}
        }
    }
}

fn send(
    forward: &Forward,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<(StatusCode, Bytes), String> {
    let mut request = forward.agent.post(&forward.url);
    for (name, value) in headers.iter().filter(|(name, _)| !HOP.contains(&name.as_str())) {
        request = request.header(name, value);
    }
    let mut response = request.send(body).map_err(|error| error.to_string())?;
    // A receiver's answer may be longer than anybody reads.
    let body = response.body_mut().with_config().limit(64 * 1024).read_to_vec();
    Ok((response.status(), body.unwrap_or_default().into()))
}

/// One line for one request.
fn tell(
    forward: &Forward,
    headers: &[(String, String)],
    body: &[u8],
    answered: &Result<(StatusCode, Bytes), String>,
    took: Duration,
) {
    let header = |name: &str| {
        let found = headers.iter().find(|(it, _)| it == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let payload: Json = serde_json::from_slice(body).unwrap_or_default();
    let status = answered.as_ref().ok().map(|(status, _)| status.as_u16());
    let error = answered.as_ref().err();
    let event = json!({
        "event": header("ward-event"),
        "event_id": header("webhook-id"),
        "cause": header("ward-cause"),
        "at": header("ward-logical-time"),
        "payload": payload,
        "status": status,
        "error": error,
        "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    forward.out.answer(&event, || {
        let time = header("ward-logical-time").get(11..19).unwrap_or_default();
        let record = format!(
            "{} {}",
            crate::output::plain(&payload["resource_id_type"]),
            crate::output::plain(&payload["resource_id"])
        );
        let came = match (status, error) {
            (Some(status @ 200..=299), _) => format!("{GREEN}{status}{PLAIN}"),
            (Some(status), _) => format!("{RED}{status}{PLAIN}"),
            (None, error) => format!("{RED}{}{PLAIN}", error.map_or("", String::as_str)),
        };
        let (event, millis) = (header("ward-event"), took.as_millis());
        format!("{DIM}{time}{PLAIN} {BOLD}{event}{PLAIN} {record} → {came} {DIM}{millis} ms{PLAIN}")
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_kept() {
        assert_eq!(target("http://127.0.0.1:3000/hook?a=1").unwrap(), "/hook?a=1");
        assert_eq!(target("http://127.0.0.1:3000").unwrap(), "/");
        for wrong in ["", "hook", "https://127.0.0.1/", "ftp://127.0.0.1/", "/hook"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_by_their_names() {
        assert_eq!(events(&["patient.created".to_owned()]).unwrap(), ["PATIENT_CREATED"]);
        assert_eq!(events(&[]).unwrap().len(), catalogue::EVENTS.len());
        assert!(events(&["patient.dreamt".to_owned()]).is_err());
    }
}
