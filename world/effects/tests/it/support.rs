//! A new instance with its own database for each test.

use std::future::Future;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_effects::{
    Awaiting, Dispatcher, EffectMode, InboxFilter, Ports, ProductionEnv, SandboxEnv, Simulator,
    decide, inbox,
};
use ward_instance::{
    Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing, Timestamp,
};
use ward_store::intents::{EffectIntent, intend};
use ward_store::system::EffectClass;
use ward_store::{Birth, Db, Engine, Place, Query, Rows, Sql, StoreError, Table, keyring};

#[path = "../../../../foundation/store/tests/it/scratch.rs"]
mod scratch;

use scratch::Scratch;

/// The base URL of every test instance.
pub const BASE: &str = "https://ward.example";

/// Production without any connector.
pub type Unconnected = ProductionEnv<Awaiting, Awaiting, Awaiting, Awaiting, Awaiting>;

/// When every test begins.
pub const START: &str = "2026-03-02T09:00:00Z";

/// An instance with an open store, one organization and a clock that stands still.
#[derive(Clone)]
pub struct World {
    pub db: Db,
    pub instance: Arc<Instance>,
    pub org_id: i64,
}

/// A new instance, without a database.
pub fn instance(kind: Kind) -> (Arc<RootRing>, Certificate, Arc<Instance>) {
    let random = Random::os();
    let clock = Clock::manual(START.parse().unwrap());
    let ring = Arc::new(RootRing::generate(kind, InstanceId::draw(&random), &random));
    let certificate = Certificate::new(&ring, clock.now(), BASE, "test");
    let ledger = Ledger::in_memory(&ring, 7, clock.now());
    let instance = Instance::assemble(Arc::clone(&ring), &certificate, ledger, clock, random);
    (ring, certificate, instance.unwrap())
}

fn tables() -> Vec<&'static Table> {
    let mut tables = ward_store::system::tables();
    tables.extend(ward_effects::tables());
    tables
}

fn server() -> Option<String> {
    let url = std::env::var("WARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let all = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|it| it == "1");
        assert!(!all, "WARD_REQUIRE_ALL=1, but WARD_TEST_POSTGRES names no server");
        eprintln!("NOT RUN: PostgreSQL");
    }
    url
}

fn address(server: &str, name: &str) -> String {
    let start = server.rfind('/').expect("an address ends in a database name");
    format!("{}/{name}", &server[..start])
}

