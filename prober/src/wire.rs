//! HTTP from outside: every header as a check wants it, any `Host`, and what the connection itself
//! tells: the addresses behind the name, and the key of the certificate.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HOST, HeaderMap};
use hyper::rt::{Read, Write};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use serde_json::Value as Json;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::failure::Failure;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of an answer is read.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// Where an instance is reached.
pub struct Door {
    /// Its address, without a slash at its end.
    pub url: Url,
    /// What its name is resolved to.
    pub addresses: Vec<SocketAddr>,
    /// The public key of its certificate, from the latest connection; none without TLS.
    pub tls_key: RefCell<Option<Vec<u8>>>,
    authority: String,
    tls: Option<TlsConnector>,
    runtime: Rc<Runtime>,
    until: Option<Instant>,
}

/// Why there is no answer.
enum Broken {
    /// The other end closed the connection instead of answering.
    Closed(String),
    /// Anything else: it can't be reached, its answer is too long or no HTTP.
    Else(String),
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Broken {
        use std::error::Error as _;
        let cause = error.source().and_then(|it| it.downcast_ref::<std::io::Error>());
        let ends = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::UnexpectedEof];
        let is_end = cause.is_some_and(|it| ends.contains(&it.kind()));
        match is_end || error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            true => Broken::Closed(error.to_string()),
            false => Broken::Else(error.to_string()),
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: Option<String>,
    /// Another `Host` than the address's.
    pub host: Option<String>,
}

impl Ask {
    /// A `GET`.
    pub fn get(path: &str) -> Ask {
        let path = path.to_owned();
        Ask { method: Method::GET, path, headers: Vec::new(), body: None, host: None }
    }

    /// A `POST` of JSON.
    pub fn post(path: &str, body: &Json) -> Ask {
        let mut ask = Ask::get(path);
        ask.method = Method::POST;
        ask.body = Some(body.to_string());
        ask.with("content-type", "application/json")
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Ask {
        self.headers.push((name, value.into()));
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's text.
    pub text: String,
    /// The body; null when it is no JSON.
    pub json: Json,
    /// When it came, by the clock of this machine.
    pub at: SystemTime,
}

impl Answer {
    /// A header's text, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The code of the first error, empty when there is none.
    pub fn code(&self) -> &str {
        self.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
}

impl Door {
    /// Resolves the address. Without TLS keys go to this machine only, unless it is allowed.
    pub fn new(url: &str, trust: &Trust, runtime: Rc<Runtime>) -> Result<Door, Failure> {
        let told = without_password(url);
        let wrong = |why: &str| Failure::usage(format!("the address {told} is wrong: {why}"));
        let mut url = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a password in it; keys come from files"));
        }
        url.set_query(None);
        url.set_fragment(None);
        let host = url.host_str().map(str::to_owned).ok_or_else(|| wrong("no host"))?;
        let port = url.port_or_known_default().ok_or_else(|| wrong("no port"))?;
        let tls = match url.scheme() {
            "http" => None,
            "https" => Some(connector(&trust.roots)?),
            _ => return Err(wrong("http:// or https:// is needed")),
        };
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let addresses = resolve(&host, port)
            .map_err(|error| Failure::unavailable(format!("{host} cannot be resolved: {error}")))?;
        let is_near = addresses.iter().all(|address| address.ip().is_loopback());
        if tls.is_none() && !is_near && !trust.allows_http {
            return Err(wrong(
                "over http:// a key can be read on its way; give https://, or --allow-http if nobody else is on it",
            ));
        }
        let tls_key = RefCell::new(None);
        Ok(Door { url, addresses, tls_key, authority, tls, runtime, until: None })
    }

    /// Nothing is asked any more after a moment, the end of the run.
    pub fn open_until(&mut self, moment: Instant) {
        self.until = Some(moment);
    }

    /// The `Host` of an ordinary request.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Asks, on a connection of its own.
    pub fn ask(&self, ask: &Ask) -> Result<Answer, Failure> {
        self.exchanged(ask)?.map_err(|why| self.unanswered(&why))
    }

    /// The same; none where the other end closed the connection instead of answering.
    pub fn ask_or_closed(&self, ask: &Ask) -> Result<Option<Answer>, Failure> {
        match self.exchanged(ask)? {
            Err(Broken::Closed(_)) => Ok(None),
            answer => answer.map(Some).map_err(|why| self.unanswered(&why)),
        }
    }

    fn unanswered(&self, why: &Broken) -> Failure {
        let (Broken::Closed(why) | Broken::Else(why)) = why;
        Failure::unavailable(format!("{} does not answer: {why}", self.url.as_str()))
    }

    fn exchanged(&self, ask: &Ask) -> Result<Result<Answer, Broken>, Failure> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let patience = left.map_or(PATIENCE, |left| left.min(PATIENCE));
        if patience.is_zero() {
            return Err(Failure::unavailable(
                "the run takes longer than it may; give it more --minutes, or a pair that has less to do",
            ));
        }
        let exchange = async {
            let limited = tokio::time::timeout(patience, self.exchange(ask)).await;
            let late = |_| Broken::Else(format!("no answer within {} s", patience.as_secs()));
            limited.map_err(late)?
        };
        Ok(self.runtime.block_on(exchange))
    }

    async fn exchange(&self, ask: &Ask) -> Result<Answer, Broken> {
        let stream = self.connect().await.map_err(Broken::Else)?;
        let Some(tls) = &self.tls else { return self.send(stream, ask).await };
        let host = self.url.host_str().unwrap_or_default().to_owned();
        let wrong = |why: String| Broken::Else(why);
        let name = ServerName::try_from(host).map_err(|error| wrong(error.to_string()))?;
        let stream = tls.connect(name, stream).await.map_err(|error| wrong(error.to_string()))?;
        let peer = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        *self.tls_key.borrow_mut() = peer.and_then(public_key);
        self.send(stream, ask).await
    }

    async fn connect(&self) -> Result<TcpStream, String> {
        let mut why = "its name has no address".to_owned();
        for address in &self.addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }

    async fn send<S>(&self, stream: S, ask: &Ask) -> Result<Answer, Broken>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
        TokioIo<S>: Read + Write,
    {
        let host = ask.host.as_deref().unwrap_or(&self.authority);
        let path = format!("{}{}", self.url.path().trim_end_matches('/'), ask.path);
        let mut request = Request::builder().method(&ask.method).uri(path).header(HOST, host);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let body = Full::new(Bytes::from(ask.body.clone().unwrap_or_default()));
        let request = request.header("connection", "close").body(body);
        let request = request.map_err(|error| Broken::Else(error.to_string()))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_MAX).collect().await;
            let text = body.map_err(|error| Broken::Else(error.to_string()))?.to_bytes();
            let text = String::from_utf8_lossy(&text).into_owned();
            let json = serde_json::from_str(&text).unwrap_or(Json::Null);
            let at = SystemTime::now();
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, text, json, at })
        };
        tokio::pin!(answer);
        tokio::pin!(connection);
        // The connection has to be driven until the answer is whole; its end is no failure.
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            _ = &mut connection => {}
        }
        answer.await
    }
}

