//! `ward backup`: everything that an instance knows, of one moment, sealed for itself alone.
//!
//! Not in it, ever: the root key, the id ledger, the chain heads, lock and sockets. What goes back
//! in time may not take the memory of what it went back from with it.

use std::io::Write;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_instance::envelope::{EnvelopeError, EnvelopeWriter, Header};
use ward_instance::{EXIT_BUSY, EXIT_INTERNAL, EXIT_REFUSED, Ledger, RootRing, Timestamp};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::backup::{BodyError, BodyWriter, Facts, dump, schema};
use ward_store::blobs::BlobStore;
use ward_store::system::AuditType;
use ward_store::{
    Actor, BlobDirectory, Db, Query, Reader, Scope, Sql, StoreError, Tx, Value, read_certificate,
};

use crate::file_store::FilePlace;
use crate::place::{Opened, ServerError};
use crate::{admin, assemble};

/// Bytes of a sealed file that are read at one time.
const READ_BYTES: usize = 256 * 1024;

/// Files that are listed at one time.
const PAGE: i64 = 200;

/// Files that an answer names.
const NAMED: usize = 20;

/// Why no backup is made of two worlds.
const WENT_BACK: &str =
    "the Sandbox was reset or went back to a snapshot at this moment; make the backup again";

/// Exit status of a backup that is not as it was made: it ran, and the answer is no.
const EXIT_NO: i32 = 1;

impl From<EnvelopeError> for ServerError {
    fn from(error: EnvelopeError) -> Self {
        let exit_code = match error {
            EnvelopeError::Foreign(error) => return error.into(),
            EnvelopeError::NotOne | EnvelopeError::Damaged(_) => EXIT_NO,
            EnvelopeError::OldRoot(_) => EXIT_REFUSED,
            EnvelopeError::Io(_) => return ServerError::System(error.to_string()),
            EnvelopeError::TooLarge => EXIT_INTERNAL,
        };
        ServerError::Told { exit_code, sentence: error.to_string() }
    }
}

impl From<BodyError> for ServerError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Envelope(error) => error.into(),
            BodyError::Store(error) => error.into(),
        }
    }
}

