//! What a goal may say (behaviour 29): pure rules, each of which adds its problems.

use jiff::civil::Date;
use ward_clients::rules::URL_CHARS_MAX;
use ward_engine::{Given, Problems};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Day, Id};

use super::input::{Reminder, Said};
use super::table::{Goal, Repeat};
use crate::rules::{self, LINE_CHARS_MAX, NOTES_CHARS_MAX};

impl Goal {
    /// One of a client by whoever sets it, that has no name yet: to be reached once, from today on.
    pub fn new(
        id: Id<Goal>,
        client: &User,
        (author, today): (Id<User>, Date),
        now: Timestamp,
    ) -> Self {
        Goal {
            id,
            org_id: client.org_id,
            unit_id: client.unit_id,
            user_id: client.id,
            created_user_id: author,
            parent_id: None,
            name: String::new(),
            description: None,
            title_link: None,
            repeat: Repeat::Once,
            start_on: Day(today),
            due_date: None,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }
}

/// Writes what was sent into the goal.
pub fn write(said: &Said<'_>, goal: &mut Goal, problems: &mut Problems) {
    rules::bounded("name", said.name, LINE_CHARS_MAX, problems);
    if said.name.is_given() || goal.name.is_empty() {
        rules::required("name", said.name, problems);
        said.name.trimmed().unwrap_or_default().clone_into(&mut goal.name);
    }
    rules::bounded("description", said.description, NOTES_CHARS_MAX, problems);
    said.description.set_text(&mut goal.description);
    rules::bounded("title_link", said.title_link, URL_CHARS_MAX, problems);
    said.title_link.set_text(&mut goal.title_link);
    if said.title_link.trimmed().is_some_and(|text| !is_web_address(text)) {
        problems.add("title_link", "Title link must be a web address such as https://example.com");
    }
    let before = Some(goal.repeat.as_str().to_owned());
    let repeat = rules::word_of(("repeat", said.repeat), before, Repeat::TEXTS, problems);
    // Blank is no word, and leaves it.
    goal.repeat = repeat.as_deref().and_then(Repeat::from_text).unwrap_or(goal.repeat);
    if let Some(start_on) = said.start_on {
        let start = rules::day_of(("start_on", start_on), Some(goal.start_on), problems);
        goal.start_on = start.unwrap_or(goal.start_on);
    }
    goal.due_date = rules::day_of(("due_date", said.due_date), goal.due_date, problems);
    rules::ordered(("start_on", Some(goal.start_on)), ("due_date", goal.due_date), problems);
}

/// What clients send whether they want it or not: goals of programs and reminders are not there,
/// and only what wants none of them is taken.
pub fn wants_none(program_goal: &Given<bool>, reminder: &Given<Reminder>, problems: &mut Problems) {
    if program_goal.is_true() {
        let sentence = "Program goal can't be true: goals of programs are not kept here";
        problems.add("program_goal", sentence);
    }
    let is_off =
        |it: &Reminder| it.is_enabled.value() == Some(&false) || it.remove_reminder.is_true();
    let is_said = |it: &Reminder| {
        let when = [&it.interval_type, &it.interval_value];
        it.is_enabled.is_true() || when.iter().any(|text| text.trimmed().is_some())
    };
    if reminder.value().is_some_and(|it| !is_off(it) && is_said(it)) {
        let sentence = "Reminder can't be set, since nobody is reminded of goals here: leave it \
             out, or send is_enabled: false";
        problems.add("reminder", sentence);
    }
}

/// An address that a page may link to: never a script's.
fn is_web_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or(lower.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["https://example.com/a?b=c", "HTTP://example.com"] {
            assert!(is_web_address(text), "{text}");
        }
        for text in ["javascript:alert(1)", "https://", "example.com", "https://a b", ""] {
            assert!(!is_web_address(text), "{text}");
        }
    }
}
