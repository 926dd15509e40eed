//! API keys: refused by their text alone, in the order shape, checksum, environment, instance.

use proptest::prelude::*;
use ward_instance::api_key::{ApiKey, KeyClass, KeyRole, PUBLISHED_REGEX};
use ward_instance::{InstanceId, Kind, Random, Tag};

fn tag(seed: u64) -> Tag {
    InstanceId::draw(&Random::seeded(seed)).tag()
}

const CLASSES: [(Kind, KeyRole); 5] = [
    (Kind::Sandbox, KeyRole::User),
    (Kind::Production, KeyRole::User),
    (Kind::Sandbox, KeyRole::Agent),
    (Kind::Production, KeyRole::Agent),
    (Kind::Sandbox, KeyRole::Ephemeral),
];

#[test]
fn a_minted_key_is_ours_and_matches_what_is_stored() {
    for (kind, role) in CLASSES {
        let minted = ApiKey::mint(kind, &tag(1), role, &Random::seeded(2)).unwrap();
        let KeyClass::Ours { class, kid, secret_hash } =
            ApiKey::classify(&minted.text, kind, &tag(1))
        else {
            panic!("not ours: {kind} {role:?}");
        };
        assert_eq!((class, &kid, secret_hash), (role, &minted.kid, minted.secret_hash));
        assert!(!format!("{minted:?}").contains(&minted.text[24..]));
    }
    let user = ApiKey::mint(Kind::Sandbox, &tag(1), KeyRole::User, &Random::seeded(2)).unwrap();
    assert_eq!(user.text.len(), 61);
    let live = ApiKey::mint(Kind::Production, &tag(1), KeyRole::User, &Random::seeded(2)).unwrap();
    assert_eq!(live.text.len(), 62);
}

#[test]
fn production_has_no_ephemeral_keys() {
    assert!(ApiKey::mint(Kind::Production, &tag(1), KeyRole::Ephemeral, &Random::os()).is_err());
}

#[test]
fn wrong_environment_comes_before_wrong_instance() {
    let minted = ApiKey::mint(Kind::Sandbox, &tag(1), KeyRole::User, &Random::seeded(2)).unwrap();
    let class = ApiKey::classify(&minted.text, Kind::Production, &tag(9));
    assert_eq!(class, KeyClass::WrongEnvironment(Kind::Sandbox, tag(1)));
    assert_eq!(class.code(), Some("WRONG_ENVIRONMENT_KEY"));
    assert_eq!(
        class.message(Kind::Production),
        "API Key is Invalid: Sandbox key, this server is Production; nothing was executed"
    );
    let class = ApiKey::classify(&minted.text, Kind::Sandbox, &tag(9));
    assert_eq!(class, KeyClass::WrongInstance(tag(1)));
    assert_eq!(class.code(), Some("WRONG_INSTANCE_KEY"));
    assert!(class.message(Kind::Sandbox).starts_with("API Key is Invalid: "));
}

#[test]
fn a_production_key_on_a_sandbox_is_called_exposed() {
    let minted =
        ApiKey::mint(Kind::Production, &tag(1), KeyRole::Agent, &Random::seeded(2)).unwrap();
    let message = ApiKey::classify(&minted.text, Kind::Sandbox, &tag(1)).message(Kind::Sandbox);
    assert!(message.ends_with("treat this key as exposed, rotate it"), "{message}");
    assert!(!message.contains(&minted.kid));
}

#[test]
fn swapping_the_environment_word_breaks_the_checksum() {
    let minted = ApiKey::mint(Kind::Sandbox, &tag(1), KeyRole::User, &Random::seeded(2)).unwrap();
    let swapped = minted.text.replace("_sbx_", "_live_");
    assert_eq!(ApiKey::classify(&swapped, Kind::Production, &tag(1)), KeyClass::WrongChecksum);
    let moved = minted.text.replace(tag(1).as_str(), tag(9).as_str());
    assert_eq!(ApiKey::classify(&moved, Kind::Sandbox, &tag(9)), KeyClass::WrongChecksum);
}

#[test]
fn shapes_that_are_no_keys() {
    let minted = ApiKey::mint(Kind::Sandbox, &tag(1), KeyRole::User, &Random::seeded(2)).unwrap();
    let long = format!("{}0", *minted.text);
    let padded = format!(" {}", *minted.text);
    let suffixed = format!("{}_x", *minted.text);
    for text in
        ["", "ward_", "ward_sbx__", &minted.text[..60], &long, &padded, &suffixed, "ward_sbx_ÄÄ_é"]
    {
        let class = ApiKey::classify(text, Kind::Sandbox, &tag(1));
        assert_eq!(class, KeyClass::Malformed, "{text}");
        assert_eq!(class.code(), Some("UNAUTHENTICATED"));
        assert_eq!(class.message(Kind::Sandbox), "API Key is Invalid");
    }
}

#[test]
fn what_is_shown_afterwards_cannot_be_used() {
    let shown =
        ApiKey::displayable(Kind::Sandbox, &"K7QF2".parse().unwrap(), KeyRole::User, "aB3dE6gH");
    assert_eq!(shown, "ward_sbx_K7QF2_aB3dE6gH........");
    let class = ApiKey::classify(&shown, Kind::Sandbox, &"K7QF2".parse().unwrap());
    assert_eq!(class, KeyClass::Malformed);
    assert!(PUBLISHED_REGEX.contains("[0-9A-Za-z]{46}"));
}

#[test]
fn no_single_corrupted_character_is_accepted() {
    // 200,000 in optimised builds, as the format's design was measured.
    let rounds = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
    let random = Random::seeded(7);
    let alphabet = ward_instance::text::BASE62;
    for round in 0..rounds {
        let (kind, role) = CLASSES[round % CLASSES.len()];
        let minted = ApiKey::mint(kind, &tag(1), role, &random).unwrap();
        let mut bytes = minted.text.as_bytes().to_vec();
        let position = random.below(bytes.len() as u64) as usize;
        let letter = alphabet[random.below(62) as usize];
        if bytes[position] == letter {
            continue;
        }
        bytes[position] = letter;
        let text = String::from_utf8(bytes).unwrap();
        for here in Kind::ALL {
            let class = ApiKey::classify(&text, here, &tag(1));
            assert!(
                matches!(class, KeyClass::Malformed | KeyClass::WrongChecksum),
                "{text}: {class:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "(ward_(sbx|live)_)?\\PC*") {
        for kind in Kind::ALL {
            let ours = matches!(ApiKey::classify(&text, kind, &tag(1)), KeyClass::Ours { .. });
            prop_assert!(!ours);
        }
    }
}
