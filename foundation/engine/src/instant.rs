//! Instants as they are written (behaviour 9). A list has many of them, so digits are
//! pushed by hand where a year has four and an offset whole minutes.

use std::ops::Range;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use ward_instance::Timestamp;

/// An instant as the baseline view's strings: `2026-03-04 09:30:00 -0500`.
pub fn baseline_instant(at: Timestamp, zone: &TimeZone) -> String {
    instant(at).map_or_else(String::new, |at| baseline(at, zone, zone.to_offset(at)))
}

/// An instant as `ISO8601DateTime`: `2026-03-04T09:30:00-05:00`, `Z` at zero.
pub fn iso_instant(at: Timestamp, zone: &TimeZone) -> String {
    instant(at).map_or_else(String::new, |at| iso(at, zone, zone.to_offset(at)))
}

/// A clock that writes many instants one after another: how far it is ahead of UTC is
/// looked up when it changes only.
#[derive(Debug)]
pub struct Clock<'z> {
    zone: &'z TimeZone,
    known: Option<(Range<jiff::Timestamp>, Offset)>,
}

impl<'z> Clock<'z> {
    /// A clock of this zone.
    pub fn new(zone: &'z TimeZone) -> Self {
        Clock { zone, known: None }
    }

    /// [`baseline_instant`].
    pub fn baseline(&mut self, at: Timestamp) -> String {
        let at = instant(at);
        at.map_or_else(String::new, |at| baseline(at, self.zone, self.offset(at)))
    }

    /// [`iso_instant`].
    pub fn iso(&mut self, at: Timestamp) -> String {
        instant(at).map_or_else(String::new, |at| iso(at, self.zone, self.offset(at)))
    }

    fn offset(&mut self, at: jiff::Timestamp) -> Offset {
        if let Some((during, offset)) = &self.known
            && during.contains(&at)
        {
            return *offset;
        }
        let offset = self.zone.to_offset(at);
        let change = self.zone.following(at).next();
        let until = change.map_or(jiff::Timestamp::MAX, |change| change.timestamp());
        self.known = Some((at..until, offset));
        offset
    }
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(at.0).ok()
}

fn baseline(at: jiff::Timestamp, zone: &TimeZone, offset: Offset) -> String {
    let Some((local, minutes)) = short(at, offset) else {
        return formatted(at, zone, "%Y-%m-%d %H:%M:%S %z");
    };
    let mut text = moment(local, b' ');
    text.push(b' ');
    push_offset(minutes, b"", &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn iso(at: jiff::Timestamp, zone: &TimeZone, offset: Offset) -> String {
    let Some((local, minutes)) = short(at, offset) else {
        let end = if offset.is_zero() { "Z" } else { "%:z" };
        return formatted(at, zone, &format!("%Y-%m-%dT%H:%M:%S{end}"));
    };
    let mut text = moment(local, b'T');
    match minutes {
        0 => text.push(b'Z'),
        _ => push_offset(minutes, b":", &mut text),
    }
    String::from_utf8(text).unwrap_or_default()
}

/// What the clock shows and the minutes that it is ahead of UTC.
fn short(at: jiff::Timestamp, offset: Offset) -> Option<(DateTime, i32)> {
    let local = offset.to_datetime(at);
    let is_short = (0..=9999).contains(&local.year()) && offset.seconds() % 60 == 0;
    is_short.then_some((local, offset.seconds() / 60))
}

fn formatted(at: jiff::Timestamp, zone: &TimeZone, format: &str) -> String {
    at.to_zoned_datetime(zone.clone()).strftime(format).to_string()
}

fn moment(local: DateTime, between: u8) -> Vec<u8> {
    // As long as the longest: `2026-03-04T09:30:00-05:00`.
    let mut text = Vec::with_capacity(25);
    let year = i32::from(local.year());
    two(year / 100, &mut text);
    two(year % 100, &mut text);
    for (mark, number) in [
        (b'-', local.month()),
        (b'-', local.day()),
        (between, local.hour()),
        (b':', local.minute()),
        (b':', local.second()),
    ] {
        text.push(mark);
        two(i32::from(number), &mut text);
    }
    text
}

fn push_offset(minutes: i32, between: &[u8], text: &mut Vec<u8>) {
    text.push(if minutes < 0 { b'-' } else { b'+' });
    two(minutes.abs() / 60, text);
    text.extend_from_slice(between);
    two(minutes.abs() % 60, text);
}

/// Two digits of a number below 100.
fn two(number: i32, text: &mut Vec<u8>) {
    let digit = |n: i32| b'0' + u8::try_from(n % 10).unwrap_or(0);
    text.extend([digit(number / 10), digit(number)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZONES: [&str; 5] =
        ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Monrovia", "UTC"];

    proptest! {
        /// By hand or by the library's formats: one text, in all years there are.
        #[test]
        fn as_the_library_formats_them(
            micros in -377_705_000_000_000_000_i64..253_402_000_000_000_000,
            zone in 0..ZONES.len(),
        ) {
            let zone = TimeZone::get(ZONES[zone]).unwrap();
            let at = instant(Timestamp(micros)).unwrap();
            let iso = match zone.to_offset(at).is_zero() {
                true => formatted(at, &zone, "%Y-%m-%dT%H:%M:%SZ"),
                false => formatted(at, &zone, "%Y-%m-%dT%H:%M:%S%:z"),
            };
            prop_assert_eq!(iso_instant(Timestamp(micros), &zone), iso);
            let baseline = formatted(at, &zone, "%Y-%m-%d %H:%M:%S %z");
            prop_assert_eq!(baseline_instant(Timestamp(micros), &zone), baseline);
        }

        /// A clock that remembers shows what one that looks each time shows.
        #[test]
        fn a_clock_is_never_stale(
            all in prop::collection::vec(0_i64..2_500_000_000_000_000, 1..20),
            step in 0_i64..10_000_000_000,
            zone in 0..ZONES.len(),
        ) {
            let zone = TimeZone::get(ZONES[zone]).unwrap();
            let mut clock = Clock::new(&zone);
            for at in all.iter().flat_map(|at| (0..5).map(move |n| Timestamp(at + n * step))) {
                prop_assert_eq!(clock.baseline(at), baseline_instant(at, &zone));
                prop_assert_eq!(clock.iso(at), iso_instant(at, &zone));
            }
        }
    }

    #[test]
    fn as_the_contract_shows_them() {
        let (at, zone) =
            (Timestamp(1_772_634_600_999_999), TimeZone::get("America/New_York").unwrap());
        assert_eq!(baseline_instant(at, &zone), "2026-03-04 09:30:00 -0500");
        assert_eq!(iso_instant(at, &zone), "2026-03-04T09:30:00-05:00");
        assert_eq!(iso_instant(at, &TimeZone::UTC), "2026-03-04T14:30:00Z");
    }
}
