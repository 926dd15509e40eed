//! A practice with an owner, members and an engine that answers both views.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, Incoming, Request, ViewId, prune};
use ward_identity::person;
use ward_identity::practice::{self, NewMember, Place};
use ward_identity::tables::{OrgRole, Organization, User};
use ward_instance::{
    Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing, Timestamp,
};
use ward_store::{
    Actor, Birth, BlobDirectory, Db, Flags, Id, Place as DbPlace, Query, Scope, Sql, StoreError,
    Table, system,
};

#[path = "../../../../foundation/store/tests/it/scratch.rs"]
mod scratch;

use scratch::Scratch;

/// A test's world, gone with it.
pub struct World {
    pub db: Db,
    pub instance: Arc<Instance>,
    pub engine: Arc<Engine>,
    pub organization: Organization,
    pub owner: Actor,
    /// A Standard member with the default flags.
    pub standard: Actor,
    /// A Support member with the default flags.
    pub support: Actor,
    /// The owner of another practice.
    pub stranger: Actor,
    blobs: Arc<BlobDirectory>,
    _directory: tempfile::TempDir,
}

/// All tables of the test's database.
pub fn tables() -> Vec<&'static Table> {
    let mut tables = system::tables();
    tables.extend(ward_identity::tables());
    tables.extend(ward_clients::tables());
    tables.extend(ward_scheduling::tables());
    tables
}

/// The whole contract of a view.
pub fn contract(view: ViewId) -> String {
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
    let served = |view| prune(&contract(view), &bindings).unwrap();
    let (old, new) = (served(ViewId::Baseline), served(ViewId::V2026));
    Arc::new(Engine::new(&old, &new, bindings))
}

