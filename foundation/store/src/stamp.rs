//! MACs over stored rows. Each begins with the version of the root that made
//! it, so rows stay checkable while an old root is kept.

use ward_instance::{Key, Purpose, RootRing, mac};

use crate::table::Table;
use crate::value::Value;

const VERSION_BYTES: usize = 4;

/// The MAC of the fields under the current root.
pub(crate) fn sign(ring: &RootRing, purpose: Purpose, fields: &[&[u8]]) -> Vec<u8> {
    let mut stamp = ring.current_version().to_be_bytes().to_vec();
    stamp.extend(mac::mac(&ring.derive(purpose), fields));
    stamp
}

/// Whether the stamp is the fields' MAC under the root that it names.
pub(crate) fn verify(ring: &RootRing, purpose: Purpose, fields: &[&[u8]], stamp: &[u8]) -> bool {
    verify_with(|version| ring.derive_version(version, purpose), fields, stamp)
}

/// The same with the key of that root from elsewhere.
pub(crate) fn verify_with(
    key: impl FnOnce(u32) -> Option<Key>,
    fields: &[&[u8]],
    stamp: &[u8],
) -> bool {
    let Some((version, tag)) = stamp.split_first_chunk::<VERSION_BYTES>() else {
        return false;
    };
    key(u32::from_be_bytes(*version)).is_some_and(|key| mac::verify(&key, fields, tag))
}

/// The root that a stamp names.
pub(crate) fn version_of(stamp: &[u8]) -> Option<u32> {
    stamp.first_chunk::<VERSION_BYTES>().map(|version| u32::from_be_bytes(*version))
}

/// A row's stored values as the fields of a MAC, without the named columns.
pub(crate) fn row_fields(table: &Table, stored: &[Value], without: &[&str]) -> Vec<Vec<u8>> {
    let columns = table.columns.iter().zip(stored);
    let mut fields = vec![table.name.as_bytes().to_vec()];
    fields.extend(
        columns.filter(|(column, _)| !without.contains(&column.name)).map(|(_, it)| bytes(it)),
    );
    fields
}

/// The value with its kind in front, so that no two values read the same.
fn bytes(value: &Value) -> Vec<u8> {
    let (kind, content): (u8, Vec<u8>) = match value {
        Value::Null | Value::Ints(_) | Value::Texts(_) => (0, Vec::new()),
        Value::Int(number) => (1, number.to_be_bytes().to_vec()),
        Value::Text(text) => (2, text.as_bytes().to_vec()),
        Value::Bytes(bytes) => (3, bytes.to_vec()),
    };
    let mut out = vec![kind];
    out.extend(content);
    out
}

/// Signs a row's stored values.
pub(crate) fn sign_row(
    ring: &RootRing,
    table: &Table,
    stored: &[Value],
    without: &[&str],
) -> Vec<u8> {
    let fields = row_fields(table, stored, without);
    sign(ring, Purpose::RowMac, &slices(&fields))
}

/// Whether a row's stored values are as they were signed.
pub(crate) fn verify_row(
    ring: &RootRing,
    table: &Table,
    stored: &[Value],
    without: &[&str],
    stamp: &[u8],
) -> bool {
    verify_row_with(
        |version| ring.derive_version(version, Purpose::RowMac),
        table,
        stored,
        without,
        stamp,
    )
}

/// The same with the key of the stamp's root from elsewhere.
pub(crate) fn verify_row_with(
    key: impl FnOnce(u32) -> Option<Key>,
    table: &Table,
    stored: &[Value],
    without: &[&str],
    stamp: &[u8],
) -> bool {
    let fields = row_fields(table, stored, without);
    verify_with(key, &slices(&fields), stamp)
}

fn slices(fields: &[Vec<u8>]) -> Vec<&[u8]> {
    fields.iter().map(Vec::as_slice).collect()
}

/// Lower-case hexadecimal.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of hexadecimal text.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let pair = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}
