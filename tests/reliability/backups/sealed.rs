//! SEC-26: who may open a backup, and that it is whole.

use std::fs;

use ward_tests::{Engine, Instance, Kind, json, people, tell, until};

use super::{picture, seen};

/// Every part that is changed, left out or added is noticed, and the instance is as it was.
#[test]
fn sec_26_an_altered_backup_changes_nothing() {
    let instance = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = instance.owner_key();
    let server = instance.serve();
    people::furnish_inside(
        &server.with(&key),
        &server.with(&instance.member("provider")),
        "altered",
    );
    instance.settled_dump();
    server.stop();
    let (file, _) = instance.backup("whole");
    let bytes = fs::read(&file).unwrap();
    let dump = instance.logical_dump();
    let altered = instance.backup_file("altered");
    let mut tried = 0;
    let mut refuse = |bytes: &[u8], what: &str| {
        fs::write(&altered, bytes).unwrap();
        let refused = instance.restore(&altered, &[]);
        assert_eq!(refused.code, Some(1), "{what}: {refused:?}");
        assert_eq!(refused.stderr.trim().lines().count(), 1, "{what}: {refused:?}");
        tried += 1;
    };
    for at in [0, 20, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut one = bytes.clone();
        one[at] ^= 1;
        refuse(&one, &format!("byte {at}"));
    }
    for length in [0, 10, 300, bytes.len() / 2, bytes.len() - 1] {
        refuse(&bytes[..length], &format!("cut at {length}"));
    }
    refuse(&[&bytes[..], b"x"].concat(), "a byte more");
    refuse(&[&bytes[..], &bytes[..]].concat(), "twice");
    instance.logical_dump().assert_unchanged_since(&dump, "an altered backup");
    assert!(instance.verify_audit().0);
    let server = instance.serve();
    assert!(server.is_ready(), "an altered backup quarantined the instance");
    tell("SEC-26", format_args!("{tried} altered backups refused, nothing changed"));
}

/// The root key was rotated since: the key file of that time is asked for, and after the next start
/// everything is under the present one.
#[test]
fn sec_26_backups_of_before_a_rotation_need_the_old_key() {
    for engine in Engine::available("SEC-26") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        people::furnish_inside(
            &server.with(&key),
            &server.with(&instance.member("provider")),
            "old",
        );
        people::avatar(&server.with(&key));
        let before = seen(&server.with(&key));
        instance.settled_dump();
        server.stop();
        let (file, _) = instance.backup("old");
        let old = instance.backup_file("root-key");
        fs::copy(instance.dir.join("root.key"), &old).unwrap();
        instance.ward(&["key", "rotate-root"], &[]).ok();
        let refused = instance.restore(&file, &[]);
        assert_eq!(refused.code, Some(78), "{refused:?}");
        assert!(refused.stderr.contains("--old-key"), "{refused:?}");
        let answer = instance.restore(&file, &["--old-key", old.to_str().unwrap()]).json();
        assert_eq!((&answer["old_root_keys"], &answer["audit"]), (&json!(1), &json!("intact")));
        let server = instance.serve();
        let roots = || {
            let text = fs::read_to_string(instance.dir.join("root.key")).unwrap();
            text.lines().skip(2).filter(|line| !line.is_empty()).count()
        };
        until("the old root key is dropped", || (roots() == 1).then_some(()));
        let api = server.with(&key);
        assert_eq!(seen(&api), before);
        picture(&api);
        server.stop();
        assert!(instance.verify_audit().0, "{}", instance.verify_audit().1);
        let (again, _) = instance.backup("again");
        instance.restore(&again, &[]).ok();
        tell(
            "SEC-26",
            format_args!(
                "{engine:?}: a backup of before a rotation came back with the old key file"
            ),
        );
    }
}
