//! An S3-compatible store of a test's own, over TLS: it checks signatures, keeps objects in memory,
//! and misbehaves as it is told.

mod answer;
mod signature;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

/// The bucket that it has.
pub const BUCKET: &str = "practice-files";
/// The key that opens it.
pub const ACCESS_KEY: &str = "AKIDTEST";
/// Its secret.
pub const SECRET: &str = "not/a+real/secret";

/// What it does with the requests to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Everything right.
    #[default]
    None,
    /// A status, without doing anything.
    Status(u16),
    /// A status so many times, then everything right.
    Times(u16, u32),
    /// No answer, until the fault is another one.
    Hang,
    /// The connection ends before the answer.
    Cut,
    /// The connection ends in the middle of a file, once; then everything right.
    CutFile,
    /// It answers with something that is not S3.
    Nonsense,
    /// It does not know conditions: what is there is overwritten.
    Unconditional,
    /// It begins an upload in parts, and answers when the fault is another one.
    SlowBegin,
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it holds.
    pub bytes: Vec<u8>,
    pub(crate) changed: SystemTime,
    pub(crate) version: u64,
}

/// A request, as far as tests ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `PUT`.
    pub method: String,
    /// Path and query.
    pub target: String,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) uploads: HashMap<String, BTreeMap<u32, Vec<u8>>>,
    pub(crate) number: u64,
    pub(crate) fault: Fault,
    pub(crate) asked: Vec<Asked>,
    /// Requests whose signature was wrong.
    pub(crate) unsigned: usize,
    /// Objects of one page of a listing.
    pub(crate) page: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while requests are to hang.
    pub(crate) fn hang(&self) {
        let hanging = |state: &mut State| matches!(state.fault, Fault::Hang | Fault::SlowBegin);
        drop(self.changed.wait_while(self.lock(), hanging));
    }
}

/// The store; it ends with the test process.
#[derive(Debug)]
pub struct Bucket {
    /// Where it listens, on `localhost`.
    pub port: u16,
    files: TempDir,
    shared: Arc<Shared>,
}

impl Bucket {
    /// Begins one, with an empty bucket.
    pub fn start() -> Bucket {
        let files = tempfile::tempdir().unwrap();
        let tls = Arc::new(tls(files.path()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        shared.lock().page = 100;
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, shared) = (Arc::clone(&tls), Arc::clone(&serving));
                std::thread::spawn(move || drop(visit(stream, tls, &shared)));
            }
        });
        std::fs::write(files.path().join("secret"), SECRET).unwrap();
        private(&files.path().join("secret"));
        Bucket { port, files, shared }
    }

    /// Lines of `ward.toml` that name it, with a prefix or none.
    pub fn lines(&self, prefix: &str) -> String {
        let prefix = match prefix {
            "" => String::new(),
            prefix => format!("s3_prefix = \"{prefix}\"\n"),
        };
        format!(
            "s3_endpoint = \"https://localhost:{}\"\ns3_bucket = \"{BUCKET}\"\n{prefix}\
             s3_access_key = \"{ACCESS_KEY}\"\ns3_secret_key_file = \"{}\"\ns3_ca = \"{}\"\n",
            self.port,
            self.files.path().join("secret").display(),
            self.files.path().join("ca.pem").display(),
        )
    }

    /// The directory with the root certificate `ca.pem` and the key's `secret`.
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    /// From now on it does this.
    pub fn misbehave(&self, fault: Fault) {
        self.shared.lock().fault = fault;
        self.shared.changed.notify_all();
    }

    /// So many objects on a page of a listing.
    pub fn set_page(&self, page: usize) {
        self.shared.lock().page = page;
    }

    /// All objects, by name.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.shared.lock();
        state.objects.iter().map(|(name, object)| (name.clone(), object.bytes.clone())).collect()
    }

    /// Puts an object there from beside.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.shared.lock();
        state.put(name, bytes.to_vec());
    }

    /// Removes one from beside.
    pub fn remove(&self, name: &str) {
        self.shared.lock().objects.remove(name);
    }

    /// Uploads that were begun and neither finished nor given up.
    pub fn unfinished(&self) -> usize {
        self.shared.lock().uploads.len()
    }

    /// Everything that was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.lock().asked.clone()
    }

    /// How many requests were not signed with the key.
    pub fn unsigned(&self) -> usize {
        self.shared.lock().unsigned
    }
}

impl State {
    pub(crate) fn put(&mut self, name: &str, bytes: Vec<u8>) -> u64 {
        self.number += 1;
        let object = Object { bytes, changed: SystemTime::now(), version: self.number };
        self.objects.insert(name.to_owned(), object);
        self.number
    }
}

fn visit(stream: TcpStream, tls: Arc<ServerConfig>, shared: &Shared) -> std::io::Result<()> {
    let connection = ServerConnection::new(tls).map_err(std::io::Error::other)?;
    let mut stream = wire::Stream::new(StreamOwned::new(connection, stream));
    while let Some(request) = wire::read(&mut stream)? {
        if !answer::answer(&mut stream, request, shared)? {
            break;
        }
    }
    Ok(())
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A certificate for `localhost` of an authority of its own, whose certificate is `ca.pem`.
fn tls(files: &Path) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = root.self_signed(&key).unwrap();
    std::fs::write(files.join("ca.pem"), certificate.pem()).unwrap();
    let issuer = Issuer::new(root, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}
