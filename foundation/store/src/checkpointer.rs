//! Writes SQLite's log back into its file, beside the writer.
//!
//! Left to itself SQLite does this in the COMMIT that makes the log long: whoever waits for the
//! writer then waits for a thousand pages and two further syncs of the disk. Here another
//! connection does it, and takes no lock that the writer needs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::driver::lite::{Access, Lite};
use crate::driver::lite_error;
use crate::error::StoreError;
use crate::writer::Counters;

/// Pages that are written back together, as many as SQLite would by itself.
const TOGETHER: i32 = 1_000;

/// The way to the thread that does it; it ends when this is dropped.
pub(crate) struct Checkpointer {
    wake: SyncSender<()>,
    /// How long the log was when it was last woken.
    woken_at: i32,
}

impl Checkpointer {
    /// Opens its connection and starts the thread.
    pub(crate) fn start(
        path: &Path,
        counters: &Arc<Counters>,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        let lite = Lite::open(path, Access::Write)?;
        let counters = Arc::clone(counters);
        // One waits beside the one that is served: what came meanwhile is looked at once more.
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("ward-checkpoint".into())
            .spawn(move || serve(&lite, &woken, &counters))
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        Ok((Checkpointer { wake, woken_at: 0 }, thread))
    }

    /// Told after each commit how many pages the log has.
    pub(crate) fn committed(&mut self, pages: i32) {
        // It began anew.
        if pages < self.woken_at {
            self.woken_at = 0;
        }
        if pages - self.woken_at < TOGETHER {
            return;
        }
        self.woken_at = pages;
        if let Err(TrySendError::Disconnected(())) = self.wake.try_send(()) {
            tracing::error!("the log is not written back beside the writer any more");
        }
    }
}

fn serve(lite: &Lite, woken: &Receiver<()>, counters: &Counters) {
    while woken.recv().is_ok() {
        if counters.is_broken.load(Ordering::Acquire) {
            break;
        }
        let Err(error) = lite.write_back() else { continue };
        tracing::warn!(error = %lite_error::map(&error), "the log was not written back yet");
        // The file may miss pages that the system holds for written; the log has them.
        counters.is_broken.fetch_or(lite_error::is_sync_failure(&error), Ordering::AcqRel);
    }
    if counters.is_broken.load(Ordering::Acquire) {
        lite.keep_log();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::lite::create_file;

    /// Before this SQLite could lose commits when two connections write the log back.
    const SAFE: i32 = 3_051_003;

    /// The writer alone leaves the file as it was, whatever it commits; another connection writes
    /// it back meanwhile.
    #[test]
    fn a_log_that_was_left_is_written_back_by_another() {
        assert!(rusqlite::version_number() >= SAFE);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("left.db");
        create_file(&path).unwrap();
        let size = || path.metadata().unwrap().len();
        let writer = Lite::open(&path, Access::Write).unwrap();
        writer.leave_log();
        writer.batch("CREATE TABLE filled (n INTEGER PRIMARY KEY, bytes BLOB)").unwrap();
        let fill = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1500) \
            INSERT INTO filled (bytes) SELECT randomblob(4000) FROM c";
        let before = size();
        writer.batch(fill).unwrap();
        assert!(Lite::log().pages > TOGETHER);
        assert_eq!(size(), before, "the writer wrote it back");
        Lite::open(&path, Access::Write).unwrap().write_back().unwrap();
        assert!(size() > before + 1_500 * 4_000);
        // Ten times as much is more than anybody waits for.
        for _ in 0..12 {
            writer.batch(fill).unwrap();
        }
        assert!(size() > before + 10 * 1_500 * 4_000, "nobody helped");
    }
}
