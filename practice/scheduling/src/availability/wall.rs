//! Wall-clock times and the instants that they are (behaviour 20, DOM-01, DOM-02).
//! Pure.
//!
//! A weekly availability keeps its wall-clock time when the clocks change. A time
//! that such a change skips moves forward by the gap; one that occurs twice is the
//! earlier. Intervals are half-open, and a day has as many hours as it has.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use ward_instance::Timestamp;

/// Minutes of a day on the wall.
pub const DAY_MINUTES: i64 = 1_440;

/// From an instant to another, without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant behind it.
    pub end: Timestamp,
}

impl Interval {
    /// From `start` to `end`; nothing when that is no time at all.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Interval { start, end })
    }

    /// Whether the two have an instant in common.
    pub fn meets(&self, other: &Interval) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// How long it takes, in whole minutes.
    pub fn minutes(&self) -> i64 {
        (self.end.0 - self.start.0) / 60_000_000
    }
}

/// The instant of a minute of a day on the wall; minute 1,440 is the midnight at
/// its end. Nothing beyond the calendar.
pub fn instant(zone: &TimeZone, date: Date, minute: i64) -> Option<Timestamp> {
    let (date, minute) = match minute.checked_sub(DAY_MINUTES) {
        Some(over) if over >= 0 => (date.tomorrow().ok()?, over),
        _ => (date, minute),
    };
    let hour = i8::try_from(minute / 60).ok()?;
    let time = Time::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    let local = zone.to_ambiguous_zoned_datetime(DateTime::from_parts(date, time));
    Some(Timestamp(local.compatible().ok()?.timestamp().as_microsecond()))
}

/// The day on the wall at an instant.
pub fn day_of(zone: &TimeZone, at: Timestamp) -> Option<Date> {
    let at = jiff::Timestamp::from_microsecond(at.0).ok()?;
    Some(at.to_zoned_datetime(zone.clone()).date())
}

/// A time on the wall that comes back every week.
#[derive(Clone, Debug)]
pub struct Weekly {
    /// The zone of the wall.
    pub zone: TimeZone,
    /// 0 for Sunday to 6 for Saturday.
    pub weekday: i8,
    /// The first day that can have it.
    pub first: Date,
    /// The last day that can have it.
    pub last: Option<Date>,
    /// Minutes of the day.
    pub start_minute: i64,
    /// Minutes of the day, behind the start.
    pub end_minute: i64,
}

impl Weekly {
    /// What it is on a day; nothing where the clocks leave nothing of it.
    pub fn on(&self, date: Date) -> Option<Interval> {
        let start = instant(&self.zone, date, self.start_minute)?;
        Interval::new(start, instant(&self.zone, date, self.end_minute)?)
    }

    /// The occurrences that meet a window, in order, with their days.
    pub fn within(&self, window: &Interval) -> Vec<(Date, Interval)> {
        let bounds = (day_of(&self.zone, window.start), day_of(&self.zone, window.end));
        let (Some(from), Some(to)) = bounds else { return Vec::new() };
        // An occurrence can begin on the day before, and a shifted one on the next.
        let from = from.checked_sub(1.day()).unwrap_or(from).max(self.first);
        let to = to.checked_add(1.day()).unwrap_or(to);
        let to = self.last.map_or(to, |last| last.min(to));
        let ahead = (self.weekday - from.weekday().to_sunday_zero_offset()).rem_euclid(7);
        let mut found = Vec::new();
        let mut day = from.checked_add(i64::from(ahead).days()).ok();
        while let Some(date) = day.filter(|date| *date <= to) {
            let occurrence = self.on(date).filter(|it| it.meets(window));
            found.extend(occurrence.map(|it| (date, it)));
            day = date.checked_add(7.days()).ok();
        }
        found
    }
}

/// A length as the contract shows it: `4h 20min`, `45min`, `2h`.
pub fn duration(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}min"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h {minutes}min"),
    }
}

/// Minutes of the day of a text such as `09 30` or `09:30`.
pub fn minute_of(text: &str) -> Option<i64> {
    let (hour, minute) = text.trim().split_once([' ', ':'])?;
    let number = |text: &str| text.trim().parse::<i64>().ok().filter(|n| *n >= 0);
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour <= 23 && minute <= 59).then_some(hour * 60 + minute)
}
