//! What an answer tells of the other instance, to who did not tell it that: its address, its tag, an
//! id of its range.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::ids::kind_of;
use crate::kind::Kind;
use crate::wire::{Answer, Ask};

/// Headers that are judged by checks of their own.
const JUDGED: [&str; 2] = ["x-environment", "x-instance"];

/// By what the other is known.
#[derive(Clone, Debug)]
pub struct Foreign {
    kind: Kind,
    hosts: BTreeSet<String>,
    tag: Option<String>,
}

impl Foreign {
    /// The other by its kind, its hosts with their ports, and its tag where that is not both's.
    pub fn new(
        kind: Kind,
        hosts: impl IntoIterator<Item = String>,
        tag: Option<String>,
    ) -> Foreign {
        Foreign { kind, hosts: hosts.into_iter().collect(), tag }
    }

    /// It is also known by this host.
    pub fn add(&mut self, host: String) {
        self.hosts.insert(host);
    }

    /// What of the other stands in an answer and did not stand in the request.
    pub fn named_in(&self, ask: &Ask, answer: &Answer) -> Option<String> {
        let sent = sent(ask);
        let headers = answer.headers.iter().filter(|(name, _)| !JUDGED.contains(&name.as_str()));
        let headers = headers.filter_map(|(_, value)| value.to_str().ok());
        let named = headers.chain([answer.text.as_str()]).find_map(|it| self.named(it, &sent));
        named.or_else(|| self.id_in(&answer.json, &sent))
    }

    /// What of the other stands in a text, though it was not sent.
    pub fn named(&self, text: &str, sent: &str) -> Option<String> {
        let is_echo = |it: &str| sent.to_ascii_lowercase().contains(&it.to_ascii_lowercase());
        let hosts = self.hosts.iter().filter(|host| leads_to(text, host));
        let tag = self.tag.iter().filter(|tag| has_word(text, tag));
        hosts.chain(tag).find(|it| !is_echo(it)).cloned()
    }

    /// An id of the other's range.
    fn id_in(&self, json: &Json, sent: &str) -> Option<String> {
        match json {
            Json::Array(items) => items.iter().find_map(|it| self.id_in(it, sent)),
            Json::Object(members) => members.iter().find_map(|(name, value)| {
                let id = match value {
                    Json::String(id) if name == "id" => Some(id.clone()),
                    Json::Number(id) if name == "id" => Some(id.to_string()),
                    _ => None,
                };
                let is_foreign = |id: &String| kind_of(id) == Some(self.kind) && !sent.contains(id);
                let named = id.filter(is_foreign).map(|id| format!("the id {id}"));
                named.or_else(|| self.id_in(value, sent))
            }),
            _ => None,
        }
    }
}

/// All that a request tells, with what is encoded in its headers.
fn sent(ask: &Ask) -> String {
    let (host, body) = (ask.host.as_deref(), ask.body.as_deref());
    let mut text =
        format!("{} {} {}", ask.path, host.unwrap_or_default(), body.unwrap_or_default());
    for (_, value) in &ask.headers {
        let last = value.rsplit(' ').next().unwrap_or_default();
        let decoded = STANDARD.decode(last).unwrap_or_default();
        text.push_str(&format!(" {value} {}", String::from_utf8_lossy(&decoded)));
    }
    text
}

/// Whether a text has an address at a host and port, and not at a longer one. A host without a port
/// is found in a link only, also in one with a usual port; one with a port wherever it stands.
fn leads_to(text: &str, host: &str) -> bool {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let text = text.to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    match has_port {
        true => has_address(&text, &host),
        false => {
            ["", ":443", ":80"].iter().any(|port| has_address(&text, &format!("//{host}{port}")))
        }
    }
}

fn has_address(text: &str, address: &str) -> bool {
    let is_part = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric() || it == '-');
    let goes_on = |rest: &str| {
        let mut rest = rest.chars();
        match rest.next() {
            // The dot or colon of a sentence ends an address.
            Some('.' | ':') => is_part(rest.next()),
            first => is_part(first),
        }
    };
    let begins_before = |before: &str| {
        let last = before.chars().next_back();
        !address.starts_with('/') && (last == Some('.') || is_part(last))
    };
    let mut found = text.match_indices(address);
    found.any(|(at, _)| !goes_on(&text[at + address.len()..]) && !begins_before(&text[..at]))
}

