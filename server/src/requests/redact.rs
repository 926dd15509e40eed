//! What may be kept of a request and its answer: their shape, numbers, switches and ids, and what
//! Ward said, but no text that a person wrote.

use serde_json::{Map, Value as Json};

/// Values that are looked at of one body; of further ones only that they are there.
const NODES_MAX: usize = 2_000;
/// Documents are cut to so many bytes.
const DOCUMENT_BYTES_MAX: usize = 16 * 1024;
/// What stands for more than is kept.
const MORE: &str = "…";

/// A body without the texts in it.
pub fn values(json: &Json) -> Json {
    let mut left = NODES_MAX;
    value("", json, &mut left)
}

fn value(key: &str, json: &Json, left: &mut usize) -> Json {
    if *left == 0 {
        return Json::from(MORE);
    }
    *left -= 1;
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
        Json::String(text) if is_plain(key, text) => json.clone(),
        Json::String(text) => Json::from(format!("[text, {}]", text.chars().count())),
        Json::Array(items) => items.iter().map(|item| value(key, item, left)).collect(),
        Json::Object(fields) => {
            let kept = |(name, inner): (&String, &Json)| {
                let shown = match name.as_str() {
                    "messages" => told(inner),
                    _ => value(name, inner, left),
                };
                (name.clone(), shown)
            };
            Json::Object(fields.iter().map(kept).collect())
        }
    }
}

/// Ids under a name that says so, and names of types.
fn is_plain(key: &str, text: &str) -> bool {
    let is_id = text.len() <= 40 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    key == "__typename" || text.is_empty() || (names_an_id(key) && is_id)
}

fn names_an_id(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["id", "ids", "uuid", "uuids"].iter().any(|end| key.ends_with(end))
}

/// `messages` of a mutation: what Ward said of which input field.
fn told(messages: &Json) -> Json {
    let sentence = |problem: &Json| {
        let mut kept = Map::new();
        for name in ["field", "message"] {
            if let Some(text @ Json::String(_)) = problem.get(name) {
                kept.insert(name.to_owned(), text.clone());
            }
        }
        Json::Object(kept)
    };
    match messages {
        Json::Array(problems) => problems.iter().take(NODES_MAX).map(sentence).collect(),
        _ => Json::Null,
    }
}

/// A document without the texts and the comments in it; ids stay where an argument's name says
/// that they are some.
pub fn document(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(DOCUMENT_BYTES_MAX));
    let mut name = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if kept.len() >= DOCUMENT_BYTES_MAX {
            kept.push_str(MORE);
            break;
        }
        let length = match first {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => {
                let length = string_length(rest);
                let inner = rest[..length].trim_matches('"');
                let shown = if is_plain(&name, inner) { inner } else { MORE };
                kept.extend(['"'].into_iter().chain(shown.chars()).chain(['"']));
                length
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                name.clear();
                name.push_str(&rest[..length]);
                kept.push_str(&name);
                length
            }
            c => {
                kept.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    kept
}

/// The bytes of the string that the text begins with, its quotes included; all of the text when
/// the string has no end.
fn string_length(text: &str) -> usize {
    let mark = if text.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
    let mut at = mark.len();
    while let Some(next) = text[at..].chars().next() {
        if text[at..].starts_with(mark) {
            return at + mark.len();
        }
        at += next.len_utf8();
        // What is escaped ends nothing.
        if next == '\\' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_numbers_and_sentences_stay() {
        let body = json!({
            "createClient": {
                "user": {"id": "2000000001", "first_name": "Ann", "age": 7, "__typename": "User"},
                "dietitian_ids": ["2000000002", "Ann"],
                "messages": [{"field": "email", "message": "E-mail is taken", "value": "Ann"}],
            },
        });
        let expected = json!({
            "createClient": {
                "user": {"id": "2000000001", "first_name": "[text, 3]", "age": 7, "__typename": "User"},
                "dietitian_ids": ["2000000002", "[text, 3]"],
                "messages": [{"field": "email", "message": "E-mail is taken"}],
            },
        });
        assert_eq!(values(&body), expected);
    }

    #[test]
    fn a_large_body_is_cut() {
        let body = Json::from((0..5_000).collect::<Vec<_>>());
        let kept = values(&body);
        assert_eq!(kept[1_998], 1_998);
        assert_eq!(kept[4_999], MORE);
    }

    #[test]
    fn a_document_keeps_its_shape() {
        let text = "mutation { # of Ann\n createClient(input: {first_name: \"An\\\"n\", user_id: \"2000000001\", \
                    note: \"\"\"Ann\n\"Ann\" \"\"\", age: 7}) { user { id } } }";
        let kept = "mutation { \n createClient(input: {first_name: \"…\", user_id: \"2000000001\", \
                    note: \"…\", age: 7}) { user { id } } }";
        assert_eq!(document(text), kept);
    }

    proptest! {
        #[test]
        fn no_text_of_a_string_stays(secret in "[g-z]{8}", before in "\\PC{0,20}", after in ".*") {
            let quoted = Json::from(format!("{before}{secret}{after}")).to_string();
            let kept = document(&format!("{{ f(name: {quoted}) {{ id }} }}"));
            prop_assert_eq!(kept, "{ f(name: \"…\") { id } }");
            let body = json!({"id": secret, "user_id": {"name": [secret]}});
            prop_assert!(!values(&body).to_string().contains(&secret));
        }

        #[test]
        fn any_document_is_taken(text in ".*") {
            document(&text);
        }
    }
}
