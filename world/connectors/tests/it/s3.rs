//! Files in a bucket: what comes back, what lies there, what is cleared away.

use std::ops::Range;
use std::sync::Arc;

use ward_connectors::S3Blobs;
use ward_instance::config::Connectors;
use ward_store::blobs::{self, BlobFacts, BlobStore, Registered, Swept};
use ward_store::keyring::OrgKeys;
use ward_store::{Query, Sql, StoreError, Uuid};
use ward_tests::bucket::{ACCESS_KEY, BUCKET, Bucket, Fault};

use crate::world::World;

pub fn config(bucket: &Bucket, prefix: &str) -> Connectors {
    Connectors {
        s3_endpoint: Some(format!("https://localhost:{}", bucket.port)),
        s3_bucket: Some(BUCKET.to_owned()),
        s3_prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
        s3_access_key: Some(ACCESS_KEY.to_owned()),
        s3_secret_key_file: Some("secret".to_owned()),
        s3_ca: Some("ca.pem".to_owned()),
        ..Connectors::default()
    }
}

/// The store that an instance has in a bucket.
pub fn store(w: &World, bucket: &Bucket, prefix: &str) -> S3Blobs {
    let config = config(bucket, prefix);
    S3Blobs::arm(&w.witness(), &config, bucket.files()).unwrap().unwrap()
}

async fn keys(w: &World) -> Arc<OrgKeys> {
    let mut reader = w.db.read().await.unwrap();
    w.db.keyring().of(&mut reader, w.org_id).await.unwrap()
}

/// Bytes that are easily known again.
pub fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

pub async fn upload(w: &World, store: &dyn BlobStore, bytes: &[u8]) -> Result<Uuid, StoreError> {
    let keys = keys(w).await;
    let mut upload = blobs::begin(store, &w.instance, &keys, 1 << 30).await?;
    for piece in bytes.chunks(100_000) {
        assert!(upload.write(piece).await?);
    }
    let stored = Arc::new(upload.finish(&keys).await?);
    let id = stored.id.clone();
    let registered = w.db.write(move |tx| {
        let stored = Arc::clone(&stored);
        Box::pin(async move {
            let facts = BlobFacts {
                unit_id: 1,
                owner_id: 2,
                purpose: "document".into(),
                file_name: "results.pdf".into(),
                content_type: "application/pdf".into(),
                scan: None,
                cause: String::new(),
            };
            blobs::register(tx, &stored, facts, 1 << 40).await
        })
    });
    assert_eq!(registered.await?, Registered::Done);
    Ok(id)
}

pub async fn read(
    w: &World,
    store: &dyn BlobStore,
    id: &Uuid,
    range: Range<u64>,
) -> Result<Vec<u8>, StoreError> {
    let keys = keys(w).await;
    let mut reader = w.db.read().await?;
    let blob = blobs::find(&mut reader, &keys, id).await?.unwrap();
    drop(reader);
    let mut download = blobs::open(store, &w.instance, &keys, &blob, range).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = download.chunk().await? {
        bytes.extend(chunk);
    }
    Ok(bytes)
}

