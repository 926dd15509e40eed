//! The rate limit (behaviour 11): a token bucket for each key and each
//! address; no lock-out.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Requests a second for each caller, unless configured.
pub const DEFAULT_RATE: u32 = 250;
/// Callers remembered; above, those that are idle are forgotten.
const MAX_CALLERS: usize = 100_000;

/// The limiter; a rate of 0 is off.
pub struct Limiter {
    buckets: Option<Arc<DefaultKeyedRateLimiter<Box<str>>>>,
    clock: DefaultClock,
}

impl Limiter {
    /// So many requests a second, with bursts of twice as many.
    pub fn new(rate: u32) -> Self {
        let buckets = NonZeroU32::new(rate).map(|rate| {
            let quota = Quota::per_second(rate)
                .allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
            Arc::new(RateLimiter::keyed(quota))
        });
        Limiter { buckets, clock: DefaultClock::default() }
    }

    /// Takes one request from the caller's bucket; how long to wait when it is
    /// empty.
    pub fn take(&self, caller: &str) -> Result<(), Duration> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        if buckets.len() > MAX_CALLERS {
            buckets.retain_recent();
        }
        buckets
            .check_key(&Box::from(caller))
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}
