//! `ward scan`: finds keys that lie around in files. A key is what the
//! published pattern matches and whose checksum fits; what is printed is
//! where it is and whose, never the key.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use ward_instance::Kind;
use ward_instance::api_key::{ApiKey, KeyClass, KeyRole};

use crate::cli::ScanArgs;
use crate::failure::{Done, Failure};
use crate::output::{BOLD, DIM, Out, PLAIN, RED};

/// A binary file above this many bytes is skipped.
const BINARY_MAX: u64 = 5 * 1024 * 1024;
/// No key is longer.
const WORD_MAX: usize = 80;
const CHUNK: usize = 64 * 1024;

/// A key in a file.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    file: PathBuf,
    line: u64,
    kind: Kind,
    tag: String,
    role: KeyRole,
    kid: String,
}

#[derive(Default)]
struct Report {
    found: Vec<Found>,
    files: u64,
    skipped: u64,
    unreadable: Vec<PathBuf>,
}

/// `ward scan PATH`.
pub fn run(args: &ScanArgs, out: Out) -> Done {
    if !args.path.exists() {
        return Err(Failure::usage(format!(
            "{} is not there; give a file or a directory",
            args.path.display()
        )));
    }
    let mut report = Report::default();
    let bar = out.progress("");
    walk(&args.path, &mut report, &|report| {
        bar.set_message(format!("{} files, {} keys", report.files, report.found.len()))
    });
    bar.finish_and_clear();
    for path in &report.unreadable {
        out.say(format_args!("{} cannot be read and was left out", path.display()));
    }
    out.answer(&as_json(&report), || human(&report));
    if report.found.is_empty() {
        return Ok(());
    }
    Err(Failure::said_no(format!(
        "{} keys lie in files; revoke each with ward key delete KID, then remove it where it was found",
        report.found.len()
    )))
}

/// Every file below `path`; links are not followed.
fn walk(path: &Path, report: &mut Report, tell: &dyn Fn(&Report)) {
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let Ok(meta) = std::fs::symlink_metadata(&path) else {
            report.unreadable.push(path);
            continue;
        };
        if meta.is_dir() {
            if path.ends_with(".git/objects") {
                continue;
            }
            let Ok(entries) = std::fs::read_dir(&path) else {
                report.unreadable.push(path);
                continue;
            };
            let mut entries: Vec<PathBuf> =
                entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            // The last one is taken first.
            entries.sort_unstable_by(|a, b| b.cmp(a));
            waiting.extend(entries);
        } else if meta.is_file() {
            match read(&path, meta.len()) {
                Ok(Some(found)) => {
                    report.files += 1;
                    report.found.extend(found);
                }
                Ok(None) => report.skipped += 1,
                Err(_) => report.unreadable.push(path),
            }
            tell(report);
        }
    }
}

/// The keys in a file; none when it is a large binary.
fn read(path: &Path, length: u64) -> std::io::Result<Option<Vec<Found>>> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    let mut search = Search::default();
    let mut first = true;
    loop {
        let read = file.read(&mut chunk)?;
        let bytes = chunk.get(..read).unwrap_or_default();
        if first && length > BINARY_MAX && bytes.contains(&0) {
            return Ok(None);
        }
        first = false;
        if bytes.is_empty() {
            search.end_word();
            break;
        }
        search.feed(bytes);
    }
    let found = search.found.into_iter().map(|(line, kind, role, tag, kid)| Found {
        file: path.to_owned(),
        line,
        kind,
        tag,
        role,
        kid,
    });
    Ok(Some(found.collect()))
}

/// Takes a file's bytes in pieces; a key is a whole word of it.
#[derive(Default)]
struct Search {
    newlines: u64,
    word: Vec<u8>,
    found: Vec<(u64, Kind, KeyRole, String, String)>,
}

impl Search {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if byte.is_ascii_alphanumeric() || *byte == b'_' {
                // Above the bound it only matters that the word is too long.
                if self.word.len() <= WORD_MAX {
                    self.word.push(*byte);
                }
            } else {
                self.end_word();
                self.newlines += u64::from(*byte == b'\n');
            }
        }
    }

    fn end_word(&mut self) {
        if let Ok(word) = std::str::from_utf8(&self.word)
            && let Some((kind, role, tag, kid)) = key(word)
        {
            self.found.push((self.newlines + 1, kind, role, tag, kid));
        }
        self.word.clear();
    }
}

/// Whose key a word is; none when it is none, or its checksum does not fit.
fn key(word: &str) -> Option<(Kind, KeyRole, String, String)> {
    let tag = word.strip_prefix("ward_")?.split('_').nth(1)?.parse().ok()?;
    Kind::ALL.into_iter().find_map(|kind| match ApiKey::classify(word, kind, &tag) {
        KeyClass::Ours { class, kid, .. } => Some((kind, class, tag.to_string(), kid)),
        _ => None,
    })
}

fn as_json(report: &Report) -> Json {
    let found = |found: &Found| {
        json!({
            "file": found.file.display().to_string(), "line": found.line, "environment": found.kind.as_str(),
            "instance": found.tag, "class": found.role.as_str(), "kid": found.kid,
        })
    };
    json!({
        "found": report.found.iter().map(found).collect::<Vec<_>>(),
        "files": report.files,
        "skipped": report.skipped,
        "unreadable": report.unreadable.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
    })
}

fn human(report: &Report) -> String {
    let mut text: String = report
        .found
        .iter()
        .map(|found| {
            let Found { file, line, kind, tag, role, kid } = found;
            let colour = if *kind == Kind::Production { RED } else { "" };
            format!(
                "{BOLD}{}:{line}{PLAIN}: {colour}{kind}{PLAIN} {tag}, kid {kid} {DIM}({}){PLAIN}\n",
                file.display(),
                role.as_str()
            )
        })
        .collect();
    text.push_str(&format!(
        "{} keys in {} files; {} large binaries skipped\n",
        report.found.len(),
        report.files,
        report.skipped
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_instance::{InstanceId, Random};

    fn search(pieces: &[&[u8]]) -> Vec<(u64, String)> {
        let mut search = Search::default();
        for piece in pieces {
            search.feed(piece);
        }
        search.end_word();
        search.found.into_iter().map(|(line, _, _, _, kid)| (line, kid)).collect()
    }

    #[test]
    fn a_key_is_a_whole_word_wherever_a_piece_ends() {
        let random = Random::seeded(7);
        let tag = InstanceId::draw(&random).tag();
        let minted = ApiKey::mint(Kind::Production, &tag, KeyRole::User, &random).unwrap();
        let key = minted.text.as_bytes();
        let found = vec![(2, minted.kid.clone())];
        assert_eq!(search(&[b"a\nKEY=\"", key, b"\"\n"]), found);
        let (front, back) = key.split_at(20);
        assert_eq!(search(&[b"\n", front, back]), found);
        assert_eq!(search(&[b"\nx", key]), []);
        assert_eq!(search(&[b"\n", key, b"x"]), []);
        let mut wrong = key.to_vec();
        wrong[30] = if wrong[30] == b'a' { b'b' } else { b'a' };
        assert_eq!(search(&[b"\n", &wrong]), []);
    }
}
