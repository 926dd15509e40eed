//! Room on the disk for a copy of a SQLite database.

use std::path::Path;

use crate::error::StoreError;

/// One mebibyte.
const MIB: u64 = 1 << 20;

/// What is left free on a disk beside a copy of the database.
const SPARE: u64 = 64 * MIB;

/// Refuses where the disk of `folder` has no room for a copy of the database at `path`.
pub(crate) fn check(path: &Path, folder: &Path) -> Result<(), StoreError> {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |it| it.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let needed = size(path).saturating_add(size(Path::new(&log))).saturating_add(SPARE);
    let space = rustix::fs::statvfs(folder).map_err(|error| {
        StoreError::Unavailable(format!("the free space of {}: {error}", folder.display()))
    })?;
    has_space(folder, needed, space.f_bavail.saturating_mul(space.f_frsize))
}

fn has_space(folder: &Path, needed: u64, free: u64) -> Result<(), StoreError> {
    match free < needed {
        true => Err(StoreError::Full(format!(
            "a copy of it needs {} MiB, with some to spare, and {} has {} MiB free; delete a \
             snapshot, or make room there",
            needed.div_ceil(MIB),
            folder.display(),
            free / MIB
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leaves_the_disk_some_room() {
        let folder = Path::new("/somewhere");
        assert!(has_space(folder, SPARE, SPARE).is_ok());
        let refused = has_space(folder, SPARE + 1, SPARE).unwrap_err().to_string();
        assert!(refused.contains("needs 65 MiB") && refused.contains("/somewhere has 64 MiB free"));
    }
}
