//! What every part of an open store shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::broadcast;
use ward_instance::Instance;

use crate::access::AccessLog;
use crate::counts::Counts;
use crate::driver::pg_error::RuleNames;
use crate::driver::text::Texts;
use crate::epochs::Epochs;
use crate::error::StoreError;
use crate::follow::Follower;
use crate::id_blocks::IdBlocks;
use crate::keyring::Keyring;
use crate::query::Engine;
use crate::system::EffectClass;
use crate::table::Table;

/// Hints that a slow listener may miss before it is told so.
const HINTS_KEPT: usize = 64;

/// Something that a committed transaction left to be done. Only a hint: it may
/// be lost, and the rows are the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// Jobs were enqueued.
    Jobs,
    /// Events were written.
    Events,
    /// What follows from events may go on: deliveries of them wait or have ended.
    Deliveries,
    /// Effects of a class were asked for.
    Effects(EffectClass),
    /// A Sandbox's clock was moved: what waits for its time may be due.
    Clock,
}

/// Shared by readers, the writer and transactions.
pub(crate) struct Core {
    pub(crate) instance: Arc<Instance>,
    pub(crate) tables: Vec<&'static Table>,
    pub(crate) engine: Engine,
    pub(crate) ids: IdBlocks,
    pub(crate) hints: broadcast::Sender<Hint>,
    /// PostgreSQL's texts; SQLite's connections keep their own.
    pub(crate) texts: Mutex<Texts>,
    pub(crate) unique_rules: RuleNames,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) access: AccessLog,
    pub(crate) epochs: Epochs,
    pub(crate) counts: Counts,
    /// Shared by writes on PostgreSQL; alone for what changes the whole of the data under all of them.
    pub(crate) world: tokio::sync::RwLock<()>,
    /// How often another world has come in the place of the one before; never in Production.
    worlds: AtomicU64,
    /// One at a time writes `chain.heads`.
    pub(crate) heads_file: tokio::sync::Mutex<()>,
    /// What the writer does behind events, in their commit; SQLite only.
    pub(crate) follower: Mutex<Option<Arc<dyn Follower>>>,
}

impl Core {
    pub(crate) fn new(
        instance: Arc<Instance>,
        tables: Vec<&'static Table>,
        engine: Engine,
        unique_rules: RuleNames,
    ) -> Self {
        Core {
            keyring: Arc::new(Keyring::new(&instance)),
            instance,
            tables,
            engine,
            ids: IdBlocks::default(),
            hints: broadcast::channel(HINTS_KEPT).0,
            texts: Mutex::new(Texts::new(engine)),
            unique_rules,
            access: AccessLog::new(),
            epochs: Epochs::default(),
            counts: Counts::default(),
            world: tokio::sync::RwLock::default(),
            worlds: AtomicU64::default(),
            heads_file: tokio::sync::Mutex::default(),
            follower: Mutex::default(),
        }
    }

    /// Which world is there.
    pub(crate) fn world_number(&self) -> u64 {
        self.worlds.load(Ordering::Acquire)
    }

    /// Another world is there: called when that is committed, and before anybody else begins to write.
    pub(crate) fn begin_world(&self) {
        self.worlds.fetch_add(1, Ordering::AcqRel);
    }

    /// Refuses who begins to write by what was looked up in a world that is not there any more.
    pub(crate) fn check_world(&self, of: Option<u64>) -> Result<(), StoreError> {
        match of {
            Some(number) if number != self.world_number() => Err(StoreError::OtherWorld),
            _ => Ok(()),
        }
    }

    /// Tells the listeners; each hint once.
    pub(crate) fn tell(&self, hints: &[Hint]) {
        for (n, hint) in hints.iter().enumerate() {
            if !hints[..n].contains(hint) {
                // Nobody listening is no error.
                let _ = self.hints.send(*hint);
            }
        }
    }
}