/// What is trusted on the way to an instance.
#[derive(Clone, Default)]
pub struct Trust {
    /// Certificates beside the usual authorities.
    pub roots: Vec<CertificateDer<'static>>,
    /// Keys may go over `http://` to other machines.
    pub allows_http: bool,
}

/// An address as it may be said: without what stands before its host.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // Of what is no proper address anything may be a password.
    match (authority.rsplit_once('@'), path.contains('@')) {
        (None, false) => url.to_owned(),
        (Some((_, host)), false) => format!("{scheme}://…@{host}{path}"),
        (_, true) => format!("{scheme}://…"),
    }
}

/// The addresses of a host. Names under `localhost` are this machine's, whatever a resolver says.
fn resolve(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(own.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut found: Vec<SocketAddr> = (bare, port).to_socket_addrs()?.collect();
    found.sort();
    found.dedup();
    Ok(found)
}

fn connector(roots: &[CertificateDer<'static>]) -> Result<TlsConnector, Failure> {
    let mut trusted = rustls::RootCertStore::empty();
    trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in roots {
        trusted.add(root.clone()).map_err(|error| {
            Failure::usage(format!("--ca-file has a certificate that is none: {error}"))
        })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::internal(error.to_string()))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The key in a certificate, as it stands there.
fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    Some(parsed.subject_public_key_info().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(url: &str, allows_http: bool) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let trust = Trust { allows_http, ..Trust::default() };
        Door::new(url, &trust, Rc::new(runtime)).map(drop)
    }

    #[test]
    fn keys_go_in_clear_to_this_machine_only() {
        for near in ["http://127.0.0.1:1", "http://[::1]:1", "http://sandbox.localhost:1"] {
            assert!(door(near, false).is_ok(), "{near}");
        }
        let refused = door("http://192.0.2.1", false).unwrap_err();
        assert!(refused.status == 2 && refused.sentence.contains("--allow-http"), "{refused}");
        assert!(door("http://192.0.2.1", true).is_ok() && door("https://192.0.2.1", false).is_ok());
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_said() {
        for url in [
            "http://somebody:hush@127.0.0.1:1",
            "http://hush@127.0.0.1:1/x",
            "ftp://somebody:hush@127.0.0.1",
            "http://somebody:hu/hush@127.0.0.1",
            "http://somebody:hush@",
        ] {
            let refused = door(url, false).unwrap_err();
            assert_eq!(refused.status, 2, "{url}");
            assert!(!refused.sentence.contains("hush"), "{refused}");
        }
    }
}
