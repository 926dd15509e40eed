//! What may be written in any of the lists: pure rules, each of which adds its problems.

use jiff::tz::TimeZone;
use ward_clients::rules::label;
use ward_engine::{Given, Problems, moment};
use ward_instance::Timestamp;
use ward_store::Day;

use crate::codes::System;

pub use ward_clients::rules::{LINE_CHARS_MAX, NOTES_CHARS_MAX, bounded, not_emptied, required};

/// Nobody alive has anything since before.
const FIRST_YEAR: i16 = 1880;

/// Lines of at most [`LINE_CHARS_MAX`] characters.
pub fn lines(texts: &[(&str, &Given<String>)], problems: &mut Problems) {
    for (field, value) in texts {
        bounded(field, value, LINE_CHARS_MAX, problems);
    }
}

/// A moment that was sent, read in the caller's zone; what is there already where none was.
pub fn moment_of(
    (field, value): (&str, &Given<String>),
    before: Option<Timestamp>,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Option<Timestamp> {
    if !value.is_given() {
        return before;
    }
    let text = value.trimmed()?;
    let parsed = moment::instant(text, zone).filter(|at| is_of_our_time(*at));
    if parsed.is_none() {
        let label = label(field);
        problems.add(field, format!("{label} must be a date such as 2026-03-04 or March 4, 2026"));
    }
    parsed
}

fn is_of_our_time(at: Timestamp) -> bool {
    let year = jiff::Timestamp::from_microsecond(at.0)
        .map_or(0, |at| at.to_zoned_datetime(TimeZone::UTC).year());
    (FIRST_YEAR..=9999).contains(&year)
}

/// A day that was sent, also as `20260304`; what is there already where none was.
pub fn day_of(
    (field, value): (&str, &Given<String>),
    before: Option<Day>,
    problems: &mut Problems,
) -> Option<Day> {
    if !value.is_given() {
        return before;
    }
    let text = value.trimmed()?;
    let parsed = moment::day(text).or_else(|| compact(text));
    let parsed = parsed.filter(|day| day.0.year() >= FIRST_YEAR);
    if parsed.is_none() {
        let label = label(field);
        problems.add(field, format!("{label} must be a date such as 2026-03-04 or March 4, 2026"));
    }
    parsed
}

/// `20260304`, with whatever of a time behind it, as clinical documents write days.
fn compact(text: &str) -> Option<Day> {
    let digits = text.get(..8).filter(|head| head.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let (month, day) = (i8::try_from(number(4, 6)?).ok()?, i8::try_from(number(6, 8)?).ok()?);
    jiff::civil::Date::new(number(0, 4)?, month, day).ok().map(Day)
}

/// That something ended after it began.
pub fn ordered<T: PartialOrd>(
    (begin, start): (&str, Option<T>),
    (finish, end): (&str, Option<T>),
    problems: &mut Problems,
) {
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        let sentence = format!("{} can't be before {}", label(finish), label(begin).to_lowercase());
        problems.add(finish, sentence);
    }
}

/// That a day has begun somewhere on earth.
pub fn not_to_come(field: &str, day: Option<Day>, now: Timestamp, problems: &mut Problems) {
    let east = TimeZone::fixed(jiff::tz::offset(14));
    let now = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::MAX);
    if day.is_some_and(|day| day.0 > now.to_zoned_datetime(east).date()) {
        problems.add(field, format!("{} can't be in the future", label(field)));
    }
}

/// A code as it is kept, of any of these systems; what is there already where none was sent.
pub fn code_of(
    (field, value): (&str, &Given<String>),
    before: Option<String>,
    systems: &[System],
    problems: &mut Problems,
) -> Option<String> {
    if !value.is_given() {
        return before;
    }
    let text = value.trimmed()?;
    let kept = systems.iter().find_map(|system| system.code(text));
    if kept.is_none() {
        let of = |system: &System| format!("{} such as {}", system.name(), system.example());
        let known: Vec<String> = systems.iter().map(of).collect();
        let sentence = format!("{} must be a code of {}", label(field), known.join(" or of "));
        problems.add(field, sentence);
    }
    kept
}

/// One of the words, as it is kept, however it is written; what is there already where none was
/// sent.
pub fn word_of(
    (field, value): (&str, &Given<String>),
    before: Option<String>,
    words: &[&str],
    problems: &mut Problems,
) -> Option<String> {
    if !value.is_given() {
        return before;
    }
    let text = value.trimmed()?;
    let kept = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    if kept.is_none() {
        problems.add(field, format!("{} must be one of {}", label(field), words.join(", ")));
    }
    kept.map(|word| (*word).to_owned())
}

/// A text that was typed where the offered ones did not do, else the one that was chosen; what
/// is there already where neither was sent.
pub fn typed_or_chosen(
    typed: &Given<String>,
    chosen: &Given<String>,
    before: Option<String>,
) -> Option<String> {
    match typed.trimmed() {
        Some(text) => Some(text.to_owned()),
        None if chosen.is_given() => chosen.trimmed().map(str::to_owned),
        None => before,
    }
}

/// The end of the day that has begun somewhere on earth.
pub fn end_of_today(now: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    now.plus_micros(DAY)
}
