//! A receiver that records what it is sent. What it answers stands in the path: `/status/500`
//! answers that, `/hang` nothing, anything else 200, unless a test says what a path answers.

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

/// What a test wants to be answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Decides what a request is answered.
type Answerer = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

/// What came, and what paths answer.
#[derive(Default)]
struct Book {
    received: Vec<Received>,
    answerers: Vec<(String, Answerer)>,
}

/// Listens until it is dropped; connections that hang then end with the test.
pub struct Receiver {
    port: u16,
    book: Arc<Mutex<Book>>,
}

impl Receiver {
    /// Starts to listen on a free port of this machine.
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Arc::new(Mutex::new(Book::default()));
        let kept = book.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let book = kept.clone();
                std::thread::spawn(move || answer(stream, &book));
            }
        });
        Receiver { port, book }
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on a path answers what `answer` says.
    pub fn answer_at(
        &self,
        path: &str,
        answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) {
        self.book.lock().unwrap().answerers.push((path.to_owned(), Arc::new(answer)));
    }

    /// Everything that came to a path so far.
    pub fn at(&self, path: &str) -> Vec<Received> {
        let book = self.book.lock().unwrap();
        book.received.iter().filter(|it| it.target == path).cloned().collect()
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

fn answer(stream: TcpStream, book: &Mutex<Book>) {
    let Some(received) = read(&stream) else { return };
    let target = received.target.clone();
    let answerer = {
        let mut book = book.lock().unwrap();
        book.received.push(received.clone());
        book.answerers.iter().find(|(path, _)| *path == target).map(|(_, it)| it.clone())
    };
    if let Some(answerer) = answerer {
        let Reply { status, body } = answerer(&received);
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} \r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        let _ = (&stream).write_all(format!("{head}{body}").as_bytes());
        return;
    }
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