fn count(bucket: &Bucket, method: &str, part: &str) -> usize {
    let asked = bucket.asked();
    asked.iter().filter(|it| it.method == method && it.target.contains(part)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_every_size_come_back_and_only_sealed_bytes_lie_there() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "practice/files");
    let part = 5 << 20;
    for size in [0, 1, 65_536, part - 9_000, part, 2 * part + 77_777] {
        let bytes = pattern(size);
        let before = count(&bucket, "POST", "uploads");
        let id = upload(&w, &store, &bytes).await.unwrap();
        assert_eq!(read(&w, &store, &id, 0..size as u64).await.unwrap(), bytes, "{size}");
        // Sealing adds to a file, so one of a whole part is larger than a part.
        let in_parts = count(&bucket, "POST", "uploads") - before;
        assert_eq!(in_parts, usize::from(size >= part), "{size}");
        let name = format!("practice/files/{}/{}", &id.0[34..], id.0);
        let objects = bucket.objects();
        let sealed = objects.get(&name).unwrap_or_else(|| panic!("no {name}"));
        assert!(sealed.len() > size, "{size}");
        let looked = &sealed[..sealed.len().min(200_000)];
        assert!(size < 100 || !looked.windows(64).any(|part| part == &bytes[..64]), "{size}");
    }
    assert_eq!((bucket.unsigned(), bucket.unfinished(), bucket.objects().len()), (0, 0, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_far_into_a_file_is_asked_for_alone() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    let bytes = pattern(12 << 20);
    let id = upload(&w, &store, &bytes).await.unwrap();
    let (first, last) = (9 << 20, (9 << 20) + 65_536);
    let before = count(&bucket, "GET", &id.0);
    let got = read(&w, &store, &id, first as u64..last as u64).await.unwrap();
    assert_eq!(got, bytes[first..last]);
    assert_eq!(count(&bucket, "GET", &id.0) - before, 2);
    // Another file takes the name in between: what is read is never a mixture.
    let name = format!("{}/{}", &id.0[34..], id.0);
    let mut reader = store.open(&id.0).await.unwrap();
    drop(reader.read(100).await.unwrap());
    bucket.put(&name, &pattern(12 << 20));
    let error = reader.seek(8 << 20).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    let keys = keys(&w).await;
    let mut upload = blobs::begin(&store, &w.instance, &keys, 1 << 30).await.unwrap();
    assert!(upload.write(&pattern(6 << 20)).await.unwrap());
    assert_eq!(bucket.unfinished(), 1);
    drop(upload);
    tokio::task::spawn_blocking(move || {
        ward_tests::until("the upload is given up", || (bucket.unfinished() == 0).then_some(()));
        assert!(bucket.objects().is_empty());
    })
    .await
    .unwrap();
}

/// Nor one that is dropped while the store begins it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_dropped_at_its_beginning_leaves_nothing() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    let keys = keys(&w).await;
    let instance = w.instance.clone();
    bucket.misbehave(Fault::SlowBegin);
    let task = tokio::spawn(async move {
        let mut upload = blobs::begin(&store, &instance, &keys, 1 << 30).await.unwrap();
        upload.write(&pattern(6 << 20)).await
    });
    tokio::task::spawn_blocking(move || {
        ward_tests::until("the upload is begun", || (bucket.unfinished() == 1).then_some(()));
        task.abort();
        ward_tests::until("nobody waits", || task.is_finished().then_some(()));
        bucket.misbehave(Fault::None);
        ward_tests::until("the upload is given up", || (bucket.unfinished() == 0).then_some(()));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_and_what_no_row_tells_of_is_cleared_away() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store: Arc<dyn BlobStore> = Arc::new(store(&w, &bucket, "files"));
    let (kept, gone) = (
        upload(&w, &*store, &pattern(10)).await.unwrap(),
        upload(&w, &*store, &pattern(10)).await.unwrap(),
    );
    let deleted =
        Sql::fixed("UPDATE blobs SET deleted_at = 5 WHERE id = $1", [gone.0.as_str().into()]);
    w.db.write(move |tx| {
        let deleted = deleted.clone();
        Box::pin(async move { tx.execute(&deleted).await })
    })
    .await
    .unwrap();
    let swept = blobs::sweep(&w.db, &store).await.unwrap();
    assert_eq!(swept, Swept { orphans: 0, deleted: 1 });
    assert_eq!(
        bucket.objects().keys().collect::<Vec<_>>(),
        [&format!("files/{}/{}", &kept.0[34..], kept.0)]
    );
    assert_eq!(count(&bucket, "GET", "list-type=2"), 256);
    // A part is listed once a day; a listing has pages.
    let again = blobs::sweep(&w.db, &store).await.unwrap();
    assert_eq!((again, count(&bucket, "GET", "list-type=2")), (Swept::default(), 256));
    bucket.set_page(2);
    let part = "0123456789ab";
    let ids: Vec<String> = (0..5).map(|n| format!("00000000-0000-7000-800{n}-{part}")).collect();
    for id in &ids {
        bucket.put(&format!("files/ab/{id}"), b"sealed");
    }
    bucket.put("files/ab/notes.txt", b"somebody's");
    bucket.put("elsewhere/ab/00000000-0000-7000-8009-0123456789ab", b"another's");
    let wall = w.instance.clock().wall().0;
    let day = 24 * 3_600 * 1_000_000;
    assert_eq!(store.settled(0xab, wall + day - 60_000_000).await.unwrap(), Vec::<String>::new());
    let settled = self::store(&w, &bucket, "files").settled(0xab, wall + day + 60_000_000).await;
    assert_eq!(settled.unwrap(), ids);
    for id in &ids {
        store.remove(id).await.unwrap();
        store.remove(id).await.unwrap();
    }
    assert_eq!(bucket.objects().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_to_be_armed() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let arm = |config: &Connectors| S3Blobs::arm(&w.witness(), config, bucket.files());
    assert!(arm(&Connectors::default()).unwrap().is_none());
    let right = config(&bucket, "");
    for (wrong, sentence) in [
        (Connectors { s3_endpoint: Some("http://localhost".into()), ..right.clone() }, "https://"),
        (
            Connectors { s3_endpoint: Some("https://localhost/x".into()), ..right.clone() },
            "without a path",
        ),
        (
            Connectors { s3_endpoint: Some("https://key:word@localhost".into()), ..right.clone() },
            "without a user name",
        ),
        (Connectors { s3_bucket: Some("a/b".into()), ..right.clone() }, "s3_bucket"),
        (Connectors { s3_prefix: Some("a/../b".into()), ..right.clone() }, "s3_prefix"),
        (Connectors { s3_secret_key_file: Some("none".into()), ..right.clone() }, "cannot read"),
        (Connectors { s3_secret_key_file: Some("ca.pem".into()), ..right.clone() }, "chmod 600"),
        (Connectors { s3_ca: Some("secret".into()), ..right.clone() }, "PEM"),
    ] {
        let refused = arm(&wrong).err().unwrap().to_string();
        assert!(refused.contains(sentence), "{refused}");
    }
    assert!(bucket.asked().is_empty());
}
