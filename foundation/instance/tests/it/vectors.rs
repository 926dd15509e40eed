//! Known answers, computed with other implementations: the formats cannot drift unseen.

use ward_instance::api_key::{ApiKey, KeyClass, KeyRole};
use ward_instance::file_seal::{FilePlace, FileSealer};
use ward_instance::mac::{mac, sha256_fields};
use ward_instance::text::hex;
use ward_instance::token::{self, TokenClass, TokenPurpose};
use ward_instance::{Certificate, Key, Kind, Place, Purpose, Random, Sealer, ids, uuid};

use crate::{NOW, vector_id, vector_ring};

#[test]
fn derived_keys() {
    let table = [
        (
            Kind::Sandbox,
            Purpose::Birth,
            "318ce5363d3e8ef2a62bd2ae3b5c0ab7a900ea3df7573641f946a09970b41ae9",
        ),
        (
            Kind::Sandbox,
            Purpose::Kek,
            "b366bd4feeb4e3b4ca1ffb983214e8f9ead26b5f5c78620627844c1d73e7596f",
        ),
        (
            Kind::Sandbox,
            Purpose::Session,
            "32bfeb303dd9b20edf5fbed944e4dcc9f83334ce4bb2d2e7cdc08d2bf7311d9f",
        ),
        (
            Kind::Sandbox,
            Purpose::Cursor,
            "9264e36036cb5e9d9969f7484faf76252b8a2a6c62b0b75252ad65cdf7eeb1e7",
        ),
        (
            Kind::Sandbox,
            Purpose::WebhookSeed,
            "99b390bc42a8ac9ceec7bb03367733bfd149cf3956a20fe2e5e5ded90e39b044",
        ),
        (
            Kind::Sandbox,
            Purpose::AuditChain,
            "1b67480b81d85eb36962e483b08e729b11dc011f55f00448ba58b07a099b07f9",
        ),
        (
            Kind::Production,
            Purpose::Birth,
            "c8e34d610df17ae44e5f46bc60af70e6b096f5c5653c0226da74939389493dab",
        ),
        (
            Kind::Production,
            Purpose::Kek,
            "cc15ea149b4f0e3cf4c4e2eaddb60b2adea2859442f0c01def84511a9818028a",
        ),
        (
            Kind::Production,
            Purpose::Session,
            "7b0cc8a436b759c97f5864144f9b57bd6f194631f13ac86cd4d3ec13b71a4832",
        ),
        (
            Kind::Production,
            Purpose::Cursor,
            "c44c3182fc3bbd4a7bbe414c9941bb436650ba7b350b95c4993c405ea201a337",
        ),
        (
            Kind::Production,
            Purpose::WebhookSeed,
            "0507bdc724cc9aabf0752f82d288398b9666fed2d62a41c578382a3348ff6991",
        ),
        (
            Kind::Production,
            Purpose::AuditChain,
            "b575a06fa53c1b2e5a78cfcccf09250d3be105d8a46bd035090bbf53348416e6",
        ),
    ];
    for (kind, purpose, expected) in table {
        assert_eq!(
            hex(vector_ring(kind).derive(purpose).as_bytes()),
            expected,
            "{kind} {purpose:?}"
        );
    }
}

#[test]
fn macs_and_digests_over_fields() {
    let fields: [&[u8]; 3] = [b"ab", b"", b"c"];
    let key = Key::from_bytes([7; 32]);
    assert_eq!(
        hex(&mac(&key, &fields)),
        "d0d958ae993fe67369db6e912555d8db7aa0170022ec3f37e95a8920eda6ecf3"
    );
    assert_eq!(
        hex(&sha256_fields(&fields)),
        "9c24d27974bb3b173e762a999df89274e93d1e37cba113b996aa47139a011d4a"
    );
}

#[test]
fn seeded_randomness() {
    let mut bytes = [0; 16];
    Random::seeded(42).fill(&mut bytes);
    assert_eq!(hex(&bytes), "1f76e526510ae36a625c8b5c597febb4");
    assert_eq!(Random::seeded(42).u64(), 7_702_011_131_394_881_055);
    assert_eq!(Random::seeded(42).base62(12), "VuhcJAfiaUFU");
}

#[test]
fn tag_slot_and_application_ids() {
    assert_eq!(vector_id().tag().as_str(), "K7QF2");
    assert_eq!(ids::first_slot(&vector_id()), 143);
    assert_eq!(&Kind::Sandbox.sqlite_application_id().to_be_bytes(), b"SBX1");
    assert_eq!(&Kind::Production.sqlite_application_id().to_be_bytes(), b"PRD1");
}

