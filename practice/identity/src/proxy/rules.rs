//! Until when somebody may act for a client. Pure.
//!
//! For a minor it is their parent or guardian, as a personal representative (45 CFR
//! 164.502(g)(3)), and no longer than until the client is 18. Where a State lets a minor consent
//! alone at another age, the practice says an earlier day. For an adult it is whom the practice
//! was told of (45 CFR 164.502(g)(2), 164.510(b)), until it is taken away.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_engine::moment;
use ward_instance::Timestamp;
use ward_store::Day;

/// Whole years after which a client is of age.
pub const OF_AGE_YEARS: i16 = 18;

/// Why nobody can be given access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Whether the client is a minor is not known.
    Unknown,
    /// The day that is wanted has come.
    Past,
    /// The day that is wanted is after the one on which the client is of age.
    Late,
}

impl Denied {
    /// The field that it is about.
    pub const fn field(self) -> &'static str {
        match self {
            Denied::Unknown => "client_portal_access",
            Denied::Past | Denied::Late => "client_portal_access_until",
        }
    }

    /// What is wrong, and what to do.
    pub const fn sentence(self) -> &'static str {
        match self {
            Denied::Unknown => {
                "Date of birth must be known: what others open of a minor ends when they are of age"
            }
            Denied::Past => "Client portal access until must be after today",
            Denied::Late => {
                "Client portal access until can't be after the day on which the client is 18"
            }
        }
    }
}

/// Until when somebody acts for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The first day on which they do not; none for as long as nobody takes it away.
    pub until: Option<Day>,
    /// The day on which it was given. Whether the client was a minor on it says the date of birth
    /// as it is known when it is asked: a corrected one makes a guardian of who was taken for an
    /// adult's.
    pub granted_on: Day,
    /// It was given to act for a minor, by the date of birth of then.
    pub is_guardian: bool,
}

impl Terms {
    /// What a client who was born on that day can give, or have given, today; as long as it is
    /// wanted, or can be.
    pub fn given(born: Option<Day>, today: Day, wanted: Option<Day>) -> Result<Self, Denied> {
        let of_age = born.and_then(of_age_on).ok_or(Denied::Unknown)?;
        if wanted.is_some_and(|wanted| wanted <= today) {
            return Err(Denied::Past);
        }
        if today >= of_age {
            return Ok(Terms { until: wanted, granted_on: today, is_guardian: false });
        }
        match wanted {
            Some(wanted) if wanted > of_age => Err(Denied::Late),
            wanted => {
                Ok(Terms { until: wanted.or(Some(of_age)), granted_on: today, is_guardian: true })
            }
        }
    }

    /// The first day on which it is over; the date of birth counts as it is known today. What was
    /// given by a minor's parent is theirs no longer than until the client is of age, and nobody's
    /// while it is not known when that is.
    pub fn end(&self, born: Option<Day>) -> End {
        match born.and_then(of_age_on) {
            None => End::Over,
            Some(of_age) if self.is_guardian || self.granted_on < of_age => {
                End::On(self.until.map_or(of_age, |until| until.min(of_age)))
            }
            Some(_) => self.until.map_or(End::Never, End::On),
        }
    }

    /// Whether it still counts on a day.
    pub fn last(&self, born: Option<Day>, today: Day) -> bool {
        match self.end(born) {
            End::Never => true,
            End::On(day) => today < day,
            End::Over => false,
        }
    }
}

/// When access is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Not by itself.
    Never,
    /// From the beginning of this day on.
    On(Day),
    /// Already, whatever day it is.
    Over,
}

/// The day on which somebody is of age: who was born on 29 February on 1 March, as their age is
/// counted. None for a date of birth without such a day.
pub fn of_age_on(born: Day) -> Option<Day> {
    let year = born.0.year().checked_add(OF_AGE_YEARS)?;
    let same = Date::new(year, born.0.month(), born.0.day());
    same.or_else(|_| Date::new(year, 3, 1)).ok().map(Day)
}

/// The day that it is in a time zone, by its IANA name.
pub fn today(now: Timestamp, zone: &str) -> Option<Day> {
    let zone = moment::zone(zone).unwrap_or(TimeZone::UTC);
    let at = jiff::Timestamp::from_microsecond(now.0).ok()?;
    Some(Day(at.to_zoned_datetime(zone).date()))
}

/// The earliest day that it is anywhere.
pub fn earliest_today(now: Timestamp) -> Option<Day> {
    const WEST_HOURS: i64 = 12;
    today(now.plus_seconds(-WEST_HOURS * 3_600), "UTC")
}

/// The latest day that it is anywhere.
pub fn latest_today(now: Timestamp) -> Option<Day> {
    const EAST_HOURS: i64 = 14;
    today(now.plus_seconds(EAST_HOURS * 3_600), "UTC")
}

