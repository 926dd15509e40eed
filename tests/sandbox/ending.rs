//! How a run ends, and what it leaves: the command's status, and nothing.

use std::process::Stdio;

use rustix::process::{Pid, Signal};
use ward_tests::program::{self, ward_with};
use ward_tests::{janitor, until};

use crate::running::{Running, is_alive, keepers, never_made, numbers, run, stopped_maker};

/// Something in the background that left the command's group and session. It holds nothing of the
/// command's, so who waits for the end of its output does not wait for these.
pub const STRAYS: &str = "sleep 600 >/dev/null 2>&1 & echo $!
setsid sleep 600 >/dev/null 2>&1 & echo $!
(setsid sleep 600 >/dev/null 2>&1 & echo $!)";

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
fn a_process_whose_name_is_no_text_is_ended() {
    let script = "printf '\\377' >/proc/self/comm; sleep 600 & echo $! >\"$0\"; wait";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("below");
    let strays = format!(
        "setsid sh -c '{}' {} >/dev/null 2>&1 & echo $!",
        script.replace('\'', "'\\''"),
        file.display()
    );
    let running = Running::start(&["--pack", "empty"], &strays);
    let mut processes = running.processes();
    processes.extend(until("it has a child", || {
        let below = numbers(std::fs::read_to_string(&file).ok()?.lines());
        (!below.is_empty()).then_some(below)
    }));
    let name = std::fs::read(format!("/proc/{}/comm", processes[0].as_raw_nonzero())).unwrap();
    assert_eq!((name.as_slice(), processes.len()), (b"\xff\n".as_slice(), 2));
    assert_eq!(running.go_on("exit 0").code, Some(0));
    assert!(processes.iter().all(|it| !is_alive(*it)));
}

#[test]
fn what_the_run_did_not_start_is_left_alone() {
    let script = "sh -c 'sleep 600 & wait' >/dev/null 2>&1 & echo $!\nexec \"$0\" \"$@\"";
    let ward = program::command();
    let mut shell = std::process::Command::new("sh");
    program::without_variables(&mut shell);
    shell.args(["-c", script]).arg(ward.get_program());
    let ended = program::finish({
        shell.args(["sandbox", "run", "--pack", "empty", "--", "true"]);
        shell
    });
    let others = numbers(ended.stdout.lines());
    assert_eq!((ended.code, others.len()), (Some(0), 1), "{ended:?}");
    assert!(is_alive(others[0]));
    let below = format!("/proc/{0}/task/{0}/children", others[0].as_raw_nonzero());
    let below = numbers(std::fs::read_to_string(below).unwrap().split(' '));
    assert_eq!(below.len(), 1);
    for process in others.into_iter().chain(below) {
        rustix::process::kill_process(process, Signal::KILL).unwrap();
    }
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
fn what_was_left_in_the_other_place_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join(format!("ward-sandboxes-{}", rustix::process::getuid().as_raw()));
    let left = home.join("run-abcdef");
    std::fs::create_dir_all(&left).unwrap();
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    std::fs::write(left.join("run.lock"), "").unwrap();
    std::fs::write(left.join("ward.db"), "rows").unwrap();
    let mut next = program::command();
    next.args(["sandbox", "run", "--pack", "empty", "--", "true"]);
    program::finish({
        next.env("TMPDIR", folder.path());
        next
    })
    .ok();
    assert!(!left.exists());
}

#[test]
fn a_keeper_deletes_a_runs_directory_only() {
    let folder = tempfile::tempdir().unwrap();
    let own = format!("ward-sandboxes-{}", rustix::process::getuid().as_raw());
    let kept = |place: &str, name: &str, files: &[&str], mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = folder.path().join(place).join(name);
        std::fs::create_dir_all(&dir).unwrap();
        for path in [dir.as_path(), dir.parent().unwrap()] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        for file in files {
            std::fs::write(dir.join(file), "mine").unwrap();
        }
        let mut keeper = program::command();
        keeper.args(["sandbox", "keeper", "--group", "0", "--dir"]).arg(&dir).args(["--", "true"]);
        program::finish(keeper).ok();
        let kept = dir.exists();
        let _ = std::fs::remove_dir_all(&dir);
        kept
    };
    assert!(kept("elsewhere", "run-abcdef", &["run.lock"], 0o700), "in another place");
    assert!(kept(&own, "photographs", &["run.lock"], 0o700), "of another name");
    assert!(kept(&own, "run-abcdef", &["letter.txt"], 0o700), "without a lock");
    assert!(kept(&own, "run-abcdef", &["run.lock"], 0o755), "open to others");
    assert!(!kept(&own, "run-abcdef", &["run.lock", "ward.db"], 0o700), "what a run left");
}

