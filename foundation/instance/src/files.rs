//! Writing small files so that a crash leaves the old one or the new one, never half of one.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::InstanceError;

/// Owner reads and writes, nobody else anything.
const PRIVATE: u32 = 0o600;

/// Makes `path` with `bytes`, mode 0600; an existing file is an error and stays as it is.
pub(crate) fn create_private(path: &Path, bytes: &[u8]) -> Result<(), InstanceError> {
    let failed = || InstanceError::io(format!("cannot create {}", path.display()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path)
        .map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.sync_all().map_err(failed())?;
    sync_directory(path)
}

/// Replaces `path` with `bytes`, mode 0600: a temporary beside it, synced, renamed over it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), InstanceError> {
    let failed = || InstanceError::io(format!("cannot write {}", path.display()));
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let temporary = path.with_file_name(name);
    // One that a crash left behind may have another mode, so it is never written into.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed()(error)),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(&temporary)
        .map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.sync_all().map_err(failed())?;
    fs::rename(&temporary, path).map_err(failed())?;
    sync_directory(path)
}

/// Reads a whole text file.
pub(crate) fn read(path: &Path) -> Result<String, InstanceError> {
    fs::read_to_string(path).map_err(InstanceError::io(format!("cannot read {}", path.display())))
}

fn sync_directory(path: &Path) -> Result<(), InstanceError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(InstanceError::io(format!("cannot sync {}", parent.display())))
}
