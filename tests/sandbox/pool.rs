//! `ward sandbox pool`: shards at once, each with a Sandbox of its own.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use ward_tests::program::{self, finish};
use ward_tests::{Json, Output, janitor, until};

use crate::running::is_alive;

fn pool(options: &[&str], script: &str) -> Output {
    let mut command = program::command();
    command.args(["sandbox", "pool"]).args(options).args(["--", "sh", "-c", script]);
    finish(command)
}

#[test]
fn each_shard_has_its_own_and_knows_which_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let options = ["3", "--pack", "empty", "--json", report.to_str().unwrap()];
    let ended = pool(&options, "echo $WARD_SHARD_INDEX of $WARD_SHARD_TOTAL $WARD_URL");
    let mut lines: Vec<&str> = ended.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!((ended.code, lines.len()), (Some(0), 3), "{ended:?}");
    for (index, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("{index} of 3 http://127.0.0.1:")), "{line}");
        let file = folder.path().join(format!("report.{index}.json"));
        let told: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(told["status"], 0);
    }
    let mut urls: Vec<_> = lines.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    urls.dedup();
    assert_eq!(urls.len(), 3);
}

#[test]
fn a_shard_that_fails_is_named_and_the_others_go_on() {
    let ended = pool(&["2", "--pack", "empty"], "echo ran; exit $((WARD_SHARD_INDEX * 6))");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(6), "ran\nran\n"), "{ended:?}");
    assert!(ended.stderr.contains("shard 1 with status 6"), "{ended:?}");
    for wrong in ["0", "65", "many"] {
        assert_eq!(pool(&[wrong], "true").code, Some(2), "{wrong}");
    }
}

#[test]
fn a_pool_that_is_killed_leaves_nothing() {
    let mut command = program::command();
    command.args(["sandbox", "pool", "2", "--pack", "empty", "--"]);
    command.args(["sh", "-c", "setsid sleep 600 & echo $!; echo $$; echo $WARD_URL; wait"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    janitor::started(child.id());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(6);
    let lines: Vec<String> = lines.map(Result::unwrap).collect();
    let processes: Vec<Pid> =
        lines.iter().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect();
    assert_eq!(processes.len(), 4, "{lines:?}");
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    child.wait().unwrap();
    janitor::ended(child.id());
    until("the commands are gone", || processes.iter().all(|it| !is_alive(*it)).then_some(()));
    for url in lines.iter().filter_map(|line| line.strip_prefix("http://")) {
        until("the port is free", || std::net::TcpListener::bind(url).is_ok().then_some(()));
    }
}
