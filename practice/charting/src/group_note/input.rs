//! What is sent of individual notes, and what is wrong with it. Pure.

use jiff::tz::TimeZone;
use ward_clients::rules as texts;
use ward_engine::{Given, Problems, input, moment};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::Id;

use super::tables::IndividualClientNote;
use crate::filled::input::is_of_our_time;

/// So many individual notes can be sent at once: no more clients attend an appointment.
pub const NOTES_MAX: usize = 200;
/// The longest individual note, in characters; it may be HTML.
pub const CONTENT_CHARS_MAX: usize = 100_000;
/// Where they are sent.
pub const AT: &str = "individual_client_notes";

input! {
    /// `IndividualClientNoteInput`: the note is named by its `id`, or by its client.
    pub struct IndividualNote {
        attended: bool,
        content: String,
        id: IdOrBlank<IndividualClientNote>,
        join_time: String,
        leave_time: String,
        user_id: IdOrBlank<User>,
    }
}

/// What is said of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The note that is there.
    pub id: Option<Id<IndividualClientNote>>,
    /// The client.
    pub user: Option<Id<User>>,
    /// Whether they came.
    pub attended: Given<bool>,
    /// What the note says.
    pub content: Given<String>,
    /// When they came.
    pub join_time: Given<Timestamp>,
    /// When they left.
    pub leave_time: Given<Timestamp>,
}

/// What was sent, with what is wrong with it.
pub fn said(
    sent: &Given<Vec<IndividualNote>>,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Vec<Said> {
    let Some(sent) = sent.value() else { return Vec::new() };
    if sent.len() > NOTES_MAX {
        problems.add(AT, format!("At most {NOTES_MAX} individual notes can be sent at once"));
        return Vec::new();
    }
    sent.iter().map(|it| one(it, zone, problems)).collect()
}

fn one(sent: &IndividualNote, zone: &TimeZone, problems: &mut Problems) -> Said {
    texts::bounded("content", &sent.content, CONTENT_CHARS_MAX, problems);
    Said {
        id: named(&sent.id),
        user: named(&sent.user_id),
        attended: sent.attended.clone(),
        content: sent.content.clone(),
        join_time: at("join_time", &sent.join_time, zone, problems),
        leave_time: at("leave_time", &sent.leave_time, zone, problems),
    }
}

/// A moment; a blank text says that there is none.
fn at(
    field: &'static str,
    sent: &Given<String>,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Given<Timestamp> {
    let text = match (sent, sent.trimmed()) {
        (Given::Absent, _) => return Given::Absent,
        (_, None) => return Given::Null,
        (_, Some(text)) => text,
    };
    match moment::instant(text, zone).filter(|at| is_of_our_time(*at)) {
        Some(at) => Given::Value(at),
        None => {
            let label = texts::label(field);
            problems.add(field, format!("{label} must be a moment such as 2026-03-04T09:30:00Z"));
            Given::Absent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> (Given<Timestamp>, bool) {
        let mut problems = Problems::new();
        let given = Given::Value(text.to_owned());
        let found = at("join_time", &given, &TimeZone::UTC, &mut problems);
        (found, problems.check().is_err())
    }

    #[test]
    fn moments_are_read_and_what_is_none_is_told() {
        assert_eq!(sent("1970-01-01T00:00:01Z"), (Given::Value(Timestamp(1_000_000)), false));
        assert_eq!(sent("  "), (Given::Null, false));
        for wrong in ["soon", "0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z"] {
            assert_eq!(sent(wrong), (Given::Absent, true), "{wrong}");
        }
        let mut problems = Problems::new();
        assert_eq!(at("x", &Given::Absent, &TimeZone::UTC, &mut problems), Given::Absent);
        assert_eq!(at("x", &Given::Null, &TimeZone::UTC, &mut problems), Given::Null);
        assert!(problems.check().is_ok());
    }

    #[test]
    fn there_is_an_end_to_what_is_sent() {
        let many = Given::Value(vec![IndividualNote::default(); NOTES_MAX + 1]);
        let mut problems = Problems::new();
        assert!(said(&many, &TimeZone::UTC, &mut problems).is_empty());
        assert!(problems.check().is_err());
        let long = IndividualNote {
            content: Given::Value("x".repeat(CONTENT_CHARS_MAX + 1)),
            ..IndividualNote::default()
        };
        let mut problems = Problems::new();
        said(&Given::Value(vec![long]), &TimeZone::UTC, &mut problems);
        assert!(problems.check().is_err());
    }
}
