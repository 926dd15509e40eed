//! SQLite's one writer: a thread that commits waiting transactions in groups.
//!
//! Each member of a group works in a savepoint of one transaction, and nobody
//! is answered before its COMMIT is on the disk. While a COMMIT syncs, the next
//! members queue up: there is no timer. A full disk, an I/O error or an
//! interrupt can end the *whole* transaction inside one member; then that
//! member alone fails and the others run again in a new group.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use ward_instance::clock::Course;
use ward_instance::{SandboxWitness, crash};

use crate::core::{Core, Hint};
use crate::driver::lite::{Access, Lite};
use crate::driver::lite_error;
use crate::error::StoreError;
use crate::id_blocks::Draft;
use crate::member::Member;
use crate::outbox::Heads;
use crate::tx::Tx;

/// Members that wait at most.
const QUEUE_MAX: usize = 4_096;
/// Members of one commit at most.
const GROUP_MAX: usize = 64;
/// A member that holds the writer longer is logged.
const SLOW_MICROS: u64 = 250_000;

/// After so long without a write the log is emptied into the file.
const IDLE: Duration = Duration::from_secs(5);

/// How much the writer has done since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Commits, each one sync of the disk.
    pub commits: u64,
    /// Members that were run, repetitions included.
    pub members: u64,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    members: AtomicU64,
    /// A sync failed: what the disk holds is unknown, so nothing more may be
    /// acknowledged.
    is_broken: AtomicBool,
}

/// The way to the writer.
pub(crate) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Member>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    counters: Arc<Counters>,
}

impl Writer {
    /// Opens the writing connection and starts the thread.
    pub(crate) fn start(core: &Arc<Core>, lite: Lite) -> Result<Self, StoreError> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let counters = Arc::new(Counters::default());
        let desk = Desk {
            core: Arc::clone(core),
            lite: Some(lite),
            heads: Heads::default(),
            counters: Arc::clone(&counters),
            has_log: false,
        };
        let thread = std::thread::Builder::new()
            .name("ward-writer".into())
            .spawn(move || desk.serve(&waiting))
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        Ok(Writer { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)), counters })
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
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the writer ended in a panic");
        }
    }
}

/// Opens the connection that the writer takes.
pub(crate) fn open_lite(path: &Path) -> Result<Lite, StoreError> {
    Lite::open(path, Access::Write)
}

/// What the thread owns.
struct Desk {
    core: Arc<Core>,
    /// Away only while a member works with it.
    lite: Option<Lite>,
    heads: Heads,
    counters: Arc<Counters>,
    /// Something was committed since the log was emptied.
    has_log: bool,
}

/// What a group's members left to be done at the commit.
#[derive(Default)]
struct Left {
    hints: Vec<Hint>,
    /// Somebody wrote more than a log.
    is_change: bool,
    /// The last one brought a snapshot back.
    back: Option<(SandboxWitness, Course)>,
}

/// What became of a group.
enum End {
    /// So many of its members; the others come after them.
    Committed(usize),
    /// The transaction never began; everybody gets the error.
    NotBegun(rusqlite::Error),
    /// This member took the whole transaction down.
    LostBy(usize),
    /// COMMIT failed.
    CommitFailed(rusqlite::Error),
}

impl Desk {
    fn serve(mut self, waiting: &Receiver<Box<dyn Member>>) {
        while let Some(first) = self.next(waiting) {
            let mut group = vec![first];
            group.extend(waiting.try_iter().take(GROUP_MAX - 1));
            // Whoever has gone away meanwhile is not served.
            group.retain(|member| !member.is_abandoned());
            self.settle(group);
        }
        let checkpointed = self.lite.as_ref().map(Lite::checkpoint);
        if let Some(Err(error)) = checkpointed {
            tracing::warn!(%error, "the last checkpoint failed; the next start makes up for it");
        }
    }

    /// The next member; empties the log once when none comes for a while.
    fn next(&mut self, waiting: &Receiver<Box<dyn Member>>) -> Option<Box<dyn Member>> {
        if self.has_log {
            match waiting.recv_timeout(IDLE) {
                Ok(member) => return Some(member),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.has_log = false,
            }
            if let Some(Err(error)) = self.lite.as_ref().map(Lite::checkpoint_if_free) {
                tracing::debug!(%error, "the log was not emptied");
            }
        }
        waiting.recv().ok()
    }

    /// Runs a group until every member has its answer.
    fn settle(&mut self, mut group: Vec<Box<dyn Member>>) {
        while !group.is_empty() {
            if self.counters.is_broken.load(Ordering::Acquire) {
                let error = "an earlier commit failed at the disk; check it and restart";
                answer_all(group, || StoreError::Full(error.into()));
                return;
            }
            match self.attempt(&mut group) {
                End::Committed(members) => {
                    group.drain(..members).for_each(Member::acknowledge);
                }
                End::NotBegun(error) => {
                    answer_all(group, || lite_error::map(&error));
                    return;
                }
                End::LostBy(guilty) => group.remove(guilty).acknowledge(),
                End::CommitFailed(error) => {
                    tracing::error!(error = %lite_error::map(&error), "a commit failed");
                    let is_broken = lite_error::is_sync_failure(&error);
                    self.counters.is_broken.fetch_or(is_broken, Ordering::AcqRel);
                    if is_broken || group.len() == 1 {
                        answer_all(group, || lite_error::map(&error));
                    } else {
                        // One of them may have been too large: each alone.
                        group.into_iter().for_each(|member| self.settle(vec![member]));
                    }
                    return;
                }
            }
        }
    }

