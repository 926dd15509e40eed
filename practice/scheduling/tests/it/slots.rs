//! The starts that a client can choose, against looking at every single minute.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ward_instance::Timestamp;
use ward_scheduling::availability::wall::Interval;
use ward_scheduling::slots::{Calendar, Rules, collides, merged, starts};

pub const MINUTE: i64 = 60_000_000;
/// The clocks change on these days, forward and back, in both hemispheres.
pub const CHANGES: [(&str, Date); 10] = [
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Europe/London", date(2027, 3, 28)),
    ("Europe/London", date(2027, 10, 31)),
    ("Australia/Sydney", date(2027, 4, 4)),
    ("Australia/Sydney", date(2027, 10, 3)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("Pacific/Auckland", date(2027, 9, 26)),
    ("Asia/Kolkata", date(2027, 6, 1)),
];

fn local(zone: &TimeZone, at: i64) -> DateTime {
    let at = jiff::Timestamp::from_microsecond(at).unwrap();
    at.to_zoned_datetime(zone.clone()).datetime()
}

/// Minutes of the calendar as sets: nothing but looking.
pub struct Minutes<'a> {
    pub zone: &'a TimeZone,
    pub spans: &'a [(i64, i64)],
    pub free: Vec<bool>,
    pub busy: Vec<bool>,
    pub base: i64,
}

impl Minutes<'_> {
    fn is(of: &[bool], minute: i64) -> bool {
        usize::try_from(minute).ok().and_then(|at| of.get(at)).copied().unwrap_or(false)
    }

    /// Whether a client can begin at this minute.
    pub fn allows(&self, rules: &Rules, minute: i64, now: i64) -> bool {
        let inside = minute..minute + rules.length_minutes;
        let near =
            minute - rules.buffer_minutes..minute + rules.length_minutes + rules.buffer_minutes;
        if !inside.clone().all(|at| Self::is(&self.free, at))
            || near.clone().any(|at| Self::is(&self.busy, at))
        {
            return false;
        }
        let at = self.base + minute * MINUTE;
        let shown = local(self.zone, at);
        let on_the_grid = if rules.interval_minutes == 0 {
            let counted =
                |(from, to): &(i64, i64)| (*from..*to).step_by(rules.grid_minutes as usize);
            self.spans.iter().any(|span| counted(span).any(|at| at == minute))
        } else {
            i64::from(shown.time().minute()) % rules.interval_minutes == 0
        };
        let today = local(self.zone, now).date();
        let in_time = at - now >= rules.notice_minutes * MINUTE;
        let is_today = shown.date() <= today;
        let near_enough = rules.days_ahead.is_none_or(|days| {
            let mut last = today;
            (0..days).for_each(|_| last = last.tomorrow().unwrap());
            shown.date() <= last
        });
        on_the_grid
            && in_time
            && !(rules.not_today && is_today)
            && shown.date() >= today
            && near_enough
    }
}

fn spans(most: usize, grid: i64) -> impl Strategy<Value = Vec<(i64, i64)>> {
    proptest::collection::vec((0..4_320 / grid, 1..600 / grid), 0..most).prop_map(move |spans| {
        spans.iter().map(|(from, long)| (from * grid, (from + long) * grid)).collect()
    })
}

