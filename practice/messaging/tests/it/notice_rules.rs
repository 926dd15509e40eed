//! Rules of notices without a database: quiet hours, and what is planned anew.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ward_instance::Timestamp;
use ward_messaging::notices::plan::{Slots, changes};
use ward_messaging::notices::quiet::{QuietHours, time_of_day};

fn minute(number: i8) -> impl Strategy<Value = Time> {
    (0..24i8, 0..number).prop_map(|(hour, minute)| Time::new(hour, minute, 0, 0).unwrap())
}

fn zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(vec![
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/St_Johns",
    ])
    .prop_map(|name| TimeZone::get(name).unwrap())
}

fn slots() -> impl Strategy<Value = Slots> {
    prop::collection::btree_map("[a-e]", (0..20i64).prop_map(Timestamp), 0..5)
}

proptest! {
    /// They end later, within a day and an hour, at their end by the wall clock (or where a
    /// change of the clocks skips it), and it is not quiet then.
    #[test]
    fn quiet_hours_end(start in minute(60), end in minute(60), zone in zone(),
                       second in 1_600_000_000i64..2_000_000_000) {
        let quiet = QuietHours { start, end };
        let now = Timestamp(second * 1_000_000);
        let time = |at: Timestamp| zone.to_datetime(jiff::Timestamp::from_microsecond(at.0).unwrap()).time();
        match quiet.held_until(now, &zone) {
            None => prop_assert!(!quiet.includes(time(now))),
            Some(until) => {
                prop_assert!(quiet.includes(time(now)));
                prop_assert!(until > now);
                prop_assert!(until.0 - now.0 <= 25 * 3_600 * 1_000_000);
                let at = time(until);
                let skipped = zone.to_ambiguous_zoned_datetime(
                    zone.to_datetime(jiff::Timestamp::from_microsecond(until.0).unwrap()).date().to_datetime(end));
                prop_assert!(at == end || skipped.is_ambiguous());
            }
        }
    }

    /// The same moment twice is no quiet hour at all.
    #[test]
    fn nobody_is_quiet_for_nothing(at in minute(60), time in minute(60)) {
        let none = QuietHours { start: at, end: at };
        prop_assert!(!none.includes(time));
    }

    /// What is planned after the changes is what is wanted and still ahead; a second look
    /// changes nothing, and nothing that is gone comes back.
    #[test]
    fn plans_follow_what_is_wanted(planned in slots(), wanted in slots(), now in 0..20i64) {
        let now = Timestamp(now);
        let made = changes(now, &planned, &wanted);
        let mut after = planned.clone();
        for slot in &made.dropped {
            prop_assert!(after.remove(slot).is_some());
        }
        for (slot, due) in &made.moved {
            prop_assert!(after.insert(slot.clone(), *due).is_some_and(|before| before != *due));
        }
        for (slot, due) in &made.planned {
            prop_assert!(!planned.contains_key(slot));
            after.insert(slot.clone(), *due);
        }
        for (slot, due) in &after {
            let wanted = wanted.get(slot).copied();
            // What is held until later stays so, once its own time has passed.
            let is_held = wanted < Some(now) && planned.get(slot) == Some(due) && wanted < Some(*due);
            prop_assert!(wanted == Some(*due) || (wanted.is_some() && is_held));
            prop_assert!(*due >= now || planned.get(slot) == Some(due));
        }
        for (slot, due) in wanted.iter().filter(|(_, due)| **due >= now) {
            prop_assert_eq!(after.get(slot), Some(due));
        }
        prop_assert_eq!(changes(now, &after, &wanted), Default::default());
    }
}

#[test]
fn nothing_is_wanted_of_what_is_cancelled() {
    let planned: Slots =
        [("2_days".to_owned(), Timestamp(5)), ("1_hour".to_owned(), Timestamp(9))].into();
    let made = changes(Timestamp(1), &planned, &Slots::new());
    assert_eq!(made.dropped, ["1_hour", "2_days"]);
    assert!(made.planned.is_empty() && made.moved.is_empty());
}

#[test]
fn times_of_the_day() {
    assert_eq!(time_of_day("9:05"), Time::new(9, 5, 0, 0).ok());
    for wrong in ["", "9", "24:00", "09:60", "-1:00", "+9:00", "009:00", "a:b", "09:00:00"] {
        assert_eq!(time_of_day(wrong), None, "{wrong}");
    }
}

fn weekdays() -> impl Strategy<Value = Vec<String>> {
    let days = ["monday", "tue", "Wednesday", "thu", "friday", "sat", "sunday"].map(str::to_owned);
    prop::sample::subsequence(days.to_vec(), 0..=7)
}

proptest! {
    /// A moment is in a weekly window exactly when the day before or the same day has one that
    /// reaches it; the day on which it began is one of its days.
    #[test]
    fn weekly_windows(days in weekdays(), start in minute(60), end in minute(60), zone in zone(),
                      second in 1_600_000_000i64..2_000_000_000) {
        use ward_messaging::away::window::{DayRange, weekly};
        let range = DayRange::read(&days, Some(&format!("{:02}:{:02} - {:02}:{:02}",
            start.hour(), start.minute(), end.hour(), end.minute()))).unwrap();
        let now = Timestamp(second * 1_000_000);
        let local = zone.to_datetime(jiff::Timestamp::from_second(second).unwrap());
        let began = weekly(std::slice::from_ref(&range), now, &zone);
        let reaches = |back: i64| {
            let day = local.date().checked_sub(jiff::Span::new().days(back)).unwrap();
            let until = if end > start { day } else { day.tomorrow().unwrap() };
            let within = day.to_datetime(start) <= local && local < until.to_datetime(end);
            (range.days.contains(&day.weekday()) && within).then_some(day)
        };
        prop_assert_eq!(began, reaches(0).or(reaches(1)));
    }
}

#[test]
fn hours_as_people_write_them() {
    use ward_messaging::away::window::DayRange;
    let monday = ["mon".to_owned()];
    let hours = |text| DayRange::read(&monday, text).map(|range| (range.start, range.end));
    let at = |hour, minute| Time::new(hour, minute, 0, 0).unwrap();
    assert_eq!(hours(Some("09:00-17:00")), Some((at(9, 0), at(17, 0))));
    assert_eq!(hours(Some("9 AM - 5:30 PM")), Some((at(9, 0), at(17, 30))));
    assert_eq!(hours(Some("12:00 am - 12:00 pm")), Some((at(0, 0), at(12, 0))));
    assert_eq!(hours(None), Some((at(0, 0), at(0, 0))));
    for wrong in ["9-17", "13 PM - 2 PM", "09:00", "a-b", "09:00-24:00"] {
        assert_eq!(hours(Some(wrong)), None, "{wrong}");
    }
    assert_eq!(DayRange::read(&["m".to_owned()], None), None);
}
