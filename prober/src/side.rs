//! One of the two instances, with its key, and everything that it has answered so far.

use std::cell::RefCell;
use std::rc::Rc;

use rustls::pki_types::CertificateDer;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::kind::{KeyText, Kind};
use crate::schema::Asks;
use crate::wire::{Answer, Ask, Door};

/// The views of the contract.
pub const VIEWS: [&str; 2] = ["2024-06-01", "2026-01-01"];
/// The newer one.
pub const VIEW: &str = "2026-01-01";

/// Times that a request is asked again which came too often.
const PATIENCE: usize = 20;

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
}

/// What is kept of an answer: no body.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request, without what was in it.
    pub what: String,
    /// The answer without its body.
    pub answer: Answer,
}

impl Side {
    /// Opens it; nothing is sent yet.
    pub fn new(
        kind: Kind,
        given: Given,
        roots: &[CertificateDer<'static>],
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
        let door = Door::new(&given.url, roots, runtime)?;
        let seen = RefCell::new(Vec::new());
        Ok(Side { kind, door, key: given.key, session: given.session, tag: text.tag, seen })
    }

    /// Asks without a credential but what the request has; waits where it came too often.
    pub fn ask(&self, ask: &Ask) -> Result<Answer, Failure> {
        for _ in 0..PATIENCE {
            let answer = self.door.ask(ask)?;
            let mut kept = answer.clone();
            (kept.text, kept.json) = (String::new(), Json::Null);
            let path = ask.path.split('?').next().unwrap_or_default();
            let what = format!("{} {path}", ask.method);
            self.seen.borrow_mut().push(Seen { what, answer: kept });
            if answer.status != 429 {
                return Ok(answer);
            }
            let seconds = answer.header("retry-after").parse().unwrap_or(1_u64).clamp(1, 10);
            std::thread::sleep(std::time::Duration::from_secs(seconds));
        }
        Err(Failure::unavailable(format!(
            "{} refuses requests as too many; run the probe when there is less to do",
            self.kind.title()
        )))
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

    /// The data of a query of the newer view with the own key; null when there is none.
    pub fn read(&self, query: &str, variables: &Json) -> Result<Json, Failure> {
        Ok(self.graphql(VIEW, query, variables)?.json["data"].take())
    }

    /// All answers so far, without their bodies.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Refuses to go on where the own key is not the instance's.
    pub fn must_know_its_key(&self) -> Result<(), Failure> {
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

impl Asks for Side {
    fn data(&self, view: &str, query: &str) -> Json {
        let answer = self.graphql(view, query, &json!({}));
        answer.map(|mut answer| answer.json["data"].take()).unwrap_or_default()
    }
}
