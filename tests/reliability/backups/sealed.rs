//! SEC-26: who may open a backup, and that it is whole.

use std::fs;
use std::io::Read;

use ward_tests::{Engine, Instance, Kind, json, people, tell, until};

use super::{picture, seen, start};

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

/// The data keys that a rotation made, as they are kept.
fn data_keys(instance: &Instance) -> Vec<Vec<Option<String>>> {
    let sql = "SELECT CAST(org_id AS TEXT), class, CAST(created_at AS TEXT) FROM data_keys \
               WHERE version = 2 ORDER BY 1, 2";
    instance.database().rows(sql)
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
        // Stored files that are in no backup are sealed with these by now.
        let keys = || data_keys(&instance);
        let made = keys();
        assert!(!made.is_empty());
        let refused = instance.restore(&file, &[]);
        assert_eq!(refused.code, Some(78), "{refused:?}");
        assert!(refused.stderr.contains("--old-key"), "{refused:?}");
        let answer = instance.restore(&file, &["--old-key", old.to_str().unwrap()]).json();
        assert_eq!((&answer["old_root_keys"], &answer["audit"]), (&json!(1), &json!("intact")));
        assert_eq!(keys(), made, "data keys of since the backup are lost");
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

/// A rotation that begins and ends while a backup is made is noticed: the files that come late are
/// sealed with keys that the rows do not have.
#[test]
fn sec_26_a_rotation_during_a_backup_is_noticed() {
    for engine in Engine::available("SEC-26") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        instance.sandbox("seed", &["--seed", "5", "--clients", "400"]).ok();
        let server = instance.serve();
        let mut child = start(&instance, &["backup", "-"]);
        let mut out = child.stdout.take().unwrap();
        let mut bytes = vec![0; 1_000];
        out.read_exact(&mut bytes).unwrap();
        // Nobody reads it further, so it waits in the middle.
        instance.ward(&["key", "rotate-root"], &[]).ok();
        until("the rotation is over", || {
            let status = instance.ward(&["status"], &[]).json();
            (status["rotation"]["state"] == "done").then_some(())
        });
        assert!(child.try_wait().unwrap().is_none(), "the backup was over before");
        out.read_to_end(&mut bytes).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(75));
        let (file, _) = instance.backup("afterwards");
        server.stop();
        let given = instance.backup_file("given");
        fs::write(&given, bytes).unwrap();
        let refused = instance.restore(&given, &[]);
        assert!(refused.code.is_some_and(|code| code != 0), "{refused:?}");
        instance.restore(&file, &[]).ok();
        tell("SEC-26", format_args!("{engine:?}: a backup beside a rotation refused"));
    }
}
