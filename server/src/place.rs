//! An instance's directory: birth and opening, with the checks in between
//! (environments: three-way agreement, host binding, quarantine).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ward_instance::base_url::BaseUrl;
use ward_instance::config::Pooler;
use ward_instance::host::{self, Binding, InstanceLock};
use ward_instance::{
    Certificate, Clock, Config, EXIT_BUSY, EXIT_INTERNAL, EXIT_REFUSED, EXIT_UNAVAILABLE,
    EXIT_USAGE, Instance, InstanceError, InstanceId, Kind, Ledger, Random, RootRing, State,
    Timestamp, agree,
};
use ward_store::blobs::BlobStore;
use ward_store::{Birth, Db, Engine, Place, Query, Sql, StoreError, Tx, Value, write_certificate};

use crate::{assemble, file_mark, restore, rewind, rotator, test_clock};

/// Why an instance can't be opened, born or served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Files, keys, configuration, environment.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Asked for something that can't be.
    #[error("{0}")]
    Usage(String),
    /// The operating system.
    #[error("{0}")]
    System(String),
    /// What the server that holds the instance said.
    #[error("{sentence}")]
    Told {
        /// The exit status.
        exit_code: i32,
        /// One sentence.
        sentence: String,
    },
}

impl ServerError {
    /// The exit status that tells a script what to do.
    pub fn exit_code(&self) -> i32 {
        match self {
            ServerError::Instance(error) => error.exit_code(),
            ServerError::Store(StoreError::Foreign(_)) => EXIT_REFUSED,
            ServerError::Store(StoreError::Unavailable(_) | StoreError::Full(_)) => {
                EXIT_UNAVAILABLE
            }
            ServerError::Store(StoreError::Conflict) => EXIT_BUSY,
            ServerError::Store(_) => EXIT_INTERNAL,
            ServerError::Usage(_) => EXIT_USAGE,
            ServerError::System(_) => EXIT_UNAVAILABLE,
            ServerError::Told { exit_code, .. } => *exit_code,
        }
    }
}

impl From<ward_instance::IsoError> for ServerError {
    fn from(error: ward_instance::IsoError) -> Self {
        ServerError::Instance(error.into())
    }
}

/// Whether this process holds the instance or looks at it beside its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Take the lock; busy when another process has it.
    Exclusive,
    /// The same to serve: the other nodes of a PostgreSQL database hear of it before anything is read.
    Serving,
    /// Only read; the server may run.
    Beside,
    /// Take the lock of a Sandbox that ends with this process: nothing waits for the disk.
    Passing,
}

/// An open instance.
pub struct Opened {
    /// Its directory.
    pub dir: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its facts and keys.
    pub instance: Arc<Instance>,
    /// Its store.
    pub db: Db,
    /// Its certificate, as it stands now.
    pub certificate: Certificate,
    /// The files' lock, for the one who holds it.
    pub lock: Option<InstanceLock>,
    /// Stored files that lie behind its own: a fork's.
    pub under: Option<Arc<dyn BlobStore>>,
}

impl Opened {
    /// Where its stored files are.
    pub fn files(&self) -> PathBuf {
        files_of(&self.config, &self.dir)
    }

    /// When the Sandbox's clock goes as real time does if nobody moves it, in real time; `None` where it
    /// does already, or never will.
    pub fn clock_returns_at(&self) -> Option<Timestamp> {
        let limit = test_clock::idle_limit(&self.config);
        test_clock::returns_at(self.instance.clock().course(), limit)
    }
}

/// Where the stored files of an instance in `dir` are.
pub(crate) fn files_of(config: &Config, dir: &Path) -> PathBuf {
    config.files.as_ref().map_or_else(|| dir.join("files"), PathBuf::from)
}

/// What an instance is born with.
#[derive(Clone, Debug)]
pub struct Newborn {
    /// Sandbox or Production, for ever.
    pub kind: Kind,
    /// Where it will be reached.
    pub base_url: String,
    /// The variable that holds the PostgreSQL address; SQLite without.
    pub database_env: Option<String>,
    /// A PostgreSQL address without password.
    pub database: Option<String>,
    /// Whether strangers may found organizations.
    pub sign_up_open: bool,
    /// Whether webhooks may go to this machine (Sandbox).
    pub loopback_webhooks: bool,
    /// Whether it is a Sandbox that ends with its process ([`Hold::Passing`]): its ids are of the
    /// first slot, so that the same seed gives the same ones, and nothing waits for the disk.
    pub passing: bool,
}

