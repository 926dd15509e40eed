//! A fork's stored files: what it stores is its own, what it was made with lies behind.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_store::StoreError;
use ward_store::blobs::{BlobRead, BlobStore, BlobWrite};

/// Two stores, of which only the upper one is changed.
pub struct Layered {
    /// Its own.
    pub own: Arc<dyn BlobStore>,
    /// The Sandbox's.
    pub under: Arc<dyn BlobStore>,
}

impl BlobStore for Layered {
    fn begin<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobWrite>, StoreError>> {
        self.own.begin(id)
    }

    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobRead>, StoreError>> {
        Box::pin(async move {
            match self.own.open(id).await {
                Ok(file) => Ok(file),
                Err(_) => self.under.open(id).await,
            }
        })
    }

    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.own.remove(id)
    }

    fn settled<'a>(
        &'a self,
        part: u8,
        wall: i64,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.own.settled(part, wall)
    }
}
