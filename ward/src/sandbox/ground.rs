//! Where a Sandbox of one command lives: a directory of its own, in memory where there is room.
//! It goes with the run; what a killed run left is cleared away by the next one, which finds it
//! unlocked.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock, statvfs};
use rustix::process::getuid;

use super::talk;
use crate::failure::{Done, Failure};

/// A file system in memory, where the system has one.
const MEMORY: &str = "/dev/shm";
/// It is taken while so many bytes are free: a container may have 64 MiB of it.
const ROOM: u64 = 256 * 1024 * 1024;
/// What a run's directory is called, before six letters of chance.
const PREFIX: &str = "run-";
/// Locked by a run as long as it lives.
const LOCK: &str = "run.lock";
/// Locked while a run begins or is cleared away.
const ROSTER: &str = "roster.lock";

/// A run's directory; gone when this is dropped.
pub struct Ground {
    path: PathBuf,
    _lock: File,
}

impl Ground {
    /// Clears away what is left of others and takes a new directory.
    pub fn take() -> Done<Self> {
        // Also the place that this run does not take: an earlier one may have.
        [PathBuf::from(MEMORY), std::env::temp_dir()]
            .iter()
            .for_each(|it| sweep(&it.join(place())));
        let home = home()?;
        let failed = |error: std::io::Error| {
            Failure::unavailable(format!("cannot make a directory in {}: {error}", home.display()))
        };
        let _roster = roster(&home).map_err(failed)?;
        let own = Permissions::from_mode(0o700);
        let path = tempfile::Builder::new().prefix(PREFIX).permissions(own).tempdir_in(&home);
        let path = path.map_err(failed)?;
        let lock = lock_file(&path.path().join(LOCK)).map_err(failed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| failed(error.into()))?;
        Ok(Ground { path: path.keep(), _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        clear(&self.path);
    }
}

/// Deletes a run's directory, unless somebody did already.
pub fn clear(path: &Path) {
    // Its server may be writing its last files meanwhile.
    for _ in 0..3 {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {}
            _ => return,
        }
    }
}

/// Whether a directory is a run's as [`Ground::take`] makes them: of this user, in this user's
/// place, named and with its lock. Nothing else is ever deleted.
pub fn is_of_a_run(path: &Path) -> bool {
    let named = |path: &Path, is: &dyn Fn(&str) -> bool| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(is)
    };
    let Some(home) = path.parent() else { return false };
    named(path, &|name| name.starts_with(PREFIX))
        && named(home, &|name| name == place())
        && [home, path].into_iter().all(|it| is_ours(it).unwrap_or(false))
        && std::fs::symlink_metadata(path.join(LOCK)).is_ok_and(|it| it.is_file())
}

/// What this user's place for runs is called.
fn place() -> String {
    format!("ward-sandboxes-{}", getuid().as_raw())
}

/// This user's place for runs. In a directory that everybody may write to, it is taken only if it
/// is ours and closed to others.
fn home() -> Done<PathBuf> {
    let name = place();
    let memory = statvfs(MEMORY).is_ok_and(|it| it.f_bavail.saturating_mul(it.f_frsize) >= ROOM);
    if memory {
        let home = Path::new(MEMORY).join(&name);
        if made(&home).is_ok_and(|ours| ours) {
            return Ok(home);
        }
    }
    let home = std::env::temp_dir().join(&name);
    fits(&home)?;
    match made(&home) {
        Ok(true) => Ok(home),
        Ok(false) => Err(Failure::unavailable(format!(
            "{} is not this user's alone; delete it, or name another place in TMPDIR",
            home.display()
        ))),
        Err(error) => Err(Failure::unavailable(format!("cannot make {}: {error}", home.display()))),
    }
}

/// Refuses a place with a name so long that no socket can be made in a directory of it.
fn fits(home: &Path) -> Done {
    let run = home.join(format!("{PREFIX}abcdef"));
    match SocketAddr::from_pathname(talk::socket(&run)) {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::unavailable(format!(
            "the name of the directory for temporary files, {}, is too long; name a shorter one in TMPDIR",
            std::env::temp_dir().display()
        ))),
    }
}

/// Makes the directory if it is not there; whether it is this user's alone.
fn made(home: &Path) -> std::io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(home) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    is_ours(home)
}

/// Whether a directory is this user's alone.
fn is_ours(path: &Path) -> std::io::Result<bool> {
    let meta = std::fs::symlink_metadata(path)?;
    Ok(meta.is_dir() && meta.uid() == getuid().as_raw() && meta.mode() & 0o077 == 0)
}

fn lock_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Waits until nobody else begins or clears away a run in a place.
fn roster(home: &Path) -> std::io::Result<File> {
    let file = lock_file(&home.join(ROSTER))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Clears away the directories whose run is gone, in a place that is there and this user's alone.
fn sweep(home: &Path) {
    if !is_ours(home).unwrap_or(false) {
        return;
    }
    let Ok(_roster) = roster(home) else { return };
    for entry in std::fs::read_dir(home).into_iter().flatten().flatten() {
        let is_run = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_run && !is_running(&entry.path()) {
            clear(&entry.path());
        }
    }
}

/// Whether a run lives, or might: it does not when its lock is to be had, or was never made, for
/// a run makes it under the roster.
fn is_running(run: &Path) -> bool {
    match OpenOptions::new().write(true).open(run.join(LOCK)) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_cleared_away_and_what_runs_is_not() {
        let base = tempfile::tempdir().unwrap();
        let home = base.path().join("home");
        assert!(made(&home).unwrap());
        let [runs, left, half, unknown] =
            ["aaaaaa", "bbbbbb", "cccccc", "dddddd"].map(|it| home.join(PREFIX.to_owned() + it));
        for run in [&runs, &left, &half, &unknown] {
            std::fs::create_dir(run).unwrap();
        }
        // A lock that can't be opened does not say that nobody holds it.
        std::fs::create_dir(unknown.join(LOCK)).unwrap();
        let lock = lock_file(&runs.join(LOCK)).unwrap();
        flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
        drop(lock_file(&left.join(LOCK)).unwrap());
        std::fs::write(home.join("something"), "else").unwrap();
        let of_mode = |mode| std::fs::set_permissions(&home, Permissions::from_mode(mode)).unwrap();
        of_mode(0o755);
        sweep(&home);
        assert!(left.exists() && half.exists(), "a place that others may enter is not swept");
        of_mode(0o700);
        sweep(&home);
        assert!(runs.exists() && !left.exists() && !half.exists() && unknown.exists());
        assert!(home.join("something").exists());
    }

    #[test]
    fn a_place_with_a_name_too_long_for_a_socket_is_named() {
        assert!(fits(Path::new("/tmp/ward-sandboxes-1000")).is_ok());
        let failure = fits(&Path::new("/tmp").join("x".repeat(110))).unwrap_err();
        assert!(failure.sentence.ends_with("name a shorter one in TMPDIR"), "{}", failure.sentence);
    }

    #[test]
    fn a_place_that_others_may_enter_is_not_taken() {
        let base = tempfile::tempdir().unwrap();
        let home = base.path().join("home");
        assert!(made(&home).unwrap() && is_ours(&home).unwrap());
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!is_ours(&home).unwrap());
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&home, &link).unwrap();
        assert!(!is_ours(&link).unwrap());
    }
}
