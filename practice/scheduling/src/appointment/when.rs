//! When an appointment is, of the days and times that an input names (behaviour 9,
//! 23.2). Pure.

use jiff::tz::TimeZone;
use ward_engine::{Given, Problems, moment};
use ward_identity::lines::label;
use ward_instance::Timestamp;

use crate::appointment_type::input::LENGTH_MINUTES_MAX;
use crate::availability::wall::{self, Interval};

/// The first year that an appointment can be in.
pub const FIRST_YEAR: i16 = 1970;
/// The farthest that an appointment can be ahead, in days.
pub const DAYS_AHEAD_MAX: i64 = 3_650;
/// The longest blocker, in days.
pub const BLOCKER_DAYS_MAX: i64 = 366;
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1_440 * MINUTE;

/// The days and times of an input, each as it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times<'a> {
    /// The start itself; it counts before a day and a time of day.
    pub datetime: Option<&'a str>,
    /// The day of the start, or the start itself.
    pub date: Option<&'a str>,
    /// The time of day of the start.
    pub time: Option<&'a str>,
    /// The day of the end, or the end itself.
    pub end_date: Option<&'a str>,
    /// The time of day of the end.
    pub end_time: Option<&'a str>,
}

impl Times<'_> {
    /// Whether anything is said of the start.
    pub fn name_a_start(&self) -> bool {
        self.datetime.is_some() || self.date.is_some() || self.time.is_some()
    }

    /// Whether anything is said of the end.
    pub fn name_an_end(&self) -> bool {
        self.end_date.is_some() || self.end_time.is_some()
    }
}

/// What is known where the times say nothing.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// When it was.
    pub before: Option<Interval>,
    /// How long it is, in minutes, unless an end is named: a type's length.
    pub length: Option<i64>,
    /// Whether it is a blocker, which can take days.
    pub is_blocker: bool,
}

/// When an appointment is; all that is wrong is added to the problems.
pub fn when(
    times: &Times<'_>,
    known: &Known,
    zone: &TimeZone,
    now: Timestamp,
    problems: &mut Problems,
) -> Option<Interval> {
    let at = if times.datetime.is_some() { "datetime" } else { "date" };
    let start = match times.name_a_start() {
        true => start(times, known, zone, problems)?,
        false => match known.before {
            Some(before) => before.start,
            None => {
                problems.add("datetime", "Datetime can't be blank");
                return None;
            }
        },
    };
    let end = match (times.name_an_end(), known.length, known.before) {
        (true, ..) => end(times, start, zone, problems)?,
        (false, Some(length), _) => Timestamp(start.0.saturating_add(length * MINUTE)),
        (false, None, Some(before)) => Timestamp(start.0 + (before.end.0 - before.start.0)),
        (false, None, None) => {
            problems.add("end_time", "End time can't be blank");
            return None;
        }
    };
    let Some(interval) = Interval::new(start, end) else {
        problems.add("end_time", "End time must be after the start");
        return None;
    };
    bounded(&interval, known.is_blocker, at, now, problems).then_some(interval)
}

/// Whether an appointment can be then.
fn bounded(
    interval: &Interval,
    is_blocker: bool,
    at: &str,
    now: Timestamp,
    problems: &mut Problems,
) -> bool {
    let mut add = |field: &str, message: String| {
        problems.add(field, message);
        false
    };
    let year = wall::day_of(&TimeZone::UTC, interval.start).map_or(0, |day| day.year());
    if year < FIRST_YEAR {
        return add(at, format!("{} can't be before {FIRST_YEAR}", label(at)));
    }
    if interval.start.0 > now.0.saturating_add(DAYS_AHEAD_MAX * DAY) {
        return add(at, format!("{} must be within {DAYS_AHEAD_MAX} days", label(at)));
    }
    if interval.start.0 % MINUTE != 0 || interval.end.0 % MINUTE != 0 {
        return add(at, "An appointment must begin and end on a whole minute".to_owned());
    }
    let length = interval.minutes();
    match is_blocker {
        true if length > BLOCKER_DAYS_MAX * 1_440 => {
            add("end_time", format!("A blocker can't be longer than {BLOCKER_DAYS_MAX} days"))
        }
        false if length > LENGTH_MINUTES_MAX => add(
            "end_time",
            format!("An appointment can't be longer than {LENGTH_MINUTES_MAX} minutes"),
        ),
        _ => true,
    }
}

fn start(
    times: &Times<'_>,
    known: &Known,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Option<Timestamp> {
    if let Some(text) = times.datetime {
        return instant("datetime", text, zone, problems);
    }
    let before = known.before.map(|it| it.start);
    match (times.date, times.time) {
        (Some(date), None) => instant("date", date, zone, problems),
        (date, Some(time)) => at_time("date", date, ("time", time), before, zone, problems),
        (None, None) => before,
    }
}

fn end(
    times: &Times<'_>,
    start: Timestamp,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Option<Timestamp> {
    match (times.end_date, times.end_time) {
        (Some(date), None) => instant("end_date", date, zone, problems),
        (date, Some(time)) => {
            at_time("end_date", date, ("end_time", time), Some(start), zone, problems)
        }
        (None, None) => None,
    }
}

fn instant(field: &str, text: &str, zone: &TimeZone, problems: &mut Problems) -> Option<Timestamp> {
    let found = moment::instant(text, zone);
    if found.is_none() {
        let sentence = format!("{} must be a moment such as 2026-03-04T09:30:00", label(field));
        problems.add(field, sentence);
    }
    found
}

/// A time of day on a day, which is that of `other` where none is named.
fn at_time(
    field: &str,
    date: Option<&str>,
    (time_field, time): (&str, &str),
    other: Option<Timestamp>,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Option<Timestamp> {
    let minute = wall::minute_of(time);
    if minute.is_none() {
        let sentence = format!("{} must be a time of day such as 09 30", label(time_field));
        problems.add(time_field, sentence);
    }
    let day = match date {
        // The day on the wall of a moment.
        Some(text) if text.contains(':') => {
            moment::instant(text, zone).and_then(|at| wall::day_of(zone, at))
        }
        Some(text) => moment::day(text).map(|day| day.0),
        None => other.and_then(|at| wall::day_of(zone, at)),
    };
    if day.is_none() {
        let sentence = match date {
            Some(_) => format!("{} must be a date such as August 16, 2026", label(field)),
            None => format!("{} can't be blank", label(field)),
        };
        problems.add(field, sentence);
    }
    wall::instant(zone, day?, minute?)
}

/// The zone in which times are read, and its name: the one that is named, else the
/// caller's.
pub fn zone(
    sent: &Given<String>,
    callers: &TimeZone,
    problems: &mut Problems,
) -> (TimeZone, String) {
    if let Some(name) = sent.trimmed() {
        match moment::zone(name) {
            Some(zone) => return (zone, name.to_owned()),
            None => problems.add("timezone", moment::unknown_zone("Timezone")),
        }
    }
    let name = callers.iana_name().unwrap_or("America/New_York").to_owned();
    (callers.clone(), name)
}
