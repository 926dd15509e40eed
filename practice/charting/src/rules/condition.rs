//! Which questions are asked, by the answers so far (behaviour 25).
//!
//! The vocabulary is not published; these are the words that the specification asks
//! for. Without an answer only the negative ones hold. Of a question that is not
//! asked nothing hangs: what depends on it, or is a part of it, is not asked either.

use std::collections::{HashMap, HashSet};

use super::{Answers, Question, given, kind};

/// How an answer is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The answer is the value, case aside.
    Equals,
    /// It is another, or there is none.
    NotEquals,
    /// One of the chosen options is the value, or the text has it in it.
    Contains,
    /// Not so.
    NotContains,
    /// A later date or a greater number.
    GreaterThan,
    /// An earlier date or a smaller number.
    LessThan,
    /// There is any answer.
    IsAnswered,
}

impl Filter {
    /// All of them.
    pub const ALL: [Filter; 7] = [
        Filter::Equals,
        Filter::NotEquals,
        Filter::Contains,
        Filter::NotContains,
        Filter::GreaterThan,
        Filter::LessThan,
        Filter::IsAnswered,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Filter::Equals => "equals",
            Filter::NotEquals => "not_equals",
            Filter::Contains => "contains",
            Filter::NotContains => "not_contains",
            Filter::GreaterThan => "greater_than",
            Filter::LessThan => "less_than",
            Filter::IsAnswered => "is_answered",
        }
    }

    /// From its word.
    pub fn of_text(text: &str) -> Option<Filter> {
        Filter::ALL.into_iter().find(|it| it.as_str() == text.trim())
    }

    /// Whether it compares with a size, which the value must have.
    pub const fn is_by_size(self) -> bool {
        matches!(self, Filter::GreaterThan | Filter::LessThan)
    }
}

/// When a question is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The question whose answer decides.
    pub of: i64,
    /// How it is compared.
    pub filter: Filter,
    /// With what.
    pub value: String,
}

impl Condition {
    /// From its parts; nothing where the word is none of the vocabulary.
    pub fn new(of: i64, filter: &str, value: Option<&str>) -> Option<Self> {
        let value = value.unwrap_or_default().trim().to_owned();
        Some(Condition { of, filter: Filter::of_text(filter)?, value })
    }

    /// Whether an answer, or none, satisfies it.
    pub fn holds(&self, mod_type: &str, answer: Option<&str>) -> bool {
        let Some(answer) = answer else {
            return matches!(self.filter, Filter::NotEquals | Filter::NotContains);
        };
        match self.filter {
            Filter::Equals => same(answer, &self.value),
            Filter::NotEquals => !same(answer, &self.value),
            Filter::Contains => has(mod_type, answer, &self.value),
            Filter::NotContains => !has(mod_type, answer, &self.value),
            Filter::GreaterThan => size(answer, &self.value).is_some_and(|it| it.is_gt()),
            Filter::LessThan => size(answer, &self.value).is_some_and(|it| it.is_lt()),
            Filter::IsAnswered => true,
        }
    }
}

fn same(answer: &str, value: &str) -> bool {
    answer.trim().to_lowercase() == value.trim().to_lowercase()
}

fn has(mod_type: &str, answer: &str, value: &str) -> bool {
    match kind::is_chosen(mod_type) {
        true => answer.lines().any(|line| same(line, value)),
        false => answer.to_lowercase().contains(&value.to_lowercase()),
    }
}

/// A number that can be compared.
fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn date(text: &str) -> Option<jiff::civil::Date> {
    text.trim().parse().ok()
}

/// Whether a value can be compared by its size.
pub fn has_size(value: &str) -> bool {
    number(value).is_some() || date(value).is_some()
}

fn size(answer: &str, value: &str) -> Option<std::cmp::Ordering> {
    let numbers = number(answer).zip(number(value)).and_then(|(a, b)| a.partial_cmp(&b));
    numbers.or_else(|| Some(date(answer)?.cmp(&date(value)?)))
}

/// The questions that are asked.
pub fn shown(questions: &[Question], answers: &Answers) -> HashSet<i64> {
    let all: HashMap<i64, &Question> = questions.iter().map(|it| (it.id, it)).collect();
    let mut known: HashMap<i64, Option<bool>> = HashMap::new();
    for question in questions {
        is_shown(question.id, &all, answers, &mut known);
    }
    known.into_iter().filter_map(|(id, is_shown)| is_shown?.then_some(id)).collect()
}

/// What a question hangs on: what decides, and what it is a part of.
fn roots(question: &Question) -> impl Iterator<Item = i64> {
    question.condition.iter().map(|it| it.of).chain(question.parent)
}

fn is_shown(
    id: i64,
    all: &HashMap<i64, &Question>,
    answers: &Answers,
    known: &mut HashMap<i64, Option<bool>>,
) -> bool {
    if let Some(known) = known.get(&id) {
        return known.unwrap_or(true);
    }
    // What is taken out of the form hides nothing.
    let Some(question) = all.get(&id) else { return true };
    // No form has a circle, but a draft whose answers are to older questions can. What
    // would close it decides nothing: nobody's answer is lost to it.
    known.insert(id, None);
    let closes = |root: &i64| known.get(root) == Some(&None);
    let decider = question.condition.as_ref().filter(|it| !closes(&it.of));
    let roots: Vec<i64> = roots(question).filter(|root| !closes(root)).collect();
    let hangs_free = roots.into_iter().all(|root| is_shown(root, all, answers, known));
    let holds = decider.is_none_or(|condition| {
        let of = all.get(&condition.of);
        of.is_none_or(|of| condition.holds(&of.mod_type, given(answers, of.id)))
    });
    known.insert(id, Some(hangs_free && holds));
    hangs_free && holds
}

/// Whether some question hangs on itself, by way of others.
pub fn has_cycle(questions: &[Question]) -> bool {
    let mut left: Vec<&Question> = questions.iter().collect();
    let mut known: HashSet<i64> = questions.iter().map(|it| it.id).collect();
    loop {
        let count = left.len();
        // Those on whose roots nothing waits any more are free.
        let free: Vec<i64> = left
            .iter()
            .filter(|it| !roots(it).any(|root| known.contains(&root)))
            .map(|it| it.id)
            .collect();
        for id in free {
            known.remove(&id);
        }
        left.retain(|it| known.contains(&it.id));
        if left.len() == count {
            return count > 0;
        }
    }
}
