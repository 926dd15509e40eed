//! One of the two instances, with its key, and everything that it has answered so far.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use crate::document::is_bounded;
use crate::failure::Failure;
use crate::foreign::Foreign;
use crate::kind::{KeyText, Kind};
use crate::schema::{INTROSPECTION, Schema};
use crate::wire::{Answer, Ask, Door, Trust};

/// The views of the contract.
pub const VIEWS: [&str; 2] = ["2024-06-01", "2026-01-01"];
/// The newer one.
pub const VIEW: &str = "2026-01-01";

/// What who may not ask something is answered.
pub const DENIED: &str = "PERMISSION_DENIED";

/// Root fields of a schema that is whole, at least.
const ROOTS_MIN: usize = 20;

/// Times that a request is asked again which came too often, or to a server with too much to do.
const PATIENCE: usize = 20;

/// Paths below which the next step is a key of its own.
const LINKS: [&str; 2] = ["/calendars/", "/files/"];

/// What is given of an instance.
#[derive(Clone)]
pub struct Given {
    /// Its address.
    pub url: String,
    /// A key of it.
    pub key: String,
    /// A session token of it, if there is one.
    pub session: Option<String>,
}

/// An instance.
pub struct Side {
    /// What it is said to be.
    pub kind: Kind,
    /// Where it is.
    pub door: Door,
    /// A key of it.
    pub key: String,
    /// A session token of it, if there is one.
    pub session: Option<String>,
    /// The tag that the key's text names.
    pub tag: String,
    seen: RefCell<Vec<Seen>>,
    foreign: RefCell<Option<Foreign>>,
}

/// What is kept of an answer: no body.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request, without what was in it and without what opens something in its path.
    pub what: String,
    /// The answer without its body.
    pub answer: Answer,
    /// What of the other it names, though the request did not.
    pub names: Option<String>,
    /// Whether somebody before the instance may have answered.
    is_apart: bool,
}

impl Side {
    /// Opens it; nothing is sent yet.
    pub fn new(
        kind: Kind,
        given: Given,
        trust: &Trust,
        runtime: Rc<Runtime>,
    ) -> Result<Side, Failure> {
        let (title, word) = (kind.title(), kind.word());
        let Some(text) = KeyText::of(&given.key) else {
            return Err(Failure::usage(format!(
                "what --{word}-key-file gives is no API key; nothing was sent"
            )));
        };
        if text.kind != kind {
            return Err(Failure::usage(format!(
                "the key of --{word}-key-file is a {} key, not a {title} key; nothing was sent",
                text.kind.title()
            )));
        }
        let door = Door::new(&given.url, trust, runtime)?;
        let (seen, foreign) = (RefCell::new(Vec::new()), RefCell::new(None));
        let (key, session) = (given.key, given.session);
        Ok(Side { kind, door, key, session, tag: text.tag, seen, foreign })
    }

    /// Asks without a credential but what the request has; waits where the answer says that it
    /// will be another soon.
    pub fn ask(&self, ask: &Ask) -> Result<Answer, Failure> {
        for _ in 0..PATIENCE {
            let answer = self.door.ask(ask)?;
            self.note(ask, &answer, false);
            let after = answer.header("retry-after");
            match (answer.status, after) {
                (429, _) => {}
                (503, after) if !after.is_empty() => {}
                _ => return Ok(answer),
            }
            let seconds = after.parse().unwrap_or(1_u64).clamp(1, 10);
            std::thread::sleep(std::time::Duration::from_secs(seconds));
        }
        Err(Failure::unavailable(format!(
            "the {} refuses requests as too many; run the probe when there is less to do",
            self.kind.title()
        )))
    }

    /// Asks once for what a proxy before the instance may answer: that need not name the instance.
    /// None where the connection is closed instead.
    pub fn ask_apart(&self, ask: &Ask) -> Result<Option<Answer>, Failure> {
        let answer = self.door.ask_or_closed(ask)?;
        if let Some(answer) = &answer {
            self.note(ask, answer, true);
        }
        Ok(answer)
    }

    /// Every answer passes here: it is looked at for the other, and kept without its body.
    fn note(&self, ask: &Ask, answer: &Answer, is_apart: bool) {
        let names = self.foreign.borrow().as_ref().and_then(|it| it.named_in(ask, answer));
        let what = format!("{} {}", ask.method, told_path(&ask.path));
        let mut kept = answer.clone();
        (kept.text, kept.json) = (String::new(), Json::Null);
        self.seen.borrow_mut().push(Seen { what, answer: kept, names, is_apart });
    }

    /// From now on each answer is looked at for what names the other.
    pub fn look_out_for(&self, other: &Side) {
        let own = self.hosts();
        let hosts = other.hosts().into_iter().filter(|host| !own.contains(host));
        let tag = Some(other.tag.clone()).filter(|tag| *tag != self.tag);
        *self.foreign.borrow_mut() = Some(Foreign::new(other.kind, hosts, tag));
    }

    /// The other gives itself this host.
    pub fn look_out_for_host(&self, host: String) {
        let is_own = self.hosts().contains(&host);
        if let Some(foreign) = self.foreign.borrow_mut().as_mut().filter(|_| !is_own) {
            foreign.add(host);
        }
    }

