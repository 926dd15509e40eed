//! Waiting for a state, with a deadline. The only place that sleeps.

use std::time::{Duration, Instant};

/// The deadline of everything that has no reason for another: far above what a loaded machine
/// takes, so that only what never happens fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer.
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, ask)
}

/// Asks until there is an answer, at most so long; panics with `what` afterwards.
pub fn within<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        pause(Duration::from_millis(10));
    }
}

/// Lets a moment pass between two looks, or before a blow whose moment is drawn by lot.
pub fn pause(moment: Duration) {
    std::thread::sleep(moment); // allow-sleep: polling a condition
}
