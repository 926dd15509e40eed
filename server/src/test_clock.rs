//! Moving the Sandbox's clock: stop, go on, go forward. Never back, for what happened by then has
//! happened; a reset starts over. One that nobody moves any more goes as real time does after a
//! while (ISO-45), or whoever left it on would wait for reminders that are never due.
//!
//! Only logical time moves. Sessions, one-time links, keys, rate limits and signatures live in
//! real time, so no move of the clock revives or ends one.

mod left_on;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Moment};
use serde_json::{Value as Json, json};
use ward_instance::clock::{Clock, Course};
use ward_instance::{Config, SandboxWitness, Timestamp};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Actor, Db, Scope, StoreError, Tx, test_clock};

pub use left_on::{Return, let_go};

/// The clock goes at most so far ahead of real time: a hundred years, in microseconds.
const MOST_AHEAD: i64 = 36_525 * 24 * 3_600 * 1_000_000;

/// Logical milliseconds in a second of real time.
const REAL_RATE: u32 = 1_000;

/// Without a move for so many hours of real time it goes as real time does, unless said otherwise.
const IDLE_HOURS: u32 = 24;

/// An hour, in microseconds.
const HOUR: i64 = 3_600 * 1_000_000;

/// The slowest that it goes, in the same unit: a second in a quarter of an hour.
const SLOWEST: f64 = 1.0;

/// The fastest: an hour a second, which is as long as work that is due waits for its turn.
const FASTEST: f64 = 3_600_000.0;

/// What is to be done to the clock.
#[derive(Clone, Debug)]
pub enum Act {
    /// It stands still.
    Freeze,
    /// It goes on from where it is, as fast as real time.
    Resume,
    /// It goes on from where it is, so many times as fast as real time.
    Rate(f64),
    /// It goes on to a moment.
    To(Timestamp),
    /// It goes on by a span; months and years are the calendar's.
    By(Span),
}

