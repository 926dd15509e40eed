//! Stored files: round trip, tampering, quota, sweep.

use std::sync::Arc;

use futures_util::FutureExt;
use ward_store::blobs::{self, BlobFacts, BlobStore, Registered, Stored};
use ward_store::keyring::OrgKeys;
use ward_store::{BlobDirectory, StoreError, Uuid};

use crate::support::World;

async fn keys(w: &World, org: i64) -> Arc<OrgKeys> {
    let mut reader = w.db.read().await.unwrap();
    w.db.keyring().of(&mut reader, org).await.unwrap()
}

async fn upload(w: &World, store: &dyn BlobStore, keys: &OrgKeys, bytes: &[u8]) -> Stored {
    let mut upload = blobs::begin(store, &w.instance, keys, 1 << 20).await.unwrap();
    for piece in bytes.chunks(10_000) {
        assert!(upload.write(piece).await.unwrap());
    }
    upload.finish(keys).await.unwrap()
}

async fn register(w: &World, stored: Stored, quota: i64) -> Registered {
    let stored = Arc::new(stored);
    w.db.write(move |tx| {
        let stored = Arc::clone(&stored);
        async move {
            let facts = BlobFacts {
                unit_id: 1,
                owner_id: 2,
                purpose: "document".into(),
                file_name: "Ada's results.pdf".into(),
                content_type: "application/pdf".into(),
                scan: None,
                cause: String::new(),
            };
            blobs::register(tx, &stored, facts, quota).await
        }
        .boxed()
    })
    .await
    .unwrap()
}

async fn read(
    w: &World,
    store: &dyn BlobStore,
    keys: &OrgKeys,
    id: &ward_store::Uuid,
    range: std::ops::Range<u64>,
) -> Result<Vec<u8>, StoreError> {
    let mut reader = w.db.read().await?;
    let blob = blobs::find(&mut reader, keys, id).await?.unwrap();
    assert_eq!(blob.file_name, "Ada's results.pdf");
    let mut download = blobs::open(store, &w.instance, keys, &blob, range).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = download.chunk().await? {
        bytes.extend(chunk);
    }
    Ok(bytes)
}

fn file_of(w: &World, id: &str) -> std::path::PathBuf {
    w.directory.join("files").join(&id[34..]).join(id)
}

/// Every size around a chunk's, whole and in part.
async fn files_come_back(w: World) {
    let org = w.organization(1).await;
    let store = BlobDirectory::open(w.directory.join("files")).await.unwrap();
    let keys = keys(&w, org).await;
    for size in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let bytes: Vec<u8> = (0..size).map(|n: usize| (n % 251) as u8).collect();
        let stored = upload(&w, &store, &keys, &bytes).await;
        let id = stored.id.clone();
        assert_eq!(register(&w, stored, 1 << 30).await, Registered::Done);
        assert_eq!(read(&w, &store, &keys, &id, 0..size as u64).await.unwrap(), bytes, "{size}");
        let sealed = std::fs::read(file_of(&w, &id.0)).unwrap();
        assert!(size < 100 || !sealed.windows(64).any(|part| part == &bytes[..64]));
    }
    let bytes: Vec<u8> = (0..200_000_usize).map(|n| (n % 251) as u8).collect();
    let stored = upload(&w, &store, &keys, &bytes).await;
    let id = stored.id.clone();
    register(&w, stored, 1 << 30).await;
    let part = read(&w, &store, &keys, &id, 70_000..140_000).await.unwrap();
    assert_eq!(part, bytes[65_536..3 * 65_536]);
}

both!(files_come_back);

async fn move_to(w: &World, org_id: i64, id: &Uuid, unit_id: i64) -> bool {
    let id = id.clone();
    let moved = w.db.write(move |tx| {
        let id = id.clone();
        async move { blobs::move_to_unit(tx, org_id, &id, unit_id).await }.boxed()
    });
    moved.await.unwrap()
}

/// A file is of another unit from then on; what is another organization's stays where it is.
async fn files_change_their_unit(w: World) {
    let org = w.organization(1).await;
    let store = BlobDirectory::open(w.directory.join("files")).await.unwrap();
    let keys = keys(&w, org).await;
    let stored = upload(&w, &store, &keys, b"results").await;
    let id = stored.id.clone();
    assert_eq!(register(&w, stored, 1 << 30).await, Registered::Done);
    assert!(move_to(&w, org, &id, 7).await);
    assert!(!move_to(&w, org + 1, &id, 8).await);
    let mut reader = w.db.read().await.unwrap();
    let blob = blobs::find(&mut reader, &keys, &id).await.unwrap().unwrap();
    assert_eq!((blob.unit_id, blob.owner_id), (7, 2));
}

