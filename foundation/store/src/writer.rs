//! The way to SQLite's one writer, the thread of `desk.rs`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::checkpointer::Checkpointer;
use crate::core::Core;
use crate::desk::Desk;
use crate::driver::lite::{Access, Durability, Lite};
use crate::error::StoreError;
use crate::member::Member;

/// Members that wait at most.
const QUEUE_MAX: usize = 4_096;
/// How much the writer has done since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Commits, each one sync of the disk.
    pub commits: u64,
    /// Members that were run, repetitions included.
    pub members: u64,
}

/// What the thread counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) members: AtomicU64,
    /// A sync failed: what the disk holds is unknown, so nothing more may be
    /// acknowledged.
    pub(crate) is_broken: AtomicBool,
}

/// The way to the writer.
pub(crate) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Member>>>>,
    /// The writer's, then that of who writes the log back.
    threads: Mutex<Vec<JoinHandle<()>>>,
    counters: Arc<Counters>,
}

impl Writer {
    /// Starts the thread with the connection that writes the file.
    pub(crate) fn start(
        core: &Arc<Core>,
        lite: Lite,
        path: &Path,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let counters = Arc::new(Counters::default());
        let (checkpointer, beside) = match durability {
            Durability::Kept => Some(Checkpointer::start(path, &counters)?).unzip(),
            // Nothing waits for the disk.
            Durability::Passing => (None, None),
        };
        let desk = Desk::new(core, lite, &counters, checkpointer);
        let thread = std::thread::Builder::new()
            .name("ward-writer".into())
            .spawn(move || desk.serve(&waiting))
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        let threads = std::iter::once(thread).chain(beside).collect();
        Ok(Writer { queue: Mutex::new(Some(queue)), threads: Mutex::new(threads), counters })
    }

    /// Queues a member; refuses when too many wait.
    pub(crate) fn enqueue(&self, member: Box<dyn Member>) -> Result<(), StoreError> {
        let queue = self.queue.lock();
        let Some(queue) = &*queue else {
            return Err(StoreError::Unavailable("the store is shut down".into()));
        };
        queue.try_send(member).map_err(|error| match error {
            TrySendError::Full(_) => {
                StoreError::Unavailable("too many writes are waiting; retry".into())
            }
            TrySendError::Disconnected(_) => {
                StoreError::Unavailable("the writer has stopped".into())
            }
        })
    }

    /// What was done so far.
    pub(crate) fn stats(&self) -> WriterStats {
        WriterStats {
            commits: self.counters.commits.load(Ordering::Relaxed),
            members: self.counters.members.load(Ordering::Relaxed),
        }
    }

    /// Whether a sync failed, so that every write is refused until a restart.
    pub(crate) fn is_broken(&self) -> bool {
        self.counters.is_broken.load(Ordering::Acquire)
    }

    /// Takes no more members, finishes those that wait and checkpoints. Blocks.
    pub(crate) fn stop(&self) {
        drop(self.queue.lock().take());
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the writer ended in a panic");
            }
        }
    }
}

/// Opens the connection that the writer takes.
pub(crate) fn open_lite(path: &Path, durability: Durability) -> Result<Lite, StoreError> {
    Lite::open_for(path, Access::Write, durability)
}
