//! How requests reach the store: over verified TLS, on connections that are kept, each answered
//! within a time and within a size, and not more at once than a number.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::client::legacy::{Client, Error as SendError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls::ClientConfig;
use tokio::sync::Semaphore;

use crate::https::HEADERS;
use crate::s3::idle::Watched;

/// A connection is there within this time.
const CONNECT: Duration = Duration::from_secs(5);

/// An answer, or the head of a file, is here within this time of its request; a part of an upload
/// has this long to go out.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An unused connection is kept so long.
const KEPT: Duration = Duration::from_secs(30);

/// Requests that wait for their answers at once, and how long the next one waits for its turn: a
/// store that hangs must not take the server's own places.
const AT_ONCE: usize = 64;
const TURN: Duration = Duration::from_secs(2);

/// What is read of a connection at one time, heads included.
const BUFFER_BYTES: usize = 64 * 1024;

/// The most that an answer has that is no file: a page of a listing, an error.
const ANSWER_BYTES: usize = 4 << 20;

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// No connection, or it broke.
    Unreached,
    /// Too long, or nothing more of a file for too long.
    Late,
    /// Too many wait already.
    Crowded,
    /// An answer that is larger than any of its kind.
    TooLarge,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unanswered::Unreached => "it is not reached",
            Unanswered::Late => "it does not answer in time",
            Unanswered::Crowded => "too many requests wait for it",
            Unanswered::TooLarge => "its answer is too large",
        })
    }
}

impl std::error::Error for Unanswered {}

impl Unanswered {
    /// As the library's error, with what it decides on whether to try again.
    pub(crate) fn told(self) -> HttpError {
        let kind = match self {
            Unanswered::Unreached => HttpErrorKind::Interrupted,
            Unanswered::Late => HttpErrorKind::Timeout,
            Unanswered::Crowded | Unanswered::TooLarge => HttpErrorKind::Unknown,
        };
        HttpError::new(kind, self)
    }
}

type Pool = Client<HttpsConnector<Tcp>, HttpRequestBody>;

/// The one client of a store.
#[derive(Clone)]
pub(crate) struct Transport {
    pool: Pool,
    turns: Arc<Semaphore>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl Transport {
    pub(crate) fn new(trust: ClientConfig) -> Self {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(trust)
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT)
            .http1_max_buf_size(BUFFER_BYTES)
            .http1_max_headers(HEADERS)
            .build(tls);
        Transport { pool, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_file = request.method() == Method::GET && request.uri().query().is_none();
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Unanswered::Crowded.told()) };
        let answer = async {
            let response = self.pool.request(request).await.map_err(|error| unsent(&error))?;
            let (head, body) = response.into_parts();
            let body = match is_file && head.status.is_success() {
                true => HttpResponseBody::new(Watched::new(body)),
                false => HttpResponseBody::from(whole(body).await?),
            };
            Ok(HttpResponse::from_parts(head, body))
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or_else(|_| Err(Unanswered::Late.told()))
    }
}

/// All of an answer that is no file.
async fn whole(body: Incoming) -> Result<Bytes, HttpError> {
    let read = Limited::new(body, ANSWER_BYTES).collect().await;
    match read {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Unanswered::TooLarge.told())
        }
        Err(_) => Err(Unanswered::Unreached.told()),
    }
}

/// A request that could not be made, or whose connection broke. What the error says is left out:
/// it is of no use to whoever reads the sentence.
fn unsent(error: &SendError) -> HttpError {
    match error.is_connect() {
        true => HttpError::new(HttpErrorKind::Connect, Unanswered::Unreached),
        false => Unanswered::Unreached.told(),
    }
}

impl HttpService for Transport {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> BoxFuture<'b, Result<HttpResponse, HttpError>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.exchange(request))
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}
