//! A backup's files, beside those of the instance until its rows have taken their place.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ward_store::{BlobDirectory, StoreError};

use crate::place::ServerError;

/// What the directories are called, before the restore epoch.
const NAME: &str = "restoring-";

/// The files of one restore.
pub struct StagedFiles {
    directory: PathBuf,
    current: Option<BufWriter<File>>,
}

impl StagedFiles {
    /// An empty place for them, inside the instance's: on the same volume. What is left of other
    /// restores is removed, but not what the database that is there, of epoch `present`, waits for.
    pub fn begin(files: &Path, epoch: i64, present: Option<i64>) -> Result<Self, ServerError> {
        forget(files, present);
        let directory = files.join(format!("{NAME}{epoch}"));
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&directory).map_err(|error| failed(&directory, &error))?;
        Ok(StagedFiles { directory, current: None })
    }

    /// The next file; its name is one of ours.
    pub fn next(&mut self, id: &str) -> Result<(), ServerError> {
        self.end_current()?;
        let is_name = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if !is_name {
            return Err(StoreError::corrupt("backup", "a file's id is no UUID").into());
        }
        let path = self.directory.join(id);
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(&path);
        self.current = Some(BufWriter::new(made.map_err(|error| failed(&path, &error))?));
        Ok(())
    }

    /// Bytes of the file that came last.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ServerError> {
        match &mut self.current {
            Some(file) => file.write_all(bytes).map_err(|error| failed(&self.directory, &error)),
            None => Err(StoreError::corrupt("backup", "bytes of no file").into()),
        }
    }

    /// All of them are on the disk.
    pub fn settle(mut self) -> Result<(), ServerError> {
        self.end_current()?;
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| failed(&self.directory, &error))
    }

    fn end_current(&mut self) -> Result<(), ServerError> {
        let Some(file) = self.current.take() else { return Ok(()) };
        let ended = file.into_inner().map_err(std::io::IntoInnerError::into_error);
        ended.and_then(|file| file.sync_all()).map_err(|error| failed(&self.directory, &error))
    }
}

/// Whether a folder of this name holds the files of a restore.
pub(crate) fn is_staged(name: &str) -> bool {
    name.starts_with(NAME)
}

fn failed(path: &Path, error: &std::io::Error) -> ServerError {
    ServerError::System(format!("cannot write {}: {error}", path.display()))
}

/// Refuses where not all of a restore's files wait for their rows: somebody cleared them away.
pub(super) fn check(files: &Path, epoch: i64, expected: u64) -> Result<(), ServerError> {
    let directory = files.join(format!("{NAME}{epoch}"));
    let found = fs::read_dir(&directory).map_or(0, |entries| entries.flatten().count() as u64);
    if directory.is_dir() && found == expected {
        return Ok(());
    }
    Err(ServerError::System(format!(
        "{found} of the backup's {expected} files are in {}, the others were removed meanwhile; stop every node that has this directory of files and try again: nothing was changed",
        directory.display()
    )))
}

/// Brings the files of the restore that the database is of to their places, and removes those of
/// one that never came about.
pub(crate) fn finish(files: &Path, restore_epoch: i64) -> Result<(), ServerError> {
    for (directory, epoch) in staged(files) {
        if epoch == Some(restore_epoch) {
            BlobDirectory::beside(files).take_in(&directory)?;
        }
        fs::remove_dir_all(&directory).map_err(|error| failed(&directory, &error))?;
    }
    Ok(())
}

/// Removes those of restores that were cut off, and never those of the database that is there.
pub(super) fn forget(files: &Path, present: Option<i64>) {
    for (directory, epoch) in staged(files) {
        if present.is_some() && epoch == present {
            continue;
        }
        if let Err(error) = fs::remove_dir_all(&directory)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, "files of a restore could not be removed");
        }
    }
}

fn staged(files: &Path) -> Vec<(PathBuf, Option<i64>)> {
    let entries = fs::read_dir(files).into_iter().flatten().flatten();
    let named = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let epoch = name.strip_prefix(NAME)?.parse().ok();
        Some((entry.path(), epoch))
    };
    entries.filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890000-0000-8000-8000-000000000000";

    fn stage(files: &Path, epoch: i64) {
        let directory = files.join(format!("{NAME}{epoch}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(ID), "sealed").unwrap();
    }

    #[test]
    fn the_files_of_the_database_that_is_there_stay() {
        let place = tempfile::tempdir().unwrap();
        let files = place.path();
        for epoch in [2, 3, 4] {
            stage(files, epoch);
        }
        let begun = StagedFiles::begin(files, 4, Some(3)).unwrap();
        let mut left: Vec<_> = staged(files).into_iter().map(|(_, epoch)| epoch.unwrap()).collect();
        left.sort_unstable();
        assert_eq!(left, [3, 4]);
        assert!(!begun.directory.join(ID).exists(), "a file of an earlier attempt is left");
        assert!(files.join(format!("{NAME}3")).join(ID).exists());
        assert!(check(files, 4, 0).is_ok() && check(files, 3, 1).is_ok());
        forget(files, Some(3));
        assert_eq!(staged(files).len(), 1);
        // What was cleared away under a restore is noticed before its rows are there.
        assert!(check(files, 4, 0).is_err() && check(files, 3, 2).is_err());
        // No database: nobody waits for any of them.
        forget(files, None);
        assert!(staged(files).is_empty());
    }
}
