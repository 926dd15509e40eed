//! What may be kept of a request: its shape, switches, small numbers and ids, and no text that a
//! person wrote. It was read as a document of the contract before; of what was not, nothing is kept.

use apollo_parser::{Lexer, TokenKind};
use serde_json::{Map, Value as Json};

/// Values that are looked at of one body.
const NODES_MAX: usize = 500;
/// A number with more digits may be a phone number or worse.
const DIGITS_MAX: usize = 6;
/// Names are no longer than this.
const NAME_BYTES_MAX: usize = 100;
/// What stands for what is not kept.
const MORE: &str = "…";

/// Variables without the texts in them.
pub fn values(variables: &Map<String, Json>) -> Json {
    object(variables, &mut NODES_MAX.clone())
}

fn value(key: &str, json: &Json, left: &mut usize) -> Json {
    *left = left.saturating_sub(1);
    match json {
        Json::Null | Json::Bool(_) => json.clone(),
        Json::Number(number) if is_number(key, &number.to_string()) => json.clone(),
        Json::Number(_) => Json::from("[number]"),
        Json::String(text) if text.is_empty() || is_id(key, text) => json.clone(),
        Json::String(text) => Json::from(format!("[text, {}]", text.chars().count())),
        Json::Array(items) => {
            let mut kept = Vec::new();
            for item in items {
                if *left == 0 {
                    kept.push(Json::from(MORE));
                    break;
                }
                kept.push(value(key, item, left));
            }
            Json::Array(kept)
        }
        Json::Object(fields) => object(fields, left),
    }
}

fn object(fields: &Map<String, Json>, left: &mut usize) -> Json {
    let mut kept = Map::new();
    for (name, inner) in fields {
        if *left > 0 && is_name(name) {
            kept.insert(name.clone(), value(name, inner, left));
        } else {
            kept.insert(MORE.to_owned(), Json::from(MORE));
            if *left == 0 {
                break;
            }
        }
    }
    Json::Object(kept)
}

/// As names of the contract are; keys of free JSON need not be.
fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.chars().all(is_part)
}

/// An id of a Sandbox, or a UUID, under a name that says so.
fn is_id(key: &str, text: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let says_so = ["id", "ids", "uuid", "uuids"].iter().any(|end| key.ends_with(end));
    let is_number = text.len() == 10
        && text.chars().all(|c| c.is_ascii_digit())
        && (text.starts_with("20") || text.starts_with("21"));
    let is_hex = |c: char| c.is_ascii_hexdigit() || c == '-';
    says_so && (is_number || (text.len() == 36 && text.chars().all(is_hex)))
}

fn is_number(key: &str, text: &str) -> bool {
    text.chars().filter(char::is_ascii_digit).count() <= DIGITS_MAX || is_id(key, text)
}

/// A document without the texts, large numbers and comments in it; ids stay where an argument's
/// name says that they are some.
pub fn document(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut name = String::new();
    for token in Lexer::new(text) {
        // Cut off, or nothing that is read as a document.
        let Ok(token) = token else {
            kept.push_str(MORE);
            break;
        };
        let data = token.data();
        match token.kind() {
            TokenKind::Comment | TokenKind::Eof => {}
            TokenKind::StringValue => {
                let inner = data.trim_matches('"');
                let shown = if is_id(&name, inner) { inner } else { MORE };
                kept.extend(["\"", shown, "\""]);
            }
            TokenKind::Int | TokenKind::Float if !is_number(&name, data) => kept.push_str(MORE),
            kind => {
                if kind == TokenKind::Name {
                    data.clone_into(&mut name);
                }
                kept.push_str(data);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_switches_and_small_numbers_stay() {
        let body = json!({
            "client": {"id": "2000000001", "first_name": "Ann", "age": 7, "active": true,
                "dob": "1990-01-01", "tax_id": "536-90-4399", "phone": 2025550100, "ssn": 536904399},
            "dietitian_ids": ["2000000002", "Abe", "0ab59d1c-7e3d-8000-a5d1-6b1c1f0c9a55"],
            "metadata": {"536-90-4399": 1, "Ann Lovelace": 2, "Ann": 3},
        });
        let body = body.as_object().unwrap().clone();
        let expected = json!({
            "client": {"id": "2000000001", "first_name": "[text, 3]", "age": 7, "active": true,
                "dob": "[text, 10]", "tax_id": "[text, 11]", "phone": "[number]", "ssn": "[number]"},
            "dietitian_ids": ["2000000002", "[text, 3]", "0ab59d1c-7e3d-8000-a5d1-6b1c1f0c9a55"],
            "metadata": {"…": "…"},
        });
        assert_eq!(values(&body), expected);
    }

    #[test]
    fn a_large_body_is_cut_once() {
        let of =
            |json: Json| values(&[("all".to_owned(), json)].into_iter().collect())["all"].clone();
        let items = of((0..5_000).collect());
        let items = items.as_array().unwrap();
        assert_eq!((items.len(), items.last()), (NODES_MAX, Some(&Json::from(MORE))));
        let fields = (0..5_000).map(|n| (format!("name{n}"), Json::from(n))).collect();
        assert_eq!(of(Json::Object(fields)).as_object().unwrap().len(), NODES_MAX);
    }

    #[test]
    fn a_document_keeps_its_shape() {
        let text = "mutation($a: Int = 5) { # of Ann\n createClient(input: {first_name: \"An\\\"n\", user_id: \"2000000001\", \
                    note: \"\"\"Ann \\\"\"\" Ann\\\n\"Ann\" \"\"\", age: 7, ssn: 536904399, id: 2000000001}) { user { id } } }";
        let kept = "mutation($a: Int = 5) { \n createClient(input: {first_name: \"…\", user_id: \"2000000001\", \
                    note: \"…\", age: 7, ssn: …, id: 2000000001}) { user { id } } }";
        assert_eq!(document(text), kept);
        assert_eq!(document("{ f(a: \"Ann"), "{ f(a: …");
    }

    proptest! {
        #[test]
        fn no_text_of_a_string_stays(secret in "[g-z]{8}", before in "\\PC{0,20}", after in ".*") {
            let text = format!("{before}{secret}{after}");
            let quoted = Json::from(text.clone()).to_string();
            let kept = document(&format!("{{ f(name: {quoted}) {{ id }} }}"));
            prop_assert_eq!(kept, "{ f(name: \"…\") { id } }");
            // What ends a block, or escapes its end, stands in it escaped.
            let block = text.replace('"', "'").replace('\\', "/");
            for end in ["", "\\\"\"\"", "\\\\", " \\ "] {
                let document = document(&format!("{{ f(name: \"\"\"{block}{end}{secret} \"\"\") {{ id }} }}"));
                prop_assert!(!document.contains(&secret), "{}", document);
            }
            let body = json!({"id": secret, "user_id": {"name": [secret]}});
            prop_assert!(!values(body.as_object().unwrap()).to_string().contains(&secret));
        }

        #[test]
        fn any_document_is_taken(text in ".*") {
            document(&text);
        }
    }
}
