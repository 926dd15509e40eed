//! A practice with an owner, an assistant and an engine that answers both views.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, Incoming, Request, ViewId, prune};
use ward_identity::practice::{self, NewMember, Place};
use ward_identity::tables::{OrgRole, Organization, User};
use ward_identity::{flags, person};
use ward_instance::{Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::{
    Actor, Birth, BlobDirectory, Cond, Db, Flags, Id, Place as DbPlace, Query, Record, Scope, Sql,
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
    // The identity domain's objects; its own bindings are its own tests' matter.
    bindings.object("User", &ward_identity::tables::USERS);
    bindings.clients(&ward_identity::tables::USERS);
    bindings.object("Organization", &ward_identity::tables::ORGANIZATIONS);
    bindings.query_one("organization", &ward_identity::tables::ORGANIZATIONS, |request, _| {
        Ok(ward_engine::Listing::of(Cond::eq("id", request.actor.unit_id)))
    });
    ward_clients::bind(&mut bindings);
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
        self.ask(self.request(view, actor), query, variables).await
    }

    /// Runs an operation with an idempotency key in the newest view; the whole answer.
    pub async fn keyed(&self, actor: &Actor, key: &str, query: &str, variables: Json) -> Json {
        let key = Some(key.to_owned());
        let request = Request { idempotency_key: key, ..self.request(ViewId::V2026, actor) };
        self.ask(request, query, variables).await
    }

    fn request(&self, view: ViewId, actor: &Actor) -> Request {
        Request {
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
            refused: ward_engine::RefusedCodes::default(),
            trail: None,
        }
    }

    /// The answer in the newest view to somebody who was looked up in another world.
    pub async fn run_before(&self, actor: &Actor, query: &str, variables: Json) -> Json {
        let db = self.db.in_world(self.db.world() + 1);
        let request = Request { db, ..self.request(ViewId::V2026, actor) };
        self.ask(request, query, variables).await
    }

    async fn ask(&self, request: Request, query: &str, variables: Json) -> Json {
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

    /// Names and changed columns of all events, in order.
    pub async fn events(&self) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type, changed_fields FROM events \
             WHERE event_type NOT LIKE 'organization%' ORDER BY seq",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let text = |row: &[ward_store::Value], at: usize| row[at].text().unwrap().to_owned();
        rows.iter().map(|row| format!("{} {}", text(row, 0), text(row, 1))).collect()
    }

    /// Kinds of all mails wanted.
    pub async fn mails(&self) -> Vec<String> {
        let sql = Sql::fixed("SELECT kind FROM effect_intents ORDER BY created_at, id", []);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
    }

    /// How many files the blob directory holds, half-written ones too.
    pub fn files(&self) -> usize {
        let folders = std::fs::read_dir(self._directory.path().join("blobs")).unwrap();
        let count = |folder: std::path::PathBuf| std::fs::read_dir(folder).unwrap().count();
        folders.map(|folder| count(folder.unwrap().path())).sum()
    }

    /// Waits until the blob directory holds so many files.
    pub async fn files_become(&self, wanted: usize) {
        let waits = async {
            while self.files() != wanted {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await; // allow-sleep: polls the directory
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(10), waits).await;
        assert!(waited.is_ok(), "{} files instead of {wanted}", self.files());
    }

    /// Runs a statement of a test's own.
    pub async fn execute(&self, sql: Sql) {
        let done = self.db.write(move |tx| {
            let sql = sql.clone();
            Box::pin(async move { tx.execute(&sql).await })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }

    /// A sub-organization with its owner.
    pub async fn branch(&self) -> Actor {
        self.branch_of("Brenda", "brenda@example.com").await
    }

    /// A sub-organization with an owner of this name and address.
    pub async fn branch_of(&self, first: &'static str, email: &'static str) -> Actor {
        let (org, root) = (self.organization.id.0, self.organization.id);
        let made = self.db.write(move |tx| {
            Box::pin(async move {
                let id = Id::<Organization>::new(tx.next_id_of("Organization").await?);
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let now = scope.now();
                let unit = practice::blank_organization(id, root, "Branch", "b@example.com", now);
                scope.create(&unit).await?;
                let head = member(first, email);
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

/// Flags that the tests name.
pub use flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_ADD_CLIENTS, CAN_CREATE_TAGS, CAN_EDIT_SETTINGS,
    CAN_REMOVE_CLIENT, CAN_SET_CLIENT_PASSWORD, SEES_ALL_CLIENTS,
};
