//! Where stored files are: a directory of the instance, or in Production a bucket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value as Json, json};
pub use ward_connectors::Holding;
use ward_connectors::S3Blobs;
use ward_instance::{Certificate, Config, Instance, State};
use ward_store::blobs::BlobStore;
use ward_store::{BlobDirectory, Db, Engine, Query, Sql, StoreError, Value};

use crate::file_guard::Guarded;
use crate::file_mark;
use crate::place::{Opened, ServerError};

/// A file in the instance's directory that names the bucket which has its files.
const IN_BUCKET: &str = "files.bucket";

/// Bytes of a sealed file that are copied at one time.
const COPIED_BYTES: usize = 256 * 1024;

/// Which store an instance has, and what it takes to open it.
#[derive(Clone, Debug)]
pub struct FilePlace {
    /// The directory.
    pub directory: PathBuf,
    config: Config,
    dir: PathBuf,
    /// Whether a bucket may be changed: not by a quarantined copy.
    is_open: Arc<AtomicBool>,
}

impl FilePlace {
    /// As the configuration says.
    pub fn of(opened: &Opened) -> Self {
        let (config, dir) = (opened.config.clone(), opened.dir.clone());
        FilePlace { directory: opened.files(), config, dir, is_open: Arc::default() }
    }

    /// The bucket, if the configuration names one; nothing is asked yet.
    pub fn bucket(&self, instance: &Instance) -> Result<Option<S3Blobs>, ServerError> {
        let Some(witness) = instance.witness().production() else { return Ok(None) };
        Ok(S3Blobs::arm(&witness, self.config.connectors(&witness), &self.dir)?)
    }

    /// Opens the store for an instance whose certificate this is. A bucket is refused that is
    /// another instance's, another copy's, or lacks what the instance has stored; a directory that is
    /// another instance's, or while the files are in a bucket that the configuration does not name any
    /// more.
    pub async fn open(
        &self,
        db: &Db,
        certificate: &Certificate,
    ) -> Result<Arc<dyn BlobStore>, ServerError> {
        let instance = db.instance();
        let Some(bucket) = self.bucket(instance)? else {
            self.refuse_forgotten()?;
            // Before anything there is cleared away.
            file_mark::claim(&self.dir, &self.directory, &instance.ring())?;
            let is_active = certificate.state == State::Active;
            return Ok(Arc::new(match db.engine() {
                Engine::Lite if is_active => BlobDirectory::open(&self.directory).await?,
                // Other nodes may be at work in it, or what this one is a copy of.
                Engine::Lite | Engine::Pg => {
                    let wall = instance.clock().wall().0;
                    BlobDirectory::open_shared(&self.directory, wall).await?
                }
            }));
        };
        let place = &place_of(db, &certificate.host_binding).await?;
        match bucket.holding(instance, place).await? {
            Holding::Own => {}
            // A quarantined copy reads, and neither stores nor clears away.
            Holding::Elsewhere { .. } if certificate.state == State::Quarantined => {}
            Holding::Elsewhere { .. } => return Err(elsewhere(&bucket)),
            Holding::Nobodys if stored(db).await? == 0 => {
                if certificate.state == State::Active {
                    bucket.claim(instance, place, true).await?;
                }
            }
            Holding::Nobodys | Holding::Unfinished => return Err(self.not_there(&bucket)),
        }
        let is_active = certificate.state == State::Active;
        if is_active {
            self.note(&bucket)?;
        }
        self.is_open.store(is_active, Ordering::Release);
        Ok(Arc::new(Guarded { store: bucket, is_open: self.is_open.clone() }))
    }

    /// Writes down that the files are in a bucket, so that a start without its keys is noticed.
    fn note(&self, bucket: &S3Blobs) -> Result<(), ServerError> {
        let path = self.dir.join(IN_BUCKET);
        let name = format!("{}\n", bucket.name());
        if std::fs::read_to_string(&path).is_ok_and(|noted| noted == name) {
            return Ok(());
        }
        std::fs::write(&path, name).map_err(|error| {
            ServerError::System(format!("cannot write {}: {error}", path.display()))
        })
    }

