//! Whose a directory of stored files is: a mark in it names the instance, as beside the files of a
//! bucket. A server removes there what its own database does not know, so it never starts with what
//! another one has, nor with a directory that is, holds or lies in another instance's.
//!
//! A directory without a mark is the instance's if each file in it bears its name, as all ids of
//! stored files do: so one from before there were marks goes on, and an empty one is anybody's.

mod mark;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};

use ward_instance::holder::{HOLDER_FILE, Holder};
use ward_instance::{InstanceId, IsoError, Kind, RootRing, uuid};
use ward_store::BlobDirectory;

use crate::place::ServerError;
use crate::restore::is_staged;
use mark::Mark;

/// What tells the directory of an instance.
const PARTS: [&str; 3] = ["root.key", "ward.db", "ward.toml"];

/// How far below strange folders an instance is looked for.
const DEPTH: usize = 3;

/// The first bytes of a key file: the lines that name the instance, and no key.
const NAMING_BYTES: u64 = 72;

/// Who may use a directory of stored files, by what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The instance that asks: its mark is there.
    Marked,
    /// The instance that asks: there is no mark, and the files have its name.
    Named,
    /// Anybody: nothing is there.
    Nobodys,
}

/// Who asks: an instance, or one that is not born yet.
#[derive(Clone, Copy)]
struct Asker {
    kind: Kind,
    instance: Option<InstanceId>,
}

impl Asker {
    fn is(&self, holder: &Holder) -> bool {
        self.instance.is_some_and(|instance| holder.is(self.kind, instance))
    }

    fn has_named(&self, file: &str) -> bool {
        self.instance.is_some_and(|instance| uuid::is_of(self.kind, &instance.tag(), file))
    }

    /// Whether the directory of an instance is its own; none where it does not say so, or not to this
    /// process.
    fn lives_in(&self, dir: &Path) -> Option<bool> {
        let Some(instance) = self.instance else { return Some(false) };
        let path = dir.join("root.key");
        // A pipe would never be opened.
        if !fs::metadata(&path).ok()?.is_file() {
            return None;
        }
        let (file, mut text) = (fs::File::open(&path).ok()?, Vec::new());
        file.take(NAMING_BYTES).read_to_end(&mut text).ok()?;
        let text = String::from_utf8_lossy(&text);
        Some(text.lines().nth(1) == Some(format!("instance {instance}").as_str()))
    }
}

/// Refuses a directory of stored files that is not to be used by the instance of `ring`, whose own
/// directory is `dir` (ISO-02). It only looks.
pub fn check(dir: &Path, files: &Path, ring: &RootRing) -> Result<Whose, ServerError> {
    let asker = Asker { kind: ring.kind(), instance: Some(ring.instance_id()) };
    check_for(dir, files, asker)
}

/// The same for an instance that is not born yet: nothing may be there.
pub fn check_unborn(dir: &Path, files: &Path, kind: Kind) -> Result<(), ServerError> {
    check_for(dir, files, Asker { kind, instance: None }).map(drop)
}

/// The directory that a variable names, for an instance without a configuration yet.
pub fn named(kind: Kind, env: &[(String, String)]) -> Option<PathBuf> {
    let name = format!("{}FILES", kind.variable_prefix());
    let is_named = |(known, value): &&(String, String)| *known == name && !value.is_empty();
    env.iter().find(is_named).map(|(_, value)| value.into())
}

