//! When the appointments of a series are, and what an input says of one (behaviour
//! 23.5). Pure.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_engine::{Given, Problems, input};
use ward_store::text_enum;

use crate::appointment::when::DAYS_AHEAD_MAX;
use crate::availability::wall::{self, Interval};
use crate::settings::input::Whole;
use ward_instance::Timestamp;

/// The most appointments of a series: two years of weeks.
pub const TIMES_MAX: i64 = 104;
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1_440 * MINUTE;

text_enum! {
    /// How often a series comes back.
    pub enum RepeatInterval {
        Weekly = "Weekly",
        Biweekly = "Biweekly",
        Monthly = "Monthly",
        EveryFourWeeks = "Every 4 Weeks",
    }
}

impl RepeatInterval {
    /// The day of an appointment of a series, counted from 0: the same day of the
    /// week, or of the month, or the month's last where it has no such day.
    fn day(self, first: Date, nth: i64) -> Option<Date> {
        match self {
            RepeatInterval::Weekly => first.checked_add((nth * 7).days()),
            RepeatInterval::Biweekly => first.checked_add((nth * 14).days()),
            RepeatInterval::EveryFourWeeks => first.checked_add((nth * 28).days()),
            RepeatInterval::Monthly => first.checked_add(nth.months()),
        }
        .ok()
    }
}

input! {
    /// `RecurringAppointmentInput`.
    pub struct Recurring {
        join_all: bool,
        repeat_interval: String,
        repeat_times: Whole,
    }
}

/// What an input says of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// How often.
    pub interval: Option<RepeatInterval>,
    /// How many, the first one counted.
    pub times: Option<i64>,
    /// Whether those who attend come to all of them.
    pub join_all: Option<bool>,
}

impl Said {
    /// Whether anything is said.
    pub fn is_said(&self) -> bool {
        self.interval.is_some() || self.times.is_some()
    }

    /// Of the input's object, else of the fields that stood for it before.
    pub fn of(
        object: &Given<Recurring>,
        older: &Recurring,
        repeat: &Given<bool>,
        problems: &mut Problems,
    ) -> Self {
        let given = match object.value() {
            Some(given) => given,
            None if repeat.value() == Some(&false) => return Said::default(),
            None => older,
        };
        let interval = given.repeat_interval.trimmed();
        let found = interval.and_then(RepeatInterval::from_text);
        if interval.is_some() && found.is_none() {
            let known = RepeatInterval::TEXTS.join(", ");
            problems.add("repeat_interval", format!("Repeat interval must be one of {known}"));
        }
        let times = given.repeat_times.value().and_then(|it| it.0);
        if times.is_some_and(|times| !(1..=TIMES_MAX).contains(&times)) {
            problems.add("repeat_times", format!("Repeat times must be from 1 to {TIMES_MAX}"));
        }
        Said { interval: found, times, join_all: given.join_all.value().copied() }
    }
}

/// When the appointments of a series are, of which the first is given: each at the
/// time on the wall of the first, whatever the clocks do, and as long. Nothing when
/// one of them would be beyond what can be booked.
pub fn occurrences(
    first: &Interval,
    zone: &TimeZone,
    every: RepeatInterval,
    times: i64,
    now: Timestamp,
) -> Option<Vec<Interval>> {
    let local =
        jiff::Timestamp::from_microsecond(first.start.0).ok()?.to_zoned_datetime(zone.clone());
    let minute = i64::from(local.time().hour()) * 60 + i64::from(local.time().minute());
    let length = first.end.0 - first.start.0;
    let mut all = Vec::with_capacity(usize::try_from(times).ok()?);
    all.push(*first);
    for nth in 1..times {
        let start = wall::instant(zone, every.day(local.date(), nth)?, minute)?;
        if start.0 > now.0.saturating_add(DAYS_AHEAD_MAX * DAY) {
            return None;
        }
        all.push(Interval { start, end: Timestamp(start.0 + length) });
    }
    Some(all)
}
