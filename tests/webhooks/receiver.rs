//! A receiver that records what it is sent. What it answers stands in the path: `/status/500`
//! answers that, `/hang` nothing, anything else 200.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use ward_tests::{Json, until};

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// Path, and query if there is one.
    pub target: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Received {
    /// A header's value, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
    }

    /// The body.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The dotted name of the event.
    pub fn event(&self) -> String {
        self.json()["event_type"].as_str().unwrap().to_owned()
    }

    /// The record concerned, as text.
    pub fn resource(&self) -> String {
        self.json()["resource_id"].to_string()
    }
}

/// Listens until it is dropped; connections that hang then end with the test.
pub struct Receiver {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Starts to listen on a free port of this machine.
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = received.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = log.clone();
                std::thread::spawn(move || answer(stream, &log));
            }
        });
        Receiver { port, received }
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Everything that came to a path so far.
    pub fn at(&self, path: &str) -> Vec<Received> {
        let received = self.received.lock().unwrap();
        received.iter().filter(|it| it.target == path).cloned().collect()
    }

    /// The first that came to a path and fits.
    pub fn wait(&self, path: &str, what: &str, fits: impl Fn(&Received) -> bool) -> Received {
        until(what, || self.at(path).into_iter().find(|it| fits(it)))
    }

    /// The first of an event.
    pub fn event(&self, path: &str, event: &str) -> Received {
        self.wait(path, event, |it| it.event() == event)
    }
}

fn answer(stream: TcpStream, log: &Mutex<Vec<Received>>) {
    let Some(received) = read(&stream) else { return };
    let target = received.target.clone();
    log.lock().unwrap().push(received);
    if target.starts_with("/hang") {
        // Until the sender has had enough.
        let _ = (&stream).read(&mut [0]);
        return;
    }
    let status = target.strip_prefix("/status/").unwrap_or("200 OK");
    let more = if target == "/status/302" { "location: http://169.254.169.254/\r\n" } else { "" };
    let head = format!("HTTP/1.1 {status}\r\n{more}content-length: 7\r\nconnection: close\r\n\r\n");
    let _ = (&stream).write_all(format!("{head}thanks!").as_bytes());
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { target, headers, body })
}
