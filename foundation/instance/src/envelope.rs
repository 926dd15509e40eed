//! The envelope of a backup: a header that anybody may read, and a body that only the instance's
//! root key opens.
//!
//! `ward backup 1` and a line feed, the header's length (u32, big-endian), the header as JSON, 19
//! random bytes, and chunks of 64 KiB sealed as those of stored files are ([`crate::file_seal`]:
//! the STREAM construction over XChaCha20-Poly1305). Every byte of the header is authenticated with
//! every chunk, so a backup can be given another kind, instance or moment by nobody; one that was
//! cut off, reordered, altered or appended to does not open (ISO-10b).

use std::io::{self, ErrorKind, Read, Write};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::IsoError;
use crate::file_seal::{CHUNK_BYTES, Chunks, PREFIX_BYTES, SEALED_CHUNK_BYTES};
use crate::kind::{Kind, Tag};
use crate::mac::length_prefixed;
use crate::random::Random;
use crate::root::{Purpose, RootRing};

const MAGIC: &[u8; 14] = b"ward backup 1\n";
const HEADER_MAX: usize = 4 * 1024;

/// What a backup says of itself before it is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `sandbox` or `production`.
    pub kind: String,
    /// The five characters for people.
    pub tag: String,
    /// The instance that it is of.
    pub instance_id: String,
    /// When it was made, of the wall clock, microseconds since 1970.
    pub created_at: i64,
    /// How often a backup had been brought back before.
    pub restore_epoch: i64,
    /// The root key that it is sealed under.
    pub root_version: u32,
    /// What its tables look like.
    pub schema: String,
    /// The version that made it.
    pub ward: String,
}

/// Why a backup is not brought back.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Of another environment or instance.
    #[error(transparent)]
    Foreign(#[from] IsoError),
    /// The file does not begin as a backup.
    #[error("this is no backup of ward, or its beginning is damaged; nothing was changed")]
    NotOne,
    /// The root key that it needs is not in the key file.
    #[error(
        "the backup is sealed under root key {0}, which the key file does not have any more: the root key was rotated since; name the root.key of that time with --old-key FILE"
    )]
    OldRoot(u32),
    /// A chunk does not open.
    #[error(
        "the backup was altered, cut off or put together from parts: its part {0} does not open; nothing was changed, use another copy of it"
    )]
    Damaged(u32),
    /// The file can't be read or written.
    #[error("the backup can't be read or written: {0}")]
    Io(#[from] io::Error),
    /// It has more parts than there are numbers.
    #[error("the backup would become too large")]
    TooLarge,
}

impl Header {
    /// Reads the beginning of a backup, which is as it was made only once its first part opened.
    pub fn read(from: &mut impl Read) -> Result<(Header, Preamble), EnvelopeError> {
        let mut magic = [0; MAGIC.len()];
        let mut length = [0; 4];
        fill(from, &mut magic)?;
        fill(from, &mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if &magic != MAGIC || length > HEADER_MAX {
            return Err(EnvelopeError::NotOne);
        }
        let mut text = vec![0; length];
        fill(from, &mut text)?;
        let mut prefix = [0; PREFIX_BYTES];
        fill(from, &mut prefix)?;
        let header = serde_json::from_slice(&text).map_err(|_| EnvelopeError::NotOne)?;
        Ok((header, Preamble { text, prefix }))
    }

    /// Refuses a backup that is not of the ring's instance, before anything is decrypted: first of
    /// the other environment, then of another instance.
    pub fn check(&self, ring: &RootRing) -> Result<(), EnvelopeError> {
        // Not known to be true yet, so not shown as it is.
        let tag = self.tag.parse::<Tag>().map(|tag| tag.to_string()).unwrap_or_default();
        if self.kind != ring.kind().as_str() {
            let (of, here) = (title(&self.kind), ring.kind().title());
            return Err(foreign(
                format!("the backup is of {of} {tag} and this is {here} {}", ring.tag()),
                "nothing of one environment is ever brought into the other; name a backup of this instance",
            ));
        }
        if self.instance_id != ring.instance_id().to_string() {
            return Err(foreign(
                format!(
                    "the backup is of another {}, {tag}, and this is {}",
                    ring.kind().title(),
                    ring.tag()
                ),
                "name a backup of this instance, or the directory with that instance's key file",
            ));
        }
        match ring.versions().contains(&self.root_version) {
            true => Ok(()),
            false => Err(EnvelopeError::OldRoot(self.root_version)),
        }
    }
}

fn title(kind: &str) -> &'static str {
    kind.parse::<Kind>().map_or("an unknown environment", Kind::title)
}

fn foreign(sentence: String, fix: &str) -> EnvelopeError {
    IsoError::new("ISO-10b", sentence, fix).into()
}

fn fill(from: &mut impl Read, into: &mut [u8]) -> Result<(), EnvelopeError> {
    from.read_exact(into).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => EnvelopeError::NotOne,
        _ => EnvelopeError::Io(error),
    })
}