/// Hears how many rows are done.
pub type Told<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// Writes a backup; what there is to say of it, and what was written to.
pub async fn backup<W: Write>(
    opened: &Opened,
    to: W,
    told: Told<'_>,
) -> Result<(Json, W), ServerError> {
    let instance = &opened.instance;
    let ring = instance.ring();
    refuse_rotating(&ring, ring.current_version())?;
    let before = ledger_there(opened)?;
    let mut reader = opened.db.snapshot().await?;
    let certificate = read_certificate(&mut reader).await?;
    // The rows may be of after a rotation that this process, beside the server, has not heard of.
    refuse_rotating(&ring, certificate.root_version)?;
    let header = Header {
        kind: instance.kind().to_string(),
        tag: instance.tag().to_string(),
        instance_id: instance.instance_id().to_string(),
        created_at: instance.clock().wall().0,
        restore_epoch: certificate.restore_epoch,
        root_version: ring.current_version(),
        schema: schema(instance.kind(), opened.db.tables())?,
        ward: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let place = FilePlace::of(opened);
    let bucket = place.bucket(instance)?.map(|bucket| bucket.name().to_owned());
    // A server beside may have been emptied, or gone back, since this process read its ledger: the
    // rows are of either side, and their ids would be stale.
    let ledger = ledger_there(opened)?;
    let is_between = before.step().is_some() || ledger.step().is_some();
    if is_between || before.living_slots() != ledger.living_slots() {
        return Err(ServerError::Told { exit_code: EXIT_BUSY, sentence: WENT_BACK.to_owned() });
    }
    let (slots, used_slots) = (ledger.living_slots(), ledger.used_slots());
    let facts = Facts {
        born_at: certificate.born_at.0,
        base_url: certificate.base_url.clone(),
        host_binding: certificate.host_binding.clone(),
        state: certificate.state.to_string(),
        schema_epoch: certificate.schema_epoch,
        id_epoch: certificate.id_epoch,
        slots,
        used_slots,
        files_elsewhere: bucket.clone(),
    };
    let envelope = EnvelopeWriter::begin(&ring, &header, instance.random(), to)?;
    let mut body = BodyWriter::new(envelope);
    body.facts(&facts)?;
    dump(&opened.db, &mut reader, &mut body, told).await?;
    let missing = match bucket {
        Some(_) => Vec::new(),
        None => files(&mut reader, &BlobDirectory::beside(&place.directory), &mut body).await?,
    };
    drop(reader);
    // Files that were sealed anew meanwhile would not open with the keys of the rows, be the
    // rotation under way or over, and be it another node's of a PostgreSQL database: its directory
    // has the new root, this one can't read what is signed by it.
    refuse_rotating(&RootRing::load(&opened.dir.join("root.key"))?, header.root_version)?;
    match read_certificate(&mut opened.db.read().await?).await {
        Ok(now) if now.root_version == header.root_version => {}
        Ok(_) | Err(StoreError::Foreign(_)) => return Err(rotating()),
        Err(error) => return Err(error.into()),
    }
    let (end, to) = body.finish()?;
    let named: Vec<&String> = missing.iter().take(NAMED).collect();
    let answer = json!({
        "environment": header.kind,
        "instance": header.tag,
        "created_at": Timestamp(header.created_at).to_string(),
        "root_key": header.root_version,
        "restore_epoch": header.restore_epoch,
        "tables": end.tables,
        "rows": end.rows,
        "files": end.files,
        "files_elsewhere": facts.files_elsewhere,
        "missing_files": missing.len(),
        "missing": named,
    });
    Ok((answer, to))
}

/// The ledger of ids as it is on the disk at this moment.
fn ledger_there(opened: &Opened) -> Result<Ledger, ServerError> {
    let ring = Arc::new(RootRing::load(&opened.dir.join("root.key"))?);
    Ok(Ledger::load(&opened.dir.join("ids.ledger"), &ring)?)
}

/// Refuses unless `version` is the one and only root.
fn refuse_rotating(ring: &RootRing, version: u32) -> Result<(), ServerError> {
    match ring.versions().len() {
        1 if ring.current_version() == version => Ok(()),
        _ => Err(rotating()),
    }
}

fn rotating() -> ServerError {
    ServerError::Told {
        exit_code: EXIT_BUSY,
        sentence: "the root key is being rotated or was while the backup was made; make it when ward status says that it is done".to_owned(),
    }
}

/// Writes the sealed files that the rows tell of; gives those that are not there.
async fn files<W: Write>(
    reader: &mut Reader,
    store: &BlobDirectory,
    body: &mut BodyWriter<W>,
) -> Result<Vec<String>, ServerError> {
    let mut missing = Vec::new();
    let mut after = String::new();
    loop {
        let mut sql = Sql::fixed(
            "SELECT id, deleted_at FROM blobs WHERE id > $1 ORDER BY id",
            [after.as_str().into()],
        );
        sql.limit(PAGE);
        let rows = reader.rows(&sql).await?;
        for row in rows.iter() {
            let (Some(id), is_deleted) =
                (row.first().and_then(Value::text), row.get(1).is_some_and(|at| !at.is_null()))
            else {
                return Err(StoreError::corrupt("blobs", "a row does not decode").into());
            };
            after = id.to_owned();
            let mut file = match store.open(id).await {
                Ok(file) => file,
                // One that was deleted may be cleared away by now.
                Err(StoreError::Corrupt { .. }) if is_deleted => continue,
                Err(StoreError::Corrupt { .. }) => {
                    missing.push(id.to_owned());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            body.file(id)?;
            loop {
                let bytes = file.read(READ_BYTES).await?;
                if bytes.is_empty() {
                    break;
                }
                body.bytes(&bytes)?;
            }
        }
        if (rows.len() as i64) < PAGE {
            return Ok(missing);
        }
    }
}

/// Writes into the audit log that a backup was made, and by whom.
pub(crate) async fn note(db: &Db, made_at: Timestamp, by: String) -> Result<Json, ServerError> {
    let org_id = admin::founding(db).await?.unwrap_or(0);
    let changes = vec![
        AuditChange::new("backup_of", None, Some(&made_at.to_string())),
        AuditChange::new("made_by", None, Some(&by)),
    ];
    db.write(move |tx: &mut Tx| {
        let changes = changes.clone();
        Box::pin(async move {
            let actor = Actor::system(org_id);
            let tag = tx.instance().tag().to_string();
            let mut entry = AuditEntry::by(&actor, AuditType::Admin, "BACKUP", tag);
            entry.changes = changes;
            Scope::new(tx, &actor).record(entry);
            Ok::<_, StoreError>(())
        })
    })
    .await?;
    Ok(json!({"noted": true}))
}

/// What the tables of this version look like.
pub(crate) fn own_schema(kind: ward_instance::Kind) -> Result<String, StoreError> {
    schema(kind, &assemble::tables())
}
