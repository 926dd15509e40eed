//! SEC-26, ISO-10b: a backup is whole, as it was made, and of this instance, or it does not open.

use proptest::prelude::*;
use ward_instance::envelope::{EnvelopeError, EnvelopeReader, EnvelopeWriter, Header};
use ward_instance::file_seal::{CHUNK_BYTES, SEALED_CHUNK_BYTES};
use ward_instance::{InstanceId, Kind, Random, RootRing};

use crate::{NOW, vector_ring};

fn header(ring: &RootRing) -> Header {
    Header {
        kind: ring.kind().to_string(),
        tag: ring.tag().to_string(),
        instance_id: ring.instance_id().to_string(),
        created_at: NOW.0,
        restore_epoch: 2,
        root_version: ring.current_version(),
        schema: "a1b2".to_owned(),
        ward: "0.1.0".to_owned(),
    }
}

fn sealed(ring: &RootRing, body: &[u8], step: usize) -> Vec<u8> {
    let mut writer =
        EnvelopeWriter::begin(ring, &header(ring), &Random::seeded(5), Vec::new()).unwrap();
    for part in body.chunks(step.max(1)) {
        writer.write(part).unwrap();
    }
    writer.finish().unwrap()
}

fn opened(ring: &RootRing, bytes: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let mut from = bytes;
    let (header, preamble) = Header::read(&mut from)?;
    header.check(ring)?;
    let mut reader = EnvelopeReader::new(ring, &header, &preamble, from)?;
    let (mut body, mut byte) = (Vec::new(), [0]);
    while reader.read_exact(&mut byte)? {
        body.push(byte[0]);
    }
    Ok(body)
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// Where the parts begin.
fn body_at(bytes: &[u8]) -> usize {
    let length = u32::from_be_bytes(bytes[14..18].try_into().unwrap());
    14 + 4 + length as usize + 19
}

#[test]
fn sec_26_every_length_comes_back() {
    let ring = vector_ring(Kind::Production);
    for len in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
        for step in [7_919, CHUNK_BYTES, usize::MAX] {
            let body = pattern(len);
            assert_eq!(
                opened(&ring, &sealed(&ring, &body, step)).unwrap(),
                body,
                "{len} by {step}"
            );
        }
    }
}

#[test]
fn sec_26_the_header_is_told_before_anything_is_opened() {
    let ring = vector_ring(Kind::Production);
    let bytes = sealed(&ring, b"body", 4);
    let (told, _) = Header::read(&mut &bytes[..body_at(&bytes)]).unwrap();
    assert_eq!(told, header(&ring));
}

