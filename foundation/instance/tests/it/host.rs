//! Binding to volume and address, and the lock that one process holds.

use std::fs;
use std::path::Path;

use ward_instance::base_url::BaseUrl;
use ward_instance::host::{
    Binding, InstanceLock, LOCK_FILE, VOLUME_FILE, binding, binding_of_database, compare,
    create_volume, machine,
};
use ward_instance::{Certificate, InstanceError, Kind, Random};

use crate::{NOW, ring};

fn url(text: &str) -> BaseUrl {
    text.parse().unwrap()
}

fn born(dir: &Path, base: &str) -> Certificate {
    create_volume(dir, &Random::os()).unwrap();
    let binding = binding(dir, &url(base)).unwrap();
    Certificate::new(&ring(Kind::Production, 1), NOW, base, &binding)
}

#[test]
fn a_restart_on_the_same_volume_is_the_same_host() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = born(dir.path(), "http://127.0.0.1:4100");
    for other in ["http://127.0.0.1:4100", "http://localhost:9", "http://production.localhost:4200"]
    {
        let now = binding(dir.path(), &url(other)).unwrap();
        assert_eq!(compare(&certificate, &now, false), Binding::Same, "{other}");
    }
}

#[test]
fn a_copied_directory_is_another_host() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = born(dir.path(), "https://ward.example");
    let copy = tempfile::tempdir().unwrap();
    // A later birth time, whatever the resolution of the file system's clock.
    let original = fs::read(dir.path().join(VOLUME_FILE)).unwrap();
    let mut now = binding(dir.path(), &url("https://ward.example")).unwrap();
    for _ in 0..1_000_000 {
        let path = copy.path().join(VOLUME_FILE);
        fs::write(&path, &original).unwrap();
        now = binding(copy.path(), &url("https://ward.example")).unwrap();
        if now != certificate.host_binding {
            break;
        }
        fs::remove_file(&path).unwrap();
    }
    let moved = Binding::Moved { volume: true, address: false, machine: false };
    assert_eq!(compare(&certificate, &now, false), moved);
}

#[test]
fn another_address_counts_unless_both_are_loopback() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = born(dir.path(), "https://ward.example");
    let moved = Binding::Moved { volume: false, address: true, machine: false };
    for other in [
        "https://ward.test",
        "http://ward.example",
        "https://ward.example:8443",
        "http://127.0.0.1:1",
    ] {
        let now = binding(dir.path(), &url(other)).unwrap();
        assert_eq!(compare(&certificate, &now, false), moved, "{other}");
    }
    let same = binding(dir.path(), &url("https://WARD.example:443/")).unwrap();
    assert_eq!(compare(&certificate, &same, false), Binding::Same);
}

#[test]
fn on_postgresql_the_system_identifier_counts() {
    let here = binding_of_database("7301", &url("https://ward.example"));
    assert_ne!(here, binding_of_database("7302", &url("https://ward.example")));
    assert_eq!(here, binding_of_database("7301", &url("https://ward.example/")));
}

#[test]
fn a_second_process_is_busy_and_learns_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let held = InstanceLock::acquire(dir.path(), "serve").unwrap();
    let error = InstanceLock::acquire(dir.path(), "migrate").unwrap_err();
    assert_eq!(error.exit_code(), 75);
    assert!(
        error.to_string().contains(&format!("process {} (serve)", std::process::id())),
        "{error}"
    );
    assert!(matches!(error, InstanceError::Busy(_)));
    held.stop_cleanly().unwrap();
    assert!(InstanceLock::acquire(dir.path(), "serve").is_ok());
}

#[test]
fn a_kill_on_the_same_machine_is_no_move() {
    let dir = tempfile::tempdir().unwrap();
    drop(InstanceLock::acquire_on(dir.path(), "process 1 (serve)", "m1").unwrap());
    assert!(!InstanceLock::acquire_on(dir.path(), "process 2 (serve)", "m1").unwrap().is_torn());
}

#[test]
fn another_machine_counts_only_without_a_clean_stop() {
    let dir = tempfile::tempdir().unwrap();
    InstanceLock::acquire_on(dir.path(), "a", "m1").unwrap().stop_cleanly().unwrap();
    let lock = InstanceLock::acquire_on(dir.path(), "b", "m2").unwrap();
    assert!(!lock.is_torn());
    drop(lock);
    let lock = InstanceLock::acquire_on(dir.path(), "c", "m3").unwrap();
    assert!(lock.is_torn());
    // Not washed away by a command that merely opens the files.
    lock.stop_cleanly().unwrap();
    let mut lock = InstanceLock::acquire_on(dir.path(), "d", "m3").unwrap();
    assert!(lock.is_torn());
    lock.settle().unwrap();
    drop(lock);
    assert!(!InstanceLock::acquire_on(dir.path(), "e", "m3").unwrap().is_torn());
    let certificate = born(dir.path(), "https://ward.example");
    let moved = Binding::Moved { volume: false, address: false, machine: true };
    assert_eq!(compare(&certificate, &certificate.host_binding, true), moved);
}

#[test]
fn machines_without_an_identity_never_count() {
    let dir = tempfile::tempdir().unwrap();
    for machine in ["", "m1", "", "m2"] {
        let lock = InstanceLock::acquire_on(dir.path(), "a", machine).unwrap();
        if machine != "m2" {
            assert!(!lock.is_torn(), "{machine}");
        }
        drop(lock);
    }
    assert_eq!(machine(), machine());
}

#[test]
fn a_lock_file_of_rubbish_is_no_record() {
    let dir = tempfile::tempdir().unwrap();
    for rubbish in [&b"\xff\xfe"[..], b"", b"running", b"running\nm1"] {
        fs::write(dir.path().join(LOCK_FILE), rubbish).unwrap();
        assert!(!InstanceLock::acquire_on(dir.path(), "a", "m2").unwrap().is_torn());
    }
}
