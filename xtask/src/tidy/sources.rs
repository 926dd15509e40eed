//! What no committed file may say, and how long a source file may be.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::correlated;

/// Lines that a Rust file may have without being on the list.
pub const LINES: usize = 400;

/// The committed list of longer files: `path lines`, one a line.
pub const LONG_FILES: &str = "xtask/long-files.txt";

/// Bytes above which a file is not searched (no source is that large).
const SEARCHED_BYTES: u64 = 20_000_000;

/// Checks the files, named by path from the root.
pub fn check(repository: &Path, files: &[String]) -> Result<Vec<String>> {
    let list = std::fs::read_to_string(repository.join(LONG_FILES))
        .with_context(|| LONG_FILES.to_owned())?;
    let allowances = allowances(&list)?;
    let banned = Banned::new();
    let mut found = Vec::new();
    let mut lines_of = BTreeMap::new();
    for name in files {
        let path = repository.join(name);
        if std::fs::metadata(&path).map(|it| it.len()).unwrap_or(0) > SEARCHED_BYTES {
            found.push(format!("{name} is too large to be committed."));
            continue;
        }
        let bytes = std::fs::read(&path).with_context(|| name.clone())?;
        let text = String::from_utf8_lossy(&bytes);
        found.extend(banned.everywhere(name, &text));
        if name.ends_with(".rs") {
            found.extend(banned.in_rust(name, &text));
            if correlated::is_searched(name) {
                found.extend(correlated::check(name, &text));
            }
            lines_of.insert(name.as_str(), text.lines().count());
        }
    }
    found.extend(lengths(&lines_of, &allowances));
    Ok(found)
}

/// Reads the list of long files.
fn allowances(text: &str) -> Result<BTreeMap<String, usize>> {
    let mut all = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, lines)) = line.rsplit_once(' ') else {
            bail!("{LONG_FILES}: expected `path lines`, found {line:?}");
        };
        let lines = lines.parse().with_context(|| format!("{LONG_FILES}: {line:?}"))?;
        all.insert(name.trim().to_owned(), lines);
    }
    Ok(all)
}

fn lengths(lines_of: &BTreeMap<&str, usize>, allowed: &BTreeMap<String, usize>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, lines) in lines_of {
        match allowed.get(*name) {
            None if *lines > LINES => found.push(format!(
                "{name} has {lines} lines, more than {LINES}: split it, or list it in {LONG_FILES}."
            )),
            Some(most) if lines > most => found.push(format!(
                "{name} has {lines} lines, more than the {most} that {LONG_FILES} allows."
            )),
            Some(_) if *lines <= LINES => {
                found.push(format!("{name} has {lines} lines: take it off {LONG_FILES}."))
            }
            _ => {}
        }
    }
    for name in allowed.keys().filter(|name| !lines_of.contains_key(name.as_str())) {
        found.push(format!("{name} is on {LONG_FILES} but is not there."));
    }
    found
}

/// The patterns. They are put together at run time, so that this file does not contain them.
struct Banned {
    paths: Vec<String>,
    words: Vec<String>,
    macros: Vec<String>,
    sleeps: Vec<String>,
}

impl Banned {
    fn new() -> Self {
        let join = |parts: &[[&str; 2]]| parts.iter().map(|part| part.concat()).collect();
        Self {
            paths: join(&[["/wor", "k/"], ["/ro", "ot/"], ["/ho", "me/"]]),
            words: join(&[
                ["artif", "actory"],
                ["crates.io", ":443"],
                ["fa", "rm-"],
                [".lib", "rary/"],
                ["bash", "_jobs"],
            ]),
            macros: join(&[
                ["to", "do!("],
                ["unimple", "mented!("],
                ["db", "g!("],
                ["#[ig", "nore"],
            ]),
            sleeps: join(&[["thread::sl", "eep("], ["time::sl", "eep("]]),
        }
    }

