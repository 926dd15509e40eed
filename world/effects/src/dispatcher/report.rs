//! What a run of the dispatcher did.

/// What a run did, in jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Handed over.
    pub done: u64,
    /// Held back, since its class is off or nothing is connected.
    pub waiting: u64,
    /// Failed, to be tried again.
    pub retried: u64,
    /// Failed for good.
    pub failed: u64,
    /// There was nothing to do: it had been done or given up before.
    pub settled: u64,
    /// Taken over by another worker meanwhile, which records it.
    pub lost: u64,
    /// The store failed; the job is tried again.
    pub errors: u64,
}

impl Report {
    /// All jobs that the run took.
    pub const fn total(&self) -> u64 {
        self.done
            + self.waiting
            + self.retried
            + self.failed
            + self.settled
            + self.lost
            + self.errors
    }

    pub(super) fn add(&mut self, other: Report) {
        self.done += other.done;
        self.waiting += other.waiting;
        self.retried += other.retried;
        self.failed += other.failed;
        self.settled += other.settled;
        self.lost += other.lost;
        self.errors += other.errors;
    }

    pub(super) fn count(&mut self, end: End) {
        let place = match end {
            End::Done => &mut self.done,
            End::Waiting => &mut self.waiting,
            End::Retried => &mut self.retried,
            End::Failed => &mut self.failed,
            End::Settled => &mut self.settled,
            End::Lost => &mut self.lost,
            End::Error => &mut self.errors,
        };
        *place += 1;
    }
}

/// What became of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Waiting,
    Retried,
    Failed,
    Settled,
    Lost,
    Error,
}
