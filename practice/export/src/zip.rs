//! The headers of a ZIP archive whose entries are stored as they are (APPNOTE 4.3): pure functions.
//! Entries are of less than 4 GiB, and so is the archive, since its bound is far below.

/// An entry that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the archive.
    pub name: String,
    /// Of its bytes.
    pub crc: u32,
    /// How many.
    pub size: u32,
    /// Where its header begins.
    pub at: u32,
}

/// Stored, with a name in UTF-8, made by version 2.0 at the first moment that a ZIP can tell: the
/// same rows make the same archive.
const FIXED: [u16; 5] = [20, 1 << 11, 0, 0, 0x21];

/// What stands before the bytes of an entry.
pub fn local(entry: &Entry) -> Vec<u8> {
    let mut out = b"PK\x03\x04".to_vec();
    facts(&mut out, entry);
    out.extend(entry.name.as_bytes());
    out
}

/// The list of all entries, which an archive ends with; it begins at `at`.
pub fn directory(entries: &[Entry], at: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        out.extend(b"PK\x01\x02");
        // Made by the same version that is needed.
        out.extend(20u16.to_le_bytes());
        facts(&mut out, entry);
        // No comment, first disk, no attributes.
        out.extend([0u8; 10]);
        out.extend(entry.at.to_le_bytes());
        out.extend(entry.name.as_bytes());
    }
    let size = u32::try_from(out.len()).unwrap_or(u32::MAX);
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0u8; 2]);
    out
}

fn facts(out: &mut Vec<u8>, entry: &Entry) {
    for number in FIXED {
        out.extend(number.to_le_bytes());
    }
    out.extend(entry.crc.to_le_bytes());
    out.extend(entry.size.to_le_bytes());
    out.extend(entry.size.to_le_bytes());
    let name = u16::try_from(entry.name.len()).unwrap_or(u16::MAX);
    out.extend(name.to_le_bytes());
    out.extend(0u16.to_le_bytes());
}

/// The check sum of an entry's bytes, as they come.
#[derive(Clone, Copy, Debug)]
pub struct Crc(u32);

impl Default for Crc {
    fn default() -> Self {
        Crc(u32::MAX)
    }
}

impl Crc {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let at = (self.0 ^ u32::from(*byte)) & 0xff;
            self.0 = (self.0 >> 8) ^ TABLE[at as usize];
        }
    }

    /// The sum.
    pub const fn sum(self) -> u32 {
        !self.0
    }
}

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0u32; 256];
    let mut at = 0;
    while at < 256 {
        let mut sum = at as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_one_of_zip() {
        let mut crc = Crc::default();
        crc.update(b"1234");
        crc.update(b"56789");
        assert_eq!(crc.sum(), 0xcbf4_3926);
        assert_eq!(Crc::default().sum(), 0);
    }

    #[test]
    fn headers_have_their_lengths() {
        let entry = Entry { name: "a/é".to_owned(), crc: 1, size: 2, at: 3 };
        assert_eq!(local(&entry).len(), 30 + 4);
        assert_eq!(directory(&[entry], 36).len(), 46 + 4 + 22);
    }
}
