//! A WebSocket client that says exactly what a test wants it to say.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Response;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Error, Message, WebSocket};

use crate::raw;

/// How long a look for silence takes.
const SILENCE: Duration = Duration::from_millis(300);

/// An open socket.
pub struct Socket {
    inner: WebSocket<TcpStream>,
    /// The answer to the handshake.
    pub response: Response,
}

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// A text message that is JSON.
    Json(Json),
    /// The end: the close code, 0 without one, and its reason.
    Closed(u16, String),
}

impl Socket {
    /// Opens a socket at a path; the status when it is refused.
    pub fn open(port: u16, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
        let mut request =
            format!("ws://127.0.0.1:{port}{path}").into_client_request().expect("an address");
        for (name, value) in headers {
            let name: tungstenite::http::HeaderName = name.parse().expect("a header's name");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        let stream = raw::connect(port).expect("a connection");
        match tungstenite::client::client(request, stream) {
            Ok((inner, response)) => Ok(Socket { inner, response }),
            Err(tungstenite::HandshakeError::Failure(Error::Http(response))) => {
                Err(response.status().as_u16())
            }
            Err(error) => panic!("no handshake: {error}"),
        }
    }

    /// Sends JSON.
    pub fn say(&mut self, json: &Json) {
        self.text(&json.to_string());
    }

    /// Sends a text; a socket that is closed meanwhile is no failure yet.
    pub fn text(&mut self, text: &str) {
        let _ = self.inner.send(Message::text(text));
    }

    /// Sends bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.inner.send(Message::binary(bytes.to_vec()));
    }

    /// Begins a text message, and leaves it without its end.
    pub fn begin(&mut self, part: &[u8]) {
        let part = Frame::message(part.to_vec(), OpCode::Data(Data::Text), false);
        let _ = self.inner.send(Message::Frame(part));
    }

    /// Whether a ping is answered; not, when the socket was closed.
    pub fn is_alive(&mut self) -> bool {
        let _ = self.inner.send(Message::Ping(tungstenite::Bytes::from_static(b"?")));
        loop {
            match self.inner.read() {
                Ok(Message::Pong(_)) => return true,
                Ok(Message::Close(_)) | Err(_) => return false,
                Ok(_) => {}
            }
        }
    }

    /// What comes next, pings of ActionCable too.
    #[track_caller]
    pub fn any(&mut self) -> Came {
        match self.read() {
            Some(came) => came,
            None => panic!("nothing came"),
        }
    }

    /// What comes next, without ActionCable's pings.
    #[track_caller]
    pub fn came(&mut self) -> Came {
        loop {
            match self.any() {
                Came::Json(json) if json["type"] == "ping" => {}
                other => return other,
            }
        }
    }

    /// The next message.
    #[track_caller]
    pub fn message(&mut self) -> Json {
        match self.came() {
            Came::Json(json) => json,
            Came::Closed(code, reason) => panic!("closed with {code} {reason}"),
        }
    }

    /// Reads until the end: its code and reason.
    #[track_caller]
    pub fn closed(&mut self) -> (u16, String) {
        loop {
            if let Came::Closed(code, reason) = self.any() {
                return (code, reason);
            }
        }
    }

    /// Asserts that nothing but pings comes for a while.
    #[track_caller]
    pub fn is_silent(&mut self) {
        let _ = self.inner.get_ref().set_read_timeout(Some(SILENCE));
        while let Some(came) = self.read() {
            assert!(matches!(&came, Came::Json(json) if json["type"] == "ping"), "{came:?}");
        }
        let _ = self.inner.get_ref().set_read_timeout(Some(crate::wait::PATIENCE));
    }

    fn read(&mut self) -> Option<Came> {
        loop {
            return match self.inner.read() {
                Ok(Message::Text(text)) => {
                    let json = serde_json::from_str(&text);
                    Some(Came::Json(json.unwrap_or_else(|_| panic!("no JSON: {text}"))))
                }
                Ok(Message::Close(frame)) => {
                    Some(frame.map_or(Came::Closed(0, String::new()), |frame| {
                        Came::Closed(frame.code.into(), frame.reason.to_string())
                    }))
                }
                Ok(_) => continue,
                Err(Error::Io(error))
                    if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) =>
                {
                    None
                }
                Err(_) => Some(Came::Closed(0, String::new())),
            };
        }
    }
}

/// The identifier of a channel, as a client makes it.
pub fn channel(id: &str) -> String {
    json!({"channel": "GraphqlChannel", "channelId": id}).to_string()
}

/// An ActionCable socket that was welcomed.
#[track_caller]
pub fn cable(port: u16, key: &str) -> Socket {
    let path = format!("/subscriptions?token={key}");
    let offered = [("Sec-WebSocket-Protocol", "actioncable-v1-json, actioncable-unsupported")];
    let mut socket = Socket::open(port, &path, &offered).expect("a socket");
    assert_eq!(socket.message()["type"], "welcome");
    socket
}

/// Subscribes on a channel of its own and waits until it listens.
#[track_caller]
pub fn listen(socket: &mut Socket, identifier: &str, query: &str) {
    socket.say(&json!({"command": "subscribe", "identifier": identifier}));
    let confirmed = socket.message();
    assert_eq!(confirmed["type"], "confirm_subscription", "{confirmed}");
    execute(socket, identifier, query);
    let first = socket.message();
    assert_eq!(first["message"], json!({"more": true, "result": {"data": {}}}), "{first}");
}

/// Says an operation on a channel.
pub fn execute(socket: &mut Socket, identifier: &str, query: &str) {
    let data = json!({"query": query, "variables": {}, "action": "execute"}).to_string();
    socket.say(&json!({"command": "message", "identifier": identifier, "data": data}));
}

/// A graphql-transport-ws socket that was acknowledged.
#[track_caller]
pub fn transport(port: u16, key: &str) -> Socket {
    let mut socket = unacknowledged(port);
    let payload = json!({"Authorization": format!("Basic {key}")});
    socket.say(&json!({"type": "connection_init", "payload": payload}));
    assert_eq!(socket.message(), json!({"type": "connection_ack"}));
    socket
}

/// A graphql-transport-ws socket that has said nothing yet.
#[track_caller]
pub fn unacknowledged(port: u16) -> Socket {
    let offered = [("Sec-WebSocket-Protocol", "graphql-transport-ws")];
    Socket::open(port, "/graphql/ws", &offered).expect("a socket")
}

/// Subscribes and waits until it listens: messages are read in order.
#[track_caller]
pub fn subscribe(socket: &mut Socket, id: &str, query: &str) {
    socket.say(&json!({"type": "subscribe", "id": id, "payload": {"query": query}}));
    socket.say(&json!({"type": "ping"}));
    assert_eq!(socket.message(), json!({"type": "pong"}));
}
