//! A small library in two views, and how a test asks it.

pub mod bindings;
mod mutations;
pub mod seed;
mod subscriptions;
pub mod tables;

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::Value as Json;
use ward_engine::{Engine, Incoming, Reply, Request, ViewId, prune};
use ward_instance::Instance;
use ward_store::{Actor, Db, Flags, Query, Role, Rows, Sql};

use seed::{BASE, ORG};

/// The contract of the old view, as slices of domains.
pub const BASELINE: &str = include_str!("world/baseline.graphql");
/// The contract of the new view.
pub const V2026: &str = include_str!("world/v2026.graphql");

/// An engine over an instance's rows.
#[derive(Clone)]
pub struct World {
    pub db: Db,
    pub instance: Arc<Instance>,
    pub engine: Arc<Engine>,
}

/// An engine of the library, from the pruned contract.
pub fn engine() -> Arc<Engine> {
    let bindings = bindings::all();
    let baseline = prune(BASELINE, &bindings).unwrap();
    let v2026 = prune(V2026, &bindings).unwrap();
    Arc::new(Engine::new(&baseline, &v2026, bindings))
}

/// A member who may do everything.
pub fn member() -> Actor {
    Actor {
        role: Role::Member,
        user_id: BASE + 900,
        org_id: ORG,
        unit_id: ORG,
        flags: Flags(u128::MAX),
        ..Actor::anonymous()
    }
}

/// A member without this permission.
pub fn member_without(permission: ward_engine::Permission) -> Actor {
    let member = member();
    Actor { flags: member.flags.without(permission.flag), ..member }
}

/// Author `n`, signed in.
pub fn author(n: i64) -> Actor {
    Actor { role: Role::Client, user_id: BASE + n, flags: Flags::default(), ..member() }
}

/// One request in the making.
pub struct Ask<'a> {
    world: &'a World,
    request: Request,
    incoming: Incoming,
}

impl World {
    /// Asks as a member who may do everything, in New York.
    pub fn ask(&self, view: ViewId, query: &str) -> Ask<'_> {
        let request = Request {
            instance: Arc::clone(&self.instance),
            db: self.db.clone(),
            blobs: None,
            actor: Arc::new(member()),
            view,
            now: self.instance.now(),
            zone: TimeZone::get("America/New_York").unwrap(),
            uploads: Vec::new(),
            request_id: "r1".to_owned(),
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
        };
        let incoming = Incoming { query: query.to_owned(), ..Incoming::default() };
        Ask { world: self, request, incoming }
    }

    /// The answer in the old view.
    pub async fn baseline(&self, query: &str) -> Json {
        self.ask(ViewId::Baseline, query).run().await
    }

    /// The answer in the new view.
    pub async fn v2026(&self, query: &str) -> Json {
        self.ask(ViewId::V2026, query).run().await
    }

    /// The answer in a view, with variables.
    pub async fn run(&self, view: ViewId, query: &str, variables: Json) -> Json {
        self.ask(view, query).variables(variables).run().await
    }

    /// One number of the database.
    pub async fn number(&self, text: &'static str) -> i64 {
        let mut reader = self.db.read().await.unwrap();
        let rows: Rows = reader.rows(&Sql::fixed(text, [])).await.unwrap();
        rows.scalar().unwrap().int().unwrap()
    }
}

impl Ask<'_> {
    pub fn variables(mut self, variables: Json) -> Self {
        let Json::Object(variables) = variables else { panic!("variables are an object") };
        self.incoming.variables = variables;
        self
    }

    pub fn operation(mut self, name: &str) -> Self {
        self.incoming.operation_name = Some(name.to_owned());
        self
    }

    pub fn actor(mut self, actor: Actor) -> Self {
        self.request.actor = Arc::new(actor);
        self
    }

    pub fn zone(mut self, name: &str) -> Self {
        self.request.zone = TimeZone::get(name).unwrap();
        self
    }

    /// As somebody who was looked up before the database was emptied.
    pub fn of_before(mut self) -> Self {
        self.request.db = self.world.db.in_world(self.world.db.world() + 1);
        self
    }

    pub fn key(mut self, key: &str) -> Self {
        self.request.idempotency_key = Some(key.to_owned());
        self
    }

    /// The request and its document, for who asks by another way.
    pub fn parts(self) -> (Request, Incoming) {
        (self.request, self.incoming)
    }

    /// The whole reply.
    pub async fn reply(self) -> Reply {
        let request = Arc::new(self.request);
        self.world.engine.execute(&self.incoming, request, &[]).await
    }

    /// The body of the answer that goes with these warnings.
    pub async fn warned(self, warnings: &[Json]) -> Json {
        let request = Arc::new(self.request);
        let reply = self.world.engine.execute(&self.incoming, request, warnings).await;
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The body, which has to be valid JSON.
    pub async fn run(self) -> Json {
        let reply = self.reply().await;
        serde_json::from_slice(&reply.body).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&reply.body));
        })
    }

    /// The body's `data`; there has to be no error.
    pub async fn data(self) -> Json {
        let body = self.run().await;
        assert!(body.get("errors").is_none(), "{body}");
        body["data"].clone()
    }
}

/// The messages of the top-level errors.
pub fn messages(body: &Json) -> Vec<String> {
    let errors = body["errors"].as_array().into_iter().flatten();
    errors.map(|error| error["message"].as_str().unwrap().to_owned()).collect()
}

/// The texts at `pointer`, which holds a list, under the key.
pub fn texts(list: &Json, key: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item[key].as_str().unwrap_or("null").to_owned()).collect()
}
