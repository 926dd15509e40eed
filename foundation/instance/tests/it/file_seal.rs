//! Sealed files: whole, in order, of this place, or not at all.

use proptest::prelude::*;
use ward_instance::file_seal::{
    CHUNK_BYTES, FileOpener, FilePlace, FileSealer, HEADER_BYTES, SEALED_CHUNK_BYTES, file_version,
    open_all,
};
use ward_instance::{Key, Kind, Random, SealError};

use crate::vector_id;

fn place() -> FilePlace<'static> {
    FilePlace { kind: Kind::Sandbox, instance_id: vector_id(), org_id: 7, blob: "b1" }
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let sealer = FileSealer::new(&key(), 3, &place(), &Random::seeded(1));
    assert_eq!(sealer.seal_all(&mut &plain[..], &mut out), Ok(plain.len() as u64));
    out
}

fn opened(at: &FilePlace<'_>, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut out = Vec::new();
    open_all(&key(), at, &mut &bytes[..], &mut out).map(|_| out)
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn lengths_around_the_chunk() {
    for len in
        [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]
    {
        let plain = pattern(len);
        let bytes = sealed(&plain);
        let chunks = len.div_ceil(CHUNK_BYTES).max(1);
        assert_eq!(bytes.len(), HEADER_BYTES + len + 16 * chunks);
        assert_eq!(opened(&place(), &bytes), Ok(plain), "{len}");
        assert_eq!(file_version(&bytes[..HEADER_BYTES]), Ok(3));
    }
}

#[test]
fn cutting_at_a_chunk_is_noticed() {
    let bytes = sealed(&pattern(3 * CHUNK_BYTES));
    for chunks in 0..3 {
        let cut = &bytes[..HEADER_BYTES + chunks * SEALED_CHUNK_BYTES];
        assert_eq!(opened(&place(), cut), Err(SealError::Refused), "{chunks}");
    }
}

#[test]
fn reordering_repeating_and_appending_are_noticed() {
    let bytes = sealed(&pattern(3 * CHUNK_BYTES));
    let (header, body) = bytes.split_at(HEADER_BYTES);
    let chunk = |i: usize| &body[i * SEALED_CHUNK_BYTES..(i + 1) * SEALED_CHUNK_BYTES];
    for order in
        [vec![1, 0, 2], vec![0, 0, 2], vec![0, 1, 1], vec![0, 2, 1], vec![0, 1, 2, 2], vec![2]]
    {
        let mut forged = header.to_vec();
        for index in &order {
            forged.extend_from_slice(chunk(*index));
        }
        assert!(opened(&place(), &forged).is_err(), "{order:?}");
    }
}

#[test]
fn another_place_opens_nothing() {
    let bytes = sealed(b"text");
    let id = "99eef100112233445566778899aabbcd".parse().unwrap();
    let others = [
        FilePlace { blob: "b2", ..place() },
        FilePlace { org_id: 8, ..place() },
        FilePlace { kind: Kind::Production, ..place() },
        FilePlace { instance_id: id, ..place() },
    ];
    for other in others {
        assert_eq!(opened(&other, &bytes), Err(SealError::Refused));
    }
}

#[test]
fn one_chunk_of_many_opens_alone() {
    let plain = pattern(2 * CHUNK_BYTES + 5);
    let bytes = sealed(&plain);
    let opener = FileOpener::new(&key(), &place(), &bytes[..HEADER_BYTES]).unwrap();
    let second = &bytes[HEADER_BYTES + SEALED_CHUNK_BYTES..HEADER_BYTES + 2 * SEALED_CHUNK_BYTES];
    let chunk = opener.open_at(1, false, second).unwrap();
    assert_eq!(chunk.as_slice(), &plain[CHUNK_BYTES..2 * CHUNK_BYTES]);
    assert!(opener.open_at(0, false, second).is_err());
    assert!(opener.open_at(1, true, second).is_err());
}

#[test]
fn chunks_of_a_wrong_size_are_refused() {
    let mut sealer = FileSealer::new(&key(), 3, &place(), &Random::seeded(1));
    assert_eq!(sealer.chunk(b"short"), Err(SealError::Malformed));
    assert_eq!(sealer.finish(&pattern(CHUNK_BYTES + 1)), Err(SealError::Malformed));
}

proptest! {
    #[test]
    fn no_flipped_bit_opens(at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = sealed(b"a short file");
        let position = at.index(bytes.len());
        bytes[position] ^= 1 << bit;
        prop_assert!(opened(&place(), &bytes).is_err());
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(opened(&place(), &bytes).is_err());
    }
}
