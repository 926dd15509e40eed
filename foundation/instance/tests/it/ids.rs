//! Numeric ids and UUIDs: the two environments share none, and a wrong one is named.

use proptest::prelude::*;
use ward_instance::ids::{self, INT_CLASS_TYPES, IdRefusal, SLOTS, slot_of, slot_range};
use ward_instance::uuid::{self, UuidRefusal};
use ward_instance::{IdCodec, InstanceId, Kind, Ledger, Random, Timestamp};

use crate::{NOW, ring, vector_id};

fn codec(kind: Kind) -> IdCodec {
    Ledger::in_memory(&ring(kind, 1), 5, NOW).codec()
}

#[test]
fn edges_of_every_range() {
    let table = [
        (1, Err(IdRefusal::NeverAllocated)),
        (999_999, Err(IdRefusal::NeverAllocated)),
        (1_000_000, Ok(Kind::Production)),
        (1_999_999_999, Ok(Kind::Production)),
        (2_000_000_000, Ok(Kind::Sandbox)),
        (2_147_483_647, Ok(Kind::Sandbox)),
        (2_147_483_648, Err(IdRefusal::NeverAllocated)),
        (2_999_999_999, Err(IdRefusal::NeverAllocated)),
        (3_000_000_000, Ok(Kind::Production)),
        (8_999_999_999_999_999, Ok(Kind::Production)),
        (9_000_000_000_000_000, Err(IdRefusal::OutOfRange)),
        (0, Err(IdRefusal::OutOfRange)),
        (-1, Err(IdRefusal::OutOfRange)),
        (i64::MIN, Err(IdRefusal::OutOfRange)),
        (i64::MAX, Err(IdRefusal::OutOfRange)),
    ];
    for (id, expected) in table {
        assert_eq!(ids::environment_of(id), expected, "{id}");
    }
}

#[test]
fn documentation_examples_are_never_objects() {
    for kind in Kind::ALL {
        for text in ["1", "123", "12345"] {
            let refusal = codec(kind).parse(text).unwrap_err();
            assert_eq!(refusal, IdRefusal::NeverAllocated);
            assert_eq!(refusal.code(), None);
        }
    }
}

#[test]
fn a_foreign_id_is_named_with_code_and_sentence() {
    let refusal = codec(Kind::Production).parse("2000000123").unwrap_err();
    assert_eq!(refusal.code(), Some("WRONG_ENVIRONMENT_ID"));
    assert_eq!(
        refusal.message(),
        "This is a Sandbox id and this server is Production; nothing was executed."
    );
    let refusal = codec(Kind::Sandbox).check(1_000_000).unwrap_err();
    assert_eq!(refusal, IdRefusal::WrongEnvironment { named: Kind::Production });
}

#[test]
fn only_plain_decimals_are_ids() {
    for text in
        ["", " 2005000001", "2005000001 ", "+2005000001", "-5", "02005000001", "2e9", "٢", "0x1"]
    {
        assert_eq!(codec(Kind::Sandbox).parse(text), Err(IdRefusal::NotANumber), "{text:?}");
    }
    assert_eq!(codec(Kind::Sandbox).parse("99999999999999999999999"), Err(IdRefusal::OutOfRange));
    assert_eq!(codec(Kind::Sandbox).parse("0"), Err(IdRefusal::OutOfRange));
    assert_eq!(codec(Kind::Sandbox).parse("2005000001"), Ok(2_005_000_001));
    // Above the last slot nothing is ever given out.
    assert_eq!(codec(Kind::Sandbox).parse("2147000000"), Err(IdRefusal::NeverAllocated));
}

#[test]
fn slots_tile_the_sandbox_range_within_32_bits() {
    for slot in 0..SLOTS {
        let (first, last) = slot_range(slot);
        assert_eq!((slot_of(first), slot_of(last)), (Some(slot), Some(slot)));
        assert!(i32::try_from(last).is_ok());
    }
    assert_eq!(slot_of(slot_range(SLOTS - 1).1 + 1), None);
    assert_eq!(slot_of(1_999_999_999), None);
}

