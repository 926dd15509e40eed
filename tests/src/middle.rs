//! A man in the middle: an HTTP proxy before an instance that changes what passes, as a mistaken
//! proxy, a shared database or a careless rewrite would. It ends with the test process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request or an answer.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Its first line.
    pub first: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, empty when it is no text.
    pub body: String,
    /// A body that is no text passes as it is.
    bytes: Vec<u8>,
}

impl Message {
    /// A header's text, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let known = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map_or("", |(_, value)| value)
    }

    /// Takes a header away.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Sets a header.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Replaces a text wherever it stands in the headers and the body.
    pub fn replace(&mut self, from: &str, to: &str) {
        for (_, value) in &mut self.headers {
            *value = value.replace(from, to);
        }
        self.body = self.body.replace(from, to);
    }

    /// Whether a text stands in the headers or the body.
    pub fn has(&self, text: &str) -> bool {
        self.body.contains(text) || self.headers.iter().any(|(_, value)| value.contains(text))
    }

    /// The path and query of a request.
    pub fn path(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    fn read(stream: &mut impl Read, until_end: bool) -> Option<Message> {
        let (mut bytes, mut chunk) = (Vec::new(), [0; 16 * 1024]);
        loop {
            let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(end) = end.filter(|_| !until_end) {
                let mut message = Message::head(&bytes[..end]);
                let length: usize = message.header("content-length").parse().unwrap_or(0);
                if bytes.len() >= end + 4 + length {
                    let body = &bytes[end + 4..end + 4 + length];
                    message.take(body);
                    return Some(message);
                }
            }
            match stream.read(&mut chunk) {
                Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
                _ if until_end => {
                    let mut message = Message::head(&bytes[..end?]);
                    message.take(&bytes[end? + 4..]);
                    return Some(message);
                }
                _ => return None,
            }
        }
    }

    fn take(&mut self, body: &[u8]) {
        match std::str::from_utf8(body) {
            Ok(text) => self.body = text.to_owned(),
            Err(_) => self.bytes = body.to_vec(),
        }
    }

    fn head(bytes: &[u8]) -> Message {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let pair = |line: &str| {
            line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        };
        Message { first, headers: lines.filter_map(pair).collect(), ..Message::default() }
    }

    fn write(mut self, stream: &mut impl Write) -> std::io::Result<()> {
        // What comes in chunks passes as it came.
        if self.header("transfer-encoding").is_empty() && !self.body.is_empty() {
            let length = self.body.len().to_string();
            self.set("content-length", &length);
        }
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        stream.write_all(text.as_bytes())?;
        stream.write_all(&self.bytes)?;
        stream.flush()
    }
}

type OnRequest = Box<dyn Fn(&mut Message) -> Option<u16> + Send + Sync>;
type OnAnswer = Box<dyn Fn(&Message, &mut Message) + Send + Sync>;

/// What it does to what passes.
#[derive(Default)]
pub struct Spoil {
    request: Option<OnRequest>,
    answer: Option<OnAnswer>,
    tls: Option<Arc<ServerConfig>>,
}

impl Spoil {
    /// Changes requests; a port that is given back is where the request goes instead.
    pub fn request(change: impl Fn(&mut Message) -> Option<u16> + Send + Sync + 'static) -> Spoil {
        Spoil { request: Some(Box::new(change)), ..Spoil::default() }
    }

    /// Changes answers, knowing the request as it came.
    pub fn answer(change: impl Fn(&Message, &mut Message) + Send + Sync + 'static) -> Spoil {
        Spoil { answer: Some(Box::new(change)), ..Spoil::default() }
    }

    /// Answers with a certificate.
    #[must_use]
    pub fn over_tls(mut self, config: &Arc<ServerConfig>) -> Spoil {
        self.tls = Some(Arc::clone(config));
        self
    }

    /// And answers too.
    #[must_use]
    pub fn and_answer(
        mut self,
        change: impl Fn(&Message, &mut Message) + Send + Sync + 'static,
    ) -> Spoil {
        self.answer = Some(Box::new(change));
        self
    }
}

/// Starts one before the server on a port; its own port.
pub fn before(upstream: u16, spoil: Spoil) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let spoil = Arc::new(spoil);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let spoil = Arc::clone(&spoil);
            std::thread::spawn(move || match &spoil.tls {
                None => drop(pass(client, port, upstream, &spoil)),
                Some(config) => {
                    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                    let mut stream = StreamOwned::new(connection, client);
                    let _ = pass(&mut stream, port, upstream, &spoil);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    port
}

fn pass(
    mut client: impl Read + Write,
    own: u16,
    upstream: u16,
    spoil: &Spoil,
) -> std::io::Result<()> {
    let Some(request) = Message::read(&mut client, false) else { return Ok(()) };
    let mut sent = request.clone();
    let target = spoil.request.as_ref().and_then(|change| change(&mut sent)).unwrap_or(upstream);
    // Its own name is the instance's to the world; other names it passes on.
    let is_own =
        ["127.0.0.1", "localhost"].iter().any(|it| sent.header("host") == format!("{it}:{own}"));
    if is_own {
        sent.set("host", &format!("127.0.0.1:{target}"));
    }
    sent.set("connection", "close");
    let mut server = TcpStream::connect(("127.0.0.1", target))?;
    sent.write(&mut server)?;
    let Some(mut answer) = Message::read(&mut server, true) else { return Ok(()) };
    if let Some(change) = &spoil.answer {
        change(&request, &mut answer);
    }
    answer.write(&mut client)
}
