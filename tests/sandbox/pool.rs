//! `ward sandbox pool`: shards at once, each with a Sandbox of its own.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use ward_tests::program::{self, finish};
use ward_tests::{Json, Output, janitor, until};

use crate::running::{Lines, is_alive, numbers};

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
        assert_eq!((&told["status"], &told["shard"]), (&Json::from(0), &Json::from(index)));
    }
    let mut urls: Vec<_> = lines.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    urls.dedup();
    assert_eq!(urls.len(), 3);
}

#[test]
fn a_shard_that_fails_is_named_and_the_others_go_on() {
    let ended = pool(&["2", "--pack", "empty"], "echo ran; exit $((WARD_SHARD_INDEX * 6))");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(6), "ran\nran\n"), "{ended:?}");
    for told in [
        "1 of 2 shards failed: shard 1 with status 6",
        "ward sandbox run (shard 0): status 0",
        "ward sandbox run (shard 1): status 6",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
    }
    for wrong in ["0", "65", "many"] {
        assert_eq!(pool(&[wrong], "true").code, Some(2), "{wrong}");
    }
}

#[test]
fn a_pool_that_is_killed_leaves_nothing() {
    let mut command = program::command();
    command.args(["sandbox", "pool", "2", "--pack", "empty", "--"]);
    command.args([
        "sh",
        "-c",
        "setsid sleep 600 >/dev/null 2>&1 & echo $!; echo $$; echo $WARD_URL; wait",
    ]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    janitor::started(child.id());
    let lines = Lines::of(child.stdout.take().unwrap());
    let lines: Vec<String> = std::iter::from_fn(|| lines.next()).take(6).collect();
    let processes = numbers(lines.iter().map(String::as_str));
    assert_eq!(processes.len(), 4, "{lines:?}");
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    child.wait().unwrap();
    janitor::ended(child.id());
    until("the commands are gone", || processes.iter().all(|it| !is_alive(*it)).then_some(()));
    let urls: Vec<_> =
        lines.iter().filter_map(|line| line.trim_end().strip_prefix("http://")).collect();
    assert_eq!(urls.len(), 2, "{lines:?}");
    for url in urls {
        until("the port is free", || std::net::TcpListener::bind(url).is_ok().then_some(()));
    }
}

#[test]
fn a_signal_goes_to_the_shards_that_run() {
    let mut command = program::command();
    command.args(["sandbox", "pool", "2", "--pack", "empty", "--", "sh", "-c"]);
    let script = "trap 'exit 4' TERM; echo $$; [ $WARD_SHARD_INDEX = 0 ] && exit 0; while :; do sleep 0.05; done";
    command.arg(script).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    janitor::started(child.id());
    let [stdout, stderr] =
        [Lines::of(child.stdout.take().unwrap()), Lines::of(child.stderr.take().unwrap())];
    let lines: Vec<String> = std::iter::from_fn(|| stdout.next()).take(2).collect();
    assert_eq!(lines.len(), 2);
    // The words of the first.
    assert!(std::iter::from_fn(|| stderr.next()).any(|line| line.contains("unexpected errors")));
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    let status = until("the pool has ended", || child.try_wait().unwrap());
    janitor::ended(child.id());
    assert_eq!(status.code(), Some(4));
    let said = stderr.rest();
    assert!(said.contains("1 of 2 shards failed: shard 1 with status 4"), "{said}");
}
