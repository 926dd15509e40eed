//! A run that is under way: its command says `ready` and waits until it is told to go on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;
use ward_tests::wait::PATIENCE;
use ward_tests::{Api, Output, janitor, program, until};

/// Says its variables, what it has started and that it is ready, and waits.
const WAITS: &str = "env | grep ^WARD_; echo ready; read -r line || exit 9; eval \"$line\"";

/// A running `ward sandbox run`.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
    /// The command's variables of ours.
    pub variables: BTreeMap<String, String>,
    /// What the command said before it was ready.
    pub said: Vec<String>,
    /// Its directory.
    pub dir: PathBuf,
}

impl Running {
    /// Starts one whose command does `script` first.
    pub fn start(options: &[&str], script: &str) -> Running {
        Running::with(&[], options, script)
    }

    /// The same, with variables.
    pub fn with(variables: &[(&str, &str)], options: &[&str], script: &str) -> Running {
        let mut command = program::command();
        command.args(["sandbox", "run"]).args(options).envs(variables.iter().copied());
        command.args(["--", "sh", "-c", &format!("{script}\n{WAITS}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        janitor::started(child.id());
        let stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        let (mut variables, mut said) = (BTreeMap::new(), Vec::new());
        loop {
            let line = stdout.next().expect("the run ended before its command was ready");
            match line.trim_end() {
                "ready" => break,
                line => match line.split_once('=') {
                    Some((name, value)) if name.starts_with("WARD_") => {
                        variables.insert(name.to_owned(), value.to_owned());
                    }
                    _ => said.push(line.to_owned()),
                },
            }
        }
        let dir = directory_of(child.id());
        let stdin = child.stdin.take();
        Running { child, stdin, stdout, stderr, variables, said, dir }
    }

    /// The run's process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap()).unwrap()
    }

    /// The port that the Sandbox listens on.
    pub fn port(&self) -> u16 {
        self.variables["WARD_URL"].rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The API as the owner calls it.
    pub fn owner(&self) -> Api {
        Api::at(self.port(), Some(&self.variables["WARD_API_KEY"]))
    }

    /// The API as the integration calls it.
    pub fn integration(&self) -> Api {
        Api::at(self.port(), Some(&self.variables["WARD_INTEGRATION_KEY"]))
    }

    /// Sends the run a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Has the command go on with a line of shell, and waits for the run's end.
    pub fn go_on(mut self, line: &str) -> Output {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        self.end()
    }

    /// Ends the command's input and waits for the run's end.
    pub fn end(&mut self) -> Output {
        drop(self.stdin.take());
        self.ends()
    }

    /// Waits for the run's end.
    pub fn ends(&mut self) -> Output {
        let status = until("the run has ended", || self.child.try_wait().unwrap());
        janitor::ended(self.child.id());
        // What it started has both too, until it is ended.
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(Lines::rest);
        Output { code: status.code(), stdout, stderr }
    }

    /// The process numbers that the command said, one a line.
    pub fn processes(&self) -> Vec<Pid> {
        numbers(self.said.iter().map(String::as_str))
    }

    /// Waits until neither process, port nor file is left.
    pub fn is_gone(&self) {
        let port = self.port();
        until("its processes are gone", || {
            self.processes().iter().all(|it| !is_alive(*it)).then_some(())
        });
        until("its port is free", || {
            std::net::TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(())
        });
        until("its directory is gone", || (!self.dir.exists()).then_some(()));
        until("its keeper is gone", || (keepers(&self.dir).is_empty()).then_some(()));
    }
}

/// The process numbers among lines.
pub fn numbers<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Pid> {
    lines.filter_map(|line| Pid::from_raw(line.trim_end().parse().ok()?)).collect()
}

/// The lines of a pipe, which a thread reads: nobody waits for them without end.
pub struct Lines(Receiver<String>);

impl Lines {
    /// Of a pipe.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
            while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                if tell.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Lines(told)
    }

    /// The next one with its end; nothing when the pipe has ended.
    pub fn next(&self) -> Option<String> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("neither a line nor the end in {PATIENCE:?}"),
        }
    }

    /// All that come until the end.
    pub fn rest(&self) -> String {
        std::iter::from_fn(|| self.next()).collect()
    }
}

/// Whether a process runs.
pub fn is_alive(process: Pid) -> bool {
    let id = process.as_raw_nonzero();
    // The name in it may be no text.
    let stat = std::fs::read(format!("/proc/{id}/stat")).unwrap_or_default();
    let is_zombie = String::from_utf8_lossy(&stat)
        .rsplit_once(')')
        .is_some_and(|(_, rest)| rest.trim().starts_with('Z'));
    test_kill_process(process).is_ok() && !is_zombie
}

/// The directory of a run, by the database that its process has open.
fn directory_of(pid: u32) -> PathBuf {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let files = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let database = files.into_iter().find(|path| path.ends_with("ward.db"));
    database.expect("a database").parent().unwrap().to_owned()
}

/// The processes that look after the command of a run.
pub fn keepers(dir: &Path) -> Vec<Pid> {
    let dir = dir.to_string_lossy();
    of_words(&["keeper", &dir])
}

/// Has the Sandbox of a run begun and never made to its end, as long as the folder is there: its first
/// write waits for what a crash point reads, a pipe that nobody writes to.
pub fn never_made(run: &mut Command) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    run.env("TESTED_CRASH", pipe);
    folder
}

/// The process that makes the Sandbox of a run that is [`never_made`], stopped, and the run's directory.
/// It is at work by then, and so ends with the run.
pub fn stopped_maker(run: &Child) -> (Pid, PathBuf) {
    let parent = run.id().to_string();
    until("its maker is at work", || {
        let maker = of_words(&["maker", &parent]).first().copied()?;
        let words = std::fs::read(format!("/proc/{}/cmdline", maker.as_raw_nonzero())).ok()?;
        let words = String::from_utf8(words).ok()?;
        let dir = PathBuf::from(words.split('\0').skip_while(|word| *word != "--dir").nth(1)?);
        if !dir.join("ward.db").exists() {
            return None;
        }
        kill_process(maker, Signal::STOP).unwrap();
        Some((maker, dir))
    })
}

/// The processes whose command lines have these words.
fn of_words(words: &[&str]) -> Vec<Pid> {
    let ids = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_one = |id: &i32| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let said: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        words.iter().all(|word| said.contains(&word.as_bytes()))
    };
    ids.filter(is_one).filter_map(Pid::from_raw).collect()
}

/// A run to its end.
pub fn run(options: &[&str], command: &[&str]) -> Output {
    let mut process = program::command();
    process.args(["sandbox", "run"]).args(options).arg("--").args(command);
    program::finish(process)
}
