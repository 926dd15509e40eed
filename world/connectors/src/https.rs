//! One request over HTTPS, on a connection of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use ward_instance::InstanceError;

/// An answer is here within this time, or the request has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most that the head of an answer has, in bytes and in headers.
const HEAD_BYTES: usize = 16 * 1024;
pub(crate) const HEADERS: usize = 64;

/// A place that is asked over HTTPS.
pub(crate) struct Place {
    uri: Uri,
    host: String,
    port: u16,
    tls: TlsConnector,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// No connection, or it broke.
    Unreached,
    /// Its certificate is not one of its name.
    Tls,
    /// It took too long.
    Late,
}

/// The address that a key of the configuration names; only HTTPS is one.
pub(crate) fn address(key: &str, text: &str) -> Result<Uri, InstanceError> {
    let uri: Option<Uri> = text.parse().ok();
    // What stands before an @ would be a secret in a file that others read, and in messages.
    let is_plain = |uri: &Uri| uri.authority().is_some_and(|it| !it.as_str().contains('@'));
    let uri = uri.filter(|uri| uri.scheme_str() == Some("https") && uri.host().is_some());
    let uri = uri.filter(is_plain);
    uri.ok_or_else(|| {
        InstanceError::config(format!("{key}: is an https:// address without a user name"))
    })
}

/// What a server's certificate is checked against: the roots of the web, and one more in the PEM
/// file `ca`.
pub(crate) fn trust(key: &str, ca: Option<&Path>) -> Result<ClientConfig, InstanceError> {
    let wrong = |what: &str| InstanceError::config(format!("{key}: {what}"));
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca {
        let certificate = CertificateDer::from_pem_file(path)
            .map_err(|_| wrong("its root certificate is not readable PEM"))?;
        roots.add(certificate).map_err(|_| wrong("its root certificate is none"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong("no version of TLS is there"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

impl Place {
    /// From an address; `ca` is a further root certificate in PEM.
    pub(crate) fn new(key: &str, text: &str, ca: Option<&Path>) -> Result<Self, InstanceError> {
        let uri = address(key, text)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let tls = TlsConnector::from(Arc::new(trust(key, ca)?));
        Ok(Place { uri, host, port, tls })
    }

    /// Sends JSON with a bearer token; the status of the answer, and the answer where up to `most`
    /// bytes of it are wanted: a longer one is none.
    pub(crate) async fn post(
        &self,
        token: &str,
        key: &str,
        json: String,
        most: usize,
    ) -> Result<(u16, Bytes), Unanswered> {
        let exchange = self.exchange(token, key, json, most);
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or(Err(Unanswered::Late))
    }

    async fn exchange(
        &self,
        token: &str,
        key: &str,
        json: String,
        most: usize,
    ) -> Result<(u16, Bytes), Unanswered> {
        let unreached = |_| Unanswered::Unreached;
        let name = ServerName::try_from(self.host.trim_matches(['[', ']']).to_owned());
        let name = name.map_err(|_| Unanswered::Tls)?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = stream.map_err(|_| Unanswered::Unreached)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| Unanswered::Tls)?;
        let handshake = http1::Builder::new()
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS)
            .handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(unreached)?;
        let connection = tokio::spawn(connection);
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::post(path)
            .header("Host", authority)
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .body(Full::new(Bytes::from(json)))
            .map_err(|_| Unanswered::Unreached)?;
        let response = sender.send_request(request).await.map_err(unreached)?;
        let status = response.status().as_u16();
        let body = match most {
            0 => Ok(Bytes::new()),
            most => match Limited::new(response.into_body(), most).collect().await {
                Ok(body) => Ok(body.to_bytes()),
                Err(error) if error.is::<LengthLimitError>() => Ok(Bytes::new()),
                // What it would have said is not known.
                Err(_) => Err(Unanswered::Unreached),
            },
        };
        connection.abort();
        Ok((status, body?))
    }
}
