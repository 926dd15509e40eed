//! Who may still work with keys of before: readers and transactions hold the
//! epoch in which they began, and a rotation waits until an old one is empty.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// How often a waiting rotation looks again.
const AGAIN: Duration = Duration::from_millis(5);

/// Held by what began in an epoch, for as long as it lives.
#[derive(Clone, Debug)]
pub(crate) struct Epoch {
    _token: Arc<()>,
}

/// The present epoch.
#[derive(Debug, Default)]
pub(crate) struct Epochs(Mutex<Arc<()>>);

impl Epochs {
    /// Enters the present epoch.
    pub(crate) fn enter(&self) -> Epoch {
        Epoch { _token: Arc::clone(&self.0.lock()) }
    }

    /// Begins a new epoch and waits until nobody of an earlier one is left. The
    /// caller holds neither a reader nor a transaction.
    pub(crate) async fn pass(&self) {
        let old = std::mem::take(&mut *self.0.lock());
        emptied(&old).await;
    }
}

/// Waits until nobody else holds the token.
pub(crate) async fn emptied(token: &Arc<()>) {
    while Arc::strong_count(token) > 1 {
        tokio::time::sleep(AGAIN).await;
    }
}
