//! A practice with an owner, members and an engine that answers both views.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, Incoming, Request, ViewId, prune};
use ward_identity::person;
use ward_identity::practice::{self, NewMember, Place};
use ward_identity::tables::{OrgRole, Organization, User};
use ward_instance::{Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::{
    Actor, Birth, BlobDirectory, Cond, Db, Flags, Place as DbPlace, Query, Record, Scope, Sql,
    StoreError, Table, system,
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
    /// The owner of another practice.
    pub stranger: Actor,
    blobs: Arc<BlobDirectory>,
    directory: tempfile::TempDir,
}

/// All tables of the test's database.
pub fn tables() -> Vec<&'static Table> {
    let mut tables = system::tables();
    tables.extend(ward_identity::tables());
    tables.extend(ward_clients::tables());
    tables.extend(ward_scheduling::tables());
    tables.extend(ward_charting::tables());
    tables.extend(ward_documents::tables());
    tables.extend(ward_clinical::tables());
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
    ward_charting::bind(&mut bindings);
    ward_documents::bind(&mut bindings);
    ward_clinical::bind(&mut bindings);
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
        let blobs = Arc::new(BlobDirectory::open(directory.path().join("blobs")).await.unwrap());
        World {
            db,
            instance,
            engine: engine(),
            organization,
            owner,
            standard,
            stranger,
            blobs,
            directory,
        }
    }

    /// Runs an operation in a view; the whole answer.
    pub async fn run_in(&self, view: ViewId, actor: &Actor, query: &str, variables: Json) -> Json {
        let request = Request {
            instance: self.instance.clone(),
            db: self.db.clone(),
            blobs: Some(self.blobs.clone()),
            actor: Arc::new(actor.clone()),
            view,
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
        answer["data"][field].clone()
    }

    /// A new client of the owner; the id.
    pub async fn client(&self, first: &str, email: &str) -> String {
        let input = json!({ "first_name": first, "last_name": "Client", "email": email });
        let payload = self.mutate(&self.owner, "createClient", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["user"]["id"].as_str().unwrap().to_owned()
    }

    /// A type of appointment, for several clients at once or for one; the id.
    pub async fn kind(&self, name: &str, is_group: bool) -> String {
        let input = json!({ "name": name, "length": 50, "is_group": is_group });
        let made =
            self.mutate(&self.owner, "createAppointmentType", "appointmentType { id }", input);
        made.await["appointmentType"]["id"].as_str().unwrap().to_owned()
    }

    /// Books with the owner, in so many days; the id.
    pub async fn books(&self, mut input: Json, days: i64) -> String {
        let at = jiff::Timestamp::from_microsecond(self.instance.now().0).unwrap()
            + jiff::SignedDuration::from_hours(24 * days);
        input["datetime"] = at.strftime("%Y-%m-%dT%H:00:00Z").to_string().into();
        input["contact_type"] = "Phone Call".into();
        let made = self.mutate(&self.owner, "createAppointment", "appointment { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["appointment"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes an appointment.
    pub async fn changes(&self, input: Json) {
        let done = self.mutate(&self.owner, "updateAppointment", "appointment { id }", input).await;
        assert!(done["messages"].is_null() && done["appointment"]["id"].is_string(), "{done}");
    }

    /// Names, payloads and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type, changed_fields, subject_id FROM events \
             WHERE event_type LIKE 'medication%' OR event_type LIKE 'allergy%' \
             OR event_type LIKE '%entry.%' OR event_type LIKE 'comment.%' \
             OR event_type LIKE 'goal%' ORDER BY seq",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let text = |row: &[ward_store::Value], at: usize| row[at].text().unwrap().to_owned();
        rows.iter()
            .map(|row| {
                assert!(row[2].int().is_some(), "an event of no client");
                format!("{} {}", text(row, 0), text(row, 1))
            })
            .collect()
    }

    /// The practice's rows of a table.
    pub async fn rows<R: Record>(&self, cond: Cond) -> Vec<R> {
        let org = self.organization.id.0;
        let rows = self.db.write(move |tx| {
            let cond = cond.clone();
            Box::pin(async move {
                let actor = Actor::system(org);
                Scope::new(tx, &actor).list::<R>(cond, &[]).await
            })
        });
        rows.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    /// Every byte that SQLite has written, of the database and its log; nothing on PostgreSQL.
    pub fn raw(&self) -> Vec<u8> {
        ["ward.db", "ward.db-wal"]
            .map(|name| std::fs::read(self.directory.path().join(name)).unwrap_or_default())
            .concat()
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