/// Makes the files and the database of a new instance. Refuses a directory
/// that holds one, and stored files of another one, with which it could not start.
pub async fn birth(
    dir: &Path,
    newborn: &Newborn,
    env: &[(String, String)],
) -> Result<(), ServerError> {
    if dir.join("root.key").exists() || dir.join("ward.db").exists() {
        return Err(ServerError::Usage(format!(
            "{} already holds an instance; choose another --dir",
            dir.display()
        )));
    }
    let files = file_mark::named(newborn.kind, env).unwrap_or_else(|| dir.join("files"));
    file_mark::check_unborn(dir, &files, newborn.kind)?;
    std::fs::create_dir_all(dir)
        .map_err(|error| ServerError::System(format!("cannot make {}: {error}", dir.display())))?;
    restrict(dir)?;
    let base_url = newborn.base_url.parse().map_err(|_| {
        ServerError::Usage("--base-url is an address such as https://ehr.example.org".to_owned())
    })?;
    let mut config = Config::new(newborn.kind, &base_url);
    config.database_env.clone_from(&newborn.database_env);
    config.allow_loopback_webhooks = newborn.loopback_webhooks;
    if newborn.sign_up_open {
        config.sign_up = ward_instance::config::SignUp::Open;
    }
    let random = Random::os();
    let clock = Clock::system();
    let ring = Arc::new(RootRing::create(
        &dir.join("root.key"),
        newborn.kind,
        InstanceId::draw(&random),
        &random,
    )?);
    host::create_volume(dir, &random)?;
    config.write(dir)?;
    let ledger = dir.join("ids.ledger");
    match newborn.passing {
        true => Ledger::create_in(&ledger, &ring, 0, clock.wall())?,
        false => Ledger::create(&ledger, &ring, clock.wall())?,
    };
    let place = place_of(dir, &config, newborn.database.as_deref(), env)?;
    let place = if newborn.passing { passing(place, newborn.kind) } else { place };
    let binding = host::binding(dir, &base_url)?;
    let certificate = Certificate::new(&ring, clock.wall(), &base_url.to_string(), &binding);
    let tables = assemble::tables();
    let birth = Birth {
        ring: &ring,
        certificate: &certificate,
        tables: &tables,
        migrations: assemble::MIGRATIONS,
        now: clock.wall(),
    };
    Db::create(&place, &birth).await?;
    if place.engine() == Engine::Pg {
        bind_to_server(dir, place, ring, &base_url).await?;
    }
    Ok(())
}

/// On PostgreSQL the certificate is bound to the server's identifier, which is
/// known only once there is a connection.
async fn bind_to_server(
    dir: &Path,
    place: Place,
    ring: Arc<RootRing>,
    base_url: &BaseUrl,
) -> Result<(), ServerError> {
    let mut certificate = Db::read_certificate(&place, ring.kind()).await?;
    let ledger = Ledger::load(&dir.join("ids.ledger"), &ring)?;
    let instance = Instance::assemble(ring, &certificate, ledger, Clock::system(), Random::os())?;
    let db = Db::open(place, instance, assemble::tables()).await?;
    certificate.host_binding = binding(dir, &db, base_url).await?;
    sign(&db, certificate).await?;
    db.shutdown().await;
    Ok(())
}

/// What the instance is bound to here and now: its volume, or the PostgreSQL
/// server that any number of nodes share (environments C.1).
pub async fn binding(dir: &Path, db: &Db, base_url: &BaseUrl) -> Result<String, ServerError> {
    if db.engine() == Engine::Lite {
        return Ok(host::binding(dir, base_url)?);
    }
    let mut reader = db.read().await?;
    let sql = "SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()";
    let rows = reader.rows(&Sql::fixed(sql, [])).await?;
    let identifier = rows.scalar().and_then(Value::text).unwrap_or_default();
    Ok(host::binding_of_database(identifier, base_url))
}

/// Signs a changed certificate and writes it.
pub async fn sign(db: &Db, mut certificate: Certificate) -> Result<Certificate, StoreError> {
    certificate.sign(&db.instance().ring());
    let written = certificate.clone();
    db.write(move |tx: &mut Tx| {
        let written = written.clone();
        Box::pin(async move { write_certificate(tx, &written).await })
    })
    .await?;
    Ok(certificate)
}