both!(files_change_their_unit);

/// A changed, cut or swapped file does not open.
async fn tampering_is_refused(w: World) {
    let org = w.organization(1).await;
    let store = BlobDirectory::open(w.directory.join("files")).await.unwrap();
    let keys = keys(&w, org).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let stored = upload(&w, &store, &keys, &vec![7; 150_000]).await;
        ids.push(stored.id.clone());
        register(&w, stored, 1 << 30).await;
    }
    let (one, two) = (file_of(&w, &ids[0].0), file_of(&w, &ids[1].0));
    let whole = std::fs::read(&one).unwrap();
    let mut flipped = whole.clone();
    flipped[100_000] ^= 1;
    let short = whole[..whole.len() - 1].to_vec();
    let other = std::fs::read(&two).unwrap();
    for bad in [flipped, short, whole[..27 + 65_552].to_vec(), other] {
        std::fs::write(&one, bad).unwrap();
        let error = read(&w, &store, &keys, &ids[0], 0..150_000).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { table: "blobs", .. }), "{error}");
    }
    std::fs::write(&one, whole).unwrap();
    assert!(read(&w, &store, &keys, &ids[0], 0..150_000).await.is_ok());
}

both!(tampering_is_refused);

/// An organization's quota, a file's limit, and what the sweep removes.
async fn quota_limit_and_sweep(w: World) {
    let org = w.organization(1).await;
    let directory = w.directory.join("files");
    let store = BlobDirectory::open(&directory).await.unwrap();
    let keys = keys(&w, org).await;
    let first = upload(&w, &store, &keys, &[1; 600]).await;
    let id = first.id.clone();
    assert_eq!(register(&w, first, 1_000).await, Registered::Done);
    let second = upload(&w, &store, &keys, &[1; 600]).await;
    let orphan = file_of(&w, &second.id.0);
    assert_eq!(register(&w, second, 1_000).await, Registered::OverQuota { used: 600 });
    let mut large = blobs::begin(&store, &w.instance, &keys, 100).await.unwrap();
    assert!(!large.write(&[0; 101]).await.unwrap());
    drop(large);
    assert_eq!(std::fs::read_dir(directory.join("incoming")).unwrap().count(), 0);
    let gone = id.clone();
    assert!(
        w.db.write(move |tx| {
            let id = gone.clone();
            async move { blobs::delete(tx, org, &id).await }.boxed()
        })
        .await
        .unwrap()
    );
    let store: Arc<dyn BlobStore> = Arc::new(store);
    let nothing = blobs::sweep(&w.db, &store).await.unwrap();
    assert_eq!(nothing, blobs::Swept::default());
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(90_000);
    std::fs::File::open(&orphan).unwrap().set_modified(yesterday).unwrap();
    w.execute(ward_store::Sql::fixed("UPDATE blobs SET deleted_at = 5", [])).await.unwrap();
    let swept = blobs::sweep(&w.db, &store).await.unwrap();
    assert_eq!(swept, blobs::Swept { orphans: 1, deleted: 1 });
    assert!(!orphan.exists() && !file_of(&w, &id.0).exists());
}

both!(quota_limit_and_sweep);

/// A node that starts leaves what another one writes, and removes what a killed one left a day ago.
async fn a_start_beside_other_nodes(w: World) {
    let org = w.organization(1).await;
    let directory = w.directory.join("files");
    let store = BlobDirectory::open(&directory).await.unwrap();
    let keys = keys(&w, org).await;
    let mut writing = blobs::begin(&store, &w.instance, &keys, 1_000).await.unwrap();
    assert!(writing.write(&[7; 500]).await.unwrap());
    let leave = |name: &str| {
        let left = directory.join("incoming").join(name);
        std::fs::write(&left, "half").unwrap();
        let before = std::time::SystemTime::now() - std::time::Duration::from_secs(90_000);
        std::fs::File::options().write(true).open(&left).unwrap().set_modified(before).unwrap();
        left
    };
    let left = leave("one");
    let wall = w.instance.clock().wall().0;
    let other = BlobDirectory::open_shared(&directory, wall).await.unwrap();
    assert!(!left.exists(), "what a killed process left stays");
    let stored = writing.finish(&keys).await.unwrap();
    let file = file_of(&w, &stored.id.0);
    assert_eq!(register(&w, stored, 1 << 20).await, Registered::Done);
    assert!(file.exists(), "what another node wrote is gone");
    // By one that runs on, too.
    let left = leave("two");
    let other: Arc<dyn BlobStore> = Arc::new(other);
    blobs::sweep(&w.db, &other).await.unwrap();
    assert!(!left.exists() && file.exists());
}

both!(a_start_beside_other_nodes);
