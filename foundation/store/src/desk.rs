//! SQLite's one writer: a thread that commits waiting transactions in groups.
//!
//! Each member of a group works in one transaction, and nobody is answered
//! before its COMMIT is on the disk. While a COMMIT syncs, the next members
//! queue up: there is no timer. A member that fails after it has written
//! undoes all of the group, which then runs again with a savepoint around each
//! member: a savepoint copies every page that is changed inside, and hardly any
//! member fails so late. A full disk, an I/O error or an interrupt can end the
//! *whole* transaction inside one member; then that member alone fails and the
//! others run again in a new group.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use ward_instance::clock::Course;
use ward_instance::{SandboxWitness, crash};

use crate::checkpointer::Checkpointer;
use crate::core::{Core, Hint};
use crate::driver::lite::Lite;
use crate::driver::lite_error;
use crate::error::StoreError;
use crate::follow::Follower;
use crate::id_blocks::Draft;
use crate::member::{Member, answer_all};
use crate::outbox::Heads;
use crate::tx::Tx;
use crate::writer::Counters;

/// Members of one commit at most.
const GROUP_MAX: usize = 64;
/// A member that holds the writer longer is logged.
const SLOW_MICROS: u64 = 250_000;

/// After so long without a write the log is emptied into the file.
const IDLE: Duration = Duration::from_secs(5);

/// What the thread owns.
pub(crate) struct Desk {
    core: Arc<Core>,
    /// Away only while a member works with it.
    lite: Option<Lite>,
    heads: Heads,
    counters: Arc<Counters>,
    /// Something was committed since the log was emptied.
    has_log: bool,
    /// Writes the log back meanwhile.
    checkpointer: Option<Checkpointer>,
}

/// What a group's members left to be done at the commit.
#[derive(Default)]
struct Left {
    hints: Vec<Hint>,
    /// Somebody wrote more than a log.
    is_change: bool,
    /// The last one brought a snapshot back.
    back: Option<(SandboxWitness, Course)>,
    /// The last one emptied the Sandbox, or brought a snapshot back.
    is_other_world: bool,
}

/// How a group is run.
#[derive(Clone, Copy)]
struct How {
    /// Each member in a savepoint of its own.
    is_guarded: bool,
    /// With what follows from events.
    is_followed: bool,
}

/// What became of a group.
enum End {
    /// So many of its members; the others come after them.
    Committed(usize),
    /// The transaction never began; everybody gets the error.
    NotBegun(rusqlite::Error),
    /// This member took the whole transaction down.
    LostBy(usize),
    /// What follows did.
    LostByFollower,
    /// A member failed that had written, without a savepoint.
    Unguarded,
    /// COMMIT failed.
    CommitFailed(rusqlite::Error),
}

impl Desk {
    /// With the connection that writes.
    pub(crate) fn new(
        core: &Arc<Core>,
        lite: Lite,
        counters: &Arc<Counters>,
        checkpointer: Option<Checkpointer>,
    ) -> Self {
        if checkpointer.is_some() {
            lite.leave_log();
        }
        Desk {
            core: Arc::clone(core),
            lite: Some(lite),
            heads: Heads::default(),
            counters: Arc::clone(counters),
            has_log: false,
            checkpointer,
        }
    }

    /// Commits what waits, until nobody can queue up any more.
    pub(crate) fn serve(mut self, waiting: &Receiver<Box<dyn Member>>) {
        while let Some(first) = self.next(waiting) {
            let mut group = vec![first];
            group.extend(waiting.try_iter().take(GROUP_MAX - 1));
            // Whoever has gone away meanwhile is not served.
            group.retain(|member| !member.is_abandoned());
            self.settle(group);
        }
        self.end();
    }

    /// Empties the log into the file. Where whoever writes it back is still at it, the connection
    /// that is closed last does.
    fn end(&mut self) {
        let Some(lite) = &self.lite else { return };
        if !self.counters.is_broken.load(Ordering::Acquire)
            && let Err(error) = lite.empty_log()
        {
            let said = lite_error::map(&error);
            tracing::warn!(error = %said, "the last checkpoint failed; the next start makes up for it");
            self.doubt(&error);
        }
        if self.counters.is_broken.load(Ordering::Acquire) {
            lite.keep_log();
        }
    }

    /// After a sync that failed nothing more is acknowledged, and the log stays: the file may miss
    /// pages that the system holds for written.
    fn doubt(&self, error: &rusqlite::Error) {
        let is_broken = lite_error::is_sync_failure(error);
        self.counters.is_broken.fetch_or(is_broken, Ordering::AcqRel);
    }

