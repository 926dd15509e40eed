//! What there is to tell of a rotation: phases, damage, how it ended.

use std::fmt;

/// A value that can't be brought under the new root because it does not open,
/// or its MAC does not fit, under the old one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// The table.
    pub table: &'static str,
    /// The column, or `file`.
    pub column: &'static str,
    /// The row's key.
    pub row: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} of row {}", self.table, self.column, self.row)
    }
}

/// Where a rotation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The key file gets its new root.
    Root,
    /// The certificate is signed under it.
    Certificate,
    /// Organizations get data keys.
    DataKeys,
    /// Waits for those who began with older keys.
    Waiting,
    /// Rows and files are sealed and signed anew.
    Values,
    /// The old root leaves the key file.
    Dropping,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Phase; 6] = [
        Phase::Root,
        Phase::Certificate,
        Phase::DataKeys,
        Phase::Waiting,
        Phase::Values,
        Phase::Dropping,
    ];

    /// The word in answers of commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Root => "root",
            Phase::Certificate => "certificate",
            Phase::DataKeys => "data_keys",
            Phase::Waiting => "waiting",
            Phase::Values => "values",
            Phase::Dropping => "dropping",
        }
    }
}

/// How far a rotation is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Versions of the roots that are to go.
    pub from: Vec<u32>,
    /// Version of the root that stays.
    pub to: u32,
    /// Where it stands.
    pub phase: Phase,
    /// The table at work.
    pub table: &'static str,
    /// Values sealed or signed anew so far.
    pub changed: u64,
    /// What could not be, named up to the first hundred.
    pub damaged: Vec<Damaged>,
}

/// How a rotation ended.
#[derive(Clone, Debug)]
pub enum End {
    /// The old root is gone.
    Done(Progress),
    /// Everything else is under the new root, and the old one stays because of
    /// damaged values.
    Damaged(Progress),
    /// It was told to stop; it goes on when it is run again.
    Stopped(Progress),
    /// Another process works on the same PostgreSQL database and may still
    /// write with older keys; it goes on when it is run again without it.
    NotAlone(Progress),
}
