//! The rule of the clocks, against the minutes of the calendar themselves.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ward_instance::Timestamp;
use ward_scheduling::availability::wall::{
    DAY_MINUTES, Interval, Weekly, duration, instant, minute_of,
};

const MINUTE: i64 = 60_000_000;
/// Both hemispheres, half-hour changes, half-hour offsets, none at all.
const ZONES: [&str; 8] = [
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Auckland",
    "America/Santiago",
    "Asia/Kolkata",
    "Pacific/Honolulu",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn local(zone: &TimeZone, at: i64) -> DateTime {
    let at = jiff::Timestamp::from_microsecond(at).unwrap();
    at.to_zoned_datetime(zone.clone()).datetime()
}

/// The instant at which a wall shows a time, found by looking at every minute from
/// a day before to a day behind: the first that shows it, else as far behind the
/// jump over it as it is behind the last minute before.
fn looked_up(zone: &TimeZone, day: Date, minute: i64) -> i64 {
    let midnight = DateTime::from_parts(day, Time::midnight());
    let wanted = midnight.checked_add(minute.minutes()).unwrap();
    let utc = midnight.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp().as_microsecond();
    let mut before = local(zone, utc - 27 * 60 * MINUTE);
    for step in -27 * 60 + 1..27 * 60 + DAY_MINUTES {
        let at = utc + step * MINUTE;
        let shown = local(zone, at);
        if shown == wanted {
            return at;
        }
        if before < wanted && wanted < shown {
            let past = before.duration_until(wanted).as_secs() / 60;
            return at + (past - 1) * MINUTE;
        }
        before = shown;
    }
    panic!("no minute of the days around {day} shows {wanted}");
}

fn at(zone: &TimeZone, day: Date, minute: i64) -> i64 {
    instant(zone, day, minute).unwrap().0
}

fn utc(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

#[test]
fn dom_01_a_skipped_time_moves_forward_and_a_double_one_is_the_earlier() {
    let new_york = zone("America/New_York");
    let spring = date(2027, 3, 14);
    assert_eq!(at(&new_york, spring, 2 * 60 + 30), utc("2027-03-14T07:30:00Z"), "03:30 -04:00");
    let autumn = date(2027, 11, 7);
    assert_eq!(at(&new_york, autumn, 60 + 30), utc("2027-11-07T05:30:00Z"), "01:30 -04:00");
    let lord_howe = zone("Australia/Lord_Howe");
    assert_eq!(
        at(&lord_howe, date(2027, 10, 3), 2 * 60 + 15),
        utc("2027-10-02T15:45:00Z"),
        "02:45 +11:00"
    );
    assert_eq!(
        at(&lord_howe, date(2027, 4, 4), 60 + 45),
        utc("2027-04-03T14:45:00Z"),
        "01:45 +11:00"
    );
}

#[test]
fn dom_02_a_day_has_as_many_hours_as_it_has() {
    let new_york = zone("America/New_York");
    for (day, hours) in [(date(2027, 3, 14), 23), (date(2027, 11, 7), 25), (date(2027, 6, 1), 24)] {
        let whole = at(&new_york, day, DAY_MINUTES) - at(&new_york, day, 0);
        assert_eq!(whole, hours * 60 * MINUTE, "{day}");
    }
}

fn rule(
    zone_name: &str,
    first: Date,
    last: Option<Date>,
    weekday: i8,
    start: i64,
    end: i64,
) -> Weekly {
    let zone = zone(zone_name);
    Weekly { zone, weekday, first, last, start_minute: start, end_minute: end }
}

#[test]
fn dom_02_a_week_keeps_its_time_on_the_wall() {
    let monday = rule("America/New_York", date(2027, 3, 1), Some(date(2027, 3, 22)), 1, 540, 600);
    let year = Interval::new(
        Timestamp(utc("2027-01-01T00:00:00Z")),
        Timestamp(utc("2028-01-01T00:00:00Z")),
    )
    .unwrap();
    let starts: Vec<String> = monday
        .within(&year)
        .iter()
        .map(|(_, it)| jiff::Timestamp::from_microsecond(it.start.0).unwrap().to_string())
        .collect();
    let expected = [
        "2027-03-01T14:00:00Z",
        "2027-03-08T14:00:00Z",
        "2027-03-15T13:00:00Z",
        "2027-03-22T13:00:00Z",
    ];
    assert_eq!(starts, expected);
    // Wholly within the hour that is skipped, it is as far behind it; reaching out
    // of it, there is nothing left of it.
    let skipped = rule("America/New_York", date(2027, 3, 14), None, 0, 130, 160);
    assert_eq!(skipped.on(date(2027, 3, 14)).unwrap().minutes(), 30);
    let gone = rule("America/New_York", date(2027, 3, 14), None, 0, 150, 180);
    assert_eq!(gone.on(date(2027, 3, 14)), None);
    assert_eq!(gone.on(date(2027, 3, 21)).unwrap().minutes(), 30);
}

fn any_day() -> impl Strategy<Value = Date> {
    // Around every change of the clocks of some years, and anywhere.
    let near = prop_oneof![
        Just(date(2027, 3, 14)),
        Just(date(2027, 11, 7)),
        Just(date(2027, 3, 28)),
        Just(date(2027, 10, 31)),
        Just(date(2027, 4, 4)),
        Just(date(2027, 10, 3)),
        Just(date(2027, 9, 26)),
        Just(date(2028, 2, 29)),
        Just(date(2027, 9, 5)),
    ];
    (near, -2_i64..=2).prop_map(|(day, off)| day.checked_add(off.days()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn dom_01_an_instant_is_what_the_minutes_say(
        name in proptest::sample::select(&ZONES[..]), day in any_day(), minute in 0..DAY_MINUTES,
    ) {
        let zone = zone(name);
        prop_assert_eq!(at(&zone, day, minute), looked_up(&zone, day, minute), "{} {} {}", name, day, minute);
    }

    #[test]
    fn dom_02_occurrences_are_those_of_every_day_that_there_is(
        name in proptest::sample::select(&ZONES[..]),
        first in any_day(),
        runs in proptest::option::of(0_i64..60),
        weekday in 0_i8..7,
        start in 0..DAY_MINUTES - 5,
        length in 5_i64..600,
        window_from in -20_i64..40,
        window_days in 1_i64..30,
        shift in 0_i64..1_440,
    ) {
        let end = (start + length).min(DAY_MINUTES);
        let last = runs.map(|days| first.checked_add(days.days()).unwrap());
        let rule = rule(name, first, last, weekday, start, end);
        let base = first.to_datetime(Time::midnight()).to_zoned_datetime(TimeZone::UTC).unwrap();
        let from = base.timestamp().as_microsecond() + (window_from * DAY_MINUTES + shift) * MINUTE;
        let to = from + window_days * DAY_MINUTES * MINUTE;
        let window = Interval::new(Timestamp(from), Timestamp(to)).unwrap();
        let mut expected = Vec::new();
        for off in -30_i64..90 {
            let day = first.checked_add(off.days()).unwrap();
            let counts = day >= first
                && last.is_none_or(|last| day <= last)
                && day.weekday().to_sunday_zero_offset() == weekday;
            if !counts {
                continue;
            }
            let (start, end) = (looked_up(&rule.zone, day, start), looked_up(&rule.zone, day, end));
            if start < end && start < to && end > from {
                expected.push((day, Interval { start: Timestamp(start), end: Timestamp(end) }));
            }
        }
        prop_assert_eq!(rule.within(&window), expected);
    }

    #[test]
    fn a_time_of_day_reads_back(minute in 0..DAY_MINUTES) {
        for separator in [' ', ':'] {
            let text = format!("{:02}{separator}{:02}", minute / 60, minute % 60);
            prop_assert_eq!(minute_of(&text), Some(minute));
        }
    }
}

#[test]
fn what_is_no_time_of_day() {
    for text in ["", "9", "24 00", "12 60", "-1 00", "aa bb", "12 5x"] {
        assert_eq!(minute_of(text), None, "{text:?}");
    }
    assert_eq!([duration(260), duration(45), duration(120)], ["4h 20min", "45min", "2h"]);
}

#[test]
fn a_year_beyond_the_calendar_has_nothing() {
    let rule = rule("America/New_York", date(9999, 12, 27), None, 1, 540, DAY_MINUTES);
    let end = jiff::Timestamp::MAX.as_microsecond();
    let window = Interval::new(Timestamp(end - 3 * DAY_MINUTES * MINUTE), Timestamp(end)).unwrap();
    assert!(rule.within(&window).len() <= 1);
    assert_eq!(instant(&TimeZone::UTC, Date::MAX, DAY_MINUTES), None);
}
