//! What an episode of care may say (behaviour 38): pure rules, each of which adds its problems.

use ward_engine::{Given, Problems};
use ward_instance::Timestamp;

use super::table::EpisodeOfCare;
use crate::codes;
use crate::rules;

/// Writes the days that were sent into the episode.
pub fn write(
    (start_date, end_date): (&Given<String>, &Given<String>),
    episode: &mut EpisodeOfCare,
    now: Timestamp,
    problems: &mut Problems,
) {
    rules::required("start_date", start_date, problems);
    let start = rules::day_of(("start_date", start_date), Some(episode.start_date), problems);
    rules::not_to_come("start_date", start, now, problems);
    episode.start_date = start.unwrap_or(episode.start_date);
    episode.end_date = rules::day_of(("end_date", end_date), episode.end_date, problems);
    rules::ordered(("start_date", start), ("end_date", episode.end_date), problems);
}

/// Whether a health concern with this code can be the diagnosis of an episode: diagnoses are coded
/// by ICD-10-CM, and no number of SNOMED CT has that form.
pub fn is_diagnosis(code: Option<&str>) -> bool {
    code.is_some_and(|code| codes::icd10cm(code).is_some())
}

/// What a diagnosis is called: its code and its name, as far as it has them.
pub fn called(code: Option<&str>, name: Option<&str>) -> Option<String> {
    match (code, name) {
        (Some(code), Some(name)) => Some(format!("{code}: {name}")),
        (code, name) => code.or(name).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use ward_store::{Day, Id};

    use super::*;

    fn episode() -> EpisodeOfCare {
        EpisodeOfCare {
            id: Id::new(1),
            org_id: Id::new(2),
            unit_id: Id::new(2),
            user_id: Id::new(3),
            provider_id: Id::new(4),
            diagnosis_id: Id::new(5),
            start_date: Day(date(2025, 3, 3)),
            end_date: None,
            version: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            deleted_at: None,
        }
    }

    /// What becomes of the episode by these days, at noon of 2026-01-05; or nothing where they are refused.
    fn written(start: &str, end: &Given<String>) -> Option<EpisodeOfCare> {
        const NOW: Timestamp = Timestamp(1_767_614_400_000_000);
        let mut episode = episode();
        let mut problems = Problems::new();
        let start = Given::Value(start.to_owned());
        write((&start, end), &mut episode, NOW, &mut problems);
        problems.is_empty().then_some(episode)
    }

    #[test]
    fn days() {
        let end = |text: &str| Given::Value(text.to_owned());
        let open = written("2025-01-01", &Given::Absent).unwrap();
        assert_eq!((open.start_date.0, open.end_date), (date(2025, 1, 1), None));
        let shut = written("2025-01-01", &end("2027-01-01")).unwrap();
        assert_eq!(shut.end_date, Some(Day(date(2027, 1, 1))), "it may end in the future");
        assert!(written("2025-01-01", &end("2025-01-01")).is_some(), "a day is long enough");
        assert!(written("2026-01-06", &Given::Absent).is_some(), "today, somewhere");
        for (start, end) in [
            ("", Given::Absent),
            ("soon", Given::Absent),
            ("2026-02-01", Given::Absent),
            ("9999-12-31", Given::Absent),
            ("0001-01-01", Given::Absent),
            ("2025-01-02", end("2025-01-01")),
            ("2025-01-02", end("never")),
        ] {
            assert_eq!(written(start, &end), None, "{start}");
        }
    }

    #[test]
    fn diagnoses() {
        for code in ["E11.9", "I10", "z99.89"] {
            assert!(is_diagnosis(Some(code)), "{code}");
        }
        for code in [None, Some(""), Some("73211009"), Some("E11."), Some("é11")] {
            assert!(!is_diagnosis(code), "{code:?}");
        }
        assert_eq!(called(Some("I10"), Some("High")).as_deref(), Some("I10: High"));
        assert_eq!(called(Some("I10"), None).as_deref(), Some("I10"));
        assert_eq!(called(None, Some("High")).as_deref(), Some("High"));
        assert_eq!(called(None, None), None);
    }
}
