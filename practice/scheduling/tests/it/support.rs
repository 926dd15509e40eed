//! A practice with an owner, members and an engine that answers both views.

use std::ops::Deref;

use serde_json::{Value as Json, json};
use ward_engine::{Request, ViewId};
use ward_identity::tables::OrgRole;
use ward_instance::{Clock, Timestamp};
use ward_practice_tests::{Plan, Practice, Premises, domains, each};
use ward_store::{Actor, Query, Sql, Value};

/// The domain, and those that its tests need.
static PLAN: Plan =
    Plan { domains: domains![ward_identity, ward_clients, ward_scheduling], clock: Clock::system };

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

    /// Runs an operation in a view as if it were another time; the whole answer.
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
        let address = address.to_owned();
        let request = Request { now, address, ..self.request(view, actor) };
        self.ask(request, query, variables).await
    }

    /// Runs a mutation of one input object; its payload, which must be there.
    pub async fn mutate(&self, actor: &Actor, field: &str, selects: &str, input: Json) -> Json {
        let answer = self.mutation(actor, field, selects, input).await;
        let payload = &answer["data"][field];
        assert!(!payload.is_null(), "{answer}");
        payload.clone()
    }

    /// How many rows a table has, and how many entries the audit log.
    pub async fn written(&self, table: &'static str) -> (i64, i64) {
        let mut reader = self.db.read().await.unwrap();
        let mut counts = Vec::new();
        for name in [table, "audit_events"] {
            let mut sql = Sql::new();
            sql.push("SELECT COUNT(*) FROM ").push(name);
            let rows = reader.rows(&sql).await.unwrap();
            counts.push(rows.scalar().and_then(Value::int).unwrap());
        }
        (counts[0], counts[1])
    }

    /// Names and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        self.events_like("availability%").await
    }

    /// Names and changed columns of events whose names are like this, in order.
    pub async fn events_like(&self, names: &str) -> Vec<String> {
        self.events_where(&format!("event_type LIKE '{names}'")).await
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

    /// One more colleague.
    pub async fn colleague(&self, first: &'static str) -> Actor {
        self.join(first, OrgRole::Standard).await
    }
}
