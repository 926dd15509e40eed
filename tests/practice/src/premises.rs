//! An instance with its database and its engine, before anybody works there.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Engine, Incoming, Reads, RefusedCodes, Request, ViewId, Work, moment};
use ward_identity::person;
use ward_identity::practice::{self, NewMember};
use ward_identity::tables::Organization;
use ward_instance::{Certificate, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::{Actor, Birth, BlobDirectory, Db, Place, Query, Sql, StoreError, Value};

use crate::Plan;
use crate::scratch::Scratch;

/// A new Sandbox with its database and files, gone with the test.
pub struct Premises {
    /// The database.
    pub db: Db,
    /// The instance.
    pub instance: Arc<Instance>,
    /// The engine with all domains of the plan.
    pub engine: Arc<Engine>,
    /// Stored files.
    pub blobs: Arc<BlobDirectory>,
    directory: tempfile::TempDir,
}

/// Runs a test in a world of its own on SQLite, then in one on PostgreSQL.
///
/// `enter` makes the world of premises in which nobody is yet.
pub async fn each<W>(plan: &Plan, enter: impl AsyncFn(Premises) -> W, test: impl AsyncFn(W)) {
    test(enter(Premises::new(plan, None).await).await).await;
    match std::env::var("WARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) {
        Some(server) => {
            let premises = Premises::new(plan, Some(&server)).await;
            let scratch = Scratch::of(&premises.db, &server).await;
            test(enter(premises).await).await;
            scratch.leave().await;
        }
        None => {
            let all = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|it| it == "1");
            assert!(!all, "WARD_REQUIRE_ALL=1, but WARD_TEST_POSTGRES names no server");
            eprintln!("NOT RUN: PostgreSQL");
        }
    }
}

impl Premises {
    async fn new(plan: &Plan, server: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let random = Random::os();
        let clock = (plan.clock)();
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
        let tables = plan.tables();
        let now = instance.now();
        let birth =
            Birth { ring: &ring, certificate: &certificate, tables: &tables, migrations: &[], now };
        Db::create(&place, &birth).await.unwrap();
        let db = Db::open(place, instance.clone(), tables).await.unwrap();
        let blobs = Arc::new(BlobDirectory::open(directory.path().join("blobs")).await.unwrap());
        Premises { db, instance, engine: plan.engine(), blobs, directory }
    }

    /// Where its files are: SQLite's database `ward.db`, and stored files in `blobs`.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A new practice of this name, with an owner.
    pub async fn found(&self, name: &'static str, email: &'static str) -> (Organization, Actor) {
        let founded = self.db.write(move |tx| {
            Box::pin(async move { practice::found(tx, name, &member("Olive", email), false).await })
        });
        let founded = founded.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        let owner = self.actor(founded.organization.id.0, founded.owner.id.0).await;
        (founded.organization, owner)
    }

    /// A user as the actor of a request.
    pub async fn actor(&self, org: i64, user: i64) -> Actor {
        let found =
            self.db.write(move |tx| Box::pin(async move { person::load(tx, org, user).await }));
        let found = found.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        found.unwrap().actor(None)
    }

    /// A request of the actor's in a view, at this moment.
    pub fn request(&self, view: ViewId, actor: &Actor) -> Request {
        Request {
            instance: self.instance.clone(),
            db: self.db.clone(),
            blobs: Some(self.blobs.clone()),
            actor: Arc::new(actor.clone()),
            view,
            now: self.instance.now(),
            zone: moment::zone("America/New_York").unwrap(),
            uploads: Vec::new(),
            request_id: "test".to_owned(),
            idempotency_key: None,
            caused_by: None,
            address: "127.0.0.1".to_owned(),
            session: None,
            sign_up_open: false,
            read_only: false,
            base_url: "http://127.0.0.1:4100".to_owned(),
            reads: Reads::default(),
            work: Work::default(),
            refused: RefusedCodes::default(),
            trail: None,
        }
    }

    /// Runs an operation in a request; the whole answer.
    pub async fn ask(&self, request: Request, query: &str, variables: Json) -> Json {
        let variables = variables.as_object().cloned().unwrap_or_default();
        let incoming = Incoming { query: query.to_owned(), operation_name: None, variables };
        let reply = self.engine.execute(&incoming, Arc::new(request), &[]).await;
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Runs an operation in a view; the whole answer.
    pub async fn run_in(&self, view: ViewId, actor: &Actor, query: &str, variables: Json) -> Json {
        self.ask(self.request(view, actor), query, variables).await
    }

    /// Runs an operation in the newest view; its data, which must be without errors.
    pub async fn run(&self, actor: &Actor, query: &str, variables: Json) -> Json {
        let answer = self.run_in(ViewId::V2026, actor, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// Runs a mutation of one input object in the newest view; the whole answer.
    pub async fn mutation(&self, actor: &Actor, field: &str, selects: &str, input: Json) -> Json {
        let query = format!(
            "mutation($input: {field}Input!) {{ {field}(input: $input) \
             {{ {selects} messages {{ field message }} }} }}"
        );
        self.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await
    }

    /// The same; its payload, errors aside.
    pub async fn mutate(&self, actor: &Actor, field: &str, selects: &str, input: Json) -> Json {
        let answer = self.mutation(actor, field, selects, input).await;
        answer["data"][field].clone()
    }

    /// The number that a statement finds.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let rows = self.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
        rows.scalar().and_then(Value::int).unwrap()
    }

    /// Names and changed columns of the events of which a condition is true, in order.
    pub async fn events_where(&self, condition: &str) -> Vec<String> {
        let mut sql = Sql::new();
        sql.push("SELECT event_type, changed_fields FROM events WHERE ").push(condition);
        sql.push(" ORDER BY seq, written_at");
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let text = |row: &[Value], at: usize| row[at].text().unwrap().to_owned();
        rows.iter().map(|row| format!("{} {}", text(row, 0), text(row, 1))).collect()
    }

    /// Runs a statement of a test's own.
    pub async fn execute(&self, sql: Sql) {
        let done = self.db.write(move |tx| {
            let sql = sql.clone();
            Box::pin(async move { tx.execute(&sql).await })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }
}

/// Somebody who works in a practice.
pub(crate) fn member(first: &str, email: &str) -> NewMember {
    NewMember {
        first_name: first.to_owned(),
        last_name: "Staffson".to_owned(),
        email: Some(email.to_owned()),
        ..NewMember::default()
    }
}
