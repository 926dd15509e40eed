//! Whose a directory of stored files is: a mark in it names the instance, as beside the files of a
//! bucket. A server removes there what its own database does not know, so it never starts with what
//! another one has, nor with a directory that is, holds or lies in another instance's.
//!
//! A directory without a mark is the instance's if each file in it bears its name, as all ids of
//! stored files do: so one from before there were marks goes on, and an empty one is anybody's.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};

use ward_instance::holder::{HOLDER_BYTES, HOLDER_FILE, Holder};
use ward_instance::{InstanceId, IsoError, RootRing, uuid};
use ward_store::BlobDirectory;

use crate::place::ServerError;
use crate::restore::is_staged;

/// What tells the directory of an instance.
const PARTS: [&str; 3] = ["root.key", "ward.db", "ward.toml"];

/// How far below strange folders an instance is looked for.
const DEPTH: usize = 3;

/// The first bytes of a key file: the lines that name the instance, and no key.
const NAMING_BYTES: u64 = 72;

/// Refuses a directory of stored files that is not to be used by the instance of `ring`, whose own
/// directory is `dir` (ISO-02). It only looks. Whether the instance's mark is there.
pub fn check(dir: &Path, files: &Path, ring: &RootRing) -> Result<bool, ServerError> {
    let (own, real) = (resolved(dir), resolved(files));
    let refuse = |what: &str| -> Result<bool, ServerError> {
        let (shown, kind) = (files.display(), ring.kind());
        Err(IsoError::new(
            "ISO-02",
            format!("the directory of stored files {shown} {what}"),
            format!(
                "name a directory of its own for this instance: files in ward.toml, or {}FILES",
                kind.variable_prefix()
            ),
        )
        .into())
    };
    if is_instances(&real) {
        return refuse("is the whole directory of an instance");
    }
    if own.starts_with(&real) {
        return refuse("holds the directory of this instance");
    }
    let holder = holder(&real)?;
    match &holder {
        Mark::Of(holder) if holder.is(ring.kind(), ring.instance_id()) => {}
        Mark::Of(holder) => return refuse(&holder.told()),
        Mark::Unreadable => {
            return refuse(&format!(
                "has a {HOLDER_FILE} that is not to be read (if the files are this instance's, remove that one)"
            ));
        }
        Mark::None => {}
    }
    let is_marked = holder != Mark::None;
    let seen = look(&real, ring, is_marked)?;
    if seen.holds_instance {
        return refuse("holds the directory of another instance");
    }
    if seen.has_others {
        return refuse("has no mark, and files that this instance did not store");
    }
    let around = real.ancestors().skip(1).take_while(|above| *above != own.as_path());
    for above in around.filter(|above| is_instances(above)) {
        // Another node of a PostgreSQL instance may have it. Who is confined can't read that any more,
        // and was asked before.
        let is_same = is_of(above, ring.instance_id()).unwrap_or(is_marked || seen.has_own);
        if !is_same {
            return refuse(&format!("lies in {}, another instance's", above.display()));
        }
    }
    Ok(is_marked)
}

/// Makes the directory if need be, and marks it as the instance's; one that it may not use is refused,
/// and nothing in it is touched. Nothing waits for the disk: without the mark, the names of the files
/// tell again.
pub fn claim(dir: &Path, files: &Path, ring: &RootRing) -> Result<(), ServerError> {
    if check(dir, files, ring)? {
        return Ok(());
    }
    let text = serde_json::to_vec(&Holder::of(ring.kind(), ring.instance_id()));
    let text = text.map_err(|error| ServerError::System(error.to_string()))?;
    let written = write(files, &text);
    // Somebody may have been quicker.
    if check(dir, files, ring)? {
        return Ok(());
    }
    let why = written.err().map_or_else(|| "it is gone".to_owned(), |error| error.to_string());
    let mark = files.join(HOLDER_FILE);
    Err(ServerError::System(format!("cannot write {}: {why}", mark.display())))
}

/// In one step, and never over what another one has written.
fn write(files: &Path, text: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(files)?;
    let new = files.join(format!("{HOLDER_FILE}.{}", std::process::id()));
    let mark = files.join(HOLDER_FILE);
    fs::write(&new, text)?;
    let is_there = || fs::metadata(&mark).is_ok_and(|mark| mark.len() > 0);
    let placed = match fs::hard_link(&new, &mark) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_there() => Ok(()),
        // An empty one that a power cut has left, or a file system without links.
        Err(_) => fs::rename(&new, &mark),
        Ok(()) => Ok(()),
    };
    let _ = fs::remove_file(&new);
    placed
}

