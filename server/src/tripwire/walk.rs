//! Going through what a mutation is given: its arguments as the operation gets them, whether they
//! stood in the document or in variables.

use std::fmt::Write as _;

use serde_json::Value as Json;
use ward_engine::{In, Upload};

use super::files::{sign_in_bytes, sign_in_upload, written};
use super::numbers::{is_routing, is_somebodys_phone, is_somebodys_ssn, sign_in, sign_in_file};
use super::reach::{LOOKED_AT, Reach};
use super::{Found, Sign, Tier};

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
/// Characters of a place that are told.
const PLACE: usize = 200;

/// A step from an argument to a value in it.
#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// The surest sign so far.
struct Walk<'a> {
    uploads: &'a [Upload],
    path: Vec<Step<'a>>,
    found: Option<Found>,
    reach: Reach,
    /// Whether it goes through what a file says.
    in_file: bool,
}

/// The surest sign in a mutation's arguments: the whole of what a Sandbox looks for.
pub fn arguments<'a>(
    arguments: impl Iterator<Item = (&'a str, &'a In)>,
    uploads: &'a [Upload],
) -> Option<Found> {
    let reach = Reach::default();
    let mut walk = Walk { uploads, path: Vec::new(), found: None, reach, in_file: false };
    for (name, value) in arguments {
        walk.at(Step::Name(name), |walk| walk.value(value));
    }
    walk.found
}

/// The surest sign in what a file says.
pub fn sign_in_text(text: &str, reach: &mut Reach) -> Option<Sign> {
    let inside = *reach;
    let mut walk =
        Walk { uploads: &[], path: Vec::new(), found: None, reach: inside, in_file: true };
    walk.contents(text.trim_start_matches('\u{feff}').trim());
    reach.back_from(walk.reach);
    walk.found.map(|found| found.what)
}

impl<'a> Walk<'a> {
    fn at(&mut self, step: Step<'a>, look: impl FnOnce(&mut Self)) {
        // What is refused in any case is not looked for on.
        if self.found.as_ref().is_some_and(|found| found.what.tier() == Tier::Hard) {
            return;
        }
        self.path.push(step);
        look(self);
        self.path.pop();
    }

    fn note(&mut self, what: Sign) {
        self.note_in(what, false);
    }

    fn note_in(&mut self, what: Sign, in_file: bool) {
        if self.found.as_ref().is_none_or(|found| what < found.what) {
            self.found = Some(Found { what, place: place(&self.path), in_file });
        }
    }

