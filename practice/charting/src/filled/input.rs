//! What is sent of a filled form, and what is wrong with it. Pure.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use ward_clients::rules as texts;
use ward_engine::{Given, Problems, input, moment};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_scheduling::appointment::table::Appointment;
use ward_store::Id;

use super::tables::{FormAnswer, FormAnswerGroup};
use crate::flow::tables::OnboardingItem;
use crate::group_note::input::IndividualNote;
use crate::question::QUESTIONS_MAX;
use crate::request::tables::RequestedFormCompletion;
use crate::tables::{CustomModule, CustomModuleForm};

/// The longest answer, in characters: a drawn signature is one.
pub const ANSWER_CHARS_MAX: usize = 1_000_000;
/// All answers of a form with their metadata together: each change reads all of them.
pub const FORM_CHARS_MAX: usize = 4 << 20;
/// So many forms a client fills in by themselves, with those deleted since: so no client
/// uses up the storage of the practice.
pub const CLIENT_FORMS_MAX: i64 = 1_000;
/// Nobody alive was treated before.
const FIRST_YEAR: i16 = 1880;

input! {
    /// `FormAnswerInput` of a new form. What it says of the question is what the caller
    /// was shown of it, and decides nothing; it has no `id` yet.
    pub struct NewAnswer {
        answer: String,
        conditional_custom_module_id: IdOrBlank<CustomModule>,
        custom_module_id: IdOrBlank<CustomModule>,
        filter_type: String,
        id: IdOrBlank<CustomModule>,
        label: String,
        metadata: String,
        mod_type: String,
        user_id: IdOrBlank<User>,
        value_to_filter: String,
    }
}

input! {
    /// `FormAnswerInput` of a form that is there: the answer is named by its `id`, or by
    /// its question.
    pub struct ChangedAnswer {
        answer: String,
        conditional_custom_module_id: IdOrBlank<CustomModule>,
        custom_module_id: IdOrBlank<CustomModule>,
        filter_type: String,
        id: IdOrBlank<FormAnswer>,
        label: String,
        metadata: String,
        mod_type: String,
        user_id: IdOrBlank<User>,
        value_to_filter: String,
    }
}

input! {
    /// `createFormAnswerGroupInput`. That a warning was dismissed changes nothing.
    pub struct CreateGroup {
        appointment_id: IdOrBlank<Appointment>,
        confidentiality: String,
        created_at: String,
        custom_module_form_id: IdOrBlank<CustomModuleForm>,
        date: String,
        dismissed_lock_charting_note_warning: bool,
        external_id: String,
        finished: bool,
        form_answers: Vec<NewAnswer>,
        formatted_date: String,
        individual_client_notes: Vec<IndividualNote>,
        marked_complete: bool,
        metadata: String,
        name: String,
        onboarding_item_id: IdOrBlank<OnboardingItem>,
        requested_form_completion_id: IdOrBlank<RequestedFormCompletion>,
        set_initial_answers: bool,
        time: String,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `updateFormAnswerGroupInput`; `version` is what the caller read.
    pub struct UpdateGroup {
        id: Id<FormAnswerGroup>,
        appointment_id: IdOrBlank<Appointment>,
        confidentiality: String,
        date: String,
        dismissed_lock_charting_note_warning: bool,
        external_id: String,
        finished: bool,
        form_answers: Vec<ChangedAnswer>,
        formatted_date: String,
        individual_client_notes: Vec<IndividualNote>,
        marked_complete: bool,
        metadata: String,
        name: String,
        time: String,
        version: i64,
    }
}

input! {
    /// `deleteFormAnswerGroupInput`.
    pub struct DeleteGroup { id: IdOrBlank<FormAnswerGroup>, user_id: IdOrBlank<User> }
}

/// An answer of either input.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The answer that is there.
    pub id: Option<Id<FormAnswer>>,
    /// Its question.
    pub question: Option<Id<CustomModule>>,
    /// Whose it is said to be.
    pub user: Option<Id<User>>,
    /// What is answered.
    pub answer: Given<String>,
    /// A program's own data.
    pub metadata: Given<String>,
}

