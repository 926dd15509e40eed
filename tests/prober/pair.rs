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
        people::client(&api, kind.word());
        people::avatar(&api);
        let feed = "mutation { resetCalendarFeed(input: {}) { user { id } messages { message } } }";
        api.ask(feed, json!({})).data();
        let webhook = api.ask(
            "mutation { createWebhook(input: {url: \"https://receiver.invalid/hook\",
                webhook_events: [{event_type: LOCATION_CREATED}]}) { webhook { id } messages { message } } }",
            json!({}),
        );
        webhook.data();
        Half { instance, server, key, session, owner }
    }
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
        program::finish_within(command, program::LONG)
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

    /// What is found when something stands before Production.
    pub fn with_production(&self, spoil: Spoil) -> Found {
        self.probe(self.s.server.port, middle::before(self.p.server.port, spoil))
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

    /// The fault is found by these checks, and by no other.
    #[track_caller]
    pub fn assert_only(&self, checks: &[&str]) {
        assert_eq!(self.rows("fault"), checks, "{:#}", self.document);
        assert_eq!(self.code, Some(1), "the exit status");
        for check in checks {
            ward_tests::tell("GL-06", format_args!("{check}: {}", self.row(check)["faults"][0]));
        }
    }
}
