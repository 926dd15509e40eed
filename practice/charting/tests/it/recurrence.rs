//! When a recurring form is due next, whatever it is and wherever the wall is (behaviour 28).

use proptest::prelude::*;
use ward_charting::request::rules::{Days, Schedule};
use ward_charting::request::tables::Frequency;
use ward_engine::moment;
use ward_instance::Timestamp;

proptest! {
    #[test]
    fn the_next_one_is_later_on_its_day_and_none_is_left_out(
        start in 0_i64..4_000_000_000,
        minute in 0_i64..1_440,
        frequency in prop::sample::select(Frequency::TEXTS.to_vec()),
        week in prop::collection::vec(any::<bool>(), 7),
        month in 1_i8..=31,
        name in prop::sample::select(vec![
            "America/New_York", "Australia/Lord_Howe", "Europe/Paris", "Asia/Kolkata", "UTC",
            "America/Sao_Paulo",
        ]),
    ) {
        let zone = moment::zone(name).unwrap();
        let frequency = Frequency::from_text(frequency).unwrap();
        let mut days = [false; 7];
        days.copy_from_slice(&week);
        if !days.contains(&true) {
            days[0] = true;
        }
        let days = match frequency {
            Frequency::Daily => Days::Every,
            Frequency::Weekly => Days::OfWeek(days),
            Frequency::Monthly => Days::OfMonth(month),
        };
        let schedule = Schedule { frequency, days, minute };
        prop_assert_eq!(Schedule::kept(frequency, &schedule.interval(), minute), Some(schedule));
        let start = Timestamp::from_seconds(start);
        let first = schedule.next(&zone, start).unwrap();
        prop_assert!(first > start);
        // From anywhere before it, it is the same one.
        let middle = Timestamp(start.0 + (first.0 - start.0) / 2);
        prop_assert_eq!(schedule.next(&zone, middle), Some(first));
        let second = schedule.next(&zone, first).unwrap();
        prop_assert!(second > first);
        let local = |at: Timestamp| {
            zone.to_datetime(jiff::Timestamp::from_microsecond(at.0).unwrap())
        };
        // On a day of it, at its time, unless the clocks leave that out.
        let wall = local(first).date().to_datetime(
            jiff::civil::time((minute / 60) as i8, (minute % 60) as i8, 0, 0),
        );
        let is_there = zone.to_ambiguous_zoned_datetime(wall).unambiguous().is_ok();
        prop_assert!(!is_there || days.has(local(first).date()));
        prop_assert!(!is_there || local(first) == wall);
    }
}
