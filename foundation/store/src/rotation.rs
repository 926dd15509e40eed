//! Rotation of the root while the instance works (environments C.2, SEC-22).
//!
//! 1. A new root is added to the key file and becomes the current one; the old
//!    one still reads.
//! 2. The certificate is signed under it, what stays of the old root is wrapped
//!    under it, and every organization gets new data keys.
//! 3. Once nobody works with older keys any more, everything under them is
//!    sealed and signed anew, until a look at all of it finds nothing older.
//! 4. The old root leaves the key file.
//!
//! The key file is the only memory of a rotation: with two roots in it one is
//! under way, and to go on means to begin again at the top. Every step may be
//! cut off and repeated.

mod files;
mod progress;
mod scan;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ward_instance::{InstanceError, Purpose, RootRing, crash};

use crate::actor::Actor;
use crate::audit::{AuditChange, AuditEntry};
use crate::blobs::BlobStore;
use crate::certificate::{read_certificate, write_certificate};
use crate::chain_heads::write_heads;
use crate::db::Db;
use crate::error::StoreError;
use crate::keyring;
use crate::nodes;
use crate::retired;
use crate::system::AuditType;
use crate::tx::Tx;

pub use progress::{Damaged, End, Phase, Progress};

/// Rows that others hold are looked at again after so long.
const BUSY: Duration = Duration::from_millis(50);

/// Damaged values that are named at most.
const NAMED: usize = 100;

/// What one page of a domain's own rows came to.
#[derive(Clone, Debug, Default)]
pub struct StepPage {
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
    /// Rows that were brought under the new root.
    pub changed: u64,
    /// Rows that were not as they had been written.
    pub damaged: Vec<Damaged>,
}

/// Brings a page of rows that only their domain knows how to sign under the
/// current root; it may be called again for rows that are so already.
pub type StepRun =
    for<'t> fn(&'t mut Tx, Option<String>) -> BoxFuture<'t, Result<StepPage, StoreError>>;

/// Runs once, in the transaction from which on the new root counts.
pub type StartRun = for<'t> fn(&'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>>;

/// What the domains add to a rotation.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    /// What ends with the old root: sessions, links.
    pub at_start: Vec<StartRun>,
    /// What is signed or indexed under a root: the table's name, and how.
    pub steps: Vec<(&'static str, StepRun)>,
}

/// Told of every step before it is taken; `Break` stops the rotation there.
pub type Watch<'a> = &'a (dyn Fn(&Progress) -> ControlFlow<()> + Send + Sync);

/// A rotation of an instance that this process alone holds.
pub struct Rotation {
    /// Its store.
    pub db: Db,
    /// Its key file.
    pub key_file: PathBuf,
    /// Its chain heads.
    pub heads_file: PathBuf,
    /// Its files.
    pub blobs: Arc<dyn BlobStore>,
    /// What the domains add.
    pub hooks: Hooks,
    /// This process among those that share a PostgreSQL database.
    pub node: String,
    /// Drop the old root although damaged values are left: they open nothing
    /// either way.
    pub leave_damaged: bool,
}

/// Why the work ends early.
enum Halt {
    Stopped,
    NotAlone,
    Store(StoreError),
}

impl<E: Into<StoreError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Halt::Store(error.into())
    }
}

fn of_instance(error: InstanceError) -> StoreError {
    match error {
        InstanceError::Iso(error) => StoreError::Foreign(error),
        other => StoreError::Unavailable(other.to_string()),
    }
}

impl Hooks {
    /// Both together.
    #[must_use]
    pub fn and(mut self, more: Hooks) -> Self {
        self.at_start.extend(more.at_start);
        self.steps.extend(more.steps);
        self
    }
}

impl Rotation {
    /// Whether one is under way: the key file has an old root.
    pub fn is_under_way(db: &Db) -> bool {
        db.instance().ring().versions().len() > 1
    }

