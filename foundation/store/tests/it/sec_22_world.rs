//! SEC-22: an instance with everything that hangs on the root key, and how it
//! is looked at after a rotation.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::FutureExt;
use ward_instance::seal::{self, DataKeyName};
use ward_instance::{Clock, Instance, Kind, Ledger, Random, RootRing};
use ward_store::blobs::{self, BlobFacts, BlobStore, Registered};
use ward_store::chain_heads::write_heads;
use ward_store::events;
use ward_store::idempotency::{self, Outcome, RequestKey};
use ward_store::rotation::{Hooks, Progress, Rotation};
use ward_store::verify::{Verdict, verify};
use ward_store::{BlobDirectory, Db, Event, Id, Sql, StoreError, Uuid, Value};

use crate::services_tables::{Person, member, person};
use crate::support::{self, World};

pub const PEOPLE: i64 = 60;
pub const FEW: i64 = 3;
pub const KEY: &str = "repeated";

/// Everything that is kept under a root, and where it is.
#[derive(Clone)]
pub struct Filled {
    pub org: i64,
    pub blob: Uuid,
    pub bytes: Vec<u8>,
}

pub async fn found(w: &World, org: i64, n: i64) -> Result<Option<Person>, StoreError> {
    w.act(&member(org), move |mut scope| {
        async move { scope.find(Id::<Person>::new(org + n)).await }.boxed()
    })
    .await
}

pub async fn blob_store(w: &World) -> BlobDirectory {
    BlobDirectory::open(w.directory.join("files")).await.unwrap()
}

pub async fn create(w: &World, org: i64, n: i64) -> Result<(), StoreError> {
    w.act(&member(org), move |mut scope| {
        async move {
            let mut new = person(scope.tx, org, org + n, "Ada");
            new.note = Some(format!("note {n}"));
            new.ssn = Some(format!("ssn {n}"));
            scope.create(&new).await?;
            scope.emit(Event::new("person.created", "Person", org + n));
            Ok(())
        }
        .boxed()
    })
    .await
}

pub async fn upload(w: &World, store: &dyn BlobStore, org: i64, bytes: &[u8]) -> Uuid {
    let keys = w.db.keyring().of(&mut w.db.read().await.unwrap(), org).await.unwrap();
    let mut upload = blobs::begin(store, &w.instance, &keys, 1 << 20).await.unwrap();
    for piece in bytes.chunks(10_000) {
        assert!(upload.write(piece).await.unwrap());
        tokio::task::yield_now().await;
    }
    let stored = Arc::new(upload.finish(&keys).await.unwrap());
    let id = stored.id.clone();
    let registered = w.db.write(move |tx| {
        let stored = Arc::clone(&stored);
        async move {
            let facts = BlobFacts {
                unit_id: 1,
                owner_id: 2,
                purpose: "document".into(),
                file_name: "results.pdf".into(),
                content_type: "application/pdf".into(),
                scan: None,
                cause: String::new(),
            };
            blobs::register(tx, &stored, facts, 1 << 30).await
        }
        .boxed()
    });
    assert_eq!(registered.await.unwrap(), Registered::Done);
    id
}

pub async fn download(
    w: &World,
    store: &dyn BlobStore,
    org: i64,
    id: &Uuid,
) -> Result<Vec<u8>, StoreError> {
    let mut reader = w.db.read().await?;
    let keys = w.db.keyring().of(&mut reader, org).await?;
    let blob = blobs::find(&mut reader, &keys, id).await?.unwrap();
    assert_eq!(blob.file_name, "results.pdf");
    let size = u64::try_from(blob.byte_size).unwrap();
    let mut download = blobs::open(store, &w.instance, &keys, &blob, 0..size).await?;
    drop(reader);
    let mut bytes = Vec::new();
    while let Some(chunk) = download.chunk().await? {
        bytes.extend(chunk);
    }
    Ok(bytes)
}

pub async fn request(w: &World, org: i64, key: &'static str) -> Outcome {
    let hash = Arc::new(idempotency::request_hash(&w.db, &[b"body"]));
    let asked = w.db.write(move |tx| {
        let hash = Arc::clone(&hash);
        async move {
            let key = RequestKey { org_id: org, actor_id: 7, key, alias: "" };
            let outcome = idempotency::lookup(tx, &key, &hash).await?;
            if outcome == Outcome::Fresh {
                idempotency::store(tx, &key, b"answer").await?;
            }
            Ok::<_, StoreError>(outcome)
        }
        .boxed()
    });
    asked.await.unwrap()
}

pub async fn fill(w: &World, people: i64) -> Filled {
    w.ring.save(&w.directory.join("root.key")).unwrap();
    let org = w.organization(1).await;
    let _empty = w.organization(2).await;
    for n in 0..people {
        create(w, org, 10 + n).await.unwrap();
    }
    let bytes: Vec<u8> = (0..150_000_usize).map(|n| (n % 251) as u8).collect();
    let blob = upload(w, &blob_store(w).await, org, &bytes).await;
    assert_eq!(request(w, org, KEY).await, Outcome::Fresh);
    w.sequence().await;
    write_heads(&w.db, &w.directory.join("chain.heads")).await.unwrap();
    Filled { org, blob, bytes }
}

pub async fn rotation(w: &World) -> Rotation {
    rotation_with(w, Arc::new(blob_store(w).await))
}

