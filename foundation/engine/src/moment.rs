//! Dates and times as clients send them (behaviour 9).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use ward_instance::Timestamp;
use ward_store::Day;

/// A day: `1990-02-01`, `February 1, 1990`, or the day of a date-time.
pub fn day(text: &str) -> Option<Day> {
    let text = text.trim();
    let date = text
        .get(..10)
        .filter(|_| matches!(text.as_bytes().get(10), None | Some(b'T' | b' ')))
        .and_then(|head| head.parse::<Date>().ok())
        .or_else(|| Date::strptime("%B %d, %Y", text).ok())
        .or_else(|| Date::strptime("%m/%d/%Y", text).ok());
    date.filter(|date| date.year() > 0).map(Day)
}

/// An instant. Without an offset it is read in `zone`; a day alone is its
/// midnight there. A time that a change of the clocks skips is read as the
/// same distance behind the gap; one that occurs twice is the earlier.
pub fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(instant.as_microsecond()));
    }
    let (date, rest) = match text.get(..10).and_then(|head| head.parse::<Date>().ok()) {
        Some(date) => (date, text[10..].trim_start_matches('T').trim()),
        None => (day(text)?.0, ""),
    };
    let (time, offset) = match rest {
        "" => (Time::midnight(), ""),
        rest => {
            let (time, offset) =
                rest.split_at(rest.find([' ', 'Z', '+', '-']).unwrap_or(rest.len()));
            (time.parse::<Time>().ok()?, offset.trim())
        }
    };
    let local = DateTime::from_parts(date, time);
    let zone = match offset {
        "" => zone.clone(),
        "Z" | "UTC" | "GMT" => TimeZone::UTC,
        other => fixed_zone(other)?,
    };
    let zoned = zone.to_ambiguous_zoned_datetime(local).compatible().ok()?;
    Some(Timestamp(zoned.timestamp().as_microsecond()))
}

/// `-0500`, `-05:00`, or the old slot format's `EST -05:00`.
fn fixed_zone(text: &str) -> Option<TimeZone> {
    let digits = text.rsplit(' ').next()?;
    let (sign, digits) = match digits.as_bytes().first()? {
        b'+' => (1, &digits[1..]),
        b'-' => (-1, &digits[1..]),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let number: i32 = digits.parse().ok()?;
    if digits.len() != 4 {
        return None;
    }
    let seconds = sign * ((number / 100) * 3600 + (number % 100) * 60);
    jiff::tz::Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}

/// A time zone of the bundled database, by its IANA name.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// What is said when there is no such time zone, of a field by the name it has in the
/// sentence.
pub fn unknown_zone(label: &str) -> String {
    format!("{label} is not a known time zone such as America/New_York")
}
