//! A file on its way into the bucket. A small one is one request at its end; a larger one goes in
//! parts, of which one is held in memory. Either way nothing is visible before it is finished.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use ward_store::StoreError;
use ward_store::blobs::BlobWrite;

use crate::s3::failed;

/// Every part but the last: the least that S3 takes.
pub(crate) const PART_BYTES: usize = 5 << 20;

/// A file being written.
pub(crate) struct Upload {
    s3: Arc<AmazonS3>,
    path: Path,
    held: Vec<u8>,
    /// Begun when there is a first whole part; given up when it is dropped.
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    pub(crate) fn new(s3: Arc<AmazonS3>, path: Path) -> Self {
        Upload { s3, path, held: Vec::new(), parts: None }
    }

    async fn send_part(&mut self, part: Vec<u8>) -> Result<(), StoreError> {
        if self.parts.is_none() {
            self.parts = Some(begin(Arc::clone(&self.s3), self.path.clone()).await?);
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        parts.put_part(PutPayload::from(part)).await.map_err(|error| failed(&error))
    }

    async fn finish_all(&mut self) -> Result<(), StoreError> {
        let last = std::mem::take(&mut self.held);
        if self.parts.is_none() {
            let put = self.s3.put(&self.path, PutPayload::from(last)).await;
            return put.map(drop).map_err(|error| failed(&error));
        }
        if !last.is_empty() {
            self.send_part(last).await?;
        }
        if let Some(parts) = &mut self.parts {
            parts.complete().await.map_err(|error| failed(&error))?;
        }
        self.parts = None;
        Ok(())
    }
}

impl BlobWrite for Upload {
    fn write(&mut self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.held.extend_from_slice(&bytes);
            while self.held.len() >= PART_BYTES {
                let rest = self.held.split_off(PART_BYTES);
                let part = std::mem::replace(&mut self.held, rest);
                self.send_part(part).await?;
            }
            Ok(())
        })
    }

    fn finish(mut self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move { self.finish_all().await })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // What a killed process leaves is for the bucket's own rule about unfinished uploads.
        let (Some(parts), Ok(runtime)) = (self.parts.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(give_up(parts));
    }
}

/// Begins an upload in parts. Who stops waiting for the answer leaves nothing: the store may have
/// begun it, and it is given up when the answer comes.
async fn begin(s3: Arc<AmazonS3>, path: Path) -> Result<Box<dyn MultipartUpload>, StoreError> {
    let (told, begun) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let answer = s3.put_multipart(&path).await;
        if let Err(Ok(unwanted)) = told.send(answer) {
            give_up(unwanted).await;
        }
    });
    let gone = || StoreError::Unavailable("the file store: the server stops".to_owned());
    begun.await.map_err(|_| gone())?.map_err(|error| failed(&error))
}

async fn give_up(mut parts: Box<dyn MultipartUpload>) {
    if let Err(error) = parts.abort().await {
        let error = failed(&error);
        tracing::warn!(%error, "an unfinished upload stays in the bucket");
    }
}
