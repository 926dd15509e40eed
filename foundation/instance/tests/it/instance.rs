//! The assembled instance.

use std::sync::Arc;

use ward_instance::api_key::{KeyClass, KeyRole};
use ward_instance::token::TokenPurpose;
use ward_instance::{
    Certificate, Clock, Instance, InstanceError, IsoError, Key, Kind, Ledger, Place, Random,
    RootRing, uuid,
};

use crate::{NOW, ring};

fn assemble(ring: &Arc<RootRing>, base_url: &str) -> Result<Arc<Instance>, InstanceError> {
    let certificate = Certificate::new(ring, NOW, base_url, "v.a");
    let ledger = Ledger::in_memory(ring, 1, NOW);
    Instance::assemble(
        Arc::clone(ring),
        &certificate,
        ledger,
        Clock::manual(NOW),
        Random::seeded(1),
    )
}

#[test]
fn what_it_makes_is_its_own() {
    for kind in Kind::ALL {
        let here = assemble(&ring(kind, 1), "http://127.0.0.1:4100").unwrap();
        let there = assemble(&ring(kind.other(), 2), "http://127.0.0.1:4200").unwrap();
        assert_eq!((here.kind(), here.witness().kind()), (kind, kind));
        assert_eq!(uuid::check(kind, &here.uuid()), Ok(()));
        assert!(uuid::check(kind, &there.uuid()).is_err());
        let key = here.mint_key(KeyRole::User).unwrap();
        assert!(matches!(here.classify_key(&key.text), KeyClass::Ours { .. }));
        assert_eq!(there.classify_key(&key.text), KeyClass::WrongEnvironment(kind, here.tag()));
        let token = here.mint_token(TokenPurpose::Session);
        assert_eq!(
            there.classify_token(TokenPurpose::Session, &token.text).code(),
            Some("WRONG_ENVIRONMENT_TOKEN")
        );
        let cursor = here.cursor_encode("users", &[Some("1".to_owned())]);
        assert!(here.cursor_decode("users", &cursor).is_ok());
        assert!(there.cursor_decode("users", &cursor).is_err());
        let at = Place { table: "t", column: "c", org_id: 1, row: "1" };
        let sealed = here.sealer(&Key::from_bytes([1; 32]), 1).seal(&at, b"x", here.random());
        assert!(there.sealer(&Key::from_bytes([1; 32]), 1).open(&at, &sealed).is_err());
        let mac = here.row_mac("api_keys", &[b"a"]);
        assert!(here.row_mac_fits("api_keys", &[b"a"], &mac));
        assert!(!here.row_mac_fits("api_keys", &[b"b"], &mac));
        assert!(!here.row_mac_fits("sessions", &[b"a"], &mac));
        assert!(!there.row_mac_fits("api_keys", &[b"a"], &mac));
    }
}

#[test]
fn parts_of_another_instance_are_refused() {
    let here = ring(Kind::Sandbox, 1);
    let certificate = Certificate::new(&here, NOW, "http://localhost:1", "v.a");
    let ledger = Ledger::in_memory(&ring(Kind::Sandbox, 2), 1, NOW);
    let error = Instance::assemble(here, &certificate, ledger, Clock::manual(NOW), Random::os())
        .unwrap_err();
    assert!(error.to_string().starts_with("E-ISO-02: "), "{error}");
    let other = ring(Kind::Sandbox, 2);
    let ledger = Ledger::in_memory(&other, 1, NOW);
    assert!(
        Instance::assemble(other, &certificate, ledger, Clock::manual(NOW), Random::os()).is_err()
    );
}

#[test]
fn only_a_loopback_address_takes_the_port_listened_on() {
    let local = assemble(&ring(Kind::Sandbox, 1), "http://127.0.0.1:4100").unwrap();
    local.listening_on(5_000);
    assert_eq!(local.base_url().to_string(), "http://127.0.0.1:5000");
    let public = assemble(&ring(Kind::Sandbox, 1), "https://ward.example").unwrap();
    public.listening_on(5_000);
    assert_eq!(public.base_url().to_string(), "https://ward.example");
}

#[test]
fn a_rotated_ring_is_taken_over_and_a_foreign_one_is_not() {
    let old = ring(Kind::Sandbox, 1);
    let here = assemble(&old, "http://localhost:1").unwrap();
    let mac = here.row_mac("t", &[b"a"]);
    let mut rotated = RootRing::clone(&old);
    rotated.add_root(&Random::seeded(5)).unwrap();
    here.replace_ring(Arc::new(rotated.clone())).unwrap();
    assert!(here.row_mac_fits("t", &[b"a"], &mac));
    assert_ne!(here.row_mac("t", &[b"a"]), mac);
    rotated.drop_root(1);
    here.replace_ring(Arc::new(rotated)).unwrap();
    assert!(!here.row_mac_fits("t", &[b"a"], &mac));
    assert!(here.replace_ring(ring(Kind::Sandbox, 2)).is_err());
}

#[test]
fn errors_have_their_exit_codes_and_their_one_form() {
    let iso = IsoError::new("ISO-07", "this is wrong", "do that");
    assert_eq!(iso.to_string(), "E-ISO-07: this is wrong; fix: do that");
    let error = InstanceError::from(iso);
    assert_eq!(
        (error.exit_code(), error.to_string().as_str()),
        (78, "E-ISO-07: this is wrong; fix: do that")
    );
    assert_eq!(InstanceError::Busy(String::new()).exit_code(), 75);
    assert_eq!(InstanceError::Config(String::new()).exit_code(), 78);
    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
    assert_eq!(InstanceError::Io { what: String::new(), source }.exit_code(), 70);
}