/// Whether a text has a word that is no part of a longer one; `_` parts words.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use hyper::header::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn an_address_is_found_whatever_stands_around_it() {
        let host = "ehr.example.org:81";
        for text in [
            "http://ehr.example.org:81",
            "//EHR.example.org:81/x",
            "\"//ehr.example.org:81\"",
            "see http://ehr.example.org:81. Then",
            "http://ehr.example.org:81?a",
            "no route to ehr.example.org:81",
            "upstream=ehr.example.org:81;",
        ] {
            assert!(leads_to(text, host), "{text}");
        }
        for text in [
            "//ehr.example.org:8100/",
            "//ehr.example.org/",
            "my-ehr.example.org:81",
            "//a.ehr.example.org:81",
            "",
        ] {
            assert!(!leads_to(text, host), "{text}");
        }
        assert!(!leads_to(
            "https://ehr.example.org.uk/ https://ehr.example.org:8443/ ehr.example.org",
            "ehr.example.org"
        ));
        for text in ["https://ehr.example.org:443/x", "http://ehr.example.org:80", "//[::1]:443/"] {
            let host = if text.contains("::1") { "[::1]" } else { "ehr.example.org" };
            assert!(leads_to(text, host), "{text}");
        }
        assert!(!leads_to("https://ehr.example.org:4430/", "ehr.example.org"));
        assert!(leads_to("at [::1]:81", "[::1]:81") && !leads_to("127.0.0.1:810", "127.0.0.1:81"));
    }

    fn answer(text: &str) -> Answer {
        Answer {
            status: 404,
            headers: HeaderMap::new(),
            text: text.to_owned(),
            json: serde_json::from_str(text).unwrap_or(Json::Null),
            at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_was_not_sent_is_named() {
        let hosts = ["ehr.example.org:81".to_owned()];
        let foreign = Foreign::new(Kind::Production, hosts, Some("K7QF2".to_owned()));
        let ask = Ask::get("/nowhere");
        let named = |text: &str| foreign.named_in(&ask, &answer(text));
        assert_eq!(named("no upstream at ehr.example.org:81").unwrap(), "ehr.example.org:81");
        assert_eq!(named("ward_live_K7QF2_x").unwrap(), "K7QF2");
        assert_eq!(named(r#"{"data": {"user": {"id": "1000007"}}}"#).unwrap(), "the id 1000007");
        assert_eq!(named(r#"[{"id": 1000007}]"#).unwrap(), "the id 1000007");
        for nothing in ["", "AK7QF2", "k7qf2", r#"{"id": "2000000007", "at": 1000007}"#] {
            assert_eq!(named(nothing), None, "{nothing}");
        }
        let mut located = answer("");
        located.headers.insert("location", HeaderValue::from_static("http://ehr.example.org:81/"));
        assert_eq!(foreign.named_in(&ask, &located).unwrap(), "ehr.example.org:81");
        let mut judged = answer("");
        judged.headers.insert("x-instance", HeaderValue::from_static("K7QF2"));
        assert_eq!(foreign.named_in(&ask, &judged), None);
    }

    #[test]
    fn an_echo_names_nobody() {
        let hosts = ["ehr.example.org:81".to_owned()];
        let foreign = Foreign::new(Kind::Production, hosts, Some("K7QF2".to_owned()));
        let encoded = STANDARD.encode("ward_live_K7QF2_x:");
        let asks = [
            (Ask::get("/nowhere/ward_live_K7QF2_x"), "no K7QF2"),
            (Ask::get("/").with("authorization", format!("Basic {encoded}")), "no K7QF2"),
            (Ask::post("/", &serde_json::json!({"id": "1000007"})), r#"{"id": "1000007"}"#),
            (
                Ask { host: Some("EHR.example.org:81".to_owned()), ..Ask::get("/") },
                "ehr.example.org:81",
            ),
        ];
        for (ask, text) in &asks {
            assert_eq!(foreign.named_in(ask, &answer(text)), None, "{text}");
        }
    }
}