    /// Paths of a build machine and names of a workplace, in any file.
    fn everywhere(&self, name: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            let path = self.paths.iter().find(|path| names_machine_path(line, path));
            let word = self.words.iter().find(|word| starts_word(line, word));
            if let Some(banned) = path.or(word) {
                found.push(format!(
                    "{name}:{number} contains `{banned}`, which is of a build machine."
                ));
            }
        }
        found
    }

    /// Leftovers, and sleeps in tests without a reason.
    fn in_rust(&self, name: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut in_tests = is_test_file(name);
        let mut before = "";
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            in_tests |= line.trim_start().starts_with("#[cfg(test)]");
            let code = line.split("//").next().unwrap_or(line);
            if let Some(left) = self.macros.iter().find(|left| code.contains(left.as_str())) {
                found.push(format!("{name}:{number} contains `{left}`: finish it or take it out."));
            }
            let sleeps = self.sleeps.iter().any(|sleep| code.contains(sleep.as_str()));
            let reason = [line, before].iter().any(|line| {
                line.split_once("// allow-sleep:").is_some_and(|(_, why)| !why.trim().is_empty())
            });
            if in_tests && sleeps && !reason {
                found.push(format!(
                    "{name}:{number} sleeps in a test: wait on a state, or say `// allow-sleep: reason`."
                ));
            }
            before = line;
        }
        found
    }
}

fn is_test_file(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("/tests.rs")
}

/// Whether the line has the path as the beginning of a path.
fn names_machine_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let inside = |c: char| c.is_alphanumeric() || "._-}*~)".contains(c);
        // The directory of all homes is common; one person's is not.
        let named = !path.contains("home") || after.is_some_and(char::is_alphanumeric);
        !before.is_some_and(inside) && named
    })
}

/// Whether the word occurs and does not continue another word.
fn starts_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everywhere(line: &str) -> usize {
        Banned::new().everywhere("file", line).len()
    }

    #[test]
    fn build_machine_paths_and_workplace_names() {
        let (work, home) = (["/wo", "rk/main"].concat(), ["/ho", "me/ada/x"].concat());
        assert_eq!(everywhere(&format!("see {work}")), 1);
        assert_eq!(everywhere(&format!("file://{home}")), 1);
        assert_eq!(everywhere(&format!("https://example.org{work}")), 0);
        assert_eq!(everywhere("the $HOME directory, homework/and rest"), 0);
        assert_eq!(everywhere(&["an artif", "actory"].concat()), 1);
        assert_eq!(everywhere("https://crates.io/crates/serde"), 0);
        assert_eq!(everywhere(&["in fa", "rm-7"].concat()), 1);
    }

    #[test]
    fn leftovers_in_code_but_not_in_comments() {
        let rust = |text: &str| Banned::new().in_rust("src/a.rs", text).len();
        assert_eq!(rust(&["fn a() { to", "do!() }"].concat()), 1);
        assert_eq!(rust(&["#[ig", "nore]"].concat()), 1);
        assert_eq!(rust(&["// no db", "g!( here"].concat()), 0);
    }

    #[test]
    fn sleeps_in_tests_need_a_reason() {
        let sleep = ["std::thread::sl", "eep(d);"].concat();
        let rust = |name: &str, text: &str| Banned::new().in_rust(name, text).len();
        assert_eq!(rust("src/a.rs", &sleep), 0);
        assert_eq!(rust("src/a.rs", &format!("#[cfg(test)]\nmod t {{}}\n{sleep}")), 1);
        assert_eq!(rust("tests/a.rs", &sleep), 1);
        assert_eq!(rust("tests/a.rs", &format!("// allow-sleep: the timer itself\n{sleep}")), 0);
        assert_eq!(rust("tests/a.rs", &format!("{sleep} // allow-sleep:")), 1);
    }

    #[test]
    fn long_files_are_listed_and_only_they() {
        let lines = BTreeMap::from([("a.rs", 401), ("b.rs", 500), ("c.rs", 10), ("d.rs", 450)]);
        let allowed = allowances("# why\nb.rs 450\nc.rs 500\nd.rs 450\ne.rs 500\n").unwrap();
        let found = lengths(&lines, &allowed);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("a.rs has 401 lines, more than 400"));
        assert!(found[1].starts_with("b.rs has 500 lines, more than the 450"));
        assert!(found[2].starts_with("c.rs has 10 lines: take it off"));
        assert!(found[3].starts_with("e.rs is on"));
    }
}