    /// The nearest name above a value.
    fn name(&self) -> &'a str {
        let name = |step: &Step<'a>| match step {
            Step::Name(name) => Some(*name),
            Step::Index(_) => None,
        };
        self.path.iter().rev().find_map(name).unwrap_or_default()
    }

    fn value(&mut self, value: &'a In) {
        match value {
            In::Text(text) => self.text(text),
            In::Int(number) => self.number(&number.to_string()),
            In::Float(number) => self.number(&number.to_string()),
            In::List(values) => {
                for (n, value) in values.iter().enumerate() {
                    self.at(Step::Index(n), |walk| walk.value(value));
                }
            }
            In::Object(fields) => {
                for (name, value) in fields {
                    self.at(Step::Name(name), |walk| walk.value(value));
                }
                let text = |value: &'a In| match value {
                    In::Text(text) => Some(text.as_ref()),
                    _ => None,
                };
                let has_place = matches!(fields.get("location"), Some(In::Object(_)));
                let texts = fields.iter().filter_map(|(name, it)| Some((name.as_str(), text(it)?)));
                self.together(&texts.collect::<Vec<_>>(), has_place);
            }
            In::Json(value) => self.json(value),
            In::Upload(n) => {
                let upload = self.uploads.get(*n);
                if let Some(what) = upload.and_then(|it| sign_in_upload(it, &mut self.reach)) {
                    self.note_in(what, true);
                }
            }
            In::Null | In::Bool(_) => {}
        }
    }

    fn json(&mut self, value: &'a Json) {
        match value {
            Json::String(text) => self.text(text),
            Json::Number(number) => self.number(&number.to_string()),
            Json::Array(values) => {
                for (n, value) in values.iter().enumerate() {
                    self.at(Step::Index(n), |walk| walk.json(value));
                }
            }
            Json::Object(fields) => {
                for (name, value) in fields {
                    self.at(Step::Name(name), |walk| {
                        walk.plain(name);
                        walk.json(value);
                    });
                }
                let texts =
                    fields.iter().filter_map(|(name, it)| Some((name.as_str(), it.as_str()?)));
                self.together(&texts.collect::<Vec<_>>(), false);
            }
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// Fields of one object that say something together.
    fn together(&mut self, texts: &[(&str, &str)], has_place: bool) {
        let has = |is: &dyn Fn(&str, &str) -> bool| texts.iter().any(|(name, text)| is(name, text));
        let has_account = has(&|name, text| {
            name.contains("account") && text.bytes().any(|it| it.is_ascii_digit())
        });
        if has_account && has(&|name, text| name.contains("routing") && is_routing(text)) {
            self.note(Sign::BankAccount);
        }
        let has_street = has(&|name, text| matches!(name, "line1" | "address") && !text.is_empty());
        if (has_place || has_street)
            && has(&|name, text| name.contains("email") && is_own_address(text))
            && has(&|name, text| matches!(name, "dob" | "date_of_birth") && !text.is_empty())
        {
            self.note(Sign::Person);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((bytes, claimed)) = written(text, self.name()) {
            self.plain(claimed);
            if let Some(what) = sign_in_bytes(&bytes, claimed, &mut self.reach) {
                self.note_in(what, true);
            }
        } else if !is_data_url(text) {
            self.contents(text);
        }
    }

    /// A text that is no file.
    fn contents(&mut self, text: &str) {
        // JSON as a text, such as metadata: what stands in it.
        if text.starts_with(['{', '['])
            && text.len() <= LOOKED_AT
            && let Some(reach) = self.reach.deeper()
            && let Ok(value) = serde_json::from_str::<Json>(text)
        {
            let (path, in_file) = (vec![Step::Name(self.name())], self.in_file);
            let mut inner = Walk { uploads: &[], path, found: None, reach, in_file };
            inner.json(&value);
            self.reach.back_from(inner.reach);
            if let Some(found) = inner.found {
                self.note_in(found.what, found.in_file);
            }
            return;
        }
        self.number(text);
    }

    /// A number, or a text that is no JSON.
    fn number(&mut self, text: &str) {
        let name = self.name();
        if matches!(name, "ssn" | "social_security_number") && is_somebodys_ssn(text) {
            self.note(Sign::Ssn);
        }
        if name.contains("phone") {
            // A telephone number may be grouped like anything.
            if is_somebodys_phone(text) {
                self.note(Sign::Phone);
            }
            return;
        }
        self.plain(text);
    }

    fn plain(&mut self, text: &str) {
        let end = (0..=LOOKED_AT.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let sign_in = if self.in_file { sign_in_file } else { sign_in };
        if let Some(what) = sign_in(text.get(..end.unwrap_or(0)).unwrap_or_default()) {
            self.note(what);
        }
    }
}

/// The dotted path, without what is no name: a key of JSON may be what is not to be repeated.
fn place(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        let _ = match step {
            Step::Index(n) => write!(text, "[{n}]"),
            Step::Name(name) => {
                let dot = if text.is_empty() { "" } else { "." };
                write!(text, "{dot}{}", if is_name(name) { name } else { "…" })
            }
        };
        if text.len() > PLACE {
            text.push('…');
            break;
        }
    }
    text
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    (1..=64).contains(&text.len())
        && text.chars().all(is_part)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().filter(u8::is_ascii_digit).count() < 4
}

/// What should be a file, and does not decode.
fn is_data_url(text: &str) -> bool {
    let head: String = text.chars().take(100).collect();
    head.starts_with("data:") && head.contains(";base64,") && !head.contains(' ')
}

fn is_own_address(text: &str) -> bool {
    let domain = text.rsplit_once('@').map(|(_, domain)| domain.trim().to_ascii_lowercase());
    domain.is_some_and(|domain| FREE_MAIL.contains(&domain.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As the engine has it: objects of input types, and JSON scalars below `json`.
    fn input(value: &Json) -> In {
        match value {
            Json::Null => In::Null,
            Json::Bool(value) => In::Bool(*value),
            Json::Number(number) => In::Int(number.as_i64().unwrap()),
            Json::String(text) => In::Text(text.as_str().into()),
            Json::Array(values) => In::List(values.iter().map(input).collect()),
            Json::Object(fields) => {
                let field = |(name, value): (&String, &Json)| match name.as_str() {
                    "json" => (name.clone(), In::Json(value.clone())),
                    _ => (name.clone(), input(value)),
                };
                In::Object(fields.iter().map(field).collect())
            }
        }
    }

    #[track_caller]
    fn found(value: Json) -> (Sign, String) {
        let found = arguments([("input", &input(&value))].into_iter(), &[]).unwrap();
        (found.what, found.place)
    }

    fn is_clean(value: Json) -> bool {
        arguments([("input", &input(&value))].into_iter(), &[]).is_none()
    }

    #[test]
    fn places_are_told() {
        for (value, what, place) in [
            (json!({"first_name": "Ada", "ssn": "536904399"}), Sign::Ssn, "input.ssn"),
            (
                json!({"answers": [{}, {"text": "pay 4539578763621486"}]}),
                Sign::Card,
                "input.answers[1].text",
            ),
            (
                json!({"routing_number": "122000661", "account_number": "1234"}),
                Sign::BankAccount,
                "input",
            ),
            (
                json!({"email": "jane@gmail.com", "dob": "1961-03-14", "location": {}}),
                Sign::Person,
                "input",
            ),
            (json!({"json": {"ssn": 536_904_399}}), Sign::Ssn, "input.json.ssn"),
            (json!({"json": {"card": 4_539_578_763_621_486_i64}}), Sign::Card, "input.json.card"),
            (json!({"json": {"536-90-4399": 1}}), Sign::Ssn, "input.json.…"),
            (json!({"metadata": "{\"ssn\": \"536904399\"}"}), Sign::Ssn, "input.metadata"),
            (json!({"metadata": "{\"a\": [\"\\n536-90-4399\"]}"}), Sign::Ssn, "input.metadata"),
            (json!({"notes": "data: SSN 536-90-4399"}), Sign::Ssn, "input.notes"),
            // The surest is told, wherever it stands.
            (
                json!({"a_phone": "415-867-5309", "notes": "a\n536-90-4399"}),
                Sign::Ssn,
                "input.notes",
            ),
        ] {
            assert_eq!(found(value.clone()), (what, place.to_owned()), "{value}");
        }
    }

    #[test]
    fn a_file_that_is_a_text_is_looked_into() {
        let hl7 = "data:x-application/hl7-v2+er7;base64,TVNIfF5+XCZ8QXxCfEN8RHwyMDI2MDMwNHx8QURUXkEwMXw0MnxQfDIuNQ0=";
        let ssn = "NTM2LTkwLTQzOTkK";
        let url = format!("data:text/plain;base64,{ssn}");
        let nested = json!({ "file": url }).to_string();
        for (value, what, place) in [
            (json!({"file_string": hl7}), Sign::ProductionFile, "input.file_string"),
            (json!({"file_string": format!(" {url}\n")}), Sign::Ssn, "input.file_string"),
            (json!({"file_string": ssn}), Sign::Ssn, "input.file_string"),
            (json!({"answers": [url]}), Sign::Ssn, "input.answers[0]"),
            (json!({"metadata": nested}), Sign::Ssn, "input.metadata"),
        ] {
            let input = input(&value);
            let found = arguments([("input", &input)].into_iter(), &[]).unwrap();
            assert_eq!((found.what, found.place.as_str(), found.in_file), (what, place, true));
        }
        // The same letters are no file elsewhere.
        assert!(is_clean(json!({"notes": ssn})));
        assert!(is_clean(json!({"file_string": "data:text/plain;base64,OTAwLTEyLTM0NTYK"})));
    }

    #[test]
    fn what_says_nothing_passes() {
        for value in [
            json!({"email": "jane@gmail.com", "dob": "1961-03-14"}),
            json!({"id": "536904399", "user_id": 536_904_399}),
            json!({"image": "data:image/png;base64,4539578763621486"}),
            json!({"phone_number": "030 12 3456"}),
            json!({"routing_number": "110000000", "account_number": "000123456789"}),
        ] {
            assert!(is_clean(value.clone()), "{value}");
        }
    }

    #[test]
    fn places_are_short() {
        let long = "x".repeat(100_000);
        let (_, place) = found(json!({"json": {long: "536-90-4399"}}));
        assert_eq!(place, "input.json.…");
    }
}