    fn refuse_forgotten(&self) -> Result<(), ServerError> {
        let path = self.dir.join(IN_BUCKET);
        let name = match std::fs::read_to_string(&path) {
            Ok(name) => name.chars().filter(|c| !c.is_control()).take(200).collect::<String>(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(_) => "that a start with it has noted".to_owned(),
        };
        Err(ServerError::Usage(format!(
            "the files of this instance are in the bucket {name}, and the configuration names none; give its s3_ keys again, or remove {} once the files are in {}",
            path.display(),
            self.directory.display()
        )))
    }

    /// `ward attest` has said that the instance is meant to be where it is: the bucket follows.
    pub async fn follow(&self, db: &Db, binding: &str) -> Result<(), ServerError> {
        let instance = db.instance();
        let Some(bucket) = self.bucket(instance)? else { return Ok(()) };
        let place = &place_of(db, binding).await?;
        match bucket.holding(instance, place).await? {
            Holding::Own | Holding::Unfinished => {}
            Holding::Elsewhere { whole } => bucket.take(instance, place, whole).await?,
            Holding::Nobodys => bucket.claim(instance, place, stored(db).await? == 0).await?,
        }
        self.note(&bucket)?;
        self.is_open.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether files may be changed where they are, or cleared away when no row tells of them: not
    /// in a bucket that has gone to another copy of the instance since the start, nor in a directory
    /// in whose place there is another one's.
    pub async fn is_own(&self, db: &Db) -> Result<bool, StoreError> {
        let bucket = self.bucket(db.instance());
        let bucket = bucket.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let Some(bucket) = bucket else { return Ok(self.has_directory(db.instance()).await) };
        let certificate = ward_store::read_certificate(&mut db.read().await?).await?;
        let place = place_of(db, &certificate.host_binding).await?;
        let holding = bucket.holding(db.instance(), &place).await?;
        Ok(holding == Holding::Own)
    }

    /// Asks the directory again whose it is: a volume may have been mounted there since the start, or a
    /// link changed.
    async fn has_directory(&self, instance: &Instance) -> bool {
        let (place, ring) = (self.clone(), instance.ring());
        let asked = move || file_mark::check(&place.dir, &place.directory, &ring).map(drop);
        let asked = match tokio::task::spawn_blocking(asked).await {
            Ok(asked) => asked,
            Err(error) => Err(ServerError::System(error.to_string())),
        };
        if let Err(error) = &asked {
            tracing::error!(%error, "stored files are not cleared away");
        }
        asked.is_ok()
    }

    /// Refuses to change files that are not the instance's where they are now.
    pub async fn refuse_anothers(&self, db: &Db) -> Result<(), ServerError> {
        match self.is_own(db).await? {
            true => Ok(()),
            false => Err(ServerError::Usage(
                "the stored files belong to another copy of this instance, or to another one; see ward doctor"
                    .to_owned(),
            )),
        }
    }

    fn not_there(&self, bucket: &S3Blobs) -> ServerError {
        ServerError::Usage(format!(
            "the file store {} does not have the files of this instance; copy them from {} first: ward files copy --kind production --dir {}",
            bucket.name(),
            self.directory.display(),
            self.dir.display()
        ))
    }
}

/// What a bucket knows the place of an instance by: its binding, and on PostgreSQL the database,
/// since a dump may be restored beside the one it was made of.
pub async fn place_of(db: &Db, binding: &str) -> Result<String, StoreError> {
    if db.engine() == Engine::Lite {
        return Ok(binding.to_owned());
    }
    let sql = "SELECT CAST(oid AS TEXT) FROM pg_database WHERE datname = current_database()";
    let rows = db.read().await?.rows(&Sql::fixed(sql, [])).await?;
    let database = rows.scalar().and_then(Value::text).unwrap_or_default();
    Ok(format!("{binding} {database}"))
}

fn elsewhere(bucket: &S3Blobs) -> ServerError {
    ServerError::Instance(
        ward_instance::IsoError::new(
            "ISO-02",
            format!("the file store {} belongs to this instance at another place", bucket.name()),
            "stop the other copy and run ward attest here, or name a bucket of its own",
        )
        .into(),
    )
}

/// How many files the instance has.
async fn stored(db: &Db) -> Result<i64, StoreError> {
    let rows = db.read().await?.rows(&Sql::fixed("SELECT COUNT(*) FROM blobs", [])).await?;
    Ok(rows.scalar().and_then(Value::int).unwrap_or(0))
}

/// Copies the instance's files from its directory to the bucket that the configuration names, as
/// they are: sealed. Done again, it goes on. The directory keeps them. While files are missing there
/// the bucket is not used, unless they are given up.
pub async fn copy(
    opened: &Opened,
    leave_missing: bool,
    tell: &dyn Fn(u64, u64),
) -> Result<Json, ServerError> {
    if opened.certificate.state == State::Quarantined {
        return Err(ServerError::Usage(
            "the instance is quarantined; end that first with: ward attest".to_owned(),
        ));
    }
    let place = FilePlace::of(opened);
    let (db, instance) = (&opened.db, &opened.instance);
    let Some(bucket) = place.bucket(instance)? else {
        return Err(ServerError::Usage(
            "ward.toml names no bucket (s3_endpoint, s3_bucket); only Production can have one"
                .to_owned(),
        ));
    };
    let at = &place_of(db, &opened.certificate.host_binding).await?;
    match bucket.holding(instance, at).await? {
        Holding::Own => return Ok(json!({"copied": 0, "missing": [], "to": bucket.name()})),
        Holding::Elsewhere { .. } => return Err(elsewhere(&bucket)),
        Holding::Nobodys => bucket.claim(instance, at, false).await?,
        Holding::Unfinished => {}
    }
    let directory = BlobDirectory::beside(&place.directory);
    let total = u64::try_from(stored(db).await?).unwrap_or(0);
    let (mut copied, mut missing, mut after) = (0, Vec::new(), String::new());
    loop {
        let page = next(db, &after).await?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        for (id, is_deleted) in page {
            match copy_one(&directory, &bucket, &id).await {
                Ok(()) => copied += 1,
                // What is deleted may have been cleared away already.
                Err(StoreError::Corrupt { .. }) if is_deleted => {}
                Err(StoreError::Corrupt { .. }) => missing.push(id),
                Err(error) => return Err(error.into()),
            }
            tell(copied, total);
        }
    }
    if missing.is_empty() || leave_missing {
        bucket.take(instance, at, true).await?;
    }
    Ok(json!({"copied": copied, "missing": missing, "to": bucket.name()}))
}

/// The ids after one, and whether each is of a deleted file.
async fn next(db: &Db, after: &str) -> Result<Vec<(String, bool)>, StoreError> {
    let sql = Sql::fixed(
        "SELECT id, deleted_at IS NOT NULL FROM blobs WHERE id > $1 ORDER BY id LIMIT 500",
        [after.into()],
    );
    let rows = db.read().await?.rows(&sql).await?;
    let of = |row: &[Value]| match row {
        [id, is_deleted] => Some((id.text()?.to_owned(), is_deleted.truth())),
        _ => None,
    };
    Ok(rows.iter().filter_map(of).collect())
}

async fn copy_one(from: &dyn BlobStore, to: &dyn BlobStore, id: &str) -> Result<(), StoreError> {
    let mut reader = from.open(id).await?;
    let mut writer = to.begin(id).await?;
    loop {
        let bytes = reader.read(COPIED_BYTES).await?;
        if bytes.is_empty() {
            return writer.finish().await;
        }
        writer.write(bytes).await?;
    }
}

/// Where the files are, for people.
pub fn told(bucket: Option<&S3Blobs>, directory: &Path) -> String {
    match bucket {
        Some(bucket) => format!("stored files are in the bucket {}", bucket.name()),
        None => format!("stored files are in {}", directory.display()),
    }
}