pub fn rotation_with(w: &World, blobs: Arc<dyn BlobStore>) -> Rotation {
    Rotation {
        db: w.db.clone(),
        key_file: w.directory.join("root.key"),
        heads_file: w.directory.join("chain.heads"),
        blobs,
        hooks: Hooks::default(),
        node: "here".into(),
        leave_damaged: false,
    }
}

pub fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The instance as a new process finds it.
pub async fn reopened(w: &World) -> World {
    let ring = Arc::new(RootRing::load(&w.directory.join("root.key")).unwrap());
    let certificate = Db::read_certificate(&w.place, Kind::Sandbox).await.unwrap();
    let ledger = Ledger::in_memory(&ring, 7, Clock::system().now());
    let instance =
        Instance::assemble(Arc::clone(&ring), &certificate, ledger, Clock::system(), Random::os());
    let instance = instance.unwrap();
    let db = Db::open(w.place.clone(), Arc::clone(&instance), support::tables()).await.unwrap();
    World { db, instance, ring, ..w.clone() }
}

/// Every value is served as it was written.
pub async fn assert_readable(w: &World, filled: &Filled, people: i64) {
    let org = filled.org;
    for n in 10..10 + people {
        let read = found(w, org, n).await;
        let read = read.unwrap_or_else(|error| panic!("person {n}: {error}"));
        let read = read.unwrap_or_else(|| panic!("person {n} is lost"));
        assert_eq!(read.note, Some(format!("note {n}")));
        assert_eq!(read.ssn, Some(format!("ssn {n}")));
    }
    let store = blob_store(w).await;
    assert_eq!(download(w, &store, org, &filled.blob).await.unwrap(), filled.bytes);
    assert_eq!(request(w, org, KEY).await, Outcome::Replay(b"answer".to_vec()));
    w.sequence().await;
    let mut reader = w.db.read().await.unwrap();
    let told = events::after(&mut reader, &w.instance, org, 0, 1_000).await.unwrap();
    assert!(told.len() as i64 >= people, "{} events", told.len());
    drop(reader);
    let verdict = verify(&w.db, Some(&w.directory.join("chain.heads"))).await.unwrap();
    assert!(verdict.is_intact(), "{verdict:?}");
    if let Verdict::Intact { entries, .. } = verdict {
        assert!(entries as i64 >= people);
    }
}

/// How many values in the database do not begin as those of `version` do.
pub async fn older_values(w: &World, version: u32) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    for table in support::tables() {
        let sealed = table.columns.iter().filter(|it| it.sealed && table.name != "audit_events");
        let sealed = sealed.map(|it| (it.name, true));
        let more: &[(&str, bool)] = match table.name {
            "events" => &[("row_mac", false)],
            "idempotency_keys" => &[("answer", true)],
            "data_keys" => &[("wrapped", true)],
            _ => &[],
        };
        for (column, with_algorithm) in sealed.chain(more.iter().copied()) {
            let mut header = if with_algorithm { vec![1] } else { Vec::new() };
            header.extend(version.to_be_bytes());
            let mut sql = Sql::new();
            sql.push(&format!(
                "SELECT COUNT(*) FROM {} WHERE substr({column}, 1, {}) <> ",
                table.name,
                header.len()
            ));
            sql.bind(header);
            let count = w.rows(sql).await.scalar().and_then(Value::int).unwrap();
            if count > 0 {
                found.push((format!("{}.{column}", table.name), count));
            }
        }
    }
    found
}

/// Nothing that the database holds opens with the old root, nor with what the
/// old root opened before.
pub async fn assert_old_opens_nothing(w: &World, old: &RootRing, filled: &Filled) {
    let now = RootRing::load(&w.directory.join("root.key")).unwrap();
    assert_eq!(now.versions().len(), 1, "the old root is still in the key file");
    assert_eq!(older_values(w, now.current_version()).await, []);
    let sealed = "SELECT org_id, class, version, wrapped FROM data_keys";
    for row in w.rows(Sql::fixed(sealed, [])).await.iter() {
        let [Value::Int(org_id), Value::Text(class), Value::Int(version), Value::Bytes(wrapped)] =
            row
        else {
            panic!("{row:?}")
        };
        let version = u32::try_from(*version).unwrap();
        let name = DataKeyName { org_id: *org_id, class, version };
        assert!(seal::unwrap(old, &name, wrapped).is_err(), "{name:?}");
        assert!(seal::unwrap(&now, &name, wrapped).is_ok(), "{name:?}");
    }
    let kept = w.rows(Sql::fixed("SELECT root_version, wrapped FROM retired_keys", [])).await;
    assert!(kept.len() >= 5);
    for row in kept.iter() {
        assert_eq!(seal::version_of(row[1].bytes().unwrap()), Ok(now.current_version()));
    }
    // A copy of the key file from before is refused as that.
    let certificate = Db::read_certificate(&w.place, Kind::Sandbox).await.unwrap();
    let refusal = certificate.verify(old).unwrap_err();
    assert!(refusal.sentence.contains("before the root key was rotated"), "{refusal}");
    assert!(Db::read_certificate(&w.place, Kind::Sandbox).await.unwrap().verify(&now).is_ok());
    let file = w.directory.join("files").join(&filled.blob.0[34..]).join(&filled.blob.0);
    let header = std::fs::read(file).unwrap();
    let version = ward_instance::file_seal::file_version(&header[..27]);
    assert_eq!(version, Ok(now.current_version()));
}
