//! One question and what was answered, for paper. Pure.

use jiff::civil::DateTime;
use serde_json::Value as Json;
use ward_paper::{Block, Span, rich_text};

use crate::rules::display::displayed;

/// So many rows of a matrix are a table.
const ROWS_MAX: usize = 500;

/// A question as it was asked, with what was answered.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Its type.
    pub mod_type: &'a str,
    /// Its words, which may be HTML.
    pub label: Option<&'a str>,
    /// What was answered.
    pub answer: Option<&'a str>,
    /// When, on the reader's wall.
    pub answered_at: DateTime,
}

/// The blocks of a question.
pub fn blocks(asked: &Asked<'_>) -> Vec<Block> {
    let label = asked.label.unwrap_or_default();
    if matches!(asked.mod_type, "label" | "read_only" | "hipaa") {
        return rich_text(label);
    }
    let label = plain(label);
    let question = if label.is_empty() { "Question without words".to_owned() } else { label };
    let answer = asked.answer.filter(|it| !it.trim().is_empty());
    let said = answer.map(|it| said(asked, it)).unwrap_or_default();
    let said = if said.is_empty() { vec![Block::text("Not answered")] } else { said };
    vec![Block::Pair(question, said)]
}

/// What was answered, by the type of its question.
fn said(asked: &Asked<'_>, answer: &str) -> Vec<Block> {
    if answer.trim_start().starts_with("data:") {
        let what = match asked.mod_type {
            "signature" => "Signed by hand; the drawing is kept with the record",
            _ => "A picture, which is kept with the record",
        };
        return vec![Block::text(what)];
    }
    match asked.mod_type {
        "textarea" => rich_text(answer),
        "checkbox" => answer
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| Block::Item(0, "•".to_owned(), vec![Span::plain(line.trim())]))
            .collect(),
        "matrix" => match matrix(answer) {
            Some(rows) => vec![Block::Table(rows)],
            None => vec![Block::text(answer)],
        },
        "document" => vec![Block::text("Files, which are kept with the record")],
        kind => displayed(kind, answer, asked.answered_at).map(Block::text).into_iter().collect(),
    }
}

/// The rows of a matrix: each cell is JSON in a text, `{"value":…,"type":…}`.
fn matrix(answer: &str) -> Option<Vec<Vec<String>>> {
    let rows: Vec<Vec<Json>> = serde_json::from_str(answer).ok()?;
    let is_table = !rows.is_empty() && rows.len() <= ROWS_MAX;
    is_table.then(|| rows.iter().map(|row| row.iter().map(cell).collect()).collect())
}

fn cell(cell: &Json) -> String {
    let inner = match cell {
        Json::String(text) => serde_json::from_str(text).unwrap_or_else(|_| cell.clone()),
        other => other.clone(),
    };
    let (value, kind) = match &inner {
        Json::Object(object) => (
            object.get("value").cloned().unwrap_or(Json::Null),
            object.get("type").and_then(Json::as_str).unwrap_or_default(),
        ),
        other => (other.clone(), ""),
    };
    match (value, kind) {
        (Json::Null, _) => String::new(),
        (Json::Bool(true), _) => "Yes".to_owned(),
        (Json::Bool(false), _) => "No".to_owned(),
        (Json::String(text), "checkbox") if text == "true" => "Yes".to_owned(),
        (Json::String(text), "checkbox") if text == "false" => "No".to_owned(),
        (Json::String(text), _) => text,
        (other, _) => other.to_string(),
    }
}

/// The words of what may be HTML, on one line.
pub fn plain(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for block in rich_text(text) {
        if let Block::Paragraph(spans) | Block::Item(_, _, spans) = block {
            let text: String = spans.iter().map(|span| span.text.as_str()).collect();
            words.extend(text.split_whitespace().map(str::to_owned));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn of(mod_type: &str, answer: &str) -> Vec<Block> {
        let asked = Asked {
            mod_type,
            label: Some("<p>How <b>are</b> you?</p>"),
            answer: Some(answer),
            answered_at: date(2026, 7, 19).at(10, 44, 0, 0),
        };
        match blocks(&asked).pop() {
            Some(Block::Pair(question, answer)) => {
                assert_eq!(question, "How are you?");
                answer
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_read_as_people_write_them() {
        assert_eq!(of("name", "Ada,Byron"), [Block::text("Byron, Ada")]);
        assert_eq!(of("agree_to_above", "true"), [Block::text("Agreed To On Jul 19, 2026 10:44")]);
        assert_eq!(
            of("checkbox", "Tea\nMilk"),
            ["Tea", "Milk"].map(|it| Block::Item(0, "•".into(), vec![Span::plain(it)]))
        );
        assert_eq!(of("text", "<b>5</b>"), [Block::text("<b>5</b>")]);
        assert_eq!(of("textarea", "<p>5</p>"), [Block::text("5")]);
        assert_eq!(of("text", "  "), [Block::text("Not answered")]);
        let drawn = "Signed by hand; the drawing is kept with the record";
        assert_eq!(of("signature", "data:image/png;base64,AAAA"), [Block::text(drawn)]);
    }

    #[test]
    fn a_matrix_is_a_table() {
        let answer = r#"[["{\"value\":\"\"}","{\"value\":\"Left\",\"type\":\"text\"}"],
            ["{\"value\":\"Seen\"}","{\"value\":\"true\",\"type\":\"checkbox\"}"]]"#;
        let rows = vec![vec!["".to_owned(), "Left".into()], vec!["Seen".into(), "Yes".into()]];
        assert_eq!(of("matrix", answer), [Block::Table(rows)]);
        assert_eq!(of("matrix", "[1"), [Block::text("[1")]);
        assert_eq!(of("matrix", "[]"), [Block::text("[]")]);
    }

    #[test]
    fn texts_between_questions_are_texts() {
        let asked = Asked {
            mod_type: "read_only",
            label: Some("<p>Read this.</p>"),
            answer: Some("x"),
            answered_at: DateTime::ZERO,
        };
        assert_eq!(blocks(&asked), [Block::text("Read this.")]);
        assert_eq!(plain("a\n b"), "a b");
    }
}
