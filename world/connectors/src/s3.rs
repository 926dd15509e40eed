//! Production's file store in a bucket: S3, or what speaks like it.
//!
//! Objects are named as the directory names its files, `<prefix><two hex digits>/<uuid>`, and hold
//! the same sealed bytes: nothing is in the bucket that can be read without the instance's key.
//! Beside them is the [`marker`], which says whose bucket it is.

mod idle;
mod marker;
mod read;
mod transport;
mod write;

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{BackoffConfig, Error, ObjectStore, ObjectStoreExt, RetryConfig};
use parking_lot::Mutex;
use ward_instance::config::Connectors;
use ward_instance::{InstanceError, ProductionWitness};
use ward_store::StoreError;
use ward_store::blobs::{BlobRead, BlobStore, BlobWrite};

pub use marker::Holding;

use crate::{https, secret};
use transport::Transport;

const REGION: &str = "us-east-1";

/// A request that fails is made again at most so often, and not after so long: whoever waits for
/// a file is told within [`transport::PATIENCE`] more.
const RETRIES: usize = 3;
const RETRY_WITHIN: Duration = Duration::from_secs(15);
const BACKOFF: BackoffConfig = BackoffConfig {
    init_backoff: Duration::from_millis(100),
    max_backoff: Duration::from_secs(2),
    base: 2.0,
};

/// Files younger than this may still get their row, in microseconds.
const SETTLED: i64 = 24 * 3_600 * 1_000_000;

/// A part of the bucket is listed once in so long, in microseconds: a listing costs money.
const LISTED: i64 = 24 * 3_600 * 1_000_000;

const PARTS: usize = 256;

/// A bucket of sealed files.
pub struct S3Blobs {
    s3: Arc<AmazonS3>,
    /// Empty, or ends with a slash.
    prefix: String,
    /// Bucket and host, for people.
    name: String,
    /// When each part was listed last, by the wall clock in microseconds.
    listed: Mutex<Box<[i64; PARTS]>>,
}

impl S3Blobs {
    /// Arms it with the bucket that the configuration names; none: it names none. Paths are those
    /// of the instance's directory `dir` unless they are absolute. Nothing is asked yet.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &FilePath,
    ) -> Result<Option<Self>, InstanceError> {
        let (Some(endpoint), Some(bucket)) = (&config.s3_endpoint, &config.s3_bucket) else {
            return Ok(None);
        };
        let wrong = |key: &str, what: &str| InstanceError::config(format!("{key}: {what}"));
        let endpoint = endpoint.trim_end_matches('/');
        let address = https::address("s3_endpoint", endpoint)?;
        if address.path().len() > 1 || address.query().is_some() {
            return Err(wrong("s3_endpoint", "is an address without a path"));
        }
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if bucket.is_empty() || !bucket.chars().all(named) {
            return Err(wrong("s3_bucket", "is the name of a bucket"));
        }
        let prefix = config.s3_prefix.as_deref().unwrap_or_default().trim_matches('/');
        let is_prefix = |part: &str| !part.trim_matches('.').is_empty() && part.chars().all(named);
        if !prefix.is_empty() && !prefix.split('/').all(is_prefix) {
            return Err(wrong("s3_prefix", "has letters, digits, dots, hyphens and slashes"));
        }
        let ca = config.s3_ca.as_ref().map(|file| dir.join(file));
        let file = config.s3_secret_key_file.as_deref().unwrap_or_default();
        let key = secret::read("s3_secret_key_file", &dir.join(file))?;
        let s3 = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_bucket_name(bucket)
            .with_region(config.s3_region.as_deref().unwrap_or(REGION))
            .with_access_key_id(config.s3_access_key.as_deref().unwrap_or_default())
            .with_secret_access_key(key.as_str())
            .with_retry(RetryConfig {
                backoff: BACKOFF,
                max_retries: RETRIES,
                retry_timeout: RETRY_WITHIN,
            })
            .with_disable_bulk_delete(true)
            .with_http_connector(Transport::new(https::trust("s3_ca", ca.as_deref())?))
            .build()
            .map_err(|_| wrong("s3_bucket", "the store can't be set up with these keys"))?;
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let host = address.authority().map_or("", |authority| authority.as_str());
        Ok(Some(S3Blobs {
            s3: Arc::new(s3),
            name: format!("{bucket}/{prefix} at {host}"),
            prefix,
            listed: Mutex::new(Box::new([i64::MIN; PARTS])),
        }))
    }

    /// Bucket, prefix and host, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn path(&self, id: &str) -> Result<Path, StoreError> {
        let is_name = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        match id.get(34..).filter(|_| is_name) {
            Some(part) => Ok(Path::from(format!("{}{part}/{id}", self.prefix))),
            None => Err(StoreError::internal("a file's id is no UUID")),
        }
    }

    /// Whether a part is due to be listed, and notes that it is.
    fn takes_turn(&self, part: u8, wall: i64) -> bool {
        let mut listed = self.listed.lock();
        let last = &mut listed[usize::from(part)];
        let due = wall.saturating_sub(*last) >= LISTED;
        if due {
            *last = wall;
        }
        due
    }
}

/// What a failure of the store means, in words of ours: the library's name the request, and what a
/// store answers may be anything.
fn failed(error: &Error) -> StoreError {
    let why = match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            "it refuses the key".to_owned()
        }
        Error::NotFound { .. } => "it has no such bucket or object".to_owned(),
        Error::Precondition { .. } => return StoreError::Conflict,
        other => unanswered(other),
    };
    tracing::debug!(%why, "the file store failed");
    StoreError::Unavailable(format!("the file store: {why}"))
}

/// What is at the bottom of an error: no answer, or a status.
fn unanswered(error: &Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(why) = error.downcast_ref::<transport::Unanswered>() {
            return why.to_string();
        }
        cause = error.source();
    }
    // The library tells the status in its text only.
    let text = error.to_string();
    let status = text.split_once("status code: ").map(|(_, rest)| rest);
    match status.and_then(|rest| rest.get(..3)).filter(|code| code.parse::<u16>().is_ok()) {
        Some(code) => format!("it answered {code}"),
        None => "it does not speak S3".to_owned(),
    }
}

impl BlobStore for S3Blobs {
    fn begin<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobWrite>, StoreError>> {
        Box::pin(async move {
            let upload = write::Upload::new(Arc::clone(&self.s3), self.path(id)?);
            Ok(Box::new(upload) as Box<dyn BlobWrite>)
        })
    }

    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobRead>, StoreError>> {
        Box::pin(async move {
            let download = read::Download::open(Arc::clone(&self.s3), self.path(id)?).await?;
            Ok(Box::new(download) as Box<dyn BlobRead>)
        })
    }

    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            match self.s3.delete(&self.path(id)?).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(failed(&error)),
            }
        })
    }

    fn settled<'a>(
        &'a self,
        part: u8,
        wall: i64,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            if !self.takes_turn(part, wall) {
                return Ok(Vec::new());
            }
            let place = Path::from(format!("{}{part:02x}", self.prefix));
            let mut ids = Vec::new();
            let mut listing = self.s3.list(Some(&place));
            while let Some(object) = listing.try_next().await.map_err(|error| failed(&error))? {
                let changed = object.last_modified.timestamp_micros();
                if wall.saturating_sub(changed) >= SETTLED {
                    // What somebody else put there is no file of ours.
                    let id = object.location.filename().filter(|id| self.path(id).is_ok());
                    ids.extend(id.map(str::to_owned));
                }
            }
            Ok(ids)
        })
    }
}
