//! An open store: readers, writes, shutdown.

mod open;
mod place;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::panic::AssertUnwindSafe;
use tokio::sync::broadcast;
use ward_instance::{Certificate, Instance, Kind};

use crate::access::AccessLog;
use crate::birth::{self, Birth};
use crate::core::{Core, Hint};
use crate::ddl;
use crate::driver::lite::Durability;
use crate::driver::pg::PgPool;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::member::{self, Call, Failure};
use crate::outbox;
use crate::query::{Engine, Query};
use crate::reader::{LitePool, Reader};
use crate::retired;
use crate::table::Table;
use crate::tx::Tx;
use crate::writer::{Writer, WriterStats};

pub use place::Place;

/// PostgreSQL connections at most, unless configured.
const POOL: usize = 16;

/// A write is run so often at most, when PostgreSQL asks for it again.
const ATTEMPTS_MAX: u32 = 5;

/// An open store; clones are the same store.
#[derive(Clone)]
pub struct Db {
    core: Arc<Core>,
    pub(crate) backend: Arc<Backend>,
    /// The world that its writes are for; nothing for whichever is there.
    of: Option<u64>,
}

pub(crate) enum Backend {
    Lite {
        readers: Arc<LitePool>,
        writer: Writer,
        path: PathBuf,
        /// To copy it from; behind the connections, see [`lite_copy::copy_files`].
        file: Mutex<File>,
    },
    Pg(PgPool),
}

impl Db {
    /// Makes the database of a new instance.
    pub async fn create(place: &Place, birth: &Birth<'_>) -> Result<(), StoreError> {
        birth.run(place).await
    }

    /// The certificate of the database at `place`, unverified: for the
    /// agreement of command line, key file and database. `kind` is what the
    /// command line says.
    pub async fn read_certificate(place: &Place, kind: Kind) -> Result<Certificate, StoreError> {
        birth::read_certificate(place, kind).await
    }

    /// Opens the instance's database. Refuses any other (ISO-02, ISO-07).
    pub async fn open(
        place: Place,
        instance: Arc<Instance>,
        tables: Vec<&'static Table>,
    ) -> Result<Db, StoreError> {
        Self::open_with(place, instance, tables, POOL).await
    }

    /// The same, with up to `connections` PostgreSQL connections.
    pub async fn open_with(
        place: Place,
        instance: Arc<Instance>,
        tables: Vec<&'static Table>,
        connections: usize,
    ) -> Result<Db, StoreError> {
        place.fits(instance.kind())?;
        let engine = place.engine();
        let rules = ddl::rule_names(engine, instance.kind(), &tables)?;
        let core = Arc::new(Core::new(Arc::clone(&instance), tables, engine, rules.clone()));
        if let Place::Lite { path } | Place::Passing { path } = &place {
            // Before any connection: whoever closes the file lets go of what this process has locked.
            birth::check_application_id(path, Some(instance.kind()))?;
        }
        let backend = match place {
            Place::Lite { path } => Self::open_lite(&core, path, Durability::Kept)?,
            Place::Passing { path } => Self::open_passing(&core, path).await?,
            Place::Pg { .. } | Place::Staged { .. } => {
                let pool = PgPool::new(place.address()?, connections.max(1), &instance, rules)?;
                // The first connection proves the place now, not at the first request.
                drop(pool.get().await?);
                Backend::Pg(pool)
            }
        };
        let db = Db { core, backend: Arc::new(backend), of: None };
        if let Err(error) = db.load_retired().await {
            // Whoever is refused may remove the file: nothing works on it any more.
            db.shutdown().await;
            return Err(error);
        }
        Ok(db)
    }

    /// Which world is there: another one each time that a Sandbox was emptied or went back to a
    /// snapshot, and always the same in Production.
    pub fn world(&self) -> u64 {
        self.core.world_number()
    }

