//! A practice on a database of its own, with a clock that stands until it is moved: for tests of
//! what is written, without anything that is sent.

#![allow(clippy::disallowed_methods, reason = "a test reads its environment")]

use std::sync::Arc;

use ward_identity::practice::{self, NewMember};
use ward_instance::{
    Certificate, Clock, Instance, InstanceId, Kind, Ledger, Random, RootRing, Timestamp,
};
use ward_store::{
    Actor, Birth, Cond, Db, Event, Id, Place, Query, Record, Scope, Sql, StoreError, Table, Tx,
    Value, system,
};

use super::claim::{self, Claimed};
use super::record::{self, Attempt};
use super::share::{Room, UnderWay};
use super::{recover, relay};
use crate::lane;
use crate::tables::{IdEncoding, Outcome, SecretState, Webhook, WebhookEvent, WebhookSecret};

#[path = "../../../../foundation/store/tests/it/scratch.rs"]
mod scratch;

use scratch::Scratch;

/// The event that all webhooks of a trial have.
pub const EVENT: &str = "patient.updated";

/// A test's world, gone with it.
pub struct World {
    pub db: Db,
    pub clock: Clock,
    pub org: i64,
    _directory: tempfile::TempDir,
}

fn tables() -> Vec<&'static Table> {
    let mut tables = system::tables();
    tables.extend(ward_identity::tables());
    tables.extend(crate::tables());
    tables
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
        let clock = Clock::manual(Timestamp::from_seconds(1_750_000_000));
        let ring = RootRing::generate(Kind::Sandbox, InstanceId::draw(&random), &random);
        let ring = Arc::new(ring);
        let certificate = Certificate::new(&ring, clock.now(), "http://127.0.0.1:4100", "test");
        let ledger = Ledger::in_memory(&ring, 7, clock.now());
        let instance =
            Instance::assemble(ring.clone(), &certificate, ledger, clock.clone(), random.clone())
                .unwrap();
        let place = match server {
            None => Place::Lite { path: directory.path().join("ward.db") },
            Some(server) => {
                let name = format!("sandbox_{}", random.base62(12).to_lowercase());
                let (start, _) = server.rsplit_once('/').unwrap();
                Place::Pg { url: format!("{start}/{name}") }
            }
        };
        let tables = tables();
        let now = instance.now();
        let birth =
            Birth { ring: &ring, certificate: &certificate, tables: &tables, migrations: &[], now };
        Db::create(&place, &birth).await.unwrap();
        let db = Db::open(place, instance, tables).await.unwrap();
        let org = found(&db, "owner@example.com").await;
        World { db, clock, org, _directory: directory }
    }

    /// Another practice on the same database.
    pub async fn another(&self) -> i64 {
        found(&self.db, "another@example.com").await
    }

    /// A webhook of [`EVENT`].
    pub async fn webhook(&self, is_ordered: bool) -> i64 {
        self.webhook_of(self.org, is_ordered).await
    }

    /// A practice's webhook of [`EVENT`].
    pub async fn webhook_of(&self, org: i64, is_ordered: bool) -> i64 {
        let made = self.db.write(move |tx| {
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let webhook = new_webhook(&mut scope, org, is_ordered).await?;
                Ok(webhook.id.0)
            })
        });
        made.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    /// Changes the database as nothing in Ward does.
    pub async fn spoil(&self, sql: &'static str) {
        let done = self.db.write(move |tx: &mut Tx| {
            Box::pin(async move { tx.execute(&Sql::fixed(sql, [])).await.map(drop) })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }

    /// Emits events of these records, one after another.
    pub async fn emit(&self, records: &[i64]) {
        self.emit_of(self.org, records).await;
    }

    /// The same of a practice.
    pub async fn emit_of(&self, org: i64, records: &[i64]) {
        let records = records.to_vec();
        let done = self.db.write(move |tx| {
            let records = records.clone();
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                for record in records {
                    scope.emit(Event::new(EVENT, "User", record).changed(&["legal_name"]));
                }
                Ok(())
            })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }

    /// Hands on and claims, as a process of this epoch.
    pub async fn claim(&self, epoch: &str, room: Room) -> Vec<Claimed> {
        let epoch = epoch.to_owned();
        let claimed = self.db.write(move |tx: &mut Tx| {
            let epoch = epoch.clone();
            let room = room.clone();
            Box::pin(async move {
                recover::recover(tx, &epoch, 100).await?;
                while relay::hand_on(tx).await? > 0 {}
                claim::claim(tx, &epoch, room).await
            })
        });
        claimed.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    /// Writes down that attempts ended with a status.
    pub async fn record(&self, claimed: &[Claimed], status: u16) {
        let is_good = (200..300).contains(&status);
        let attempt = |claimed: &Claimed| Attempt {
            delivery: claimed.delivery.clone(),
            url: claimed.webhook.url.clone(),
            outcome: if is_good { Outcome::Delivered } else { Outcome::Refused },
            status: Some(status),
            error: None,
            response: None,
            retry_after: None,
            peer: None,
            duration_ms: 5,
        };
        let attempts: Arc<[Attempt]> = claimed.iter().map(attempt).collect();
        let done = self.db.write(move |tx: &mut Tx| {
            let attempts = attempts.clone();
            Box::pin(async move { record::record(tx, &attempts).await })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }

    /// A number out of the database.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let rows = self.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
        rows.scalar().and_then(Value::int).unwrap()
    }

    /// The practice's rows of a table.
    pub async fn rows<R: Record>(&self) -> Vec<R> {
        let org = self.org;
        let rows = self.db.write(move |tx| {
            Box::pin(async move {
                let actor = Actor::system(org);
                Scope::new(tx, &actor).list::<R>(Cond::Always, &[]).await
            })
        });
        rows.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    /// Room for everything.
    pub fn all_room() -> Room {
        Self::room(super::SOCKETS, super::SLOW_SOCKETS)
    }

    /// Room for so many, and so many to slow receivers.
    pub fn room(all: usize, slow: usize) -> Room {
        UnderWay::default().room(all, slow)
    }
}

async fn found(db: &Db, email: &'static str) -> i64 {
    let head = || NewMember {
        first_name: "Olive".to_owned(),
        last_name: "Owner".to_owned(),
        email: Some(email.to_owned()),
        ..NewMember::default()
    };
    let founded = db.write(move |tx| {
        Box::pin(async move { practice::found(tx, "Practice", &head(), false).await })
    });
    founded.await.unwrap_or_else(|error: StoreError| panic!("{error}")).organization.id.0
}

async fn new_webhook(
    scope: &mut Scope<'_>,
    org: i64,
    is_ordered: bool,
) -> Result<Webhook, StoreError> {
    let now = scope.now();
    let webhook = Webhook {
        id: scope.next_id().await?,
        org_id: Id::new(org),
        unit_id: Id::new(org),
        url: "https://hooks.example.com/".to_owned(),
        is_enabled: true,
        should_retry: true,
        event_type: Some(EVENT.to_owned()),
        id_encoding: IdEncoding::Number,
        is_ordered,
        warned_at: None,
        listens_since: now,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    scope.create(&webhook).await?;
    let event = WebhookEvent {
        id: scope.next_id().await?,
        org_id: Id::new(org),
        unit_id: Id::new(org),
        webhook_id: webhook.id,
        event_type: EVENT.to_owned(),
        position: 0,
        first_failed_at: None,
        last_failed_at: None,
        retry_count: 0,
        created_at: now,
        updated_at: now,
    };
    scope.create(&event).await?;
    let secret = WebhookSecret {
        id: scope.next_id().await?,
        org_id: Id::new(org),
        unit_id: Id::new(org),
        webhook_id: webhook.id,
        secret: "whsec_sbx_K7QF2_4f6d2a".to_owned(),
        state: SecretState::Current,
        retires_at: None,
        created_at: now,
    };
    scope.create(&secret).await?;
    lane::create(scope, &webhook).await?;
    Ok(webhook)
}
