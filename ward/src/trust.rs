//! `ward trust`: what Ward promises of security and reliability, by number, and
//! what the last test run found of each. The list is part of the program; the
//! record of a run is written by the test command and published with a release.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::cli::TrustArgs;
use crate::failure::{Done, Failure};
use crate::output::{BOLD, DIM, GREEN, Out, PLAIN, RED, YELLOW};

/// `id | promise | proofs | what is not done yet`.
const PROMISES: &str = include_str!("../../tests/trust.txt");

/// A promise of the list.
struct Promise {
    id: &'static str,
    text: &'static str,
    is_begun: bool,
    gap: &'static str,
}

/// A run's record.
#[derive(Deserialize)]
struct Record {
    commit: String,
    at: String,
    run: String,
    seed: Option<String>,
    judged: Vec<Judged>,
}

/// What the run found of one promise.
#[derive(Deserialize)]
struct Judged {
    id: String,
    tests: usize,
    failed: Vec<String>,
    missing: Vec<String>,
    figures: Vec<String>,
}

/// What is known of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Holds,
    HoldsInPart,
    Fails,
    NotRun,
    NotBuilt,
}

impl Standing {
    fn of(promise: &Promise, judged: Option<&Judged>) -> Self {
        match judged {
            _ if !promise.is_begun => Standing::NotBuilt,
            Some(judged) if !judged.failed.is_empty() => Standing::Fails,
            Some(judged) if judged.tests > 0 && judged.missing.is_empty() => {
                if promise.gap.is_empty() { Standing::Holds } else { Standing::HoldsInPart }
            }
            _ => Standing::NotRun,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Standing::Holds => "holds",
            Standing::HoldsInPart => "in part",
            Standing::Fails => "fails",
            Standing::NotRun => "not run",
            Standing::NotBuilt => "not built",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Standing::Holds => GREEN,
            Standing::Fails => RED,
            Standing::HoldsInPart | Standing::NotRun | Standing::NotBuilt => YELLOW,
        }
    }
}

/// `ward trust`.
pub fn run(args: &TrustArgs, out: Out) -> Done {
    let record = read(&args.record)?;
    let judged = |promise: &Promise| {
        record.as_ref().and_then(|it| it.judged.iter().find(|judged| judged.id == promise.id))
    };
    let rows: Vec<(Promise, Standing, Option<&Judged>)> = promises()
        .map(|promise| {
            let found = judged(&promise);
            let standing = Standing::of(&promise, found);
            (promise, standing, found)
        })
        .collect();
    let items: Vec<Json> = rows
        .iter()
        .map(|(promise, standing, found)| {
            json!({
                "id": promise.id,
                "result": standing.word(),
                "promise": promise.text,
                "tests": found.map_or(0, |it| it.tests),
                "failed": found.map(|it| &it.failed),
                "figures": found.map(|it| &it.figures),
                "not_done": promise.gap,
            })
        })
        .collect();
    let run = record
        .as_ref()
        .map(|it| json!({ "commit": it.commit, "at": it.at, "run": it.run, "seed": it.seed }));
    out.answer(&json!({ "run": run, "promises": items }), || human(&rows, record.as_ref()));
    if record.is_none() {
        return Err(Failure::said_no(format!(
            "there is no record of a test run at {}; run make test, or name one with --record",
            args.record.display()
        )));
    }
    let is_bad = |standing: Standing| matches!(standing, Standing::Fails | Standing::NotRun);
    match rows.iter().any(|(_, standing, _)| is_bad(*standing)) {
        true => Err(Failure::no()),
        false => Ok(()),
    }
}

fn promises() -> impl Iterator<Item = Promise> {
    let lines = PROMISES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, text, proofs, gap] = columns[..] else { return None };
        Some(Promise { id, text, is_begun: !proofs.is_empty(), gap })
    })
}

fn read(file: &Path) -> Done<Option<Record>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Failure::unavailable(format!("{}: {error}", file.display())));
        }
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Failure::usage(format!("{} is not the record of a test run: {error}", file.display()))
    })
}

fn human(rows: &[(Promise, Standing, Option<&Judged>)], record: Option<&Record>) -> String {
    let mut text = String::new();
    for (promise, standing, found) in rows {
        let (colour, word) = (standing.colour(), standing.word());
        let tests = found.map_or(0, |it| it.tests);
        let _ = writeln!(
            text,
            "{BOLD}{:<7}{PLAIN} {colour}{word:<9}{PLAIN} {tests:>4} tests  {}",
            promise.id, promise.text
        );
        let mut note = |what: &str, words: &str| {
            let _ = writeln!(text, "{:<30}{DIM}{what}{words}{PLAIN}", "");
        };
        for figure in found.iter().flat_map(|it| &it.figures) {
            note("", figure);
        }
        for failed in found.iter().flat_map(|it| &it.failed) {
            note("failed: ", failed);
        }
        if !promise.gap.is_empty() {
            note("not done: ", promise.gap);
        }
    }
    if let Some(record) = record {
        let seed = record.seed.as_deref().unwrap_or("the commit's");
        let _ = writeln!(
            text,
            "\nmake {} at {}, commit {}, seed: {seed}",
            record.run, record.at, record.commit
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(tests: usize, failed: &[&str], missing: &[&str]) -> Judged {
        let owned = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
        Judged {
            id: "SEC-01".to_owned(),
            tests,
            failed: owned(failed),
            missing: owned(missing),
            figures: Vec::new(),
        }
    }

    #[test]
    fn a_promise_holds_only_when_all_its_proofs_ran_and_passed() {
        let promise = |is_begun, gap| Promise { id: "SEC-01", text: "", is_begun, gap };
        let whole = promise(true, "");
        assert_eq!(Standing::of(&whole, Some(&judged(2, &[], &[]))), Standing::Holds);
        assert_eq!(Standing::of(&whole, Some(&judged(2, &["x"], &[]))), Standing::Fails);
        assert_eq!(Standing::of(&whole, Some(&judged(2, &[], &["y"]))), Standing::NotRun);
        assert_eq!(Standing::of(&whole, Some(&judged(0, &[], &[]))), Standing::NotRun);
        assert_eq!(Standing::of(&whole, None), Standing::NotRun);
        let part = promise(true, "more");
        assert_eq!(Standing::of(&part, Some(&judged(2, &[], &[]))), Standing::HoldsInPart);
        assert_eq!(Standing::of(&promise(false, "all"), None), Standing::NotBuilt);
    }

    #[test]
    fn every_line_of_the_list_is_a_promise() {
        let lines = PROMISES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(promises().count(), lines.count());
        assert!(promises().count() >= 40);
    }
}
