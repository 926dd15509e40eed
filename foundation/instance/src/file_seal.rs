//! Sealing of files in chunks, so that neither side holds a whole file in memory.
//!
//! A sealed file is a header (`WDF1`, key version as u32, 19 random bytes) and chunks of 64 KiB,
//! each with its own tag; the last one is shorter or full, and empty only for an empty file. The
//! nonce of a chunk is the random part, its number and a flag for the last (the STREAM construction
//! of Hoang, Reyhanitabar, Rogaway and Vizar, 2015): cutting off, swapping and reordering all fail.

use std::io::{Read, Write};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::kind::{InstanceId, Kind};
use crate::mac::length_prefixed;
use crate::random::Random;
use crate::root::Key;
use crate::seal::{SealError, cipher};

/// Plain bytes in every chunk but the last.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 4 + 4 + PREFIX_BYTES;
/// Sealed bytes of a full chunk.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + 16;

const MAGIC: &[u8; 4] = b"WDF1";
/// Bytes that are drawn for each stream.
pub(crate) const PREFIX_BYTES: usize = 19;

/// Which file this is; a file sealed for one place opens in no other.
#[derive(Clone, Copy, Debug)]
pub struct FilePlace<'a> {
    /// The instance's kind.
    pub kind: Kind,
    /// The instance.
    pub instance_id: InstanceId,
    /// The root organization whose data key seals the file.
    pub org_id: i64,
    /// The blob's id in the database.
    pub blob: &'a str,
}

/// The STREAM construction over one key, with what is authenticated beside each chunk.
pub(crate) struct Chunks {
    cipher: XChaCha20Poly1305,
    aad: Vec<u8>,
    prefix: [u8; PREFIX_BYTES],
}

impl Chunks {
    /// Of any stream: `aad` says which, `prefix` was drawn for it.
    pub(crate) fn of(key: &Key, aad: Vec<u8>, prefix: [u8; PREFIX_BYTES]) -> Self {
        Self { cipher: cipher(key), aad, prefix }
    }

    fn new(key: &Key, version: u32, at: &FilePlace<'_>, prefix: [u8; PREFIX_BYTES]) -> Self {
        let aad = length_prefixed(&[
            b"ward/file/v1",
            at.kind.as_str().as_bytes(),
            at.instance_id.as_bytes(),
            &at.org_id.to_be_bytes(),
            at.blob.as_bytes(),
            &version.to_be_bytes(),
        ]);
        Self::of(key, aad, prefix)
    }

    fn nonce(&self, index: u32, last: bool) -> XNonce {
        let mut nonce = [0; 24];
        let parts = self.prefix.iter().copied().chain(index.to_be_bytes()).chain([u8::from(last)]);
        for (byte, part) in nonce.iter_mut().zip(parts) {
            *byte = part;
        }
        XNonce::from(nonce)
    }

    pub(crate) fn seal(&self, index: u32, last: bool, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let payload = Payload { msg: plain, aad: &self.aad };
        self.cipher.encrypt(&self.nonce(index, last), payload).map_err(|_| SealError::TooLarge)
    }

    pub(crate) fn open(
        &self,
        index: u32,
        last: bool,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let payload = Payload { msg: sealed, aad: &self.aad };
        let plain = self.cipher.decrypt(&self.nonce(index, last), payload);
        plain.map(Zeroizing::new).map_err(|_| SealError::Refused)
    }
}

/// Seals one file, chunk after chunk.
pub struct FileSealer {
    chunks: Chunks,
    header: [u8; HEADER_BYTES],
    next: u32,
}

impl FileSealer {
    /// Begins a file under data key `key` of `version`.
    pub fn new(key: &Key, version: u32, at: &FilePlace<'_>, random: &Random) -> Self {
        let mut prefix = [0; PREFIX_BYTES];
        random.fill(&mut prefix);
        let mut header = [0; HEADER_BYTES];
        let parts = MAGIC.iter().copied().chain(version.to_be_bytes()).chain(prefix);
        for (byte, part) in header.iter_mut().zip(parts) {
            *byte = part;
        }
        Self { chunks: Chunks::new(key, version, at, prefix), header, next: 0 }
    }

    /// The bytes that the sealed file begins with.
    pub const fn header(&self) -> &[u8; HEADER_BYTES] {
        &self.header
    }

