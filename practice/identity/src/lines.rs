//! What single-line texts of people and organizations must be: pure rules, each
//! adds its problems (behaviour 4.2).

use ward_engine::{Given, Problems, moment};

use crate::email;

/// The longest single-line text, in characters.
pub const LINE_CHARACTERS_MAX: usize = 255;

/// A field's name as a sentence says it: `first_name` is "First name".
pub fn label(field: &str) -> String {
    let mut text = field.replace('_', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A text that must be there: absent, null and blank are refused.
pub fn required(field: &str, given: &Given<String>, problems: &mut Problems) {
    if given.trimmed().is_none() {
        problems.add(field, format!("{} can't be blank", label(field)));
    }
}

/// A text that may stay as it is but not become empty.
pub fn not_emptied(field: &str, given: &Given<String>, problems: &mut Problems) {
    if given.is_given() {
        required(field, given, problems);
    }
}

/// Texts of at most [`LINE_CHARACTERS_MAX`] characters.
pub fn bounded<'a>(
    lines: impl IntoIterator<Item = (&'a str, &'a Given<String>)>,
    problems: &mut Problems,
) {
    for (field, given) in lines {
        if given.value().is_some_and(|text| text.chars().count() > LINE_CHARACTERS_MAX) {
            let label = label(field);
            problems.add(
                field,
                format!("{label} is too long (maximum is {LINE_CHARACTERS_MAX} characters)"),
            );
        }
    }
}

/// An e-mail address, when one is given.
pub fn address(field: &str, given: &Given<String>, problems: &mut Problems) {
    if given.trimmed().is_some_and(|text| !email::is_valid(text)) {
        problems.add(field, format!("{} is invalid", label(field)));
    }
}

/// An IANA time zone, when one is given.
pub fn time_zone(field: &str, given: &Given<String>, problems: &mut Problems) {
    if given.trimmed().is_some_and(|name| moment::zone(name).is_none()) {
        problems.add(field, moment::unknown_zone(&label(field)));
    }
}

/// An address as it is kept: trimmed, in lower case.
pub fn kept_address(text: &str) -> String {
    text.trim().to_lowercase()
}
