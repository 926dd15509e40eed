//! ActionCable (behaviour 12) at `/subscriptions` and `/cable`: what
//! `@rails/actioncable` and its relatives speak.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::{Extensions, HeaderMap, Response, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_engine::Incoming;

use super::hub::Frame;
use super::intake::Intake;
use super::outgoing::{End, Outgoing};
use super::seat::{Begun, Refused, Seat};
use super::socket::{Farewell, Flow, Protocol, bounded, drive, goodbye};
use super::transport::{no_socket, unsupported};
use crate::app::App;
use crate::graphql;
use crate::guard::Facts;
use crate::respond;

/// The sub-protocol.
const PROTOCOL: &str = "actioncable-v1-json";
/// Clients come back after two beats that they missed.
const BEAT: Duration = Duration::from_secs(3);
/// Bytes of an identifier.
const IDENTIFIER: usize = 4 * 1024;
/// Channels of one socket.
const CHANNELS: usize = 200;

/// What the address may say, since browsers can't set headers.
#[derive(Debug, Deserialize)]
pub struct Address {
    token: Option<String>,
    api_version: Option<String>,
}

/// Opens a socket.
pub async fn connect(
    State(app): State<Arc<App>>,
    Query(address): Query<Address>,
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
    let asked = text(graphql::VERSION).or(address.api_version.as_deref());
    let view = match graphql::version(&app, asked) {
        Ok(chosen) => chosen.view,
        Err(error) => return unsupported(error),
    };
    let credential = address.token.as_deref().or(text(header::AUTHORIZATION.as_str()));
    let outgoing = Arc::new(Outgoing::new(app.live.budget.clone()));
    let Some(place) = app.live.enter(&facts.address, &outgoing) else {
        return respond::overloaded();
    };
    let sid = facts.id.clone();
    intake.begin(app.live.purse());
    let to = (&place, outgoing.clone());
    let seat = Seat::take(&app, credential.unwrap_or_default(), facts, view, to).await;
    let upgrade = bounded(upgrade).protocols([PROTOCOL]);
    upgrade
        .on_upgrade(move |socket| async move {
            match seat {
                Ok(seat) => {
                    outgoing.push(json!({"type": "welcome", "sid": sid}).to_string());
                    intake.accept(seat.purse().clone());
                    let cable = Cable { app: app.clone(), seat, channels: Vec::new() };
                    drive(socket, &outgoing, &intake, cable).await;
                }
                Err(Refused::Later) => {
                    goodbye(socket, disconnect("overloaded", true, 1013, "try again later")).await;
                }
                Err(_) => {
                    goodbye(socket, disconnect("unauthorized", false, 1008, "unauthorized")).await;
                }
            }
            drop(place);
        })
        .into_response()
}

/// A socket's state.
struct Cable {
    app: Arc<App>,
    seat: Seat,
    /// Identifiers that were confirmed.
    channels: Vec<Box<str>>,
}

/// A command of a client.
#[derive(Debug, Deserialize)]
struct Command {
    command: String,
    identifier: Option<String>,
    data: Option<String>,
}

impl Protocol for Cable {
    const BEAT: Duration = BEAT;

    async fn received(&mut self, text: &str) -> Flow {
        let Ok(command) = serde_json::from_str::<Command>(text) else { return invalid() };
        let Some(identifier) = command.identifier.filter(|it| it.len() <= IDENTIFIER) else {
            return invalid();
        };
        match command.command.as_str() {
            "subscribe" => self.subscribe(&identifier),
            "unsubscribe" => {
                self.seat.end(&identifier);
                let before = self.channels.len();
                self.channels.retain(|known| known.as_ref() != identifier);
                self.seat.release((before - self.channels.len()) * identifier.len());
            }
            // What is said to a channel that was not confirmed is heard by nobody.
            "message" if self.channels.iter().any(|known| known.as_ref() == identifier) => {
                self.message(&identifier, command.data.as_deref().unwrap_or_default()).await;
            }
            "message" => {}
            _ => return invalid(),
        }
        Flow::On
    }