/// Folders that are no run's, and one of a run whose process this is not.
#[test]
fn a_maker_makes_in_the_directory_of_its_run_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let own = format!("ward-sandboxes-{}", rustix::process::getuid().as_raw());
    let (me, another) = (std::process::id().to_string(), "1".to_owned());
    let made = |place: &str, name: &str, parent: &str| {
        let dir = folder.path().join(place).join(name);
        std::fs::create_dir_all(&dir).unwrap();
        for path in [dir.as_path(), dir.parent().unwrap()] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        std::fs::write(dir.join("run.lock"), "").unwrap();
        let mut maker = program::command();
        maker.args(["sandbox", "maker", "--base-url", "http://127.0.0.1:1", "--seed", "1"]);
        maker.args(["--pack", "empty", "--parent", parent, "--dir"]).arg(&dir);
        let ended = program::finish(maker);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let files = std::fs::read_dir(&dir).unwrap().count();
        assert_eq!(ended.stdout.is_empty(), files == 1, "{ended:?}");
        let _ = std::fs::remove_dir_all(&dir);
        files > 1
    };
    assert!(!made("elsewhere", "run-abcdef", &me), "in another place");
    assert!(!made(&own, "photographs", &me), "of another name");
    assert!(!made(&own, "run-abcdef", &another), "of another's run");
    assert!(made(&own, "run-abcdef", &me), "its own");
}

#[test]
fn what_the_maker_refuses_is_the_runs_refusal() {
    let level = [("WARD_SANDBOX_LOG_LEVEL", "loud")];
    let ended = ward_with(["sandbox", "run", "--pack", "empty", "--", "true"], &level);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("the log level is one of"), "{ended:?}");
}

#[test]
fn a_run_that_is_ended_while_its_sandbox_is_made_leaves_nothing() {
    for (signal, code) in [(Signal::TERM, Some(143)), (Signal::KILL, None)] {
        let mut command = program::command();
        command.args(["sandbox", "run", "--", "true"]).stdin(Stdio::null()).stderr(Stdio::null());
        let _pipe = never_made(&mut command);
        let mut run = command.spawn().unwrap();
        janitor::started(run.id());
        let (maker, dir) = stopped_maker(&run);
        assert!(dir.exists());
        let id = Pid::from_raw(run.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
        let status = until("the run has ended", || run.try_wait().unwrap());
        janitor::ended(run.id());
        assert_eq!(status.code(), code);
        until("its maker is gone", || (!is_alive(maker)).then_some(()));
        until("its directory is gone", || (!dir.exists()).then_some(()));
        until("its keeper is gone", || keepers(&dir).is_empty().then_some(()));
    }
}

#[test]
fn a_time_that_is_over_ends_the_command() {
    let deaf = format!("trap '' TERM\n{STRAYS}\nwhile :; do sleep 1; done");
    for (script, strays) in [("sleep 600", 0), (deaf.as_str(), 3)] {
        let ended = run(&["--pack", "empty", "--ttl", "1s"], &["sh", "-c", script]);
        assert_eq!(ended.code, Some(124), "{script}: {ended:?}");
        let processes = numbers(ended.stdout.lines());
        assert_eq!(processes.len(), strays, "{ended:?}");
        assert!(processes.iter().all(|it| !is_alive(*it)), "{script}");
    }
    for long in ["PT10M", "3d", "P1D"] {
        let ended = run(&["--pack", "empty", "--ttl", long], &["true"]);
        assert_eq!(ended.code, Some(0), "{long}: {ended:?}");
    }
    for wrong in ["0s", "-5s", "P1M", "soon", ""] {
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
        ("WARD_SANDBOX_DATABASE_ENV", "WARD_SANDBOX_DB"),
        ("WARD_SANDBOX_DB", "postgres://nobody@db.example/ward"),
    ];
    let ended = ward_with(["sandbox", "run", "--pack", "empty", "--", "true"], &lasting);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // What no key is called is refused, as `ward serve` refuses it.
    let unknown = [("WARD_SANDBOX_TRIPWIRE_STRIKT", "true")];
    let refused = ward_with(["sandbox", "run", "--", "echo", "ran"], &unknown);
    let line = refused.refused("ISO-05");
    assert!(line.contains(unknown[0].0) && !line.contains("live connectors"), "{line}");
    assert_eq!(refused.stdout, "");
    let connector = [("WARD_SANDBOX_SMTP_HOST", "mail.example")];
    let refused = ward_with(["sandbox", "run", "--", "true"], &connector);
    assert!(refused.refused("ISO-05").contains("live connectors"), "{refused:?}");
    let wrong = [("WARD_SANDBOX_TRIPWIRE_STRICT", "yes")];
    let refused = ward_with(["sandbox", "run", "--", "true"], &wrong);
    assert_eq!(refused.code, Some(78), "{refused:?}");
}

#[test]
fn it_behaves_as_variables_say() {
    const MAKE: &str = "mutation { createClient(input: {first_name: \"A\", last_name: \"B\", \
        email: \"a@client.example\", phone_number: \"415-867-5309\"}) { user { id } } }";
    for (value, code) in [("true", "REAL_DATA_IN_SANDBOX"), ("false", "")] {
        let variables = [("WARD_SANDBOX_TRIPWIRE_STRICT", value)];
        let mut running = Running::with(&variables, &["--pack", "empty"], ":");
        let reply = running.owner().ask(MAKE, ward_tests::json!({}));
        assert_eq!(reply.code(), code, "{value}: {}", reply.text);
        running.end();
    }
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
