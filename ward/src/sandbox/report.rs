//! What a run tells in the end: in words on standard error, and as JSON and JUnit's XML in files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value as Json, json};
use ward_server::passing::Happened;
use ward_server::tally::Asked;

use crate::cli::RunArgs;
use crate::failure::{Done, Failure};
use crate::output::{BOLD, DIM, GREEN, Out, PLAIN, RED, YELLOW};

/// Operations that the words name; the files have all.
const NAMED: usize = 12;
/// Where failures are that have no operation.
const ELSEWHERE: &str = "other requests";

/// A run that has ended.
pub struct Report<'a> {
    /// The Sandbox's tag.
    pub instance: String,
    /// What was asked for.
    pub args: &'a RunArgs,
    /// The exit status.
    pub status: i32,
    /// From the start until the command began.
    pub ready: Duration,
    /// From the start to the end.
    pub took: Duration,
    /// What happened in the Sandbox.
    pub happened: Happened,
}

impl Report<'_> {
    /// Tells it on standard error: standard output is the command's.
    pub fn say(&self, out: Out) {
        match out.json {
            true => out.say(self.json()),
            false => out.say(self.words()),
        }
    }

    /// Writes the files that are wanted.
    pub fn write(&self) -> Done {
        let json = self.args.wanted.json_file().map(|path| {
            write(path, &serde_json::to_string_pretty(&self.json()).unwrap_or_default())
        });
        let junit = self
            .args
            .wanted
            .junit
            .as_ref()
            .map(|path| self.junit().and_then(|xml| write(path, &xml)));
        [json, junit].into_iter().flatten().collect()
    }

    /// The command without its arguments: these may hold secrets, and reports are kept.
    fn command(&self) -> String {
        self.args.command.first().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// What was our failure, by operation; other paths than `/graphql` have no operation.
    fn unexpected(&self) -> Vec<(String, u64)> {
        let of = self.happened.operations.iter().filter(|(_, asked)| asked.unexpected > 0);
        let mut found: Vec<_> = of.map(|(name, asked)| (name.clone(), asked.unexpected)).collect();
        found.extend(self.unexpected_elsewhere().map(|count| (ELSEWHERE.to_owned(), count)));
        found
    }

    /// What of it has no operation.
    fn unexpected_elsewhere(&self) -> Option<u64> {
        let named: u64 = self.happened.operations.iter().map(|(_, asked)| asked.unexpected).sum();
        self.happened.failed_answers.checked_sub(named).filter(|count| *count > 0)
    }

    fn json(&self) -> Json {
        let operation = |(name, asked): &(String, Asked)| json!({"operation": name, "requests": asked.requests, "refused": asked.refused, "unexpected": asked.unexpected});
        let counted = |what: &str, counts: &[(String, String, i64)]| -> Vec<Json> {
            by_name(counts)
                .into_iter()
                .map(|(name, states)| json!({what: name, "states": states}))
                .collect()
        };
        let faults: Vec<Json> = self
            .happened
            .faults
            .iter()
            .map(|(kind, faulted)| json!({"kind": kind, "answers": faulted.answers}))
            .collect();
        let unexpected = self.unexpected();
        let errors: Vec<Json> =
            unexpected.iter().map(|(at, count)| json!({"at": at, "count": count})).collect();
        json!({
            "environment": "sandbox",
            "instance": self.instance,
            "shard": self.args.shard,
            "seed": self.args.wanted.seed,
            "pack": self.args.wanted.pack.as_str(),
            "command": self.command(),
            "status": self.status,
            "ready_ms": millis(self.ready),
            "duration_ms": millis(self.took),
            "operations": self.happened.operations.iter().map(operation).collect::<Vec<_>>(),
            "effects": counted("class", &self.happened.effects),
            "webhooks": counted("event", &self.happened.webhooks),
            "faults": faults,
            "unexpected_errors": errors,
        })
    }

    fn words(&self) -> String {
        let asked = &self.happened.operations;
        let requests: u64 = asked.iter().map(|(_, asked)| asked.requests).sum();
        let colour = if self.status == 0 { GREEN } else { RED };
        let shard = self.args.shard.map_or_else(String::new, |shard| format!(" (shard {shard})"));
        let mut text = format!(
            "{BOLD}ward sandbox run{PLAIN}{shard}: {colour}status {}{PLAIN} after {:.1} s {DIM}(Sandbox {}, seed {}, pack {}; ready in {} ms){PLAIN}\n",
            self.status,
            self.took.as_secs_f64(),
            self.instance,
            self.args.wanted.seed,
            self.args.wanted.pack.as_str(),
            millis(self.ready),
        );
        let _ = writeln!(text, "  operations         {requests} requests of {}", asked.len());
        let mut most: Vec<_> = asked.iter().collect();
        most.sort_by_key(|(_, asked)| std::cmp::Reverse(asked.requests));
        for (name, asked) in most.iter().take(NAMED) {
            let refused: Vec<String> =
                asked.refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
            let refused = match refused.is_empty() {
                true => String::new(),
                false => format!("  {YELLOW}({}){PLAIN}", refused.join(", ")),
            };
            let _ = writeln!(text, "    {:>5}  {name}{refused}", asked.requests);
        }
        if most.len() > NAMED {
            let _ = writeln!(text, "           and {} more", most.len() - NAMED);
        }
        let _ = writeln!(text, "  effects            {}", in_words(&self.happened.effects));
        let _ = writeln!(text, "  webhooks           {}", in_words(&self.happened.webhooks));
        let faults = &self.happened.faults;
        let hit: u64 = faults.iter().map(|(_, faulted)| faulted.answers).sum();
        if hit > 0 {
            let kinds: Vec<String> =
                faults.iter().map(|(kind, it)| format!("{} {kind}", it.answers)).collect();
            let _ = writeln!(text, "  by faults          {hit}: {}", kinds.join(", "));
        }
        let unexpected = self.unexpected();
        let told: Vec<String> =
            unexpected.iter().map(|(at, count)| format!("{count} at {at}")).collect();
        let told = match told.is_empty() {
            true => "none".to_owned(),
            false => format!("{RED}{}{PLAIN}", told.join("; ")),
        };
        let _ = write!(text, "  unexpected errors  {told}");
        text
    }

    /// A case for the command, and one for each operation, class of effects, event and kind of fault.
    /// What fails is the command, and what was answered with a failure of the Sandbox's own.
    fn junit(&self) -> Done<String> {
        let mut suite = TestSuite::new("ward sandbox run");
        suite.set_time(self.took);
        for (name, value) in [
            ("instance", self.instance.clone()),
            ("seed", self.args.wanted.seed.to_string()),
            ("pack", self.args.wanted.pack.as_str().to_owned()),
            ("ready_ms", millis(self.ready).to_string()),
        ] {
            suite.add_property((name, value.as_str()));
        }
        let failed = (self.status != 0).then(|| format!("status {}", self.status));
        let mut command = case("command", &self.command(), failed, "");
        command.set_time(self.took);
        suite.add_test_case(command);
        for (name, asked) in &self.happened.operations {
            let failed = (asked.unexpected > 0)
                .then(|| format!("{} of {} answers failed", asked.unexpected, asked.requests));
            let refused: String =
                asked.refused.iter().map(|(code, count)| format!(", {count} {code}")).collect();
            suite.add_test_case(case(
                "operations",
                name,
                failed,
                &format!("{} requests{refused}", asked.requests),
            ));
        }
        if let Some(count) = self.unexpected_elsewhere() {
            let failed = format!("{count} answers failed");
            suite.add_test_case(case("operations", ELSEWHERE, Some(failed), ""));
        }
        for (kind, faulted) in &self.happened.faults {
            suite.add_test_case(case(
                "faults",
                kind,
                None,
                &format!("{} answers", faulted.answers),
            ));
        }
        for (of, counts) in
            [("effects", &self.happened.effects), ("webhooks", &self.happened.webhooks)]
        {
            for (name, states) in by_name(counts) {
                suite.add_test_case(case(of, &name, None, &listed(&states)));
            }
        }
        let mut report = Junit::new("ward sandbox run");
        report.set_time(self.took);
        report.add_test_suite(suite);
        report.to_string().map_err(|error| {
            Failure::unavailable(format!("the report can't be written as XML: {error}"))
        })
    }
}