    /// Seals a chunk that is not the last: exactly [`CHUNK_BYTES`].
    pub fn chunk(&mut self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() != CHUNK_BYTES {
            return Err(SealError::Malformed);
        }
        let index = self.next;
        self.next = index.checked_add(1).ok_or(SealError::TooLarge)?;
        self.chunks.seal(index, false, plain)
    }

    /// Seals the last chunk: up to [`CHUNK_BYTES`], possibly nothing.
    pub fn finish(self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() > CHUNK_BYTES {
            return Err(SealError::Malformed);
        }
        self.chunks.seal(self.next, true, plain)
    }

    /// Seals all of `from` into `to`; gives the number of plain bytes.
    pub fn seal_all(mut self, from: &mut impl Read, to: &mut impl Write) -> Result<u64, SealError> {
        to.write_all(&self.header).map_err(io)?;
        let mut total = 0;
        let mut held = read_up_to(from, CHUNK_BYTES)?;
        loop {
            total += held.len() as u64;
            let ahead = read_up_to(from, CHUNK_BYTES)?;
            if ahead.is_empty() {
                to.write_all(&self.finish(&held)?).map_err(io)?;
                return Ok(total);
            }
            to.write_all(&self.chunk(&held)?).map_err(io)?;
            held = ahead;
        }
    }
}

/// Opens one sealed file, in order or at any chunk.
pub struct FileOpener {
    chunks: Chunks,
    next: u32,
}

impl FileOpener {
    /// Begins with the file's header; `key` must be the data key of [`file_version`].
    pub fn new(key: &Key, at: &FilePlace<'_>, header: &[u8]) -> Result<Self, SealError> {
        let version = file_version(header)?;
        let (_, prefix) = header.split_last_chunk().ok_or(SealError::Malformed)?;
        Ok(Self { chunks: Chunks::new(key, version, at, *prefix), next: 0 })
    }

    /// Opens the next chunk, which is not the last.
    pub fn chunk(&mut self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let index = self.next;
        self.next = index.checked_add(1).ok_or(SealError::TooLarge)?;
        self.open_at(index, false, sealed)
    }

    /// Opens the last chunk. A file is whole only when this succeeded.
    pub fn finish(self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.open_at(self.next, true, sealed)
    }

    /// Opens chunk `index` alone, for answers to range requests.
    pub fn open_at(
        &self,
        index: u32,
        last: bool,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if sealed.len() > SEALED_CHUNK_BYTES || (!last && sealed.len() != SEALED_CHUNK_BYTES) {
            return Err(SealError::Malformed);
        }
        self.chunks.open(index, last, sealed)
    }
}

/// Opens all of `from` into `to`; gives the number of plain bytes. `to` may have received a part of
/// the file when this fails: each part was authentic, the whole was not.
pub fn open_all(
    key: &Key,
    at: &FilePlace<'_>,
    from: &mut impl Read,
    to: &mut impl Write,
) -> Result<u64, SealError> {
    let header = read_up_to(from, HEADER_BYTES)?;
    let mut opener = FileOpener::new(key, at, &header)?;
    let mut total = 0;
    let mut held = read_up_to(from, SEALED_CHUNK_BYTES)?;
    loop {
        let ahead = read_up_to(from, SEALED_CHUNK_BYTES)?;
        if ahead.is_empty() {
            let plain = opener.finish(&held)?;
            to.write_all(&plain).map_err(io)?;
            return Ok(total + plain.len() as u64);
        }
        let plain = opener.chunk(&held)?;
        to.write_all(&plain).map_err(io)?;
        total += plain.len() as u64;
        held = ahead;
    }
}

/// The data key version that a sealed file's header names.
pub fn file_version(header: &[u8]) -> Result<u32, SealError> {
    let rest = header.strip_prefix(MAGIC).ok_or(SealError::Malformed)?;
    let (version, prefix) = rest.split_first_chunk().ok_or(SealError::Malformed)?;
    match prefix.len() {
        PREFIX_BYTES => Ok(u32::from_be_bytes(*version)),
        _ => Err(SealError::Malformed),
    }
}

fn read_up_to(from: &mut impl Read, limit: usize) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    from.take(limit as u64).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn io(error: std::io::Error) -> SealError {
    SealError::Io(error.kind())
}