/// Why the clock was not moved; nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// It would go back.
    #[error("the clock goes forward only, and it shows {0} already")]
    Back(Timestamp),
    /// It would go too far.
    #[error("the clock goes at most 100 years ahead of real time")]
    TooFar,
    /// The span is none.
    #[error("the clock is advanced by a time above zero, such as 90s, 20m, 3d or PT1H")]
    NoSpan,
    /// It would stand still, or go faster than what is due can be done.
    #[error("the clock goes at 0.001 to 3600 times the rate of real time; freeze stops it")]
    NoRate,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ward_store::Failure for ClockError {
    fn store(&self) -> Option<&StoreError> {
        match self {
            ClockError::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Does it at once, audited as the actor's; where the clock was, and where it is to be.
/// `in_steps`: a way forward is not gone yet, the caller [`step`]s there.
pub async fn act(
    db: &Db,
    witness: SandboxWitness,
    actor: &Actor,
    act: Act,
    in_steps: bool,
) -> Result<Timestamp, ClockError> {
    let actor = actor.clone();
    let (course, target) = db
        .write(move |tx: &mut Tx| {
            let (actor, act) = (actor.clone(), act.clone());
            Box::pin(async move {
                let course = test_clock::held(tx, &witness).await?;
                let before = Course { logical: course.at(tx.wall()), wall: tx.wall(), ..course };
                let after = after(before, &act)?;
                let next = if in_steps { Course { rate: after.rate, ..before } } else { after };
                test_clock::keep(tx, &witness, next).await?;
                record(tx, &actor, before, after);
                Ok::<_, ClockError>((next, after.logical))
            })
        })
        .await?;
    test_clock::set(db, &witness, course);
    Ok(target)
}

/// Goes forward to a moment; nothing when the clock is past it.
pub async fn step(db: &Db, witness: SandboxWitness, to: Timestamp) -> Result<(), StoreError> {
    let course = db
        .write(move |tx: &mut Tx| {
            Box::pin(async move {
                let course = test_clock::held(tx, &witness).await?;
                let logical = course.at(tx.wall()).max(to);
                let next = Course { wall: tx.wall(), logical, ..course };
                test_clock::keep(tx, &witness, next).await?;
                Ok::<_, StoreError>(next)
            })
        })
        .await?;
    test_clock::set(db, &witness, course);
    Ok(())
}

/// For how long nobody has to move the clock for it to be left on, in microseconds of real time;
/// `None`: it never is.
pub fn idle_limit(config: &Config) -> Option<i64> {
    match config.clock_idle_hours.unwrap_or(IDLE_HOURS) {
        0 => None,
        hours => Some(i64::from(hours) * HOUR),
    }
}

/// When a clock that nobody moves goes as real time does, in real time; `None` where it does already,
/// at real time or ahead of it.
pub fn returns_at(course: Course, limit: Option<i64>) -> Option<Timestamp> {
    let is_real = course.rate == REAL_RATE && course.logical >= course.wall;
    limit.filter(|_| !is_real).map(|limit| course.wall.plus_micros(limit))
}

/// Whether it is time for that.
fn is_left_on(course: Course, wall: Timestamp, limit: Option<i64>) -> bool {
    returns_at(course, limit).is_some_and(|at| at <= wall)
}

/// Whether this process's clock was left on.
pub fn is_idle(clock: &Clock, limit: Option<i64>) -> bool {
    is_left_on(clock.course(), clock.wall(), limit)
}

/// Where a clock that was left on is to be, seen at the moment at which `course` was set: at real
/// time, or where it is when that is ahead.
fn let_go_from(course: Course) -> Course {
    Course { logical: course.logical.max(course.wall), rate: REAL_RATE, ..course }
}

/// The course after an act, seen at the moment at which `course` was set.
fn after(course: Course, act: &Act) -> Result<Course, ClockError> {
    let logical = match act {
        Act::Freeze => return Ok(Course { rate: 0, ..course }),
        Act::Resume => return Ok(Course { rate: REAL_RATE, ..course }),
        Act::Rate(times) => return Ok(Course { rate: rate_of(*times)?, ..course }),
        Act::To(to) => *to,
        Act::By(span) => later(course.logical, *span)?,
    };
    if logical < course.logical {
        return Err(ClockError::Back(course.logical));
    }
    if logical.micros_since(course.wall) > MOST_AHEAD {
        return Err(ClockError::TooFar);
    }
    Ok(Course { logical, ..course })
}

fn rate_of(times: f64) -> Result<u32, ClockError> {
    match times * f64::from(REAL_RATE) {
        // Rounded to thousandths; within the bounds no digit is lost.
        rate if (SLOWEST..=FASTEST).contains(&rate) => Ok(rate.round() as u32),
        _ => Err(ClockError::NoRate),
    }
}

/// A span later, by the calendar of UTC.
fn later(from: Timestamp, span: Span) -> Result<Timestamp, ClockError> {
    if !span.is_positive() {
        return Err(ClockError::NoSpan);
    }
    let from = Moment::from_microsecond(from.0).map_err(|_| ClockError::TooFar)?;
    let to =
        from.to_zoned_datetime(TimeZone::UTC).checked_add(span).map_err(|_| ClockError::TooFar)?;
    Ok(Timestamp(to.timestamp().as_microsecond()))
}

fn record(tx: &mut Tx, actor: &Actor, before: Course, after: Course) {
    let tag = tx.instance().tag().to_string();
    let mut entry = AuditEntry::by(actor, AuditType::Admin, "CLOCK", tag);
    let told = |field: &str, before: String, after: String| {
        AuditChange::new(field, Some(&before), Some(&after))
    };
    entry.changes = vec![
        told("now", before.logical.to_string(), after.logical.to_string()),
        told("frozen", (before.rate == 0).to_string(), (after.rate == 0).to_string()),
        told("rate", rate(before.rate).to_string(), rate(after.rate).to_string()),
    ];
    Scope::new(tx, actor).record(entry);
}

/// The clock as the control plane shows it; `limit` is the [`idle_limit`].
pub fn shown(clock: &Clock, limit: Option<i64>) -> Json {
    let (course, wall) = (clock.course(), clock.wall());
    let now = course.at(wall);
    json!({
        "now": now.to_string(),
        "offset_seconds": now.micros_since(wall) / 1_000_000,
        "frozen": course.rate == 0,
        "rate": rate(course.rate),
        "returns_at": returns_at(course, limit).map(|at| at.to_string()),
    })
}

/// Seconds of the clock in a second of real time.
fn rate(rate: u32) -> Json {
    if rate.is_multiple_of(REAL_RATE) {
        json!(rate / REAL_RATE)
    } else {
        json!(f64::from(rate) / f64::from(REAL_RATE))
    }
}

/// Whether the clock shows something else than real time.
pub fn is_moved(clock: &Clock) -> bool {
    clock.course() != Course::REAL
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_772_452_800_000_000);

    fn course(rate: u32) -> Course {
        Course { wall: NOON, logical: NOON.plus_seconds(60), rate }
    }

    fn moved(act: Act) -> Result<Course, String> {
        after(course(REAL_RATE), &act).map_err(|error| error.to_string())
    }

    fn by(span: &str) -> Result<String, String> {
        moved(Act::By(span.parse().unwrap())).map(|course| course.logical.to_string())
    }

    #[test]
    fn forward_only() {
        let now = NOON.plus_seconds(60);
        assert_eq!(moved(Act::To(now)).unwrap(), course(REAL_RATE));
        assert_eq!(moved(Act::To(now.plus_seconds(5))).unwrap().logical, now.plus_seconds(5));
        let back = moved(Act::To(now.minus_micros(1))).unwrap_err();
        assert_eq!(back, format!("the clock goes forward only, and it shows {now} already"));
        for none in ["PT0S", "-PT1H"] {
            assert!(by(none).unwrap_err().contains("above zero"), "{none}");
        }
        assert!(by("P101Y").unwrap_err().contains("100 years"));
        assert!(by("P9999Y").unwrap_err().contains("100 years"));
    }

    #[test]
    fn spans_are_the_calendars() {
        assert_eq!(NOON.to_string(), "2026-03-02T12:00:00Z");
        assert_eq!(by("90s").unwrap(), "2026-03-02T12:02:30Z");
        assert_eq!(by("PT3600S").unwrap(), "2026-03-02T13:01:00Z");
        assert_eq!(by("3d").unwrap(), "2026-03-05T12:01:00Z");
        assert_eq!(by("P1M").unwrap(), "2026-04-02T12:01:00Z");
    }

    #[test]
    fn freezing_and_resuming_keep_the_moment() {
        let frozen = moved(Act::Freeze).unwrap();
        assert_eq!(frozen, course(0));
        assert_eq!(frozen.at(NOON.plus_seconds(900)), NOON.plus_seconds(60));
        assert_eq!(after(frozen, &Act::Resume).unwrap(), course(REAL_RATE));
    }

    #[test]
    fn it_goes_faster_and_slower_from_where_it_is() {
        let hour_a_second = moved(Act::Rate(3_600.0)).unwrap();
        assert_eq!(hour_a_second.at(NOON), NOON.plus_seconds(60));
        assert_eq!(hour_a_second.at(NOON.plus_seconds(2)), NOON.plus_seconds(60 + 7_200));
        let half = moved(Act::Rate(0.5)).unwrap();
        assert_eq!(half.at(NOON.plus_seconds(10)), NOON.plus_seconds(65));
        assert_eq!(moved(Act::Rate(1.0)).unwrap(), course(REAL_RATE));
        for wrong in [0.0, -1.0, 0.000_9, 3_600.1, f64::NAN, f64::INFINITY] {
            assert!(moved(Act::Rate(wrong)).unwrap_err().contains("0.001 to 3600"), "{wrong}");
        }
    }

    #[test]
    fn iso_45_what_nobody_moves_goes_as_real_time_does() {
        let behind = |rate| Course { wall: NOON, logical: NOON.plus_seconds(-60), rate };
        let due = NOON.plus_seconds(86_400);
        for left in [course(0), course(500), course(60_000), behind(0), behind(REAL_RATE)] {
            assert_eq!(returns_at(left, Some(24 * HOUR)), Some(due), "{left:?}");
            assert!(!is_left_on(left, due.minus_micros(1), Some(24 * HOUR)), "{left:?}");
            assert!(is_left_on(left, due, Some(24 * HOUR)), "{left:?}");
            assert!(!is_left_on(left, due, Some(25 * HOUR)), "{left:?}");
            assert_eq!(returns_at(left, None), None, "{left:?}");
        }
        let real = Course { wall: NOON, logical: NOON, rate: REAL_RATE };
        for kept in [Course::REAL, real, course(REAL_RATE)] {
            assert_eq!(returns_at(kept, Some(24 * HOUR)), None, "{kept:?}");
        }
    }

    #[test]
    fn iso_45_it_never_goes_back() {
        let at = |seconds| Course { wall: NOON, logical: NOON.plus_seconds(seconds), rate: 0 };
        for (before, after) in [(-86_400, 0), (0, 0), (3_600, 3_600)] {
            let wanted = Course { rate: REAL_RATE, ..at(after) };
            assert_eq!(let_go_from(at(before)), wanted, "{before}");
            assert_eq!(returns_at(let_go_from(at(before)), Some(1)), None, "once is enough");
        }
    }

    #[test]
    fn the_rate_is_a_plain_number() {
        assert_eq!([0, 1_000, 60_000, 500].map(|it| rate(it).to_string()), ["0", "1", "60", "0.5"]);
    }
}
