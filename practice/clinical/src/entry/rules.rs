//! What an entry may say (behaviour 30): pure rules, each of which adds its problems.

use jiff::ToSpan;
use jiff::tz::TimeZone;
use ward_engine::{Given, Problems};
use ward_instance::Timestamp;

use super::input::Said;
use super::table::{Entry, Kind};
use crate::rules::{self, LINE_CHARS_MAX, NOTES_CHARS_MAX};

/// An entry may be dated so many months ahead.
pub const MONTHS_AHEAD: i64 = 3;
/// A number has so many characters at most.
const NUMBER_CHARS_MAX: usize = 32;
/// How hungry somebody can be.
const HUNGRINESS: &[&str] = &["1", "2", "3"];

/// A metric's number: digits with a sign and a point, if it has them.
pub fn number(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    let is_short = text.len() <= NUMBER_CHARS_MAX;
    text.parse::<f64>().ok().filter(|number| is_plain && is_short && number.is_finite())
}

/// The kind that `type` names, however it is written.
pub fn kind(value: &Given<String>, problems: &mut Problems) -> Option<Kind> {
    if value.trimmed().is_none() {
        problems.add("type", format!("Type must be one of {}", Kind::TEXTS.join(", ")));
        return None;
    }
    let word = rules::word_of(("type", value), None, Kind::TEXTS, problems);
    word.as_deref().and_then(Kind::from_text)
}

/// The last moment that an entry can be dated at.
pub fn latest(now: Timestamp) -> Timestamp {
    let now = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::MAX);
    let later = now.to_zoned_datetime(TimeZone::UTC).checked_add(MONTHS_AHEAD.months());
    Timestamp(later.map_or(now, |at| at.timestamp()).as_microsecond())
}

/// Writes what was sent into the row.
pub fn write(
    said: &Said<'_>,
    row: &mut Entry,
    (now, zone): (Timestamp, &TimeZone),
    problems: &mut Problems,
) {
    let symptoms =
        said.symptoms.map(|(known, other)| [("symptoms", known), ("other_symptom", other)]);
    for (field, value) in said.texts.iter().chain(symptoms.iter().flatten()) {
        let most = match *field {
            "ed_posthunger" | "ed_prehunger" | "third_party_source" => LINE_CHARS_MAX,
            _ => NOTES_CHARS_MAX,
        };
        rules::bounded(field, value, most, problems);
        value.set_text(match *field {
            "description" => &mut row.description,
            "ed_posthunger" => &mut row.ed_posthunger,
            "ed_prehunger" => &mut row.ed_prehunger,
            "emotions" => &mut row.emotions,
            "other_symptom" => &mut row.other_symptom,
            "reflection" => &mut row.reflection,
            "symptoms" => &mut row.symptoms,
            _ => &mut row.third_party_source,
        });
    }
    rules::bounded("category", said.category, LINE_CHARS_MAX, problems);
    said.category.set_text(&mut row.category);
    let hungriness = ("perceived_hungriness", said.hungriness);
    let before = row.percieved_hungriness.take();
    row.percieved_hungriness = rules::word_of(hungriness, before, HUNGRINESS, problems);
    measure(said.metric_stat, row, problems);
    date(said.created_at, row, (now, zone), problems);
}

/// What an entry is called where it comes from.
pub fn name(id: &Given<String>, kind: &Given<String>, row: &mut Entry, problems: &mut Problems) {
    rules::lines(&[("external_id", id), ("external_id_type", kind)], problems);
    id.set_text(&mut row.external_id);
    kind.set_text(&mut row.external_id_type);
    if row.external_id.is_none() && row.external_id_type.is_some() {
        problems.add("external_id", "External id can't be blank where its type is given");
    }
}

/// The number; a metric has one, and a name.
fn measure(value: &Given<String>, row: &mut Entry, problems: &mut Problems) {
    value.set_text(&mut row.metric_stat);
    let is_metric = row.kind == Kind::Metric;
    if is_metric && row.category.is_none() {
        problems.add("category", "Category can't be blank: it is the name of the metric");
    }
    match &row.metric_stat {
        Some(text) if number(text).is_none() => {
            problems.add("metric_stat", "Metric stat must be a number such as 72.5");
        }
        None if is_metric => problems.add("metric_stat", "Metric stat can't be blank"),
        Some(_) | None => {}
    }
}

/// When it was so: what is not said is so now, or stays.
fn date(
    value: &Given<String>,
    row: &mut Entry,
    (now, zone): (Timestamp, &TimeZone),
    problems: &mut Problems,
) {
    if value.trimmed().is_none() {
        return;
    }
    let Some(at) = rules::moment_of(("created_at", value), None, zone, problems) else { return };
    if at > latest(now) {
        let sentence = format!("Created at can be at most {MONTHS_AHEAD} months ahead");
        problems.add("created_at", sentence);
    }
    row.noted_at = at;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, wanted) in [("72.5", 72.5), ("120", 120.0), ("-3", -3.0), ("+.5", 0.5)] {
            assert_eq!(number(text), Some(wanted), "{text}");
        }
        let none = ["", "heavy", "1e9", "inf", "NaN", "1,5", "1.2.3", "--1", " 1", "120/80"];
        for text in none.iter().copied().chain([&*"1".repeat(33)]) {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn three_months_are_those_of_the_calendar() {
        let at = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        assert_eq!(latest(at("2026-11-30T10:00:00Z")), at("2027-02-28T10:00:00Z"));
        assert_eq!(latest(at("2026-01-15T00:00:00Z")), at("2026-04-15T00:00:00Z"));
        let end = Timestamp(jiff::Timestamp::MAX.as_microsecond());
        assert_eq!(latest(end), end);
    }
}
