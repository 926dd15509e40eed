//! `cargo xtask test`: the whole test run, with a PostgreSQL beside it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::browser;
use crate::postgres::{ADDRESS, Postgres};
use crate::trust;

/// What the run is asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Longer runs of the randomised tests (`WARD_SOAK=1` for them).
    pub soak: bool,
    /// Arguments for nextest or cargo test.
    pub arguments: Vec<String>,
}

/// Runs all tests of the workspace; answers the exit code of the run.
///
/// A server whose address stands in `WARD_TEST_POSTGRES` is used as it is. Where none can be had
/// this says so, and fails if `WARD_REQUIRE_ALL=1`.
pub fn run(repository: &Path, options: &Options) -> Result<i32> {
    let mut command = test_command(repository, &options.arguments);
    command.current_dir(repository);
    if options.soak {
        command.env("WARD_SOAK", "1");
    }
    let given = std::env::var(ADDRESS).ok().filter(|address| !address.is_empty());
    let mut server = None;
    let mut missing = false;
    if given.is_none() {
        match Postgres::start(repository, is_set("WARD_PG_DURABLE")) {
            Ok(started) => {
                command.env(ADDRESS, &started.address);
                server = Some(started);
            }
            Err(error) => {
                missing = true;
                command.env_remove(ADDRESS);
                not_run("PostgreSQL", &format!("{error:#}"));
                if is_set("WARD_REQUIRE_ALL") {
                    return Ok(1);
                }
            }
        }
    }
    match browser::find() {
        Ok(found) => drop(command.env(browser::BROWSER, found)),
        Err(error) => {
            not_run("the browser", &format!("{error:#}"));
            if is_set("WARD_REQUIRE_ALL") {
                return Ok(1);
            }
        }
    }
    let status = command.status().context("the test command did not start")?;
    drop(server);
    if missing {
        // Again at the end, where it is read.
        not_run("PostgreSQL", "see above");
    }
    let mut code = status.code().unwrap_or(1);
    if options.arguments.is_empty() {
        for sentence in trust::record(repository, options.soak)? {
            println!("{}: {sentence}", trust::PROMISES);
            code = code.max(1);
        }
    }
    Ok(code)
}

fn not_run(what: &str, why: &str) {
    println!("NOT RUN: {what}: {why}");
}

fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| value == "1")
}

/// nextest where it is installed, else cargo's own runner without documentation tests. The whole
/// workspace, unless the arguments choose packages.
fn test_command(repository: &Path, arguments: &[String]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let nextest = Command::new(&cargo)
        .args(["nextest", "--version"])
        .current_dir(repository)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut command = Command::new(cargo);
    let run: &[&str] = if nextest { &["nextest", "run", "--profile", "record"] } else { &["test"] };
    command.args(run);
    if !arguments.iter().any(|it| it.starts_with("-p") || it.starts_with("--package")) {
        command.arg("--workspace");
    }
    if !nextest {
        command.args(["--lib", "--bins", "--tests"]);
    }
    if !arguments.iter().any(|it| it.ends_with("fail-fast")) {
        // One failure must not hide the others.
        command.arg("--no-fail-fast");
    }
    command.args(arguments);
    command
}