fn check_for(dir: &Path, files: &Path, asker: Asker) -> Result<Whose, ServerError> {
    let (own, real) = (resolved(dir), resolved(files));
    let refuse = |what: &str| -> Result<Whose, ServerError> {
        let (shown, kind) = (files.display(), asker.kind);
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
    let is_marked = match mark::read(&real)? {
        Mark::Of(holder) if asker.is(&holder) => true,
        Mark::Of(holder) => return refuse(&holder.told()),
        Mark::Unreadable => {
            return refuse(&format!(
                "has a {HOLDER_FILE} that is not to be read (if the files are this instance's, remove that one)"
            ));
        }
        Mark::None => false,
    };
    let seen = look(&real, &asker, is_marked)?;
    if let Some(link) = &seen.link {
        return refuse(&format!("has files behind a link, {}", link.display()));
    }
    if let Some(found) = &seen.instance {
        return refuse(&format!("holds the directory of another instance, {}", found.display()));
    }
    if let Some(other) = &seen.other {
        let other = other.display();
        return refuse(&format!("has no mark, and {other}, which this instance did not store"));
    }
    let around = real.ancestors().skip(1).take_while(|above| *above != own.as_path());
    for above in around.filter(|above| is_instances(above)) {
        // Another node of a PostgreSQL instance may have it. Who is confined can't read that any more,
        // and has claimed the directory before.
        let is_same = asker.lives_in(above).unwrap_or(is_marked || seen.has_own);
        if !is_same {
            return refuse(&format!("lies in {}, another instance's", above.display()));
        }
    }
    Ok(match (is_marked, seen.has_own) {
        (true, _) => Whose::Marked,
        (false, true) => Whose::Named,
        (false, false) => Whose::Nobodys,
    })
}

/// Makes the directory if need be, and marks it as the instance's; one that it may not use is refused,
/// and nothing in it is touched. Nothing waits for the disk: without the mark, the names of the files
/// tell again, as they do while the disk is full.
pub fn claim(dir: &Path, files: &Path, ring: &RootRing) -> Result<(), ServerError> {
    let whose = check(dir, files, ring)?;
    if whose == Whose::Marked {
        return Ok(());
    }
    let text = serde_json::to_vec(&Holder::of(ring.kind(), ring.instance_id()));
    let text = text.map_err(|error| ServerError::System(error.to_string()))?;
    let written = mark::write(files, &text);
    // Somebody may have been quicker.
    if check(dir, files, ring)? == Whose::Marked {
        return Ok(());
    }
    let why = match written {
        Err(error) if is_full(&error) && whose == Whose::Named => return Ok(()),
        Err(error) => error.to_string(),
        Ok(()) => "it is gone".to_owned(),
    };
    let mark = files.join(HOLDER_FILE);
    Err(ServerError::System(format!("cannot write {}: {why}", mark.display())))
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// What the names in a directory tell: of what is not to be there, the first.
#[derive(Default)]
struct Seen {
    link: Option<PathBuf>,
    instance: Option<PathBuf>,
    other: Option<PathBuf>,
    has_own: bool,
}

/// Looks at the names. In a marked directory all is its holder's, as long as it is in there.
fn look(files: &Path, asker: &Asker, is_marked: bool) -> Result<Seen, ServerError> {
    let mut seen = Seen::default();
    for (path, sort) in entries(files)? {
        if sort.is_symlink() && is_wards(&path) {
            // What is cleared away through it is somebody else's.
            seen.link.get_or_insert(path);
            continue;
        }
        if !sort.is_dir() || is_marked && is_wards(&path) {
            continue;
        }
        if seen.instance.is_none() {
            seen.instance = other_instance(&path, DEPTH, asker);
        }
        if is_wards(&path) {
            look_at_files(&path, asker, &mut seen)?;
        }
    }
    Ok(seen)
}

fn look_at_files(folder: &Path, asker: &Asker, seen: &mut Seen) -> Result<(), ServerError> {
    for (path, _) in entries(folder)? {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if asker.has_named(&name) {
            seen.has_own = true;
        } else if seen.other.is_none() && !name.starts_with('.') {
            // Those are what a file system or a desktop leaves behind.
            seen.other = Some(path.clone());
        }
    }
    Ok(())
}

/// Another instance's directory that is there, or not far below.
fn other_instance(folder: &Path, depth: usize, asker: &Asker) -> Option<PathBuf> {
    if is_instances(folder) && asker.lives_in(folder) != Some(true) {
        return Some(folder.to_owned());
    }
    if depth == 0 || is_wards(folder) {
        return None;
    }
    let below = entries(folder).unwrap_or_default();
    let below = below.iter().filter(|(_, sort)| sort.is_dir());
    below.map(|(below, _)| below).find_map(|below| other_instance(below, depth - 1, asker))
}

fn is_instances(dir: &Path) -> bool {
    PARTS.iter().any(|part| dir.join(part).exists())
}

/// Whether Ward writes and removes in a folder of this name.
fn is_wards(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    BlobDirectory::has_folder(&name) || is_staged(&name)
}

/// What is in a folder, and of what sort it is, a link being one; nothing where there is none.
fn entries(dir: &Path) -> Result<Vec<(PathBuf, fs::FileType)>, ServerError> {
    let listed = || -> std::io::Result<Vec<(PathBuf, fs::FileType)>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            match entry.file_type() {
                // Gone meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                sort => entries.push((entry.path(), sort?)),
            }
        }
        Ok(entries)
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
