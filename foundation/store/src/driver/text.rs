//! Portable SQL to the text of one engine. What is inside quotes is left alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::query::Engine;

/// Texts kept before the cache starts anew. Statements are built from a bounded
/// set of shapes; the bound only protects against a defect.
const KEPT_MAX: usize = 4_096;

/// Rewritten texts, by portable text.
#[derive(Debug)]
pub(crate) struct Texts {
    engine: Engine,
    known: HashMap<Box<str>, Arc<str>>,
}

impl Texts {
    /// No text yet.
    pub(crate) fn new(engine: Engine) -> Self {
        Texts { engine, known: HashMap::new() }
    }

    /// The engine's text of a portable text.
    pub(crate) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        if self.known.len() >= KEPT_MAX {
            self.known.clear();
        }
        let rewritten: Arc<str> = rewrite(self.engine, text).into();
        self.known.insert(text.into(), Arc::clone(&rewritten));
        rewritten
    }
}

/// Rewrites a portable statement for an engine.
pub(crate) fn rewrite(engine: Engine, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    // Whether the character before `rest` belongs to a word: tokens start at
    // word boundaries only.
    let mut in_word = false;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' | '"' => {
                let length = quoted_length(rest, first);
                out.push_str(&rest[..length]);
                length
            }
            '$' => write_parameter(engine, rest, &mut out),
            'F' | 'I' if !in_word => write_token(engine, rest, &mut out),
            _ => 0,
        };
        let length = if taken > 0 {
            taken
        } else {
            out.push(first);
            first.len_utf8()
        };
        in_word = taken == 0 && (first.is_alphanumeric() || first == '_');
        rest = &rest[length..];
    }
    out
}

/// The length of a quoted piece, quotes included. A doubled quote continues it,
/// and reads here as two pieces in a row, which copies the same.
fn quoted_length(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

/// `$n` at the start: how much was taken.
fn write_parameter(engine: Engine, text: &str, out: &mut String) -> usize {
    let digits = text[1..].bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return 0;
    }
    out.push(match engine {
        Engine::Lite => '?',
        Engine::Pg => '$',
    });
    out.push_str(&text[1..=digits]);
    1 + digits
}

/// `IDS_OF(column)` at the start: how much was taken.
fn write_ids(engine: Engine, text: &str, out: &mut String) -> usize {
    const TOKEN: &str = "IDS_OF(";
    let Some(list) = text.strip_prefix(TOKEN) else { return 0 };
    let Some((column, _)) = list.split_once(')') else { return 0 };
    let (before, after) = match engine {
        Engine::Lite => ("(SELECT value AS id FROM json_each(", "))"),
        Engine::Pg => (
            "(SELECT CAST(value AS BIGINT) AS id FROM jsonb_array_elements_text(CAST(",
            " AS JSONB)))",
        ),
    };
    for piece in [before, column, after] {
        out.push_str(piece);
    }
    TOKEN.len() + column.len() + 1
}

/// A token at the start: how much was taken.
fn write_token(engine: Engine, text: &str, out: &mut String) -> usize {
    if let Some(list) = text.strip_prefix("IN_LIST(") {
        let Some(end) = list.find(')') else { return 0 };
        let (before, after) = match engine {
            Engine::Lite => ("IN (SELECT value FROM json_each(", "))"),
            Engine::Pg => ("= ANY(", ")"),
        };
        out.push_str(before);
        if write_parameter(engine, &list[..end], out) != end {
            out.push_str(&list[..end]);
        }
        out.push_str(after);
        return "IN_LIST(".len() + end + 1;
    }
    if text.starts_with("IDS_OF(") {
        return write_ids(engine, text, out);
    }
    for (token, lock) in [
        ("FOR_UPDATE_SKIP", "FOR UPDATE SKIP LOCKED"),
        ("FOR_UPDATE", "FOR UPDATE"),
        ("FOR_KEY_SHARE", "FOR KEY SHARE"),
        ("FOR_SHARE", "FOR SHARE"),
        ("FOR_NO_KEY_UPDATE", "FOR NO KEY UPDATE"),
    ] {
        let Some(after) = text.strip_prefix(token) else { continue };
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        if engine == Engine::Pg {
            out.push_str(lock);
        }
        return token.len();
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_lists() {
        let text = "SELECT a FROM t WHERE org_id = $1 AND id IN_LIST($12) LIMIT $3 FOR_UPDATE";
        assert_eq!(
            rewrite(Engine::Lite, text),
            "SELECT a FROM t WHERE org_id = ?1 AND id IN (SELECT value FROM json_each(?12)) LIMIT ?3 "
        );
        assert_eq!(
            rewrite(Engine::Pg, text),
            "SELECT a FROM t WHERE org_id = $1 AND id = ANY($12) LIMIT $3 FOR UPDATE"
        );
    }

    #[test]
    fn a_json_list_of_ids_is_read_as_a_table() {
        let text = "SELECT 1 FROM IDS_OF(d.printed_of) note WHERE note.id = 7";
        assert_eq!(
            rewrite(Engine::Lite, text),
            "SELECT 1 FROM (SELECT value AS id FROM json_each(d.printed_of)) note WHERE note.id = 7"
        );
        assert_eq!(
            rewrite(Engine::Pg, text),
            "SELECT 1 FROM (SELECT CAST(value AS BIGINT) AS id FROM jsonb_array_elements_text(\
             CAST(d.printed_of AS JSONB))) note WHERE note.id = 7"
        );
    }

    #[test]
    fn skip_locked_is_not_read_as_for_update() {
        assert_eq!(rewrite(Engine::Pg, "x FOR_UPDATE_SKIP"), "x FOR UPDATE SKIP LOCKED");
        assert_eq!(rewrite(Engine::Lite, "x FOR_UPDATE_SKIP"), "x ");
        assert_eq!(rewrite(Engine::Pg, "x FOR_KEY_SHARE"), "x FOR KEY SHARE");
        assert_eq!(rewrite(Engine::Lite, "x FOR_KEY_SHARE"), "x ");
        assert_eq!(rewrite(Engine::Pg, "x FOR_SHARE"), "x FOR SHARE");
        assert_eq!(rewrite(Engine::Lite, "x FOR_SHARE"), "x ");
        assert_eq!(rewrite(Engine::Pg, "x FOR_NO_KEY_UPDATE"), "x FOR NO KEY UPDATE");
        assert_eq!(rewrite(Engine::Lite, "x FOR_NO_KEY_UPDATE"), "x ");
    }

    #[test]
    fn quotes_and_longer_words_are_left_alone() {
        let text = "SELECT 'it''s $1 IN_LIST($2)', \"FOR_UPDATE\", MY_FOR_UPDATE, FOR_UPDATED, '$é";
        assert_eq!(rewrite(Engine::Lite, text), text);
        assert_eq!(rewrite(Engine::Pg, text), text);
    }

    #[test]
    fn texts_are_rewritten_once() {
        let mut texts = Texts::new(Engine::Lite);
        let first = texts.get("SELECT $1");
        assert!(Arc::ptr_eq(&first, &texts.get("SELECT $1")));
    }
}
