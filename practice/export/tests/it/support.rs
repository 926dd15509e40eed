//! A practice with an owner, and an engine that answers the newer view; its clock stands until it is
//! moved.

use std::path::Path;
use std::sync::Arc;

use jiff::ToSpan;
use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, Incoming, Request, ViewId, prune};
use ward_identity::person;
use ward_identity::practice::{self, NewMember};
use ward_instance::{Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::{
    Actor, Birth, BlobDirectory, Db, Place, Query, Sql, StoreError, Table, Value, system,
};

#[path = "../../../../foundation/store/tests/it/scratch.rs"]
mod scratch;

use scratch::Scratch;

/// A test's world, gone with it.
pub struct World {
    pub db: Db,
    pub instance: Arc<Instance>,
    engine: Arc<Engine>,
    owner: Actor,
    blobs: Arc<BlobDirectory>,
    _directory: tempfile::TempDir,
}

/// All tables of the test's database.
fn tables() -> Vec<&'static Table> {
    let mut tables = system::tables();
    tables.extend(ward_identity::tables());
    tables.extend(ward_clients::tables());
    tables.extend(ward_scheduling::tables());
    tables.extend(ward_charting::tables());
    tables.extend(ward_documents::tables());
    tables.extend(ward_clinical::tables());
    tables.extend(ward_export::tables());
    tables
}

