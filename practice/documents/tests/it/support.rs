//! A practice with an owner, members and an engine that answers both views.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, Incoming, Request, UPLOAD, Upload, ViewId, prune};
use ward_identity::person;
use ward_identity::practice::{self, NewMember, Place};
use ward_identity::tables::{OrgRole, Organization, User};
use ward_instance::{Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::blobs::{BlobFacts, FileScan};
use ward_store::{
    Actor, Birth, BlobDirectory, Cond, Db, Flags, Place as DbPlace, Query, Record, Scope, Sql,
    StoreError, Table, Uuid, blobs, system,
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
    _directory: tempfile::TempDir,
}

/// All tables of the test's database.
pub fn tables() -> Vec<&'static Table> {
    let mut tables = system::tables();
    tables.extend(ward_identity::tables());
    tables.extend(ward_clients::tables());
    tables.extend(ward_scheduling::tables());
    tables.extend(ward_charting::tables());
    tables.extend(ward_documents::tables());
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
            _directory: directory,
        }
    }

    /// Runs an operation in a view; the whole answer.
    pub async fn run_in(&self, view: ViewId, actor: &Actor, query: &str, variables: Json) -> Json {
        self.run_with(view, actor, (query, variables), Vec::new()).await
    }

    async fn run_with(
        &self,
        view: ViewId,
        actor: &Actor,
        (query, variables): (&str, Json),
        uploads: Vec<Upload>,
    ) -> Json {
        let request = Request {
            instance: self.instance.clone(),
            db: self.db.clone(),
            blobs: Some(self.blobs.clone()),
            actor: Arc::new(actor.clone()),
            view,
            now: self.instance.now(),
            zone: ward_engine::moment::zone("America/New_York").unwrap(),
            uploads,
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
        assert!(!answer["data"][field].is_null(), "{answer}");
        answer["data"][field].clone()
    }

    /// A new client of the owner; the id.
    pub async fn client(&self, first: &str, email: &str) -> String {
        let input = json!({ "first_name": first, "last_name": "Client", "email": email });
        let payload = self.mutate(&self.owner, "createClient", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["user"]["id"].as_str().unwrap().to_owned()
    }

    /// Uploads a file by a multipart request with its document's further input; the payload.
    pub async fn upload(&self, actor: &Actor, file: (&str, &str, &[u8]), mut input: Json) -> Json {
        let (file_name, content_type, bytes) = file;
        let path = self._directory.path().join(self.instance.uuid());
        std::fs::write(&path, bytes).unwrap();
        let upload = Upload {
            file_name: file_name.to_owned(),
            content_type: content_type.to_owned(),
            path,
            byte_size: bytes.len() as u64,
        };
        input["file"] = json!({ UPLOAD: 0 });
        let query = "mutation($input: createDocumentInput) { createDocument(input: $input) \
            { document { id } messages { field message } } }";
        let asked = (query, json!({ "input": input }));
        let answer = self.run_with(ViewId::V2026, actor, asked, vec![upload]).await;
        answer["data"]["createDocument"].clone()
    }

    /// A document of a few lines; its id.
    pub async fn document(&self, actor: &Actor, name: &str, mut input: Json) -> String {
        input["display_name"] = name.into();
        // "Hello" and a line's end.
        input["file_string"] = "data:text/plain;base64,SGVsbG8K".into();
        let payload = self.mutate(actor, "createDocument", "document { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["document"]["id"].as_str().unwrap().to_owned()
    }

    /// A folder; its id.
    pub async fn folder(&self, actor: &Actor, name: &str, mut input: Json) -> String {
        input["name"] = name.into();
        let payload = self.mutate(actor, "createFolder", "folder { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["folder"]["id"].as_str().unwrap().to_owned()
    }

    /// Titles of the documents that somebody lists, by name.
    pub async fn titles(&self, actor: &Actor, arguments: &str) -> Vec<String> {
        let query = format!("{{ documents{arguments} {{ nodes {{ display_name }} }} }}");
        let data = self.run(actor, &query, json!({})).await;
        let nodes = data["documents"]["nodes"].as_array().unwrap().iter();
        nodes.map(|it| it["display_name"].as_str().unwrap().to_owned()).collect()
    }

    /// A file of somebody's in which something was found, for a purpose; its id.
    pub async fn found_file(&self, owner_id: i64, purpose: &'static str) -> Uuid {
        let org = self.organization.id.0;
        let keys = {
            let mut reader = self.db.read().await.unwrap();
            self.db.keyring().of(&mut reader, org).await.unwrap()
        };
        let begun = blobs::begin(&*self.blobs, &self.instance, &keys, 1 << 20).await;
        let mut upload = begun.unwrap();
        assert!(upload.write(b"of a client").await.unwrap());
        let stored = Arc::new(upload.finish(&keys).await.unwrap());
        let id = stored.id.clone();
        let done = self.db.write(move |tx| {
            let stored = Arc::clone(&stored);
            Box::pin(async move {
                let facts = BlobFacts {
                    unit_id: org,
                    owner_id,
                    purpose: purpose.to_owned(),
                    file_name: format!("of a {purpose}.png"),
                    content_type: "image/png".to_owned(),
                    scan: Some(FileScan::Held),
                    cause: "test".to_owned(),
                };
                blobs::register(tx, &stored, facts, 1 << 30).await?;
                blobs::judge(tx, org, &stored.id, Some("Eicar-Test-Signature")).await
            })
        });
        let was = done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        assert_eq!(was, Some(FileScan::Held));
        id
    }

    /// What a stored file holds.
    pub async fn file(&self, id: &str) -> Vec<u8> {
        let org = self.organization.id.0;
        let mut reader = self.db.read().await.unwrap();
        let keys = self.db.keyring().of(&mut reader, org).await.unwrap();
        let found = blobs::find(&mut reader, &keys, &Uuid(id.to_owned())).await.unwrap();
        let blob = found.unwrap();
        let range = 0..u64::try_from(blob.byte_size).unwrap();
        let opened = blobs::open(&*self.blobs, &self.instance, &keys, &blob, range).await;
        let mut opened = opened.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = opened.chunk().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        bytes
    }

    /// How many files are stored, those apart that wait to be cleared away.
    pub async fn files(&self) -> i64 {
        let sql = Sql::fixed("SELECT COUNT(*) FROM blobs WHERE deleted_at IS NULL", []);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.scalar().and_then(ward_store::Value::int).unwrap()
    }

    /// Names and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type, changed_fields FROM events \
             WHERE event_type LIKE 'document%' OR event_type LIKE 'folder%' ORDER BY seq",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let text = |row: &[ward_store::Value], at: usize| row[at].text().unwrap().to_owned();
        rows.iter().map(|row| format!("{} {}", text(row, 0), text(row, 1))).collect()
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
