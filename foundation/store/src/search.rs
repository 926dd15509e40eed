//! Keyword search over plain columns, the same on both engines: a folded
//! companion column `search_text` decides, grams narrow the candidates.
//!
//! A gram is what a value goes on with, up to eight characters, from every
//! second place of it: so any part of a value, or that part less its first
//! character, is the beginning of a gram, and few rows are read however many
//! there are ([`crate::keywords`]).

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub use crate::keywords::keyword_cond;
use crate::table::{Column, Key, Table};
use crate::value::Value;

/// The companion column of tables with searched columns.
pub const SEARCH_TEXT: &str = "search_text";

/// Separates the values in `search_text`; no term can contain it.
const SEPARATOR: char = '\u{1f}';

/// Stands before the digits of each telephone number, behind all other values.
pub(crate) const DIGITS: char = '\u{1e}';

/// So many characters of each value are searched.
const SEARCHED_CHARS: usize = 2_000;

/// Characters of a gram at most.
pub(crate) const GRAM_CHARS: usize = 8;
/// A gram begins at every so-many-th character of a value.
pub(crate) const GRAM_STEP: usize = 2;

/// The text without case, accents and compatibility forms: what ordering and
/// search compare.
pub fn fold(text: &str) -> String {
    let plain = |c: &char| {
        !is_combining_mark(*c) && !matches!(*c, '\0' | SEPARATOR | DIGITS | '\u{10ffff}')
    };
    let lower: String = text.nfkd().filter(plain).flat_map(char::to_lowercase).collect();
    // Lower case can bring marks and compatibility forms back, once.
    lower.nfkd().filter(plain).flat_map(char::to_lowercase).collect()
}

/// What a NULL folds to: sorts behind every text.
pub const FOLDED_NULL: &str = "\u{10ffff}";

/// Folded companions are cut here: PostgreSQL indexes no longer ones.
const FOLDED_CHARS: usize = 500;

/// The value of a `_fold` companion, which orders rows and no more.
pub fn folded(value: &Value) -> Value {
    match value {
        Value::Text(text) => fold(text).chars().take(FOLDED_CHARS).collect::<String>().into(),
        Value::Int(number) => number.to_string().into(),
        _ => FOLDED_NULL.into(),
    }
}

/// Whether the table has anything that keyword search finds.
pub fn is_searched(table: &Table) -> bool {
    table.columns.iter().any(|column| column.searched || column.phone)
}

/// Whether grams of the table's rows are kept: rows keyed by an entity id.
pub fn has_grams(table: &Table) -> bool {
    is_searched(table) && table.key == Key::Id
}

/// The row's `search_text`: its searched values and its id, folded, then the
/// digits of its telephone numbers.
pub fn search_text(table: &Table, values: &[Value]) -> String {
    let mut parts = Vec::new();
    let mut numbers = String::new();
    for (column, value) in table.columns.iter().zip(values) {
        match value {
            Value::Text(text) if column.phone => {
                let digits = digits(&fold(text));
                if !digits.is_empty() {
                    numbers.push(DIGITS);
                    numbers.extend(digits.chars().take(SEARCHED_CHARS));
                }
            }
            Value::Text(text) if column.searched => {
                let text: String = text.chars().take(SEARCHED_CHARS).collect();
                parts.push(fold(&text));
            }
            Value::Int(number) if column.searched || is_id(table, column) => {
                parts.push(number.to_string());
            }
            _ => {}
        }
    }
    parts.join("\u{1f}") + &numbers
}

/// The digits of a folded text.
pub(crate) fn digits(folded: &str) -> String {
    folded.chars().filter(char::is_ascii_digit).collect()
}

fn is_id(table: &Table, column: &Column) -> bool {
    column.name == "id" && !matches!(table.key, Key::Columns(_))
}

/// The grams of a `search_text`, each once.
pub fn grams(search_text: &str) -> BTreeSet<Box<str>> {
    search_text.split([SEPARATOR, DIGITS]).flat_map(grams_of).collect()
}

fn grams_of(text: &str) -> impl Iterator<Item = Box<str>> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let end = move |n: usize| starts.get(n + GRAM_CHARS).copied().unwrap_or(text.len());
    text.char_indices()
        .enumerate()
        .step_by(GRAM_STEP)
        .map(move |(n, (at, _))| text.get(at..end(n)).unwrap_or_default().into())
}
