//! What may be written of a person: pure rules that createClient, updateClient
//! and updateUser share (behaviour 9, 18). Each adds its problems; none looks
//! anything up.

use ward_engine::{Given, Problems, moment};
use ward_identity::email as address;
use ward_instance::Timestamp;
use ward_store::Day;

use crate::ssn::Ssn;

/// The longest single-line text, in characters.
pub const LINE_CHARS_MAX: usize = 255;
/// The longest note about a client, in characters.
pub const NOTES_CHARS_MAX: usize = 20_000;
/// The longest address of a page, in characters.
pub const URL_CHARS_MAX: usize = 2_000;
/// The longest `metadata`, in characters (behaviour 9).
pub const METADATA_CHARS_MAX: usize = 128_000;
/// Nobody alive was born before.
const FIRST_BIRTH_YEAR: i16 = 1880;

/// Codes of `gender_identity_code` (behaviour 18.2).
pub const GENDER_IDENTITY_CODES: &[&str] = &[
    "MALE",
    "FEMALE",
    "FEMALE_TO_MALE",
    "MALE_TO_FEMALE",
    "GENDERQUEER",
    "OTHER",
    "CHOOSE_NOT_TO_DISCLOSE",
];
/// Codes of the two ethnicity fields.
pub const ETHNICITY_CODES: &[&str] = &["HISPANIC_OR_LATINO", "NOT_HISPANIC_OR_LATINO", "ASKU"];
/// Codes of the two race fields.
pub const RACE_CODES: &[&str] = &[
    "AMERICAN_INDIAN_OR_ALASKA_NATIVE",
    "ASIAN",
    "BLACK_OR_AFRICAN_AMERICAN",
    "NATIVE_HAWAIIAN_OR_OTHER_PACIFIC_ISLANDER",
    "OTHER_RACE",
    "WHITE",
    "ASKU",
];
/// Values of `default_billing_type`.
pub const BILLING_TYPES: &[&str] = &["SELF_PAY", "INSURANCE_PAY"];

/// A column's name as a sentence says it: `first_name` is "First name".
pub fn label(field: &str) -> String {
    let mut text = field.replace('_', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A text that must be there: absent, null and blank are refused.
pub fn required(field: &str, value: &Given<String>, problems: &mut Problems) {
    if value.trimmed().is_none() {
        problems.add(field, format!("{} can't be blank", label(field)));
    }
}

/// A text that may stay as it is but not become empty.
pub fn not_emptied(field: &str, value: &Given<String>, problems: &mut Problems) {
    if value.is_given() {
        required(field, value, problems);
    }
}

/// A text of at most `most` characters.
pub fn bounded(field: &str, value: &Given<String>, most: usize, problems: &mut Problems) {
    if value.value().is_some_and(|text| text.chars().count() > most) {
        let label = label(field);
        problems.add(field, format!("{label} is too long (maximum is {most} characters)"));
    }
}

/// A name that strangers give: it is written into mails, and leads nowhere.
pub fn plain_name(field: &str, value: &Given<String>, problems: &mut Problems) {
    let leads = |text: &str| {
        let text = text.to_lowercase();
        text.chars().any(char::is_control) || text.contains("://") || text.contains("www.")
    };
    if value.value().is_some_and(|text| leads(text)) {
        let sentence = format!("{} can't contain links or line breaks", label(field));
        problems.add(field, sentence);
    }
}

/// An address as it is kept: trimmed, in lower case.
pub fn kept_email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// An e-mail address, when one is given.
pub fn email(field: &str, value: &Given<String>, problems: &mut Problems) {
    if value.trimmed().is_some_and(|text| !address::is_valid(text)) {
        problems.add(field, format!("{} is invalid", label(field)));
    }
}

/// An IANA time zone, when one is given.
pub fn time_zone(field: &str, value: &Given<String>, problems: &mut Problems) {
    if value.trimmed().is_some_and(|name| moment::zone(name).is_none()) {
        problems.add(field, moment::unknown_zone(&label(field)));
    }
}

/// A JSON document of bounded size, when one is given (behaviour 9).
pub fn metadata(field: &str, value: &Given<String>, problems: &mut Problems) {
    bounded(field, value, METADATA_CHARS_MAX, problems);
    let parses = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    if value.trimmed().is_some_and(|text| !parses(text)) {
        problems.add(field, format!("{} must be a valid JSON document", label(field)));
    }
}

/// One of a fixed set of codes, when one is given.
pub fn code(field: &str, value: &Given<String>, codes: &[&str], problems: &mut Problems) {
    if value.trimmed().is_some_and(|text| !codes.contains(&text)) {
        problems.add(field, format!("{} must be one of {}", label(field), codes.join(", ")));
    }
}

/// A birth date that can be one, when one is given.
pub fn birth_date(field: &str, value: &Given<String>, now: Timestamp, problems: &mut Problems) {
    day_lived(field, value, now, problems);
}

/// A day of death that can be one, when one is given. That nobody dies before they are born is
/// [`lived`].
pub fn death_date(field: &str, value: &Given<String>, now: Timestamp, problems: &mut Problems) {
    day_lived(field, value, now, problems);
}

/// A day on which somebody of whom a practice knows can have lived.
fn day_lived(field: &str, value: &Given<String>, now: Timestamp, problems: &mut Problems) {
    let Some(text) = value.trimmed() else { return };
    match moment::day(text) {
        None => problems.add(field, format!("{} must be a date such as 1990-02-01", label(field))),
        Some(day) if day.0.year() < FIRST_BIRTH_YEAR => {
            problems.add(field, format!("{} is too long ago", label(field)));
        }
        Some(day) if day > latest_day(now) => {
            problems.add(field, format!("{} can't be in the future", label(field)));
        }
        Some(_) => {}
    }
}

/// Nobody dies before they are born, where both days are known; said of the field that was sent.
pub fn lived(field: &str, born: Option<Day>, died: Option<Day>, problems: &mut Problems) {
    if let (Some(born), Some(died)) = (born, died)
        && died < born
    {
        let sentence =
            "The day of death can't be before the day of birth; send both to change both";
        problems.add(field, sentence);
    }
}

/// The day that a field says, where it is sent and one; else the one that is kept.
pub fn day_of(value: &Given<String>, kept: Option<Day>) -> Option<Day> {
    match value.is_given() {
        true => value.trimmed().and_then(moment::day),
        false => kept,
    }
}

/// The day that has begun somewhere on earth.
fn latest_day(now: Timestamp) -> Day {
    let east = jiff::tz::TimeZone::fixed(jiff::tz::offset(14));
    let at = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::MAX);
    Day(at.to_zoned_datetime(east).date())
}

/// A social security number's form, when one is given. Whether it may be kept
/// here is asked by the operation.
pub fn ssn(field: &str, value: &Given<String>, problems: &mut Problems) -> Option<Ssn> {
    let text = value.trimmed()?;
    let ssn = Ssn::parse(text);
    if ssn.is_none() {
        problems.add(field, "SSN must have nine digits");
    }
    ssn
}

/// The two parts of a name sent as one text: the first word, and the rest.
pub fn split_name(text: &str) -> (String, String) {
    let text = text.trim();
    match text.split_once(char::is_whitespace) {
        Some((first, rest)) => (first.to_owned(), rest.trim().to_owned()),
        None => (text.to_owned(), String::new()),
    }
}
