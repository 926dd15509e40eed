//! The rules of requests, without a database: when a recurring form is due, as clients write it
//! and as it is kept (behaviour 28).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_engine::Problems;
use ward_instance::Timestamp;
use ward_scheduling::availability::wall;

use super::tables::{Frequency, Status};

/// At nine, where nobody says when.
pub const USUAL_MINUTE: i64 = 9 * 60;
/// A day of each kind comes within so many days: the 31st counts as a month's last.
const DAYS_LOOKED: usize = 40;
const WEEK: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Status {
    /// The status that somebody means, however they write it.
    pub fn meant(text: &str) -> Option<Status> {
        let status = Status::TEXTS.iter().find(|it| it.eq_ignore_ascii_case(text.trim()))?;
        Status::from_text(status)
    }
}

/// On which days something comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// Every day.
    Every,
    /// On these days of the week, Monday first.
    OfWeek([bool; 7]),
    /// On this day of the month, or the month's last where it has no such day.
    OfMonth(i8),
}

impl Days {
    /// Whether a day is one of them.
    pub fn has(&self, date: Date) -> bool {
        match self {
            Days::Every => true,
            Days::OfWeek(days) => {
                let at = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
                days.get(at).copied().unwrap_or(false)
            }
            Days::OfMonth(day) => date.day() == (*day).min(date.days_in_month()),
        }
    }

    /// Days of the week, such as `Monday, Tuesday`; nothing where a word is none, or there is none.
    pub fn of_week(text: &str) -> Option<Days> {
        let mut days = [false; 7];
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        for word in words.map(str::trim).filter(|word| !word.is_empty()) {
            let at = WEEK.iter().position(|name| {
                let start = name.get(..3).unwrap_or_default();
                name.eq_ignore_ascii_case(word) || start.eq_ignore_ascii_case(word)
            })?;
            if let Some(day) = days.get_mut(at) {
                *day = true;
            }
        }
        days.contains(&true).then_some(Days::OfWeek(days))
    }

    /// A day of the month, such as `27th` or `27`.
    pub fn of_month(text: &str) -> Option<Days> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        let known = ["", "st", "nd", "rd", "th"];
        let is_known = known.iter().any(|it| it.eq_ignore_ascii_case(suffix.trim()));
        let day: i8 = digits.parse().ok().filter(|_| is_known)?;
        (1..=31).contains(&day).then_some(Days::OfMonth(day))
    }
}

/// When a recurring form is due: on the wall of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub frequency: Frequency,
    /// On which days.
    pub days: Days,
    /// Minutes of the day, from 0 to 1,439.
    pub minute: i64,
}

impl Schedule {
    /// As it is kept; nothing where that is none.
    pub fn kept(frequency: Frequency, interval: &str, minute: i64) -> Option<Schedule> {
        let days = match frequency {
            Frequency::Daily => Some(Days::Every),
            Frequency::Weekly => Days::of_week(interval),
            Frequency::Monthly => Days::of_month(interval),
        };
        days.map(|days| Schedule { frequency, days, minute })
    }

    /// The contract's text of it: `23:12`, `Monday, Tuesday` or `31st`.
    pub fn interval(&self) -> String {
        match self.days {
            Days::Every => format!("{:02}:{:02}", self.minute / 60, self.minute % 60),
            Days::OfWeek(days) => {
                let named = WEEK.iter().zip(days).filter(|(_, is_on)| *is_on);
                named.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
            }
            Days::OfMonth(day) => ordinal(day),
        }
    }

    /// The first moment of it behind `after`; nothing beyond the calendar. A time that the clocks
    /// leave out is as much later, one that comes twice is the first.
    pub fn next(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let today = wall::day_of(zone, after)?;
        let mut day = today.yesterday().unwrap_or(today);
        for _ in 0..DAYS_LOOKED {
            if self.days.has(day) {
                let at = wall::instant(zone, day, self.minute)?;
                if at > after {
                    return Some(at);
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }
}

/// `1st`, `22nd`, `13th`.
fn ordinal(day: i8) -> String {
    let suffix = match (day % 10, day) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{suffix}")
}

/// The last second of a day on a wall.
pub fn end_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    wall::instant(zone, day, wall::DAY_MINUTES).map(|midnight| midnight.minus_micros(1_000_000))
}

/// What is sent of a schedule, blank parts left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said<'a> {
    /// `Daily`, `Weekly` or `Monthly`.
    pub frequency: Option<&'a str>,
    /// Of 12 with a period, of 24 without.
    pub hour: Option<&'a str>,
    /// Minutes of the hour.
    pub minute: Option<&'a str>,
    /// `AM` or `PM`.
    pub period: Option<&'a str>,
    /// `Monday`, or several with commas.
    pub weekday: Option<&'a str>,
    /// `27th`.
    pub monthday: Option<&'a str>,
}

impl Said<'_> {
    /// Whether anything is said.
    pub fn is_said(&self) -> bool {
        *self != Said::default()
    }
}