impl From<&NewAnswer> for Said {
    fn from(it: &NewAnswer) -> Self {
        Said {
            id: None,
            question: it.custom_module_id.value().and_then(|id| id.0),
            user: it.user_id.value().and_then(|id| id.0),
            answer: it.answer.clone(),
            metadata: it.metadata.clone(),
        }
    }
}

impl From<&ChangedAnswer> for Said {
    fn from(it: &ChangedAnswer) -> Self {
        Said {
            id: it.id.value().and_then(|id| id.0),
            question: it.custom_module_id.value().and_then(|id| id.0),
            user: it.user_id.value().and_then(|id| id.0),
            answer: it.answer.clone(),
            metadata: it.metadata.clone(),
        }
    }
}

/// An answer as it is kept: nothing where it is blank.
pub fn kept(answer: &str) -> Option<String> {
    (!answer.trim().is_empty()).then(|| answer.to_owned())
}

/// What is wrong with what either input says.
pub fn check(
    name: &Given<String>,
    external_id: &Given<String>,
    metadata: &Given<String>,
    answers: &[Said],
) -> Problems {
    let mut problems = Problems::new();
    texts::bounded("name", name, texts::LINE_CHARS_MAX, &mut problems);
    texts::bounded("external_id", external_id, texts::LINE_CHARS_MAX, &mut problems);
    texts::metadata("metadata", metadata, &mut problems);
    if answers.len() > QUESTIONS_MAX {
        let most = format!("At most {QUESTIONS_MAX} answers can be sent at once");
        problems.add("form_answers", most);
        return problems;
    }
    for said in answers {
        texts::bounded("answer", &said.answer, ANSWER_CHARS_MAX, &mut problems);
        texts::metadata("metadata", &said.metadata, &mut problems);
        if said.id.is_none() && said.question.is_none() {
            problems.add("custom_module_id", "Custom module can't be blank");
        }
    }
    problems
}

/// The date of service, as any of its fields has it: a moment, or a day with a time of
/// its own.
pub fn served_at(
    whole: &[(&str, &Given<String>)],
    (date, time): (&Given<String>, &Given<String>),
    zone: &TimeZone,
    problems: &mut Problems,
) -> Option<Timestamp> {
    let chosen = whole.iter().find_map(|(field, value)| Some((*field, value.trimmed()?)));
    let (field, text) = match (chosen, date.trimmed()) {
        (Some(chosen), _) => chosen,
        (None, Some(text)) => ("date", text),
        (None, None) if time.trimmed().is_some() => {
            problems.add("time", "Time needs a date; send date, too");
            return None;
        }
        (None, None) => return None,
    };
    let found = match (field, time.trimmed()) {
        ("date", Some(time)) => at_time(text, time, zone, problems)?,
        _ => moment::instant(text, zone),
    };
    let found = found.filter(|at| is_of_our_time(*at));
    if found.is_none() {
        let label = texts::label(field);
        problems.add(field, format!("{label} must be a moment such as 2026-03-04T09:30:00Z"));
    }
    found
}

/// A time of a day; two nothings where the time is none, which is a problem by itself.
fn at_time(
    date: &str,
    time: &str,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Option<Option<Timestamp>> {
    let Some(time) = clock(time) else {
        problems.add("time", "Time must be a time such as 09:30 or 9:30 AM");
        return None;
    };
    let Some(day) = moment::day(date) else { return Some(None) };
    let local = day.0.to_datetime(time);
    let zoned = zone.to_ambiguous_zoned_datetime(local).compatible().ok();
    Some(zoned.map(|it| Timestamp(it.timestamp().as_microsecond())))
}

fn clock(text: &str) -> Option<Time> {
    let text = text.to_ascii_uppercase();
    let half = |text: &str| Time::strptime("%I:%M %p", text).ok();
    text.parse().ok().or_else(|| half(&text)).or_else(|| Time::strptime("%H:%M", &text).ok())
}

/// Whether a moment is of the years that records are of.
pub(crate) fn is_of_our_time(at: Timestamp) -> bool {
    let year = jiff::Timestamp::from_microsecond(at.0)
        .map_or(0, |at| at.to_zoned_datetime(TimeZone::UTC).year());
    (FIRST_YEAR..=9999).contains(&year)
}