/// Opens an instance. The command line's kind, the key file and the
/// certificate have to agree, and its stored files may be no other one's; a
/// moved one goes to quarantine.
pub async fn open(
    dir: &Path,
    kind: Kind,
    hold: Hold,
    what: &str,
    env: &[(String, String)],
) -> Result<Opened, ServerError> {
    if !dir.join("root.key").exists() {
        return Err(ServerError::Usage(format!(
            "{} holds no instance; make one with: ward init --kind {kind} --dir {} …",
            dir.display(),
            dir.display()
        )));
    }
    let ring = Arc::new(RootRing::load(&dir.join("root.key"))?);
    let loaded = Config::load(dir, kind, env.iter().cloned());
    // The agreement names all three opinions; the configuration knows one.
    let place_config = if ring.kind() == kind {
        loaded?
    } else {
        Config::load(dir, ring.kind(), std::iter::empty())?
    };
    let place = place_of(dir, &place_config, None, env)?;
    let place = if hold == Hold::Passing { passing(place, kind) } else { place };
    let certificate = Db::read_certificate(&place, ring.kind()).await?;
    agree(kind, &ring, &certificate)?;
    let config = place_config;
    file_mark::check(dir, &files_of(&config, dir), &ring)?;
    if config.pooler == Some(Pooler::Transaction) {
        return Err(ServerError::Usage(
            "a transaction pooler between Ward and PostgreSQL is not supported yet; connect directly or by session, and remove pooler from ward.toml".to_owned(),
        ));
    }
    let mut lock = match hold {
        Hold::Exclusive | Hold::Serving | Hold::Passing => Some(InstanceLock::acquire(dir, what)?),
        Hold::Beside => None,
    };
    // A restore may have ended since: from here on the lock keeps the next one away.
    let certificate = match lock {
        Some(_) => Db::read_certificate(&place, ring.kind()).await?,
        None => certificate,
    };
    agree(kind, &ring, &certificate)?;
    let ledger = Ledger::load(&dir.join("ids.ledger"), &ring)?;
    let instance = Instance::assemble(ring, &certificate, ledger, Clock::system(), Random::os())?;
    let db = Db::open(place.clone(), instance.clone(), assemble::tables()).await?;
    let dir = dir.to_owned();
    let mut opened = Opened { dir, config, instance, db, certificate, lock: None, under: None };
    if hold == Hold::Serving {
        // Until here only the certificate and the files of this directory were read, which no reset and
        // no return to a snapshot by another node replaces. Whoever does one now either counts this
        // node, and gives way, or has ended before anything else is read, and the ledger of ids is
        // compared with what they did.
        rotator::arrive(&opened.db, &opened.dir).await?;
    }
    let settled = settle(&mut opened, &mut lock, &place).await;
    if settled.is_err() && hold == Hold::Serving {
        leave(&opened.db, &opened.dir).await;
    }
    settled?;
    opened.lock = lock;
    Ok(opened)
}

/// Says once more that the node is there, just before it serves: what came in between, such as migrations,
/// may have taken so long that others took it to be gone. Refuses where one of them has emptied the Sandbox
/// or taken it back by then.
pub async fn arrive_again(opened: &Opened) -> Result<(), ServerError> {
    rotator::arrive(&opened.db, &opened.dir).await?;
    rewind::step::check(&opened.instance, &opened.db).await
}

/// Tells the other nodes of a PostgreSQL database that this one does not serve after all; the lock is
/// still held. Where it can't be told, they find that they have heard nothing of it for a time.
pub async fn leave(db: &Db, dir: &Path) {
    if db.engine() == Engine::Pg
        && let Ok(node) = host::node(dir)
        && let Err(error) = rotator::leave(db, &node).await
    {
        tracing::debug!(%error, "other nodes were not told that this one does not serve");
    }
}

/// Reads how things stand, and, under the lock, ends what was cut off.
async fn settle(
    opened: &mut Opened,
    lock: &mut Option<InstanceLock>,
    place: &Place,
) -> Result<(), ServerError> {
    if let Some(witness) = opened.instance.witness().sandbox() {
        ward_store::test_clock::load(&opened.db, &witness).await?;
        ward_store::faults::load(&opened.db, &witness).await?;
    }
    if let Some(lock) = lock {
        finish_restore(opened, place)?;
        rewind::step::finish(&opened.instance, &opened.db).await?;
        rewind::step::check(&opened.instance, &opened.db).await?;
        let now = binding(&opened.dir, &opened.db, &opened.config.parsed_base_url()?).await?;
        // The files of a PostgreSQL node hold no data: only the server counts.
        let torn = lock.is_torn() && opened.db.engine() == Engine::Lite;
        if host::compare(&opened.certificate, &now, torn) != Binding::Same
            && opened.certificate.state == State::Active
        {
            let moved = Certificate { state: State::Quarantined, ..opened.certificate.clone() };
            opened.certificate = sign(&opened.db, moved).await?;
            lock.settle()?;
        }
    }
    Ok(())
}

/// Ends what a restore that was cut off had still to do, or forgets one that never came about.
fn finish_restore(opened: &Opened, place: &Place) -> Result<(), ServerError> {
    let epoch = opened.certificate.restore_epoch;
    let wall = opened.instance.clock().wall();
    opened.instance.ledger().settle_restore(epoch, wall)?;
    ward_store::backup::forget_staged(place)?;
    restore::finish_files(&opened.files(), epoch)
}

pub(crate) fn place_of(
    dir: &Path,
    config: &Config,
    address: Option<&str>,
    env: &[(String, String)],
) -> Result<Place, ServerError> {
    if let Some(url) = address {
        ward_instance::config::refuse_password("--database", url)?;
        return Ok(Place::Pg { url: url.to_owned() });
    }
    Ok(match config.database_url(env.iter().cloned())? {
        Some(url) => Place::Pg { url: url.to_string() },
        None => Place::Lite { path: dir.join("ward.db") },
    })
}

/// The same place, where nothing waits for the disk; Production's always does.
fn passing(place: Place, kind: Kind) -> Place {
    match place {
        Place::Lite { path } if kind == Kind::Sandbox => Place::Passing { path },
        other => other,
    }
}

#[cfg(unix)]
pub(crate) fn restrict(dir: &Path) -> Result<(), ServerError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
        .map_err(|error| ServerError::System(format!("cannot protect {}: {error}", dir.display())))
}