#[test]
fn uuids() {
    let made = |kind| uuid::new(kind, &vector_id().tag(), NOW, &Random::seeded(42));
    assert_eq!(made(Kind::Sandbox), "018bcfe5-6800-899e-8d5c-614a24dcaec3");
    assert_eq!(made(Kind::Production), "018bcfe5-6800-899e-ad5c-614a24dcaec3");
}

#[test]
fn api_keys_of_every_class() {
    let table = [
        (
            Kind::Sandbox,
            KeyRole::User,
            "ward_sbx_K7QF2_aB3dE6gH0123456789ABCDEFGHIJKLMNOPQRSTUV4FjYLE",
        ),
        (
            Kind::Production,
            KeyRole::User,
            "ward_live_K7QF2_aB3dE6gH0123456789ABCDEFGHIJKLMNOPQRSTUV1uiuHq",
        ),
        (
            Kind::Sandbox,
            KeyRole::Agent,
            "ward_sbxagt_K7QF2_aB3dE6gH0123456789ABCDEFGHIJKLMNOPQRSTUV2hKSz8",
        ),
        (
            Kind::Production,
            KeyRole::Agent,
            "ward_liveagt_K7QF2_aB3dE6gH0123456789ABCDEFGHIJKLMNOPQRSTUV07bZDx",
        ),
        (
            Kind::Sandbox,
            KeyRole::Ephemeral,
            "ward_sbxeph_K7QF2_aB3dE6gH0123456789ABCDEFGHIJKLMNOPQRSTUV3XF6S4",
        ),
    ];
    for (kind, role, text) in table {
        let KeyClass::Ours { class, kid, secret_hash } =
            ApiKey::classify(text, kind, &vector_id().tag())
        else {
            panic!("{text} is not recognised");
        };
        assert_eq!((class, kid.as_str()), (role, "aB3dE6gH"));
        assert_eq!(
            hex(&secret_hash),
            "5ccde524b3e96431fa237da13136d37e5d5f52caa9ea3bbf0bce8616d4a2285b"
        );
    }
}

#[test]
fn session_token_and_its_digest() {
    let ring = vector_ring(Kind::Sandbox);
    let text = "wts_sbx_K7QF2_0123456789ABCDEFGHIJKLMNOPQRSTUV2oRihg";
    let TokenClass::Ours { lookup } = token::classify(&ring, TokenPurpose::Session, text) else {
        panic!("{text} is not recognised");
    };
    assert_eq!(hex(&lookup), "b15643116b55a599a12ffb5193db238683a83036d2c2e09a7274829a15a10472");
}

#[test]
fn cursor() {
    let keys = [Some("2000000001".to_owned()), None];
    let text = token::cursor_encode(&vector_ring(Kind::Sandbox), "users:id", &keys);
    assert_eq!(text, "eyJrIjpbIjIwMDAwMDAwMDEiLG51bGxdLCJtIjoiUm9zdWtqMzZIU3VIVFl4WlppakRUUSJ9");
}

#[test]
fn certificate() {
    let certificate =
        Certificate::new(&vector_ring(Kind::Sandbox), NOW, "http://127.0.0.1:4100", "v.a");
    assert_eq!(
        hex(&certificate.mac),
        "cee270abad030982fe1a4a6e42da07916637cd1a645003e5f08d2a32b6fca1f0"
    );
}

#[test]
fn sealed_field() {
    let sealer = Sealer::new(Kind::Sandbox, vector_id(), &Key::from_bytes([7; 32]), 3);
    let at = Place { table: "notes", column: "body", org_id: 2_000_000_007, row: "2000000123" };
    let sealed = sealer.seal(&at, b"hello", &Random::seeded(42));
    assert_eq!(
        hex(&sealed),
        "01000000031f76e526510ae36a625c8b5c597febb416042cce3db589b3151c8325ccc542a51d06aa57afd26a85d14520a473"
    );
}

#[test]
fn sealed_file() {
    let at = FilePlace {
        kind: Kind::Sandbox,
        instance_id: vector_id(),
        org_id: 2_000_000_007,
        blob: "blob-1",
    };
    let sealer = FileSealer::new(&Key::from_bytes([7; 32]), 3, &at, &Random::seeded(42));
    let mut sealed = sealer.header().to_vec();
    sealed.extend(sealer.finish(b"hello").unwrap());
    assert_eq!(
        hex(&sealed),
        "57444631000000031f76e526510ae36a625c8b5c597febb416042cddfb38f40bde0554d7831dc01732f7641022a355a3"
    );
}
