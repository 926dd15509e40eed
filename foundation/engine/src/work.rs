//! How much work a request has asked for, where fields do not tell.

use std::sync::atomic::{AtomicI64, Ordering};

/// Work of one request, of all its fields together, in units of whoever bounds it.
#[derive(Debug, Default)]
pub struct Work(AtomicI64);

impl Work {
    /// Adds to it; how much it is by now.
    pub fn add(&self, units: i64) -> i64 {
        let before = self.0.fetch_add(units, Ordering::Relaxed);
        before.saturating_add(units)
    }
}
