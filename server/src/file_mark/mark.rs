//! The mark itself: what stands in a directory of stored files about whose it is.

use std::fs;
use std::io::{ErrorKind, Read as _, Result, Write as _};
use std::path::Path;

use ward_instance::Random;
use ward_instance::holder::{HOLDER_BYTES, HOLDER_FILE, Holder};

use super::unread;
use crate::place::ServerError;

/// What stands in a directory about whose it is.
pub enum Mark {
    /// An instance.
    Of(Holder),
    /// Something that names none.
    Unreadable,
    /// Nothing.
    None,
}

/// Reads the mark of a directory.
pub fn read(files: &Path) -> std::result::Result<Mark, ServerError> {
    let path = files.join(HOLDER_FILE);
    Ok(match bytes(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Mark::None,
        Err(error) => return Err(unread(&path, &error)),
        Ok(None) => Mark::Unreadable,
        Ok(Some(text)) if is_blank(&text) => Mark::None,
        Ok(Some(text)) => serde_json::from_slice(&text).map_or(Mark::Unreadable, Mark::Of),
    })
}

/// Writes the mark in one step, and never over what another one has written.
pub fn write(files: &Path, text: &[u8]) -> Result<()> {
    fs::create_dir_all(files)?;
    let mark = files.join(HOLDER_FILE);
    // Processes of two containers may have the same number.
    let beside = || files.join(format!("{HOLDER_FILE}.{}", Random::os().base62(16)));
    if matches!(bytes(&mark), Ok(Some(text)) if is_blank(&text)) {
        clear_blank(&mark, &beside())?;
    }
    let new = beside();
    create(&new, text)?;
    let placed = match fs::hard_link(&new, &mark) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // A file system without links.
        Err(_) => match create(&mark, text) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        },
        Ok(()) => Ok(()),
    };
    let _ = fs::remove_file(&new);
    placed
}

/// Makes a file that was not there; where it can't be filled, there is none.
fn create(path: &Path, text: &[u8]) -> Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(text);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Takes a blank mark away. What another one has put into its place meanwhile comes back.
fn clear_blank(mark: &Path, aside: &Path) -> Result<()> {
    match fs::rename(mark, aside) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        moved => moved?,
    }
    let is_blank = matches!(bytes(aside), Ok(Some(text)) if is_blank(&text));
    match is_blank {
        true => fs::remove_file(aside),
        false => match fs::hard_link(aside, mark) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => fs::rename(aside, mark),
            _ => fs::remove_file(aside),
        },
    }
}

/// What is in a file, as far as a mark goes; none of what is no file: a pipe would never be opened.
fn bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(HOLDER_BYTES).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Whether it is what a power cut leaves of a file.
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte == 0)
}
