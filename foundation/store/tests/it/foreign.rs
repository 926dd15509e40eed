//! A database that is not the instance's is refused (ISO-02, 06, 07).

use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use futures_util::FutureExt;
use ward_instance::{Kind, agree};
use ward_store::{Db, Place, Sql, StoreError, write_certificate};

use crate::support::{self, World, born, create, open};

fn code(error: &StoreError) -> &'static str {
    match error {
        StoreError::Foreign(error) => error.code,
        other => panic!("{other}"),
    }
}

/// Another instance of the same kind.
async fn another_instance(w: World) {
    let other = born(Kind::Sandbox);
    let error = open(&other, &w.place).await.err().unwrap();
    let expected = if matches!(w.place, Place::Lite { .. }) { "ISO-02" } else { "ISO-07" };
    assert_eq!(code(&error), expected);
    let certificate = Db::read_certificate(&w.place, Kind::Sandbox).await.unwrap();
    assert!(agree(Kind::Sandbox, &other.ring, &certificate).is_err());
    assert!(agree(Kind::Sandbox, &w.ring, &certificate).is_ok());
}

both!(another_instance);

/// The kind is pinned, and a changed certificate does not open.
async fn a_converted_instance(w: World) {
    let error =
        w.execute(Sql::fixed("UPDATE instance SET kind = 'production'", [])).await.unwrap_err();
    assert!(matches!(error, StoreError::Constraint(_)), "{error}");
    w.execute(Sql::fixed("UPDATE instance SET base_url = 'https://x.example'", [])).await.unwrap();
    let error =
        Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables()).await.err().unwrap();
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
}

both!(a_converted_instance);

/// A signed change is taken.
async fn an_attested_address(w: World) {
    let mut certificate = Db::read_certificate(&w.place, Kind::Sandbox).await.unwrap();
    certificate.base_url = "http://127.0.0.1:5000".into();
    certificate.sign(&w.ring);
    w.db.write(move |tx| {
        let certificate = certificate.clone();
        async move { write_certificate(tx, &certificate).await }.boxed()
    })
    .await
    .unwrap();
    let again =
        Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables()).await.unwrap();
    again.shutdown().await;
}

both!(an_attested_address);

/// There is one birth a place.
async fn a_second_birth(w: World) {
    let error = create(&born(Kind::Sandbox), &w.place, &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(w.number("SELECT COUNT(*) FROM instance").await, 1);
}

both!(a_second_birth);

/// The file of health records is its owner's alone.
async fn the_file_is_private(w: World) {
    use std::os::unix::fs::PermissionsExt;
    w.execute(Sql::fixed("INSERT INTO nodes VALUES ('a', 1, 1)", [])).await.unwrap();
    for name in ["ward.db", "ward.db-wal", "ward.db-shm"] {
        let mode = w.directory.join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

only!(Lite, the_file_is_private);

/// The header alone refuses a file, before any query.
async fn another_application_id(w: World) {
    w.db.shutdown().await;
    for id in [*b"PRD1", *b"ABCD"] {
        let mut file = std::fs::File::options().write(true).open(w.file()).unwrap();
        file.seek(SeekFrom::Start(68)).unwrap();
        file.write_all(&id).unwrap();
        drop(file);
        let opened = Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables()).await;
        assert_eq!(code(&opened.err().unwrap()), "ISO-02");
    }
    std::fs::write(w.file(), "no database").unwrap();
    let opened = Db::open(w.place.clone(), Arc::clone(&w.instance), support::tables()).await;
    assert_eq!(code(&opened.err().unwrap()), "ISO-02");
}

only!(Lite, another_application_id);

/// The database's name says the kind.
async fn another_name(w: World) {
    let other = born(Kind::Production);
    assert_eq!(code(&open(&other, &w.place).await.err().unwrap()), "ISO-07");
    let error = create(&other, &w.place, &[]).await.unwrap_err();
    assert_eq!(code(&error), "ISO-07");
}

only!(Pg, another_name);

/// The place of an open store becomes another instance's: nothing is written.
async fn an_exchanged_database(w: World) {
    let raw = support::raw(&w.url()).await;
    raw.batch_execute("UPDATE instance SET instance_id = repeat('0', 32)").await.unwrap();
    let error = w.execute(Sql::fixed("DELETE FROM id_blocks", [])).await.unwrap_err();
    assert_eq!(code(&error), "ISO-07");
    // A new physical connection is refused as well.
    raw.batch_execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await
    .unwrap();
    let error = loop {
        match w.db.read().await {
            // The pool may not have noticed yet that its connection is gone.
            Ok(reader) => {
                drop(reader);
                tokio::task::yield_now().await;
            }
            Err(error) => break error,
        }
    };
    assert_eq!(code(&error), "ISO-07");
}

only!(Pg, an_exchanged_database);

/// What a power cut may damage is a Sandbox's only.
#[tokio::test]
async fn a_passing_database_is_no_production() {
    let folder = tempfile::tempdir().unwrap();
    for kind in Kind::ALL {
        let path = folder.path().join(format!("{kind}.db"));
        let (born, lasting) = (born(kind), Place::Lite { path: path.clone() });
        let passing = Place::Passing { path: path.clone() };
        let is_taken = kind == Kind::Sandbox;
        assert_eq!(create(&born, &passing, &[]).await.is_ok(), is_taken, "{kind}");
        assert_eq!(path.exists(), is_taken);
        if !is_taken {
            create(&born, &lasting, &[]).await.unwrap();
        }
        let opened = open(&born, &passing).await;
        assert_eq!(opened.is_ok(), is_taken, "{kind}");
        if let Ok(db) = opened {
            db.shutdown().await;
        }
    }
}
