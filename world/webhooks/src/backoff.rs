//! When a failed delivery is tried again (behaviour 13.4): after 30 seconds, then twice as long
//! each time, at most 8 hours, until 72 hours after the first attempt. All on the instance's
//! clock, so that a test clock can walk through it.

use ward_instance::Timestamp;

const SECOND: i64 = 1_000_000;
/// The wait after the first failure.
const FIRST: i64 = 30 * SECOND;
/// The longest wait.
const LONGEST: i64 = 8 * 3_600 * SECOND;
/// How long a receiver's own `Retry-After` is respected.
const RETRY_AFTER_MAX: i64 = 3_600 * SECOND;
/// How long an event is tried.
pub const GIVE_UP: i64 = 72 * 3_600 * SECOND;
/// After how long of failing its developers are warned.
pub const WARN: i64 = 24 * 3_600 * SECOND;

/// Doublings after which the longest wait is reached.
const DOUBLINGS_MAX: i64 = 16;

/// Microseconds to wait after this many failed attempts, before jitter.
pub fn wait(attempts: i64) -> i64 {
    let doublings = attempts.clamp(1, DOUBLINGS_MAX) - 1;
    (FIRST << doublings).min(LONGEST)
}

/// The wait with ±10 %, by a number drawn evenly from 0 to 2000.
pub fn jittered(wait: i64, drawn: u64) -> i64 {
    let part = i64::try_from(drawn.min(2_000)).unwrap_or(1_000) - 1_000;
    wait + wait / 10_000 * part
}

/// When to try again after an attempt at `now`; `None` when the event's time is over.
///
/// `first` is the first failure that counts, `retry_after` what the receiver asked for, in
/// microseconds. The last attempt is made when the time is over, not before.
pub fn next(
    attempts: i64,
    first: Timestamp,
    now: Timestamp,
    retry_after: Option<i64>,
    drawn: u64,
) -> Option<Timestamp> {
    let end = first.plus_micros(GIVE_UP);
    if now >= end {
        return None;
    }
    let asked = retry_after.unwrap_or(0).clamp(0, RETRY_AFTER_MAX);
    let wait = jittered(wait(attempts), drawn).max(asked);
    Some(now.plus_micros(wait).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600 * SECOND;
    const MIDDLE: u64 = 1_000;

    #[test]
    fn the_schedule_of_three_days() {
        let start = Timestamp(1_700_000_000 * SECOND);
        let (mut at, mut attempts, mut waits) = (start, 1, Vec::new());
        while let Some(due) = next(attempts, start, at, None, MIDDLE) {
            waits.push(due.micros_since(at) / SECOND);
            (at, attempts) = (due, attempts + 1);
        }
        let doubling = [30, 60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360];
        assert_eq!(waits[..10], doubling);
        assert!(waits[10..waits.len() - 1].iter().all(|wait| *wait == 8 * 3_600), "{waits:?}");
        assert_eq!(at.micros_since(start), 72 * HOUR);
        assert_eq!(attempts, 19);
    }

    #[test]
    fn a_receiver_may_ask_for_up_to_an_hour() {
        let start = Timestamp(0);
        let wait = |asked| next(1, start, start, Some(asked), MIDDLE).unwrap().0 / SECOND;
        assert_eq!((wait(10 * SECOND), wait(300 * SECOND), wait(9 * HOUR)), (30, 300, 3_600));
    }

    proptest! {
        #[test]
        fn jitter_is_a_tenth(attempts in 1_i64..100, drawn in 0_u64..=2_000) {
            let wait = wait(attempts);
            let drawn = jittered(wait, drawn);
            prop_assert!(drawn >= wait / 10 * 9 && drawn <= wait / 10 * 11, "{wait} {drawn}");
        }

        #[test]
        fn never_in_the_past_nor_beyond_the_end(
            attempts in 1_i64..100, passed in 0_i64..100 * HOUR, asked in proptest::option::of(-HOUR..100 * HOUR),
            drawn in 0_u64..=2_000,
        ) {
            let (first, now) = (Timestamp(0), Timestamp(passed));
            match next(attempts, first, now, asked, drawn) {
                Some(due) => prop_assert!(due > now && due.0 <= GIVE_UP),
                None => prop_assert!(passed >= GIVE_UP),
            }
        }
    }
}
