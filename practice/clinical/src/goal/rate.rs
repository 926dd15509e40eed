//! On which days a goal is due, and on how many of them it was reached: pure rules
//! (behaviour 29). Days are those of the client's calendar; a week begins on Sunday
//! (behaviour 20 counts from there, too).

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::table::Repeat;

/// So many days one question is about at most.
pub const RANGE_DAYS_MAX: i64 = 366;

/// What decides when a goal is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How often.
    pub repeat: Repeat,
    /// From which day on.
    pub start_on: Date,
    /// Until which day.
    pub due_date: Option<Date>,
}

/// Days from one to another, both of them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: Date,
    /// The last; not before the first.
    pub last: Date,
}

impl Range {
    /// The range, unless it ends before it begins.
    pub fn new(first: Date, last: Date) -> Option<Self> {
        (first <= last).then_some(Range { first, last })
    }

    /// As many days as one question is about, of which this is the last.
    pub fn until(last: Date) -> Self {
        Range { first: last.saturating_sub((RANGE_DAYS_MAX - 1).days()), last }
    }

    /// Whether it has no more days than one question is about.
    pub fn is_bounded(&self) -> bool {
        self.last <= self.first.saturating_add((RANGE_DAYS_MAX - 1).days())
    }

    /// About how many months it has.
    pub fn months(&self) -> i64 {
        let days =
            self.first.until(self.last).map_or(RANGE_DAYS_MAX, |span| i64::from(span.get_days()));
        days / 30
    }

    /// With the whole weeks that it begins and ends in.
    pub fn of_weeks(&self) -> Self {
        Range { first: week_of(self.first).first, last: week_of(self.last).last }
    }
}

/// The week of a day, from Sunday to Saturday.
pub fn week_of(day: Date) -> Range {
    let since = i64::from(day.weekday().to_sunday_zero_offset());
    let first = day.saturating_sub(since.days());
    Range { first, last: first.saturating_add(6.days()) }
}

/// A day or week in which a goal is due, or the time that there is for one that is to be reached
/// once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its days, as far as they were asked for and the goal is due on them.
    pub days: Range,
    /// Whether the goal was reached in it.
    pub is_done: bool,
}

/// The periods of a range in which the goal is due, in order. `done` are the days on which it was
/// reached: those of the weeks of the range, and of what is to be reached once those before, too.
pub fn periods(terms: &Terms, range: Range, done: &BTreeSet<Date>) -> Vec<Period> {
    let first = range.first.max(terms.start_on);
    let last = terms.due_date.map_or(range.last, |due| due.min(range.last));
    let due = Range::new(first, last);
    match terms.repeat {
        Repeat::Once => once(Range::new(first, range.last), range, done).into_iter().collect(),
        Repeat::Daily => steps(due, |day| Range { first: day, last: day }, done),
        Repeat::Weekly => steps(due, week_of, done),
    }
}

/// One period after another, of which each day has one.
fn steps(due: Option<Range>, of: fn(Date) -> Range, done: &BTreeSet<Date>) -> Vec<Period> {
    let mut periods = Vec::new();
    let Some(due) = due else { return periods };
    let mut next = Some(due.first);
    while let Some(day) = next.filter(|day| *day <= due.last) {
        let whole = of(day);
        let days = Range { first: day, last: whole.last.min(due.last) };
        let is_done = done.range(whole.first..=whole.last).next().is_some();
        periods.push(Period { days, is_done });
        next = whole.last.tomorrow().ok();
    }
    periods
}

/// What is to be reached once is due until it is, also late; from then on it is not.
fn once(due: Option<Range>, range: Range, done: &BTreeSet<Date>) -> Option<Period> {
    match done.first().filter(|day| **day <= range.last) {
        Some(day) if *day < range.first => None,
        Some(day) => Some(Period { days: Range { first: *day, last: *day }, is_done: true }),
        None => due.map(|days| Period { days, is_done: false }),
    }
}

/// Whether a goal counts as reached on a day: that day, in its week, or once and for all.
pub fn is_done_on(terms: &Terms, day: Date, done: &BTreeSet<Date>) -> bool {
    match terms.repeat {
        Repeat::Daily => done.contains(&day),
        Repeat::Weekly => {
            let week = week_of(day);
            done.range(week.first..=week.last).next().is_some()
        }
        Repeat::Once => done.first().is_some_and(|first| *first <= day),
    }
}

/// In how many periods a goal was due, and in how many of them it was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Reached.
    pub done: i64,
    /// Due.
    pub possible: i64,
}

impl Tally {
    /// Of these periods.
    pub fn of(periods: &[Period]) -> Self {
        let count = |many: usize| i64::try_from(many).unwrap_or(i64::MAX);
        let done = periods.iter().filter(|it| it.is_done).count();
        Tally { done: count(done), possible: count(periods.len()) }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Tally) -> Self {
        Tally {
            done: self.done.saturating_add(other.done),
            possible: self.possible.saturating_add(other.possible),
        }
    }

    /// How many of a hundred, rounded; nothing where nothing was due.
    pub fn percent(&self) -> Option<i64> {
        let twice = self.done.saturating_mul(200).saturating_add(self.possible);
        twice.checked_div(self.possible.saturating_mul(2))
    }
}

/// Periods one after another in each of which the goal was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streak {
    /// How many periods.
    pub count: i64,
    /// From the first day of the first to the last of the last.
    pub days: Range,
}

/// The streaks of periods, in order.
pub fn streaks(periods: &[Period]) -> Vec<Streak> {
    let mut streaks: Vec<Streak> = Vec::new();
    let mut goes_on = false;
    for period in periods {
        match streaks.last_mut().filter(|_| goes_on && period.is_done) {
            Some(streak) => {
                streak.count += 1;
                streak.days.last = period.days.last;
            }
            None if period.is_done => streaks.push(Streak { count: 1, days: period.days }),
            None => {}
        }
        goes_on = period.is_done;
    }
    streaks
}
