//! The explorer page in a real browser, against a Sandbox and a Production: what
//! `web/explorer/test/explorer.mjs` checks, on pages that the binary itself serves.
//!
//! It needs Node.js, the page's build (`npm ci && npm run build` in `web/explorer`) and a Chromium,
//! whose path is in `WARD_TEST_CHROMIUM`; without one of them it says NOT RUN, and fails if
//! `WARD_REQUIRE_ALL=1`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ward_tests::{Engine, Instance, Kind, program, tell};

/// The folder of the page.
fn explorer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/explorer")
}

/// The browser's path, or what is missing.
fn browser() -> Result<OsString, &'static str> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Err("there is no node");
    }
    if !explorer().join("dist/index.html").is_file() {
        return Err("web/explorer/dist is not built");
    }
    if !explorer().join("node_modules/playwright-core").is_dir() {
        return Err("web/explorer/node_modules is not installed");
    }
    let given = std::env::var_os("WARD_TEST_CHROMIUM").filter(|path| Path::new(path).is_file());
    given.ok_or("WARD_TEST_CHROMIUM names no browser")
}

#[test]
fn iso_17_the_explorer_in_a_browser() {
    let browser = match browser() {
        Ok(browser) => browser,
        Err(missing) => {
            let required = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "the explorer: {missing}, and WARD_REQUIRE_ALL=1");
            println!("NOT RUN: the explorer in a browser: {missing}");
            return;
        }
    };
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        if kind == Kind::Sandbox {
            drop(instance.sandbox("seed", &["--seed", "7"]).ok());
        }
        let key = instance.owner_key();
        let server = instance.serve();
        let page = server.api().header("Accept", "text/html").get("/graphql");
        assert!(
            page.text.contains("/graphql/assets/"),
            "the binary was built without the page: {}",
            page.text
        );
        let mut command = Command::new("node");
        command.current_dir(explorer()).arg("test/explorer.mjs");
        command.arg("--url").arg(format!("http://127.0.0.1:{}", server.port));
        command.args(["--environment", kind.word(), "--tag", &instance.tag]);
        command.env("WARD_API_KEY", &key).env("CHROMIUM", &browser).stdin(Stdio::null());
        let output = program::finish(command);
        let checks = output.stdout.lines().filter(|line| line.starts_with("ok ")).count();
        tell("explorer", format_args!("{}: {checks} checks hold", kind.title()));
        let all = format!("{}{}", output.stdout, output.stderr);
        assert_eq!(output.code, Some(0), "{}:\n{all}", kind.title());
        assert!(!output.stdout.contains("FAIL") && checks >= 15, "{}:\n{all}", kind.title());
    }
}
