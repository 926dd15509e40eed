//! When a member is away: the one-off window and the weekly ones of a chat setting
//! (behaviour 32), as pure rules.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use ward_instance::Timestamp;

/// Hours of some days of the week; to midnight and beyond when the end is not
/// after the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// The days on which it begins.
    pub days: Vec<Weekday>,
    /// From here on.
    pub start: Time,
    /// Until here.
    pub end: Time,
}

impl DayRange {
    /// Out of the contract's texts: `["monday", "tue"]` and `09:00-17:00`,
    /// `9:00 AM - 5:00 PM`, or nothing for the whole day.
    pub fn read(days: &[String], range: Option<&str>) -> Option<Self> {
        let days = days.iter().map(|day| weekday(day)).collect::<Option<Vec<_>>>()?;
        let (start, end) = match range.map(str::trim).filter(|text| !text.is_empty()) {
            None => (Time::midnight(), Time::midnight()),
            Some(text) => {
                let (start, end) = text.split_once(['-', '\u{2013}'])?;
                (time(start)?, time(end)?)
            }
        };
        Some(DayRange { days, start, end })
    }

    /// The day on which the range began that a local time is in.
    fn began(&self, now: DateTime) -> Option<Date> {
        let (today, time) = (now.date(), now.time());
        let goes_on = self.end <= self.start;
        let is_on = |day: Date| self.days.contains(&day.weekday());
        let from_today = self.start <= time && (goes_on || time < self.end);
        if from_today && is_on(today) {
            return Some(today);
        }
        let yesterday = today.yesterday().ok()?;
        (goes_on && time < self.end && is_on(yesterday)).then_some(yesterday)
    }
}

/// The first of weekly ranges that a moment is in, by the day on which it began:
/// one absence.
pub fn weekly(ranges: &[DayRange], now: Timestamp, zone: &TimeZone) -> Option<Date> {
    let now = jiff::Timestamp::from_microsecond(now.0).ok()?;
    let local = zone.to_datetime(now);
    ranges.iter().find_map(|range| range.began(local))
}

/// Whether a moment is in the one-off window; without an end it does not end.
pub fn is_in(now: Timestamp, start: Option<Timestamp>, end: Option<Timestamp>) -> bool {
    start.is_none_or(|start| start <= now) && end.is_none_or(|end| now < end)
}

fn weekday(text: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let text = text.trim().to_lowercase();
    let is = |name: &str| name == text || (text.len() >= 2 && name.starts_with(&*text));
    DAYS.iter().find(|(name, _)| is(name)).map(|(_, day)| *day)
}

/// `9:00`, `09:00`, `9 AM`, `5:30 pm`.
fn time(text: &str) -> Option<Time> {
    let text = text.trim().to_lowercase();
    let (clock, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim(), Some(0)),
        (_, Some(clock)) => (clock.trim(), Some(12)),
        (None, None) => (text.as_str(), None),
    };
    let (hour, minute) = clock.split_once(':').unwrap_or((clock, "00"));
    let number = |digits: &str| match digits.len() {
        1 | 2 if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<i8>().ok(),
        _ => None,
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let hour = match half {
        None if clock.contains(':') => hour,
        None => return None,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
    };
    Time::new(hour, minute, 0, 0).ok()
}
