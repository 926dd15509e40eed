//! A true pair, and what the prober finds of it or of what stands before it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use ward_tests::middle::{self, Spoil};
use ward_tests::program::{self, Output};
use ward_tests::{Engine, Instance, Json, Kind, Server, json, people};

/// The owners' password.
const PASSWORD: &str = "violet-harbour-93-lantern";

/// An instance that runs and holds a little.
pub struct Half {
    pub instance: Instance,
    pub server: Server,
    pub key: String,
    pub session: String,
    /// The owner's id, which the probe is told too.
    pub owner: String,
    /// The secret of a webhook.
    pub secret: String,
    /// A client's surname, the last of all.
    pub surname: String,
    /// The links of the owner, without what stands before the part that opens something.
    pub links: Vec<String>,
}

impl Half {
    fn new(kind: Kind) -> Half {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let key = instance.owner_key();
        let server = instance.serve();
        people::set_password(&server.api(), &instance.owner_link, PASSWORD);
        let member = json!({"email": ward_tests::instance::OWNER, "password": PASSWORD});
        let signed_in = people::sign_in(&server.api(), member);
        let session = signed_in.data()["signIn"]["token"].as_str().unwrap().to_owned();
        let api = server.with(&key);
        let owner = people::current_user(&api);
        let surname = format!("Zz{}canary", kind.word());
        let mut client = people::new_client(kind.word());
        client["client"]["last_name"] = surname.as_str().into();
        api.ask(people::CREATE_CLIENT, client).data();
        let avatar = people::avatar(&api);
        let feed = "mutation { resetCalendarFeed(input: {}) { user { calendar_feed_link } messages { message } } }";
        let feed = api.ask(feed, json!({})).data()["resetCalendarFeed"]["user"].clone();
        let links = [avatar.as_str(), feed["calendar_feed_link"].as_str().unwrap()].map(opening);
        let webhook = api.ask(
            "mutation { createWebhook(input: {url: \"https://receiver.invalid/hook\",
                webhook_events: [{event_type: LOCATION_CREATED}]}) { webhook { signature_secret } messages { message } } }",
            json!({}),
        );
        let secret = &webhook.data()["createWebhook"]["webhook"]["signature_secret"];
        let secret = secret.as_str().unwrap().to_owned();
        Half { instance, server, key, session, owner, secret, surname, links: links.into() }
    }

    /// What must not be in a report, whatever is found.
    fn private(&self) -> impl Iterator<Item = &str> {
        let texts = [&self.key, &self.session, &self.secret, &self.surname];
        texts.into_iter().chain(&self.links).map(String::as_str)
    }
}

/// The part of a link that opens something: its last step, without an ending and a query.
fn opening(link: &str) -> String {
    let last = link.split('?').next().unwrap().rsplit('/').next().unwrap();
    let part = last.trim_end_matches(".ics");
    assert!(part.len() > 30, "nothing in {link} looks like a token");
    part.to_owned()
}

/// Both.
pub struct Pair {
    pub s: Half,
    pub p: Half,
    files: TempDir,
}

impl Pair {
    pub fn new() -> Pair {
        let files = tempfile::tempdir().unwrap();
        Pair { s: Half::new(Kind::Sandbox), p: Half::new(Kind::Production), files }
    }

    /// A file of this pair's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn written(&self, name: &str, text: &str) -> PathBuf {
        let file = self.file(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// The probe of two addresses, with this pair's keys and sessions.
    pub fn probe_at(&self, sandbox: &str, production: &str, more: &[&str]) -> Output {
        let mut command = program::probe();
        command.arg("run");
        let mut option = |name: &str, value: &Path| {
            command.arg(name).arg(value);
        };
        option("--sandbox-key-file", &self.written("s.key", &self.s.key));
        option("--production-key-file", &self.written("p.key", &self.p.key));
        option("--sandbox-session-file", &self.written("s.session", &self.s.session));
        option("--production-session-file", &self.written("p.session", &self.p.session));
        command.args(["--sandbox-url", sandbox, "--production-url", production]).args(more);
        let output = program::finish_within(command, program::LONG);
        for half in [&self.s, &self.p] {
            for text in half.private() {
                for told in [&output.stdout, &output.stderr] {
                    assert!(!told.contains(text), "{text} is in the report: {output:?}");
                }
            }
        }
        output
    }

    /// The probe of two ports of this machine.
    pub fn probe(&self, sandbox: u16, production: u16) -> Found {
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        Found::of(&self.probe_at(&at(sandbox), &at(production), &["--json"]))
    }

    /// What is found when something stands before the Sandbox.
    pub fn with_sandbox(&self, spoil: Spoil) -> Found {
        self.probe(middle::before(self.s.server.port, spoil), self.p.server.port)
    }

    /// What is found when something stands before each.
    pub fn with_both(&self, sandbox: Spoil, production: Spoil) -> Found {
        let sandbox = middle::before(self.s.server.port, sandbox);
        self.probe(sandbox, middle::before(self.p.server.port, production))
    }
}

/// What the probe found.
#[derive(Debug)]
pub struct Found {
    pub code: Option<i32>,
    pub document: Json,
}

impl Found {
    pub fn of(output: &Output) -> Found {
        let document = serde_json::from_str(&output.stdout).unwrap_or(Json::Null);
        assert!(document.is_object(), "no report, but {output:?}");
        Found { code: output.code, document }
    }

    /// The rows of a verdict.
    pub fn rows(&self, verdict: &str) -> Vec<&str> {
        let rows = self.document["report"]["rows"].as_array().unwrap();
        let those = rows.iter().filter(|row| row["verdict"] == verdict);
        those.map(|row| row["id"].as_str().unwrap()).collect()
    }

    /// A row.
    pub fn row(&self, id: &str) -> &Json {
        let rows = self.document["report"]["rows"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()
    }

    /// Each fault is found by its check, in these words; and no other check finds one. Several
    /// faults may be one check's.
    #[track_caller]
    pub fn assert_only(&self, faults: &[(&str, &str)]) {
        let mut checks: Vec<&str> = faults.iter().map(|(check, _)| *check).collect();
        checks.dedup();
        assert_eq!(self.rows("fault"), checks, "{:#}", self.document);
        assert_eq!(self.code, Some(1), "the exit status");
        for (check, words) in faults {
            let told = self.row(check)["faults"].as_array().unwrap();
            let found = told.iter().find(|fault| fault.as_str().unwrap().contains(words));
            let found =
                found.unwrap_or_else(|| panic!("{check} does not say {words:?}: {told:#?}"));
            ward_tests::tell("GL-06", format_args!("{check}: {found}"));
        }
    }
}
