//! On which days goals are due and how much of them is reached: what is known of some, and what
//! holds for all.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use ward_clinical::goal::rate::{
    Period, RANGE_DAYS_MAX, Range, Tally, Terms, is_done_on, periods, streaks, week_of,
};
use ward_clinical::goal::table::Repeat;

/// A Sunday.
const SUNDAY: Date = date(2026, 3, 1);

fn day(nth: i64) -> Date {
    SUNDAY.saturating_add(nth.days())
}

fn range(first: i64, last: i64) -> Range {
    Range::new(day(first), day(last)).unwrap()
}

fn terms(repeat: Repeat, start_on: i64, due_date: Option<i64>) -> Terms {
    Terms { repeat, start_on: day(start_on), due_date: due_date.map(day) }
}

fn days(nth: &[i64]) -> BTreeSet<Date> {
    nth.iter().map(|nth| day(*nth)).collect()
}

fn tally(terms: &Terms, range: Range, done: &[i64]) -> (i64, i64) {
    let tally = Tally::of(&periods(terms, range, &days(done)));
    (tally.done, tally.possible)
}

#[test]
fn a_week_begins_on_sunday() {
    for nth in 0..7 {
        assert_eq!(week_of(day(nth)), range(0, 6));
    }
    assert_eq!(week_of(day(7)), range(7, 13));
    // At either end of the calendar nothing breaks.
    assert!(week_of(Date::MIN).last >= Date::MIN && week_of(Date::MAX).last == Date::MAX);
}

#[test]
fn every_day_from_the_first_to_the_last() {
    let goal = terms(Repeat::Daily, 2, Some(5));
    assert_eq!(tally(&goal, range(0, 9), &[2, 4, 5]), (3, 4));
    assert_eq!(tally(&goal, range(3, 4), &[2, 4, 5]), (1, 2));
    // Before it begins and after it ends it is not due.
    assert_eq!(tally(&goal, range(0, 1), &[1]), (0, 0));
    assert_eq!(tally(&goal, range(6, 9), &[6]), (0, 0));
}

#[test]
fn every_week_on_any_of_its_days() {
    let goal = terms(Repeat::Weekly, 0, None);
    assert_eq!(tally(&goal, range(0, 13), &[3, 4, 13]), (2, 2));
    // Of a week that is asked about in part, all days count.
    assert_eq!(tally(&goal, range(5, 8), &[1]), (1, 2));
    assert_eq!(tally(&terms(Repeat::Weekly, 6, Some(6)), range(0, 20), &[6]), (1, 1));
}

#[test]
fn once_and_for_all() {
    let goal = terms(Repeat::Once, 2, Some(5));
    assert_eq!(tally(&goal, range(0, 9), &[]), (0, 1));
    assert_eq!(tally(&goal, range(0, 9), &[4]), (1, 1));
    // Late is not too late; from then on it is not due, and before it is not reached.
    assert_eq!(tally(&goal, range(6, 9), &[8]), (1, 1));
    assert_eq!(tally(&goal, range(5, 9), &[4]), (0, 0));
    assert_eq!(tally(&goal, range(2, 3), &[4]), (0, 1));
    assert_eq!(tally(&goal, range(6, 9), &[]), (0, 1));
    assert_eq!(tally(&goal, range(0, 1), &[]), (0, 0));
    let done = days(&[4]);
    assert!(!is_done_on(&goal, day(3), &done) && is_done_on(&goal, day(40), &done));
}

#[test]
fn whether_it_is_reached_on_a_day() {
    let done = days(&[3]);
    let daily = terms(Repeat::Daily, 0, None);
    assert!(is_done_on(&daily, day(3), &done) && !is_done_on(&daily, day(4), &done));
    let weekly = terms(Repeat::Weekly, 0, None);
    assert!(is_done_on(&weekly, day(6), &done) && !is_done_on(&weekly, day(7), &done));
}

#[test]
fn percents_are_rounded() {
    let percent = |done, possible| Tally { done, possible }.percent();
    assert_eq!(percent(0, 0), None);
    assert_eq!(percent(1, 3), Some(33));
    assert_eq!(percent(2, 3), Some(67));
    assert_eq!(percent(1, 200), Some(1));
    assert_eq!(percent(7, 7), Some(100));
    let most = Tally { done: i64::MAX, possible: i64::MAX };
    assert!(most.and(most).percent().is_some());
}

#[test]
fn runs_of_days() {
    let goal = terms(Repeat::Daily, 0, None);
    let found = streaks(&periods(&goal, range(0, 9), &days(&[0, 1, 3, 7, 8, 9])));
    let shown: Vec<_> = found.iter().map(|it| (it.count, it.days)).collect();
    assert_eq!(shown, [(2, range(0, 1)), (1, range(3, 3)), (3, range(7, 9))]);
    assert!(streaks(&[]).is_empty());
}

#[test]
fn a_range_is_a_year_at_most() {
    let year = Range::until(day(0));
    assert!(year.is_bounded());
    let longer = Range { first: year.first.yesterday().unwrap(), last: year.last };
    assert!(!longer.is_bounded());
    assert_eq!(Range::new(day(1), day(0)), None);
    assert!(Range::until(Date::MIN).is_bounded());
}

fn any_repeat() -> impl Strategy<Value = Repeat> {
    prop_oneof![Just(Repeat::Daily), Just(Repeat::Weekly), Just(Repeat::Once)]
}

proptest! {
    #[test]
    fn what_holds_for_all_goals(
        repeat in any_repeat(),
        start in -40_i64..40,
        length in proptest::option::of(0_i64..60),
        first in -40_i64..40,
        long in 0_i64..RANGE_DAYS_MAX,
        done in proptest::collection::vec(-60_i64..120, 0..40),
    ) {
        let goal = terms(repeat, start, length.map(|length| start + length));
        let asked = range(first, first + long);
        let done = days(&done);
        let all = periods(&goal, asked, &done);
        let tally = Tally::of(&all);
        prop_assert!(tally.done <= tally.possible);
        prop_assert!(tally.possible <= RANGE_DAYS_MAX);
        prop_assert!(tally.percent().is_none_or(|it| (0..=100).contains(&it)));
        // One after another, none of them twice, all of them within what is asked.
        let is_before = |pair: &[Period]| pair[0].days.last < pair[1].days.first;
        prop_assert!(all.windows(2).all(is_before));
        for period in &all {
            prop_assert!(period.days.first <= period.days.last);
            prop_assert!(period.days.first >= asked.first && period.days.last <= asked.last);
        }
        // Nothing is due before the first day, nor after the last but what is late.
        for period in all.iter().filter(|it| repeat != Repeat::Once || !it.is_done) {
            prop_assert!(period.days.first >= goal.start_on);
            let is_late = |due: Date| repeat == Repeat::Once || period.days.last <= due;
            prop_assert!(goal.due_date.is_none_or(is_late));
        }
        // Streaks are of what was reached, and of all of it.
        let found = streaks(&all);
        prop_assert_eq!(found.iter().map(|it| it.count).sum::<i64>(), tally.done);
        // To reach it once more never makes less of it.
        let mut more = done.clone();
        more.insert(asked.last);
        let better = Tally::of(&periods(&goal, asked, &more));
        prop_assert!(better.done >= tally.done);
        // A period counts as reached on each of its days.
        for period in all.iter().filter(|it| it.is_done && repeat != Repeat::Once) {
            prop_assert!(is_done_on(&goal, period.days.first, &done));
            prop_assert!(is_done_on(&goal, period.days.last, &done));
        }
    }
}