/// The whole contract of a view.
fn contract(view: ViewId) -> String {
    let name = match view {
        ViewId::Baseline => "2024-06-01.graphql",
        ViewId::V2026 => "2026-01-01.graphql",
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut slices =
        vec![root.join("foundation/engine/schema"), root.join("world/webhooks/schema")];
    let domains = std::fs::read_dir(root.join("practice")).unwrap();
    slices.extend(domains.map(|domain| domain.unwrap().path().join("schema")));
    slices.sort();
    let texts = slices
        .iter()
        .flat_map(|folder| [folder.join(name), folder.join("additions.graphql")])
        .filter_map(|file| std::fs::read_to_string(file).ok());
    texts.collect::<Vec<_>>().join("\n")
}

fn engine() -> Arc<Engine> {
    let mut bindings = Bindings::new();
    ward_identity::bind(&mut bindings);
    ward_clients::bind(&mut bindings);
    ward_scheduling::bind(&mut bindings);
    ward_charting::bind(&mut bindings);
    ward_documents::bind(&mut bindings);
    ward_clinical::bind(&mut bindings);
    ward_export::bind(&mut bindings);
    let served = |view| prune(&contract(view), &bindings).unwrap();
    let (old, new) = (served(ViewId::Baseline), served(ViewId::V2026));
    Arc::new(Engine::new(&old, &new, bindings))
}

impl World {
    /// Runs a test in a world of its own on SQLite, then in one on PostgreSQL.
    pub async fn each(test: impl AsyncFn(World)) {
        test(World::new(None).await).await;
        match std::env::var("WARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) {
            Some(server) => {
                let world = World::new(Some(&server)).await;
                let scratch = Scratch::of(&world.db, &server).await;
                test(world).await;
                scratch.leave().await;
            }
            None => {
                let all = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|it| it == "1");
                assert!(!all, "WARD_REQUIRE_ALL=1, but WARD_TEST_POSTGRES names no server");
                eprintln!("NOT RUN: PostgreSQL");
            }
        }
    }

    async fn new(server: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let random = Random::os();
        let clock = Clock::manual(Clock::system().wall());
        let ring = RootRing::generate(Kind::Sandbox, InstanceId::draw(&random), &random);
        let ring = Arc::new(ring);
        let certificate = Certificate::new(&ring, clock.now(), "http://127.0.0.1:4100", "test");
        let ledger = Ledger::in_memory(&ring, 7, clock.now());
        let instance =
            Instance::assemble(ring.clone(), &certificate, ledger, clock, random.clone()).unwrap();
        let place = match server {
            None => Place::Lite { path: directory.path().join("ward.db") },
            Some(server) => {
                let name = format!("sandbox_{}", random.base62(12).to_lowercase());
                let (start, _) = server.rsplit_once('/').unwrap();
                Place::Pg { url: format!("{start}/{name}") }
            }
        };
        let tables = tables();
        let now = instance.now();
        let birth =
            Birth { ring: &ring, certificate: &certificate, tables: &tables, migrations: &[], now };
        Db::create(&place, &birth).await.unwrap();
        let db = Db::open(place, instance.clone(), tables).await.unwrap();
        let owner = found(&db).await;
        let blobs = Arc::new(BlobDirectory::open(directory.path().join("blobs")).await.unwrap());
        World { db, instance, engine: engine(), owner, blobs, _directory: directory }
    }

    /// A request of the owner's, at this moment.
    pub fn request(&self) -> Request {
        Request {
            instance: self.instance.clone(),
            db: self.db.clone(),
            blobs: Some(self.blobs.clone()),
            actor: Arc::new(self.owner.clone()),
            view: ViewId::V2026,
            now: self.instance.now(),
            zone: ward_engine::moment::zone("America/New_York").unwrap(),
            uploads: Vec::new(),
            request_id: "test".to_owned(),
            idempotency_key: None,
            caused_by: None,
            address: "127.0.0.1".to_owned(),
            session: None,
            sign_up_open: false,
            read_only: false,
            base_url: "http://127.0.0.1:4100".to_owned(),
            reads: ward_engine::Reads::default(),
            work: ward_engine::Work::default(),
            refused: Default::default(),
            trail: None,
        }
    }

    /// Runs a mutation of one input object as the owner; its payload.
    pub async fn mutate(&self, field: &str, selects: &str, input: Json) -> Json {
        let query = format!(
            "mutation($input: {field}Input!) {{ {field}(input: $input) \
             {{ {selects} messages {{ field message }} }} }}"
        );
        let variables = json!({ "input": input }).as_object().cloned().unwrap_or_default();
        let incoming = Incoming { query, operation_name: None, variables };
        let reply = self.engine.execute(&incoming, Arc::new(self.request()), &[]).await;
        let answer: Json = serde_json::from_slice(&reply.body).unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"][field].clone()
    }

    /// A new client of the owner; the id.
    pub async fn client(&self, first: &str, email: &str) -> String {
        let input = json!({ "first_name": first, "last_name": "Client", "email": email });
        let made = self.mutate("createClient", "user { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["user"]["id"].as_str().unwrap().to_owned()
    }

    /// What a client has consented to, for so many days yet or without an end; the id.
    pub async fn consent(&self, client: &str, days: Option<i64>) -> String {
        let now = jiff::Timestamp::from_microsecond(self.instance.now().0).unwrap();
        let today = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let last = days.map(|days| today.saturating_add(days.days()).to_string());
        let input = json!({ "user_id": client, "recipient": "Dr. Ada Bell",
            "purpose": "Further treatment", "scope": "ALL_RECORDS", "signed_on": "2025-01-02",
            "expires_on": last });
        let selects = "disclosure_consent { id }";
        let made = self.mutate("createDisclosureConsent", selects, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["disclosure_consent"]["id"].as_str().unwrap().to_owned()
    }

    /// The practice.
    pub fn org(&self) -> i64 {
        self.owner.org_id
    }

    /// The number that a statement finds.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let rows = self.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
        rows.scalar().and_then(Value::int).unwrap()
    }
}

/// A practice; its owner.
async fn found(db: &Db) -> Actor {
    let founded = db.write(move |tx| {
        Box::pin(async move {
            let member = NewMember {
                first_name: "Olive".to_owned(),
                last_name: "Staffson".to_owned(),
                email: Some("owner@example.com".to_owned()),
                ..NewMember::default()
            };
            practice::found(tx, "Testwell Practice", &member, false).await
        })
    });
    let founded = founded.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let (org, user) = (founded.organization.id.0, founded.owner.id.0);
    let loaded = db.write(move |tx| Box::pin(async move { person::load(tx, org, user).await }));
    let loaded = loaded.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    loaded.unwrap().actor(None)
}
