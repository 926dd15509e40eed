//! Root keys: the file, its mode, rotation, and keys that share nothing.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use ward_instance::root::KeyFileError;
use ward_instance::{InstanceError, InstanceId, Kind, Purpose, Random, RootRing};

use crate::{VECTOR_ID, vector_ring};

#[test]
fn the_file_is_private_and_begins_with_kind_and_tag() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let id = InstanceId::draw(&Random::seeded(1));
    let made = RootRing::create(&path, Kind::Sandbox, id, &Random::os()).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!("sandbox {} ward root key\n", id.tag())));
    let read = RootRing::load(&path).unwrap();
    assert_eq!(read.derive(Purpose::Kek).as_bytes(), made.derive(Purpose::Kek).as_bytes());
    let again = RootRing::create(&path, Kind::Sandbox, id, &Random::os());
    assert!(matches!(again, Err(InstanceError::Io { .. })), "a key file is never overwritten");
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    vector_ring(Kind::Sandbox).save(&path).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = RootRing::load(&path).unwrap_err();
        assert_eq!(error.exit_code(), 78);
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(RootRing::load(&path).is_ok());
}

#[test]
fn no_two_keys_are_equal() {
    let mut keys = BTreeSet::new();
    for kind in Kind::ALL {
        let mut ring = RootRing::clone(&vector_ring(kind));
        ring.add_root(&Random::seeded(1)).unwrap();
        for purpose in Purpose::ALL {
            for version in ring.versions() {
                keys.insert(*ring.derive_version(version, purpose).unwrap().as_bytes());
            }
        }
    }
    assert_eq!(keys.len(), 2 * 2 * Purpose::ALL.len());
    assert_eq!(Purpose::ALL.iter().map(|p| p.as_str()).collect::<BTreeSet<_>>().len(), 19);
}

#[test]
fn rotation_keeps_old_roots_to_read_until_they_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let mut ring = RootRing::clone(&vector_ring(Kind::Production));
    let old = *ring.derive(Purpose::Kek).as_bytes();
    assert_eq!(ring.add_root(&Random::seeded(1)).unwrap(), 2);
    ring.save(&path).unwrap();
    let mut read = RootRing::load(&path).unwrap();
    assert_eq!((read.current_version(), read.versions()), (2, vec![1, 2]));
    assert_eq!(*read.derive_version(1, Purpose::Kek).unwrap().as_bytes(), old);
    assert_ne!(*read.derive(Purpose::Kek).as_bytes(), old);
    assert!(!read.drop_root(2), "the current root stays");
    assert!(read.drop_root(1));
    assert!(read.derive_version(1, Purpose::Kek).is_none());
    while read.add_root(&Random::seeded(1)).is_ok() {}
    assert_eq!(read.versions().len(), 16);
}

#[test]
fn broken_files_are_named_without_a_quote() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let title = "sandbox K7QF2 ward root key";
    let id = format!("instance {VECTOR_ID}");
    let table = [
        (String::new(), KeyFileError::Title),
        (format!("staging K7QF2 ward root key\n{id}\n1 current {key}"), KeyFileError::Title),
        (format!("{title}\n1 current {key}"), KeyFileError::Instance),
        (format!("production 00000 ward root key\n{id}\n1 current {key}"), KeyFileError::Instance),
        (format!("{title}\n{id}\n"), KeyFileError::NoCurrent),
        (format!("{title}\n{id}\n1 old {key}"), KeyFileError::NoCurrent),
        (format!("{title}\n{id}\n1 current {key}x"), KeyFileError::Root(3)),
        (format!("{title}\n{id}\n0 current {key}"), KeyFileError::Root(3)),
        (format!("{title}\n{id}\n1 current {key}\n1 old {key}"), KeyFileError::Root(4)),
        (format!("{title}\n{id}\n1 current {key}\n2 current {key}"), KeyFileError::Root(4)),
    ];
    for (text, expected) in table {
        let error = RootRing::from_text(&text).unwrap_err();
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("AAEC"));
    }
}

#[test]
fn nothing_prints_a_key() {
    let ring = vector_ring(Kind::Sandbox);
    assert_eq!(format!("{ring:?}"), "RootRing(sandbox K7QF2 v1)");
    assert_eq!(format!("{:?}", ring.derive(Purpose::Kek)), "Key(hidden)");
}

proptest! {
    #[test]
    fn text_round_trips(seed in any::<u64>(), rotations in 0..4_usize) {
        let random = Random::seeded(seed);
        let mut ring = RootRing::generate(Kind::Production, InstanceId::draw(&random), &random);
        for _ in 0..rotations {
            ring.add_root(&random).unwrap();
        }
        let read = RootRing::from_text(&ring.to_text()).unwrap();
        prop_assert_eq!(read.to_text(), ring.to_text());
    }

    #[test]
    fn any_text_gets_an_answer(text in "(sandbox K7QF2 ward root key\n)?\\PC*") {
        prop_assert!(RootRing::from_text(&text).is_err());
    }
}

#[test]
fn a_leftover_of_a_crash_does_not_lend_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let leftover = dir.path().join("root.key.new");
    fs::write(&leftover, "half").unwrap();
    fs::set_permissions(&leftover, fs::Permissions::from_mode(0o644)).unwrap();
    vector_ring(Kind::Sandbox).save(&path).unwrap();
    assert!(RootRing::load(&path).is_ok());
    assert!(!leftover.exists());
}
