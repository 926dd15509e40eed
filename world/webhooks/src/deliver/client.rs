//! One HTTP request to a receiver: its own connection to a checked address, no proxy, no redirect,
//! and an end within [`TIMEOUT`] whatever the receiver does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::address::Address;
use crate::deliver::failure::Failure;
use crate::deliver::resolve::{self, Resolve};
use crate::guard::Openings;

/// For everything: looking up, connecting, TLS, head and body.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Of it, for the body of an answer.
const BODY_TIME: Duration = Duration::from_secs(2);

/// Bytes of an answer that are read; the connection is closed at more.
const READ_MAX: usize = 64 * 1_024;

/// Bytes of an answer's head, and its headers; the request has failed at more.
const HEAD_MAX: usize = 16 * 1_024;
const HEADERS_MAX: usize = 64;

/// Bytes of an answer that are kept.
const KEPT_MAX: usize = 1_024;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 3;

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The beginning of the body.
    pub body: Option<String>,
    /// For how long it asks not to be asked again, in microseconds.
    pub retry_after: Option<i64>,
}

/// Sends requests.
pub struct Client {
    resolver: Box<dyn Resolve>,
    tls: TlsConnector,
}

impl Client {
    /// That trusts the public certificate authorities.
    pub fn new(resolver: impl Resolve) -> Self {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Client { resolver: Box::new(resolver), tls: TlsConnector::from(Arc::new(config)) }
    }

    /// Sends a request; also the address that it went to, when it got that far. `wall` is the wall
    /// time in seconds since 1970, for a `Retry-After` that names a moment.
    pub async fn send(
        &self,
        address: &Address,
        openings: Openings,
        request: Request<Full<Bytes>>,
        wall: u64,
    ) -> (Option<SocketAddr>, Result<Answered, Failure>) {
        let mut peer = None;
        let sending = async {
            let stream = self.connect(address, openings, &mut peer).await?;
            match address.is_tls {
                false => exchange(stream, request, wall).await,
                true => {
                    let name =
                        ServerName::try_from(address.host.trim_matches(['[', ']']).to_owned());
                    let name = name.map_err(|_| {
                        Failure::insecure("The name is not one that a certificate can have")
                    })?;
                    let tls = self.tls.connect(name, stream).await;
                    let tls = tls.map_err(|_| {
                        Failure::insecure("The receiver's certificate or TLS was not accepted")
                    })?;
                    exchange(tls, request, wall).await
                }
            }
        };
        let answered = tokio::time::timeout(TIMEOUT, sending).await;
        let answered = answered.unwrap_or_else(|_| Err(Failure::timed_out()));
        (peer, answered)
    }

    async fn connect(
        &self,
        address: &Address,
        openings: Openings,
        peer: &mut Option<SocketAddr>,
    ) -> Result<TcpStream, Failure> {
        let found = resolve::allowed(self.resolver.as_ref(), address, openings).await?;
        for at in found.into_iter().take(ADDRESSES_MAX) {
            *peer = Some(at);
            if let Ok(stream) = TcpStream::connect(at).await {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
        }
        Err(Failure::unreachable("The receiver does not accept a connection"))
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    wall: u64,
) -> Result<Answered, Failure> {
    let broken = |_| Failure::unreachable("The connection ended without an answer");
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // Ends with this function: nothing of a request lives on after its time.
    let asking = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|it| pause(it, wall));
        // A body that drips does not undo its status.
        let body = tokio::time::timeout(BODY_TIME, beginning(response)).await.unwrap_or(None);
        Ok(Answered { status, body, retry_after })
    };
    tokio::pin!(asking);
    tokio::select! {
        answered = &mut asking => answered,
        // The connection may end as soon as the answer is here.
        _ = connection => asking.await,
    }
}

/// The beginning of a body, as text; what came of one that breaks off.
async fn beginning(response: Response<Incoming>) -> Option<String> {
    let mut body = response.into_body();
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        read += data.len();
        let room = KEPT_MAX - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if read > READ_MAX {
            break;
        }
    }
    let text = String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}");
    (!text.is_empty()).then_some(text)
}

/// Microseconds that a `Retry-After` asks for: seconds, or a moment.
fn pause(header: &HeaderValue, wall: u64) -> Option<i64> {
    let text = header.to_str().ok()?.trim();
    let seconds = match text.parse::<u32>() {
        Ok(seconds) => u64::from(seconds),
        Err(_) => {
            let moment = httpdate::parse_http_date(text).ok()?;
            let moment = moment.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            moment.as_secs().saturating_sub(wall)
        }
    };
    i64::try_from(seconds).ok()?.checked_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Outcome;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn retry_after_in_seconds_or_as_a_moment() {
        let wall = 784_111_777;
        let pause = |text: &'static str| pause(&HeaderValue::from_static(text), wall);
        assert_eq!(pause("120"), Some(120_000_000));
        assert_eq!(pause("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60_000_000));
        assert_eq!(pause("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!((pause("soon"), pause("-1")), (None, None));
    }

    /// What a receiver with this head is heard to answer.
    async fn heard(head: String) -> Result<Answered, Failure> {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1_024);
        let receiver = tokio::spawn(async move {
            // An answer before there is a question is none.
            let _ = theirs.read(&mut [0; 1_024]).await;
            let _ = theirs.write_all(head.as_bytes()).await;
            // It is read as far as it is.
            let _ = theirs.read(&mut [0; 1]).await;
            theirs
        });
        let request = Request::post("/").body(Full::new(Bytes::new())).unwrap();
        let answered = exchange(ours, request, 0).await;
        receiver.abort();
        answered
    }

    #[tokio::test]
    async fn a_head_has_a_bound() {
        let head = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
        let long = format!("x-long: {}\r\n", "a".repeat(8 * 1_024));
        assert_eq!(heard(head(&long)).await.unwrap().status, 200);
        let longer = format!("x-long: {}\r\n", "a".repeat(25 * 1_024)).repeat(4);
        assert_eq!(heard(head(&longer)).await.unwrap_err().outcome, Outcome::Unreachable);
        let many = "x-many: a\r\n".repeat(HEADERS_MAX);
        assert_eq!(heard(head(&many)).await.unwrap_err().outcome, Outcome::Unreachable);
    }
}
