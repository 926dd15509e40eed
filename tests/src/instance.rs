//! An instance: born in a directory of its own, on SQLite or PostgreSQL.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::database::{self, Dump, Entry};
use crate::janitor;
use crate::postgres::{self, Database};
use crate::program::{self, Output, ward_with};
use crate::server::{Server, Start};
use crate::wait::until;

/// The variable that holds the address of an instance's PostgreSQL database.
const ADDRESS: &str = "TESTED_DATABASE";

/// The owner that every instance is born with.
pub const OWNER: &str = "owner@practice.example";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Synthetic data.
    Sandbox,
    /// Live patients.
    Production,
}

impl Kind {
    /// Both.
    pub const BOTH: [Kind; 2] = [Kind::Sandbox, Kind::Production];

    /// On the command line and in headers.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Sandbox => "sandbox",
            Kind::Production => "production",
        }
    }

    /// In sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Kind::Sandbox => "Sandbox",
            Kind::Production => "Production",
        }
    }

    /// The other one.
    pub const fn other(self) -> Kind {
        match self {
            Kind::Sandbox => Kind::Production,
            Kind::Production => Kind::Sandbox,
        }
    }

    /// An id that may be this kind's and names nothing.
    pub const fn some_id(self) -> &'static str {
        match self {
            Kind::Sandbox => "2000000123",
            Kind::Production => "1900000123",
        }
    }
}

/// The database's engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file in the directory.
    Sqlite,
    /// A database of its own on the server that the run is given.
    Postgres,
}

impl Engine {
    /// Those that the run has; says which are missing.
    pub fn available(row: &str) -> Vec<Engine> {
        let postgres = postgres::server(row).map(|_| Engine::Postgres);
        [Some(Engine::Sqlite), postgres].into_iter().flatten().collect()
    }
}

/// An instance's files, and how commands reach them.
#[derive(Debug)]
pub struct Instance {
    /// Its kind.
    pub kind: Kind,
    /// Its directory.
    pub dir: PathBuf,
    /// Its five-character tag.
    pub tag: String,
    /// Where its owner sets the first password.
    pub owner_link: String,
    place: database::Place,
    /// Variables of every command and server.
    pub variables: Vec<(String, String)>,
    _files: TempDir,
    _database: Option<Database>,
}

impl Instance {
    /// `ward init`, with sign-up open, in a new directory and, if so asked, a new database.
    pub fn birth(kind: Kind, engine: Engine) -> Instance {
        let files = directory();
        let dir = files.path().join(kind.word());
        let database = (engine == Engine::Postgres)
            .then(|| Database::create(&postgres::server("birth").unwrap(), kind.word()));
        let mut variables = Vec::new();
        let mut arguments = vec!["--sign-up".into(), "open".into()];
        if let Some(database) = &database {
            variables.push((ADDRESS.to_owned(), database.url.clone()));
            arguments.extend(["--database-env".into(), ADDRESS.into()]);
        }
        let born = init(kind, &dir, &arguments, &variables).json();
        let place = match &database {
            Some(database) => database::Place::Server(database.url.clone()),
            None => database::Place::File(dir.join("ward.db")),
        };
        let owner_link = link_in(&born).expect("the owner's link");
        let tag = tag_of(&dir);
        let database_guard = database;
        Instance {
            kind,
            dir,
            tag,
            owner_link,
            place,
            variables,
            _files: files,
            _database: database_guard,
        }
    }

    /// `cp -a` of the directory, as somebody clones a machine. On PostgreSQL the copy reaches the
    /// same database.
    pub fn copied(&self) -> Instance {
        let files = directory();
        let dir = files.path().join("copy");
        copy(&self.dir, &dir);
        let place = match &self.place {
            database::Place::File(_) => database::Place::File(dir.join("ward.db")),
            server @ database::Place::Server(_) => server.clone(),
        };
        Instance {
            kind: self.kind,
            dir,
            tag: self.tag.clone(),
            owner_link: self.owner_link.clone(),
            place,
            variables: self.variables.clone(),
            _files: files,
            _database: None,
        }
    }