    /// What of the other stands in a text.
    pub fn foreign_in(&self, text: &str) -> Option<String> {
        self.foreign.borrow().as_ref().and_then(|it| it.named(text, ""))
    }

    /// By what it is reached.
    fn hosts(&self) -> Vec<String> {
        let addresses = self.door.addresses.iter().map(ToString::to_string);
        addresses.chain([self.door.authority().to_owned()]).collect()
    }

    /// A GraphQL operation as nobody.
    pub fn question(view: &str, query: &str, variables: &Json) -> Ask {
        Ask::post("/graphql", &json!({"query": query, "variables": variables}))
            .with("healthie-graphql-api-version", view)
    }

    /// A GraphQL operation with the own key.
    pub fn graphql(&self, view: &str, query: &str, variables: &Json) -> Result<Answer, Failure> {
        let ask = Side::question(view, query, variables);
        self.ask(&ask.with("authorization", format!("Basic {}", self.key)))
    }

    /// The data of a query of the newer view with the own key; none where the key's user may not
    /// see it. What could not be read otherwise is no data that holds nothing: the run ends.
    pub fn read(&self, query: &str, variables: &Json) -> Result<Option<Json>, Failure> {
        let answer = self.graphql(VIEW, query, variables)?;
        let errors = answer.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_others = errors.iter().find(|it| it["extensions"]["code"] != DENIED);
        match of_others {
            Some(error) => Err(self.unread(answer.status, code_of(error), "a query of the probe")),
            None if errors.is_empty() => self.data_of(answer, "a query of the probe").map(Some),
            None => Ok(None),
        }
    }

    /// The schema of a view; the run ends where it is not served, as nothing could be tried.
    pub fn schema(&self, view: &'static str) -> Result<Schema, Failure> {
        let answer = self.graphql(view, INTROSPECTION, &json!({}))?;
        let has_errors = !answer.json["errors"].is_null();
        let data = self.data_of(answer, "introspection")?;
        let schema = Schema::in_data(view, &data);
        if !is_bounded(&schema) {
            return Err(Failure::unavailable(format!(
                "the {} describes more inputs of {view} than can be tried",
                self.kind.title()
            )));
        }
        match schema.roots().len() {
            ROOTS_MIN.. if !has_errors => Ok(schema),
            count => Err(Failure::unavailable(format!(
                "the {} serves no whole schema of {view} ({count} root fields); nothing can be tried with it",
                self.kind.title()
            ))),
        }
    }

    fn data_of(&self, mut answer: Answer, what: &str) -> Result<Json, Failure> {
        if answer.status == 200 && answer.json["data"].is_object() {
            return Ok(answer.json["data"].take());
        }
        Err(self.unread(answer.status, answer.code(), what))
    }

    fn unread(&self, status: u16, code: &str, what: &str) -> Failure {
        Failure::unavailable(format!(
            "the {} answers {what} with {status} {code:?} and not all data; the run ends, as what is not read can't be judged",
            self.kind.title()
        ))
    }

    /// All answers so far, without their bodies.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Those that have to name the instance.
    pub fn seen_of_its_own(&self) -> Vec<Seen> {
        self.seen.borrow().iter().filter(|it| !it.is_apart).cloned().collect()
    }

    /// Refuses to go on where the own key, or a session that is given, is not the instance's: a
    /// session that opens nothing at home opens nothing elsewhere either, and shows nothing by it.
    pub fn must_know_its_own(&self) -> Result<(), Failure> {
        self.must_know_its_key()?;
        let Some(session) = &self.session else { return Ok(()) };
        let ask = Side::question(VIEW, "{ currentUser { id } }", &json!({}));
        let answer = self.ask(&ask.with("authorization", format!("Bearer {session}")))?;
        if answer.json["data"]["currentUser"].is_object() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "the session of --{}-session-file opens nothing at {}; sign in there again, or leave the option out",
            self.kind.word(),
            self.door.url
        )))
    }

    fn must_know_its_key(&self) -> Result<(), Failure> {
        let answer = self.graphql(VIEW, "{ currentUser { id } }", &json!({}))?;
        let title = self.kind.title();
        if answer.status == 200 && answer.json["data"]["currentUser"].is_object() {
            return Ok(());
        }
        let told = match answer.code() {
            "" => format!("HTTP {}", answer.status),
            code => code.to_owned(),
        };
        Err(Failure::usage(format!(
            "{} does not take the {title} key ({told}); give the address of the {title} that the key is of, and a key that is not revoked",
            self.door.url
        )))
    }
}

fn code_of(error: &Json) -> &str {
    error["extensions"]["code"].as_str().unwrap_or_default()
}

/// A path as it is reported: no query, and nothing of a link that opens a calendar or a file.
fn told_path(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let below = LINKS.iter().find(|below| path.starts_with(**below));
    below.map_or_else(|| path.to_owned(), |below| format!("{below}…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_is_reported() {
        for (path, told) in [
            ("/calendars/wtc_live_AAAAA_x.ics?a=b", "/calendars/…"),
            ("/files/wtu_live_AAAAA_x", "/files/…"),
            ("/graphql?token=x", "/graphql"),
            ("/readyz", "/readyz"),
        ] {
            assert_eq!(told_path(path), told);
        }
    }
}
