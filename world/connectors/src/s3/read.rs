//! A file on its way out of the bucket: one request, whose answer is read as it is wanted. A
//! connection that breaks is taken up where it was, if the object is still the same.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use hyper::body::Bytes;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore};
use ward_store::StoreError;
use ward_store::blobs::BlobRead;

use crate::s3::failed;

/// As much is rather read and dropped than asked for anew.
const SKIPPED_BYTES: u64 = 1 << 20;

/// A file being read.
pub(crate) struct Download {
    s3: Arc<AmazonS3>,
    path: Path,
    /// Which of the objects that had this name.
    tag: Option<String>,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    /// What has come and was not wanted yet.
    held: Bytes,
    /// The offset of the first byte of it.
    at: u64,
}

impl Download {
    pub(crate) async fn open(s3: Arc<AmazonS3>, path: Path) -> Result<Self, StoreError> {
        match s3.get_opts(&path, GetOptions::default()).await {
            Ok(got) => {
                let tag = got.meta.e_tag.clone();
                let (stream, held) = (got.into_stream(), Bytes::new());
                Ok(Download { s3, path, tag, stream, held, at: 0 })
            }
            Err(Error::NotFound { .. }) => {
                Err(StoreError::corrupt("blobs", "a registered file is not there"))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// More bytes, if there are any: false at the end.
    async fn fill(&mut self) -> Result<bool, StoreError> {
        while self.held.is_empty() {
            match self.stream.next().await {
                Some(Ok(bytes)) => self.held = bytes,
                Some(Err(error)) => return Err(failed(&error)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn take(&mut self, limit: usize) -> Bytes {
        let taken = self.held.split_to(limit.min(self.held.len()));
        self.at += taken.len() as u64;
        taken
    }

    /// Reads on up to an offset.
    async fn skip(&mut self, offset: u64) -> Result<(), StoreError> {
        while self.at < offset && self.fill().await? {
            let rest = usize::try_from(offset - self.at).unwrap_or(usize::MAX);
            drop(self.take(rest));
        }
        Ok(())
    }

    /// Asks for the rest from an offset on, of the same object.
    async fn ask(&mut self, offset: u64) -> Result<(), StoreError> {
        let options = GetOptions {
            range: Some(GetRange::Offset(offset)),
            if_match: self.tag.clone(),
            ..GetOptions::default()
        };
        let got = self.s3.get_opts(&self.path, options).await.map_err(|error| failed(&error))?;
        self.stream = got.into_stream();
        (self.held, self.at) = (Bytes::new(), offset);
        Ok(())
    }
}

impl BlobRead for Download {
    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<Vec<u8>, StoreError>> {
        Box::pin(async move {
            let mut bytes = Vec::with_capacity(limit);
            while bytes.len() < limit && self.fill().await? {
                let taken = self.take(limit - bytes.len());
                bytes.extend_from_slice(&taken);
            }
            Ok(bytes)
        })
    }

    fn seek(&mut self, offset: u64) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let ahead = offset.checked_sub(self.at);
            match ahead.is_some_and(|ahead| ahead <= SKIPPED_BYTES) {
                true => self.skip(offset).await,
                false => self.ask(offset).await,
            }
        })
    }
}
