//! How a run ends, and what it leaves: the command's status, and nothing.

use rustix::process::Signal;
use ward_tests::program::{self, ward_with};
use ward_tests::until;

use crate::running::{Running, is_alive, keepers, run};

/// Something in the background that left the command's group and session.
const STRAYS: &str =
    "sleep 600 & echo $!\nsetsid sleep 600 & echo $!\n(setsid sleep 600 & echo $!)";

#[test]
fn the_status_is_the_commands() {
    for (script, status) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
        ("kill -SEGV $$", 139),
    ] {
        let ended = run(&["--pack", "empty"], &["sh", "-c", script]);
        assert_eq!(ended.code, Some(status), "{script}: {ended:?}");
        assert!(ended.stderr.contains(&format!("status {status}")), "{script}: {ended:?}");
    }
}

#[test]
fn a_command_that_is_not_there_is_one_clear_sentence() {
    let ended = run(&["--pack", "empty"], &["no-such-command", "--verbose"]);
    assert_eq!(ended.code, Some(127), "{ended:?}");
    assert_eq!(ended.stderr.trim(), "ward: there is no command no-such-command; nothing was run");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "nothing to execute").unwrap();
    let ended = run(&["--pack", "empty"], &[file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(126), "{ended:?}");
    let said = ended.stderr.trim();
    assert!(said.ends_with("nothing was run") && said.lines().count() == 1, "{said}");
    assert_eq!(run(&[], &[]).code, Some(2));
}

#[test]
fn input_and_output_are_the_commands() {
    let mut running = Running::start(&["--pack", "empty"], ":");
    assert_eq!(running.end().code, Some(9), "the end of its input");
    let running = Running::start(&["--pack", "empty"], ":");
    let ended = running.go_on("echo to-out; echo to-err >&2; exit 4");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(4), "to-out\n"), "{ended:?}");
    assert!(ended.stderr.starts_with("to-err\n"), "{ended:?}");
}

#[test]
fn signals_go_on_to_the_command() {
    for (name, signal) in [("TERM", Signal::TERM), ("INT", Signal::INT), ("USR1", Signal::USR1)] {
        let trap = format!("trap 'echo told; exit 3' {name}");
        let mut running = Running::start(&["--pack", "empty"], &trap);
        running.signal(signal);
        let ended = running.ends();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), "told\n"), "{name}: {ended:?}");
        running.is_gone();
    }
    let mut running = Running::start(&["--pack", "empty"], STRAYS);
    running.signal(Signal::TERM);
    assert_eq!(running.ends().code, Some(143));
    running.is_gone();
}

#[test]
fn what_the_command_leaves_running_is_ended() {
    let running = Running::start(&[], STRAYS);
    let (processes, dir) = (running.processes(), running.dir.clone());
    assert_eq!(processes.len(), 3);
    assert!(processes.iter().all(|it| is_alive(*it)));
    let ended = running.go_on("exit 0");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Before the run's end, not some time after it.
    assert!(processes.iter().all(|it| !is_alive(*it)));
    assert!(!dir.exists() && keepers(&dir).is_empty());
}

#[test]
fn nothing_is_left_when_the_run_is_killed() {
    let mut running = Running::start(&[], STRAYS);
    assert_eq!(running.owner().get("/healthz").status, 200);
    running.signal(Signal::KILL);
    assert_eq!(running.ends().code, None);
    running.is_gone();
}

#[test]
fn nothing_is_left_when_the_keeper_is_killed() {
    let mut running = Running::start(&["--pack", "empty"], STRAYS);
    for keeper in keepers(&running.dir) {
        rustix::process::kill_process(keeper, Signal::KILL).unwrap();
    }
    let ended = running.ends();
    assert_eq!(ended.code, Some(70), "{ended:?}");
    assert!(ended.stderr.contains("ended from outside"), "{ended:?}");
    running.is_gone();
}

#[test]
fn what_both_left_the_next_run_clears_away() {
    let mut running = Running::start(&["--pack", "empty"], "echo $$");
    // So that it does not see the other die.
    running.signal(Signal::STOP);
    let [keeper] = keepers(&running.dir)[..] else { panic!("one keeper") };
    rustix::process::kill_process(keeper, Signal::KILL).unwrap();
    running.signal(Signal::KILL);
    running.end();
    assert!(running.dir.join("ward.db").exists(), "both were killed");
    for process in running.processes() {
        let _ = rustix::process::kill_process(process, Signal::KILL);
    }
    assert_eq!(run(&["--pack", "empty"], &["true"]).code, Some(0));
    assert!(!running.dir.exists());
}

#[test]
fn a_time_that_is_over_ends_the_command() {
    for script in ["sleep 600", "trap '' TERM; setsid sleep 600 & while :; do sleep 1; done"] {
        let ended = run(&["--pack", "empty", "--ttl", "1s"], &["sh", "-c", script]);
        assert_eq!(ended.code, Some(124), "{script}: {ended:?}");
    }
    let ended = run(&["--pack", "empty", "--ttl", "PT10M"], &["true"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for wrong in ["0s", "-5s", "soon", ""] {
        assert_eq!(run(&["--ttl", wrong], &["true"]).code, Some(2), "{wrong}");
    }
}

#[test]
fn it_takes_no_other_environment_in() {
    let production = [("WARD_PRODUCTION_RATE_LIMIT", "5")];
    let refused = ward_with(["sandbox", "run", "--", "true"], &production);
    refused.refused("ISO-04");
    // What belongs to an instance that lasts is not taken.
    let lasting = [
        ("WARD_SANDBOX_BASE_URL", "http://elsewhere.example"),
        ("WARD_SANDBOX_LISTEN", "127.0.0.1:1"),
    ];
    let ended = ward_with(["sandbox", "run", "--pack", "empty", "--", "true"], &lasting);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn its_place_is_this_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&["--pack", "empty"], ":");
    let mode = |path: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode(&running.dir), mode(running.dir.parent().unwrap())), (0o700, 0o700));
    running.go_on("exit 0").ok();
    let mut elsewhere = program::command();
    elsewhere.args(["sandbox", "run", "--pack", "empty", "--", "true"]);
    elsewhere.env("TMPDIR", folder.path());
    program::finish(elsewhere).ok();
    until("nothing is in the other place", || {
        let left = std::fs::read_dir(folder.path()).unwrap().flatten();
        let runs = left.flat_map(|home| std::fs::read_dir(home.path()).unwrap().flatten());
        runs.into_iter().all(|it| it.file_name() == "roster.lock").then_some(())
    });
}
