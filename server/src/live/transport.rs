//! graphql-transport-ws at `/graphql/ws`: what the `graphql-ws` client and
//! Apollo's `GraphQLWsLink` speak. Not of the contract; beside it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_engine::{Reply, RequestError, ViewId};

use super::hub::{Frame, Place};
use super::intake::Intake;
use super::outgoing::{End, Outgoing};
use super::seat::{Begun, Refused, Seat};
use super::socket::{Farewell, Flow, Protocol, bounded, drive, goodbye};
use crate::app::App;
use crate::graphql;
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// The sub-protocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// The first message has to be here within this time.
const INIT_BEATS: u32 = 10;
/// Bytes of an operation's id.
const ID: usize = 256;

/// Opens a socket.
pub async fn connect(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response<Body> {
    let Ok(upgrade) = upgrade else { return no_socket(PROTOCOL) };
    let intake = extensions.get::<Arc<Intake>>().cloned().unwrap_or_default();
    let Some(facts) = extensions.get::<Facts>().cloned() else { return respond::overloaded() };
    if let Err(wait) = app.limiter.take(&facts.address) {
        return graphql::too_many(&app, None, &facts.address, wait);
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let view = match graphql::version(&app, text(graphql::VERSION)) {
        Ok(chosen) => chosen.view,
        Err(error) => return unsupported(error),
    };
    let outgoing = Arc::new(Outgoing::new(app.live.budget.clone()));
    let Some(place) = app.live.enter(&facts.address, &outgoing) else {
        return respond::overloaded();
    };
    let credential = text(header::AUTHORIZATION.as_str()).map(str::to_owned);
    intake.begin(app.live.purse());
    let upgrade = bounded(upgrade).protocols([PROTOCOL]);
    let is_spoken = upgrade.selected_protocol().is_some();
    upgrade
        .on_upgrade(move |socket| async move {
            if is_spoken {
                let (to, taken) = (outgoing.clone(), intake.clone());
                #[rustfmt::skip]
                let state = Transport { app, facts, view, credential, outgoing, intake, seat: None, place, beats: 0 };
                drive(socket, &to, &taken, state).await;
            } else {
                goodbye(socket, close(4406, "Subprotocol not acceptable")).await;
                drop(place);
            }
        })
        .into_response()
}

/// The answer to who wants no socket.
pub fn no_socket(protocol: &'static str) -> Response<Body> {
    let message = format!("Only WebSockets are served here, with the sub-protocol {protocol}.");
    let mut response = refuse(StatusCode::UPGRADE_REQUIRED, "UPGRADE_REQUIRED", message);
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// The answer to who wants a version that is not served.
pub fn unsupported(error: RequestError) -> Response<Body> {
    respond::reply(ward_engine::reply(400, None, &[error], &[], false))
}

/// A socket's state.
struct Transport {
    app: Arc<App>,
    facts: Facts,
    view: ViewId,
    credential: Option<String>,
    outgoing: Arc<Outgoing>,
    intake: Arc<Intake>,
    seat: Option<Seat>,
    place: Place,
    /// Seconds without a first message.
    beats: u32,
}

/// A message of a client.
#[derive(Debug, Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Json>,
}

impl Protocol for Transport {
    const BEAT: Duration = Duration::from_secs(1);

    async fn received(&mut self, text: &str) -> Flow {
        let Ok(said) = serde_json::from_str::<Said>(text) else {
            return Flow::Close(close(4400, "Invalid message"));
        };
        let id = said.id.filter(|id| !id.is_empty() && id.len() <= ID);
        match (said.kind.as_str(), id) {
            ("connection_init", _) => self.init(said.payload.unwrap_or(Json::Null)).await,
            ("ping", _) => {
                let pong = match said.payload {
                    Some(payload) => json!({"type": "pong", "payload": payload}),
                    None => json!({"type": "pong"}),
                };
                self.outgoing.push(pong.to_string());
                Flow::On
            }
            ("pong", _) => Flow::On,
            ("subscribe", Some(id)) => {
                self.subscribe(&id, said.payload.unwrap_or(Json::Null)).await
            }
            ("complete", Some(id)) => {
                if let Some(seat) = &mut self.seat {
                    seat.end(&id);
                }
                Flow::On
            }
            _ => Flow::Close(close(4400, "Invalid message")),
        }
    }

    fn beat(&mut self) -> Result<Option<String>, Farewell> {
        if self.seat.is_none() {
            self.beats += 1;
            if self.beats >= INIT_BEATS {
                return Err(close(4408, "Connection initialisation timeout"));
            }
        }
        Ok(None)
    }

    fn farewell(&self, end: End) -> Farewell {
        match end {
            End::TooSlow => close(1013, "Too slow to read"),
            End::Restart => close(1012, "Server restart"),
            End::Revoked => close(4401, "Unauthorized"),
            End::Failed => close(1011, "Something could not be told"),
            End::Crowded => close(1013, "Try again later"),
            End::Silent => close(1001, "No sign of life"),
        }
    }

    fn unreadable(&self, is_too_long: bool) -> Farewell {
        if is_too_long { close(1009, "Message too long") } else { close(4400, "Invalid message") }
    }
}

impl Transport {
    async fn init(&mut self, payload: Json) -> Flow {
        if self.seat.is_some() {
            return Flow::Close(close(4429, "Too many initialisation requests"));
        }
        if let Some(farewell) = self.expected_elsewhere(&payload) {
            return Flow::Close(farewell);
        }
        if let Some(asked) = found(&payload, graphql::VERSION) {
            match graphql::version(&self.app, Some(asked)) {
                Ok(chosen) => self.view = chosen.view,
                Err(_) => return Flow::Close(close(4400, "Unsupported API version")),
            }
        }
        let given = found(&payload, "authorization").or(found(&payload, "token"));
        let credential = given.or(self.credential.as_deref()).unwrap_or_default().to_owned();
        let (facts, to) = (self.facts.clone(), (&self.place, self.outgoing.clone()));
        match Seat::take(&self.app, &credential, facts, self.view, to).await {
            Ok(seat) => {
                self.intake.accept(seat.purse().clone());
                self.seat = Some(seat);
                self.credential = None;
                self.outgoing.push("{\"type\":\"connection_ack\"}".to_owned());
                Flow::On
            }
            Err(refused) => Flow::Close(match refused {
                Refused::Later => close(1013, "Try again later"),
                Refused::Invalid => close(4403, "Forbidden"),
                Refused::OtherEnvironment => {
                    close(4403, "Forbidden: the credential is of the other environment")
                }
                Refused::OtherInstance => {
                    close(4403, "Forbidden: the credential is of another instance")
                }
            }),
        }
    }

    /// As over HTTP, who expects another environment is told before anything is read.
    fn expected_elsewhere(&self, payload: &Json) -> Option<Farewell> {
        let own = self.app.instance.kind().as_str();
        let is_own = |expected: &Json| {
            expected.is_null()
                || expected.as_str().is_some_and(|it| it.trim().eq_ignore_ascii_case(own))
        };
        (!members(payload, "x-expect-environment").all(is_own))
            .then(|| close(4403, "Forbidden: this server is not of the expected environment"))
    }

    async fn subscribe(&mut self, id: &str, payload: Json) -> Flow {
        let Some(seat) = &mut self.seat else { return Flow::Close(close(4401, "Unauthorized")) };
        if seat.listens(id) {
            return Flow::Close(close(4409, "Subscriber already exists"));
        }
        let Ok(incoming) = graphql::read_request(payload) else {
            return Flow::Close(close(4400, "Invalid message"));
        };
        let id_json = Json::from(id).to_string();
        let frame = Frame::Transport(id_json.as_str().into());
        if let Begun::Answered(reply) = seat.begin(id, frame, incoming).await {
            for text in answered(&id_json, &reply) {
                self.outgoing.push(text);
            }
        }
        Flow::On
    }
}

/// A query's or mutation's one answer; an operation that did not run is an error.
fn answered(id: &str, reply: &Reply) -> Vec<String> {
    let body = String::from_utf8_lossy(&reply.body);
    if body.starts_with("{\"data\":") {
        return vec![
            format!("{{\"id\":{id},\"type\":\"next\",\"payload\":{body}}}"),
            format!("{{\"id\":{id},\"type\":\"complete\"}}"),
        ];
    }
    let json: Json = serde_json::from_str(&body).unwrap_or(Json::Null);
    let errors = json.get("errors").cloned().unwrap_or_else(|| json!([]));
    vec![format!("{{\"id\":{id},\"type\":\"error\",\"payload\":{errors}}}")]
}

/// A member of the first message's payload, whatever the case of its name.
fn found<'a>(payload: &'a Json, name: &'a str) -> Option<&'a str> {
    members(payload, name).next()?.as_str()
}

/// All of them: the same name may be there in several cases.
fn members<'a>(payload: &'a Json, name: &'a str) -> impl Iterator<Item = &'a Json> {
    let all = payload.as_object().into_iter().flatten();
    all.filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn close(code: u16, reason: &'static str) -> Farewell {
    Farewell { text: None, code, reason }
}
