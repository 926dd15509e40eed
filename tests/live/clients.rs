//! Clients that nobody has changed: what `tests/clients/sockets` checks with `@rails/actioncable`
//! and `graphql-ws`. It needs Node.js and `npm ci` there; without, it says NOT RUN, and fails if
//! `WARD_REQUIRE_ALL=1`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ward_tests::{Engine, program, tell};

use crate::practice::Practice;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/sockets")
}

fn missing() -> Option<&'static str> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Some("there is no node");
    }
    (!folder().join("node_modules/graphql-ws").is_dir()).then_some("npm ci was not run")
}

#[test]
fn unmodified_clients() {
    if let Some(missing) = missing() {
        let required = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "tests/clients/sockets: {missing}, and WARD_REQUIRE_ALL=1");
        println!("NOT RUN: unmodified clients: {missing}");
        return;
    }
    for engine in Engine::available("unmodified clients") {
        let practice = Practice::open(engine, &[]);
        let mut command = Command::new("node");
        command.current_dir(folder()).args(["sockets.mjs", "--port"]);
        command.arg(practice.server.port.to_string());
        command.env("WARD_API_KEY", &practice.key).stdin(Stdio::null());
        let output = program::finish(command);
        let checks = output.stdout.lines().filter(|line| line.starts_with("ok ")).count();
        tell("unmodified clients", format_args!("{engine:?}: {checks} checks hold"));
        let all = format!("{}{}", output.stdout, output.stderr);
        assert_eq!(output.code, Some(0), "{all}");
        assert!(!output.stdout.contains("FAIL") && checks >= 18, "{checks} checks:\n{all}");
    }
}
