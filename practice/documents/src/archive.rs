//! What the directory of a ZIP archive says: office documents are such. Nothing is
//! unpacked here; whoever opens the file will, and is not to be flooded.

use std::io::{Read, Seek, SeekFrom};

/// Office documents unpack to so many bytes at most.
pub const UNPACKED_BYTES_MAX: u64 = 512 << 20;
/// Beyond this size they unpack to so many times theirs at most.
const RATIO_MAX: u64 = 200;
const RATIO_FROM: u64 = 16 << 20;
/// Members of one archive.
const MEMBERS_MAX: usize = 20_000;
/// A directory of so many bytes at most is read.
const DIRECTORY_BYTES_MAX: u64 = 4 << 20;
/// The end record with the longest comment.
const END_BYTES_MAX: u64 = 22 + 65_535;

/// What an archive holds, by its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Names of the members at the top that tell what it is.
    pub names: Vec<String>,
    /// All members unpacked.
    pub unpacked: u64,
    /// Whether any member is an archive by its name.
    pub nests: bool,
}

impl Contents {
    /// Which office document it is, as a media type and in words.
    pub fn office(&self) -> Option<(&'static str, &'static str)> {
        let has = |start: &str| self.names.iter().any(|name| name.starts_with(start));
        if !self.names.iter().any(|name| name == "[Content_Types].xml") {
            return None;
        }
        match () {
            () if has("word/") => Some((DOCX, "docx")),
            () if has("xl/") => Some((XLSX, "xlsx")),
            () if has("ppt/") => Some((PPTX, "pptx")),
            () => None,
        }
    }

    /// Whether unpacking it would flood whoever does.
    pub fn is_bomb(&self, size: u64) -> bool {
        self.nests
            || self.unpacked > UNPACKED_BYTES_MAX
            || (self.unpacked > RATIO_FROM && self.unpacked > size.saturating_mul(RATIO_MAX))
    }
}

/// A Word document.
pub const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/// An Excel workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// A PowerPoint presentation.
pub const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// Reads the directory; none when it is damaged, split, or larger than any office
/// document's.
pub fn contents(file: &mut (impl Read + Seek)) -> std::io::Result<Option<Contents>> {
    let size = file.seek(SeekFrom::End(0))?;
    let tail = size.min(END_BYTES_MAX);
    file.seek(SeekFrom::Start(size - tail))?;
    let mut end = Vec::new();
    file.take(tail).read_to_end(&mut end)?;
    let Some(at) = end.windows(4).rposition(|part| part == b"PK\x05\x06") else { return Ok(None) };
    let record = end.get(at..).unwrap_or_default();
    let (Some(count), Some(length), Some(start)) =
        (short(record, 10), long(record, 12), long(record, 16))
    else {
        return Ok(None);
    };
    // All ones mean the larger format, which no document of this size needs.
    let fits = u64::from(start) + u64::from(length) <= size;
    if count == u16::MAX || !fits || u64::from(length) > DIRECTORY_BYTES_MAX {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(u64::from(start)))?;
    let mut directory = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut directory)?;
    Ok(members(&directory, usize::from(count)))
}

fn members(mut rest: &[u8], count: usize) -> Option<Contents> {
    let mut found = Contents::default();
    if count > MEMBERS_MAX {
        return None;
    }
    for _ in 0..count {
        if !rest.starts_with(b"PK\x01\x02") {
            return None;
        }
        found.unpacked += u64::from(long(rest, 24)?);
        let [name, extra, comment] = [28, 30, 32].map(|at| short(rest, at).map(usize::from));
        let (name, extra, comment) = (name?, extra?, comment?);
        let text = String::from_utf8_lossy(rest.get(46..46 + name)?).into_owned();
        let lower = text.to_ascii_lowercase();
        found.nests |= [".zip", ".7z", ".rar", ".gz"].iter().any(|end| lower.ends_with(end));
        found.names.push(text);
        rest = rest.get(46 + name + extra + comment..)?;
    }
    Some(found)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Cursor;

    /// An archive whose members claim to unpack to so many bytes.
    pub fn archive(members: &[(&str, u32)]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, unpacked) in members {
            let at = bytes.len() as u32;
            let length = (name.len() as u16).to_le_bytes();
            bytes.extend(b"PK\x03\x04");
            bytes.extend([0; 14]);
            bytes.extend([0; 4]);
            bytes.extend(unpacked.to_le_bytes());
            bytes.extend(length);
            bytes.extend([0; 2]);
            bytes.extend(name.as_bytes());
            directory.extend(b"PK\x01\x02");
            directory.extend([0; 20]);
            directory.extend(unpacked.to_le_bytes());
            directory.extend(length);
            directory.extend([0; 12]);
            directory.extend(at.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let start = bytes.len() as u32;
        bytes.extend(&directory);
        let count = (members.len() as u16).to_le_bytes();
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend(count);
        bytes.extend(count);
        bytes.extend((directory.len() as u32).to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes.extend([0; 2]);
        bytes
    }

    fn read(bytes: Vec<u8>) -> Option<Contents> {
        contents(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn office_documents_are_told_apart() {
        let word =
            read(archive(&[("[Content_Types].xml", 10), ("word/document.xml", 100)])).unwrap();
        assert_eq!(word.office(), Some((DOCX, "docx")));
        assert!(!word.is_bomb(300));
        let other = read(archive(&[("word/document.xml", 100)])).unwrap();
        assert_eq!(other.office(), None);
    }

    #[test]
    fn bombs_are_seen_by_what_they_claim() {
        let members = [("[Content_Types].xml", 10), ("word/document.xml", u32::MAX)];
        assert!(read(archive(&members)).unwrap().is_bomb(400));
        let nested = [("[Content_Types].xml", 10), ("word/x.zip", 10)];
        assert!(read(archive(&nested)).unwrap().is_bomb(400));
    }

    #[test]
    fn damaged_directories_are_none() {
        let whole = archive(&[("[Content_Types].xml", 10), ("word/document.xml", 100)]);
        assert_eq!(read(Vec::new()), None);
        for cut in 1..whole.len() {
            // Never a panic, whatever is missing.
            let _ = read(whole[..cut].to_vec());
            let _ = read(whole[cut..].to_vec());
        }
    }
}
