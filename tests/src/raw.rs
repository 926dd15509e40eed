//! HTTP/1.1 by hand, for what a client library would not send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use serde_json::Value as Json;

use crate::api::V2026;
use crate::wait::PATIENCE;

/// What came back before the server closed the connection.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; 0 when there was no answer.
    pub status: u16,
    /// The status line and the headers, as sent.
    pub head: String,
    /// The body, as sent.
    pub body: String,
}

impl Answer {
    /// A header's value; the last of several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .next_back()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or(Json::Null)
    }
}

/// Opens a connection.
pub fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends the head of a GraphQL request and waits until the server asks for its body: it is in
/// flight, and its caller is known.
#[track_caller]
pub fn hold(port: u16, key: &str, body: &str) -> TcpStream {
    let mut stream = connect(port).unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Authorization: Basic {key}\r\nHealthie-GraphQL-API-Version: {V2026}\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let interim = read(&mut stream);
    assert_eq!(interim.status, 100, "{}", interim.head);
    stream
}

/// Sends a text and reads one answer.
pub fn exchange(port: u16, request: &str) -> Answer {
    let mut stream = connect(port).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read(&mut stream)
}

/// Reads one answer: its head, and as much body as its length says.
pub fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut chunk = [0; 8 * 1024];
    loop {
        if let Some(answer) = whole(&bytes) {
            return answer;
        }
        match stream.read(&mut chunk) {
            Ok(0) => return torn(&bytes),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return torn(&bytes),
            Err(error) => panic!("no answer: {error}; so far {}", String::from_utf8_lossy(&bytes)),
        }
    }
}

fn whole(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let answer = parsed(head, body);
    let length: usize = answer.header("content-length").map_or(Some(0), |it| it.parse().ok())?;
    (answer.body.len() >= length).then_some(answer)
}

fn torn(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    parsed(head, body)
}

fn parsed(head: &str, body: &str) -> Answer {
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
