//! Reading: one snapshot for as long as a reader lives.

use std::path::PathBuf;
use std::sync::Arc;

use deadpool_postgres::Object;
use futures_util::future::{BoxFuture, ready};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::core::Core;
use crate::driver::lite::{Access, Lite};
use crate::driver::{lite_error, pg, pg_error};
use crate::epochs::Epoch;
use crate::error::StoreError;
use crate::query::{Engine, Query};
use crate::value::{Rows, Sql, Value};

/// Reading connections of a SQLite store.
const READERS: usize = 4;

/// SQLite's reading connections.
pub(crate) struct LitePool {
    path: PathBuf,
    idle: Mutex<Vec<Lite>>,
    permits: Arc<Semaphore>,
}

impl LitePool {
    pub(crate) fn new(path: PathBuf) -> Arc<Self> {
        Arc::new(LitePool {
            path,
            idle: Mutex::new(Vec::with_capacity(READERS)),
            permits: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// A reader; waits while all connections are in use.
    pub(crate) async fn get(self: &Arc<Self>, core: &Arc<Core>) -> Result<Reader, StoreError> {
        let shut = |_| StoreError::Unavailable("the store is shut down".into());
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(shut)?;
        let idle = self.idle.lock().pop();
        let lite = match idle {
            Some(lite) => lite,
            None => Lite::open(&self.path, Access::Read)?,
        };
        let epoch = core.epochs.enter();
        let changes = core.counts.changes();
        lite.control("BEGIN").map_err(|error| lite_error::map(&error))?;
        let pool = Arc::clone(self);
        let conn = Conn::Lite { lite: Some(lite), changes, pool, _permit: permit };
        Ok(Reader { conn, core: Arc::clone(core), _epoch: epoch })
    }

    /// Keeps a connection that was opened already for whoever reads first.
    pub(crate) fn keep(&self, lite: Lite) {
        self.idle.lock().push(lite);
    }

    /// Gives no more connections, waits for those in use and closes all.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(READERS).unwrap_or(1);
        drop(self.permits.acquire_many(all).await);
        self.permits.close();
        self.idle.lock().clear();
    }
}

/// Reads. On SQLite everything read through one reader is of one moment, and
/// every future is ready at once.
pub struct Reader {
    conn: Conn,
    core: Arc<Core>,
    /// A rotation of keys waits for those who began before it.
    _epoch: Epoch,
}

enum Conn {
    Lite {
        /// `None` only while being dropped.
        lite: Option<Lite>,
        /// Committed before the snapshot.
        changes: u64,
        pool: Arc<LitePool>,
        /// Given back after the connection.
        _permit: OwnedSemaphorePermit,
    },
    Pg(Object),
    /// In a transaction of its own; `None` only while being dropped.
    PgSnapshot(Option<Object>),
}

/// As long as it takes: whoever writes waits for nothing that this one does.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

impl Reader {
    pub(crate) fn pg(core: &Arc<Core>, client: Object) -> Self {
        Reader { conn: Conn::Pg(client), core: Arc::clone(core), _epoch: core.epochs.enter() }
    }

    /// All of whose answers are of one moment.
    pub(crate) async fn pg_snapshot(core: &Arc<Core>, client: Object) -> Result<Self, StoreError> {
        let begun = client.batch_execute(SNAPSHOT).await;
        let conn = Conn::PgSnapshot(Some(client));
        let reader = Reader { conn, core: Arc::clone(core), _epoch: core.epochs.enter() };
        begun.map_err(|error| pg_error::map(&error, &core.unique_rules))?;
        Ok(reader)
    }
}

impl Query for Reader {
    fn rows<'a>(&'a mut self, sql: &'a Sql) -> BoxFuture<'a, Result<Rows, StoreError>> {
        match &mut self.conn {
            Conn::Lite { lite, .. } => {
                let rows = match lite {
                    Some(lite) => lite.rows(sql),
                    None => Err(StoreError::internal("the reader is gone")),
                };
                Box::pin(ready(rows))
            }
            Conn::Pg(client) => Box::pin(pg_rows(&self.core, client, sql)),
            Conn::PgSnapshot(client) => match client {
                Some(client) => Box::pin(pg_rows(&self.core, client, sql)),
                None => Box::pin(ready(Err(StoreError::internal("the reader is gone")))),
            },
        }
    }

    fn count<'a>(&'a mut self, sql: &'a Sql) -> BoxFuture<'a, Result<i64, StoreError>> {
        let known = match self.conn {
            Conn::Lite { changes, .. } => self.core.counts.known(changes, sql),
            Conn::Pg(_) | Conn::PgSnapshot(_) => None,
        };
        if let Some(number) = known {
            return Box::pin(ready(Ok(number)));
        }
        Box::pin(async move {
            let number = self.rows(sql).await?.scalar().and_then(Value::int).unwrap_or(0);
            if let Conn::Lite { changes, .. } = self.conn {
                self.core.counts.keep(changes, sql, number);
            }
            Ok(number)
        })
    }

    fn execute<'a>(&'a mut self, _: &'a Sql) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(ready(Err(StoreError::internal("a reader changes nothing; use a write"))))
    }

    fn engine(&self) -> Engine {
        self.core.engine
    }
}

async fn pg_rows(core: &Core, client: &Object, sql: &Sql) -> Result<Rows, StoreError> {
    pg::rows(client, &core.texts, sql).await.map_err(|error| match error {
        pg::StatementError::Server(error) => pg_error::map(&error, &core.unique_rules),
        pg::StatementError::Store(error) => error,
    })
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Its transaction is open: closed, the server ends it.
        if let Conn::PgSnapshot(client) = &mut self.conn
            && let Some(client) = client.take()
        {
            drop(Object::take(client));
        }
        if let Conn::Lite { lite, pool, .. } = &mut self.conn
            && let Some(lite) = lite.take()
            && lite.control("ROLLBACK").is_ok()
        {
            pool.idle.lock().push(lite);
        }
    }
}
