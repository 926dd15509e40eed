//! Keyword search over plain columns, the same on both engines: a folded
//! companion column `search_text` decides, three-character grams narrow the
//! candidates.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::cond::Cond;
use crate::table::{Column, Key, Table};
use crate::value::Value;

/// The companion column of tables with searched columns.
pub const SEARCH_TEXT: &str = "search_text";

/// Separates the values in `search_text`; no term can contain it.
const SEPARATOR: char = '\u{1f}';

/// So many characters of each value are searched.
const SEARCHED_CHARS: usize = 2_000;

/// Keywords of more terms, or of a longer term, match nothing.
const MAX_TERMS: usize = 40;
const MAX_TERM_CHARS: usize = 500;

/// So many grams of a term narrow its candidates.
const GRAMS_OF_A_TERM: usize = 3;

/// The text without case, accents and compatibility forms: what ordering and
/// search compare.
pub fn fold(text: &str) -> String {
    let plain = |c: &char| !is_combining_mark(*c) && *c != '\0' && *c != SEPARATOR;
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
    table.columns.iter().any(|column| column.searched)
}

/// Whether grams of the table's rows are kept: rows keyed by an entity id.
pub fn has_grams(table: &Table) -> bool {
    is_searched(table) && table.key == Key::Id
}

/// The row's `search_text`: its searched values and its id, folded.
pub fn search_text(table: &Table, values: &[Value]) -> String {
    let mut parts = Vec::new();
    for (column, value) in table.columns.iter().zip(values) {
        if column.searched || is_id(table, column) {
            match value {
                Value::Text(text) => {
                    let text: String = text.chars().take(SEARCHED_CHARS).collect();
                    parts.push(fold(&text));
                }
                Value::Int(number) => parts.push(number.to_string()),
                _ => {}
            }
        }
    }
    parts.join("\u{1f}")
}

fn is_id(table: &Table, column: &Column) -> bool {
    column.name == "id" && !matches!(table.key, Key::Columns(_))
}

/// The grams of a `search_text`, each once.
pub fn grams(search_text: &str) -> BTreeSet<Box<str>> {
    search_text.split(SEPARATOR).flat_map(grams_of).collect()
}

fn grams_of(text: &str) -> Vec<Box<str>> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    starts.windows(4).filter_map(|w| text.get(w[0]..w[3])).map(Into::into).collect()
}

/// Rows of the table for which every term of `keywords` is part of at least
/// one searched value (behaviour 8). Blank keywords match every row.
pub fn keyword_cond(table: &Table, org_id: i64, keywords: &str) -> Cond {
    if !is_searched(table) {
        return Cond::Always;
    }
    let terms: BTreeSet<String> =
        keywords.split_whitespace().map(fold).filter(|term| !term.is_empty()).collect();
    if terms.len() > MAX_TERMS || terms.iter().any(|term| term.chars().count() > MAX_TERM_CHARS) {
        return Cond::Never;
    }
    let with_grams = has_grams(table);
    terms.iter().fold(Cond::Always, |cond, term| {
        let candidates = if with_grams { candidates(table, org_id, term) } else { Cond::Always };
        cond.and(candidates).and(contains(term))
    })
}

fn contains(term: &str) -> Cond {
    let mut pattern = String::with_capacity(term.len() + 2);
    pattern.push('%');
    for c in term.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Cond::sql(format!("{{t}}.{SEARCH_TEXT} LIKE ? ESCAPE '\\'"), [pattern.into()])
}

fn candidates(table: &Table, org_id: i64, term: &str) -> Cond {
    let grams = grams_of(term);
    let step = grams.len().div_ceil(GRAMS_OF_A_TERM).max(1);
    grams.iter().step_by(step).fold(Cond::Always, |cond, gram| {
        cond.and(Cond::sql(
            "{t}.id IN (SELECT g.row_id FROM search_grams g \
             WHERE g.org_id = ? AND g.kind = ? AND g.gram = ?)",
            [org_id.into(), table.name.into(), gram.as_ref().into()],
        ))
    })
}
