//! What a test binary leaves behind is removed however it ends.
//!
//! Instances that several tests share live in statics, which are never dropped, and a panic or
//! Ctrl-C drops nothing. So a shell holds the list of processes and directories, and removes them
//! when the pipe from this process closes.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

const SCRIPT: &str = r#"
pids=" "
dirs=""
while read -r verb what; do
  case "$verb" in
    pid) pids="$pids$what " ;;
    gone) pids=$(printf %s "$pids" | sed "s/ $what / /") ;;
    dir) dirs="$dirs $what" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
for dir in $dirs; do rm -rf "$dir"; done
"#;

static JANITOR: LazyLock<Mutex<Child>> = LazyLock::new(|| {
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT]).stdin(Stdio::piped());
    // Not the test's own output: who reads it would wait for the shell.
    shell.stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C must not reach it before it has cleaned up.
    shell.process_group(0);
    Mutex::new(shell.spawn().unwrap())
});

fn say(line: &str) {
    let mut janitor = JANITOR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pipe) = &mut janitor.stdin {
        writeln!(pipe, "{line}").unwrap();
    }
}

/// The process is to be killed at the end.
pub fn started(pid: u32) {
    say(&format!("pid {pid}"));
}

/// The process has ended; its number may be another's soon. Said before it is waited for.
pub fn ended(pid: u32) {
    say(&format!("gone {pid}"));
}

/// The directory is to be removed at the end.
pub fn directory(path: &Path) {
    say(&format!("dir {}", path.display()));
}