fn member(first: &str, email: &str) -> NewMember {
    NewMember {
        first_name: first.to_owned(),
        last_name: "Staffson".to_owned(),
        email: Some(email.to_owned()),
        ..NewMember::default()
    }
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
        let clock = Clock::system();
        let ring = RootRing::generate(Kind::Sandbox, InstanceId::draw(&random), &random);
        let ring = Arc::new(ring);
        let certificate = Certificate::new(&ring, clock.now(), "http://127.0.0.1:4100", "test");
        let ledger = Ledger::in_memory(&ring, 7, clock.now());
        let instance =
            Instance::assemble(ring.clone(), &certificate, ledger, clock, random.clone()).unwrap();
        let place = match server {
            None => DbPlace::Lite { path: directory.path().join("ward.db") },
            Some(server) => {
                let name = format!("sandbox_{}", random.base62(12).to_lowercase());
                let (start, _) = server.rsplit_once('/').unwrap();
                DbPlace::Pg { url: format!("{start}/{name}") }
            }
        };
        let tables = tables();
        let now = instance.now();
        let birth =
            Birth { ring: &ring, certificate: &certificate, tables: &tables, migrations: &[], now };
        Db::create(&place, &birth).await.unwrap();
        let db = Db::open(place, instance.clone(), tables).await.unwrap();
        let (organization, owner) = found(&db, "Testwell Practice", "owner@example.com").await;
        let (_, stranger) = found(&db, "Elsewhere", "stranger@example.com").await;
        let standard = join(&db, &organization, "Stan", OrgRole::Standard).await;
        let support = join(&db, &organization, "Sue", OrgRole::Support).await;
        let blobs = Arc::new(BlobDirectory::open(directory.path().join("blobs")).await.unwrap());
        World {
            db,
            instance,
            engine: engine(),
            organization,
            owner,
            standard,
            support,
            stranger,
            blobs,
            _directory: directory,
        }
    }

    /// Runs an operation in a view; the whole answer.
    pub async fn run_in(&self, view: ViewId, actor: &Actor, query: &str, variables: Json) -> Json {
        self.run_at(self.instance.now(), view, actor, query, variables).await
    }

    /// The same as if it were another time.
    pub async fn run_at(
        &self,
        now: Timestamp,
        view: ViewId,
        actor: &Actor,
        query: &str,
        variables: Json,
    ) -> Json {
        self.run_from("127.0.0.1", now, view, actor, query, variables).await
    }

    /// The same from another address.
    pub async fn run_from(
        &self,
        address: &str,
        now: Timestamp,
        view: ViewId,
        actor: &Actor,
        query: &str,
        variables: Json,
    ) -> Json {
        let request = Request {
            instance: self.instance.clone(),
            db: self.db.clone(),
            blobs: Some(self.blobs.clone()),
            actor: Arc::new(actor.clone()),
            view,
            now,
            zone: ward_engine::moment::zone("America/New_York").unwrap(),
            uploads: Vec::new(),
            request_id: "test".to_owned(),
            idempotency_key: None,
            caused_by: None,
            address: address.to_owned(),
            session: None,
            sign_up_open: false,
            read_only: false,
            base_url: "http://127.0.0.1:4100".to_owned(),
            reads: ward_engine::Reads::default(),
            work: ward_engine::Work::default(),
            refused: Default::default(),
            trail: None,
        };
        let variables = variables.as_object().cloned().unwrap_or_default();
        let incoming = Incoming { query: query.to_owned(), operation_name: None, variables };
        let reply = self.engine.execute(&incoming, Arc::new(request), &[]).await;
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Runs an operation in the newest view; its data, which must be without errors.
    pub async fn run(&self, actor: &Actor, query: &str, variables: Json) -> Json {
        let answer = self.run_in(ViewId::V2026, actor, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// Runs a mutation of one input object; its payload, errors aside.
    pub async fn mutate(&self, actor: &Actor, field: &str, selects: &str, input: Json) -> Json {
        let query = format!(
            "mutation($input: {field}Input!) {{ {field}(input: $input) \
             {{ {selects} messages {{ field message }} }} }}"
        );
        let answer = self.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await;
        let payload = &answer["data"][field];
        assert!(!payload.is_null(), "{answer}");
        payload.clone()
    }

    /// A new client of the owner; the id.
    pub async fn client(&self, first: &str, email: &str) -> String {
        let input = json!({ "first_name": first, "last_name": "Client", "email": email });
        let payload = self.mutate(&self.owner, "createClient", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["user"]["id"].as_str().unwrap().to_owned()
    }

    /// How many rows a table has, and how many entries the audit log.
    pub async fn written(&self, table: &'static str) -> (i64, i64) {
        let mut reader = self.db.read().await.unwrap();
        let mut counts = Vec::new();
        for name in [table, "audit_events"] {
            let mut sql = Sql::new();
            sql.push("SELECT COUNT(*) FROM ").push(name);
            let rows = reader.rows(&sql).await.unwrap();
            counts.push(rows.scalar().and_then(ward_store::Value::int).unwrap());
        }
        (counts[0], counts[1])
    }

    /// Names and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        self.events_like("availability%").await
    }

    /// Names and changed columns of events whose names are like this, in order.
    pub async fn events_like(&self, names: &str) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type, changed_fields FROM events \
             WHERE event_type LIKE $1 ORDER BY seq, written_at",
            [names.into()],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let text = |row: &[ward_store::Value], at: usize| row[at].text().unwrap().to_owned();
        rows.iter().map(|row| format!("{} {}", text(row, 0), text(row, 1))).collect()
    }

    /// A new appointment type; its id.
    pub async fn type_of(&self, actor: &Actor, input: Json) -> String {
        let payload =
            self.mutate(actor, "createAppointmentType", "appointmentType { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["appointmentType"]["id"].as_str().unwrap().to_owned()
    }

    /// The names of `appointmentTypes` with these arguments.
    pub async fn names(&self, actor: &Actor, args: &str) -> Vec<String> {
        let args = if args.is_empty() { String::new() } else { format!("({args})") };
        let query = format!("{{ appointmentTypes{args} {{ nodes {{ name }} }} }}");
        let answer = self.run(actor, &query, json!({})).await;
        let nodes = answer["appointmentTypes"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Runs a statement of a test's own.
    pub async fn execute(&self, sql: Sql) {
        let done = self.db.write(move |tx| {
            let sql = sql.clone();
            Box::pin(async move { tx.execute(&sql).await })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }

    /// One more colleague.
    pub async fn colleague(&self, first: &'static str) -> Actor {
        join(&self.db, &self.organization, first, OrgRole::Standard).await
    }

    /// A sub-organization with its owner.
    pub async fn branch(&self) -> Actor {
        let (org, root) = (self.organization.id.0, self.organization.id);
        let made = self.db.write(move |tx| {
            Box::pin(async move {
                let id = Id::<Organization>::new(tx.next_id_of("Organization").await?);
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let now = scope.now();
                let unit = practice::blank_organization(id, root, "Branch", "b@example.com", now);
                scope.create(&unit).await?;
                let head = member("Brenda", "brenda@example.com");
                let (user, _) =
                    practice::add_member(&mut scope, &unit, &head, Place::owner()).await?;
                let owned = Organization { owner_id: Some(user.id), ..unit.clone() };
                scope.update(&unit, &owned).await?;
                Ok(user.id.0)
            })
        });
        let user = made.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        actor(&self.db, org, user).await
    }

    /// The actor with these flags and no other.
    pub fn with(&self, actor: &Actor, permissions: &[ward_engine::Permission]) -> Actor {
        let none = Flags::default();
        let held = permissions.iter().fold(none, |held, permission| held.with(permission.flag));
        Actor { flags: held, is_owner: false, ..actor.clone() }
    }

    /// A client as the actor of a request.
    pub async fn as_client(&self, id: &str) -> Actor {
        actor(&self.db, self.organization.id.0, id.parse().unwrap()).await
    }
}

async fn found(db: &Db, name: &'static str, email: &'static str) -> (Organization, Actor) {
    let founded = db
        .write(move |tx| {
            Box::pin(async move { practice::found(tx, name, &member("Olive", email), false).await })
        })
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    let actor = actor(db, founded.organization.id.0, founded.owner.id.0).await;
    (founded.organization, actor)
}

async fn join(db: &Db, unit: &Organization, first: &'static str, role: OrgRole) -> Actor {
    let (unit, org) = (unit.clone(), unit.id.0);
    let user: User = db
        .write(move |tx| {
            let unit = unit.clone();
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let email = format!("{}@example.com", first.to_lowercase());
                let member = member(first, &email);
                let added = practice::add_member(&mut scope, &unit, &member, Place::of(role)).await;
                added.map(|(user, _)| user)
            })
        })
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    actor(db, org, user.id.0).await
}

async fn actor(db: &Db, org: i64, user: i64) -> Actor {
    let found = db.write(move |tx| Box::pin(async move { person::load(tx, org, user).await }));
    let found = found.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    found.unwrap().actor(None)
}
