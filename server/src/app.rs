//! A running instance: what every request and worker shares.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderName, HeaderValue};
use jiff::civil::Date;
use ward_engine::{Engine, ViewId};
use ward_identity::exercise::Exercises;
use ward_instance::{Config, Instance, Random, State, uuid};
use ward_store::blobs::BlobStore;
use ward_store::{Db, Refusals};

use crate::admission::{Admission, MOST};
use crate::door::Door;
use crate::file_store::FilePlace;
use crate::forks::{Forks, Layered};
use crate::limiter::Limiter;
use crate::live::Hub;
use crate::multipart::incoming_folder;
use crate::place::{Opened, ServerError};
use crate::requests::Recorder;
use crate::rotator::Rotator;
use crate::tally::Tally;

/// The shared state of a server.
pub struct App {
    /// The instance.
    pub instance: Arc<Instance>,
    /// Its store.
    pub db: Db,
    /// The GraphQL engine.
    pub engine: Arc<Engine>,
    /// File contents.
    pub blobs: Arc<dyn BlobStore>,
    /// The configuration.
    pub config: Config,
    /// The instance's directory.
    pub dir: PathBuf,
    /// Where stored files are.
    pub files: FilePlace,
    /// Requests at once.
    pub admission: Admission,
    /// Draws the numbers of requests.
    numbers: Random,
    /// Headers that every answer has.
    pub marks: Vec<(HeaderName, HeaderValue)>,
    /// Requests a second.
    pub limiter: Limiter,
    /// What the command line said of them.
    pub rate_limit: Option<u32>,
    /// Copies of a Sandbox that this process serves.
    pub forks: Forks,
    /// Reports of leaked keys a second.
    pub reports: Limiter,
    /// Refusals waiting to become audit rows.
    pub refusals: Refusals,
    /// Sockets and what they listen to.
    pub live: Arc<Hub>,
    /// Permissions that requests used, on their way to their rows.
    pub exercises: Exercises,
    /// Quarantined: administrators read, nothing is written or sent.
    pub quarantined: AtomicBool,
    /// How often a backup had been brought back when this process began.
    pub restore_epoch: i64,
    /// Whether another one was since, under this process: what it knows is of another database.
    replaced: AtomicBool,
    /// The rotation of the root key.
    pub rotator: Rotator,
    /// What it does to the world outside.
    pub door: Door,
    /// Shared by those who do what is due; alone for who moves the Sandbox's clock.
    pub turn: tokio::sync::RwLock<()>,
    /// The operator's sunset date for old API versions.
    pub sunset: Option<Date>,
    /// Answers that a fault gives again.
    pub stale: crate::faults::Kept,
    /// Requests that a fault keeps waiting.
    pub sleepers: tokio::sync::Semaphore,
    /// Requests answered, for the metrics.
    pub answered: AtomicU64,
    /// Answers with a status of 500 and above.
    pub failed: AtomicU64,
    /// What was asked by operation, once somebody wants to know.
    pub tally: OnceLock<Tally>,
    /// The record of requests, which a Sandbox has.
    pub requests: Option<Recorder>,
}

impl App {
    /// From an opened instance.
    pub async fn new(opened: &Opened, rate_limit: Option<u32>) -> Result<Arc<Self>, ServerError> {
        let sandbox = opened.instance.witness().sandbox();
        let tripwire = sandbox.map(|_| opened.config.tripwire_strict);
        let engine = crate::assemble::engine(tripwire);
        // Who serves for long lets nobody wait for the other view.
        let engine = engine.and_then(|engine| engine.load(ViewId::V2026).map(|()| engine));
        Self::with(opened, rate_limit, engine).await
    }

    /// The same with an engine that was made meanwhile.
    pub async fn with(
        opened: &Opened,
        rate_limit: Option<u32>,
        engine: Result<Arc<Engine>, String>,
    ) -> Result<Arc<Self>, ServerError> {
        let engine = engine.map_err(|error| {
            ServerError::System(format!("the served schema does not load: {error}"))
        })?;
        let files = FilePlace::of(opened);
        let mut blobs = files.open(&opened.db, &opened.certificate).await?;
        if let Some(under) = opened.under.clone() {
            blobs = Arc::new(Layered { own: blobs, under });
        }
        let config = &opened.config;
        let reach = opened.instance.reach();
        reach.set_webhooks(config.allow_loopback_webhooks, config.allow_private_webhooks);
        let door = Door::hang(&opened.db, config, &opened.dir, Arc::clone(&blobs))?;
        door.tell(&opened.db).await?;
        // What a killed process left there.
        let _ = tokio::fs::remove_dir_all(incoming_folder(&opened.dir)).await;
        let of_person = config.sockets_of_person.and_then(|it| usize::try_from(it).ok());
        let of_person = of_person.unwrap_or(crate::live::SOCKETS_OF_PERSON);
        let sunset = match &opened.config.sunset {
            Some(text) => Some(text.parse().map_err(|_| {
                ServerError::Usage("ward.toml: sunset is a date such as 2027-01-31".to_owned())
            })?),
            None => None,
        };
        Ok(Arc::new(App {
            instance: opened.instance.clone(),
            db: opened.db.clone(),
            engine,
            blobs,
            files,
            numbers: opened.instance.random().of_its_own(),
            marks: crate::guard::marks(&opened.instance),
            admission: Admission::new(MOST, 2 * cores()),
            limiter: Limiter::new(
                rate_limit.or(opened.config.rate_limit).unwrap_or(crate::limiter::DEFAULT_RATE),
            ),
            rate_limit,
            forks: Forks::default(),
            config: opened.config.clone(),
            dir: opened.dir.clone(),
            reports: Limiter::new(crate::key_revoke::REPORTS_A_SECOND),
            refusals: Refusals::new(),
            rotator: Rotator::default(),
            live: Arc::new(Hub::new(of_person)),
            door,
            turn: tokio::sync::RwLock::default(),
            exercises: Exercises::new(),
            quarantined: AtomicBool::new(opened.certificate.state == State::Quarantined),
            restore_epoch: opened.certificate.restore_epoch,
            replaced: AtomicBool::new(false),
            sunset,
            stale: crate::faults::Kept::default(),
            sleepers: tokio::sync::Semaphore::new(crate::faults::SLEEPERS),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            tally: OnceLock::new(),
            requests: opened.instance.witness().sandbox().map(|_| Recorder::default()),
        }))
    }

    /// A number for a request: a UUID of this environment.
    pub fn request_number(&self) -> String {
        uuid::new(self.instance.kind(), &self.instance.tag(), self.instance.now(), &self.numbers)
    }

    /// Whether the instance is quarantined.
    pub fn is_quarantined(&self) -> bool {
        self.quarantined.load(Ordering::Relaxed) || self.replaced.load(Ordering::Relaxed)
    }

    /// A backup took the place of the database: quarantined until this process starts anew, whatever
    /// the certificate says, since the ids and keys in its memory are of before.
    pub fn replace(&self) {
        if !self.replaced.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "a backup was brought back into the database under this node; it writes and sends nothing any more: start it again"
            );
        }
    }

    /// Whether this is the Sandbox: its control plane is mounted.
    pub fn is_sandbox(&self) -> bool {
        self.instance.witness().sandbox().is_some()
    }
}

/// Threads that answer requests.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
