//! What a consent to disclosure may say, and on which days it is good: pure rules.

use jiff::tz::TimeZone;
use ward_clients::rules::{LINE_CHARS_MAX, bounded, label, required};
use ward_clinical::rules::{day_of, not_to_come, ordered};
use ward_engine::{Answer, Given, Problems, Refused, moment};
use ward_instance::Timestamp;
use ward_store::Day;

use super::change::CreateConsent;
use super::table::{DisclosureConsent, DisclosureScope};

/// The longest purpose, in characters.
const PURPOSE_CHARS_MAX: usize = 1_000;

/// What was consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who may receive the records.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// Which records.
    pub scope: DisclosureScope,
    /// When it was signed.
    pub signed_on: Day,
    /// The last day.
    pub expires_on: Option<Day>,
}

/// How a consent stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Records may be disclosed by it.
    Good,
    /// Its last day is over.
    Expired,
    /// It was revoked, whatever its days.
    Revoked,
}

impl Standing {
    /// Why nothing is disclosed by it.
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Standing::Good => None,
            Standing::Expired => Some(
                "This consent has expired, so nothing is disclosed by it: record a new one that the \
                 client has signed",
            ),
            Standing::Revoked => Some(
                "This consent was revoked, so nothing is disclosed by it: record a new one that the \
                 client has signed",
            ),
        }
    }
}

/// What was sent, if it is whole.
pub fn terms(input: &CreateConsent, now: Timestamp) -> Answer<Terms> {
    let mut problems = Problems::new();
    line("recipient", &input.recipient, LINE_CHARS_MAX, &mut problems);
    line("purpose", &input.purpose, PURPOSE_CHARS_MAX, &mut problems);
    let scope = scope(&input.scope, &mut problems);
    required("signed_on", &input.signed_on, &mut problems);
    let signed_on = day_of(("signed_on", &input.signed_on), None, &mut problems);
    not_to_come("signed_on", signed_on, now, &mut problems);
    let expires_on = day_of(("expires_on", &input.expires_on), None, &mut problems);
    ordered(("signed_on", signed_on), ("expires_on", expires_on), &mut problems);
    problems.check()?;
    let text = |given: &Given<String>| given.trimmed().unwrap_or_default().to_owned();
    match (scope, signed_on) {
        (Some(scope), Some(signed_on)) => Ok(Terms {
            recipient: text(&input.recipient),
            purpose: text(&input.purpose),
            scope,
            signed_on,
            expires_on,
        }),
        _ => Err(Refused::base("Say the scope and the day on which it was signed")),
    }
}

/// A text of one line, which stands in the archive as it was sent.
fn line(field: &str, value: &Given<String>, most: usize, problems: &mut Problems) {
    required(field, value, problems);
    bounded(field, value, most, problems);
    if value.trimmed().is_some_and(|text| text.chars().any(breaks)) {
        let sentence = format!(
            "{} can't contain line breaks, or characters that turn the direction of the text",
            label(field)
        );
        problems.add(field, sentence);
    }
}

/// Whether a character ends a line, or has what follows it read in another order than it was written.
fn breaks(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns
}

fn scope(given: &Given<String>, problems: &mut Problems) -> Option<DisclosureScope> {
    required("scope", given, problems);
    let text = given.trimmed()?;
    let scope = DisclosureScope::from_text(text);
    if scope.is_none() {
        let all = DisclosureScope::TEXTS.join(", ");
        problems.add("scope", format!("Scope must be one of {all}"));
    }
    scope
}

/// How a consent stands on a day: good through its last one, until it is revoked.
pub fn standing(is_revoked: bool, expires_on: Option<Day>, today: Day) -> Standing {
    match (is_revoked, expires_on) {
        (true, _) => Standing::Revoked,
        (false, Some(last)) if last < today => Standing::Expired,
        (false, _) => Standing::Good,
    }
}

/// The same of a record.
pub fn stands(consent: &DisclosureConsent, today: Day) -> Standing {
    standing(consent.revoked_at.is_some(), consent.expires_on, today)
}

