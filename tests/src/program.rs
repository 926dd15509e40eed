//! The programs under test: where they are, and running a command of it to its end.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::wait::{PATIENCE, pause};

static WARD: LazyLock<PathBuf> = LazyLock::new(|| place("WARD_BIN", "ward"));
static PROBE: LazyLock<PathBuf> = LazyLock::new(|| place("WARD_PROBE_BIN", "ward-probe"));

fn place(variable: &str, name: &str) -> PathBuf {
    if let Some(given) = std::env::var_os(variable) {
        return given.into();
    }
    let own = std::env::current_exe().unwrap();
    // target/<profile>/deps/<test> beside target/<profile>/ward.
    let folder = own.parent().and_then(Path::parent).unwrap();
    let program = folder.join(name);
    if !program.exists() {
        build(folder, name);
    }
    assert!(program.exists(), "{} is not there and could not be built", program.display());
    program
}

fn build(folder: &Path, package: &str) {
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "-p", package, "--profile", profile]);
    command.arg("--target-dir").arg(folder.parent().unwrap());
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let built = command.status().unwrap();
    assert!(built.success(), "cargo build -p {package} failed");
}

/// A command of the program, without the variables of the one who runs the tests.
pub fn command() -> Command {
    bare(&WARD)
}

/// A command of `ward-probe`, likewise.
pub fn probe() -> Command {
    bare(&PROBE)
}

/// A `PATH` on which `ward-probe` is, built if need be.
pub fn path_with_probe() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", PROBE.parent().unwrap().display())
}

fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    without_variables(&mut command);
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Takes the variables of the one who runs the tests from any command.
pub fn without_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let foreign = name.to_str().is_none_or(|name| name.starts_with("WARD_"));
        if foreign {
            command.env_remove(&name);
        }
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed as its answer.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Output {
    /// The answer of a command that had to succeed.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "the command failed: {}{}", self.stdout, self.stderr);
        self
    }

    /// The JSON answer of a command that had to succeed.
    #[track_caller]
    pub fn json(self) -> Json {
        let done = self.ok();
        serde_json::from_str(&done.stdout)
            .unwrap_or_else(|error| panic!("{error} in the answer {:?}", done.stdout))
    }

    /// The one line of a command that the environment refused: exit 78 and
    /// `E-ISO-nn: …; fix: …`.
    #[track_caller]
    pub fn refused(&self, row: &str) -> &str {
        let shown = format!("{:?}: {}{}", self.code, self.stdout, self.stderr);
        assert_eq!(self.code, Some(78), "{row}: not refused, but {shown}");
        let lines: Vec<&str> = self.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(lines.len(), 1, "{row}: not one line: {shown}");
        let line = lines[0].strip_prefix("ward: ").unwrap_or(lines[0]);
        let form = line.split_once(": ").and_then(|(code, rest)| {
            let number = code.strip_prefix("E-ISO-")?;
            rest.split_once("; fix: ").filter(|(said, fix)| {
                number.len() >= 2 && !said.trim().is_empty() && !fix.trim().is_empty()
            })
        });
        assert!(form.is_some(), "{row}: not `E-ISO-nn: …; fix: …`: {line}");
        line
    }
}

/// Runs a command to its end.
pub fn ward<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Output {
    ward_with(arguments, &[])
}

/// Runs a command to its end, with variables.
pub fn ward_with<I: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = I>,
    variables: &[(&str, &str)],
) -> Output {
    let mut command = command();
    command.args(arguments).envs(variables.iter().copied());
    finish(command)
}

/// What a command may take that does as much as a test run.
pub const LONG: Duration = Duration::from_secs(1_800);

/// Runs a prepared command to its end. One that does not end within the harness's patience is
/// killed and has no exit status. What it started must let go of its output as well.
pub fn finish(command: Command) -> Output {
    finish_within(command, PATIENCE)
}

/// The same with another patience.
pub fn finish_within(mut command: Command, patience: Duration) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = gather(child.stdout.take().unwrap());
    let stderr = gather(child.stderr.take().unwrap());
    let start = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if start.elapsed() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        pause(Duration::from_millis(5));
    };
    let [stdout, stderr] = [stdout, stderr]
        .map(|it| it.recv_timeout(PATIENCE).expect("the end of its output, which something holds"));
    Output { code, stdout, stderr }
}

fn gather(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        let _ = tell.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    told
}