/// What was read of a backup's beginning, as it stands in the file.
#[derive(Clone, Debug)]
pub struct Preamble {
    text: Vec<u8>,
    prefix: [u8; PREFIX_BYTES],
}

impl Preamble {
    fn chunks(&self, ring: &RootRing, version: u32) -> Option<Chunks> {
        let key = ring.derive_version(version, Purpose::Backup)?;
        let aad = length_prefixed(&[b"ward/backup/v1", &self.text]);
        Some(Chunks::of(&key, aad, self.prefix))
    }
}

/// Seals a body as it is written; nothing is whole before [`EnvelopeWriter::finish`].
pub struct EnvelopeWriter<W: Write> {
    chunks: Chunks,
    to: W,
    held: Zeroizing<Vec<u8>>,
    next: u32,
}

impl<W: Write> EnvelopeWriter<W> {
    /// Begins a backup with its header.
    pub fn begin(
        ring: &RootRing,
        header: &Header,
        random: &Random,
        mut to: W,
    ) -> Result<Self, EnvelopeError> {
        let text = serde_json::to_vec(header).map_err(io::Error::other)?;
        let mut prefix = [0; PREFIX_BYTES];
        random.fill(&mut prefix);
        let preamble = Preamble { text, prefix };
        let chunks = preamble
            .chunks(ring, header.root_version)
            .ok_or(EnvelopeError::OldRoot(header.root_version))?;
        let length = u32::try_from(preamble.text.len()).map_err(io::Error::other)?;
        to.write_all(MAGIC)?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&preamble.text)?;
        to.write_all(&preamble.prefix)?;
        let held = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES));
        Ok(Self { chunks, to, held, next: 0 })
    }

    /// Appends to the body.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), EnvelopeError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // A full chunk is written only when more follows: the last is marked.
            if self.held.len() == CHUNK_BYTES {
                self.seal(false)?;
            }
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - self.held.len()));
            self.held.extend_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    /// Writes the last part; gives what was written to.
    pub fn finish(mut self) -> Result<W, EnvelopeError> {
        self.seal(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn seal(&mut self, last: bool) -> Result<(), EnvelopeError> {
        let sealed = self.chunks.seal(self.next, last, &self.held);
        self.to.write_all(&sealed.map_err(|_| EnvelopeError::TooLarge)?)?;
        self.held.clear();
        self.next = self.next.checked_add(1).ok_or(EnvelopeError::TooLarge)?;
        Ok(())
    }
}

/// Opens a body part by part. Each part that is answered was sealed by the instance at that place;
/// that nothing is missing is certain only when the end was answered.
pub struct EnvelopeReader<R: Read> {
    chunks: Chunks,
    from: R,
    ahead: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    next: u32,
    ended: bool,
}

impl<R: Read> EnvelopeReader<R> {
    /// Behind the preamble that [`Header::read`] gave and [`Header::check`] let pass.
    pub fn new(
        ring: &RootRing,
        header: &Header,
        preamble: &Preamble,
        mut from: R,
    ) -> Result<Self, EnvelopeError> {
        let version = header.root_version;
        let chunks = preamble.chunks(ring, version).ok_or(EnvelopeError::OldRoot(version))?;
        let ahead = take(&mut from)?;
        let plain = Zeroizing::new(Vec::new());
        Ok(Self { chunks, from, ahead, plain, at: 0, next: 0, ended: false })
    }

    /// Exactly as many bytes as `into` has; false at the end of the body, where none is left.
    pub fn read_exact(&mut self, into: &mut [u8]) -> Result<bool, EnvelopeError> {
        let mut filled = 0;
        while filled < into.len() {
            if self.at == self.plain.len() && !self.open_next()? {
                return match filled {
                    0 => Ok(false),
                    _ => Err(EnvelopeError::Damaged(self.next)),
                };
            }
            let some = (self.plain.len() - self.at).min(into.len() - filled);
            let (from, to) = (self.at..self.at + some, filled..filled + some);
            if let (Some(to), Some(from)) = (into.get_mut(to), self.plain.get(from)) {
                to.copy_from_slice(from);
            }
            filled += some;
            self.at += some;
        }
        Ok(true)
    }

    /// How many parts have been opened.
    pub const fn parts(&self) -> u32 {
        self.next
    }

    fn open_next(&mut self) -> Result<bool, EnvelopeError> {
        if self.ended {
            return Ok(false);
        }
        let sealed = std::mem::take(&mut self.ahead);
        self.ahead = take(&mut self.from)?;
        let last = self.ahead.is_empty();
        let opened = self.chunks.open(self.next, last, &sealed);
        self.plain = opened.map_err(|_| EnvelopeError::Damaged(self.next.saturating_add(1)))?;
        self.at = 0;
        self.ended = last;
        self.next = self.next.checked_add(1).ok_or(EnvelopeError::TooLarge)?;
        Ok(!(last && self.plain.is_empty()))
    }
}

fn take(from: &mut impl Read) -> Result<Vec<u8>, EnvelopeError> {
    let mut bytes = Vec::with_capacity(SEALED_CHUNK_BYTES);
    from.take(SEALED_CHUNK_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
