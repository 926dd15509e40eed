//! `ward restore`: a backup of this instance takes the place of what is there.
//!
//! It is opened, filled into a database beside the instance's, ended there (certificate, quarantine,
//! what waits) and verified; then it takes its place in one step ([`ward_store::backup`]). Cut off
//! before that step the instance is the old one, afterwards the new one: what is left then (the id
//! ledger, the files) is finished by whoever opens it next, known by the certificate's restore epoch.

mod certify;
mod end;
mod staged_files;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::{Value as Json, json};
use ward_instance::envelope::{EnvelopeReader, Header};
use ward_instance::host::{self, InstanceLock};
use ward_instance::ledger::Heads;
use ward_instance::{
    Certificate, Clock, Config, EXIT_BUSY, EXIT_REFUSED, Instance, IsoError, Kind, Ledger, Random,
    RootRing, Timestamp, crash,
};
use ward_store::backup::{self, BodyReader, DataKeys, End, Facts, Loader, Piece, Swap, SwapError};
use ward_store::{Birth, Db, Place, StoreError};

use crate::assemble;
use crate::backup::{Told, own_schema};
use crate::file_mark;
use crate::place::{self, ServerError};
use staged_files::StagedFiles;

pub(crate) use staged_files::{finish as finish_files, is_staged};

/// A node that has given no sign of life for so long, in microseconds of wall time, is gone.
const GONE: i64 = 15_000_000;

/// What is brought back where, and by whom.
#[derive(Clone, Debug)]
pub struct Restore {
    /// What the instance must be.
    pub kind: Kind,
    /// Its directory.
    pub dir: PathBuf,
    /// A key file of before a rotation of the root.
    pub old_key: Option<PathBuf>,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// Who, for the audit log.
    pub by: String,
}

/// Brings a backup back.
pub async fn restore(
    what: &Restore,
    mut from: impl Read,
    env: &[(String, String)],
    told: Told<'_>,
) -> Result<Json, ServerError> {
    let ring = keys(what)?;
    let (header, preamble) = Header::read(&mut from)?;
    header.check(&ring)?;
    refuse_other_version(&header, what.kind)?;
    let config = Config::load(&what.dir, what.kind, env.iter().cloned())?;
    file_mark::check(&what.dir, &place::files_of(&config, &what.dir), &ring)?;
    let place = place::place_of(&what.dir, &config, None, env)?;
    let lock = InstanceLock::acquire(&what.dir, "restore")?;
    let body = BodyReader::new(EnvelopeReader::new(&ring, &header, &preamble, from)?);
    let ring = Arc::new(ring);
    let work = Work { what, ring, header, config, place, reached: OnceLock::new() };
    let done = work.run(body, told).await;
    if done.is_err() {
        work.forget().await;
    }
    lock.stop_cleanly()?;
    done
}

/// The instance's keys, with those of before.
fn keys(what: &Restore) -> Result<RootRing, ServerError> {
    let path = what.dir.join("root.key");
    if !path.exists() {
        return Err(ServerError::Usage(format!(
            "{} holds no root.key; put the instance's key file and ward.toml there first: without the root key nothing opens its backups",
            what.dir.display()
        )));
    }
    let mut ring = RootRing::load(&path)?;
    if ring.kind() != what.kind {
        return Err(IsoError::new(
            "ISO-01",
            format!("the command line says {}, and the key file is of {}", what.kind, ring.kind()),
            format!("use --kind {}, or name the {} directory", ring.kind(), what.kind),
        )
        .into());
    }
    if let Some(old) = &what.old_key {
        ring.adopt(&RootRing::load(old)?)?;
    }
    Ok(ring)
}

fn refuse_other_version(header: &Header, kind: Kind) -> Result<(), ServerError> {
    if header.schema == own_schema(kind)? {
        return Ok(());
    }
    let version: String =
        header.ward.chars().filter(|c| c.is_ascii_alphanumeric() || ".-+".contains(*c)).collect();
    Err(ServerError::Told {
        exit_code: EXIT_REFUSED,
        sentence: format!(
            "the backup was made by ward {version}, whose tables are others than this version's; restore it with that version, and update then"
        ),
    })
}

/// One restore, under the instance's lock.
struct Work<'a> {
    what: &'a Restore,
    ring: Arc<RootRing>,
    header: Header,
    config: Config,
    place: Place,
    reached: OnceLock<Reached>,
}

/// How far a restore came, once it is known which database is there.
struct Reached {
    /// The restore epoch of that one.
    present: Option<i64>,
    /// Whether there was a ledger of ids: one that this restore made knows nothing of before.
    has_ledger: bool,
    /// Whether the new one may have taken its place: then nothing of it is forgotten.
    is_swapping: AtomicBool,
}