pub fn rules() -> impl Strategy<Value = Rules> {
    let interval = proptest::sample::select(vec![0_i64, 0, 20, 30, 60]);
    let grid = proptest::sample::select(vec![5_i64, 10, 15]);
    let notice = prop_oneof![Just(0_i64), 0..3_000_i64];
    let ahead = proptest::option::of(0..4_i64);
    (1..150_i64, grid, interval, 0..40_i64, notice, any::<bool>(), ahead).prop_map(
        |(
            length_minutes,
            grid_minutes,
            interval_minutes,
            buffer_minutes,
            notice_minutes,
            not_today,
            days_ahead,
        )| Rules {
            length_minutes,
            grid_minutes,
            interval_minutes,
            buffer_minutes,
            notice_minutes,
            not_today,
            days_ahead,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn dom_06_08_starts_are_those_that_every_minute_says(
        (name, day) in proptest::sample::select(&CHANGES[..]),
        free in spans(6, 5),
        busy in spans(6, 1),
        rules in rules(),
        window in (0..4_320_i64, 1..4_320_i64),
        now_minute in -2_000..4_320_i64,
        now_micros in prop_oneof![Just(0_i64), 1..MINUTE],
    ) {
        let zone = TimeZone::get(name).unwrap();
        // The day of the change is in the middle of three.
        let base = day.checked_sub(1.day()).unwrap().to_zoned_datetime(zone.clone()).unwrap();
        let base = base.timestamp().as_microsecond();
        let interval = |(from, to): &(i64, i64)| {
            Interval::new(Timestamp(base + from * MINUTE), Timestamp(base + to * MINUTE)).unwrap()
        };
        let (free_times, busy_times): (Vec<_>, Vec<_>) =
            (free.iter().map(interval).collect(), busy.iter().map(interval).collect());
        let mut minutes =
            Minutes { zone: &zone, spans: &free, free: vec![false; 5_000], busy: vec![false; 5_000], base };
        for (spans, of) in [(&free, &mut minutes.free), (&busy, &mut minutes.busy)] {
            for (from, to) in spans {
                (*from..*to).for_each(|at| of[usize::try_from(at).unwrap()] = true);
            }
        }
        let now = base + now_minute * MINUTE + now_micros;
        let asked = interval(&(window.0, window.0 + window.1));
        let expected: Vec<Timestamp> = (window.0..window.0 + window.1)
            .filter(|minute| minutes.allows(&rules, *minute, now))
            .map(|minute| Timestamp(base + minute * MINUTE))
            .collect();
        let calendar = Calendar { zone: &zone, free: &free_times, busy: &busy_times };
        prop_assert_eq!(starts(&calendar, &rules, &asked, Timestamp(now)), expected);
    }

    #[test]
    fn every_start_that_is_told_leaves_the_buffer(
        free in spans(6, 5), busy in spans(6, 1), rules in rules(),
    ) {
        let zone = TimeZone::UTC;
        let interval = |(from, to): &(i64, i64)| {
            Interval::new(Timestamp(from * MINUTE), Timestamp(to * MINUTE)).unwrap()
        };
        let free: Vec<_> = free.iter().map(interval).collect();
        let busy: Vec<_> = busy.iter().map(interval).collect();
        let calendar = Calendar { zone: &zone, free: &free, busy: &busy };
        let whole = interval(&(0, 5_000));
        for start in starts(&calendar, &rules, &whole, Timestamp(-MINUTE)) {
            let end = start.0 + rules.length_minutes * MINUTE;
            for taken in &busy {
                let gap = (start.0 - taken.end.0).max(taken.start.0 - end);
                prop_assert!(gap >= rules.buffer_minutes * MINUTE);
            }
            prop_assert!(merged(&free).iter().any(|run| run.start <= start && end <= run.end.0));
        }
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn plain(length_minutes: i64) -> Rules {
    Rules {
        length_minutes,
        grid_minutes: 15,
        interval_minutes: 0,
        buffer_minutes: 0,
        notice_minutes: 0,
        not_today: false,
        days_ahead: None,
    }
}

#[test]
fn dom_06_neighbours_keep_the_buffer_once() {
    let interval = |from: &str, to: &str| Interval::new(at(from), at(to)).unwrap();
    let taken = interval("2027-03-01T09:00:00Z", "2027-03-01T09:50:00Z");
    let next = interval("2027-03-01T09:50:00Z", "2027-03-01T10:40:00Z");
    assert!(!collides(&next, &taken, 0));
    assert!(collides(&next, &taken, 10));
    let later = interval("2027-03-01T10:00:00Z", "2027-03-01T10:50:00Z");
    assert!(!collides(&later, &taken, 10) && collides(&later, &taken, 11));
}

#[test]
fn dom_08_notice_and_horizon_are_exact() {
    let zone = TimeZone::get("America/New_York").unwrap();
    let free = [Interval::new(at("2027-03-01T14:00:00Z"), at("2027-03-04T14:00:00Z")).unwrap()];
    let calendar = Calendar { zone: &zone, free: &free, busy: &[] };
    let told = |rules: &Rules, now: &str| starts(&calendar, rules, &free[0], at(now));
    let hour = Rules { notice_minutes: 60, ..plain(30) };
    assert_eq!(told(&hour, "2027-03-01T13:00:00Z")[0], at("2027-03-01T14:00:00Z"));
    assert_eq!(told(&hour, "2027-03-01T13:00:01Z")[0], at("2027-03-01T14:15:00Z"));
    assert_eq!(told(&hour, "2027-03-01T12:59:59Z")[0], at("2027-03-01T14:00:00Z"));
    // The day is the provider's: it is still the first of March in New York.
    let tomorrow = Rules { not_today: true, ..plain(30) };
    assert_eq!(told(&tomorrow, "2027-03-02T04:59:59Z")[0], at("2027-03-02T05:00:00Z"));
    assert_eq!(told(&tomorrow, "2027-03-02T05:00:00Z")[0], at("2027-03-03T05:00:00Z"));
    let today = Rules { days_ahead: Some(0), ..plain(30) };
    assert_eq!(told(&today, "2027-03-01T14:00:00Z").last(), Some(&at("2027-03-02T04:45:00Z")));
}

#[test]
fn dom_02_slots_stay_at_their_hour_when_the_clocks_change() {
    let zone = TimeZone::get("America/New_York").unwrap();
    let free = [
        Interval::new(at("2027-03-13T14:00:00Z"), at("2027-03-13T16:00:00Z")).unwrap(),
        Interval::new(at("2027-03-14T13:00:00Z"), at("2027-03-14T15:00:00Z")).unwrap(),
    ];
    let calendar = Calendar { zone: &zone, free: &free, busy: &[] };
    let window = Interval::new(free[0].start, free[1].end).unwrap();
    let hourly = Rules { interval_minutes: 60, ..plain(60) };
    let shown: Vec<String> = starts(&calendar, &hourly, &window, at("2027-03-01T00:00:00Z"))
        .iter()
        .map(|start| local(&zone, start.0).to_string())
        .collect();
    let expected = [
        "2027-03-13T09:00:00",
        "2027-03-13T10:00:00",
        "2027-03-14T09:00:00",
        "2027-03-14T10:00:00",
    ];
    assert_eq!(shown, expected);
}
