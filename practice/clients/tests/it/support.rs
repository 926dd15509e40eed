//! A practice with an owner, an assistant and an engine that answers both views.

use std::ops::{Deref, DerefMut};

use serde_json::Value as Json;
use ward_engine::{Bindings, Listing, Request, ViewId};
use ward_identity::flags;
use ward_identity::tables::{ORGANIZATIONS, OrgRole, USERS};
use ward_instance::Clock;
use ward_practice_tests::{Domain, Plan, Practice, Premises, each};
use ward_store::{Actor, Cond, Query, Sql, Table};

pub use ward_practice_tests::contract;

static PLAN: Plan = Plan {
    domains: &[
        Domain { tables: ward_identity::tables, bind: objects },
        Domain { tables: ward_clients::tables, bind: ward_clients::bind },
    ],
    clock: Clock::system,
};

/// The identity domain's objects; its own bindings are its own tests' matter.
fn objects(bindings: &mut Bindings) {
    bindings.object("User", &USERS);
    bindings.clients(&USERS);
    bindings.object("Organization", &ORGANIZATIONS);
    bindings.query_one("organization", &ORGANIZATIONS, |request, _| {
        Ok(Listing::of(Cond::eq("id", request.actor.unit_id)))
    });
}

/// All tables of the test's database.
pub fn tables() -> Vec<&'static Table> {
    PLAN.tables()
}

/// A test's world, gone with it.
pub struct World {
    practice: Practice,
    /// A Support member with the default flags.
    pub support: Actor,
}

impl Deref for World {
    type Target = Practice;

    fn deref(&self) -> &Practice {
        &self.practice
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Practice {
        &mut self.practice
    }
}

impl World {
    /// Runs a test in a world of its own on SQLite, then in one on PostgreSQL.
    pub async fn each(test: impl AsyncFn(World)) {
        let enter = async |premises: Premises| {
            let practice = Practice::of(premises).await;
            let support = practice.join("Sue", OrgRole::Support).await;
            World { practice, support }
        };
        each(&PLAN, enter, test).await;
    }

    /// Runs an operation with an idempotency key in the newest view; the whole answer.
    pub async fn keyed(&self, actor: &Actor, key: &str, query: &str, variables: Json) -> Json {
        let key = Some(key.to_owned());
        let request = Request { idempotency_key: key, ..self.request(ViewId::V2026, actor) };
        self.ask(request, query, variables).await
    }

    /// The answer in the newest view to somebody who was looked up in another world.
    pub async fn run_before(&self, actor: &Actor, query: &str, variables: Json) -> Json {
        let db = self.db.in_world(self.db.world() + 1);
        let request = Request { db, ..self.request(ViewId::V2026, actor) };
        self.ask(request, query, variables).await
    }

    /// Names and changed columns of all events, in order.
    pub async fn events(&self) -> Vec<String> {
        self.events_where("event_type NOT LIKE 'organization%'").await
    }

    /// Kinds of all mails wanted.
    pub async fn mails(&self) -> Vec<String> {
        let sql = Sql::fixed("SELECT kind FROM effect_intents ORDER BY created_at, id", []);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
    }

    /// How many files the blob directory holds, half-written ones too.
    pub fn files(&self) -> usize {
        let folders = std::fs::read_dir(self.path().join("blobs")).unwrap();
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
}

/// Flags that the tests name.
pub use flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_ADD_CLIENTS, CAN_CREATE_TAGS, CAN_EDIT_SETTINGS,
    CAN_REMOVE_CLIENT, CAN_SET_CLIENT_PASSWORD, SEES_ALL_CLIENTS,
};