/// What a body came to.
struct Loaded {
    staged: Place,
    heads: Heads,
    end: End,
}

impl Work<'_> {
    fn dir(&self) -> &Path {
        &self.what.dir
    }

    fn files(&self) -> PathBuf {
        place::files_of(&self.config, self.dir())
    }

    async fn run<R: Read>(
        &self,
        mut body: BodyReader<R>,
        told: Told<'_>,
    ) -> Result<Json, ServerError> {
        let node = self.prepare_directory()?;
        let present = certify::present(&self.place, &self.ring).await?;
        if present.is_some() {
            self.refuse_beside_others(&node).await?;
        }
        let Some(Piece::Facts(facts)) = body.piece()? else { return Err(not_a_body().into()) };
        let has_ledger = self.dir().join("ids.ledger").exists();
        let mut ledger = self.ledger()?;
        let present_epoch = present.as_ref().map(|certificate| certificate.restore_epoch);
        if let Some(epoch) = present_epoch {
            // What a restore before this one left to be finished belongs to the database that is
            // there, which may have to stay.
            ledger.settle_restore(epoch, Clock::system().wall())?;
            finish_files(&self.files(), epoch)?;
        }
        let reached = self.reached.get_or_init(|| Reached {
            present: present_epoch,
            has_ledger,
            is_swapping: AtomicBool::new(false),
        });
        let heads_file = self.dir().join("chain.heads");
        let epoch = certify::epoch(&self.header, present.as_ref(), &self.ring, &heads_file);
        let certificate = certify::certificate(&self.ring, &facts, present.as_ref(), epoch);
        file_mark::claim(self.dir(), &self.files(), &self.ring)?;
        let mut files = StagedFiles::begin(&self.files(), epoch, present_epoch)?;
        let loaded = self.load(&mut body, &certificate, &mut files, told).await?;
        files.settle()?;
        crash::point("restore.loaded");
        let (ring, clock) = (Arc::clone(&self.ring), Clock::system());
        let instance = Instance::assemble(ring, &certificate, ledger, clock, Random::os())?;
        let db = Db::open(loaded.staged, instance.clone(), assemble::tables()).await?;
        let ended = self.end(&db, certificate, &facts, present.as_ref()).await;
        db.shutdown().await;
        let ended = ended?;
        crash::point("restore.ended");
        if self.what.old_key.is_some() {
            self.ring.save(&self.dir().join("root.key"))?;
        }
        let wall = instance.clock().wall();
        let is_retired = |slot: &u16| !facts.slots.contains(slot);
        let retired: Vec<u16> = facts.used_slots.iter().copied().filter(is_retired).collect();
        instance.ledger().learn_used(&retired, wall)?;
        instance.ledger().prepare_restore(epoch, facts.slots.clone(), loaded.heads, wall)?;
        staged_files::check(&self.files(), epoch, loaded.end.files)?;
        reached.is_swapping.store(true, Ordering::Relaxed);
        let since = Clock::system().wall().minus_micros(GONE).0;
        let swap = Swap { place: &self.place, ring: &self.ring, node: &node, since };
        swap.run().await.map_err(|error| match error {
            SwapError::Busy(sentence) => {
                // Then nothing has changed, certainly.
                reached.is_swapping.store(false, Ordering::Relaxed);
                ServerError::Told { exit_code: EXIT_BUSY, sentence }
            }
            SwapError::Store(error) => error.into(),
        })?;
        instance.ledger().settle_restore(epoch, wall)?;
        finish_files(&self.files(), epoch)?;
        self.write_heads(instance).await?;
        Ok(self.answer(&loaded.end, &facts, ended, wall))
    }

    /// What a directory needs that was made anew: its volume. Gives the node's name.
    fn prepare_directory(&self) -> Result<String, ServerError> {
        let dir = self.dir();
        if !dir.join(host::VOLUME_FILE).exists() {
            host::create_volume(dir, &Random::os())?;
        }
        Ok(host::node(dir)?)
    }

    fn ledger(&self) -> Result<Ledger, ServerError> {
        let path = self.dir().join("ids.ledger");
        Ok(match path.exists() {
            true => Ledger::load(&path, &self.ring)?,
            false => Ledger::create(&path, &self.ring, Clock::system().wall())?,
        })
    }

    /// On PostgreSQL other nodes hold no lock of this directory.
    async fn refuse_beside_others(&self, node: &str) -> Result<(), ServerError> {
        let since = Clock::system().wall().minus_micros(GONE).0;
        match backup::others(&self.place, self.what.kind, node, since).await? {
            0 => Ok(()),
            others => Err(ServerError::Told {
                exit_code: EXIT_BUSY,
                sentence: backup::told_others(others),
            }),
        }
    }

    async fn load<R: Read>(
        &self,
        body: &mut BodyReader<R>,
        certificate: &Certificate,
        files: &mut StagedFiles,
        told: Told<'_>,
    ) -> Result<Loaded, ServerError> {
        let tables = assemble::tables();
        let birth = Birth {
            ring: &self.ring,
            certificate,
            tables: &tables,
            migrations: assemble::MIGRATIONS,
            now: Clock::system().wall(),
        };
        let mut loader = Loader::begin(&self.place, &birth).await?;
        let mut seen = End::default();
        let end = loop {
            match body.piece()? {
                Some(Piece::Table { name, columns }) => {
                    seen.tables += 1;
                    loader.table(&name, &columns).await?;
                    told(seen.rows);
                }
                Some(Piece::Row(row)) => {
                    seen.rows += 1;
                    loader.row(row).await?;
                }
                Some(Piece::File(id)) => {
                    seen.files += 1;
                    files.next(&id)?;
                }
                Some(Piece::Bytes(bytes)) => files.write(&bytes)?,
                Some(Piece::End(end)) if end == seen => break end,
                _ => return Err(not_a_body().into()),
            }
        };
        // Only now it is certain that nothing is missing, and that nothing follows.
        if body.piece()?.is_some() {
            return Err(not_a_body().into());
        }
        let (staged, heads) = loader.finish().await?;
        Ok(Loaded { staged, heads, end })
    }

    async fn end(
        &self,
        db: &Db,
        certificate: Certificate,
        facts: &Facts,
        present: Option<&Certificate>,
    ) -> Result<end::Ended, ServerError> {
        let address = self.config.parsed_base_url()?;
        let here = place::binding(self.dir(), db, &address).await?;
        let state = certify::state(self.what.kind, facts, present, &here);
        let certificate = Certificate { host_binding: here, state, ..certificate };
        end::end(db, certificate, self.what, &self.header, self.keys_there(present).await?).await
    }

    /// The data keys of the database that is there. Of a damaged one there are none.
    async fn keys_there(&self, present: Option<&Certificate>) -> Result<DataKeys, StoreError> {
        if present.is_none() {
            return Ok(DataKeys::default());
        }
        match backup::data_keys(&self.place, &self.ring).await {
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::warn!(%error, "the data keys of the database that is there are lost");
                Ok(DataKeys::default())
            }
            told => told,
        }
    }

    /// The first chain heads of the new database; the old ones say that they are of before.
    async fn write_heads(&self, instance: Arc<Instance>) -> Result<(), ServerError> {
        let db = Db::open(self.place.clone(), instance, assemble::tables()).await?;
        let file = self.dir().join("chain.heads");
        let mut written = ward_store::chain_heads::write_heads(&db, &file).await;
        if let Err(error) = &written {
            // They are of before. What can't be read of them is no reason to say that there was no
            // restore: it is put aside.
            let aside = file.with_extension("heads.unreadable");
            tracing::warn!(%error, aside = %aside.display(), "chain.heads was put aside and made anew");
            if std::fs::rename(&file, &aside).is_ok() {
                written = ward_store::chain_heads::write_heads(&db, &file).await;
            }
        }
        db.shutdown().await;
        written?;
        Ok(())
    }

    /// Removes what was put together in vain. Once the new database may be there, the next command
    /// or start does that, and knows which it is.
    async fn forget(&self) {
        let Some(reached) = self.reached.get() else { return };
        if reached.is_swapping.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = backup::drop_staged(&self.place, self.what.kind).await {
            tracing::warn!(%error, "what a restore put together could not be removed");
        }
        staged_files::forget(&self.files(), reached.present);
        if !reached.has_ledger
            && let Err(error) = std::fs::remove_file(self.dir().join("ids.ledger"))
        {
            tracing::warn!(%error, "the ledger of a restore in vain could not be removed");
        }
    }

    fn answer(&self, end: &End, facts: &Facts, ended: end::Ended, wall: Timestamp) -> Json {
        json!({
            "environment": self.header.kind,
            "instance": self.header.tag,
            "state": ended.state.as_str(),
            "backup_of": Timestamp(self.header.created_at).to_string(),
            "restored_at": wall.to_string(),
            "restore_epoch": ended.restore_epoch,
            "tables": end.tables,
            "rows": end.rows,
            "files": end.files,
            "files_elsewhere": facts.files_elsewhere,
            "audit": ended.audit,
            "held": ended.held,
            "were_on": ended.were_on,
            "old_root_keys": self.ring.versions().len() - 1,
        })
    }
}

fn not_a_body() -> StoreError {
    StoreError::corrupt("backup", "its parts do not make a whole; was it made by a later version?")
}