fn case(of: &str, name: &str, failed: Option<String>, seen: &str) -> TestCase {
    let status = match failed {
        None => TestCaseStatus::success(),
        Some(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(why);
            status
        }
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("ward.{of}"));
    if !seen.is_empty() {
        case.set_system_out(seen);
    }
    case
}

fn by_name(counts: &[(String, String, i64)]) -> BTreeMap<String, BTreeMap<String, i64>> {
    let mut named: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (name, state, count) in counts {
        *named.entry(name.clone()).or_default().entry(state.clone()).or_default() += count;
    }
    named
}

fn listed(states: &BTreeMap<String, i64>) -> String {
    states.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

fn in_words(counts: &[(String, String, i64)]) -> String {
    let named = by_name(counts);
    let said: Vec<_> =
        named.iter().map(|(name, states)| format!("{name}: {}", listed(states))).collect();
    if said.is_empty() { "none".to_owned() } else { said.join("; ") }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Refuses files that can't be written or would be written over each other, before anything is begun.
pub fn check(json: Option<&Path>, junit: Option<&Path>) -> Done {
    let [json, junit] = [("--json", json), ("--junit", junit)]
        .map(|(option, file)| file.map(|file| place(option, file)).transpose());
    let (json, junit) = (json?, junit?);
    // What is written to a terminal or a pipe stays there.
    let is_kept = |it: &Path| it.is_file() || !it.exists();
    match json.filter(|it| junit.as_ref() == Some(it) && is_kept(it)) {
        Some(file) => Err(Failure::usage(format!(
            "--json and --junit name the same file, {}; name two",
            file.display()
        ))),
        None => Ok(()),
    }
}

/// Where a file is, its directory without links.
fn place(option: &str, file: &Path) -> Done<PathBuf> {
    let wrong = |what: String| Failure::usage(format!("{option} can't be used: {what}"));
    let name = file.file_name().filter(|_| !file.is_dir());
    let name =
        name.ok_or_else(|| wrong(format!("{} is a directory; name a file", file.display())))?;
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let real = folder.canonicalize().ok().filter(|it| it.is_dir()).ok_or_else(|| {
        wrong(format!("there is no directory {}; make it, or name another", folder.display()))
    })?;
    Ok(real.join(name))
}

/// Deletes the files that an earlier run has written, so that none of them is taken for this one's.
pub fn forget(args: &RunArgs) {
    [args.wanted.json_file(), args.wanted.junit.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|it| remove(it));
}

/// Of a terminal or a pipe nothing is deleted.
fn remove(path: &Path) {
    if std::fs::symlink_metadata(path).is_ok_and(|it| it.is_file()) {
        let _ = std::fs::remove_file(path);
    }
}

fn write(path: &Path, text: &str) -> Done {
    std::fs::write(path, text).map_err(|error| {
        // Half a report would be taken for one.
        remove(path);
        Failure::unavailable(format!("cannot write the report {}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: Option<&Path>, junit: Option<&Path>) -> String {
        let failure = check(json, junit).unwrap_err();
        assert_eq!(failure.code, 2, "{}", failure.sentence);
        failure.sentence
    }

    #[test]
    fn files_that_can_not_be_reports_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (one, two) = (at("one.json"), at("two.xml"));
        assert!(check(Some(&one), Some(&two)).is_ok());
        assert!(check(None, None).is_ok() && check(Some(Path::new("report.json")), None).is_ok());
        std::os::unix::fs::symlink(folder.path(), at("link")).unwrap();
        for same in [one.clone(), at("./one.json"), at("link/one.json")] {
            let sentence = refused(Some(&one), Some(&same));
            assert!(sentence.contains("the same file") && sentence.contains("one.json"));
        }
        let sentence = refused(None, Some(&at("none/report.xml")));
        assert!(
            sentence.starts_with("--junit can't be used: there is no directory "),
            "{sentence}"
        );
        let sentence = refused(Some(folder.path()), None);
        assert!(sentence.ends_with("is a directory; name a file"), "{sentence}");
    }
}
