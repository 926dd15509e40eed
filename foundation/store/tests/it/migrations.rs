//! Migrations: forward only, each once, each as it was.

use std::sync::Arc;

use ward_instance::Kind;
use ward_store::migrate::{self, Migration};
use ward_store::{Db, Sql, StoreError};

use crate::support::{self, World};

const ADD: &str = "ALTER TABLE visits ADD COLUMN extra_note TEXT";

const ONE: &[Migration] = &[Migration { number: 2, name: "note", lite: ADD, pg: ADD }];

const OTHER_TEXT: &[Migration] =
    &[Migration { number: 2, name: "note", lite: "SELECT 1", pg: "SELECT 1" }];

const BROKEN: &[Migration] = &[
    Migration { number: 2, name: "note", lite: ADD, pg: ADD },
    Migration {
        number: 3,
        name: "broken",
        lite: "CREATE TABLE half (a INTEGER); INSERT INTO nowhere VALUES (1)",
        pg: "CREATE TABLE half (a INTEGER); INSERT INTO nowhere VALUES (1)",
    },
];

/// A step is applied once, and the certificate knows.
async fn a_step(w: World) {
    let copy = w.directory.join("copy.db");
    assert_eq!(migrate::pending(&w.db, ONE).await.unwrap(), [2]);
    assert_eq!(migrate::apply(&w.db, ONE, Some(&copy)).await.unwrap(), [2]);
    assert!(migrate::apply(&w.db, ONE, Some(&copy)).await.unwrap().is_empty());
    assert_eq!(w.number("SELECT COUNT(*) FROM schema_migrations WHERE kind = 'sandbox'").await, 2);
    w.rows(Sql::fixed("SELECT extra_note FROM visits", [])).await;
    let certificate = Db::read_certificate(&w.place, Kind::Sandbox).await.unwrap();
    assert_eq!(certificate.schema_epoch, 2);
    certificate.verify(&w.ring).unwrap();
    if matches!(w.place, ward_store::Place::Lite { .. }) {
        // The copy is a whole database of before.
        let place = ward_store::Place::Lite { path: copy };
        let old = Db::open(place, Arc::clone(&w.instance), support::tables()).await.unwrap();
        assert_eq!(migrate::pending(&old, ONE).await.unwrap(), [2]);
        old.shutdown().await;
    }
}

both!(a_step);

/// Newer databases and changed texts are refused with a sentence.
async fn refusals(w: World) {
    migrate::apply(&w.db, ONE, None).await.unwrap();
    let newer = migrate::pending(&w.db, &[]).await.unwrap_err();
    assert!(newer.to_string().contains("knows 1 at most"), "{newer}");
    let other = migrate::apply(&w.db, OTHER_TEXT, None).await.unwrap_err();
    assert!(other.to_string().contains("another text"), "{other}");
}

both!(refusals);

/// A step that fails leaves nothing; those before it stay.
async fn a_broken_step(w: World) {
    assert!(migrate::apply(&w.db, BROKEN, None).await.is_err());
    assert_eq!(w.number("SELECT MAX(number) FROM schema_migrations").await, 2);
    let half = w.db.read().await.unwrap();
    drop(half);
    let mut reader = w.db.read().await.unwrap();
    let error = ward_store::Query::rows(&mut reader, &Sql::fixed("SELECT a FROM half", []))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Internal { .. }));
}

both!(a_broken_step);

/// Two that migrate at once: one does it.
async fn at_once(w: World) {
    let (first, second) = futures_util::future::join(
        migrate::apply(&w.db, ONE, None),
        migrate::apply(&w.db, ONE, None),
    )
    .await;
    assert_eq!([first.unwrap(), second.unwrap()].concat(), [2]);
}

both!(at_once);

/// A database is born with every step already in it.
#[tokio::test]
async fn a_birth_has_all_steps() {
    let directory = tempfile::tempdir().unwrap();
    let born = support::born(Kind::Sandbox);
    let place = ward_store::Place::Lite { path: directory.path().join("ward.db") };
    support::create(&born, &place, ONE).await.unwrap();
    let db = support::open(&born, &place).await.unwrap();
    assert!(migrate::pending(&db, ONE).await.unwrap().is_empty());
    db.shutdown().await;
}
