//! Commands that serve, and commands beside a server.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::ward::{Instance, command, ward};

/// A process that is told to stop at the end, however the test ends.
struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
    said: BufReader<ChildStderr>,
}

impl Process {
    fn start(args: &[&str]) -> Self {
        let mut command = command();
        command.args(args).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let said = BufReader::new(child.stderr.take().unwrap());
        Process { child, lines, said }
    }

    fn signal(&self, signal: Signal) {
        kill(self.child.id(), signal);
    }

    fn line(&mut self) -> Json {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line:?}"))
    }

    /// Reads standard error up to a line with `words`.
    fn hear(&mut self, words: &str) -> String {
        let mut said = String::new();
        while !said.contains(words) {
            assert_ne!(self.said.read_line(&mut said).unwrap(), 0, "{said}");
        }
        said
    }

    /// SIGTERM; gives the status and what was said on standard error.
    fn terminate(&mut self) -> (i32, String) {
        self.signal(Signal::TERM);
        let status = self.child.wait().unwrap().code().unwrap();
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (status, said)
    }
}

fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// The process that holds an instance, out of its lock file.
fn holder(dir: &Path) -> u32 {
    let lock = std::fs::read_to_string(dir.join("lock")).unwrap();
    let holder = lock.lines().nth(2).unwrap();
    holder.split(' ').nth(1).unwrap().parse().unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a server says that it is confined, where the doctor says that the kernel can.
fn is_confined(doctor: &Json, ready: &Json) -> bool {
    let checks = doctor["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == "confinement").unwrap();
    match check["outcome"] == "ok" {
        true => ready["confined"].as_str().is_some_and(|how| how.starts_with("landlock ABI ")),
        false => ready["confined"].is_null(),
    }
}

#[test]
fn a_server_says_where_it_is_takes_commands_and_stops() {
    let instance = Instance::new("sandbox");
    let path = instance.path();
    let serve = ["serve", "--kind", "sandbox", "--dir", &path, "--listen", "127.0.0.1:0"];
    let mut server = Process::start(&serve);
    let ready = server.line();
    assert!(ready["listening"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(ready["instance"], instance.born["instance"]);
    let doctor = instance.ward(&["doctor", "--json"]).ends(0).json();
    assert!(is_confined(&doctor, &ready), "{ready}");
    assert_eq!(instance.ward(&["status", "--json"]).ends(0).json()["state"], "serving");
    let key = ["key", "create", "--json", "--user", "owner@practice.example"];
    assert!(instance.ward(&key).ends(0).stdout.contains("ward_sbx_"));
    instance.ward(&["audit", "verify"]).ends(0);
    instance.ward(&["doctor"]).ends(0);
    instance.ward(&["user", "list"]).ends(0);
    instance.ward(&["migrate", "--check"]).ends(0);
    instance.ward(&["migrate"]).ends(75);
    instance.ward(&serve[..1]).ends(75);
    assert_eq!(server.terminate().0, 0);
    assert_eq!(instance.ward(&["status", "--json"]).ends(0).json()["state"], "stopped");
}

#[test]
fn a_large_practice_is_seeded_by_the_server_or_without_one() {
    let seed = |instance: &Instance| {
        let path = instance.path();
        let args = ["sandbox", "seed", "--json", "--seed", "7", "--clients", "300", "--dir", &path];
        let ran = ward(&args).ends(0);
        assert!(ran.stderr.contains("40 of 300"), "{}", ran.stderr);
        let told = ran.json();
        assert_eq!((&told["clients"], &told["conversations"]), (&300.into(), &53.into()), "{told}");
        ward(&args).ends(2);
    };
    let alone = Instance::new("sandbox");
    seed(&alone);
    let served = Instance::new("sandbox");
    let path = served.path();
    let mut server =
        Process::start(&["serve", "--kind", "sandbox", "--dir", &path, "--listen", "127.0.0.1:0"]);
    server.line();
    seed(&served);
    assert_eq!(served.ward(&["status", "--json"]).ends(0).json()["clients"], 300);
    assert_eq!(server.terminate().0, 0);
    for instance in [&alone, &served] {
        instance.ward(&["audit", "verify"]).ends(0);
    }
    let path = Instance::new("sandbox").path();
    for wrong in ["0", "200001", "many"] {
        ward(&["sandbox", "seed", "--dir", &path, "--clients", wrong]).ends(2);
    }
}

#[test]
fn both_instances_are_born_on_the_first_run_and_stopped_together() {
    let place = TempDir::new().unwrap();
    let dir = place.path().join("d");
    let at = dir.to_str().unwrap();
    let args = ["dev", "--dir", at, "--sandbox-port", "0", "--production-port", "0"];
    let mut first = Process::start(&args);
    let born = [first.line(), first.line()];
    for (kind, roles) in [("sandbox", 5), ("production", 1)] {
        let told = born.iter().find(|line| line["environment"] == kind).unwrap();
        let file = std::fs::read(dir.join(kind).join("dev-credentials.json")).unwrap();
        let file: Json = serde_json::from_slice(&file).unwrap();
        assert_eq!(file["url"], told["url"]);
        let at = dir.join(kind);
        let doctor = ["doctor", "--json", "--kind", kind, "--dir", at.to_str().unwrap()];
        assert!(is_confined(&ward(&doctor).ends(0).json(), told), "{told}");
        assert_eq!(file["users"].as_array().unwrap().len(), roles, "{file:#}");
    }
    let (status, said) = first.terminate();
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("again"), "{said}");
    // Another run finds them, on other ports, and does not quarantine.
    let mut second = Process::start(&args);
    for line in [second.line(), second.line()] {
        let before = born.iter().find(|known| known["environment"] == line["environment"]);
        assert_eq!(line["instance"], before.unwrap()["instance"]);
        assert_eq!(line["state"], "active");
    }
    // One that dies is started again; the other is not touched.
    let production = holder(&dir.join("production"));
    kill(holder(&dir.join("sandbox")), Signal::KILL);
    assert_eq!(second.line()["environment"], "sandbox");
    assert_eq!(holder(&dir.join("production")), production);
    let (status, said) = second.terminate();
    assert_eq!(status, 0, "{said}");
    assert_eq!(said.matches("again").count(), 1, "{said}");
}

#[test]
fn children_end_with_a_parent_that_is_killed() {
    let place = TempDir::new().unwrap();
    let dir = place.path().join("d");
    let at = dir.to_str().unwrap();
    let mut both =
        Process::start(&["dev", "--dir", at, "--sandbox-port", "0", "--production-port", "0"]);
    both.line();
    both.line();
    both.signal(Signal::KILL);
    both.child.wait().unwrap();
    // Standard output is the children's too: it ends when the last one has ended.
    let mut rest = String::new();
    both.lines.read_to_string(&mut rest).unwrap();
    for kind in ["sandbox", "production"] {
        let at = dir.join(kind);
        let status = ward(&["status", "--json", "--kind", kind, "--dir", at.to_str().unwrap()]);
        assert_eq!(status.ends(0).json()["state"], "stopped");
        assert!(std::fs::read_to_string(at.join("lock")).unwrap().starts_with("stopped"));
    }
}

#[test]
fn a_refused_child_is_not_started_again() {
    let place = TempDir::new().unwrap();
    let dir = place.path().join("d");
    // A Production where the Sandbox should be.
    let production = Instance::new("production");
    std::fs::create_dir(&dir).unwrap();
    std::fs::rename(production.dir(), dir.join("sandbox")).unwrap();
    let at = dir.to_str().unwrap();
    let mut both =
        Process::start(&["dev", "--dir", at, "--sandbox-port", "0", "--production-port", "0"]);
    assert_eq!(both.line()["environment"], "production");
    let before = both.hear("is not started again");
    let (status, after) = both.terminate();
    let said = before + &after;
    assert_eq!(status, 78, "{said}");
    assert!(said.contains("E-ISO-01"), "{said}");
}

#[test]
fn the_story_of_the_tour_holds() {
    let told = ward(&["tour", "--json"]).ends(0).json();
    assert_eq!(told["held"], true);
    assert_eq!(told["steps"].as_array().unwrap().len(), 9);
}