    /// One transaction with all members of the group.
    fn attempt(&mut self, group: &mut [Box<dyn Member>]) -> End {
        if let Err(error) = self.control("BEGIN IMMEDIATE") {
            return End::NotBegun(error);
        }
        let mut draft = Draft::default();
        let mut left = Left::default();
        let (mut kept, mut members) = (0_usize, 0);
        for (place, member) in group.iter_mut().enumerate() {
            members = place + 1;
            match self.run_member(member.as_mut(), &mut draft, &mut left) {
                Ran::Kept => kept += 1,
                Ran::Undone => {}
                Ran::Lost => {
                    self.abandon();
                    return End::LostBy(place);
                }
            }
            // Who comes behind it lives in the world that is back, by its clock.
            if left.back.is_some() {
                break;
            }
        }
        crash::point("commit.before");
        let end = if kept == 0 { "ROLLBACK" } else { "COMMIT" };
        if let Err(error) = self.control(end) {
            self.abandon();
            return End::CommitFailed(error);
        }
        crash::point("commit.after");
        self.counters.commits.fetch_add(u64::from(kept > 0), Ordering::Relaxed);
        self.has_log |= kept > 0;
        if left.is_change {
            self.core.counts.changed();
        }
        self.heads.commit();
        if let Some((witness, course)) = left.back {
            self.heads.forget();
            self.core.instance.clock().set_course(&witness, course);
        }
        self.core.ids.publish(&mut draft);
        self.core.tell(&left.hints);
        End::Committed(members)
    }

    /// One member in its savepoint.
    fn run_member(&mut self, member: &mut dyn Member, draft: &mut Draft, left: &mut Left) -> Ran {
        if let Err(error) = self.control("SAVEPOINT member") {
            member.fail(lite_error::map(&error));
            return Ran::Lost;
        }
        let Some(lite) = self.lite.take() else {
            member.fail(StoreError::internal("the writer has no connection"));
            return Ran::Lost;
        };
        let heads_before = self.heads.mark();
        let draft_before = draft.mark();
        let heads = std::mem::take(&mut self.heads);
        let mut tx = Tx::lite(&self.core, lite, heads, std::mem::take(draft));
        let started = self.core.instance.clock().monotonic_micros();
        let is_good = member.run(&mut tx);
        let micros = self.core.instance.clock().monotonic_micros().saturating_sub(started);
        if micros > SLOW_MICROS {
            tracing::warn!(micros, "a write held the writer for longer than 250 ms");
        }
        self.counters.members.fetch_add(1, Ordering::Relaxed);
        if let Some(parts) = tx.into_lite() {
            self.heads = parts.heads;
            *draft = parts.draft;
            if is_good {
                left.hints.extend(parts.hints);
                left.is_change |= !parts.is_log;
                left.back = parts.back;
            }
            self.lite = Some(parts.lite);
        }
        let ran = self.leave_savepoint(member, is_good);
        if ran != Ran::Kept {
            self.heads.restore(heads_before);
            draft.back_to(&draft_before);
        }
        ran
    }

    /// Keeps or undoes what the member did, if the transaction still stands.
    fn leave_savepoint(&self, member: &mut dyn Member, is_good: bool) -> Ran {
        if !self.lite.as_ref().is_some_and(Lite::in_transaction) {
            if is_good {
                // It went on after the error that ended the transaction.
                let what = "the whole transaction was rolled back by the engine";
                member.fail(StoreError::Full(what.into()));
            }
            return Ran::Lost;
        }
        let left = if is_good {
            self.control("RELEASE member")
        } else {
            self.control("ROLLBACK TO member").and_then(|()| self.control("RELEASE member"))
        };
        match left {
            Ok(()) if is_good => Ran::Kept,
            Ok(()) => Ran::Undone,
            Err(error) => {
                member.fail(lite_error::map(&error));
                Ran::Lost
            }
        }
    }

    /// Puts everything back to before the group.
    fn abandon(&mut self) {
        self.heads.revert();
        if self.lite.as_ref().is_some_and(Lite::in_transaction)
            && let Err(error) = self.control("ROLLBACK")
        {
            tracing::error!(error = %lite_error::map(&error), "a rollback failed");
        }
    }

    fn control(&self, text: &str) -> Result<(), rusqlite::Error> {
        match &self.lite {
            Some(lite) => lite.control(text),
            None => Err(rusqlite::Error::InvalidQuery),
        }
    }
}

/// What became of a member inside its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ran {
    /// Done; waits for the commit.
    Kept,
    /// It failed, and nothing of it is left.
    Undone,
    /// The whole transaction is gone with it.
    Lost,
}

fn answer_all(group: Vec<Box<dyn Member>>, error: impl Fn() -> StoreError) {
    for mut member in group {
        member.fail(error());
        member.acknowledge();
    }
}
