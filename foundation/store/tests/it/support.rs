//! A new instance with its own database for each test.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_postgres::NoTls;
use ward_instance::{Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::migrate::Migration;
use ward_store::{Birth, Db, Engine, Place, Query, Rows, Sql, StoreError, Table};

use crate::tables;

/// An instance with an open store.
#[derive(Clone)]
pub struct World {
    pub db: Db,
    pub instance: Arc<Instance>,
    pub place: Place,
    pub ring: Arc<RootRing>,
    pub directory: PathBuf,
}

/// The server to test on: an address with any database name.
pub fn server() -> Option<String> {
    let url = std::env::var("WARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let all = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|it| it == "1");
        assert!(!all, "WARD_REQUIRE_ALL=1, but WARD_TEST_POSTGRES names no server");
        eprintln!("NOT RUN: PostgreSQL");
    }
    url
}

/// The server's address with this database name.
pub fn address(server: &str, name: &str) -> String {
    let start = server.rfind('/').expect("an address ends in a database name");
    format!("{}/{name}", &server[..start])
}

pub struct Born {
    pub ring: Arc<RootRing>,
    pub certificate: Certificate,
    pub instance: Arc<Instance>,
}

/// A new instance, without a database.
pub fn born(kind: Kind) -> Born {
    let random = Random::os();
    let clock = Clock::system();
    let ring = Arc::new(RootRing::generate(kind, InstanceId::draw(&random), &random));
    let certificate = Certificate::new(&ring, clock.now(), "http://127.0.0.1:4100", "test");
    let ledger = Ledger::in_memory(&ring, 7, clock.now());
    let instance = Instance::assemble(Arc::clone(&ring), &certificate, ledger, clock, random);
    Born { ring, certificate, instance: instance.expect("a new instance is whole") }
}

/// Makes its database.
pub async fn create(
    born: &Born,
    place: &Place,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let tables = tables::all();
    let now = born.instance.now();
    let (ring, certificate) = (&*born.ring, &born.certificate);
    Db::create(place, &Birth { ring, certificate, tables: &tables, migrations, now }).await
}

/// Opens it.
pub async fn open(born: &Born, place: &Place) -> Result<Db, StoreError> {
    Db::open(place.clone(), Arc::clone(&born.instance), tables::all()).await
}

/// A name that no other test has.
pub fn fresh_name(kind: Kind) -> String {
    format!("{kind}_{}", Random::os().base62(12).to_lowercase())
}

/// Runs a test in a world of its own, and takes the world away whatever happens.
pub async fn run<F, Fut>(engine: Engine, kind: Kind, test: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let directory = tempfile::tempdir().unwrap();
    let name = fresh_name(kind);
    let place = match engine {
        Engine::Lite => Place::Lite { path: directory.path().join("ward.db") },
        Engine::Pg => match server() {
            Some(server) => Place::Pg { url: address(&server, &name) },
            None => return,
        },
    };
    let born = born(kind);
    create(&born, &place, &[]).await.unwrap();
    let db = open(&born, &place).await.unwrap();
    let Born { ring, instance, .. } = born;
    let path = directory.path().to_owned();
    let world = World { db: db.clone(), instance, place, ring, directory: path };
    let outcome = tokio::spawn(test(world)).await;
    db.shutdown().await;
    drop(db);
    if engine == Engine::Pg {
        drop_database(&name).await;
    }
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Takes a test's database away.
pub async fn drop_database(name: &str) {
    let Some(server) = server() else { return };
    let client = raw(&server).await;
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
}

/// A connection past the store.
pub async fn raw(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The test on both engines.
macro_rules! both {
    ($test:ident) => {
        mod $test {
            engine!(sqlite, Lite, $test);
            engine!(postgres, Pg, $test);
        }
    };
    ($(#[$doc:meta])* async fn $test:ident($world:ident) $body:block) => {
        $(#[$doc])*
        async fn $test($world: crate::support::World) $body
        both!($test);
    };
}

/// The test on one engine.
macro_rules! only {
    ($engine:ident, $test:ident) => {
        mod $test {
            engine!(alone, $engine, $test);
        }
    };
    ($engine:ident, $(#[$doc:meta])* async fn $test:ident($world:ident) $body:block) => {
        $(#[$doc])*
        async fn $test($world: crate::support::World) $body
        only!($engine, $test);
    };
}

macro_rules! engine {
    ($name:ident, $engine:ident, $test:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let (engine, kind) = (ward_store::Engine::$engine, ward_instance::Kind::Sandbox);
            crate::support::run(engine, kind, super::$test).await;
        }
    };
}

impl World {
    /// What a new reader sees.
    pub async fn rows(&self, sql: Sql) -> Rows {
        self.db.read().await.unwrap().rows(&sql).await.unwrap()
    }

    /// One number.
    pub async fn number(&self, text: &'static str) -> i64 {
        self.rows(Sql::fixed(text, [])).await.scalar().unwrap().int().unwrap()
    }

    /// Changes rows in a transaction of its own.
    pub async fn execute(&self, sql: Sql) -> Result<u64, StoreError> {
        self.db
            .write(move |tx| {
                let sql = sql.clone();
                Box::pin(async move { tx.execute(&sql).await })
            })
            .await
    }

    /// The file of a SQLite world.
    pub fn file(&self) -> PathBuf {
        match &self.place {
            Place::Lite { path } | Place::Passing { path } => path.clone(),
            Place::Pg { .. } | Place::Staged { .. } => panic!("a SQLite world"),
        }
    }

    /// The address of a PostgreSQL world.
    pub fn url(&self) -> String {
        match &self.place {
            Place::Pg { url } => url.clone(),
            Place::Lite { .. } | Place::Passing { .. } | Place::Staged { .. } => {
                panic!("a PostgreSQL world")
            }
        }
    }

    /// An id of this environment that no transaction took.
    pub fn org_id(&self) -> i64 {
        match self.instance.kind() {
            Kind::Sandbox => ward_instance::ids::SANDBOX.0,
            Kind::Production => ward_instance::ids::PRODUCTION.0,
        }
    }
}

/// Every table by its name, with the system's.
pub fn tables() -> Vec<&'static Table> {
    tables::all()
}