#[test]
fn checks_in_sql() {
    assert_eq!(ids::check_sql(Kind::Sandbox, "id", true), "id BETWEEN 2000000000 AND 2147483647");
    assert_eq!(ids::check_sql(Kind::Production, "id", false), "id BETWEEN 1000000 AND 1999999999");
    assert_eq!(
        ids::check_sql(Kind::Production, "id", true),
        "(id BETWEEN 1000000 AND 1999999999 OR id BETWEEN 3000000000 AND 8999999999999999)"
    );
    assert_eq!(
        uuid::check_sql(Kind::Sandbox, "uid"),
        "(length(uid) = 36 AND substr(uid, 15, 1) = '8' AND substr(uid, 20, 1) IN ('8', '9'))"
    );
    assert!(INT_CLASS_TYPES.iter().all(|name| ids::is_int_class(name)));
    assert!(!ids::is_int_class("Appointment"));
}

#[test]
fn uuids_of_other_versions_are_not_ours() {
    for text in
        ["", "018bcfe5-6800-4f01-9d5c-614a24dcaec3", "018bcfe5-6800-8f01-cd5c-614a24dcaec3", "é"]
    {
        assert_eq!(uuid::check(Kind::Sandbox, text), Err(UuidRefusal::Malformed), "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_number_belongs_to_both(id in any::<i64>()) {
        let accepted = Kind::ALL.iter().filter(|kind| codec(**kind).check(id).is_ok()).count();
        prop_assert!(accepted <= 1);
    }

    #[test]
    fn ids_survive_32_bits_and_floats(slot in 0..SLOTS, offset in 0..1_000_000_i64) {
        let id = slot_range(slot).0 + offset;
        prop_assert_eq!(i64::from(i32::try_from(id).unwrap()), id);
        prop_assert_eq!(id as f64 as i64, id);
        prop_assert_eq!(codec(Kind::Sandbox).parse(&id.to_string()), Ok(id));
    }

    #[test]
    fn any_text_gets_an_answer(text in ".*") {
        for kind in Kind::ALL {
            let _ = codec(kind).parse(&text);
            let _ = uuid::check(kind, &text);
        }
    }

    #[test]
    fn uuids_name_their_environment(seed in any::<u64>(), micros in 0..4_000_000_000_000_000_i64) {
        let random = Random::seeded(seed);
        for kind in Kind::ALL {
            let text = uuid::new(kind, &InstanceId::draw(&random).tag(), Timestamp(micros), &random);
            prop_assert_eq!(text.len(), 36);
            prop_assert_eq!(uuid::check(kind, &text), Ok(()));
            prop_assert_eq!(uuid::check(kind, &text.to_uppercase()), Ok(()));
            prop_assert_eq!(
                uuid::check(kind.other(), &text),
                Err(UuidRefusal::WrongEnvironment { named: kind })
            );
        }
    }

    #[test]
    fn uuids_name_their_instance(seed in any::<u64>(), micros in 0..4_000_000_000_000_000_i64) {
        let random = Random::seeded(seed);
        let tags = [(); 2].map(|()| InstanceId::draw(&random).tag());
        let is_alike = tags[0].bits() >> 13 == tags[1].bits() >> 13;
        for kind in Kind::ALL {
            let text = uuid::new(kind, &tags[0], Timestamp(micros), &random);
            prop_assert!(uuid::is_of(kind, &tags[0], &text));
            prop_assert!(!uuid::is_of(kind.other(), &tags[0], &text));
            prop_assert_eq!(uuid::is_of(kind, &tags[1], &text), is_alike);
            prop_assert!(!uuid::is_of(kind, &tags[0], &text[1..]));
        }
    }

    #[test]
    fn tags_round_trip(bytes in any::<[u8; 16]>()) {
        let id = InstanceId(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.tag().as_str().parse(), Ok(id.tag()));
        let first = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        prop_assert_eq!(id.tag().bits(), first >> 7);
    }
}

#[test]
fn the_first_slot_depends_on_the_instance() {
    let slots: std::collections::BTreeSet<u16> =
        (0..200).map(|seed| ids::first_slot(&InstanceId::draw(&Random::seeded(seed)))).collect();
    assert!(slots.len() > 80 && slots.iter().all(|slot| *slot < SLOTS));
    assert_eq!(ids::first_slot(&vector_id()), ids::first_slot(&vector_id()));
}
