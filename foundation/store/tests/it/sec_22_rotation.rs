//! SEC-22: the root is rotated while the instance works; afterwards the old
//! one opens nothing, whatever happened in between.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::FutureExt;
use ward_instance::seal::{self, DataKeyName};
use ward_instance::{Clock, Instance, Kind, Ledger, Random, RootRing};
use ward_store::blobs::{self, BlobFacts, BlobStore, Registered};
use ward_store::chain_heads::write_heads;
use ward_store::events;
use ward_store::idempotency::{self, Outcome, RequestKey};
use ward_store::rotation::{End, Hooks, Phase, Progress, Rotation};
use ward_store::verify::{Verdict, verify};
use ward_store::{BlobDirectory, Db, Engine, Event, Id, Sql, StoreError, Uuid, Value};

use crate::services_tables::{Person, member, person};
use crate::support::{self, World};

const PEOPLE: i64 = 60;
const FEW: i64 = 3;
const KEY: &str = "repeated";

/// Everything that is kept under a root, and where it is.
#[derive(Clone)]
struct Filled {
    org: i64,
    blob: Uuid,
    bytes: Vec<u8>,
}

async fn found(w: &World, org: i64, n: i64) -> Result<Option<Person>, StoreError> {
    w.act(&member(org), move |mut scope| {
        async move { scope.find(Id::<Person>::new(org + n)).await }.boxed()
    })
    .await
}

async fn blob_store(w: &World) -> BlobDirectory {
    BlobDirectory::open(w.directory.join("files")).await.unwrap()
}

async fn create(w: &World, org: i64, n: i64) -> Result<(), StoreError> {
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

async fn upload(w: &World, store: &dyn BlobStore, org: i64, bytes: &[u8]) -> Uuid {
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
            };
            blobs::register(tx, &stored, facts, 1 << 30).await
        }
        .boxed()
    });
    assert_eq!(registered.await.unwrap(), Registered::Done);
    id
}

