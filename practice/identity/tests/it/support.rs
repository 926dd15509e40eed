//! A new Sandbox with its own database, the engine over the whole
//! contract pruned to what this domain binds, and requests through it.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use ward_engine::{Bindings, Engine, Incoming, Request, ViewId, moment, prune};
use ward_identity::practice::{Founded, NewMember};
use ward_identity::{admin, password};
use ward_instance::{Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing};
use ward_store::{Actor, Birth, Cond, Db, Place, Scope, Table, Tx};

#[path = "../../../../foundation/store/tests/it/scratch.rs"]
mod scratch;

use scratch::Scratch;

/// A password that no rule minds.
pub const GOOD: &str = "turnip-harbour-quilt-94";

/// A world with one practice.
pub struct World {
    pub db: Db,
    pub instance: Arc<Instance>,
    pub engine: Arc<Engine>,
    pub founded: Founded,
    pub sign_up_open: bool,
    _directory: tempfile::TempDir,
}

fn tables() -> Vec<&'static Table> {
    let mut tables = ward_store::system::tables();
    tables.extend(ward_identity::tables());
    tables
}

/// An instance of a kind, without a database.
pub fn instance(kind: Kind) -> (Arc<Instance>, Arc<RootRing>, Certificate) {
    instance_at(kind, Clock::system())
}

fn instance_at(kind: Kind, clock: Clock) -> (Arc<Instance>, Arc<RootRing>, Certificate) {
    let random = Random::os();
    let ring = Arc::new(RootRing::generate(kind, InstanceId::draw(&random), &random));
    let certificate = Certificate::new(&ring, clock.now(), "http://127.0.0.1:4100", "test");
    let ledger = Ledger::in_memory(&ring, 7, clock.now());
    let instance =
        Instance::assemble(Arc::clone(&ring), &certificate, ledger, clock, random).unwrap();
    (instance, ring, certificate)
}

/// A clock that stands at this moment until [`World::pass`].
fn manual() -> Clock {
    Clock::manual(Clock::system().wall())
}

/// The whole contract of a view: the shared part and every domain's slice.
pub fn contract(view: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = format!("{view}.graphql");
    let mut text =
        std::fs::read_to_string(root.join("foundation/engine/schema").join(&file)).unwrap();
    let mut domains: Vec<_> =
        std::fs::read_dir(root.join("practice")).unwrap().map(|it| it.unwrap().path()).collect();
    domains.sort();
    for domain in domains {
        for file in [file.as_str(), "additions.graphql"] {
            if let Ok(slice) = std::fs::read_to_string(domain.join("schema").join(file)) {
                text.push_str(&slice);
            }
        }
    }
    text
}

/// The engine with this domain alone.
pub fn engine() -> Arc<Engine> {
    let mut bindings = Bindings::new();
    ward_identity::bind(&mut bindings);
    let baseline = prune(&contract("2024-06-01"), &bindings).unwrap();
    let v2026 = prune(&contract("2026-01-01"), &bindings).unwrap();
    Arc::new(Engine::new(&baseline, &v2026, bindings))
}

/// A member of the founding practice's kind.
pub fn member(first_name: &str, email: &str) -> NewMember {
    NewMember {
        first_name: first_name.to_owned(),
        last_name: "Testcase".to_owned(),
        email: Some(email.to_owned()),
        timezone: Some("America/New_York".to_owned()),
        ..NewMember::default()
    }
}

/// Runs a test on PostgreSQL, if there is a server.
pub async fn on_postgres<Fut: Future<Output = ()>>(test: fn(World) -> Fut) {
    let server = std::env::var("WARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    let Some(server) = server else {
        let all = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|it| it == "1");
        assert!(!all, "WARD_REQUIRE_ALL=1, but WARD_TEST_POSTGRES names no server");
        eprintln!("NOT RUN: PostgreSQL");
        return;
    };
    let name = format!("sandbox_{}", Random::os().base62(12).to_lowercase());
    let start = server.rfind('/').expect("an address ends in a database name");
    let world = World::at(Some(format!("{}/{name}", &server[..start]))).await;
    world.instance.reach().set_email(true);
    let scratch = Scratch::of(&world.db, &server).await;
    test(world).await;
    scratch.leave().await;
}

/// The test on both engines.
macro_rules! both {
    ($test:ident) => {
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$test($crate::support::World::new().await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::support::on_postgres(super::$test).await;
            }
        }
    };
}

impl World {
    /// A new world on SQLite, whose owner is `owner@example.com` with the
    /// password [`GOOD`].
    pub async fn new() -> World {
        let world = Self::at(None).await;
        world.instance.reach().set_email(true);
        world
    }

    /// Moves the world's clock, which stands still otherwise.
    pub fn pass(&self, seconds: i64) {
        self.instance.clock().advance(seconds * 1_000_000);
    }

