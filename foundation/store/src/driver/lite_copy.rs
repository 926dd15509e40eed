//! Copies of a SQLite database, each a new file.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::driver::lite::{Lite, create_file};
use crate::driver::lite_error::map;
use crate::error::StoreError;

/// A log of more bytes is not copied as it is: whoever opens the copy would read it first.
const LOG_COPIED: u64 = 8 << 20;
/// Bytes before the log's first frame, and before the page of each.
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;

/// Copies the whole database, as of now, into a new file, page by page. `is_kept`: until it is on
/// the disk, and without a write-ahead log, so that the file is all there is.
///
/// Neither connection has this module's settings: each of them would have the definitions of all
/// tables read, which takes as long as the copy.
pub(crate) fn copy_pages(from: &Path, path: &Path, is_kept: bool) -> Result<(), StoreError> {
    create_file(path)?;
    // Of a copy that failed nothing is left: the disk may be full.
    copy_into(from, path, is_kept).inspect_err(|_| drop(std::fs::remove_file(path)))
}

fn copy_into(from: &Path, path: &Path, is_kept: bool) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| map(&error))?;
    let mut copy = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|error| map(&error))?;
    copy.execute_batch("PRAGMA synchronous = OFF").map_err(|error| map(&error))?;
    let backup = Backup::new(&source, &mut copy).map_err(|error| map(&error))?;
    let stepped = backup.step(-1).map_err(|error| map(&error))?;
    drop(backup);
    if stepped != StepResult::Done {
        return Err(StoreError::Unavailable("the database is busy; try again".into()));
    }
    if is_kept {
        copy.execute_batch("PRAGMA journal_mode = DELETE").map_err(|error| map(&error))?;
    }
    copy.close().map_err(|(_, error)| map(&error))?;
    let synced = || std::fs::File::open(path)?.sync_all();
    match is_kept {
        true => synced().map_err(|error| StoreError::Full(format!("the copy: {error}"))),
        false => Ok(()),
    }
}

/// Copies the files of a database as they are, from the thread of its writer, which writes nothing
/// meanwhile: what a crash would leave, so that whoever opens the copy finds what was committed.
/// False where the log is too long for that.
///
/// Pages that are written back from the log meanwhile may be torn in the copy of the file; the log
/// has them, since only the writer begins it anew. `file` stays open for as long as anybody has a
/// connection: closing it would let go of what SQLite has locked.
pub(crate) fn copy_files(file: &File, from: &Path, to: &Path) -> Result<bool, StoreError> {
    let log = match File::open(log_of(from)) {
        Ok(log) => Some(log),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(&error)),
    };
    let length = log.as_ref().map_or(Ok(0), committed).map_err(|error| failed(&error))?;
    if length > LOG_COPIED {
        return Ok(false);
    }
    create_file(to)?;
    let copied = copy_file(file, to, u64::MAX).and_then(|()| match &log {
        Some(log) => copy_file(log, &log_of(to), length),
        None => Ok(()),
    });
    // Of a copy that failed nothing is left: the disk may be full.
    copied.map_err(|error| failed(&error)).inspect_err(|_| remove(to))?;
    Ok(true)
}

/// Removes a copy with its log.
pub(crate) fn remove(copy: &Path) {
    drop(std::fs::remove_file(copy));
    drop(std::fs::remove_file(log_of(copy)));
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// So many bytes of the log hold what was committed: the file is as long as the longest log was. What
/// this thread committed last is there; behind it may be what an outside tool did (the WAL's format 4.1:
/// the header tells the size of a page and the salts that frames of this log have).
fn committed(log: &File) -> io::Result<u64> {
    let length = log.metadata()?.len();
    let mut header = [0; LOG_HEADER as usize];
    if length < LOG_HEADER {
        return Ok(length);
    }
    log.read_exact_at(&mut header, 0)?;
    let page = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    let size = FRAME_HEADER as u64 + u64::from(page);
    let end = |frames: u64| LOG_HEADER.saturating_add(frames.saturating_mul(size));
    let mut frames = u64::try_from(Lite::log().pages).unwrap_or(0);
    let mut frame = [0; FRAME_HEADER];
    while end(frames + 1) <= length {
        log.read_exact_at(&mut frame, end(frames))?;
        if frame[8..16] != header[16..24] {
            break;
        }
        frames += 1;
    }
    Ok(end(frames).min(length))
}

/// The first so many bytes.
fn copy_file(mut from: &File, to: &Path, length: u64) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut made = options.write(true).create(true).truncate(true).mode(0o600).open(to)?;
    from.rewind()?;
    io::copy(&mut from.take(length), &mut made).map(drop)
}

fn failed(error: &io::Error) -> StoreError {
    StoreError::Full(format!("the copy of the database: {error}"))
}