async fn download(
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

async fn request(w: &World, org: i64, key: &'static str) -> Outcome {
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

async fn fill(w: &World, people: i64) -> Filled {
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

async fn rotation(w: &World) -> Rotation {
    rotation_with(w, Arc::new(blob_store(w).await))
}

fn rotation_with(w: &World, blobs: Arc<dyn BlobStore>) -> Rotation {
    Rotation {
        db: w.db.clone(),
        key_file: w.directory.join("root.key"),
        heads_file: w.directory.join("chain.heads"),
        blobs,
        hooks: Hooks::default(),
        leave_damaged: false,
    }
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The instance as a new process finds it.
async fn reopened(w: &World) -> World {
    let ring = Arc::new(RootRing::load(&w.directory.join("root.key")).unwrap());
    let certificate = Db::read_certificate(&w.place, Kind::Sandbox).await.unwrap();
    let ledger = Ledger::in_memory(&ring, 7, Clock::system().now());
    let instance = Instance::assemble(
        Arc::clone(&ring),
        &certificate,
        ledger,
        Clock::system(),
        Random::os(),
    );
    let instance = instance.unwrap();
    let db = Db::open(w.place.clone(), Arc::clone(&instance), support::tables()).await.unwrap();
    World { db, instance, ring, ..w.clone() }
}

/// Every value is served as it was written.
async fn assert_readable(w: &World, filled: &Filled, people: i64) {
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
async fn older_values(w: &World, version: u32) -> Vec<(String, i64)> {
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
async fn assert_old_opens_nothing(w: &World, old: &RootRing, filled: &Filled) {
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

async fn sec_22_everything_comes_under_the_new_root(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let old = Arc::clone(&w.ring);
    assert_eq!(older_values(&w, 1).await, []);
    // Twice, so that what stays of the first root is wrapped a second time.
    for version in [2, 3] {
        let before = w.instance.ring();
        let end = rotation(&w).await.run(&go_on).await.unwrap();
        let End::Done(progress) = end else { panic!("{end:?}") };
        assert_eq!((progress.from.as_slice(), progress.to), (&[version - 1][..], version));
        assert!(progress.changed as i64 > PEOPLE, "{progress:?}");
        assert_readable(&w, &filled, PEOPLE).await;
        assert_old_opens_nothing(&w, &before, &filled).await;
        let again = reopened(&w).await;
        assert_readable(&again, &filled, PEOPLE).await;
        again.db.shutdown().await;
    }
    assert_old_opens_nothing(&w, &old, &filled).await;
    // What was written says so in the audit log of the instance.
    let acts = "SELECT COUNT(*) FROM audit_events WHERE org_id = 0 AND event_type = 'ADMIN'";
    assert_eq!(w.number(acts).await, 4);
}

both!(sec_22_everything_comes_under_the_new_root);

/// Who has the old root and a copy of the database from then knows its data
/// keys: what they seal with them is not taken.
async fn sec_22_old_data_keys_open_audit_entries_only(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    let sql = "SELECT note FROM persons ORDER BY id LIMIT 1";
    let before = w.rows(Sql::fixed(sql, [])).await.scalar().unwrap().bytes().unwrap().to_vec();
    assert!(matches!(rotation(&w).await.run(&go_on).await.unwrap(), End::Done(_)));
    let put = Sql::fixed(
        "UPDATE persons SET note = $1 WHERE org_id = $2 AND id = $3",
        [before.into(), org.into(), (org + 10).into()],
    );
    w.execute(put).await.unwrap();
    let error = found(&w, org, 10).await.unwrap_err().to_string();
    assert!(error.contains("sealed under key version 1"), "{error}");
}

both!(sec_22_old_data_keys_open_audit_entries_only);

/// Cut off at each step in turn; a new process goes on.
async fn cut_off_everywhere(engine: Engine) {
    let mut steps = 0;
    loop {
        let finished = Arc::new(AtomicBool::new(false));
        let ran = Arc::new(AtomicBool::new(false));
        let (told, began) = (Arc::clone(&finished), Arc::clone(&ran));
        support::run(engine, Kind::Sandbox, move |w| async move {
            began.store(true, Ordering::SeqCst);
            told.store(cut_off_after(&w, steps).await, Ordering::SeqCst);
        })
        .await;
        if finished.load(Ordering::SeqCst) || !ran.load(Ordering::SeqCst) {
            break;
        }
        steps += 1;
    }
    println!("SEC-22: cut off at {steps} places on {engine:?}");
    assert!(steps == 0 || steps > 15, "only {steps} places");
}

/// Whether the rotation was finished before that many steps.
async fn cut_off_after(w: &World, steps: usize) -> bool {
    let filled = fill(w, FEW).await;
    let old = Arc::clone(&w.ring);
    let taken = AtomicUsize::new(0);
    let watch = |_: &Progress| match taken.fetch_add(1, Ordering::SeqCst) < steps {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    if let End::Done(_) = rotation(w).await.run(&watch).await.unwrap() {
        return true;
    }
    // As after SIGKILL: what was begun is left as it is.
    let again = reopened(w).await;
    create(&again, filled.org, 10 + FEW).await.unwrap();
    assert_readable(&again, &filled, FEW + 1).await;
    let under_way = Rotation::is_under_way(&again.db);
    assert_eq!(under_way, steps > 0, "after {steps} steps");
    let end = rotation(&again).await.run(&go_on).await.unwrap();
    assert!(matches!(end, End::Done(_)), "after {steps} steps: {end:?}");
    assert_readable(&again, &filled, FEW + 1).await;
    assert_old_opens_nothing(&again, &old, &filled).await;
    again.db.shutdown().await;
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_22_cut_off_at_every_step_sqlite() {
    cut_off_everywhere(Engine::Lite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_22_cut_off_at_every_step_postgres() {
    cut_off_everywhere(Engine::Pg).await;
}

/// Eight writers, uploads and readers all the while: what was acknowledged is
/// there, and under the new root.
async fn sec_22_rotates_under_load(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    let old = Arc::clone(&w.ring);
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    let store = Arc::new(blob_store(&w).await);
    for writer in 0..8_i64 {
        let (w, stop) = (w.clone(), Arc::clone(&stop));
        writers.spawn(async move {
            let mut done = Vec::new();
            for number in 0..90 {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let n = 100 + writer * 100 + number;
                create(&w, org, n).await.unwrap();
                done.push(n);
                // What was just written, and what was there before, are read.
                for n in [n, 10 + number % PEOPLE] {
                    let read = found(&w, org, n).await.unwrap().unwrap();
                    assert_eq!(read.note, Some(format!("note {n}")));
                }
            }
            done
        });
    }
    let uploads = {
        let (w, stop, filled) = (w.clone(), Arc::clone(&stop), filled.clone());
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut done = Vec::new();
            while !stop.load(Ordering::SeqCst) && done.len() < 40 {
                done.push(upload(&w, &*store, org, &filled.bytes).await);
                let bytes = download(&w, &*store, org, &filled.blob).await.unwrap();
                assert_eq!(bytes, filled.bytes);
            }
            done
        })
    };
    let mut rotations = 0;
    while rotations < 3 {
        let blobs: Arc<dyn BlobStore> = Arc::clone(&store) as Arc<dyn BlobStore>;
        let rotation = rotation_with(&w, blobs);
        let end = rotation.run(&go_on).await.unwrap();
        assert!(matches!(end, End::Done(_)), "{end:?}");
        rotations += 1;
    }
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    while let Some(done) = writers.join_next().await {
        acknowledged.extend(done.unwrap());
    }
    let uploads = uploads.await.unwrap();
    assert!(acknowledged.len() > 8, "hardly anything was written");
    println!(
        "SEC-22: {:?}: {} rows and {} files acknowledged during {rotations} rotations",
        w.db.engine(),
        acknowledged.len(),
        uploads.len()
    );
    let again = reopened(&w).await;
    assert_readable(&again, &filled, PEOPLE).await;
    for n in acknowledged {
        let read = found(&again, org, n).await.unwrap().unwrap();
        assert_eq!(read.ssn, Some(format!("ssn {n}")));
    }
    for id in uploads {
        assert_eq!(download(&again, &*store, org, &id).await.unwrap(), filled.bytes);
    }
    assert_old_opens_nothing(&again, &old, &filled).await;
    again.db.shutdown().await;
}

both!(sec_22_rotates_under_load);

/// Values that somebody damaged are named, and the old root stays until it is
/// said that they may be left.
async fn sec_22_damaged_values_are_named(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    w.tamper(&format!(
        "UPDATE persons SET note = (SELECT note FROM persons WHERE id = {}) WHERE id = {}",
        org + 11,
        org + 10,
    ))
    .await;
    w.tamper(&format!("UPDATE events SET resource_id = 7 WHERE resource_id = {}", org + 12)).await;
    let end = rotation(&w).await.run(&go_on).await.unwrap();
    let End::Damaged(progress) = end else { panic!("{end:?}") };
    let named: Vec<String> = progress.damaged.iter().map(ToString::to_string).collect();
    assert!(named.contains(&format!("persons.note of row {}", org + 10)), "{named:?}");
    assert!(named.iter().any(|it| it.starts_with("events.row_mac of row ")), "{named:?}");
    assert_eq!(named.len(), 2);
    assert!(Rotation::is_under_way(&w.db));
    assert_eq!(RootRing::load(&w.directory.join("root.key")).unwrap().versions(), [1, 2]);
    let rotation = Rotation { leave_damaged: true, ..rotation(&w).await };
    let end = rotation.run(&go_on).await.unwrap();
    assert!(matches!(end, End::Done(_)), "{end:?}");
    assert_eq!(RootRing::load(&w.directory.join("root.key")).unwrap().versions(), [2]);
}

both!(sec_22_damaged_values_are_named);

/// The audit log is proved across the rotation, and an entry that somebody
/// makes with the old root is found.
async fn sec_22_the_old_root_writes_no_audit_entries(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    assert!(matches!(rotation(&w).await.run(&go_on).await.unwrap(), End::Done(_)));
    create(&w, org, 10 + PEOPLE).await.unwrap();
    w.sequence().await;
    // A link of an old entry, which verifies by itself, stands after a new one.
    w.tamper(&format!(
        "UPDATE audit_events SET chain = (SELECT o.chain FROM audit_events o WHERE o.org_id = {org} AND o.seq = 1) \
         WHERE org_id = {org} AND seq = {}",
        PEOPLE + 1
    ))
    .await;
    let verdict = verify(&w.db, None).await.unwrap();
    let Verdict::Broken(bad) = verdict else { panic!("{verdict:?}") };
    assert_eq!((bad.org_id, bad.seq), (org, Some(PEOPLE + 1)));
}

both!(sec_22_the_old_root_writes_no_audit_entries);

/// The phases are told in their order.
async fn sec_22_progress_is_told(w: World) {
    fill(&w, PEOPLE).await;
    let told = std::sync::Mutex::new(Vec::new());
    let watch = |progress: &Progress| {
        let mut told = told.lock().unwrap();
        if told.last() != Some(&progress.phase) {
            told.push(progress.phase);
        }
        ControlFlow::Continue(())
    };
    assert!(matches!(rotation(&w).await.run(&watch).await.unwrap(), End::Done(_)));
    assert_eq!(told.into_inner().unwrap(), Phase::ALL);
}

both!(sec_22_progress_is_told);