    fn beat(&mut self) -> Result<Option<String>, Farewell> {
        let seconds = self.app.instance.clock().wall().0.div_euclid(1_000_000);
        Ok(Some(format!("{{\"type\":\"ping\",\"message\":{seconds}}}")))
    }

    fn farewell(&self, end: End) -> Farewell {
        match end {
            End::TooSlow => disconnect("too_slow", true, 1013, "too slow to read"),
            End::Restart => disconnect("server_restart", true, 1012, "server restart"),
            End::Revoked => disconnect("unauthorized", false, 1008, "unauthorized"),
            End::Failed => disconnect("server_error", true, 1011, "something could not be told"),
            End::Crowded => disconnect("overloaded", true, 1013, "try again later"),
            End::Silent => disconnect("silent", true, 1001, "no sign of life"),
        }
    }

    fn unreadable(&self, is_too_long: bool) -> Farewell {
        let (code, reason) =
            if is_too_long { (1009, "message too long") } else { (1007, "only JSON text is read") };
        disconnect("invalid_request", false, code, reason)
    }
}

impl Cable {
    fn subscribe(&mut self, identifier: &str) {
        let is_known = self.channels.iter().any(|known| known.as_ref() == identifier);
        let channel = serde_json::from_str::<Json>(identifier).unwrap_or(Json::Null);
        let is_good = channel["channel"] == "GraphqlChannel";
        let answer = if is_known
            || (is_good && self.channels.len() < CHANNELS && self.seat.hold(identifier.len()))
        {
            "confirm_subscription"
        } else {
            "reject_subscription"
        };
        if !is_known && answer == "confirm_subscription" {
            self.channels.push(identifier.into());
        }
        let answer = json!({"identifier": identifier, "type": answer});
        self.seat.outgoing.push(answer.to_string());
    }

    async fn message(&mut self, identifier: &str, data: &str) {
        let incoming = match incoming(data) {
            Ok(incoming) => incoming,
            Err(errors) => return self.send(identifier, false, &errors),
        };
        let frame = Frame::Cable(Json::from(identifier).to_string().into());
        match self.seat.begin(identifier, frame, incoming).await {
            Begun::Listening => self.send(identifier, true, "{\"data\":{}}"),
            Begun::Answered(reply) => {
                self.send(identifier, false, &String::from_utf8_lossy(&reply.body));
            }
        }
    }

    fn send(&self, identifier: &str, more: bool, result: &str) {
        let identifier = Json::from(identifier);
        self.seat.outgoing.push(format!(
            "{{\"identifier\":{identifier},\"message\":{{\"more\":{more},\"result\":{result}}}}}"
        ));
    }
}

/// What a message's data asks: an object with `query`, or the bare query. An
/// `action` that a client adds is always `execute`.
fn incoming(data: &str) -> Result<Incoming, String> {
    let json = match serde_json::from_str::<Json>(data) {
        Ok(Json::String(query)) => json!({"query": query}),
        Ok(object @ Json::Object(_)) => object,
        Ok(_) | Err(_) => json!({"query": data}),
    };
    graphql::read_request(json)
        .map_err(|problem| json!({"errors": [problem.error().to_json()]}).to_string())
}

fn invalid() -> Flow {
    Flow::Close(disconnect("invalid_request", false, 1007, "not a command of ActionCable"))
}

fn disconnect(reason: &str, reconnect: bool, code: u16, closed: &'static str) -> Farewell {
    let text = json!({"type": "disconnect", "reason": reason, "reconnect": reconnect});
    Farewell { text: Some(text.to_string()), code, reason: closed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_an_object_or_a_bare_query() {
        let query = "subscription { a }";
        for data in [
            json!({"query": query, "action": "execute"}).to_string(),
            json!({"query": query, "variables": {}, "operationName": null}).to_string(),
            json!(query).to_string(),
            query.to_owned(),
        ] {
            assert_eq!(incoming(&data).unwrap().query, query, "{data}");
        }
        for data in ["{}", "{\"query\":1}", "{\"query\":\"{a}\",\"variables\":[]}"] {
            assert!(incoming(data).unwrap_err().contains("errors"), "{data}");
        }
    }
}
