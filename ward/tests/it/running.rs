//! Commands that serve, and commands beside a server.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::ward::{Instance, command, ward};

/// A process that is told to stop at the end, however the test ends.
struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(args: &[&str]) -> Self {
        let mut command = command();
        command.args(args).arg("--json").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Process { child, lines }
    }

    fn line(&mut self) -> Json {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line:?}"))
    }

    fn terminate(&mut self) -> i32 {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    assert_eq!(instance.ward(&["status", "--json"]).ends(0).json()["state"], "serving");
    let key = ["key", "create", "--json", "--user", "owner@practice.example"];
    assert!(instance.ward(&key).ends(0).stdout.contains("ward_sbx_"));
    instance.ward(&["audit", "verify"]).ends(0);
    instance.ward(&["doctor"]).ends(0);
    instance.ward(&["user", "list"]).ends(0);
    instance.ward(&["migrate", "--check"]).ends(0);
    instance.ward(&["migrate"]).ends(75);
    instance.ward(&serve[..1]).ends(75);
    assert_eq!(server.terminate(), 0);
    assert_eq!(instance.ward(&["status", "--json"]).ends(0).json()["state"], "stopped");
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
        assert_eq!(file["users"].as_array().unwrap().len(), roles, "{file:#}");
    }
    assert_eq!(first.terminate(), 0);
    // Another run finds them, on other ports, and does not quarantine.
    let mut second = Process::start(&args);
    for line in [second.line(), second.line()] {
        let before = born.iter().find(|known| known["environment"] == line["environment"]);
        assert_eq!(line["instance"], before.unwrap()["instance"]);
        assert_eq!(line["state"], "active");
    }
    assert_eq!(second.terminate(), 0);
}

#[test]
fn the_story_of_the_tour_holds() {
    let told = ward(&["tour", "--json"]).ends(0).json();
    assert_eq!(told["held"], true);
    assert_eq!(told["steps"].as_array().unwrap().len(), 7);
}