/// Runs a test in a world of its own.
pub async fn run<F, Fut>(engine: Engine, kind: Kind, test: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()>,
{
    let directory = tempfile::tempdir().unwrap();
    let name = format!("{kind}_{}", Random::os().base62(12).to_lowercase());
    let server = if engine == Engine::Pg { server() } else { None };
    let place = match (engine, &server) {
        (Engine::Lite, _) => Place::Lite { path: directory.path().join("ward.db") },
        (Engine::Pg, Some(server)) => Place::Pg { url: address(server, &name) },
        (Engine::Pg, None) => return,
    };
    let (ring, certificate, instance) = instance(kind);
    let birth = Birth {
        ring: &ring,
        certificate: &certificate,
        tables: &tables(),
        migrations: &[],
        now: instance.now(),
    };
    Db::create(&place, &birth).await.unwrap();
    let db = Db::open(place, Arc::clone(&instance), tables()).await.unwrap();
    let org_id = db
        .write(|tx| {
            Box::pin(async move {
                let org_id = tx.next_id_of("Organization").await?;
                keyring::create_for(tx, org_id).await?;
                Ok::<_, StoreError>(org_id)
            })
        })
        .await
        .unwrap();
    let scratch = match &server {
        Some(server) => Some(Scratch::of(&db, server).await),
        None => None,
    };
    test(World { db: db.clone(), instance, org_id }).await;
    match scratch {
        Some(scratch) => scratch.leave().await,
        None => db.shutdown().await,
    }
}

/// The same test on both engines.
macro_rules! both {
    ($kind:ident, $(#[$doc:meta])* async fn $name:ident($world:ident) $body:block) => {
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn test($world: crate::support::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let kind = ward_instance::Kind::$kind;
                crate::support::run(ward_store::Engine::Lite, kind, test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let kind = ward_instance::Kind::$kind;
                crate::support::run(ward_store::Engine::Pg, kind, test).await;
            }
        }
    };
}

/// A reset mail's payload with a link of our own.
pub fn reset_payload() -> Json {
    json!({
        "practice_name": "Harbor Practice",
        "link": format!("{BASE}/set-password?token=wtr_test_SECRET"),
    })
}

impl World {
    /// The Sandbox's simulator.
    pub fn simulator(&self) -> Simulator {
        let witness = self.instance.witness().sandbox().unwrap();
        Simulator::new(&witness, self.db.clone())
    }

    /// The Sandbox's dispatcher.
    pub fn sandbox(&self) -> Dispatcher<SandboxEnv> {
        let [mail, sms, push, video, scan] = [(); 5].map(|()| self.simulator());
        Dispatcher::new(self.db.clone(), Ports { mail, sms, push, video, scan }).unwrap()
    }

    /// Tells everything that is due of what was sent.
    pub async fn reports(&self) -> u64 {
        let (simulator, mut told) = (self.simulator(), 0);
        loop {
            match simulator.report_batch().await.unwrap() {
                0 => return told,
                some => told += some,
            }
        }
    }

    /// Production's dispatcher, without any connector.
    pub fn production(&self) -> Dispatcher<Unconnected> {
        let witness = self.instance.witness().production().unwrap();
        let [mail, sms, push, video, scan] = [(); 5].map(|()| Awaiting::arm(&witness));
        Dispatcher::new(self.db.clone(), Ports { mail, sms, push, video, scan }).unwrap()
    }

    /// Switches a class.
    pub async fn decide(&self, class: EffectClass, mode: EffectMode) {
        let actor = ward_store::Actor::system(self.org_id);
        decide(&self.db, &actor, class, mode, "for a test").await.unwrap();
    }

    /// An intent as a domain would make it.
    pub fn intent(&self, kind: &'static str, to: &str, payload: Json) -> EffectIntent {
        EffectIntent {
            class: EffectClass::AccountMail,
            kind,
            to: to.to_owned(),
            payload,
            subject_client: None,
            recipient: None,
            cause: "request-1".to_owned(),
            idempotency_key: format!("{kind} {to}"),
            not_before: None,
            expires_at: None,
        }
    }

    /// Records an intent; whether it is a new one.
    pub async fn intend(&self, intent: EffectIntent) -> bool {
        let org_id = self.org_id;
        self.db
            .write(move |tx| {
                let intent = intent.clone();
                Box::pin(async move { intend(tx, org_id, intent).await })
            })
            .await
            .unwrap()
    }

    /// Records a reset mail to this address.
    pub async fn intend_reset(&self, to: &str) {
        let intent = self.intent("reset_password", to, reset_payload());
        assert!(self.intend(intent).await);
    }

    /// Records an SMS of the practice's words.
    pub async fn intend_sms(&self, to: &str) {
        let payload = json!({ "practice_name": "Harbor", "text": "See you tomorrow" });
        let sms = EffectIntent { class: EffectClass::Sms, ..self.intent("reminder", to, payload) };
        assert!(self.intend(sms).await);
    }

    /// The organization's simulated messages.
    pub async fn inbox(&self, filter: InboxFilter) -> Vec<Json> {
        inbox(&self.db, self.org_id, filter).await.unwrap()
    }

    /// Moves the clock on.
    pub fn later(&self, seconds: i64) {
        self.instance.clock().advance(seconds * 1_000_000);
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.instance.now()
    }

    /// What a new reader sees.
    pub async fn rows(&self, text: &'static str) -> Rows {
        let sql = Sql::fixed(text, []);
        self.db.read().await.unwrap().rows(&sql).await.unwrap()
    }

    /// One number.
    pub async fn number(&self, text: &'static str) -> i64 {
        self.rows(text).await.scalar().unwrap().int().unwrap()
    }

    /// Changes the database past the store.
    pub async fn execute(&self, text: &'static str) {
        let changed = self
            .db
            .write(move |tx| Box::pin(async move { tx.execute(&Sql::fixed(text, [])).await }));
        changed.await.unwrap();
    }

    /// What was told of every intent, in order of making; `-` of none.
    pub async fn outcomes(&self) -> Vec<String> {
        let sql = "SELECT outcome FROM effect_intents ORDER BY created_at, idempotency_key";
        let rows = self.rows(sql).await;
        rows.iter().map(|row| row[0].text().unwrap_or("-").to_owned()).collect()
    }

    /// `state attempts error` of every intent, in order of making.
    pub async fn intents(&self) -> Vec<String> {
        let rows = self
            .rows(
                "SELECT state, attempts, last_error FROM effect_intents \
                 ORDER BY created_at, idempotency_key",
            )
            .await;
        let told = rows.iter().map(|row| {
            let (state, attempts) = (row[0].text().unwrap(), row[1].int().unwrap());
            format!("{state} {attempts} {}", row[2].text().unwrap_or("-"))
        });
        told.collect()
    }
}
