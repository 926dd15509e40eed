//! The pure rules.

use proptest::prelude::*;
use ward_clients::location::oneline;
use ward_clients::ssn::{Ssn, may_be_real_ssn};
use ward_clients::{npi, place_of_service, rules};
use ward_engine::{FieldProblem, Given, Problems, Refused};
use ward_identity::picture::{data_url_bytes, picture_type};
use ward_instance::Timestamp;

/// 2026-03-04 12:00 UTC.
const NOW: Timestamp = Timestamp(1_772_625_600_000_000);

fn text(value: &str) -> Given<String> {
    Given::Value(value.to_owned())
}

fn told(rule: impl FnOnce(&mut Problems)) -> Vec<FieldProblem> {
    let mut problems = Problems::new();
    rule(&mut problems);
    match problems.check() {
        Ok(()) => Vec::new(),
        Err(Refused::Problems(problems)) => problems,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn sentences_are_made_of_the_field() {
    let problems = told(|p| rules::required("first_name", &Given::Null, p));
    assert_eq!(problems[0].message, "First name can't be blank");
    assert!(told(|p| rules::not_emptied("first_name", &Given::Absent, p)).is_empty());
    assert_eq!(told(|p| rules::not_emptied("first_name", &text("  "), p)).len(), 1);
}

#[test]
fn addresses() {
    for good in ["a@example.com", "first.last+tag@sub.example.org", "a@xn--gmal-spa.com"] {
        assert!(told(|p| rules::email("email", &text(good), p)).is_empty(), "{good}");
    }
    // Of two that look alike, one would get what is meant for the other.
    for bad in [
        "nobody",
        "a@",
        "@example.com",
        "a b@example.com",
        "Ann <a@example.com>",
        "a@localhost",
        "ü@example.com",
        "alice@gmaíl.com",
    ] {
        assert_eq!(told(|p| rules::email("email", &text(bad), p)).len(), 1, "{bad}");
    }
}

#[test]
fn birth_dates() {
    for good in ["1990-02-01", "2000-02-29", "March 4, 2026", "2026-03-05"] {
        assert!(told(|p| rules::birth_date("dob", &text(good), NOW, p)).is_empty(), "{good}");
    }
    for bad in ["2001-02-29", "2026-03-06", "1700-01-01", "yesterday"] {
        assert_eq!(told(|p| rules::birth_date("dob", &text(bad), NOW, p)).len(), 1, "{bad}");
    }
}

#[test]
fn days_of_death() {
    for good in ["1990-02-01", "2026-03-04", "2026-03-05", "  ", "March 4, 2026"] {
        let told = told(|p| rules::death_date("deceased_on", &text(good), NOW, p));
        assert!(told.is_empty(), "{good}");
    }
    for (bad, end) in [
        ("2026-03-06", "can't be in the future"),
        ("9999-12-31", "can't be in the future"),
        ("1700-01-01", "is too long ago"),
        ("2001-02-29", "must be a date such as 1990-02-01"),
        ("gone", "must be a date such as 1990-02-01"),
    ] {
        let told = told(|p| rules::death_date("deceased_on", &text(bad), NOW, p));
        assert_eq!(told[0].message, format!("Deceased on {end}"), "{bad}");
    }
    assert!(told(|p| rules::death_date("deceased_on", &Given::Null, NOW, p)).is_empty());
}

#[test]
fn nobody_dies_before_they_are_born() {
    let day = |value: &str| rules::day_of(&text(value), None);
    let wrong = |born, died| told(|p| rules::lived("deceased_on", born, died, p)).len();
    assert_eq!(wrong(day("2026-03-04"), day("2026-03-03")), 1);
    assert_eq!(wrong(day("2026-03-04"), day("2026-03-04")), 0, "a child of a day");
    assert_eq!(wrong(None, day("2026-03-04")), 0);
    assert_eq!(wrong(day("2026-03-04"), None), 0);
    let kept = day("1990-02-01");
    assert_eq!(rules::day_of(&Given::Absent, kept), kept);
    assert_eq!(rules::day_of(&Given::Null, kept), None);
    assert_eq!(rules::day_of(&text(" "), kept), None);
    assert_eq!(rules::day_of(&text("no day"), kept), None);
}

#[test]
fn metadata_is_json_and_bounded() {
    assert!(told(|p| rules::metadata("metadata", &text("{\"a\":[1]}"), p)).is_empty());
    assert_eq!(told(|p| rules::metadata("metadata", &text("{a}"), p)).len(), 1);
    let long = format!("\"{}\"", "x".repeat(rules::METADATA_CHARS_MAX));
    assert_eq!(told(|p| rules::metadata("metadata", &text(&long), p)).len(), 1);
}

#[test]
fn codes_and_zones() {
    let codes = rules::GENDER_IDENTITY_CODES;
    assert!(told(|p| rules::code("gender_identity_code", &text("OTHER"), codes, p)).is_empty());
    assert_eq!(told(|p| rules::code("gender_identity_code", &text("other"), codes, p)).len(), 1);
    assert!(told(|p| rules::time_zone("timezone", &text("America/Phoenix"), p)).is_empty());
    assert_eq!(told(|p| rules::time_zone("timezone", &text("Eastern"), p)).len(), 1);
}

#[test]
fn numbers_that_are_never_issued() {
    for never in ["000-12-3456", "666123456", "900 12 3456", "123-00-4567", "123-45-0000"] {
        assert!(!may_be_real_ssn(&Ssn::parse(never).unwrap()), "{never}");
    }
    assert!(may_be_real_ssn(&Ssn::parse("123-45-6789").unwrap()));
    assert_eq!(format!("{:?}", Ssn::parse("123-45-6789").unwrap()), "Ssn(***)");
}

#[test]
fn pictures() {
    assert_eq!(picture_type(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
    assert_eq!(picture_type(b"<svg onload=alert(1)>"), None);
    assert_eq!(data_url_bytes("data:image/png;base64,AAEC").unwrap(), [0, 1, 2]);
    assert_eq!(data_url_bytes("AAEC").unwrap(), [0, 1, 2]);
    assert!(data_url_bytes("data:image/png,AAEC").is_none());
}

#[test]
fn one_line_has_no_empty_parts() {
    assert_eq!(oneline("1 A St", "", "B", "NY", "10001"), "1 A St, B, NY 10001");
    assert_eq!(oneline("", "", "", "", ""), "");
}

proptest! {
    #[test]
    fn nine_digits_are_a_number_however_they_are_cut(digits in "[0-9]{9}", cuts in "[- ]{0,3}") {
        let (head, tail) = digits.split_at(3);
        let ssn = Ssn::parse(&format!("{head}{cuts}{tail}")).unwrap();
        prop_assert_eq!(ssn.digits(), digits.as_str());
    }

    #[test]
    fn nothing_else_is(text in "\\PC*") {
        let digits = text.chars().filter(|c| !matches!(c, '-' | ' ')).count();
        if Ssn::parse(&text).is_some() {
            prop_assert!(digits == 9);
        }
    }

    #[test]
    fn rules_take_any_text(value in "\\PC*") {
        let value = text(&value);
        told(|p| {
            rules::email("email", &value, p);
            rules::birth_date("dob", &value, NOW, p);
            rules::time_zone("timezone", &value, p);
            rules::metadata("metadata", &value, p);
        });
    }

    #[test]
    fn a_split_name_loses_no_word(name in "[a-zA-Zéß]{1,8}( [a-z]{1,8}){0,3}") {
        let (first, last) = rules::split_name(&name);
        let joined = format!("{first} {last}");
        prop_assert_eq!(joined.trim(), name.as_str());
    }

    #[test]
    fn kept_addresses_stay_kept(text in "\\PC{0,40}") {
        let once = rules::kept_email(&text);
        prop_assert_eq!(rules::kept_email(&once), once);
    }
}

proptest! {
    /// DOM-19: of the ten last digits exactly one makes an NPI of nine others.
    #[test]
    fn one_last_digit_checks_the_others(first in 1..=2_u32, rest in "[0-9]{8}") {
        let valid = (0..10).filter(|last| npi::is_valid(&format!("{first}{rest}{last}"))).count();
        prop_assert_eq!(valid, 1);
    }

    /// The check digit tells every digit that was mistyped.
    #[test]
    fn a_mistyped_digit_is_told(rest in "[12][0-9]{8}", at in 0..10_usize, by in 1..10_u8) {
        let valid = (0..10).map(|last| format!("{rest}{last}")).find(|text| npi::is_valid(text));
        let mut digits = valid.unwrap().into_bytes();
        digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
        prop_assert!(!npi::is_valid(std::str::from_utf8(&digits).unwrap()));
    }

    #[test]
    fn other_beginnings_are_no_npi(text in "[03-9][0-9]{9}") {
        prop_assert!(!npi::is_valid(&text));
    }

    #[test]
    fn any_text_is_judged(text in ".{0,20}") {
        let digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        prop_assert!(!npi::is_valid(&text) || digits);
        let _ = place_of_service::number(&text);
    }
}

/// The example of the CMS standard, and neighbours of it.
#[test]
fn provider_numbers() {
    assert!(npi::is_valid("1234567893"));
    for text in ["1234567890", "3234567893", "123456789", "12345678933", "", "१२३४५६७८९३"]
    {
        assert!(!npi::is_valid(text), "{text}");
    }
}

#[test]
fn places_of_service_are_each_there_once() {
    use std::collections::BTreeSet;
    let codes = place_of_service::CODES;
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    assert!(codes.iter().all(|code| code.len() == 2));
    assert_eq!(place_of_service::number("01"), Some(1));
    assert_eq!(place_of_service::number(" 1 "), Some(1));
    assert_eq!(place_of_service::number("98"), None);
}