    /// The same store for what is written by somebody's leave, whose world was asked for before they
    /// were looked up: when another one is there, their writes are refused with
    /// [`StoreError::OtherWorld`] before they begin. Reading goes on.
    #[must_use]
    pub fn in_world(&self, world: u64) -> Db {
        Db { of: Some(world), ..self.clone() }
    }

    /// The same store for what is written whichever world is there: by nobody's leave, such as what
    /// tidies up behind a request.
    #[must_use]
    pub fn in_any_world(&self) -> Db {
        Db { of: None, ..self.clone() }
    }

    /// A reader. On SQLite it sees one moment for as long as it lives, so one
    /// request takes one.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        match &*self.backend {
            Backend::Lite { readers, .. } => readers.get(&self.core).await,
            Backend::Pg(pool) => Ok(Reader::pg(&self.core, pool.get().await?)),
        }
    }

    /// A reader that sees one moment for as long as it lives, on either engine.
    pub async fn snapshot(&self) -> Result<Reader, StoreError> {
        match &*self.backend {
            Backend::Lite { readers, .. } => readers.get(&self.core).await,
            Backend::Pg(pool) => Reader::pg_snapshot(&self.core, pool.get().await?).await,
        }
    }

    /// Runs `work` in a transaction and commits it; answers when the commit is
    /// on the disk.
    ///
    /// Who stops waiting before `work` began is not served; later, it is
    /// finished on SQLite and rolled back on PostgreSQL.
    ///
    /// `work` may run more than once, so all its effects go through the `Tx`;
    /// it may wait for nothing but the `Tx` (on SQLite it holds the one writer).
    pub async fn write<T, E, W>(&self, work: W) -> Result<T, E>
    where
        W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: Failure + Send + 'static,
    {
        match &*self.backend {
            Backend::Lite { writer, .. } => {
                let (call, answer) = Call::new(work, self.of);
                writer.enqueue(Box::new(call))?;
                let gone = |_| E::from(StoreError::Unavailable("the writer has stopped".into()));
                answer.await.map_err(gone)?
            }
            Backend::Pg(pool) => self.write_pg(pool, &work, true).await,
        }
    }

    /// The same for what brings another world back, or empties it: on PostgreSQL too whatever this
    /// process began to write before has ended then, and what begins later sees what is there
    /// afterwards. So nobody writes by an id that was read or given out in the world of before.
    pub async fn write_alone<T, E, W>(&self, work: W) -> Result<T, E>
    where
        W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: Failure + Send + 'static,
    {
        match &*self.backend {
            Backend::Lite { .. } => self.write(work).await,
            Backend::Pg(pool) => {
                let _alone = self.core.world.write().await;
                self.write_pg(pool, &work, false).await
            }
        }
    }

    /// The same beside whoever is [alone](Self::write_alone) in this process, however long: for what is
    /// of no world and has no id, as that a node lives.
    pub async fn write_aside<T, E, W>(&self, work: W) -> Result<T, E>
    where
        W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: Failure + Send + 'static,
    {
        match &*self.backend {
            Backend::Lite { .. } => self.write(work).await,
            Backend::Pg(pool) => self.write_pg(pool, &work, false).await,
        }
    }

    /// It `waits` for whoever is alone, and keeps others from it; or does neither.
    async fn write_pg<T, E, W>(&self, pool: &PgPool, work: &W, waits: bool) -> Result<T, E>
    where
        W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync,
        E: Failure,
    {
        let mut attempt = 1;
        loop {
            let beside = match waits {
                true => Some(self.core.world.read().await),
                false => None,
            };
            self.core.check_world(self.of)?;
            let mut tx = Tx::pg(&self.core, pool.begin().await?);
            let error = match attempt_pg(&mut tx, work).await {
                Ok(value) => {
                    self.core.ids.publish(&mut tx.draft);
                    self.core.tell(&tx.take_hints());
                    return Ok(value);
                }
                Err(error) => error,
            };
            tx.rollback_pg().await;
            if !tx.is_retryable() || attempt == ATTEMPTS_MAX {
                member::log(&error);
                return Err(error);
            }
            drop((tx, beside));
            tokio::time::sleep(self.backoff(attempt)).await;
            attempt += 1;
        }
    }

    /// Up to 10, 20, 40, 80 ms, evenly drawn: two that met once do not meet again.
    fn backoff(&self, attempt: u32) -> Duration {
        Duration::from_micros(self.core.instance.random().below(5_000 << attempt))
    }

    /// The instance.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.core.instance
    }

    /// All tables.
    pub fn tables(&self) -> &[&'static Table] {
        &self.core.tables
    }

    /// The data keys.
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.core.keyring
    }

    /// Who read which clients.
    pub fn access_log(&self) -> &AccessLog {
        &self.core.access
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.core.engine
    }

    /// What committed transactions leave to be done, from now on.
    pub fn hints(&self) -> broadcast::Receiver<Hint> {
        self.core.hints.subscribe()
    }

    /// What every part of the store shares.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Held while `chain.heads` is read and written.
    pub(crate) fn heads_file(&self) -> &tokio::sync::Mutex<()> {
        &self.core.heads_file
    }

    /// Waits until every reader and transaction of before is over. The caller
    /// holds none.
    pub(crate) async fn pass_epoch(&self) {
        self.core.epochs.pass().await;
    }

    /// Every organization has data keys of this version from now on: waits
    /// until nobody seals with older ones.
    pub(crate) async fn require_keys(&self, version: u32) {
        self.core.keyring.require(version, &self.core.epochs).await;
    }

    /// Reads what stays of dropped roots.
    pub(crate) async fn load_retired(&self) -> Result<(), StoreError> {
        let rows = self.read().await?.rows(&retired::select()).await?;
        let keys = retired::decode(&self.core.instance.ring(), &rows)?;
        self.core.keyring.set_retired(keys);
        Ok(())
    }

    /// What the writer has done; nothing is counted on PostgreSQL.
    pub fn writer_stats(&self) -> WriterStats {
        match &*self.backend {
            Backend::Lite { writer, .. } => writer.stats(),
            Backend::Pg(_) => WriterStats::default(),
        }
    }

    /// Whether writes are refused until a restart, because the disk failed to
    /// sync and what it holds is unknown. PostgreSQL looks after its own disk.
    pub fn is_broken(&self) -> bool {
        match &*self.backend {
            Backend::Lite { writer, .. } => writer.is_broken(),
            Backend::Pg(_) => false,
        }
    }

    /// Forgets ids in stock and the keyring: after a restore or a reset.
    pub fn forget(&self) {
        self.core.ids.forget();
        self.core.keyring.forget();
        self.core.access.forget();
    }

    /// Has PostgreSQL's planner look at the tables anew, after many rows were
    /// written; SQLite plans by the definitions alone.
    pub async fn learn(&self) -> Result<(), StoreError> {
        match self.core.engine {
            Engine::Lite => Ok(()),
            Engine::Pg => {
                self.write(|tx: &mut Tx| Box::pin(async move { tx.batch("ANALYZE").await })).await
            }
        }
    }

    /// Finishes the writes that wait and closes. On SQLite waits for readers
    /// and empties the log into the file.
    pub async fn shutdown(&self) {
        match &*self.backend {
            Backend::Lite { readers, .. } => {
                readers.close().await;
                let backend = Arc::clone(&self.backend);
                let stopped = tokio::task::spawn_blocking(move || {
                    if let Backend::Lite { writer, .. } = &*backend {
                        writer.stop();
                    }
                });
                drop(stopped.await);
            }
            Backend::Pg(pool) => pool.close(),
        }
    }
}

async fn attempt_pg<T, E, W>(tx: &mut Tx, work: &W) -> Result<T, E>
where
    W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    E: Failure,
{
    let run = AssertUnwindSafe(async { work(tx).await }).catch_unwind();
    let value = run.await.unwrap_or_else(|_| Err(member::panicked()))?;
    outbox::flush(tx).await?;
    tx.commit_pg().await?;
    Ok(value)
}
