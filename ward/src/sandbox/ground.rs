//! Where a Sandbox of one command lives: a directory of its own, in memory where there is room.
//! It goes with the run; what a killed run left is cleared away by the next one, which finds it
//! unlocked.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock, statvfs};
use rustix::process::getuid;

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
        let home = home()?;
        let failed = |error: std::io::Error| {
            Failure::unavailable(format!("cannot make a directory in {}: {error}", home.display()))
        };
        let roster = lock_file(&home.join(ROSTER)).map_err(failed)?;
        flock(&roster, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        sweep(&home);
        let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&home).map_err(failed)?;
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

/// This user's place for runs. In a directory that everybody may write to, it is taken only if it
/// is ours and closed to others.
fn home() -> Done<PathBuf> {
    let name = format!("ward-sandboxes-{}", getuid().as_raw());
    let memory = statvfs(MEMORY).is_ok_and(|it| it.f_bavail.saturating_mul(it.f_frsize) >= ROOM);
    if memory {
        let home = Path::new(MEMORY).join(&name);
        if is_ours(&home).is_ok_and(|ours| ours) {
            return Ok(home);
        }
    }
    let home = std::env::temp_dir().join(&name);
    match is_ours(&home) {
        Ok(true) => Ok(home),
        Ok(false) => Err(Failure::unavailable(format!(
            "{} is not this user's alone; delete it, or name another place in TMPDIR",
            home.display()
        ))),
        Err(error) => Err(Failure::unavailable(format!("cannot make {}: {error}", home.display()))),
    }
}

/// Makes the directory if it is not there; whether it is this user's alone.
fn is_ours(home: &Path) -> std::io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(home) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let meta = std::fs::symlink_metadata(home)?;
    Ok(meta.is_dir() && meta.uid() == getuid().as_raw() && meta.mode() & 0o077 == 0)
}

fn lock_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Clears away the directories whose run is gone. The caller holds the roster.
fn sweep(home: &Path) {
    for entry in std::fs::read_dir(home).into_iter().flatten().flatten() {
        let is_run = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_run && !is_running(&entry.path()) {
            clear(&entry.path());
        }
    }
}

fn is_running(run: &Path) -> bool {
    let lock = OpenOptions::new().write(true).open(run.join(LOCK));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_cleared_away_and_what_runs_is_not() {
        let home = tempfile::tempdir().unwrap();
        let (runs, left, half) = (
            home.path().join("run-aaaaaa"),
            home.path().join("run-bbbbbb"),
            home.path().join("run-cccccc"),
        );
        for run in [&runs, &left, &half] {
            std::fs::create_dir(run).unwrap();
        }
        let lock = lock_file(&runs.join(LOCK)).unwrap();
        flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
        drop(lock_file(&left.join(LOCK)).unwrap());
        std::fs::write(home.path().join("something"), "else").unwrap();
        sweep(home.path());
        assert!(runs.exists() && !left.exists() && !half.exists());
        assert!(home.path().join("something").exists());
    }

    #[test]
    fn a_place_that_others_may_enter_is_not_taken() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().unwrap();
        let home = base.path().join("home");
        assert!(is_ours(&home).unwrap());
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!is_ours(&home).unwrap());
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&home, &link).unwrap();
        assert!(!is_ours(&link).unwrap());
    }
}
