//! A bucket that another copy of the instance may be using: while this one is quarantined it reads
//! there, and neither stores nor removes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ward_store::StoreError;
use ward_store::blobs::{BlobRead, BlobStore, BlobWrite};

/// A store that is written to only while `is_open`.
pub struct Guarded<S> {
    /// The store.
    pub store: S,
    /// Whether it may be changed; shared with whoever ends the quarantine.
    pub is_open: Arc<AtomicBool>,
}

impl<S> Guarded<S> {
    fn check(&self) -> Result<(), StoreError> {
        match self.is_open.load(Ordering::Acquire) {
            true => Ok(()),
            false => Err(StoreError::Unavailable(
                "the instance is quarantined: its files are read and not changed".to_owned(),
            )),
        }
    }
}

impl<S: BlobStore> BlobStore for Guarded<S> {
    fn begin<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobWrite>, StoreError>> {
        match self.check() {
            Ok(()) => self.store.begin(id),
            Err(error) => async { Err(error) }.boxed(),
        }
    }

    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobRead>, StoreError>> {
        self.store.open(id)
    }

    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        match self.check() {
            Ok(()) => self.store.remove(id),
            Err(error) => async { Err(error) }.boxed(),
        }
    }

    fn settled<'a>(
        &'a self,
        part: u8,
        wall: i64,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        match self.check() {
            Ok(()) => self.store.settled(part, wall),
            Err(error) => async { Err(error) }.boxed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_store::BlobDirectory;

    const ID: &str = "00000000-0000-7000-8000-0123456789ab";

    async fn put(store: &dyn BlobStore) -> Result<(), StoreError> {
        let mut writer = store.begin(ID).await?;
        writer.write(b"sealed".to_vec()).await?;
        writer.finish().await
    }

    #[tokio::test]
    async fn a_store_that_is_not_open_is_read_only() {
        let directory = tempfile::tempdir().unwrap();
        let is_open = Arc::new(AtomicBool::new(true));
        let store = BlobDirectory::open(directory.path()).await.unwrap();
        let guarded = Guarded { store, is_open: is_open.clone() };
        put(&guarded).await.unwrap();
        is_open.store(false, Ordering::Release);
        let refused = |error: StoreError| matches!(error, StoreError::Unavailable(_));
        assert!(refused(put(&guarded).await.unwrap_err()));
        assert!(refused(guarded.remove(ID).await.unwrap_err()));
        assert!(refused(guarded.settled(0xab, i64::MAX).await.unwrap_err()));
        let mut reader = guarded.open(ID).await.unwrap();
        assert_eq!(reader.read(100).await.unwrap(), b"sealed");
        is_open.store(true, Ordering::Release);
        guarded.remove(ID).await.unwrap();
    }
}
