//! PostgreSQL: the pool, its proof that every connection leads to this
//! instance's database, and statements.
//!
//! Connections are not encrypted: the server has to be on this machine, on a
//! Unix socket or behind an encrypted tunnel. (A known gap.)

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use parking_lot::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls};
use ward_instance::{Instance, IsoError, Kind};

use crate::certificate;
use crate::driver::pg_error::{self, RuleNames};
use crate::driver::pg_value;
use crate::driver::text::Texts;
use crate::error::StoreError;
use crate::value::{Rows, Sql};

/// How long to wait for a free connection, or for a new one.
const WAIT: Duration = Duration::from_secs(5);

/// A statement, or a lock that it waits for, is given up after 10 s.
const OPTIONS: &str = "-c statement_timeout=10000 -c lock_timeout=10000 \
    -c idle_in_transaction_session_timeout=60000 -c timezone=UTC";

/// Raises (division by zero) unless the database is the instance's and signed
/// by no newer root than this process has, so nothing that is pipelined behind
/// it runs.
const PROOF: &str =
    "SELECT 1 / (SELECT COUNT(*) FROM instance WHERE instance_id = $1 AND root_version <= $2)";

/// The schema in which a backup is put together before it takes the place of what is there.
pub(crate) const STAGING: &str = "ward_restore";

/// Which tables of a database a connection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    /// The instance's.
    Own,
    /// Those of a backup that is being brought back.
    Staged,
}

/// The address of a database; never shown, it may hold a password.
pub(crate) fn config(url: &str, kind: Kind, tables: Tables) -> Result<Config, StoreError> {
    let mut config: Config = url
        .parse()
        .map_err(|_| StoreError::Unavailable("the database's address does not parse".into()))?;
    let name = config.get_dbname().unwrap_or_default();
    if !name.starts_with(kind.as_str()) {
        return Err(StoreError::Foreign(IsoError::new(
            "ISO-07",
            format!("a {} database's name begins with `{kind}`", kind.title()),
            format!("name a database such as `{kind}_ward`"),
        )));
    }
    match tables {
        Tables::Own => config.options(OPTIONS),
        Tables::Staged => config.options(format!("{OPTIONS} -c search_path={STAGING}")),
    };
    config.application_name("ward").connect_timeout(WAIT);
    Ok(config)
}

/// The pool, and why it last refused a connection.
pub(crate) struct PgPool {
    pool: Pool,
    refusal: Arc<Mutex<Option<IsoError>>>,
    names: RuleNames,
    instance: Arc<Instance>,
    instance_id: String,
}

/// How often, and after how long, a transaction begins again that met a rotation of the root key.
const ROTATED_TRIES: usize = 4;
const ROTATED_WAIT: Duration = Duration::from_millis(50);

impl PgPool {
    /// A pool whose every new connection proves to be the instance's.
    pub(crate) fn new(
        (url, tables): (&str, Tables),
        size: usize,
        instance: &Arc<Instance>,
        names: RuleNames,
    ) -> Result<Self, StoreError> {
        let config = config(url, instance.kind(), tables)?;
        let refusal = Arc::new(Mutex::new(None));
        let manager = Manager::from_config(
            config,
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let hook = verifying_hook(Arc::clone(instance), Arc::clone(&refusal));
        let pool = Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .runtime(Runtime::Tokio1)
            .post_create(hook)
            .build()
            .map_err(|error| StoreError::internal(format!("the pool: {error}")))?;
        let instance_id = instance.instance_id().to_string();
        Ok(PgPool { pool, refusal, names, instance: Arc::clone(instance), instance_id })
    }

    /// A connection.
    pub(crate) async fn get(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|error| {
            let refused = matches!(error, deadpool_postgres::PoolError::PostCreateHook(_));
            match self.refusal.lock().clone().filter(|_| refused) {
                Some(refusal) => StoreError::Foreign(refusal),
                None => pg_error::map_pool(&error, &self.names),
            }
        })
    }

    /// A connection on which a transaction has begun, proved to be this
    /// instance's in the same round trip.
    pub(crate) async fn begin(&self) -> Result<Object, StoreError> {
        let begun = self.begin_once().await;
        let Err(StoreError::Foreign(refusal)) = begun else { return begun };
        for _ in 0..ROTATED_TRIES {
            // A rotation commits the root's new version a moment before the ring has it.
            tokio::time::sleep(ROTATED_WAIT).await;
            let begun = self.begin_once().await;
            if !matches!(begun, Err(StoreError::Foreign(_))) {
                return begun;
            }
        }
        Err(StoreError::Foreign(refusal))
    }