    /// Rotates to a new root, or goes on with the rotation that is under way.
    pub async fn run(&self, watch: Watch<'_>) -> Result<End, StoreError> {
        let ring = self.db.instance().ring();
        let progress = Progress {
            from: Vec::new(),
            to: ring.current_version(),
            phase: Phase::Root,
            table: "",
            changed: 0,
            damaged: Vec::new(),
        };
        let mut work = Work { of: self, watch, progress };
        match work.all().await {
            Ok(()) if work.progress.damaged.is_empty() || self.leave_damaged => {
                Ok(End::Done(work.progress))
            }
            Ok(()) => Ok(End::Damaged(work.progress)),
            Err(Halt::Stopped) => Ok(End::Stopped(work.progress)),
            Err(Halt::NotAlone) => Ok(End::NotAlone(work.progress)),
            Err(Halt::Store(error)) => Err(error),
        }
    }
}

struct Work<'a> {
    of: &'a Rotation,
    watch: Watch<'a>,
    progress: Progress,
}

impl Work<'_> {
    async fn all(&mut self) -> Result<(), Halt> {
        let db = self.of.db.clone();
        self.enter(Phase::Root)?;
        self.be_alone().await?;
        self.add_root()?;
        self.enter(Phase::Certificate)?;
        self.sign().await?;
        crash::point("rotation.signed");
        // Whoever began before may still sign with the old root.
        db.pass_epoch().await;
        self.enter(Phase::DataKeys)?;
        self.renew_data_keys().await?;
        self.enter(Phase::Waiting)?;
        crash::point("rotation.keyed");
        db.require_keys(self.progress.to).await;
        self.enter(Phase::Values)?;
        while self.pass().await? {}
        write_heads(&db, &self.of.heads_file).await?;
        crash::point("rotation.renewed");
        if !self.progress.damaged.is_empty() && !self.of.leave_damaged {
            return Ok(());
        }
        self.enter(Phase::Dropping)?;
        self.drop_roots().await
    }

    fn enter(&mut self, phase: Phase) -> Result<(), Halt> {
        self.progress.phase = phase;
        self.look()
    }

    /// Tells how far it is, and hears whether to go on.
    fn look(&self) -> Result<(), Halt> {
        match (self.watch)(&self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Stopped),
        }
    }

    /// Refuses while another node gives signs of life.
    async fn be_alone(&self) -> Result<(), Halt> {
        match nodes::others(&self.of.db, &self.of.node).await? {
            0 => Ok(()),
            _ => Err(Halt::NotAlone),
        }
    }

    /// The new root is on the disk before anything is sealed under it.
    fn add_root(&mut self) -> Result<(), Halt> {
        let instance = self.of.db.instance();
        // The file, not the memory: an earlier attempt may have ended in between.
        let mut ring = RootRing::load(&self.of.key_file).map_err(of_instance)?;
        let own = instance.ring();
        let kept = ring.derive_version(own.current_version(), Purpose::Birth);
        if kept.is_none_or(|key| key.as_bytes() != own.derive(Purpose::Birth).as_bytes()) {
            let what = "the key file is another one than this process started with";
            return Err(StoreError::Unavailable(what.into()).into());
        }
        if ring.versions().len() == 1 {
            ring.add_root(instance.random()).map_err(of_instance)?;
            ring.save(&self.of.key_file).map_err(of_instance)?;
            crash::point("rotation.root");
        }
        self.progress.to = ring.current_version();
        self.progress.from =
            ring.versions().into_iter().filter(|version| *version != self.progress.to).collect();
        // Also signs the id ledger, which a crash may have left under the old one.
        instance.replace_ring(Arc::new(ring)).map_err(of_instance)?;
        Ok(())
    }

    async fn sign(&mut self) -> Result<(), Halt> {
        let hooks = self.of.hooks.at_start.clone();
        let from = shown(&self.progress.from);
        let signed = self.of.db.write(move |tx: &mut Tx| {
            let (hooks, from) = (hooks.clone(), from.clone());
            Box::pin(async move { sign_in(tx, &hooks, &from).await })
        });
        signed.await?;
        self.of.db.load_retired().await?;
        Ok(())
    }

    async fn renew_data_keys(&mut self) -> Result<(), Halt> {
        let mut after = 0;
        loop {
            self.look()?;
            let page = self.of.db.write(move |tx: &mut Tx| Box::pin(keyring::renew(tx, after)));
            match page.await? {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    /// Looks at everything once; whether it has to be looked at again.
    async fn pass(&mut self) -> Result<bool, Halt> {
        let before = self.progress.changed;
        self.progress.damaged.clear();
        let mut busy = 0;
        for target in scan::targets(self.of.db.tables(), self.progress.to) {
            self.progress.table = target.table.name;
            busy += self.scan(&target).await?;
        }
        for (name, run) in self.of.hooks.steps.clone() {
            self.progress.table = name;
            self.step(run).await?;
        }
        self.progress.table = "blobs";
        self.files().await?;
        self.progress.table = "";
        if busy > 0 {
            tokio::time::sleep(BUSY).await;
        }
        Ok(busy > 0 || self.progress.changed > before)
    }

    async fn step(&mut self, run: StepRun) -> Result<(), Halt> {
        let mut after = None;
        loop {
            self.look()?;
            let from = after.clone();
            let page = self.of.db.write(move |tx: &mut Tx| run(tx, from.clone())).await?;
            self.progress.changed += page.changed;
            self.note(page.damaged);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn note(&mut self, damaged: Vec<Damaged>) {
        let room = NAMED.saturating_sub(self.progress.damaged.len());
        self.progress.damaged.extend(damaged.into_iter().take(room));
    }

    async fn drop_roots(&mut self) -> Result<(), Halt> {
        let db = &self.of.db;
        let retired = db.keyring().retired();
        if self.progress.from.iter().any(|version| !retired.is_whole(*version)) {
            return Err(StoreError::internal("what stays of a root is not stored").into());
        }
        let (from, to) = (shown(&self.progress.from), self.progress.to.to_string());
        let recorded = db.write(move |tx: &mut Tx| {
            let (from, to) = (from.clone(), to.clone());
            Box::pin(async move {
                record(tx, "roots_in_key_file", &format!("{from}, {to}"), &to);
                Ok::<_, StoreError>(())
            })
        });
        recorded.await?;
        // Whoever still reads a moment of before needs the old keys.
        db.pass_epoch().await;
        self.be_alone().await?;
        crash::point("rotation.dropping");
        let instance = db.instance();
        let mut ring = (*instance.ring()).clone();
        for version in &self.progress.from {
            ring.drop_root(*version);
        }
        ring.save(&self.of.key_file).map_err(of_instance)?;
        crash::point("rotation.dropped");
        instance.replace_ring(Arc::new(ring)).map_err(of_instance)?;
        db.keyring().forget();
        Ok(())
    }
}

/// The transaction from which on the new root counts. Run again, it only makes
/// sure that what stays of the old root is stored.
async fn sign_in(tx: &mut Tx, hooks: &[StartRun], from: &str) -> Result<(), StoreError> {
    let ring = tx.instance().ring();
    let mut certificate = read_certificate(tx).await?;
    certificate.verify(&ring).map_err(StoreError::Foreign)?;
    retired::keep(tx).await?;
    if certificate.root_version == ring.current_version() {
        return Ok(());
    }
    certificate.sign(&ring);
    write_certificate(tx, &certificate).await?;
    record(tx, "root_version", from, &ring.current_version().to_string());
    for hook in hooks {
        hook(tx).await?;
    }
    Ok(())
}

fn record(tx: &mut Tx, field: &str, before: &str, after: &str) {
    let actor = Actor::system(0);
    let tag = tx.instance().tag().to_string();
    let mut entry = AuditEntry::by(&actor, AuditType::Admin, "INSTANCE", tag);
    entry.changes = vec![AuditChange::new(field, Some(before), Some(after))];
    tx.pending.record(entry);
}

fn shown(versions: &[u32]) -> String {
    versions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}
