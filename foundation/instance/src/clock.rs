//! Time: the only place that reads the clock.
//!
//! *Wall* time is the machine's, but never goes back: what expired stays expired and timers run on
//! when the machine's clock is put back (REL-06). *Logical* time is what the instance lives in. They are equal but
//! in a Sandbox, whose owner may run ahead, slow down or stop. Moving logical time takes a
//! [`SandboxWitness`], so there is no such call in Production (ISO-46).

#![allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use parking_lot::RwLock;

use crate::birth::SandboxWitness;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment `seconds` after the epoch; saturates at the ends of time.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// This many microseconds later; saturates.
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This many microseconds earlier; saturates.
    pub const fn minus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_sub(micros))
    }

    /// This many seconds later; saturates.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds from `earlier` to this moment, negative when it is later; saturates.
    pub const fn micros_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// RFC 3339 in UTC; outside the calendar's years -9999 to 9999, the bare number.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

/// A text that is not an RFC 3339 moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a moment such as 2026-03-02T09:00:00Z")]
pub struct NotATimestamp;

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| NotATimestamp)?;
        Ok(Self(moment.as_microsecond()))
    }
}

/// The instance's clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wall: Wall,
    course: RwLock<Course>,
}

#[derive(Debug)]
enum Wall {
    /// `ahead`: by how many microseconds wall time leads the time since `started`, at most so far.
    System {
        started: Instant,
        ahead: AtomicI64,
    },
    Manual {
        now: AtomicI64,
        start: i64,
    },
}

/// How logical time runs: where it was at a moment of wall time, and how fast it goes since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Wall time at which the course was set.
    pub wall: Timestamp,
    /// Logical time at that moment.
    pub logical: Timestamp,
    /// Logical milliseconds per wall second: 1,000 is real time, 0 is frozen.
    pub rate: u32,
}

impl Course {
    /// Logical time is wall time.
    pub const REAL: Course = Course { wall: Timestamp(0), logical: Timestamp(0), rate: 1_000 };

    /// Logical time at a moment of wall time; never before the moment at which the course was
    /// set, so a restart on a machine whose clock was put back does not take it back either.
    pub fn at(&self, wall: Timestamp) -> Timestamp {
        let elapsed = i128::from(wall.micros_since(self.wall).max(0));
        let passed = elapsed * i128::from(self.rate) / 1_000;
        self.logical.plus_micros(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(Wall::System { started: Instant::now(), ahead: AtomicI64::new(i64::MIN) })
    }

    /// A clock that stands at `start` until told otherwise.
    pub fn manual(start: Timestamp) -> Self {
        Self::new(Wall::Manual { now: AtomicI64::new(start.0), start: start.0 })
    }

    fn new(wall: Wall) -> Self {
        Self(Arc::new(Inner { wall, course: RwLock::new(Course::REAL) }))
    }

    /// Logical time: for jobs, reminders, invoices, `created_at`.
    pub fn now(&self) -> Timestamp {
        self.0.course.read().at(self.wall())
    }

    /// Wall time: for signatures, expiry of keys, rate limits and the audit's second column.
    pub fn wall(&self) -> Timestamp {
        match &self.0.wall {
            Wall::System { started, ahead } => {
                // In this order: a pause between the two readings makes it too early, never too late.
                let machine = jiff::Timestamp::now().as_microsecond();
                let elapsed = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
                let now = machine.saturating_sub(elapsed);
                let most = ahead.fetch_max(now, Ordering::AcqRel).max(now);
                Timestamp(most.saturating_add(elapsed))
            }
            Wall::Manual { now, .. } => Timestamp(now.load(Ordering::Acquire)),
        }
    }

    /// Microseconds since the clock was made; never goes back. For measuring, not for dating.
    pub fn monotonic_micros(&self) -> u64 {
        match &self.0.wall {
            Wall::System { started, .. } => {
                u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
            }
            Wall::Manual { now, start } => {
                now.load(Ordering::Acquire).saturating_sub(*start).max(0).unsigned_abs()
            }
        }
    }

    /// By how much the machine's clock is behind wall time, because it was put back, in microseconds.
    pub fn behind_micros(&self) -> i64 {
        match &self.0.wall {
            Wall::System { .. } => {
                let wall = self.wall();
                wall.micros_since(Timestamp(jiff::Timestamp::now().as_microsecond())).max(0)
            }
            Wall::Manual { .. } => 0,
        }
    }

    /// Puts a manual clock to `to`; a system clock is left alone.
    pub fn set(&self, to: Timestamp) {
        if let Wall::Manual { now, .. } = &self.0.wall {
            now.store(to.0, Ordering::Release);
        }
    }

    /// Moves a manual clock on by `micros`; a system clock is left alone.
    pub fn advance(&self, micros: i64) {
        if let Wall::Manual { now, .. } = &self.0.wall {
            now.fetch_add(micros, Ordering::AcqRel);
        }
    }

    /// Logical minus wall time, in microseconds.
    pub fn offset_micros(&self) -> i64 {
        let wall = self.wall();
        self.0.course.read().at(wall).micros_since(wall)
    }

    /// Puts logical time `offset` microseconds ahead of wall time; the rate stays.
    pub fn set_offset_micros(&self, _: &SandboxWitness, offset: i64) {
        let wall = self.wall();
        let mut course = self.0.course.write();
        *course = Course { wall, logical: wall.plus_micros(offset), rate: course.rate };
    }

    /// Changes how fast logical time runs from here on; see [`Course::rate`].
    pub fn set_rate(&self, _: &SandboxWitness, rate: u32) {
        let wall = self.wall();
        let mut course = self.0.course.write();
        *course = Course { wall, logical: course.at(wall), rate };
    }

    /// The course to store, so that it survives a restart.
    pub fn course(&self) -> Course {
        *self.0.course.read()
    }

    /// Brings a stored course back.
    pub fn set_course(&self, _: &SandboxWitness, course: Course) {
        *self.0.course.write() = course;
    }
}
