//! What the dispatcher asks of who looks at stored files for malware, simulated or live.

use std::future::Future;

use ward_store::StoreError;
use ward_store::blobs::Download;

/// What a look at a file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Nothing was found.
    Clean,
    /// Something was found.
    Found {
        /// What the scanner calls it: `Eicar-Test-Signature`.
        threat: String,
    },
    /// No scanner is there, or the one that is configured is not reached: the file waits until there
    /// is one, and no attempt is counted.
    NotConnected,
    /// It was not looked at.
    Failed {
        /// Why, without the file's name or anything of its content.
        reason: String,
        /// Whether another attempt may succeed.
        retry: bool,
    },
}

/// A scanner of stored files.
///
/// The dispatcher asks at least once: the same file may come twice. It answers well within
/// [`crate::LEASE`]. It is given a file that is open already, and no key that opens another.
pub trait Scanner: Send + Sync + 'static {
    /// Whether a scanner is there now; never, where none is configured. What waits for it is let go
    /// only then, and no file is opened for it before. It is asked for each file and every minute, and
    /// does not wait.
    fn is_connected(&self) -> bool;

    /// Looks at a file, from its first byte to its last.
    fn scan(&self, file: &mut Download) -> impl Future<Output = Judged> + Send;
}

/// A scanner that takes Production's witness to arm; a simulator is none.
pub trait LiveScanner: Scanner {}

/// What a look comes to at a file that can't be read. One that is damaged stays so.
pub(crate) fn unreadable(error: &StoreError) -> Judged {
    let retry = !matches!(error, StoreError::Corrupt { .. });
    Judged::Failed { reason: format!("the stored file can't be read: {error}"), retry }
}