#[test]
fn iso_10b_of_the_other_kind_or_instance_it_is_refused_before_it_is_opened() {
    let production = vector_ring(Kind::Production);
    let bytes = sealed(&production, b"body", 4);
    let refused = |ring: &RootRing| match opened(ring, &bytes) {
        Err(EnvelopeError::Foreign(error)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    };
    // The same root in the other environment: the kind decides, not the key.
    let told = refused(&vector_ring(Kind::Sandbox));
    assert!(told.contains("E-ISO-10b") && told.contains("of Production K7QF2"), "{told}");
    let random = Random::seeded(9);
    let other = RootRing::generate(Kind::Production, InstanceId::draw(&random), &random);
    let told = refused(&other);
    assert!(told.contains("another Production, K7QF2"), "{told}");
}

/// A header that is written over to let it pass does not fit what it was sealed with.
#[test]
fn iso_10b_a_forged_header_opens_nothing() {
    let production = vector_ring(Kind::Production);
    let sandbox = vector_ring(Kind::Sandbox);
    let bytes = sealed(&production, b"body", 4);
    let text = String::from_utf8(bytes[18..body_at(&bytes) - 19].to_vec()).unwrap();
    let forged = text.replace("\"production\"", "\"sandbox\"");
    let mut file = bytes[..14].to_vec();
    file.extend((forged.len() as u32).to_be_bytes());
    file.extend(forged.as_bytes());
    file.extend(&bytes[body_at(&bytes) - 19..]);
    assert!(matches!(opened(&sandbox, &file), Err(EnvelopeError::Damaged(1))));
    // Nor another moment or epoch, for the instance itself.
    for (from, to) in [("\"restore_epoch\":2", "\"restore_epoch\":3"), ("\"a1b2\"", "\"a1b3\"")] {
        let file: Vec<u8> =
            [&bytes[..18], text.replace(from, to).as_bytes(), &bytes[body_at(&bytes) - 19..]]
                .concat();
        assert!(matches!(opened(&production, &file), Err(EnvelopeError::Damaged(1))), "{to}");
    }
}

#[test]
fn sec_26_parts_that_are_swapped_repeated_or_left_out_are_noticed() {
    let ring = vector_ring(Kind::Production);
    let bytes = sealed(&ring, &pattern(3 * CHUNK_BYTES + 100), CHUNK_BYTES);
    let start = body_at(&bytes);
    let (head, body) = bytes.split_at(start);
    let parts: Vec<&[u8]> = body.chunks(SEALED_CHUNK_BYTES).collect();
    assert_eq!(parts.len(), 4);
    let with = |order: &[usize]| {
        let mut file = head.to_vec();
        order.iter().for_each(|at| file.extend(parts[*at]));
        opened(&ring, &file)
    };
    assert!(with(&[0, 1, 2, 3]).is_ok());
    for order in [
        &[1, 0, 2, 3][..],
        &[0, 1, 1, 2, 3],
        &[0, 2, 3],
        &[0, 1, 2],
        &[0, 1, 3],
        &[0],
        &[3],
        &[0, 1, 2, 3, 3],
        &[],
    ] {
        assert!(matches!(with(order), Err(EnvelopeError::Damaged(_))), "{order:?}");
    }
    // Parts of two backups of one instance do not go together.
    let other = {
        let mut writer =
            EnvelopeWriter::begin(&ring, &header(&ring), &Random::seeded(6), Vec::new()).unwrap();
        writer.write(&pattern(3 * CHUNK_BYTES + 100)).unwrap();
        writer.finish().unwrap()
    };
    let mixed =
        [&bytes[..start + SEALED_CHUNK_BYTES], &other[start + SEALED_CHUNK_BYTES..]].concat();
    assert!(matches!(opened(&ring, &mixed), Err(EnvelopeError::Damaged(2))));
}

#[test]
fn sec_26_after_a_rotation_the_old_key_file_opens_it() {
    let old = vector_ring(Kind::Production);
    let bytes = sealed(&old, b"of before", 3);
    let mut rotated = (*old).clone();
    rotated.add_root(&Random::seeded(3)).unwrap();
    assert_eq!(opened(&rotated, &bytes).unwrap(), b"of before", "while both roots are there");
    rotated.drop_root(1);
    let refused = opened(&rotated, &bytes).unwrap_err();
    assert!(matches!(refused, EnvelopeError::OldRoot(1)), "{refused}");
    assert!(refused.to_string().contains("--old-key"), "{refused}");
    assert_eq!(rotated.adopt(&old).unwrap(), 1);
    assert_eq!(rotated.adopt(&old).unwrap(), 0, "twice");
    assert_eq!((rotated.current_version(), rotated.versions()), (2, vec![1, 2]));
    assert_eq!(opened(&rotated, &bytes).unwrap(), b"of before");
    // Nobody else's, and no other root of the same number.
    let random = Random::seeded(11);
    let another = RootRing::generate(Kind::Production, InstanceId::draw(&random), &random);
    assert!(rotated.adopt(&another).is_err());
    let same_number = RootRing::generate(Kind::Production, old.instance_id(), &random);
    assert!(rotated.adopt(&same_number).is_err());
    assert!((*old).clone().adopt(&rotated).is_err(), "a newer key file is no old one");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn sec_26_any_flipped_bit_is_refused(len in 0usize..2_000, at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let ring = vector_ring(Kind::Production);
        let mut bytes = sealed(&ring, &pattern(len), 97);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(opened(&ring, &bytes).is_err(), "byte {at}, bit {bit}");
    }

    #[test]
    fn sec_26_any_truncation_and_any_tail_is_refused(len in 0usize..2_000, at in any::<prop::sample::Index>(), tail in prop::collection::vec(any::<u8>(), 1..40)) {
        let ring = vector_ring(Kind::Production);
        let bytes = sealed(&ring, &pattern(len), 97);
        let cut = at.index(bytes.len());
        prop_assert!(opened(&ring, &bytes[..cut]).is_err(), "cut at {cut}");
        let longer = [&bytes[..], &tail].concat();
        prop_assert!(opened(&ring, &longer).is_err(), "{} bytes more", tail.len());
    }

    #[test]
    fn sec_26_no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), begins in any::<bool>()) {
        let ring = vector_ring(Kind::Production);
        let file = if begins { [&b"ward backup 1\n"[..], &bytes].concat() } else { bytes };
        prop_assert!(opened(&ring, &file).is_err());
    }
}
