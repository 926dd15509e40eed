//! Whose bucket it is: an object beside the files that names the instance, as a certificate does
//! in its database. Nothing is put into a bucket of another instance, or taken out of it.
//!
//! A copy of an instance has its name, but not its place: the marker says which of the two the
//! bucket belongs to, or the copy would clear away what the other one has stored since.

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::{Deserialize, Serialize};
use ward_instance::holder::{HOLDER_BYTES, HOLDER_FILE, Holder};
use ward_instance::{Instance, IsoError};
use ward_store::StoreError;

use crate::s3::{S3Blobs, failed};

/// What the marker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    #[serde(flatten)]
    holder: Holder,
    /// The place of the instance that has the bucket, as its certificate names it.
    place: String,
    /// Whether all files of the instance are there.
    whole: bool,
}

/// How an instance at a place stands to the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// It is its own.
    Own,
    /// It is its own, and its files are still to be copied there.
    Unfinished,
    /// It belongs to the same instance at another place.
    Elsewhere {
        /// Whether all its files are there.
        whole: bool,
    },
    /// It is empty and nobody's.
    Nobodys,
}

impl S3Blobs {
    fn marker(&self) -> Path {
        Path::from(format!("{}{HOLDER_FILE}", self.prefix))
    }

    /// Whose the bucket is. Refuses one of another instance, and one that holds what no instance
    /// has marked as its own (ISO-02).
    pub async fn holding(&self, instance: &Instance, place: &str) -> Result<Holding, StoreError> {
        let Some(marker) = self.marked().await? else {
            return match self.is_empty().await? {
                true => Ok(Holding::Nobodys),
                false => Err(self.foreign(
                    "holds files and does not say of which instance",
                    "name an empty bucket, or a prefix of its own for this instance",
                )),
            };
        };
        if !marker.holder.is(instance.kind(), instance.instance_id()) {
            let fix = "give this instance a bucket or prefix of its own";
            return Err(self.foreign(&marker.holder.told(), fix));
        }
        Ok(match (marker.place == place, marker.whole) {
            (false, whole) => Holding::Elsewhere { whole },
            (true, true) => Holding::Own,
            (true, false) => Holding::Unfinished,
        })
    }

    /// Makes an empty bucket the instance's. Two that try at once do not both succeed; so a store
    /// is refused that does not know the condition, and lets what is there be overwritten.
    pub async fn claim(
        &self,
        instance: &Instance,
        place: &str,
        whole: bool,
    ) -> Result<(), StoreError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let body = PutPayload::from(self.text(instance, place, whole)?);
        match self.s3.put_opts(&self.marker(), body.clone(), options.clone()).await {
            Ok(_) | Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
        match self.s3.put_opts(&self.marker(), body, options).await {
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
            Err(error) => return Err(failed(&error)),
            Ok(_) => {
                self.s3.delete(&self.marker()).await.map_err(|error| failed(&error))?;
                return Err(StoreError::Unavailable(format!(
                    "the file store {} overwrites what it was asked not to (If-None-Match), so that two instances could take it at once; use one that knows that condition",
                    self.name()
                )));
            }
        }
        match self.holding(instance, place).await? {
            Holding::Own | Holding::Unfinished => Ok(()),
            Holding::Elsewhere { .. } | Holding::Nobodys => Err(self.foreign(
                "was taken by another copy of this instance at the same time",
                "stop the other copy",
            )),
        }
    }

    /// Says that the instance is at this place now, and whether all its files are in the bucket.
    /// Only of a bucket that [`S3Blobs::holding`] calls the instance's.
    pub async fn take(
        &self,
        instance: &Instance,
        place: &str,
        whole: bool,
    ) -> Result<(), StoreError> {
        let body = PutPayload::from(self.text(instance, place, whole)?);
        self.s3.put(&self.marker(), body).await.map(drop).map_err(|error| failed(&error))
    }

    fn text(&self, instance: &Instance, place: &str, whole: bool) -> Result<Vec<u8>, StoreError> {
        let marker = Marker {
            holder: Holder::of(instance.kind(), instance.instance_id()),
            place: place.to_owned(),
            whole,
        };
        serde_json::to_vec(&marker)
            .map_err(|error| StoreError::internal(format!("a marker has no JSON: {error}")))
    }

    async fn marked(&self) -> Result<Option<Marker>, StoreError> {
        let got = match self.s3.get(&self.marker()).await {
            Ok(got) => got,
            Err(error @ Error::NotFound { .. }) if is_no_bucket(&error) => {
                return Err(failed(&error));
            }
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let unreadable = || {
            self.foreign(
                "has a marker that is not to be read",
                "name an empty bucket, or a prefix of its own for this instance",
            )
        };
        if got.meta.size > HOLDER_BYTES {
            return Err(unreadable());
        }
        let text = got.bytes().await.map_err(|error| failed(&error))?;
        serde_json::from_slice(&text).map(Some).map_err(|_| unreadable())
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let prefix = self.prefix.trim_end_matches('/');
        let prefix = (!prefix.is_empty()).then(|| Path::from(prefix));
        // One is enough to know: a bucket may hold millions.
        let mut listed = self.s3.list(prefix.as_ref());
        Ok(listed.try_next().await.map_err(|error| failed(&error))?.is_none())
    }

    fn foreign(&self, what: &str, fix: &str) -> StoreError {
        let sentence = format!("the file store {} {what}", self.name());
        StoreError::Foreign(IsoError::new("ISO-02", sentence, fix))
    }
}

/// A store answers 404 for a bucket that it has not, too.
fn is_no_bucket(error: &Error) -> bool {
    error.to_string().contains("NoSuchBucket")
}