/// The schedule that is meant; what is not said is as `before`. Nothing where something is wrong.
pub fn schedule(
    said: &Said<'_>,
    before: Option<&Schedule>,
    problems: &mut Problems,
) -> Option<Schedule> {
    let frequency = match said.frequency {
        None => before.map(|it| it.frequency),
        Some(text) => Frequency::TEXTS
            .iter()
            .find(|it| it.eq_ignore_ascii_case(text))
            .and_then(|it| Frequency::from_text(it)),
    };
    let Some(frequency) = frequency else {
        let known = Frequency::TEXTS.join(", ");
        problems.add("frequency", format!("Frequency must be one of {known}"));
        return None;
    };
    let fits = said.frequency.is_some() || fits(said, frequency, problems);
    let same = before.filter(|it| it.frequency == frequency).map(|it| it.days);
    let days = match frequency {
        Frequency::Daily => Some(Days::Every),
        Frequency::Weekly => said.weekday.map_or(same, Days::of_week),
        Frequency::Monthly => said.monthday.map_or(same, Days::of_month),
    };
    if days.is_none() && frequency == Frequency::Weekly {
        problems.add("weekday", "Weekday must name days of the week such as Monday");
    }
    if days.is_none() && frequency == Frequency::Monthly {
        problems.add("monthday", "Monthday must be a day of the month from 1st to 31st");
    }
    let minute = minute_of_day(said, before, problems);
    let schedule = Schedule { frequency, days: days?, minute: minute? };
    fits.then_some(schedule)
}

/// Whether the days that are sent go with how often it comes, which was not sent.
fn fits(said: &Said<'_>, frequency: Frequency, problems: &mut Problems) -> bool {
    let is_odd = |days: Option<&str>, of: Frequency| days.is_some() && frequency != of;
    let (weekday, monthday) =
        (is_odd(said.weekday, Frequency::Weekly), is_odd(said.monthday, Frequency::Monthly));
    if weekday {
        problems.add("weekday", "Weekday goes with the frequency Weekly");
    }
    if monthday {
        problems.add("monthday", "Monthday goes with the frequency Monthly");
    }
    !weekday && !monthday
}

/// The time of the day that is meant.
fn minute_of_day(
    said: &Said<'_>,
    before: Option<&Schedule>,
    problems: &mut Problems,
) -> Option<i64> {
    let Some(hour) = said.hour else {
        if said.minute.is_some() || said.period.is_some() {
            problems.add("hour", "Hour can't be blank where minute or period is sent");
            return None;
        }
        return Some(before.map_or(USUAL_MINUTE, |it| it.minute));
    };
    let noon = match said.period {
        None => None,
        Some(text) if text.eq_ignore_ascii_case("AM") => Some(0),
        Some(text) if text.eq_ignore_ascii_case("PM") => Some(12),
        Some(_) => {
            problems.add("period", "Period must be AM or PM");
            return None;
        }
    };
    let hour = match (number(hour), noon) {
        (Some(hour @ 1..=12), Some(noon)) => hour % 12 + noon,
        (Some(hour @ 0..=23), None) => hour,
        _ => {
            problems.add("hour", "Hour must be from 1 to 12 with a period, or from 0 to 23");
            return None;
        }
    };
    match said.minute.map_or(Some(0), number) {
        Some(minute @ 0..=59) => Some(hour * 60 + minute),
        _ => {
            problems.add("minute", "Minute must be from 0 to 59");
            None
        }
    }
}

