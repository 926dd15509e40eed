//! The worlds that are measured: seeded Sandboxes of several sizes on SQLite
//! and PostgreSQL, and what the limit programs work on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::load;
use crate::process::{Server, cpu_micros};

/// Numbers of clients.
pub const SIZES: [usize; 3] = [100, 10_000, 100_000];

/// The owner of every world.
const OWNER: &str = "owner@example.com";

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// SQLite.
    Lite,
    /// PostgreSQL.
    Pg,
}

impl Engine {
    /// What the names of its rows begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Engine::Lite => "",
            Engine::Pg => "pg-",
        }
    }
}

/// One client, to be asked for.
#[derive(Clone, Debug)]
pub struct Sample {
    pub id: i64,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: String,
}

/// A prepared instance with its two servers.
pub struct World {
    /// Ward; none only while it starts.
    ward: Option<Server>,
    /// The limit program.
    pub limit: Server,
    /// The owner's key.
    pub key: String,
    /// Some clients, spread over all.
    pub samples: Arc<[Sample]>,
    dir: PathBuf,
    url: Option<String>,
}

/// All worlds, made when they are first asked for.
pub struct Worlds {
    folder: TempDir,
    ward: PathBuf,
    server: Option<String>,
    made: BTreeMap<(Engine, usize), World>,
}

impl Worlds {
    /// Builds the release binary.
    pub fn new() -> Result<Self> {
        let ward = release()?;
        let named = |name| std::env::var(name).ok().filter(|url: &String| !url.is_empty());
        let server = named("WARD_BENCH_POSTGRES").or_else(|| named("WARD_TEST_POSTGRES"));
        Ok(Worlds { folder: tempfile::tempdir()?, ward, server, made: BTreeMap::new() })
    }

    /// The world of so many clients; none when there is no such engine.
    pub async fn get(&mut self, engine: Engine, size: usize) -> Result<Option<&World>> {
        if engine == Engine::Pg && self.server.is_none() {
            return Ok(None);
        }
        if !self.made.contains_key(&(engine, size)) {
            let world = self.make(engine, size).await?;
            self.made.insert((engine, size), world);
        }
        Ok(self.made.get(&(engine, size)))
    }

    async fn make(&self, engine: Engine, size: usize) -> Result<World> {
        let name = format!("sandbox_bench_{}_{}{size}", std::process::id(), engine.prefix())
            .replace('-', "_");
        let dir = self.folder.path().join(&name);
        let url = match (engine, &self.server) {
            (Engine::Pg, Some(server)) => {
                let client = connect(server).await?;
                client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
                let host = server.rsplit_once('/').context("an address with a database")?.0;
                Some(format!("{host}/{name}"))
            }
            _ => None,
        };
        let program = Program::sandbox(&self.ward, &dir, url.as_ref());
        let began = Instant::now();
        let key = program.found(size)?;
        eprintln!("{name}: {size} clients seeded in {:.1} s", began.elapsed().as_secs_f64());
        let samples = match &url {
            Some(url) => samples_pg(url).await?,
            None => samples_lite(&dir.join("ward.db"))?,
        };
        let mut ward = program.serve()?;
        create_one(ward.port, &key).await?;
        let limit = match &url {
            Some(url) => limit(&["limit-pg", url])?,
            None => {
                // Stopped, all of it is in the one file.
                drop(ward);
                let copy = dir.with_extension("limit.db");
                std::fs::copy(dir.join("ward.db"), &copy)?;
                ward = program.serve()?;
                limit(&["limit", &copy.display().to_string()])?
            }
        };
        let ward = Some(ward);
        Ok(World { ward, limit, key, samples: samples.into(), dir, url })
    }

    /// Takes the databases away.
    pub async fn close(self) -> Result<()> {
        for (_, World { ward, limit, url, .. }) in self.made {
            drop((ward, limit));
            if let (Some(url), Some(server)) = (url, &self.server) {
                let name = url.rsplit_once('/').context("an address with a database")?.1;
                let client = connect(server).await?;
                client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            }
        }
        Ok(())
    }

    /// Makes a key of a user of a world.
    pub fn key(&self, engine: Engine, size: usize, user: &str) -> Result<String> {
        let world = self.made.get(&(engine, size)).context("no such world")?;
        self.program(world).key(user)
    }

    fn program(&self, world: &World) -> Program {
        Program::sandbox(&self.ward, &world.dir, world.url.as_ref())
    }

    /// Stops a world's Ward and starts it again; the moment of the start.
    pub fn restart(&mut self, engine: Engine, size: usize) -> Result<Instant> {
        let Some(world) = self.made.get_mut(&(engine, size)) else { bail!("no such world") };
        world.ward = None;
        let began = Instant::now();
        let program = Program::sandbox(&self.ward, &world.dir, world.url.as_ref());
        world.ward = Some(program.serve()?);
        Ok(began)
    }
}

impl World {
    /// Ward.
    pub fn ward(&self) -> Result<&Server> {
        self.ward.as_ref().context("Ward does not run")
    }

    /// CPU time so far of Ward, and of its connections' server processes where
    /// they run on this machine.
    pub async fn ward_cpu(&self) -> Result<f64> {
        Ok(self.ward()?.cpu_micros()? + self.backends("application_name NOT LIKE 'limit%'").await?)
    }

    /// The same of the limit program.
    pub async fn limit_cpu(&self) -> Result<f64> {
        Ok(self.limit.cpu_micros()? + self.backends("application_name = 'limit'").await?)
    }

