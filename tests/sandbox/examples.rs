//! The examples, run as their readers run them. They need Node.js; without, this says NOT RUN, and
//! fails if `WARD_REQUIRE_ALL=1`.

use std::path::Path;
use std::process::{Command, Stdio};

use ward_tests::{Output, program, tell};

#[test]
fn node() {
    let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).status();
    if !npm.is_ok_and(|status| status.success()) {
        tell("examples", "NOT RUN: there is no npm");
        assert_ne!(std::env::var("WARD_REQUIRE_ALL").as_deref(), Ok("1"), "npm is required");
        return;
    }
    let ward = Path::new(program::command().get_program()).to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/node");
    let mut command = Command::new("npm");
    command.arg("test").current_dir(folder).stdin(Stdio::null());
    program::without_variables(&mut command);
    command.env("PATH", format!("{}:{path}", ward.parent().unwrap().display()));
    command.env("npm_config_update_notifier", "false").env("NO_COLOR", "1");
    let Output { stdout, stderr, .. } = program::finish(command).ok();
    for line in ["pass 5", "fail 0", "skipped 0"] {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
    assert!(stderr.contains("unexpected errors  none"), "{stderr}");
    tell("examples", "5 tests of Node.js passed against a Sandbox of their own");
}
