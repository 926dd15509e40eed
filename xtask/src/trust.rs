//! Which of the promises in `tests/trust.txt` a test run has proved: the record that
//! `ward trust` shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Serialize;

/// Where the promises stand.
pub const PROMISES: &str = "tests/trust.txt";
/// Where a run's record is written.
pub const RECORD: &str = "target/trust.json";
/// Where the test runner leaves what became of each test.
const JUNIT: &str = "target/nextest/record/junit.xml";

/// One line of the list: `id | promise | proof; proof | what is not done yet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// `SEC-01`.
    pub id: String,
    /// Beginnings of `binary test`, each of which must name a test.
    pub proofs: Vec<String>,
}

/// Reads the list.
pub fn promises(text: &str) -> Result<Vec<Promise>> {
    let mut promises: Vec<Promise> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, promise, proofs, gap] = columns[..] else {
            bail!("{PROMISES}: not `id | promise | proofs | gap`: {line}");
        };
        if promise.is_empty() || (proofs.is_empty() && gap.is_empty()) {
            bail!("{PROMISES}: {id} needs a promise, and a proof or what is missing");
        }
        if promises.iter().any(|known| known.id == id) {
            bail!("{PROMISES}: {id} is there twice");
        }
        let proofs = proofs.split(';').map(str::trim).filter(|proof| !proof.is_empty());
        promises.push(Promise { id: id.to_owned(), proofs: proofs.map(str::to_owned).collect() });
    }
    Ok(promises)
}

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Binary and name, with a space between.
    pub test: String,
    /// Whether it passed.
    pub passed: bool,
    /// What it printed.
    pub output: String,
}

/// Reads the runner's report.
pub fn outcomes(junit: &str) -> Result<Vec<Outcome>> {
    let report = quick_junit::Report::deserialize_from_str(junit).context("the runner's report")?;
    let mut outcomes = Vec::new();
    for suite in &report.test_suites {
        for case in &suite.test_cases {
            let output = case.system_out.as_ref().map(|text| text.as_str()).unwrap_or_default();
            outcomes.push(Outcome {
                test: format!("{} {}", suite.name.as_str(), case.name.as_str()),
                passed: matches!(case.status, quick_junit::TestCaseStatus::Success { .. }),
                output: output.to_owned(),
            });
        }
    }
    Ok(outcomes)
}

/// What a run says of one promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// `SEC-01`.
    pub id: String,
    /// Tests that ran for it.
    pub tests: usize,
    /// Those that failed.
    pub failed: Vec<String>,
    /// Proofs that named no test of the run.
    pub missing: Vec<String>,
    /// What the tests told.
    pub figures: Vec<String>,
}

/// Judges every promise by a run.
pub fn judge(promises: &[Promise], outcomes: &[Outcome]) -> Vec<Judged> {
    promises.iter().map(|promise| judge_one(promise, outcomes)).collect()
}

fn judge_one(promise: &Promise, outcomes: &[Outcome]) -> Judged {
    let mut ran: BTreeMap<&str, &Outcome> = BTreeMap::new();
    let mut missing = Vec::new();
    for proof in &promise.proofs {
        let named: Vec<&Outcome> =
            outcomes.iter().filter(|it| it.test.starts_with(proof.as_str())).collect();
        if named.is_empty() {
            missing.push(proof.clone());
        }
        ran.extend(named.into_iter().map(|outcome| (outcome.test.as_str(), outcome)));
    }
    // A test tells a figure of a promise as `SEC-01: what`.
    let mark = format!("{}: ", promise.id);
    let lines = ran.values().flat_map(|outcome| outcome.output.lines());
    let figures: BTreeSet<&str> = lines.filter_map(|line| line.strip_prefix(&mark)).collect();
    Judged {
        id: promise.id.clone(),
        tests: ran.len(),
        failed: ran.values().filter(|it| !it.passed).map(|it| it.test.clone()).collect(),
        missing,
        figures: figures.into_iter().map(str::to_owned).collect(),
    }
}

/// A run's record.
#[derive(Debug, Serialize)]
struct Record {
    /// The commit, with `+` when the work tree differed from it.
    commit: String,
    /// When, RFC 3339.
    at: String,
    /// `test` or `soak`.
    run: &'static str,
    /// What random tests were seeded with; those without print theirs.
    seed: Option<String>,
    judged: Vec<Judged>,
}

/// Writes the record of the run that has just ended; a sentence for each proof that names no
/// test, which in a run of everything is a mistake in the list.
pub fn record(repository: &Path, is_soak: bool) -> Result<Vec<String>> {
    let file = repository.join(JUNIT);
    if !file.exists() {
        println!("No trust record: it needs cargo-nextest.");
        return Ok(Vec::new());
    }
    let list = std::fs::read_to_string(repository.join(PROMISES)).context(PROMISES)?;
    let outcomes = outcomes(&std::fs::read_to_string(&file).context(JUNIT)?)?;
    let judged = judge(&promises(&list)?, &outcomes);
    let wrong = judged
        .iter()
        .flat_map(|it| it.missing.iter().map(|proof| format!("{}: no test is `{proof}…`", it.id)))
        .collect();
    let record = Record {
        commit: commit(repository),
        at: now(),
        run: if is_soak { "soak" } else { "test" },
        seed: std::env::var("WARD_MATRIX_SEED").ok(),
        judged,
    };
    let text = serde_json::to_string_pretty(&record)?;
    std::fs::write(repository.join(RECORD), text).context(RECORD)?;
    Ok(wrong)
}

fn commit(repository: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(repository).output();
        let output = output.ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let is_clean = git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
    if is_clean { head } else { format!("{head}+") }
}

fn now() -> String {
    let output = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output();
    output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# a comment\n\
        SEC-01 | everything | ward-tests::authorization; ward-identity::it visibility:: |\n\
        SEC-02 | tenants | ward-tests::nothing | later\n\
        SEC-03 | flags | | nobody has begun\n";

    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="run" tests="2" failures="1" errors="0">
  <testsuite name="ward-tests::authorization" tests="1" disabled="0" errors="0" failures="0">
    <testcase name="every_root_field" classname="ward-tests::authorization">
      <system-out>running 1 test
SEC-01: 41 root fields
</system-out>
    </testcase>
  </testsuite>
  <testsuite name="ward-identity::it" tests="1" disabled="0" errors="0" failures="1">
    <testcase name="visibility::a" classname="ward-identity::it">
      <failure type="test failure">no</failure>
    </testcase>
  </testsuite>
</testsuites>"#;

    #[test]
    fn a_run_proves_refutes_or_does_not_know_a_promise() {
        let judged = judge(&promises(LIST).unwrap(), &outcomes(REPORT).unwrap());
        assert_eq!(judged[0].tests, 2);
        assert_eq!(judged[0].failed, ["ward-identity::it visibility::a"]);
        assert_eq!(judged[0].figures, ["41 root fields"]);
        assert!(judged[0].missing.is_empty());
        assert_eq!(
            (judged[1].tests, &judged[1].missing[..]),
            (0, &["ward-tests::nothing".to_owned()][..])
        );
        assert_eq!(judged[2].tests, 0);
    }

    #[test]
    fn a_line_says_all_four_things_once() {
        assert!(promises("SEC-01 | x | y").is_err());
        assert!(promises("SEC-01 | x | |").is_err());
        assert!(promises("SEC-01 | x | y |\nSEC-01 | x | y |").is_err());
    }
}