/// The last day of birth of who is of age on a day, as text: days compare as their texts do, and 29
/// February of a year without one stands before 1 March.
pub fn born_by(today: Day) -> String {
    let day = today.0;
    format!("{:04}-{:02}-{:02}", day.year() - OF_AGE_YEARS, day.month(), day.day())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        Day(text.parse().unwrap())
    }

    #[test]
    fn dom_35_who_was_born_on_29_february_is_of_age_on_1_march() {
        assert_eq!(of_age_on(day("2012-02-29")), Some(day("2030-03-01")));
        assert_eq!(of_age_on(day("2012-02-28")), Some(day("2030-02-28")));
        assert_eq!(of_age_on(day("2013-07-04")), Some(day("2031-07-04")));
        assert_eq!(of_age_on(day("9995-01-01")), None);
        let leap = day("2012-02-29").to_string();
        assert!(leap > born_by(day("2030-02-28")) && leap <= born_by(day("2030-03-01")));
        // There is no 29 February 2010.
        let by = born_by(day("2028-02-29"));
        assert!(day("2010-02-28").to_string() <= by && day("2010-03-01").to_string() > by);
    }

    #[test]
    fn dom_35_a_guardian_acts_until_the_birthday_and_not_on_it() {
        let born = Some(day("2013-03-09"));
        let today = day("2030-12-01");
        let terms = Terms::given(born, today, None).unwrap();
        assert_eq!(
            terms,
            Terms { until: Some(day("2031-03-09")), granted_on: today, is_guardian: true }
        );
        assert!(terms.last(born, day("2031-03-08")));
        assert!(!terms.last(born, day("2031-03-09")));
        // The date of birth was wrong.
        assert!(!terms.last(Some(day("2012-03-09")), day("2030-12-01")));
        assert!(!terms.last(None, day("2030-12-01")));
    }

    #[test]
    fn dom_35_a_practice_ends_it_earlier_and_never_later() {
        let (born, today) = (Some(day("2013-03-09")), day("2025-01-01"));
        let given = |wanted: &str| Terms::given(born, today, Some(day(wanted)));
        assert_eq!(given("2026-03-09").unwrap().until, Some(day("2026-03-09")));
        assert_eq!(given("2031-03-09").unwrap().until, Some(day("2031-03-09")));
        assert_eq!(given("2031-03-10"), Err(Denied::Late));
        assert_eq!(given("2025-01-01"), Err(Denied::Past));
        assert_eq!(Terms::given(None, today, None), Err(Denied::Unknown));
    }

    #[test]
    fn dom_35_an_adult_is_asked_for_no_day() {
        let (born, today) = (Some(day("1990-05-05")), day("2025-01-01"));
        let open = Terms::given(born, today, None).unwrap();
        assert_eq!(open, Terms { until: None, granted_on: today, is_guardian: false });
        assert!(open.last(born, day("2090-01-01")) && !open.last(None, day("2090-01-01")));
        let bound = Terms::given(born, today, Some(day("2025-02-01"))).unwrap();
        assert!(bound.last(born, day("2025-01-31")) && !bound.last(born, day("2025-02-01")));
    }

    #[test]
    fn dom_35_who_was_taken_for_an_adult_is_a_minor_once_that_is_known() {
        let terms = Terms::given(Some(day("1990-05-05")), day("2025-01-01"), None).unwrap();
        let born = Some(day("2009-05-05"));
        assert!(terms.last(born, day("2027-05-04")) && !terms.last(born, day("2027-05-05")));
        // They were of age already, if not for so long.
        assert!(terms.last(Some(day("2007-01-01")), day("2090-01-01")));
    }

    #[test]
    fn dom_35_it_is_another_day_elsewhere() {
        let now = Timestamp::from_seconds(1_772_841_600);
        assert_eq!(today(now, "UTC"), Some(day("2026-03-07")));
        assert_eq!(today(now, "America/New_York"), Some(day("2026-03-06")));
        assert_eq!(earliest_today(now), Some(day("2026-03-06")));
        assert_eq!(latest_today(now), Some(day("2026-03-07")));
        assert_eq!(latest_today(now.plus_seconds(10 * 3_600)), Some(day("2026-03-08")));
    }

    fn days() -> impl Strategy<Value = Day> {
        (1900_i16..2100, 1_i8..13, 1_i8..29)
            .prop_map(|(year, month, day)| Day(Date::new(year, month, day).unwrap()))
    }

    proptest! {
        /// The sweep compares texts.
        #[test]
        fn dom_35_who_was_born_by_a_day_is_of_age(born in days(), today in days()) {
            let of_age = of_age_on(born).unwrap();
            prop_assert_eq!(born.to_string() <= born_by(today), of_age <= today);
        }

        /// Whatever is wanted: nobody acts as a guardian of an adult, and what is given counts
        /// on the day on which it is given.
        #[test]
        fn dom_35_no_guardian_of_an_adult(
            born in days(), today in days(), wanted in proptest::option::of(days()), later in days()
        ) {
            if let Ok(terms) = Terms::given(Some(born), today, wanted) {
                prop_assert!(terms.last(Some(born), today));
                prop_assert_eq!(terms.granted_on, today);
                let of_age = of_age_on(born).unwrap();
                if today < of_age && later >= of_age {
                    prop_assert!(!terms.last(Some(born), later));
                }
            }
        }

        /// Whatever was known when it was given: who was a minor then, as is known now, is acted
        /// for until they are of age.
        #[test]
        fn dom_35_a_corrected_date_of_birth_counts(
            born in days(), corrected in days(), today in days(),
            wanted in proptest::option::of(days()), later in days()
        ) {
            if let Ok(terms) = Terms::given(Some(born), today, wanted) {
                let of_age = of_age_on(corrected).unwrap();
                if today < of_age && later >= of_age {
                    prop_assert!(!terms.last(Some(corrected), later));
                }
                prop_assert!(!terms.last(None, later));
            }
        }
    }
}