    /// The next member; empties the log once when none comes for a while.
    fn next(&mut self, waiting: &Receiver<Box<dyn Member>>) -> Option<Box<dyn Member>> {
        while self.has_log && !self.counters.is_broken.load(Ordering::Acquire) {
            match waiting.recv_timeout(IDLE) {
                Ok(member) => return Some(member),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            match self.lite.as_ref().map(Lite::checkpoint_if_free) {
                None | Some(Ok(true)) => self.has_log = false,
                // Somebody still needs it; the next time, then.
                Some(Ok(false)) => {}
                Some(Err(error)) => {
                    self.has_log = false;
                    tracing::warn!(error = %lite_error::map(&error), "the log was not emptied");
                    self.doubt(&error);
                }
            }
        }
        waiting.recv().ok()
    }

    /// Runs a group until every member has its answer.
    fn settle(&mut self, mut group: Vec<Box<dyn Member>>) {
        let mut how = How { is_guarded: false, is_followed: true };
        while !group.is_empty() {
            if self.counters.is_broken.load(Ordering::Acquire) {
                let error = "an earlier commit failed at the disk; check it and restart";
                answer_all(group, || StoreError::Full(error.into()));
                return;
            }
            let end = self.attempt(&mut group, how);
            if let Some(lite) = &mut self.lite {
                lite.let_go();
            }
            match end {
                End::Committed(members) => {
                    group.drain(..members).for_each(Member::acknowledge);
                }
                End::NotBegun(error) => {
                    answer_all(group, || lite_error::map(&error));
                    return;
                }
                End::LostBy(guilty) => group.remove(guilty).acknowledge(),
                End::LostByFollower => how.is_followed = false,
                End::Unguarded => how.is_guarded = true,
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
    fn attempt(&mut self, group: &mut [Box<dyn Member>], how: How) -> End {
        if let Err(error) = self.control("BEGIN IMMEDIATE") {
            return End::NotBegun(error);
        }
        let mut draft = Draft::default();
        let mut left = Left::default();
        let (mut kept, mut members) = (0_usize, 0);
        let is_alone = group.len() == 1;
        for (place, member) in group.iter_mut().enumerate() {
            members = place + 1;
            match self.run_member(member.as_mut(), &mut draft, &mut left, how.is_guarded) {
                Ran::Kept => kept += 1,
                // Alone: nothing is kept, so the transaction is rolled back.
                Ran::Left if is_alone => {}
                Ran::Undone => {}
                Ran::Left => {
                    self.abandon();
                    return End::Unguarded;
                }
                Ran::Lost => {
                    self.abandon();
                    return End::LostBy(place);
                }
            }
            // Who comes behind it lives in the world that is there then, by its clock.
            if left.is_other_world {
                break;
            }
        }
        let mut follower = self.follower(&left).filter(|_| how.is_followed && kept > 0);
        if let Some(follower) = &mut follower
            && self.run_member(follower.as_mut(), &mut draft, &mut left, true) == Ran::Lost
        {
            self.abandon();
            return End::LostByFollower;
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
        if kept > 0
            && let Some(checkpointer) = &mut self.checkpointer
        {
            let log = Lite::log();
            checkpointer.committed(log.pages);
            self.counters.is_broken.fetch_or(log.is_broken, Ordering::AcqRel);
        }
        if left.is_change {
            self.core.counts.changed();
        }
        self.heads.commit();
        if left.is_other_world {
            self.core.begin_world();
        }
        if let Some((witness, course)) = left.back {
            self.heads.forget();
            self.core.instance.clock().set_course(&witness, course);
        }
        self.core.ids.publish(&mut draft);
        self.core.tell(&left.hints);
        if let Some(follower) = follower {
            follower.acknowledge();
        }
        End::Committed(members)
    }

    /// What is to be done behind a group that left this.
    fn follower(&self, left: &Left) -> Option<Box<dyn Member>> {
        let is_due = [Hint::Events, Hint::Deliveries].iter().any(|it| left.hints.contains(it));
        let follower = self.core.follower.lock().clone().filter(|_| is_due && left.back.is_none());
        follower.map(Follower::member)
    }

    /// One member, in a savepoint if it is guarded.
    fn run_member(
        &mut self,
        member: &mut dyn Member,
        draft: &mut Draft,
        left: &mut Left,
        is_guarded: bool,
    ) -> Ran {
        if is_guarded && let Err(error) = self.control("SAVEPOINT member") {
            member.fail(lite_error::map(&error));
            return Ran::Lost;
        }
        let Some(mut lite) = self.lite.take() else {
            member.fail(StoreError::internal("the writer has no connection"));
            return Ran::Lost;
        };
        lite.is_touched = false;
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
                left.is_other_world |= parts.is_other_world;
            }
            self.lite = Some(parts.lite);
        }
        let ran = self.leave_member(member, is_good, is_guarded);
        if ran != Ran::Kept {
            self.heads.restore(heads_before);
            draft.back_to(&draft_before);
        }
        ran
    }

    /// Keeps or undoes what the member did, if the transaction still stands.
    fn leave_member(&self, member: &mut dyn Member, is_good: bool, is_guarded: bool) -> Ran {
        if !self.lite.as_ref().is_some_and(Lite::in_transaction) {
            if is_good {
                // It went on after the error that ended the transaction.
                let what = "the whole transaction was rolled back by the engine";
                member.fail(StoreError::Full(what.into()));
            }
            return Ran::Lost;
        }
        if !is_guarded {
            let is_touched = self.lite.as_ref().is_some_and(|lite| lite.is_touched);
            return match (is_good, is_touched) {
                (true, _) => Ran::Kept,
                (false, false) => Ran::Undone,
                (false, true) => Ran::Left,
            };
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
    /// It failed, and what it wrote stands in the transaction.
    Left,
    /// The whole transaction is gone with it.
    Lost,
}
