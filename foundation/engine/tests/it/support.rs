//! A new instance with its own database, and an engine over it.

use std::future::Future;
use std::sync::Arc;

use ward_instance::{Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::{Birth, Db, Engine, Place};

use crate::world::{self, World, seed, tables};

/// The PostgreSQL server to test on: an address with any database name.
fn server() -> Option<String> {
    let url = std::env::var("WARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let all = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|it| it == "1");
        assert!(!all, "WARD_REQUIRE_ALL=1, but WARD_TEST_POSTGRES names no server");
        eprintln!("NOT RUN: PostgreSQL");
    }
    url
}

/// A new instance, without a database.
pub fn born() -> (Arc<RootRing>, Certificate, Arc<Instance>) {
    let (random, clock) = (Random::os(), Clock::system());
    let ring = RootRing::generate(Kind::Sandbox, InstanceId::draw(&random), &random);
    let ring = Arc::new(ring);
    let certificate = Certificate::new(&ring, clock.now(), "http://127.0.0.1:4100", "test");
    let ledger = Ledger::in_memory(&ring, 7, clock.now());
    let instance = Instance::assemble(Arc::clone(&ring), &certificate, ledger, clock, random);
    (ring, certificate, instance.expect("a new instance is whole"))
}

/// Runs a test in a world of its own, and takes the world away whatever happens.
pub async fn run<F, Fut>(engine: Engine, test: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let directory = tempfile::tempdir().unwrap();
    let name = format!("sandbox_engine_{}", Random::os().base62(12).to_lowercase());
    let place = match engine {
        Engine::Lite => Place::Lite { path: directory.path().join("ward.db") },
        Engine::Pg => match server() {
            Some(server) => Place::Pg { url: address(&server, &name) },
            None => return,
        },
    };
    let (ring, certificate, instance) = born();
    let tables = tables::all();
    let now = instance.now();
    let birth =
        Birth { ring: &ring, certificate: &certificate, tables: &tables, migrations: &[], now };
    Db::create(&place, &birth).await.unwrap();
    let db = Db::open(place, Arc::clone(&instance), tables::all()).await.unwrap();
    db.write(|tx| Box::pin(seed::library(tx))).await.unwrap();
    let world = World { db: db.clone(), instance, engine: world::engine() };
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

/// The server's address with this database name.
fn address(server: &str, name: &str) -> String {
    let start = server.rfind('/').expect("an address ends in a database name");
    format!("{}/{name}", &server[..start])
}

async fn drop_database(name: &str) {
    let Some(server) = server() else { return };
    let (client, connection) =
        tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
}

/// Each case on SQLite in a world of its own; all of them on one PostgreSQL
/// database, one after another, since making one takes a second.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::support::run(ward_store::Engine::Lite, super::$case).await;
                }
            )*
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() {
            crate::support::run(ward_store::Engine::Pg, |world| async move {
                $(
                    eprintln!("{}::{} on PostgreSQL", module_path!(), stringify!($case));
                    $case(world.clone()).await;
                )*
            })
            .await;
        }
    };
}