    /// A copy while the server runs: the files by `cp -a`, the SQLite database as of one moment.
    pub fn copied_beside_its_server(&self) -> Instance {
        let copy = self.copied();
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(copy.dir.join(format!("ward.db{ending}")));
        }
        let sql = format!("VACUUM INTO '{}'", copy.file().display());
        database::writable(&self.file()).execute_batch(&sql).unwrap();
        copy
    }

    /// The same instance whose PostgreSQL is reached at another address.
    pub fn set_database(&mut self, address: &str) {
        self.variables.retain(|(name, _)| name != ADDRESS);
        self.variables.push((ADDRESS.to_owned(), address.to_owned()));
    }

    /// The database's address, on PostgreSQL.
    pub fn database_url(&self) -> &str {
        match &self.place {
            database::Place::Server(address) => address,
            database::Place::File(_) => panic!("no address: a SQLite file"),
        }
    }

    /// The database from beside the program.
    pub fn database(&self) -> &database::Place {
        &self.place
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        self.dir.join("ward.db")
    }

    /// Everything that the instance holds.
    pub fn logical_dump(&self) -> Dump {
        self.place.logical_dump()
    }

    /// The dump once no effect waits and two looks agree. What waits for a later time is put off
    /// for good, so that a dump is not told from a later one by the hour.
    pub fn settled_dump(&self) -> Dump {
        let mut last = None;
        until("the instance has settled", || {
            let moment = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let moment = moment.unwrap().as_micros();
            self.place.execute(&format!(
                "UPDATE jobs SET visible_at = 4000000000000000 WHERE state = 'ready' \
                 AND kind = 'remind' AND visible_at BETWEEN {moment} AND 3999999999999999"
            ));
            let waiting = self.place.number(&format!(
                "SELECT (SELECT COUNT(*) FROM effect_intents \
                    WHERE state = 'queued' AND not_before <= {moment}) \
                 + (SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'leased') \
                 + (SELECT COUNT(*) FROM jobs WHERE state = 'leased' \
                    OR (state = 'ready' AND visible_at <= {moment} \
                        AND kind IN ('simulated_report', 'tell_of_message', 'remind', \
                            'appointment_request')))"
            ));
            let now = self.logical_dump();
            let same = waiting == 0 && last.as_ref() == Some(&now);
            last = Some(now.clone());
            same.then_some(now)
        })
    }

    /// The audit log, oldest first.
    pub fn audit_entries(&self) -> Vec<Entry> {
        self.place.audit_entries()
    }

    /// Waits until a refusal with a code is in the audit log; how many entries there are. The
    /// first of a minute is written within a second, the rest of the minute as one more.
    pub fn await_refusal(&self, code: &str) -> usize {
        let what = format!("an audit entry of {code} at the {}", self.kind.title());
        until(&what, || Some(self.place.refusals(code)).filter(|count| *count > 0))
    }

    /// Starts the server.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// Starts the server with more arguments.
    pub fn serve_with(&self, arguments: &[&str]) -> Server {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        let start = Start { arguments, variables: self.variables.clone(), port: 0 };
        Server::start(&start, self.kind, &self.dir)
    }

    /// Starts the server on a port.
    pub fn serve_on(&self, port: u16) -> Server {
        let start = Start { arguments: Vec::new(), variables: self.variables.clone(), port };
        Server::start(&start, self.kind, &self.dir)
    }

    /// A start that has to fail: how it ended. One that serves after all is killed.
    pub fn refused_start(&self, variables: &[(&str, &str)]) -> Output {
        self.refused_start_as(self.kind, variables)
    }

    /// The same with any `--kind`.
    pub fn refused_start_as(&self, kind: Kind, variables: &[(&str, &str)]) -> Output {
        let mut command = Start { variables: self.variables.clone(), ..Start::default() }
            .command(kind, &self.dir);
        command.envs(variables.iter().copied());
        program::finish(command)
    }

    /// `ward WORDS --kind K --dir D REST --json`.
    pub fn ward(&self, words: &[&str], rest: &[&str]) -> Output {
        self.run(words, rest, true)
    }

    /// `ward sandbox WORD --dir D REST --json`.
    pub fn sandbox(&self, word: &str, rest: &[&str]) -> Output {
        self.run(&["sandbox", word], rest, false)
    }

    fn run(&self, words: &[&str], rest: &[&str], with_kind: bool) -> Output {
        let mut arguments: Vec<OsString> = words.iter().map(Into::into).collect();
        if with_kind {
            arguments.extend(["--kind".into(), self.kind.word().into()]);
        }
        arguments.extend(["--dir".into(), self.dir.clone().into_os_string()]);
        arguments.extend(rest.iter().map(Into::into));
        arguments.push("--json".into());
        let borrowed: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ward_with(arguments, &borrowed)
    }

    /// A new API key of a user.
    pub fn key(&self, user: &str) -> String {
        let made = self.ward(&["key", "create"], &["--user", user, "--name", "tests"]).json();
        key_in(&made).unwrap_or_else(|| panic!("no key in {made}"))
    }

    /// A new API key of the owner.
    pub fn owner_key(&self) -> String {
        self.key(OWNER)
    }

    /// A new member of the staff, by its role: `provider`, `support` or `integration`. Its key.
    pub fn member(&self, role: &str) -> String {
        let email = format!("{role}@practice.example");
        let made = self.ward(
            &["user", "create"],
            &["--role", role, "--email", &email, "--first-name", "Test", "--last-name", role],
        );
        drop(made.ok());
        self.key(&email)
    }

    /// Whether the audit log is intact, and what `ward audit verify` says.
    pub fn verify_audit(&self) -> (bool, String) {
        let output = self.ward(&["audit", "verify"], &[]);
        assert!(matches!(output.code, Some(0 | 1)), "audit verify: {output:?}");
        (output.code == Some(0), output.stdout + &output.stderr)
    }
}

