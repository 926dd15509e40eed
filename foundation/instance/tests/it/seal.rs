//! Sealed fields and wrapped data keys open only where they were sealed.

use proptest::prelude::*;
use ward_instance::seal::{self, DataKeyName, OVERHEAD_BYTES};
use ward_instance::{Key, Kind, Place, Random, RootRing, SealError, Sealer};

use crate::{ring, vector_id};

const AT: Place<'_> = Place { table: "notes", column: "body", org_id: 7, row: "12" };

fn sealer(kind: Kind) -> Sealer {
    Sealer::new(kind, vector_id(), &Key::from_bytes([7; 32]), 3)
}

#[test]
fn every_part_of_the_place_counts() {
    let sealed = sealer(Kind::Sandbox).seal(&AT, b"secret", &Random::seeded(1));
    let elsewhere = [
        Place { table: "tasks", ..AT },
        Place { column: "title", ..AT },
        Place { org_id: 8, ..AT },
        Place { row: "13", ..AT },
        // The same characters, cut at another point.
        Place { table: "note", column: "sbody", ..AT },
    ];
    for place in elsewhere {
        let refusal = sealer(Kind::Sandbox).open(&place, &sealed).unwrap_err();
        assert_eq!(refusal, SealError::Refused, "{place:?}");
    }
    assert_eq!(sealer(Kind::Production).open(&AT, &sealed).unwrap_err(), SealError::Refused);
    let id = "99eef100112233445566778899aabbcd".parse().unwrap();
    let other = Sealer::new(Kind::Sandbox, id, &Key::from_bytes([7; 32]), 3);
    assert_eq!(other.open(&AT, &sealed).unwrap_err(), SealError::Refused);
}

#[test]
fn versions_and_algorithms_are_named() {
    let sealed = sealer(Kind::Sandbox).seal(&AT, b"secret", &Random::seeded(1));
    assert_eq!(seal::version_of(&sealed), Ok(3));
    let newer = Sealer::new(Kind::Sandbox, vector_id(), &Key::from_bytes([7; 32]), 4);
    assert_eq!(newer.open(&AT, &sealed).unwrap_err(), SealError::Version(3));
    let mut other = sealed.clone();
    other[0] = 9;
    assert_eq!(sealer(Kind::Sandbox).open(&AT, &other).unwrap_err(), SealError::Algorithm(9));
    for short in [&[][..], &[1], &sealed[..OVERHEAD_BYTES - 1]] {
        assert_eq!(sealer(Kind::Sandbox).open(&AT, short).unwrap_err(), SealError::Malformed);
    }
}

#[test]
fn nonces_do_not_repeat() {
    let random = Random::os();
    let sealed: std::collections::BTreeSet<Vec<u8>> =
        (0..1_000).map(|_| sealer(Kind::Sandbox).seal(&AT, b"", &random)[5..29].to_vec()).collect();
    assert_eq!(sealed.len(), 1_000);
}

#[test]
fn data_keys_unwrap_by_name_across_rotation() {
    let random = Random::seeded(1);
    let mut ring = RootRing::clone(&ring(Kind::Sandbox, 1));
    let name = DataKeyName { org_id: 7, class: "clinical", version: 1 };
    let key = Key::draw(&random);
    let old = seal::wrap(&ring, &name, &key, &random);
    ring.add_root(&random).unwrap();
    let new = seal::wrap(&ring, &name, &key, &random);
    for wrapped in [&old, &new] {
        assert_eq!(seal::unwrap(&ring, &name, wrapped).unwrap().as_bytes(), key.as_bytes());
    }
    let others = [
        DataKeyName { org_id: 8, ..name },
        DataKeyName { class: "billing", ..name },
        DataKeyName { version: 2, ..name },
    ];
    for other in others {
        assert_eq!(seal::unwrap(&ring, &other, &new).unwrap_err(), SealError::Refused);
    }
    assert!(ring.drop_root(1));
    assert_eq!(seal::unwrap(&ring, &name, &old).unwrap_err(), SealError::Version(1));
    assert!(seal::unwrap(&ring, &name, &new).is_ok());
    let foreign = crate::ring(Kind::Sandbox, 2);
    assert!(seal::unwrap(&foreign, &name, &old).is_err());
}

proptest! {
    #[test]
    fn what_is_sealed_comes_back(plain in prop::collection::vec(any::<u8>(), 0..300), seed in any::<u64>()) {
        let sealed = sealer(Kind::Sandbox).seal(&AT, &plain, &Random::seeded(seed));
        prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
        let opened = sealer(Kind::Sandbox).open(&AT, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
    }

    #[test]
    fn no_flipped_bit_opens(at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut sealed = sealer(Kind::Sandbox).seal(&AT, b"some text", &Random::seeded(1));
        let position = at.index(sealed.len());
        sealed[position] ^= 1 << bit;
        prop_assert!(sealer(Kind::Sandbox).open(&AT, &sealed).is_err());
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(sealer(Kind::Sandbox).open(&AT, &bytes).is_err());
    }
}