/// What stands in a directory about whose it is.
#[derive(PartialEq, Eq)]
enum Mark {
    Of(Holder),
    Unreadable,
    None,
}

fn holder(files: &Path) -> Result<Mark, ServerError> {
    let (path, mut text) = (files.join(HOLDER_FILE), Vec::new());
    let read = fs::File::open(&path)
        .and_then(|file| file.take(HOLDER_BYTES).read_to_end(&mut text).map(drop));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Mark::None),
        Err(error) => return Err(unread(&path, &error)),
        Ok(()) if text.is_empty() => return Ok(Mark::None),
        Ok(()) => {}
    }
    Ok(serde_json::from_slice(&text).map_or(Mark::Unreadable, Mark::Of))
}

/// What the names in a directory tell.
#[derive(Default)]
struct Seen {
    holds_instance: bool,
    has_own: bool,
    has_others: bool,
}

/// Looks at the names. In a marked directory all is its holder's.
fn look(files: &Path, ring: &RootRing, is_marked: bool) -> Result<Seen, ServerError> {
    let mut seen = Seen::default();
    for folder in folders(files)? {
        seen.holds_instance |= holds_instance(&folder, DEPTH);
        if is_marked || !is_wards(&folder) {
            continue;
        }
        let entries = fs::read_dir(&folder).map_err(|error| unread(&folder, &error))?;
        for entry in entries {
            let name = entry.map_err(|error| unread(&folder, &error))?.file_name();
            let name = name.to_string_lossy();
            match uuid::is_of(ring.kind(), &ring.tag(), &name) {
                true => seen.has_own = true,
                // What a file system or a desktop leaves behind.
                false => seen.has_others |= !name.starts_with('.'),
            }
        }
    }
    Ok(seen)
}

/// Whether an instance's directory is there, or not far below.
fn holds_instance(folder: &Path, depth: usize) -> bool {
    let below = || folders(folder).unwrap_or_default();
    let goes_on = depth > 0 && !is_wards(folder);
    is_instances(folder)
        || (goes_on && below().iter().any(|below| holds_instance(below, depth - 1)))
}

fn is_instances(dir: &Path) -> bool {
    PARTS.iter().any(|part| dir.join(part).exists())
}

/// Whether the directory is of an instance; none where it does not say so, or not to this process.
fn is_of(dir: &Path, instance: InstanceId) -> Option<bool> {
    let (file, mut text) = (fs::File::open(dir.join("root.key")).ok()?, Vec::new());
    file.take(NAMING_BYTES).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    Some(text.lines().nth(1) == Some(format!("instance {instance}").as_str()))
}

/// Whether Ward writes and removes in the folder.
fn is_wards(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    BlobDirectory::has_folder(&name) || is_staged(&name)
}

/// The folders in one, none where it is not there.
fn folders(dir: &Path) -> Result<Vec<PathBuf>, ServerError> {
    let listed = || -> std::io::Result<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
        Ok(folders)
    };
    match listed() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| unread(dir, &error)),
    }
}

fn unread(path: &Path, error: &std::io::Error) -> ServerError {
    ServerError::System(format!("cannot read {}: {error}", path.display()))
}

