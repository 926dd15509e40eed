//! Sealed files in a directory: `<two hex digits>/<uuid>`, written beside it
//! under a temporary name first.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};

use crate::blobs::{BlobRead, BlobStore, BlobWrite};
use crate::error::StoreError;

/// Files younger than this may still get their row.
const SETTLED: Duration = Duration::from_secs(24 * 3_600);

/// Where files are while they are written.
const INCOMING: &str = "incoming";

/// A directory of sealed files.
#[derive(Clone, Debug)]
pub struct BlobDirectory(PathBuf);

impl BlobDirectory {
    /// The directory, made when it is not there. What a crash left half-written
    /// is removed, so only one process may open it at a time.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let directory = BlobDirectory(path.into());
        let incoming = directory.0.join(INCOMING);
        match fs::remove_dir_all(&incoming).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
        fs::create_dir_all(&incoming).await.map_err(|error| failed(&error))?;
        Ok(directory)
    }

    /// The same of a directory that the other nodes of an instance have open too: what they write at
    /// this moment stays. What a crash left half-written is removed when it is a day old, by `wall`,
    /// microseconds; also by whoever looks for settled files then.
    pub async fn open_shared(path: impl Into<PathBuf>, wall: i64) -> Result<Self, StoreError> {
        let directory = BlobDirectory(path.into());
        let incoming = directory.0.join(INCOMING);
        fs::create_dir_all(&incoming).await.map_err(|error| failed(&error))?;
        directory.clear_incoming(wall).await?;
        Ok(directory)
    }

    async fn clear_incoming(&self, wall: i64) -> Result<(), StoreError> {
        let incoming = self.0.join(INCOMING);
        for name in settled_in(&incoming, wall).await? {
            match fs::remove_file(incoming.join(name)).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a folder of this name in such a directory is one of its own, in which it writes and removes.
    pub fn has_folder(name: &str) -> bool {
        let is_part = name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_part || name == INCOMING
    }

    /// The directory, to read from beside the process that has opened it.
    pub fn beside(path: impl Into<PathBuf>) -> Self {
        BlobDirectory(path.into())
    }

    /// Gives the files of another directory, each named by its id, their places in this one, which
    /// nobody has open. Cut off, it is done again.
    pub fn take_in(&self, from: &Path) -> Result<usize, StoreError> {
        let moved = || {
            let (mut count, mut parents) = (0, std::collections::BTreeSet::new());
            for entry in std::fs::read_dir(from)? {
                let entry = entry?;
                let id = entry.file_name().into_string().unwrap_or_default();
                let to = self.path(&id).map_err(std::io::Error::other)?;
                if let Some(parent) = to.parent() {
                    std::fs::create_dir_all(parent)?;
                    parents.insert(parent.to_owned());
                }
                std::fs::rename(entry.path(), to)?;
                count += 1;
            }
            for directory in parents.iter().map(PathBuf::as_path).chain([self.0.as_path()]) {
                std::fs::File::open(directory)?.sync_all()?;
            }
            Ok(count)
        };
        moved().map_err(|error: std::io::Error| failed(&error))
    }

    /// The last two digits are random; the first ones of a UUID are its time.
    fn path(&self, id: &str) -> Result<PathBuf, StoreError> {
        let is_name = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        match id.get(34..).filter(|_| is_name) {
            Some(part) => Ok(self.0.join(part).join(id)),
            None => Err(StoreError::internal("a file's id is no UUID")),
        }
    }
}

fn failed(error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem => {
            StoreError::Full(format!("the file store: {}", error.kind()))
        }
        kind => StoreError::Unavailable(format!("the file store: {kind}")),
    }
}

struct Incoming {
    file: Option<File>,
    from: PathBuf,
    to: PathBuf,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Renamed when finished: then there is nothing of this name.
        if self.file.is_some() {
            drop(std::fs::remove_file(&self.from));
        }
    }
}

impl BlobWrite for Incoming {
    fn write(&mut self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(file) = &mut self.file else {
                return Err(StoreError::internal("the file is finished"));
            };
            file.write_all(&bytes).await.map_err(|error| failed(&error))
        })
    }

    fn finish(mut self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            let finished = async {
                if let Some(file) = &mut self.file {
                    file.flush().await?;
                    file.sync_all().await?;
                }
                let parent = self.to.parent().unwrap_or(Path::new("."));
                if !fs::try_exists(parent).await? {
                    fs::create_dir_all(parent).await?;
                    sync(parent.parent().unwrap_or(Path::new("."))).await?;
                }
                fs::rename(&self.from, &self.to).await?;
                sync(parent).await
            };
            finished.await.map_err(|error| failed(&error))?;
            self.file = None;
            Ok(())
        })
    }
}

async fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory).await?.sync_all().await
}

struct Outgoing(File);

impl BlobRead for Outgoing {
    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<Vec<u8>, StoreError>> {
        Box::pin(async move {
            let mut bytes = Vec::with_capacity(limit);
            let taken = (&mut self.0).take(limit as u64).read_to_end(&mut bytes).await;
            taken.map(|_| bytes).map_err(|error| failed(&error))
        })
    }

    fn seek(&mut self, offset: u64) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sought = self.0.seek(SeekFrom::Start(offset)).await;
            sought.map(drop).map_err(|error| failed(&error))
        })
    }
}

impl BlobStore for BlobDirectory {
    fn begin<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobWrite>, StoreError>> {
        Box::pin(async move {
            let (from, to) = (self.0.join(INCOMING).join(id), self.path(id)?);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            let file = options.open(&from).await.map_err(|error| failed(&error))?;
            Ok(Box::new(Incoming { file: Some(file), from, to }) as Box<dyn BlobWrite>)
        })
    }

    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Box<dyn BlobRead>, StoreError>> {
        Box::pin(async move {
            match File::open(self.path(id)?).await {
                Ok(file) => Ok(Box::new(Outgoing(file)) as Box<dyn BlobRead>),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    Err(StoreError::corrupt("blobs", "a registered file is not there"))
                }
                Err(error) => Err(failed(&error)),
            }
        })
    }

    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            match fs::remove_file(self.path(id)?).await {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
                _ => Ok(()),
            }
        })
    }

    fn settled<'a>(
        &'a self,
        part: u8,
        wall: i64,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            if part == 0 {
                // Of a process that was killed; nobody else comes to them.
                self.clear_incoming(wall).await?;
            }
            settled_in(&self.0.join(format!("{part:02x}")), wall).await
        })
    }
}

/// The names of the files there that have not changed for a day.
async fn settled_in(directory: &Path, wall: i64) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let listed = async {
        let mut entries = fs::read_dir(directory).await?;
        while let Some(entry) = entries.next_entry().await? {
            let changed = entry.metadata().await?.modified()?;
            let wall = UNIX_EPOCH + Duration::from_micros(u64::try_from(wall).unwrap_or(0));
            if wall.duration_since(changed).is_ok_and(|age| age >= SETTLED) {
                names.extend(entry.file_name().into_string());
            }
        }
        Ok::<_, std::io::Error>(())
    };
    match listed.await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
        _ => Ok(names),
    }
}