    async fn begin_once(&self) -> Result<Object, StoreError> {
        let client = self.get().await?;
        let proof = client
            .prepare_cached(PROOF)
            .await
            .map_err(|error| pg_error::map(&error, &self.names))?;
        let root = i64::from(self.instance.ring().current_version());
        let params: [&(dyn ToSql + Sync); 2] = [&self.instance_id, &root];
        // Polled in this order, so sent in this order.
        let (begun, proved) = futures_util::future::join(
            client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
            client.query(&proof, &params),
        )
        .await;
        let failed = begun.err().or(proved.err());
        let Some(error) = failed else { return Ok(client) };
        drop(Object::take(client));
        Err(match error.code() {
            Some(&SqlState::DIVISION_BY_ZERO) => StoreError::Foreign(foreign(
                "the database is another instance's than the one this process started on, or its root key was rotated since",
            )),
            _ => pg_error::map(&error, &self.names),
        })
    }

    /// Closes all connections; running statements end first.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

fn foreign(sentence: impl Into<String>) -> IsoError {
    IsoError::new("ISO-07", sentence, "point the database's address at this instance's database")
}

fn no_certificate() -> StoreError {
    StoreError::Foreign(foreign("the database has no birth certificate"))
}

fn verifying_hook(instance: Arc<Instance>, refusal: Arc<Mutex<Option<IsoError>>>) -> Hook {
    Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let (instance, refusal) = (Arc::clone(&instance), Arc::clone(&refusal));
        Box::pin(async move {
            match verify(client, &instance).await {
                Ok(()) => Ok(()),
                Err(StoreError::Foreign(error)) => {
                    tracing::error!(%error, "a database connection was refused");
                    *refusal.lock() = Some(error);
                    Err(HookError::message("not this instance's database"))
                }
                Err(error) => {
                    *refusal.lock() = None;
                    Err(HookError::message(error.to_string()))
                }
            }
        })
    })
}

async fn verify(client: &ClientWrapper, instance: &Instance) -> Result<(), StoreError> {
    let certificate = match read_certificate(client).await {
        Ok(certificate) => certificate,
        Err(StoreError::Unavailable(what)) => return Err(StoreError::Unavailable(what)),
        Err(_) => return Err(no_certificate()),
    };
    certificate
        .verify(&instance.ring())
        .map(drop)
        .map_err(|error| StoreError::Foreign(foreign(error.sentence)))
}

/// Reads the certificate over any client.
pub(crate) async fn read_certificate(
    client: &tokio_postgres::Client,
) -> Result<ward_instance::Certificate, StoreError> {
    let sql = certificate::select();
    let rows = client
        .query(sql.text(), &[])
        .await
        .map_err(|error| pg_error::map(&error, &RuleNames::new()))?;
    let width = rows.first().map_or(0, |row| row.columns().len());
    certificate::decode(&pg_value::decode(width, &rows)?)
}

/// Why a statement failed; the transaction wants the server's own error.
pub(crate) enum StatementError {
    Server(tokio_postgres::Error),
    Store(StoreError),
}

impl From<tokio_postgres::Error> for StatementError {
    fn from(error: tokio_postgres::Error) -> Self {
        StatementError::Server(error)
    }
}

/// The rows that a statement answers.
pub(crate) async fn rows(
    client: &ClientWrapper,
    texts: &Mutex<Texts>,
    sql: &Sql,
) -> Result<Rows, StatementError> {
    let statement = prepared(client, texts, sql).await?;
    let rows = client.query(&statement, &params(sql)).await?;
    pg_value::decode(statement.columns().len(), &rows).map_err(StatementError::Store)
}

/// How many rows a statement changed.
pub(crate) async fn execute(
    client: &ClientWrapper,
    texts: &Mutex<Texts>,
    sql: &Sql,
) -> Result<u64, StatementError> {
    let statement = prepared(client, texts, sql).await?;
    Ok(client.execute(&statement, &params(sql)).await?)
}

async fn prepared(
    client: &ClientWrapper,
    texts: &Mutex<Texts>,
    sql: &Sql,
) -> Result<tokio_postgres::Statement, StatementError> {
    let text = texts.lock().get(sql.text());
    let statement = client.prepare_cached(&text).await?;
    if statement.params().len() == sql.params().len() {
        return Ok(statement);
    }
    Err(StatementError::Store(StoreError::internal(format!(
        "the statement has {} parameters and was given {}",
        statement.params().len(),
        sql.params().len()
    ))))
}

fn params(sql: &Sql) -> Vec<&(dyn ToSql + Sync)> {
    sql.params().iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