    async fn backends(&self, whose: &str) -> Result<f64> {
        let Some(url) = &self.url else { return Ok(0.0) };
        let client = connect(&format!("{url}?application_name=limit-watch")).await?;
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {whose}"
        );
        let pids = client.query(&sql, &[]).await?;
        let of = |row: &tokio_postgres::Row| {
            u32::try_from(row.get::<_, i32>(0)).ok().and_then(cpu_micros)
        };
        Ok(pids.iter().filter_map(of).sum())
    }
}

/// Builds the release binary, which stands beside this one. A debug build of this program asks a
/// debug Ward: to see that a row runs, not how fast.
pub fn release() -> Result<PathBuf> {
    let mut build = Command::new("cargo");
    build.args(["build", "--package", "ward", "--quiet"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.status()?;
    if !built.success() {
        bail!("the release build failed");
    }
    Ok(std::env::current_exe()?.with_file_name("ward"))
}

/// `ward` on one instance.
pub struct Program {
    /// `sandbox` or `production`.
    pub kind: &'static str,
    /// The binary.
    pub ward: PathBuf,
    /// The instance's directory.
    pub dir: PathBuf,
    /// The PostgreSQL database, if it is on one.
    pub url: Option<String>,
}

impl Program {
    /// On a Sandbox.
    pub fn sandbox(ward: &Path, dir: &Path, url: Option<&String>) -> Self {
        Program { kind: "sandbox", ward: ward.to_owned(), dir: dir.to_owned(), url: url.cloned() }
    }

    /// Makes the instance with so many seeded clients; the owner's key.
    pub fn found(&self, clients: usize) -> Result<String> {
        self.init()?;
        self.run(&["sandbox", "seed", "--seed", "1", "--clients", &clients.to_string()])?;
        self.key(OWNER)
    }

    /// Makes the instance, empty; the owner's key.
    pub fn born(&self) -> Result<String> {
        self.init()?;
        self.key(OWNER)
    }

    fn init(&self) -> Result<()> {
        let mut init = vec!["init", "--base-url", "http://127.0.0.1:4100", "--owner-email", OWNER];
        if self.url.is_some() {
            init.extend(["--database-env", "WARD_BENCH_DB"]);
        }
        self.run(&init)?;
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.ward);
        command.args(arguments);
        // `ward sandbox …` has no kind to choose.
        if arguments.first() != Some(&"sandbox") {
            command.args(["--kind", self.kind]);
        }
        command.arg("--dir").arg(&self.dir);
        // All of a measurement's sockets are one person's.
        let kind = self.kind.to_uppercase();
        command.env(format!("WARD_{kind}_SOCKETS_OF_PERSON"), "0");
        // Further organizations found themselves.
        command.env(format!("WARD_{kind}_SIGN_UP"), "open");
        if let Some(url) = &self.url {
            command.env("WARD_BENCH_DB", url);
        }
        command
    }

    /// Runs a command; what it answers.
    pub fn run(&self, arguments: &[&str]) -> Result<Json> {
        let out = self.command(arguments).arg("--json").output()?;
        if !out.status.success() {
            bail!("ward {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        }
        Ok(serde_json::from_slice(&out.stdout).unwrap_or(Json::Null))
    }

    /// A new key of a user.
    pub fn key(&self, user: &str) -> Result<String> {
        let made = self.run(&["key", "create", "--user", user, "--name", "bench"])?;
        Ok(made["api_key"].as_str().context("no key")?.to_owned())
    }

    /// Starts a server on the instance.
    pub fn serve(&self) -> Result<Server> {
        self.serve_with(&[])
    }

    /// The same with further options.
    pub fn serve_with(&self, options: &[&str]) -> Result<Server> {
        let mut words = vec!["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"];
        words.extend(options);
        Server::start(self.command(&words).stderr(Stdio::null()))
    }

    /// Starts a server with a variable of the environment.
    pub fn serve_in(&self, (name, value): (&str, &str)) -> Result<Server> {
        let words = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"];
        Server::start(self.command(&words).env(name, value).stderr(Stdio::null()))
    }
}

/// Makes a client as a caller does: what a create writes, for the limit programs.
async fn create_one(port: u16, key: &str) -> Result<()> {
    let input = "first_name: \"Bench\", last_name: \"Template\", email: \"template@example.com\", dont_send_welcome: true";
    let query = format!(
        "mutation {{ createClient(input: {{ {input} }}) {{ user {{ id }} messages {{ message }} }} }}"
    );
    let made = load::ask(port, key, &query, &Json::Null).await?;
    made["data"]["createClient"]["user"]["id"].as_str().with_context(|| made.to_string())?;
    Ok(())
}

fn limit(arguments: &[&str]) -> Result<Server> {
    Server::start(Command::new(std::env::current_exe()?).args(arguments))
}

/// A connection to PostgreSQL.
pub async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Two hundred clients, spread over all.
const SAMPLES: &str = "SELECT id, first_name, last_name, email, phone_number FROM users \
    WHERE is_patient = TRUE AND email IS NOT NULL AND last_name IS NOT NULL \
    AND id % (1 + (SELECT COUNT(*) FROM users) / 200) = 0 ORDER BY id LIMIT 200";

fn samples_lite(database: &Path) -> Result<Vec<Sample>> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare(SAMPLES)?;
    let rows = statement.query_map([], |row| {
        Ok(Sample {
            id: row.get(0)?,
            first_name: row.get(1)?,
            last_name: row.get(2)?,
            email: row.get(3)?,
            phone: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

async fn samples_pg(url: &str) -> Result<Vec<Sample>> {
    let rows = connect(url).await?.query(SAMPLES, &[]).await?;
    let sample = |row: &tokio_postgres::Row| Sample {
        id: row.get(0),
        first_name: row.get(1),
        last_name: row.get(2),
        email: row.get(3),
        phone: row.get(4),
    };
    Ok(rows.iter().map(sample).collect())
}
