//! One form or note, for paper. Pure.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use ward_instance::Timestamp;
use ward_paper::Block;

use super::answer::{self, Asked};
use super::read::KeptNote;
use crate::filled::listing::status;
use crate::filled::tables::Meaning;

/// A moment as people read it, at a place.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    at.to_zoned_datetime(zone.clone()).strftime("%b %-d, %Y %H:%M %Z").to_string()
}

/// `chart_note_status` in words.
fn standing(signings: i64, is_locked: bool) -> &'static str {
    match status(signings, is_locked) {
        "LOCKED" => "Locked, not signed",
        "SIGNED" => "Signed",
        "SIGNED_AND_LOCKED" => "Signed and locked",
        "CO_SIGNED" => "Co-signed",
        "CO_SIGNED_AND_LOCKED" => "Co-signed and locked",
        _ => "Not signed",
    }
}

/// Adds the blocks of a form or note: what it is, what was asked and answered, who stands for it,
/// what was added.
pub fn blocks(
    note: &KeptNote,
    people: &HashMap<i64, String>,
    zone: &TimeZone,
    blocks: &mut Vec<Block>,
) {
    let group = &note.group;
    let name = |id: Option<i64>| id.and_then(|id| people.get(&id)).filter(|it| !it.is_empty());
    let title = if group.name.trim().is_empty() { "Form" } else { group.name.trim() };
    blocks.push(Block::Heading(1, title.to_owned()));
    let mut fact = |what: &str, value: String| blocks.push(Block::Fact(what.to_owned(), value));
    fact("Date of service", moment(group.served_at, zone));
    if let Some(filler) = name(group.filler_id.map(|id| id.0)) {
        fact("Filled in by", filler.clone());
    }
    fact("Status", standing(group.signings_count, group.locked_at.is_some()).to_owned());
    if let Some(at) = group.locked_at {
        let by = match group.locked_by_id {
            Some(id) => name(Some(id.0)).map(|it| format!(" by {it}")),
            None => Some(" automatically".to_owned()),
        };
        fact("Locked", format!("{}{}", moment(at, zone), by.unwrap_or_default()));
    }
    if let Some(notice) = group.confidentiality.notice() {
        blocks.push(Block::Notice(notice.to_owned()));
    }
    if !group.finished {
        blocks.push(Block::Notice("This is a draft: it is not finished.".to_owned()));
    }
    if note.signings.iter().any(|it| !note.is_intact(it)) {
        let said = "This has changed since it was signed: not every signature below stands for what it says now.";
        blocks.push(Block::Notice(said.to_owned()));
    }
    answers(note, zone, blocks);
    individual(note, zone, blocks);
    scores(group.scores.as_ref().map(|it| it.0.as_str()), blocks);
    signatures(note, zone, blocks);
    addenda(note, people, zone, blocks);
}

fn answers(note: &KeptNote, zone: &TimeZone, blocks: &mut Vec<Block>) {
    for row in note.answers.iter().filter(|it| !it.hidden) {
        let question = note.questions.get(&row.question_version_id);
        let at = row.answered_at.unwrap_or(row.updated_at);
        let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        blocks.extend(answer::blocks(&Asked {
            mod_type: &row.mod_type,
            label: question.and_then(|it| it.label.as_deref()),
            answer: row.answer.as_deref(),
            answered_at: zone.to_datetime(at),
        }));
        let files = note.files.iter().filter(|it| it.form_answer_id == Some(row.id));
        blocks.extend(files.map(|it| Block::Fact("File".to_owned(), it.file_name.clone())));
    }
}

/// What a group note says of the client whose paper it is.
fn individual(note: &KeptNote, zone: &TimeZone, blocks: &mut Vec<Block>) {
    for it in &note.individual {
        blocks.push(Block::Heading(2, "Individual note".to_owned()));
        let mut fact = |what: &str, value: String| blocks.push(Block::Fact(what.to_owned(), value));
        if let Some(attended) = it.attended {
            let said = if attended { "Yes" } else { "No" };
            fact("Attended", said.to_owned());
        }
        for (what, at) in [("Joined", it.join_time), ("Left", it.leave_time)] {
            if let Some(at) = at {
                fact(what, moment(at, zone));
            }
        }
        match it.content.as_deref() {
            Some(content) => blocks.extend(ward_paper::rich_text(content)),
            None => blocks.push(Block::text("Nothing was written")),
        }
    }
}

/// Scores of sections, as they are kept with the answers: those that say something.
fn scores(kept: Option<&str>, blocks: &mut Vec<Block>) {
    let list: Vec<serde_json::Value> =
        kept.and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let shown: Vec<&serde_json::Value> = list.iter().filter(|it| it["show"] == true).collect();
    if shown.is_empty() {
        return;
    }
    blocks.push(Block::Heading(2, "Scores".to_owned()));
    for it in shown {
        let title = answer::plain(it["section_title"].as_str().unwrap_or_default());
        let title = if title.is_empty() { "Score".to_owned() } else { title };
        let value = it["value"].as_str().map_or_else(|| it["value"].to_string(), str::to_owned);
        blocks.push(Block::Fact(title, value));
    }
}

fn signatures(note: &KeptNote, zone: &TimeZone, blocks: &mut Vec<Block>) {
    if note.signings.is_empty() {
        return;
    }
    blocks.push(Block::Heading(2, "Signatures".to_owned()));
    for it in &note.signings {
        let as_what = match it.meaning {
            Meaning::Author => "signed as author",
            Meaning::CoSigner => "co-signed",
        };
        let title = it.user_qualifications.as_deref().map(str::trim).filter(|it| !it.is_empty());
        let title = title.map(|it| format!(", {it}")).unwrap_or_default();
        let who = format!("{}{title}", it.user_full_legal_name);
        blocks.push(Block::text(format!("{who}, {as_what} on {}", moment(it.created_at, zone))));
        if !note.is_intact(it) {
            blocks.push(Block::Notice(format!(
                "Changed after {} signed it.",
                it.user_full_legal_name
            )));
        }
    }
}

fn addenda(
    note: &KeptNote,
    people: &HashMap<i64, String>,
    zone: &TimeZone,
    blocks: &mut Vec<Block>,
) {
    if note.addenda.is_empty() {
        return;
    }
    blocks.push(Block::Heading(2, "Addenda".to_owned()));
    for it in &note.addenda {
        let who = people.get(&it.user_id.0).filter(|it| !it.is_empty());
        let who = who.map(|who| format!("{who}, ")).unwrap_or_default();
        let when = moment(it.created_at, zone);
        blocks.push(Block::Pair(format!("{who}{when}"), ward_paper::rich_text(&it.content)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_say_something_are_printed() {
        let kept = r#"[{"section_title":"<p>Mood</p>","value":7,"show":true},
            {"section_title":"Sleep","value":0,"show":false}]"#;
        let mut blocks = Vec::new();
        scores(Some(kept), &mut blocks);
        let wanted =
            [Block::Heading(2, "Scores".to_owned()), Block::Fact("Mood".into(), "7".into())];
        assert_eq!(blocks, wanted);
        blocks.clear();
        for nothing in [None, Some("[]"), Some("x")] {
            scores(nothing, &mut blocks);
        }
        assert!(blocks.is_empty());
    }

    #[test]
    fn moments_are_of_a_place_and_never_fail() {
        let zone = TimeZone::get("America/New_York").unwrap();
        assert_eq!(moment(Timestamp(0), &zone), "Dec 31, 1969 19:00 EST");
        assert_eq!(moment(Timestamp(i64::MAX), &TimeZone::UTC), "Jan 1, 1970 00:00 UTC");
    }
}
