//! Whose bucket it is.

use ward_connectors::Holding;
use ward_store::StoreError;
use ward_tests::bucket::Bucket;

use crate::s3::store;
use crate::world::World;

fn foreign<T: std::fmt::Debug>(outcome: Result<T, StoreError>, what: &str) {
    match outcome.unwrap_err() {
        StoreError::Foreign(error) => {
            let text = error.to_string();
            assert!(text.starts_with("E-ISO-02") && text.contains(what), "{text}");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_one_instances_at_one_place() {
    let (one, two, bucket) = (World::new().await, World::new().await, Bucket::start());
    let (of_one, of_two) = (store(&one, &bucket, ""), store(&two, &bucket, ""));
    assert_eq!(of_one.holding(&one.instance, "here").await.unwrap(), Holding::Nobodys);
    of_one.claim(&one.instance, "here", true).await.unwrap();
    assert_eq!(of_one.holding(&one.instance, "here").await.unwrap(), Holding::Own);
    assert_eq!(
        of_one.holding(&one.instance, "there").await.unwrap(),
        Holding::Elsewhere { whole: true }
    );
    let tag = one.instance.tag().to_string();
    foreign(of_two.holding(&two.instance, "here").await, &tag);
    foreign(of_two.claim(&two.instance, "here", true).await, &tag);
    foreign(of_one.claim(&one.instance, "there", true).await, "another copy");
    of_one.take(&one.instance, "there", false).await.unwrap();
    assert_eq!(of_one.holding(&one.instance, "there").await.unwrap(), Holding::Unfinished);
    assert_eq!(
        of_one.holding(&one.instance, "here").await.unwrap(),
        Holding::Elsewhere { whole: false }
    );
    let marker = &bucket.objects()["ward-instance.json"];
    let marker = String::from_utf8_lossy(marker).into_owned();
    assert!(marker.contains("\"kind\":\"production\"") && marker.contains(&tag), "{marker}");
}

/// What a marker says is told only as far as Ward itself could have written it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_markers_text_is_not_repeated() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    for (kind, tag) in [("production", "A\u{1b}[2J"), ("run this", "K7QF2"), ("sandbox", "")] {
        let marker = serde_json::json!({
            "kind": kind, "instance": "another", "tag": tag, "place": "here", "whole": true,
        });
        bucket.put("ward-instance.json", marker.to_string().as_bytes());
        foreign(store.holding(&w.instance, "here").await, "belongs to another instance");
    }
}

/// Two could take it at once: nobody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_conditions_is_not_taken() {
    let (w, bucket) = (World::new().await, Bucket::start());
    let store = store(&w, &bucket, "");
    bucket.misbehave(ward_tests::bucket::Fault::Unconditional);
    for _ in 0..2 {
        match store.claim(&w.instance, "here", true).await.unwrap_err() {
            StoreError::Unavailable(text) => assert!(text.contains("If-None-Match"), "{text}"),
            other => panic!("{other}"),
        }
        assert!(bucket.objects().is_empty());
    }
    bucket.misbehave(ward_tests::bucket::Fault::None);
    store.claim(&w.instance, "here", true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefix_is_as_good_as_a_bucket() {
    let (one, two, bucket) = (World::new().await, World::new().await, Bucket::start());
    let (of_one, of_two) = (store(&one, &bucket, "one"), store(&two, &bucket, "two"));
    of_one.claim(&one.instance, "here", true).await.unwrap();
    of_two.claim(&two.instance, "here", true).await.unwrap();
    assert_eq!(of_two.holding(&two.instance, "here").await.unwrap(), Holding::Own);
    let whole = World::new().await;
    foreign(store(&whole, &bucket, "").holding(&whole.instance, "here").await, "does not say");
    // A prefix that begins like another one is another one.
    let like = store(&whole, &bucket, "on").holding(&whole.instance, "here").await;
    assert_eq!(like.unwrap(), Holding::Nobodys);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_has_marked_is_nobodys_to_take() {
    let (w, bucket) = (World::new().await, Bucket::start());
    bucket.put("letters/2024.txt", b"somebody's");
    let store = store(&w, &bucket, "");
    foreign(store.holding(&w.instance, "here").await, "does not say");
    bucket.remove("letters/2024.txt");
    for text in ["{}", "not json", &"x".repeat(1 << 20)] {
        bucket.put("ward-instance.json", text.as_bytes());
        foreign(store.holding(&w.instance, "here").await, "not to be read");
    }
}
