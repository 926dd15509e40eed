//! Sealing of single fields and wrapping of the data keys that seal them.
//!
//! A sealed field opens only where it was sealed: kind, instance, table, column, organization, row
//! and key version are authenticated with it, so a copied ciphertext is garbage (ISO-03).
//! Layout: algorithm (1 byte, 1 = XChaCha20-Poly1305), key version (u32, big-endian), nonce
//! (24 bytes), ciphertext with its 16-byte tag.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::kind::{InstanceId, Kind};
use crate::mac::length_prefixed;
use crate::random::Random;
use crate::root::{Key, Purpose, RootRing};

const XCHACHA20_POLY1305: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + 4 + NONCE_BYTES;

/// Bytes that sealing adds to a field.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;

/// Why something sealed did not open. Says nothing about the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Too short, or not a sealed value at all.
    #[error("not a sealed value")]
    Malformed,
    /// Sealed with an algorithm that this version does not know.
    #[error("sealed with unknown algorithm {0}")]
    Algorithm(u8),
    /// Sealed under a key of another version, or a root that is gone.
    #[error("sealed under key version {0}, which is not at hand")]
    Version(u32),
    /// Altered, moved from elsewhere, or sealed by another instance.
    #[error("sealed elsewhere or altered")]
    Refused,
    /// The input exceeds what the cipher or the chunk can take.
    #[error("too large to seal")]
    TooLarge,
    /// Reading or writing the stream failed.
    #[error("the stream failed: {0}")]
    Io(std::io::ErrorKind),
}

/// Where a sealed field lives.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The column's name.
    pub column: &'a str,
    /// The root organization whose data key this is.
    pub org_id: i64,
    /// The row's primary key as text.
    pub row: &'a str,
}

/// Seals and opens fields under one data key of one instance.
pub struct Sealer {
    kind: Kind,
    instance_id: InstanceId,
    cipher: XChaCha20Poly1305,
    version: u32,
}

impl Sealer {
    /// A sealer for data key `key`, known in the database as `version`.
    pub fn new(kind: Kind, instance_id: InstanceId, key: &Key, version: u32) -> Self {
        Self { kind, instance_id, cipher: cipher(key), version }
    }

    /// The version of the data key.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Seals `plain` for `at` under a fresh random nonce.
    pub fn seal(&self, at: &Place<'_>, plain: &[u8], random: &Random) -> Vec<u8> {
        seal_blob(&self.cipher, self.version, &self.aad(at), plain, random)
    }

    /// Opens what was sealed for exactly `at`; the plain text is wiped when dropped.
    pub fn open(&self, at: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let version = version_of(sealed)?;
        if version != self.version {
            return Err(SealError::Version(version));
        }
        open_blob(&self.cipher, &self.aad(at), sealed)
    }

    fn aad(&self, at: &Place<'_>) -> Vec<u8> {
        length_prefixed(&[
            self.kind.as_str().as_bytes(),
            self.instance_id.as_bytes(),
            at.table.as_bytes(),
            at.column.as_bytes(),
            &at.org_id.to_be_bytes(),
            at.row.as_bytes(),
            &self.version.to_be_bytes(),
        ])
    }
}

/// The key version that a sealed value names, to choose the right [`Sealer`].
pub fn version_of(sealed: &[u8]) -> Result<u32, SealError> {
    match sealed {
        [XCHACHA20_POLY1305, a, b, c, d, ..] if sealed.len() >= OVERHEAD_BYTES => {
            Ok(u32::from_be_bytes([*a, *b, *c, *d]))
        }
        [XCHACHA20_POLY1305, ..] | [] => Err(SealError::Malformed),
        [other, ..] => Err(SealError::Algorithm(*other)),
    }
}

/// Which data key a wrapped key is.
#[derive(Clone, Copy, Debug)]
pub struct DataKeyName<'a> {
    /// The root organization that the key belongs to.
    pub org_id: i64,
    /// The sensitivity class, for example `clinical`.
    pub class: &'a str,
    /// The version of the data key.
    pub version: u32,
}

/// Wraps a data key under the current root's key-encryption key.
pub fn wrap(ring: &RootRing, name: &DataKeyName<'_>, data_key: &Key, random: &Random) -> Vec<u8> {
    let kek = cipher(&ring.derive(Purpose::Kek));
    seal_blob(&kek, ring.current_version(), &name_aad(ring, name), data_key.as_bytes(), random)
}

/// Unwraps a data key under whichever root wrapped it, if the ring still has that root.
pub fn unwrap(ring: &RootRing, name: &DataKeyName<'_>, wrapped: &[u8]) -> Result<Key, SealError> {
    let version = version_of(wrapped)?;
    let kek = ring.derive_version(version, Purpose::Kek).ok_or(SealError::Version(version))?;
    let plain = open_blob(&cipher(&kek), &name_aad(ring, name), wrapped)?;
    let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| SealError::Malformed)?;
    Ok(Key::from_bytes(bytes))
}

fn name_aad(ring: &RootRing, name: &DataKeyName<'_>) -> Vec<u8> {
    length_prefixed(&[
        b"ward/data-key/v1",
        ring.kind().as_str().as_bytes(),
        ring.instance_id().as_bytes(),
        &name.org_id.to_be_bytes(),
        name.class.as_bytes(),
        &name.version.to_be_bytes(),
    ])
}

pub(crate) fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.as_bytes().into())
}

fn seal_blob(
    cipher: &XChaCha20Poly1305,
    version: u32,
    aad: &[u8],
    plain: &[u8],
    random: &Random,
) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    random.fill(&mut nonce);
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
        .expect("a field is shorter than the cipher's 256 GiB");
    let mut blob = Vec::with_capacity(HEADER_BYTES + sealed.len());
    blob.push(XCHACHA20_POLY1305);
    blob.extend_from_slice(&version.to_be_bytes());
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&sealed);
    blob
}

fn open_blob(
    cipher: &XChaCha20Poly1305,
    aad: &[u8],
    blob: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (header, sealed) = blob.split_at_checked(HEADER_BYTES).ok_or(SealError::Malformed)?;
    let (_, nonce) = header.split_last_chunk::<NONCE_BYTES>().ok_or(SealError::Malformed)?;
    cipher
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad })
        .map(Zeroizing::new)
        .map_err(|_| SealError::Refused)
}
