//! A bucket that is slow, broken, full of errors or not there.

use ward_connectors::S3Blobs;
use ward_instance::config::Connectors;
use ward_store::StoreError;
use ward_store::blobs::BlobStore;
use ward_tests::bucket::{Bucket, Fault};

use crate::s3::{config, pattern, read, store, upload};
use crate::world::World;

const ID: &str = "00000000-0000-7000-8000-0123456789ab";

/// Stores one small object.
async fn put(store: &dyn BlobStore) -> Result<(), StoreError> {
    let mut writer = store.begin(ID).await?;
    writer.write(b"sealed".to_vec()).await?;
    writer.finish().await
}

fn unavailable(outcome: Result<(), StoreError>, why: &str) {
    match outcome.unwrap_err() {
        StoreError::Unavailable(text) => {
            assert_eq!(text, format!("the file store: {why}"));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_that_pass_are_waited_out() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    for status in [500, 503, 429] {
        bucket.misbehave(Fault::Times(status, 2));
        put(&store).await.unwrap();
        bucket.misbehave(Fault::Times(status, 2));
        let read = store.open(ID).await.unwrap().read(100).await.unwrap();
        assert_eq!(read, b"sealed", "{status}");
        bucket.misbehave(Fault::Times(status, 2));
        store.remove(ID).await.unwrap();
        assert!(bucket.objects().is_empty(), "{status}");
    }
    // In the middle of a file too: it goes on where it was.
    let bytes = pattern(3 << 20);
    let id = upload(&w, &store, &bytes).await.unwrap();
    bucket.misbehave(Fault::CutFile);
    assert_eq!(read(&w, &store, &id, 0..bytes.len() as u64).await.unwrap(), bytes);
    // In one part of many.
    bucket.misbehave(Fault::Times(503, 1));
    let bytes = pattern(11 << 20);
    let id = upload(&w, &store, &bytes).await.unwrap();
    assert_eq!(read(&w, &store, &id, 0..bytes.len() as u64).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_that_stay_are_told_after_a_few_tries() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    for (fault, why, tries) in [
        (Fault::Status(500), "it answered 500", 4),
        (Fault::Status(503), "it answered 503", 4),
        (Fault::Status(403), "it refuses the key", 1),
        (Fault::Status(404), "it has no such bucket or object", 1),
        (Fault::Status(418), "it answered 418", 1),
    ] {
        bucket.misbehave(fault);
        let before = bucket.asked().len();
        unavailable(put(&store).await, why);
        assert_eq!(bucket.asked().len() - before, tries, "{fault:?}");
    }
    bucket.misbehave(Fault::Cut);
    let before = bucket.asked().len();
    unavailable(put(&store).await, "it is not reached");
    assert!(bucket.asked().len() - before >= 4, "{:?}", bucket.asked());
    bucket.misbehave(Fault::Nonsense);
    assert!(matches!(
        store.holding(&w.instance, "here").await,
        Err(StoreError::Unavailable(_) | StoreError::Foreign(_))
    ));
    bucket.misbehave(Fault::None);
    assert!(bucket.objects().is_empty());
    let missing = store.open(ID).await.err().unwrap();
    assert!(matches!(missing, StoreError::Corrupt { table: "blobs", .. }), "{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_or_certificate_is_told_and_nothing_is_said_to_it() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let armed =
        |config: &Connectors| S3Blobs::arm(&w.witness(), config, bucket.files()).unwrap().unwrap();
    let stranger = Connectors { s3_access_key: Some("AKIDOTHER".into()), ..config(&bucket, "") };
    unavailable(put(&armed(&stranger)).await, "it refuses the key");
    let before = bucket.asked().len();
    let untrusted = Connectors { s3_ca: None, ..config(&bucket, "") };
    unavailable(put(&armed(&untrusted)).await, "it is not reached");
    let renamed = Connectors {
        s3_endpoint: Some(format!("https://127.0.0.1:{}", bucket.port)),
        ..config(&bucket, "")
    };
    unavailable(put(&armed(&renamed)).await, "it is not reached");
    assert_eq!(bucket.asked().len(), before);
}

/// Time is stopped once the request has arrived; what waits then is waited for to its end at once.
#[tokio::test]
async fn one_that_hangs_is_not_waited_for_for_ever() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    bucket.misbehave(Fault::Hang);
    let task = tokio::spawn(async move { put(&store).await });
    while bucket.asked().is_empty() {
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await; // allow-sleep: lets the request arrive
    }
    tokio::time::pause();
    assert!(matches!(task.await.unwrap(), Err(StoreError::Unavailable(_))));
    assert!(bucket.objects().is_empty());
    bucket.misbehave(Fault::None);
}