/// A number of one or two digits.
fn number(text: &str) -> Option<i64> {
    let is_number = matches!(text.len(), 1 | 2) && text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use ward_engine::moment;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    fn daily(minute: i64) -> Schedule {
        Schedule { frequency: Frequency::Daily, days: Days::Every, minute }
    }

    fn meant(said: Said<'_>) -> Result<Schedule, String> {
        let mut problems = Problems::new();
        let found = schedule(&said, None, &mut problems);
        match problems.iter().next() {
            Some(problem) => Err(problem.field.clone().unwrap_or_default()),
            None => Ok(found.unwrap()),
        }
    }

    #[test]
    fn a_schedule_is_read_as_the_contract_has_it() {
        let evening = Said {
            frequency: Some("Daily"),
            hour: Some("11"),
            minute: Some("12"),
            period: Some("PM"),
            ..Said::default()
        };
        assert_eq!(meant(evening).unwrap().interval(), "23:12");
        let weekly =
            Said { frequency: Some("weekly"), weekday: Some("tue,Monday"), ..Said::default() };
        assert_eq!(meant(weekly).unwrap().interval(), "Monday, Tuesday");
        assert_eq!(meant(weekly).unwrap().minute, USUAL_MINUTE);
        for (said, kept) in [("31st", "31st"), ("22", "22nd"), ("3RD", "3rd"), ("13th", "13th")] {
            let monthly =
                Said { frequency: Some("Monthly"), monthday: Some(said), ..Said::default() };
            assert_eq!(meant(monthly).unwrap().interval(), kept);
        }
        let midnight = Said { hour: Some("12"), period: Some("am"), ..evening };
        assert_eq!(meant(midnight).unwrap().minute, 12);
        let noon = Said { hour: Some("12"), minute: None, ..evening };
        assert_eq!(meant(noon).unwrap().minute, 12 * 60);
        let of_24 = Said { hour: Some("17"), period: None, ..evening };
        assert_eq!(meant(of_24).unwrap().minute, 17 * 60 + 12);
    }

    #[test]
    fn what_is_wrong_is_told_where_it_is() {
        let daily = Said { frequency: Some("Daily"), ..Said::default() };
        for (said, field) in [
            (Said::default(), "frequency"),
            (Said { frequency: Some("Hourly"), ..daily }, "frequency"),
            (Said { frequency: Some("Weekly"), ..daily }, "weekday"),
            (
                Said { frequency: Some("Weekly"), weekday: Some("Monday, Someday"), ..daily },
                "weekday",
            ),
            (Said { frequency: Some("Monthly"), monthday: Some("32nd"), ..daily }, "monthday"),
            (Said { frequency: Some("Monthly"), monthday: Some("0"), ..daily }, "monthday"),
            (Said { frequency: Some("Monthly"), monthday: Some("999999999"), ..daily }, "monthday"),
            (Said { minute: Some("5"), ..daily }, "hour"),
            (Said { hour: Some("13"), period: Some("PM"), ..daily }, "hour"),
            (Said { hour: Some("24"), ..daily }, "hour"),
            (Said { hour: Some("-1"), ..daily }, "hour"),
            (Said { hour: Some("9"), period: Some("noon"), ..daily }, "period"),
            (Said { hour: Some("9"), minute: Some("60"), ..daily }, "minute"),
        ] {
            assert_eq!(meant(said), Err(field.to_owned()), "{said:?}");
        }
    }

    #[test]
    fn what_is_not_said_stays() {
        let before = Schedule::kept(Frequency::Weekly, "Monday", 600).unwrap();
        let mut problems = Problems::new();
        let later = Said { hour: Some("11"), period: Some("AM"), ..Said::default() };
        let after = schedule(&later, Some(&before), &mut problems).unwrap();
        assert_eq!(after, Schedule { minute: 660, ..before });
        let other = Said { frequency: Some("Daily"), ..Said::default() };
        let after = schedule(&other, Some(&before), &mut problems).unwrap();
        assert_eq!((after.days, after.minute), (Days::Every, 600));
        assert!(problems.is_empty());
        // Days that don't go with what stays are not left out silently.
        let friday = Said { weekday: Some("Friday"), ..Said::default() };
        assert!(schedule(&friday, Some(&before), &mut problems).is_some());
        let monthly = Said { monthday: Some("3rd"), ..Said::default() };
        for (said, before, field) in
            [(monthly, before, "monthday"), (friday, daily(600), "weekday")]
        {
            let mut problems = Problems::new();
            assert_eq!(schedule(&said, Some(&before), &mut problems), None);
            let told = problems.iter().next().and_then(|it| it.field.clone());
            assert_eq!(told.as_deref(), Some(field));
        }
    }

    #[test]
    fn the_wall_counts_whatever_the_clocks_do() {
        let york = moment::zone("America/New_York").unwrap();
        // The clocks go forward on March 8, and back on November 1.
        let morning = daily(9 * 60);
        let next = |after: &str| morning.next(&york, at(after)).unwrap();
        assert_eq!(next("2026-03-07T13:59:59Z"), at("2026-03-07T14:00:00Z"));
        assert_eq!(next("2026-03-07T14:00:00Z"), at("2026-03-08T13:00:00Z"));
        assert_eq!(next("2026-10-31T13:00:00Z"), at("2026-11-01T14:00:00Z"));
        // 02:30 is not there on March 8.
        let night = daily(150);
        assert_eq!(night.next(&york, at("2026-03-07T12:00:00Z")), Some(at("2026-03-08T07:30:00Z")));
        // 01:30 is there twice on November 1: the first counts, once.
        let night = daily(90);
        let first = at("2026-11-01T05:30:00Z");
        assert_eq!(night.next(&york, at("2026-10-31T12:00:00Z")), Some(first));
        assert_eq!(night.next(&york, first), Some(at("2026-11-02T06:30:00Z")));
        let last = Schedule::kept(Frequency::Monthly, "31st", 0).unwrap();
        assert_eq!(
            last.next(&TimeZone::UTC, at("2026-02-01T00:00:00Z")),
            Some(at("2026-02-28T00:00:00Z"))
        );
        let day = Date::new(2026, 3, 8).unwrap();
        assert_eq!(end_of(day, &york), Some(at("2026-03-09T03:59:59Z")));
        assert_eq!(morning.next(&york, Timestamp(i64::MAX)), None);
    }
}
