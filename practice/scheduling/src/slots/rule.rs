//! Which starts a client can choose with one provider (behaviour 22, DOM-06,
//! DOM-08). Pure: what lists slots and what books one ask the same rule.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_instance::Timestamp;

use crate::appointment::when::DAYS_AHEAD_MAX;
use crate::availability::wall::{Interval, day_of};
use crate::settings::layers::Settings;

const MINUTE: i64 = 60_000_000;

/// The rules that bound a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// How long the appointment is, in minutes.
    pub length_minutes: i64,
    /// The step from the start of a free time on, in minutes.
    pub grid_minutes: i64,
    /// Starts at these minutes of the hour only: every 20, 30 or 60; 0 for any on
    /// the grid.
    pub interval_minutes: i64,
    /// Free time kept before and behind what is booked, in minutes.
    pub buffer_minutes: i64,
    /// How long before the start a client has to book, in minutes.
    pub notice_minutes: i64,
    /// Whether nothing is booked on the day itself.
    pub not_today: bool,
    /// The last day, counted from today.
    pub days_ahead: Option<i64>,
}

impl Rules {
    /// The rules of settings, for an appointment of this length.
    pub fn of(settings: &Settings, length_minutes: i64) -> Self {
        Rules {
            length_minutes,
            grid_minutes: settings.base_calendar_interval.minutes(),
            interval_minutes: settings.booking_interval_restriction,
            buffer_minutes: settings.buffer,
            notice_minutes: settings.minimum_advance_schedule_time,
            not_today: settings.same_day_appointments,
            days_ahead: Some(settings.max_days_in_future.unwrap_or(DAYS_AHEAD_MAX)),
        }
    }
}

/// A provider's time.
#[derive(Clone, Debug)]
pub struct Calendar<'a> {
    /// The provider's zone: their clock has the minutes and days that count.
    pub zone: &'a TimeZone,
    /// When they can be booked; may overlap.
    pub free: &'a [Interval],
    /// What is booked or blocked; may overlap.
    pub busy: &'a [Interval],
}

/// Free times without overlaps, in order; what touches is one.
pub fn merged(free: &[Interval]) -> Vec<Interval> {
    let mut sorted = free.to_vec();
    sorted.sort_unstable();
    let mut runs: Vec<Interval> = Vec::with_capacity(sorted.len());
    for next in sorted {
        match runs.last_mut() {
            Some(run) if next.start <= run.end => run.end = run.end.max(next.end),
            _ => runs.push(next),
        }
    }
    runs
}

/// Whether something that is booked keeps a time from being booked: the two have
/// to be `buffer_minutes` apart, once and not twice (DOM-06).
pub fn collides(wanted: &Interval, busy: &Interval, buffer_minutes: i64) -> bool {
    let gap = buffer_minutes * MINUTE;
    wanted.start.0 < busy.end.0 + gap && busy.start.0 < wanted.end.0 + gap
}

/// The starts within a window at which a client can book now, in order. They are
/// counted from the start of each free time, and what follows without a gap is free
/// time to end in.
pub fn starts(
    calendar: &Calendar<'_>,
    rules: &Rules,
    window: &Interval,
    now: Timestamp,
) -> Vec<Timestamp> {
    let Some(days) = Days::of(calendar.zone, rules, now) else { return Vec::new() };
    let earliest = window.start.0.max(now.0 + rules.notice_minutes * MINUTE);
    let (runs, taken) = (merged(calendar.free), Taken::of(calendar.busy, rules));
    let mut found = BTreeSet::new();
    for free in calendar.free {
        let Some(run) = run_of(&runs, free) else { continue };
        let last = run.end.0 - rules.length_minutes * MINUTE;
        let mut at = first(calendar.zone, rules, free, earliest);
        while at <= last && at < free.end.0 && at < window.end.0 {
            let start = Timestamp(at);
            if at >= earliest && !taken.at(at) && days.allow(calendar.zone, start) {
                found.insert(start);
            }
            at = step(calendar.zone, rules, at);
        }
    }
    found.into_iter().collect()
}

