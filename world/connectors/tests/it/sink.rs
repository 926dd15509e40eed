//! A mail server and a web server that keep what they are given.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// What arrived.
pub type Kept = Arc<Mutex<Vec<String>>>;

/// How the mail server behaves.
#[derive(Clone)]
pub struct Manners {
    /// TLS from the first byte; else by STARTTLS.
    pub implicit: bool,
    /// Whether it offers STARTTLS.
    pub offers_tls: bool,
    /// What it answers to a mail's text.
    pub verdict: &'static str,
}

impl Manners {
    pub const GOOD: Manners = Manners { implicit: false, offers_tls: true, verdict: "250 taken" };
}

/// A mail server on a port of its own; each mail is kept as `AUTH … / FROM … / TO … / text`.
pub async fn mail_server(acceptor: TlsAcceptor, manners: Manners) -> (u16, Kept) {
    let (listener, kept) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Kept::default());
    let (port, keeping) = (listener.local_addr().unwrap().port(), Arc::clone(&kept));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, manners, kept) = (acceptor.clone(), manners.clone(), keeping.clone());
            tokio::spawn(async move { drop(visit(stream, acceptor, manners, kept).await) });
        }
    });
    (port, kept)
}

async fn visit(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    manners: Manners,
    kept: Kept,
) -> std::io::Result<()> {
    if manners.implicit {
        return talk(acceptor.accept(stream).await?, true, &manners, &kept).await.map(drop);
    }
    if let Some(stream) = talk(stream, false, &manners, &kept).await? {
        talk(acceptor.accept(stream).await?, true, &manners, &kept).await?;
    }
    Ok(())
}

/// One conversation; the stream when TLS is to begin on it.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    secured: bool,
    manners: &Manners,
    kept: &Kept,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    if manners.implicit || !secured {
        stream.write_all(b"220 localhost\r\n").await?;
    }
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let word = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        let answer = match word.as_str() {
            "EHLO" if secured => "250-localhost\r\n250 AUTH PLAIN".to_owned(),
            "EHLO" if manners.offers_tls => "250-localhost\r\n250 STARTTLS".to_owned(),
            "EHLO" => "250 localhost".to_owned(),
            "STARTTLS" => {
                stream.write_all(b"220 begin\r\n").await?;
                return Ok(Some(stream.into_inner()));
            }
            "AUTH" => {
                mail += &line;
                "235 welcome".to_owned()
            }
            "MAIL" | "RCPT" => {
                mail += &line;
                "250 good".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await?;
                    if line == ".\r\n" || line.is_empty() {
                        break;
                    }
                    mail += &line;
                }
                kept.lock().unwrap().push(std::mem::take(&mut mail));
                manners.verdict.to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(None);
            }
            _ => "250 good".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// A web server that answers every request with a status, and keeps requests whole.
pub async fn web_server(acceptor: TlsAcceptor, status: u16) -> (u16, Kept) {
    telling_server(acceptor, status, "").await
}

/// The same, with a body in its answers.
pub async fn telling_server(
    acceptor: TlsAcceptor,
    status: u16,
    body: impl Into<String>,
) -> (u16, Kept) {
    let body = body.into();
    let (listener, kept) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Kept::default());
    let (port, keeping) = (listener.local_addr().unwrap().port(), Arc::clone(&kept));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                drop(request(stream, status, &body, &keeping).await);
            }
        }
    });
    (port, kept)
}

/// A web server that gives one whole answer after another, each as soon as it may; who asks is told
/// of as soon as they asked.
pub async fn patient_server(acceptor: TlsAcceptor, answers: Vec<String>, gates: Gates) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            take(&mut stream).await.unwrap();
            gates.asked.add_permits(1);
            gates.answers.acquire().await.unwrap().forget();
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    port
}

/// How many asked, and how many answers may be given.
#[derive(Clone)]
pub struct Gates {
    pub asked: Arc<Semaphore>,
    pub answers: Arc<Semaphore>,
}

impl Gates {
    pub fn new(answers: usize) -> Gates {
        Gates { asked: Arc::new(Semaphore::new(0)), answers: Arc::new(Semaphore::new(answers)) }
    }
}

async fn request<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    status: u16,
    body: &str,
    kept: &Kept,
) -> std::io::Result<()> {
    let text = take(&mut stream).await?;
    kept.lock().unwrap().push(text);
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} said\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// One request, whole.
async fn take<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<String> {
    let (mut text, mut chunk) = (String::new(), [0; 4_096]);
    loop {
        let count = stream.read(&mut chunk).await?;
        text += &String::from_utf8_lossy(&chunk[..count]);
        if count == 0 || text.ends_with('}') {
            return Ok(text);
        }
    }
}
