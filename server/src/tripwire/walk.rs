//! Going through what a mutation is sent: its variables, and what stands in its document.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value as Json};

use super::numbers::{is_routing, is_somebodys_phone, is_somebodys_ssn, sign_in};
use super::{Found, Sign};

/// Mail services where people have their own addresses.
const FREE_MAIL: [&str; 12] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "live.com",
    "msn.com",
    "icloud.com",
    "me.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
];
/// Pictures and files as text are no text.
const DATA_URL: &str = "data:";

/// A literal of a document: the argument's name and the text. Block strings have none.
static LITERAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z_][A-Za-z_0-9]*)\s*:\s*\[?\s*"((?:[^"\\\n]|\\.)*)""#).ok()
});

/// What the variables have.
pub fn variables(variables: &Map<String, Json>) -> Vec<Found> {
    let mut all = Vec::new();
    object(variables, "", &mut all);
    all
}

/// What the document has.
pub fn document(document: &str) -> Vec<Found> {
    let mut all = Vec::new();
    if !document.contains('"') {
        return all;
    }
    if let Some(literal) = LITERAL.as_ref() {
        for found in literal.captures_iter(document) {
            text(&found[2], &found[1], &found[1], &mut all);
        }
    }
    // What the pattern does not see, such as block strings and later members of lists.
    if all.is_empty()
        && let Some(what) = sign_in(document)
    {
        all.push(Found { what, place: "The document".to_owned() });
    }
    all
}

fn object(object: &Map<String, Json>, place: &str, all: &mut Vec<Found>) {
    let within = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    for (name, value) in object {
        walk(value, name, &within(name), all);
    }
    let has = |is: &dyn Fn(&str, &str) -> bool| {
        object.iter().any(|(name, value)| value.as_str().is_some_and(|text| is(name, text)))
    };
    let is_bank = has(&|name, text| name.contains("routing") && is_routing(text))
        && has(&|name, text| {
            name.contains("account") && text.bytes().any(|it| it.is_ascii_digit())
        });
    if is_bank {
        all.push(Found { what: Sign::BankAccount, place: within("routing_number") });
    }
    let is_person = has(&|name, text| name.contains("email") && is_own_address(text))
        && has(&|name, text| matches!(name, "dob" | "date_of_birth") && !text.is_empty())
        && (object.get("location").is_some_and(Json::is_object)
            || has(&|name, text| matches!(name, "line1" | "address") && !text.is_empty()));
    if is_person {
        all.push(Found { what: Sign::Person, place: within("email") });
    }
}

fn walk(value: &Json, name: &str, place: &str, all: &mut Vec<Found>) {
    match value {
        Json::String(value) => text(value, name, place, all),
        Json::Array(values) => {
            for (n, value) in values.iter().enumerate() {
                walk(value, name, &format!("{place}[{n}]"), all);
            }
        }
        Json::Object(value) => object(value, place, all),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn text(text: &str, name: &str, place: &str, all: &mut Vec<Found>) {
    if text.starts_with(DATA_URL) {
        return;
    }
    let what = match name {
        "ssn" | "social_security_number" if is_somebodys_ssn(text) => Some(Sign::Ssn),
        name if name.contains("phone") && is_somebodys_phone(text) => Some(Sign::Phone),
        _ => None,
    };
    // A JSON text in a text (metadata, answers) is looked into as any.
    if let Some(what) = what.or_else(|| sign_in(text)) {
        all.push(Found { what, place: place.to_owned() });
    }
}

fn is_own_address(text: &str) -> bool {
    let domain = text.rsplit_once('@').map(|(_, domain)| domain.trim().to_ascii_lowercase());
    domain.is_some_and(|domain| FREE_MAIL.contains(&domain.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found_in(value: Json) -> Vec<(Sign, String)> {
        let all = variables(value.as_object().unwrap());
        all.into_iter().map(|found| (found.what, found.place)).collect()
    }

    #[test]
    fn places_are_told() {
        let input = json!({"input": {"first_name": "Ada", "ssn": "536904399"}});
        assert_eq!(found_in(input), [(Sign::Ssn, "input.ssn".to_owned())]);
        let input =
            json!({"input": {"answers": [{"text": "x"}, {"text": "pay 4539578763621486"}]}});
        assert_eq!(found_in(input), [(Sign::Card, "input.answers[1].text".to_owned())]);
        let input = json!({"a": {"routing_number": "122000661", "account_number": "123456"}});
        assert_eq!(found_in(input), [(Sign::BankAccount, "a.routing_number".to_owned())]);
        let whom =
            json!({"email": "jane@gmail.com", "dob": "1961-03-14", "location": {"line1": "1 St"}});
        assert_eq!(found_in(whom), [(Sign::Person, "email".to_owned())]);
        assert_eq!(found_in(json!({"email": "jane@gmail.com", "dob": "1961-03-14"})), []);
        assert_eq!(found_in(json!({"id": "536904399", "n": 536_904_399})), []);
        assert_eq!(found_in(json!({"image": "data:image/png;base64,4539578763621486"})), []);
    }

    #[test]
    fn documents_are_read() {
        let told = |text: &str| -> Vec<String> {
            document(text)
                .into_iter()
                .map(|found| format!("{:?} {}", found.what, found.place))
                .collect()
        };
        let create = |input: &str| {
            format!("mutation {{ createClient(input: {{{input}}}) {{ user {{ id }} }} }}")
        };
        assert_eq!(told(&create("ssn: \"536904399\"")), ["Ssn ssn"]);
        assert_eq!(told(&create("last_name: \"of 536-90-4399\"")), ["Ssn last_name"]);
        assert_eq!(told(&create("notes: \"\"\"of 536-90-4399\"\"\"")), ["Ssn The document"]);
        assert_eq!(told(&create("ids: [\"a\", \"536-90-4399\"]")), ["Ssn The document"]);
        assert!(told(&create("ssn: \"900-12-3456\", first_name: \"A\"")).is_empty());
    }
}