/// Whether a client can book something that begins at this instant: not too soon, and
/// not too far ahead.
pub fn can_begin(zone: &TimeZone, rules: &Rules, start: Timestamp, now: Timestamp) -> bool {
    let in_time = start.0 >= now.0 + rules.notice_minutes * MINUTE;
    in_time && Days::of(zone, rules, now).is_some_and(|days| days.allow(zone, start))
}

/// The run that a free time became part of.
fn run_of<'a>(runs: &'a [Interval], free: &Interval) -> Option<&'a Interval> {
    runs.get(runs.partition_point(|run| run.start <= free.start).checked_sub(1)?)
}

/// Starts that what is booked leaves no room for: intervals without their ends, in
/// order and apart.
struct Taken(Vec<(i64, i64)>);

impl Taken {
    fn of(busy: &[Interval], rules: &Rules) -> Self {
        let (gap, long) = (rules.buffer_minutes * MINUTE, rules.length_minutes * MINUTE);
        let around = |it: &Interval| (it.start.0 - gap - long, it.end.0 + gap);
        let mut sorted: Vec<(i64, i64)> = busy.iter().map(around).collect();
        sorted.sort_unstable();
        let mut apart: Vec<(i64, i64)> = Vec::with_capacity(sorted.len());
        for next in sorted {
            match apart.last_mut() {
                // Where one ends and the next begins there is room for a start.
                Some(last) if next.0 < last.1 => last.1 = last.1.max(next.1),
                _ => apart.push(next),
            }
        }
        Taken(apart)
    }

    fn at(&self, at: i64) -> bool {
        let behind = self.0.partition_point(|(from, _)| *from < at);
        behind.checked_sub(1).and_then(|n| self.0.get(n)).is_some_and(|(_, to)| at < *to)
    }
}

/// The first start of a free time that is on its grid or at its minutes of the hour,
/// not much before `earliest`.
fn first(zone: &TimeZone, rules: &Rules, free: &Interval, earliest: i64) -> i64 {
    let ahead = (earliest - free.start.0).max(0);
    match rules.interval_minutes {
        0 => free.start.0 + ahead / (rules.grid_minutes * MINUTE) * rules.grid_minutes * MINUTE,
        interval => aligned(zone, free.start.0 + ahead / MINUTE * MINUTE, interval),
    }
}

fn step(zone: &TimeZone, rules: &Rules, at: i64) -> i64 {
    match rules.interval_minutes {
        0 => at + rules.grid_minutes * MINUTE,
        // The clocks may change by less than an hour on the way.
        interval => aligned(zone, at + interval * MINUTE, interval),
    }
}

/// The first instant from `at` on at which the clock shows a multiple of the
/// interval.
fn aligned(zone: &TimeZone, at: i64, interval_minutes: i64) -> i64 {
    let shown = |at: i64| {
        let instant = jiff::Timestamp::from_microsecond(at).unwrap_or(jiff::Timestamp::MAX);
        i64::from(instant.to_zoned_datetime(zone.clone()).time().minute())
    };
    let mut at = at;
    // A second look, where the clocks change between.
    for _ in 0..2 {
        at += (interval_minutes - shown(at) % interval_minutes) % interval_minutes * MINUTE;
    }
    at
}

/// The days on which a client can book.
struct Days {
    first: Date,
    last: Option<Date>,
}

impl Days {
    fn of(zone: &TimeZone, rules: &Rules, now: Timestamp) -> Option<Self> {
        let today = day_of(zone, now)?;
        let first = if rules.not_today { today.tomorrow().ok()? } else { today };
        let last = rules.days_ahead.map(|days| today.checked_add(days.days()).unwrap_or(Date::MAX));
        Some(Days { first, last })
    }

    fn allow(&self, zone: &TimeZone, at: Timestamp) -> bool {
        day_of(zone, at)
            .is_some_and(|day| day >= self.first && self.last.is_none_or(|last| day <= last))
    }
}