/// Where a path leads, through links; what is not there yet is below what is.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in path.ancestors() {
        let there = (above.canonicalize(), path.strip_prefix(above));
        let (Ok(mut real), Ok(rest)) = there else { continue };
        let mut is_back = false;
        for part in rest.components() {
            match part {
                Component::ParentDir => is_back |= real.pop(),
                part => real.push(part),
            }
        }
        // Back over a folder that is not there it may lead to one that is.
        return if is_back { resolved(&real) } else { real };
    }
    path
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use ward_instance::{Kind, Random, Timestamp};

    use super::*;

    fn ring(kind: Kind, seed: u64) -> RootRing {
        let random = Random::seeded(seed);
        RootRing::generate(kind, InstanceId::draw(&random), &random)
    }

    fn store(files: &Path, ring: &RootRing, seed: u64) -> PathBuf {
        let name =
            uuid::new(ring.kind(), &ring.tag(), Timestamp(seed as i64), &Random::seeded(seed));
        let folder = files.join(&name[34..]);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(&name), "sealed").unwrap();
        folder.join(name)
    }

    #[track_caller]
    fn refused(outcome: Result<bool, ServerError>, what: &str) {
        let error = outcome.unwrap_err();
        let text = error.to_string();
        assert_eq!(error.exit_code(), 78, "{text}");
        assert!(text.starts_with("E-ISO-02: ") && text.contains(what), "{text}");
    }

    #[test]
    fn an_empty_directory_is_taken_once_and_told_again_by_the_same_instance() {
        let place = tempfile::tempdir().unwrap();
        let (dir, files) = (place.path().join("own"), place.path().join("far/files"));
        let (mut one, two) = (ring(Kind::Production, 1), ring(Kind::Production, 2));
        assert!(!check(&dir, &files, &one).unwrap());
        assert!(!files.exists(), "a look has made something");
        claim(&dir, &files, &one).unwrap();
        assert!(check(&dir, &files, &one).unwrap());
        claim(&dir, &files, &one).unwrap();
        let tag = one.tag().to_string();
        refused(check(&dir, &files, &two), &tag);
        assert!(claim(&dir, &files, &two).is_err());
        // After every rotation of the root key it is the same instance.
        let old = one.current_version();
        one.add_root(&Random::seeded(3)).unwrap();
        assert!(one.drop_root(old));
        assert!(check(&dir, &files, &one).unwrap());
        assert_eq!(fs::read_dir(&files).unwrap().count(), 1, "more than the mark is left");
    }

    #[test]
    fn without_a_mark_the_names_of_the_files_tell() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("own");
        let own = ring(Kind::Sandbox, 1);
        for other in [ring(Kind::Production, 1), ring(Kind::Sandbox, 2)] {
            for part in ["", "incoming", "restoring-7"] {
                let files = place.path().join(format!("{}{part}", other.tag()));
                let (mine, theirs) = (store(&files, &own, 5), store(&files, &other, 6));
                if !part.is_empty() {
                    fs::create_dir(files.join(part)).unwrap();
                    let moved = files.join(part).join(theirs.file_name().unwrap());
                    fs::rename(&theirs, moved).unwrap();
                }
                for whose in [&own, &other] {
                    refused(check(&dir, &files, whose), "did not store");
                    assert!(claim(&dir, &files, whose).is_err());
                }
                assert!(mine.exists() && !files.join(HOLDER_FILE).exists());
            }
        }
        // One from before there were marks.
        let files = place.path().join("before");
        fs::create_dir_all(files.join("lost+found")).unwrap();
        store(&files, &own, 7);
        claim(&dir, &files, &own).unwrap();
        assert!(check(&dir, &files, &own).unwrap());
    }

    #[test]
    fn a_mark_that_is_not_one_is_refused_and_an_empty_one_is_none() {
        let place = tempfile::tempdir().unwrap();
        let (dir, files) = (place.path().join("own"), place.path().join("files"));
        let own = ring(Kind::Sandbox, 1);
        fs::create_dir(&files).unwrap();
        for text in ["{}", "no json", &"x".repeat(1 << 20)] {
            fs::write(files.join(HOLDER_FILE), text).unwrap();
            refused(check(&dir, &files, &own), "not to be read");
        }
        fs::write(files.join(HOLDER_FILE), "").unwrap();
        claim(&dir, &files, &own).unwrap();
        assert!(check(&dir, &files, &own).unwrap());
        // The other environment's, were its id the same.
        let id = own.instance_id();
        let other = serde_json::to_vec(&Holder::of(Kind::Production, id)).unwrap();
        fs::write(files.join(HOLDER_FILE), other).unwrap();
        refused(check(&dir, &files, &own), "belongs to the production");
    }

    #[test]
    fn the_directory_of_an_instance_is_no_place_for_files() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let (own, other) = (ring(Kind::Sandbox, 1), ring(Kind::Production, 2));
        for (name, ring) in [("own", &own), ("other", &other), ("node", &own)] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("root.key"), ring.to_text().as_bytes()).unwrap();
        }
        let at = |files: &str| check(&path("own"), &path(files), &own);
        symlink(path("other"), path("link")).unwrap();
        for whole in ["own", "other", "link", "new/../other", "other/."] {
            refused(at(whole), "is the whole directory");
        }
        refused(at(""), "holds the directory of this instance");
        for within in ["other/files", "other/a/b", "link/files", "new/../link/files"] {
            refused(at(within), "another instance's");
        }
        fs::create_dir_all(path("wide/a/b/production")).unwrap();
        fs::write(path("wide/a/b/production/ward.toml"), "").unwrap();
        refused(at("wide"), "holds the directory of another");
        // Its own, and that of another node.
        for right in ["own/files", "own/files/large", "node/files"] {
            assert!(!at(right).unwrap(), "{right}");
        }
    }
}
