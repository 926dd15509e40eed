//! `ward doctor`: looks at everything and says what to do.

mod database;
mod files;
mod store;

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use ward_instance::EXIT_REFUSED;
use ward_server::admin::Command;
use ward_server::{Hold, ServerError};

use crate::cli::Here;
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{DIM, GREEN, Out, PLAIN, RED, YELLOW};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Ok,
    /// Works, and wants attention.
    Warn,
    /// Wrong.
    Fail,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Warn => "warn",
            Outcome::Fail => "fail",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Outcome::Ok => GREEN,
            Outcome::Warn => YELLOW,
            Outcome::Fail => RED,
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do; empty when it is well.
    pub fix: String,
}

impl Check {
    /// Well.
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Check { name, outcome: Outcome::Ok, found: found.into(), fix: String::new() }
    }

    /// Wants attention.
    pub fn warn(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { name, outcome: Outcome::Warn, found: found.into(), fix: fix.into() }
    }

    /// Wrong.
    pub fn fail(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { name, outcome: Outcome::Fail, found: found.into(), fix: fix.into() }
    }
}

/// `ward doctor`.
pub async fn run(here: Here, out: Out) -> Done {
    let bar = out.progress("looking at everything");
    let checks = look(&here).await;
    bar.finish_and_clear();
    let checks = checks?;
    let failed = checks.iter().filter(|check| check.outcome == Outcome::Fail).count();
    out.answer(&as_json(&checks, failed), || human(&checks));
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::said_no(format!(
            "{failed} of {} checks failed; each says what to do",
            checks.len()
        )))
    }
}

async fn look(here: &Here) -> Done<Vec<Check>> {
    if !here.dir.join("root.key").exists() {
        return Err(Failure::usage(format!(
            "{} holds no instance; make one with ward init",
            here.dir.display()
        )));
    }
    let mut checks = files::checks(&here.dir);
    let (opened, lock) = match connect::open(here, Hold::Exclusive, "doctor").await {
        Err(error) if connect::is_busy(&error) => {
            let lock = busy(here, &error).await;
            (connect::open(here, Hold::Beside, "doctor").await, lock)
        }
        other => (other, Check::ok("lock", "free")),
    };
    checks.push(lock);
    match opened {
        Ok(opened) => {
            checks.push(Check::ok(
                "agreement",
                format!(
                    "command line, key file and certificate all say {} {}",
                    opened.instance.kind(),
                    opened.instance.tag()
                ),
            ));
            checks.extend(files::settings(&opened));
            checks.push(store::check(&opened).await);
            checks.extend(database::checks(&opened).await);
            connect::close(opened).await?;
        }
        Err(error) => checks.push(disagreement(&error)),
    }
    Ok(checks)
}

async fn busy(here: &Here, error: &ServerError) -> Check {
    match connect::ask(&here.dir, &Command::Status).await {
        Ok(Some(_)) => Check::ok("lock", "a server holds it and answers"),
        Err(refused) if refused.code == EXIT_REFUSED => wrong(
            "lock",
            &refused.sentence,
            "commands can't reach the server until this is put right",
        ),
        _ => {
            Check::warn("lock", error.to_string(), "wait for that process, or stop it if it hangs")
        }
    }
}

fn disagreement(error: &ServerError) -> Check {
    let fix = "the instance can't be opened until this is put right";
    wrong("agreement", &error.to_string(), fix)
}

/// A refusal, which may have its own fix behind it.
fn wrong(name: &'static str, text: &str, otherwise: &str) -> Check {
    let (found, fix) = text.split_once("; fix: ").unwrap_or((text, otherwise));
    Check::fail(name, found, fix)
}

fn as_json(checks: &[Check], failed: usize) -> Json {
    let listed = |check: &Check| json!({"check": check.name, "outcome": check.outcome.as_str(), "found": check.found, "fix": (!check.fix.is_empty()).then_some(&check.fix)});
    json!({"well": failed == 0, "checks": checks.iter().map(listed).collect::<Vec<_>>()})
}

fn human(checks: &[Check]) -> String {
    checks.iter().fold(String::new(), |mut text, check| {
        let (colour, word) = (check.outcome.colour(), check.outcome.as_str());
        let _ = writeln!(text, "{colour}{word:<4}{PLAIN}  {:<10}  {}", check.name, check.found);
        if !check.fix.is_empty() {
            let _ = writeln!(text, "                  {DIM}do:{PLAIN} {}", check.fix);
        }
        text
    })
}