    /// What was mailed to an address, of a kind, as payloads.
    pub async fn mails(&self, org_id: i64, to: &str, kind: &str) -> Vec<Json> {
        let rows = self
            .system(org_id, |scope| {
                Box::pin(async move {
                    let order = ward_store::OrderKey::column("created_at", false);
                    scope.list::<ward_store::system::EffectRow>(Cond::Always, &[order]).await
                })
            })
            .await
            .unwrap();
        let mails = rows.into_iter().filter(|row| row.to_sealed == to && row.kind == kind);
        mails.map(|row| serde_json::from_str(&row.payload).unwrap()).collect()
    }

    async fn at(url: Option<String>) -> World {
        let directory = tempfile::tempdir().unwrap();
        let (instance, ring, certificate) = instance_at(Kind::Sandbox, manual());
        let path = directory.path().join("ward.db");
        let place = url.map_or(Place::Lite { path }, |url| Place::Pg { url });
        let tables = tables();
        let birth = Birth {
            ring: &ring,
            certificate: &certificate,
            tables: &tables,
            migrations: &[],
            now: instance.now(),
        };
        Db::create(&place, &birth).await.unwrap();
        let db = Db::open(place, Arc::clone(&instance), tables).await.unwrap();
        let founded = found(&db, "First Practice", "owner@example.com").await;
        World { db, instance, engine: engine(), founded, sign_up_open: true, _directory: directory }
    }

    /// Another practice in the same world.
    pub async fn practice(&self, email: &str) -> Founded {
        found(&self.db, "Second Practice", email).await
    }

    /// A sub-organization of the founding practice, without anybody in it.
    pub async fn branch(&self) -> ward_identity::tables::Organization {
        let root = self.founded.organization.id;
        self.system(root.0, move |scope| {
            Box::pin(async move {
                let id = scope.next_id().await.unwrap();
                let (name, now) = ("Branch", scope.now());
                let unit = ward_identity::practice::blank_organization(id, root, name, "", now);
                scope.create(&unit).await.unwrap();
                unit
            })
        })
        .await
    }

    /// Runs something as the system of an organization.
    pub async fn system<T: Send + 'static>(
        &self,
        org_id: i64,
        work: impl for<'a, 'b> Fn(&'a mut Scope<'b>) -> BoxFuture<'a, T> + Send + Sync + 'static,
    ) -> T {
        let work = Arc::new(work);
        self.db
            .write(move |tx: &mut Tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let actor = Actor::system(org_id);
                    let mut scope = Scope::new(tx, &actor);
                    let done = work(&mut scope).await;
                    Ok::<T, ward_store::StoreError>(done)
                })
            })
            .await
            .unwrap()
    }

    /// A key of a user.
    pub async fn key(&self, org_id: i64, user_id: i64) -> String {
        self.system(org_id, move |scope| {
            Box::pin(async move {
                let class = ward_identity::tables::CredentialClass::User;
                let made = admin::create_key(scope, ward_store::Id::new(user_id), None, class);
                made.await.unwrap().text.to_string()
            })
        })
        .await
    }

    /// The owner's key.
    pub async fn owner_key(&self) -> String {
        self.key(self.founded.organization.id.0, self.founded.owner.id.0).await
    }

    /// Runs a document with a credential; the JSON answer.
    pub async fn run(&self, credential: &str, view: ViewId, query: &str) -> Json {
        self.run_from("203.0.113.7", credential, view, query).await
    }

    /// The same, from an address.
    pub async fn run_from(
        &self,
        address: &str,
        credential: &str,
        view: ViewId,
        query: &str,
    ) -> Json {
        let found = ward_identity::authenticate(&self.db, credential).await.unwrap();
        let identified = found.map_err(|rejection| rejection.message).unwrap();
        let zone = moment::zone(&identified.actor.time_zone).unwrap();
        let request = Request {
            instance: Arc::clone(&self.instance),
            db: self.db.clone(),
            blobs: None,
            actor: Arc::new(identified.actor),
            view,
            now: self.instance.now(),
            zone,
            uploads: Vec::new(),
            request_id: "test".to_owned(),
            idempotency_key: None,
            caused_by: None,
            address: address.to_owned(),
            session: identified.session,
            sign_up_open: self.sign_up_open,
            read_only: false,
            base_url: "http://127.0.0.1:4100".to_owned(),
            reads: ward_engine::Reads::default(),
            work: ward_engine::Work::default(),
            refused: ward_engine::RefusedCodes::default(),
            trail: None,
        };
        let incoming = Incoming { query: query.to_owned(), ..Incoming::default() };
        let reply = self.engine.execute(&incoming, Arc::new(request), &[]).await;
        serde_json::from_slice(&reply.body).unwrap()
    }
}

async fn found(db: &Db, name: &'static str, email: &str) -> Founded {
    let hash = password::hash(db.instance().random(), GOOD).await.unwrap();
    let mut owner = member("Olga", email);
    owner.password_hash = Some(hash);
    db.write(move |tx: &mut Tx| {
        let owner = owner.clone();
        Box::pin(async move { admin::create_organization_with_owner(tx, name, &owner).await })
    })
    .await
    .unwrap()
}
