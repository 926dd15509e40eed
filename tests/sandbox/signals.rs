//! Signals to a run reach its command, once.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use ward_tests::{Output, janitor, program, tell, until};

use crate::ending::STRAYS;
use crate::running::{Lines, Running};

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

/// As `nohup` and a shell's `&` start it.
#[test]
fn what_it_was_told_to_ignore_it_ignores() {
    let script =
        "trap '' HUP INT\nexec \"$0\" sandbox run --pack empty -- sh -c 'echo ready; read -r line'";
    let mut shell = Command::new("sh");
    program::without_variables(&mut shell);
    shell.args(["-c", script]).arg(program::command().get_program());
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    janitor::started(child.id());
    let lines = Lines::of(child.stdout.take().unwrap());
    assert!(std::iter::from_fn(|| lines.next()).any(|line| line == "ready\n"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let bits = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    let of = |signal: Signal| 1_u64 << (signal.as_raw() - 1);
    let both = of(Signal::HUP) | of(Signal::INT);
    assert_eq!((bits("SigIgn:") & both, bits("SigCgt:") & both), (both, 0), "{status}");
    assert_ne!(bits("SigCgt:") & of(Signal::TERM), 0, "others are taken over");
    child.stdin.take().unwrap().write_all(b"on\n").unwrap();
    let status = until("the run has ended", || child.try_wait().unwrap());
    janitor::ended(child.id());
    assert_eq!(status.code(), Some(0));
}

/// What Ctrl-C at a terminal makes of a run with this command, which says `ready` first.
fn key(command: &[&str]) -> Option<Output> {
    if !Command::new("script").arg("--version").output().is_ok_and(|it| it.status.success()) {
        tell("signals", "NOT RUN: there is no script(1)");
        assert_ne!(std::env::var("WARD_REQUIRE_ALL").as_deref(), Ok("1"), "script is required");
        return None;
    }
    let ward = program::command().get_program().to_string_lossy().into_owned();
    let words = [&[ward.as_str(), "sandbox", "run", "--pack", "empty", "--"], command].concat();
    let line: Vec<String> = words.iter().map(|it| format!("'{it}'")).collect();
    let mut terminal = Command::new("script");
    program::without_variables(&mut terminal);
    terminal.args(["-qefc", &format!("exec {}", line.join(" ")), "/dev/null"]);
    terminal.env("SHELL", "/bin/sh").env("NO_COLOR", "1");
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = terminal.spawn().unwrap();
    janitor::started(child.id());
    let [stdout, stderr] =
        [Lines::of(child.stdout.take().unwrap()), Lines::of(child.stderr.take().unwrap())];
    let mut said = String::new();
    while !said.ends_with("ready\r\n") {
        said += &stdout.next().unwrap_or_else(|| panic!("it ended: {said}"));
    }
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(b"\x03").unwrap();
    let status = until("the run has ended", || child.try_wait().unwrap());
    janitor::ended(child.id());
    drop(keys);
    Some(Output { code: status.code(), stdout: said + &stdout.rest(), stderr: stderr.rest() })
}

/// Counts how often it was told, and ends with three after once.
const COUNTS: &str = r#"n=0; trap "n=\$((n+1)); echo told" INT; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; exit $((n+2))"#;

#[test]
fn a_terminals_key_reaches_the_command_wherever_it_is() {
    for before in [&[] as &[&str], &["setsid"]] {
        let Some(ended) = key(&[before, &["sh", "-c", COUNTS]].concat()) else { return };
        assert_eq!(ended.code, Some(3), "once: {before:?}: {ended:?}");
        assert_eq!(ended.stdout.matches("told").count(), 1, "{before:?}: {ended:?}");
    }
    // Whether `timeout` ends of it or waits for what it has started is its own business: it would
    // have waited for ten minutes.
    let Some(ended) = key(&["timeout", "600", "sh", "-c", COUNTS]) else { return };
    assert!(matches!(ended.code, Some(3 | 130)), "{ended:?}");
}
