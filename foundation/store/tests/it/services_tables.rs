//! Tables of a small practice, and how the services' tests make its rows.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_instance::Timestamp;
use ward_store::system::Tenant;
use ward_store::{
    Actor, Cond, Flags, Id, Key, Role, Rule, Scope, StoreError, Table, Tx, index, keyring, record,
};

use crate::support::World;

record! {
    /// A person of a practice.
    pub struct Person in PERSONS, persons {
        id: Id<Person> [public],
        org_id: Id<Tenant>,
        unit_id: i64,
        name: String [public folded searched],
        email: Option<String> [limited searched],
        phone: Option<String> [limited phone],
        note: Option<String> [sealed],
        ssn: Option<String> [sealed secret],
        password_hash: Option<String> [secret],
        active: bool [limited],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "name_fold", "id"])],
    references: [],
    audit: Some("PERSON"),
    visible: who_sees_a_person,
}

record! {
    /// A thing that is really deleted.
    pub struct Label in LABELS, labels {
        id: Id<Label> [public],
        org_id: Id<Tenant>,
        name: String [public searched],
    }
    key: Key::Id,
    indexes: [],
    references: [],
    audit: Some("LABEL"),
    visible: |actor| Rule::full(actor.units("org_id")),
}

/// Members see their unit's people, a client themselves in full, their unit's
/// people in part and of everybody what is public.
fn who_sees_a_person(actor: &Actor) -> Rule {
    match actor.role {
        Role::Anonymous => Rule::none(),
        Role::Member | Role::System => Rule::full(actor.units("unit_id")),
        Role::Client => Rule::full(Cond::eq("id", actor.user_id))
            .limited(Cond::eq("unit_id", actor.unit_id))
            .public(Cond::Always),
    }
}

/// These tables.
pub fn all() -> [&'static Table; 2] {
    [&PERSONS, &LABELS]
}

/// A member of an organization.
pub fn member(org_id: i64) -> Actor {
    Actor {
        role: Role::Member,
        user_id: org_id + 1,
        org_id,
        unit_id: org_id,
        flags: Flags(u128::MAX),
        credential: Some("kid12345".into()),
        ..Actor::anonymous()
    }
}

/// A person with this name.
pub fn person(tx: &Tx, org_id: i64, id: i64, name: &str) -> Person {
    Person {
        id: Id::new(id),
        org_id: Id::new(org_id),
        unit_id: org_id,
        name: name.to_owned(),
        email: None,
        phone: None,
        note: None,
        ssn: None,
        password_hash: None,
        active: true,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        deleted_at: None,
    }
}

impl World {
    /// Organization `n` of this world, with its data keys.
    pub async fn organization(&self, n: i64) -> i64 {
        let org_id = self.org_id() + 1_000 * n;
        let made = self.db.write(move |tx| Box::pin(keyring::create_for(tx, org_id))).await;
        made.unwrap();
        org_id
    }

    /// Runs an operation as an actor.
    pub async fn act<T, F>(&self, actor: &Actor, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> Fn(Scope<'s>) -> BoxFuture<'s, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let actor = Arc::new(actor.clone());
        let work = Arc::new(work);
        self.db
            .write(move |tx| {
                let (actor, work) = (Arc::clone(&actor), Arc::clone(&work));
                Box::pin(async move { work(Scope::new(tx, &actor)).await })
            })
            .await
    }

    /// Numbers what is committed, as the sequencer does.
    pub async fn sequence(&self) {
        while self.db.write(|tx| Box::pin(ward_store::sequencer::number(tx))).await.unwrap() > 0 {}
    }

    /// Writes past the store and its guards, as somebody with the database in
    /// their hands would.
    pub async fn tamper(&self, text: &str) {
        let text = text.to_owned();
        match self.db.engine() {
            ward_store::Engine::Lite => {
                let conn = rusqlite::Connection::open(self.file()).unwrap();
                conn.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
                conn.execute_batch(
                    "DROP TRIGGER IF EXISTS audit_events_no_update; \
                     DROP TRIGGER IF EXISTS audit_events_no_delete;",
                )
                .unwrap();
                conn.execute_batch(&text).unwrap();
            }
            ward_store::Engine::Pg => {
                let client = crate::support::raw(&self.url()).await;
                let off = "SET session_replication_role = replica";
                client.batch_execute(&format!("{off}; {text}")).await.unwrap();
            }
        }
    }
}