/// The day that it is in the first of these time zones that is one.
pub fn today(now: Timestamp, zones: [Option<&str>; 2]) -> Day {
    let zone = zones.into_iter().flatten().find_map(moment::zone).unwrap_or(TimeZone::UTC);
    let now = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::MAX);
    Day(now.to_zoned_datetime(zone).date())
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// Noon of 2026-01-05.
    const NOW: Timestamp = Timestamp(1_767_614_400_000_000);

    fn input() -> CreateConsent {
        let text = |text: &str| Given::Value(text.to_owned());
        CreateConsent {
            recipient: text(" Dr. Ada Bell "),
            purpose: text("Further treatment"),
            scope: text("ALL_RECORDS"),
            signed_on: text("2026-01-05"),
            ..CreateConsent::default()
        }
    }

    fn problems(input: &CreateConsent) -> Vec<String> {
        match terms(input, NOW) {
            Err(Refused::Problems(problems)) => {
                problems.into_iter().filter_map(|it| it.field).collect()
            }
            Err(other) => panic!("{other:?}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn dom_31_what_a_consent_says() {
        let terms = terms(&input(), NOW).unwrap();
        assert_eq!(terms.recipient, "Dr. Ada Bell");
        assert_eq!((terms.scope, terms.expires_on), (DisclosureScope::AllRecords, None));
        let value = |text: &str| Given::Value(text.to_owned());
        assert_eq!(
            problems(&CreateConsent::default()),
            ["recipient", "purpose", "scope", "signed_on"]
        );
        let long = value(&"x".repeat(LINE_CHARS_MAX + 1));
        assert_eq!(problems(&CreateConsent { recipient: long, ..input() }), ["recipient"]);
        for text in ["a\nb", "a\u{2028}b", "a\u{2029}b", "a\u{202e}b", "a\u{2066}b"] {
            let purpose = value(text);
            assert_eq!(problems(&CreateConsent { purpose, ..input() }), ["purpose"], "{text:?}");
        }
        assert_eq!(problems(&CreateConsent { scope: value("SOME"), ..input() }), ["scope"]);
        // The day after the next has begun nowhere on earth.
        let late = CreateConsent { signed_on: value("2026-01-07"), ..input() };
        assert_eq!(problems(&late), ["signed_on"]);
        for (last, wrong) in [("2026-01-04", true), ("2026-01-05", false), ("9999-12-31", false)] {
            let ends = CreateConsent { expires_on: value(last), ..input() };
            assert_eq!(!problems(&ends).is_empty(), wrong, "{last}");
        }
        let never = CreateConsent { expires_on: value("never"), ..input() };
        assert_eq!(problems(&never), ["expires_on"]);
    }

    proptest! {
        /// It is good on each day through its last one, on none behind it, and never once it is revoked.
        #[test]
        fn dom_31_a_consent_is_good_through_its_last_day(
            last in 0i32..20_000, later in -20_000i32..20_000, revoked in any::<bool>(),
            open in any::<bool>()
        ) {
            let day = |days: i32| Day(date(1990, 1, 1).saturating_add(days.days()));
            let expires_on = (!open).then(|| day(last));
            let found = standing(revoked, expires_on, day(last.saturating_add(later)));
            let expected = match (revoked, open || later <= 0) {
                (true, _) => Standing::Revoked,
                (false, true) => Standing::Good,
                (false, false) => Standing::Expired,
            };
            prop_assert_eq!(found, expected);
            prop_assert_eq!(found.refusal().is_none(), found == Standing::Good);
        }
    }

    #[test]
    fn dom_31_days_are_the_clients() {
        // 02:00 in London, still the day before in New York, and noon in Auckland.
        let now = Timestamp(1_767_578_400_000_000);
        assert_eq!(today(now, [Some("Europe/London"), None]).0, date(2026, 1, 5));
        let far = [Some("America/New_York"), Some("Pacific/Auckland")];
        assert_eq!(today(now, far).0, date(2026, 1, 4));
        assert_eq!(today(now, [Some("Nowhere"), Some("Pacific/Auckland")]).0, date(2026, 1, 5));
        assert_eq!(today(now, [None, None]).0, date(2026, 1, 5));
    }
}
