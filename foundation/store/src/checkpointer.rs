//! Writes SQLite's log back into its file, beside the writer.
//!
//! Left to itself SQLite does this in the COMMIT that makes the log long: whoever waits for the
//! writer then waits for a thousand pages and two further syncs of the disk. Here another
//! connection does it, and takes no lock that the writer needs.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::driver::lite::{Access, Lite};
use crate::error::StoreError;

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
    pub(crate) fn start(path: &Path) -> Result<(Self, JoinHandle<()>), StoreError> {
        let lite = Lite::open(path, Access::Write)?;
        // One waits beside the one that is served: what came meanwhile is looked at once more.
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("ward-checkpoint".into())
            .spawn(move || serve(&lite, &woken))
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

fn serve(lite: &Lite, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if let Err(error) = lite.write_back() {
            tracing::warn!(%error, "the log was not written back; the next commits make up for it");
        }
    }
}