/// `ward init`, with the harness's owner.
pub fn init(
    kind: Kind,
    dir: &Path,
    arguments: &[String],
    variables: &[(String, String)],
) -> Output {
    let mut command = program::command();
    command.args(["init", "--kind", kind.word(), "--dir"]).arg(dir);
    command.args(["--base-url", &format!("http://{}.localhost:4100", kind.word())]);
    command.args(["--owner-email", OWNER, "--organization", "Test Practice", "--json"]);
    command.args(arguments);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    program::finish(command)
}

fn directory() -> TempDir {
    let made = tempfile::Builder::new().prefix("ward-tests-").tempdir().unwrap();
    janitor::directory(made.path());
    made
}

/// `cp -a`.
pub fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// The tag, from the text of the key file, which begins with kind and tag.
fn tag_of(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("root.key")).unwrap();
    let is_tag = |word: &&str| {
        word.len() == 5
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().find(is_tag).expect("the key file names the tag").to_owned()
}

/// Every text in a JSON value.
pub fn texts(json: &Json) -> Vec<&str> {
    match json {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        Json::Object(object) => object.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn key_in(json: &Json) -> Option<String> {
    let is_key = |text: &&str| {
        text.len() > 55 && (text.starts_with("ward_sbx_") || text.starts_with("ward_live_"))
    };
    texts(json).into_iter().find(is_key).map(str::to_owned)
}

/// The one-time link in a command's answer.
pub fn link_in(json: &Json) -> Option<String> {
    let is_link = |text: &&str| text.starts_with("http") && text.contains("/set-password");
    texts(json).into_iter().find(is_link).map(str::to_owned)
}
