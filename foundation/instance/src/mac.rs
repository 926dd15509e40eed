//! Message authentication and digests over length-prefixed fields.
//!
//! Each field is preceded by its length as eight big-endian bytes, so no two lists of fields give
//! the same input: moving a character from one field to the next changes the result.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::{Digest, Sha256};

use crate::root::Key;

/// The fields one after the other, each after its length (u64, big-endian).
pub fn length_prefixed(fields: &[&[u8]]) -> Vec<u8> {
    let size = fields.iter().map(|field| field.len() + 8).sum();
    let mut bytes = Vec::with_capacity(size);
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

/// HMAC-SHA256 over the length-prefixed fields.
pub fn mac(key: &Key, fields: &[&[u8]]) -> [u8; 32] {
    keyed(key, fields).finalize().into_bytes().into()
}

/// Whether `tag` is the MAC of the fields; compares in constant time, whole length only.
pub fn verify(key: &Key, fields: &[&[u8]], tag: &[u8]) -> bool {
    keyed(key, fields).verify_slice(tag).is_ok()
}

/// Whether `tag` is the left part of the MAC, at least 16 bytes of it; constant time.
pub fn verify_truncated(key: &Key, fields: &[&[u8]], tag: &[u8]) -> bool {
    tag.len() >= 16 && keyed(key, fields).verify_truncated_left(tag).is_ok()
}

/// SHA-256 over the length-prefixed fields.
pub fn sha256_fields(fields: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(length_prefixed(fields)).into()
}

fn keyed(key: &Key, fields: &[&[u8]]) -> Hmac<Sha256> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .expect("HMAC-SHA256 takes a key of any length");
    for field in fields {
        hmac.update(&(field.len() as u64).to_be_bytes());
        hmac.update(field);
    }
    hmac
}
