//! The score of a section (behaviour 25): the sum of its chosen options, each worth
//! the number that its text begins with or has in brackets, else its place from 0.

use std::collections::HashSet;

use super::section::{self, Section};
use super::{Answers, Question, given, kind};

/// A section's score.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The heading's id; blank before the first heading.
    pub key: String,
    /// The heading.
    pub title: String,
    /// The sum.
    pub value: f64,
    /// Whether anything in it was answered.
    pub show: bool,
    /// Whether a calculator stands in it.
    pub has_calculator: bool,
}

/// What an option is worth; nothing of what is none.
pub fn worth(options: &[String], chosen: &str) -> Option<f64> {
    let chosen = chosen.trim();
    let place = options.iter().position(|it| it.trim() == chosen)?;
    let index = u32::try_from(place).ok().map(f64::from);
    leading(chosen).or_else(|| bracketed(chosen)).or(index)
}

/// The number that a text begins with, as a word of its own: `2 = often`, not `2nd`.
fn leading(text: &str) -> Option<f64> {
    let is_part = |(at, c): (usize, char)| c.is_ascii_digit() || c == '.' || (at == 0 && c == '-');
    let end = text.char_indices().find(|it| !is_part(*it)).map_or(text.len(), |(at, _)| at);
    let (number, rest) = text.split_at(end);
    let is_word = !rest.starts_with(char::is_alphanumeric);
    number.trim_end_matches('.').parse().ok().filter(|_| is_word)
}

/// The last number in round or square brackets: `Often (2)`.
fn bracketed(text: &str) -> Option<f64> {
    let parts = text.rsplit(['(', '[']);
    let inner = parts.filter_map(|part| part.split([')', ']']).next());
    let plain = |text: &str| {
        let text = text.trim();
        let digits = text.trim_start_matches('-').chars();
        let is_number = !text.is_empty() && digits.clone().all(|c| c.is_ascii_digit() || c == '.');
        is_number.then(|| text.parse::<f64>().ok()).flatten()
    };
    // What stands before the first bracket is in none.
    let count = text.matches(['(', '[']).count();
    inner.take(count).find_map(plain)
}

/// The score of an answer; nothing of what has none.
pub fn score(question: &Question, answers: &Answers) -> Option<f64> {
    if !kind::is_chosen(&question.mod_type) {
        return None;
    }
    let answer = given(answers, question.id)?;
    // Each option counts once.
    let mut chosen: Vec<&str> = answer.lines().map(str::trim).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let worths: Vec<f64> =
        chosen.into_iter().filter_map(|line| worth(&question.options, line)).collect();
    (!worths.is_empty()).then(|| worths.iter().sum())
}

/// The scores of the sections that have something to score. What is not asked counts
/// nothing.
pub fn scores(questions: &[Question], answers: &Answers, shown: &HashSet<i64>) -> Vec<Score> {
    let sections = section::sections(questions);
    let scored = sections.iter().filter(|it| !section::scored(it).is_empty());
    scored.map(|section| of_section(section, answers, shown)).collect()
}

fn of_section(section: &Section<'_>, answers: &Answers, shown: &HashSet<i64>) -> Score {
    let asked = section.questions.iter().filter(|it| shown.contains(&it.id));
    let found: Vec<f64> = asked.filter_map(|it| score(it, answers)).collect();
    let calculators = section.questions.iter().filter(|it| it.mod_type == kind::CALCULATOR);
    Score {
        key: section.heading.map(|it| it.id.to_string()).unwrap_or_default(),
        title: section.heading.map(|it| it.label.clone()).unwrap_or_default(),
        value: found.iter().sum(),
        show: !found.is_empty(),
        has_calculator: calculators.count() > 0,
    }
}
