//! Backups and restores that are killed: at each step, and at any moment.

use std::fs;
use std::io::Read;

use ward_tests::{Engine, Instance, Kind, json, people, tell, until};

use super::{attest, picture, start};

/// The steps of a restore, and whether the instance is the new one when it ends there.
const STEPS: [(&str, bool); 5] = [
    ("restore.loaded", false),
    ("restore.ended", false),
    ("restore.ready", false),
    ("restore.swapping", false),
    ("restore.swapped", true),
];

#[test]
fn rel_12_a_restore_that_is_cut_off_leaves_the_old_or_the_new() {
    // The steps are the engine's, what is still to be finished behind them the kind's.
    for engine in Engine::available("REL-12") {
        cut_off(
            match engine {
                Engine::Sqlite => Kind::Production,
                Engine::Postgres => Kind::Sandbox,
            },
            engine,
        );
    }
}

fn cut_off(kind: Kind, engine: Engine) {
    let mut instance = Instance::birth(kind, engine);
    let owner = instance.owner_key();
    let server = instance.serve();
    people::client(&server.with(&owner), "kept");
    people::avatar(&server.with(&owner));
    instance.settled_dump();
    server.stop();
    let (file, _) = instance.backup("cut");
    let wanted = instance.dir.join("crash");
    instance.variables.push(("TESTED_CRASH".to_owned(), wanted.to_str().unwrap().to_owned()));
    for (step, is_new) in STEPS {
        let server = instance.serve();
        if kind == Kind::Production && !server.is_ready() {
            attest(&instance);
            until("it serves", || server.is_ready().then_some(()));
        }
        let api = server.with(&owner);
        let marker = people::client(&api, &format!("marker{}", step.replace('.', "")));
        instance.settled_dump();
        server.stop();
        let old = instance.logical_dump();
        fs::write(&wanted, step).unwrap();
        let ended = instance.restore(&file, &[]);
        assert_eq!(ended.code, None, "{step} was not reached: {ended:?}");
        fs::remove_file(&wanted).unwrap();
        // The audit log is whole, whichever it is.
        let (intact, said) = instance.verify_audit();
        assert!(intact, "{step}: {said}");
        let there =
            instance.database().number(&format!("SELECT COUNT(*) FROM users WHERE id = {marker}"));
        assert_eq!(there == 0, is_new, "{step}");
        if !is_new {
            instance.logical_dump().assert_unchanged_since(&old, step);
        }
        let server = instance.serve();
        assert_eq!(server.is_ready(), !(is_new && kind == Kind::Production), "{step}");
        let api = server.with(&owner);
        let read = api.ask("query($id: ID) { user(id: $id) { id } }", json!({"id": marker}));
        assert_eq!(read.json["data"]["user"].is_null(), is_new, "{step}: {}", read.text);
        picture(&api);
        server.stop();
        for left in ["ward.db.restoring", "ward.db.restoring-wal"] {
            assert!(!instance.dir.join(left).exists(), "{step}: {left} is left");
        }
    }
    // The files of one that was cut off when its rows were there outlast others that come to nothing.
    fs::remove_dir_all(instance.dir.join("files")).unwrap();
    for (step, bytes) in [
        ("restore.swapped", fs::read(&file).unwrap()),
        ("", fs::read(&file).unwrap()[..4_000].to_vec()),
        ("restore.loaded", fs::read(&file).unwrap()),
    ] {
        fs::write(&wanted, step).unwrap();
        let given = instance.backup_file("given");
        fs::write(&given, bytes).unwrap();
        let ended = instance.restore(&given, &[]);
        assert_eq!(ended.code, if step.is_empty() { Some(1) } else { None }, "{step}: {ended:?}");
        fs::remove_file(&wanted).unwrap();
    }
    let server = instance.serve();
    picture(&server.with(&owner));
    server.stop();
    // And one that is not cut off: of the others nothing is left.
    instance.restore(&file, &[]).ok();
    if engine == Engine::Postgres {
        let left = "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'ward_restore'";
        assert_eq!(instance.database().number(left), 0, "the schema of a restore is left");
    }
    tell(
        "REL-12",
        format_args!("{engine:?} {}: a restore cut off at {} steps", kind.title(), STEPS.len()),
    );
}

/// SIGKILL at any moment: nobody else notices, and what was written is no backup.
#[test]
fn rel_12_a_backup_that_is_killed_is_none() {
    for engine in Engine::available("REL-12") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        instance.sandbox("seed", &["--seed", "3"]).ok();
        let key = instance.owner_key();
        let server = instance.serve();
        let file = instance.backup_file("killed");
        let mut parts = 0;
        for number in 0..6 {
            // Its standard output is not read further, so it is in the middle.
            let mut child = start(&instance, &["backup", "-"]);
            let mut bytes = vec![0; 1_000 + 40_000 * number];
            child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            fs::write(&file, &bytes).unwrap();
            people::client(&server.with(&key), &format!("beside{number}"));
            parts += 1;
            if number == 5 {
                server.stop();
                let dump = instance.logical_dump();
                let refused = instance.restore(&file, &[]);
                assert_eq!(refused.code, Some(1), "{refused:?}");
                assert!(refused.stderr.contains("nothing was changed"), "{refused:?}");
                instance.logical_dump().assert_unchanged_since(&dump, "a part of a backup");
                break;
            }
        }
        // Into a file, it has its name only when it is whole.
        let whole = instance.backup_file("whole");
        let mut child = start(&instance, &["backup", whole.to_str().unwrap()]);
        child.kill().unwrap();
        child.wait().unwrap();
        if !whole.exists() {
            instance.backup("whole");
        }
        let refused = instance.ward(&["backup", whole.to_str().unwrap()], &[]);
        assert_eq!(refused.code, Some(2), "a backup was overwritten: {refused:?}");
        instance.restore(&whole, &[]).ok();
        tell("REL-12", format_args!("{engine:?}: {parts} backups killed"));
    }
}

/// SIGKILL at any moment of a restore, by the clock of chance: the old instance or the new one.
#[test]
fn rel_12_a_restore_that_is_killed_leaves_the_old_or_the_new() {
    for engine in Engine::available("REL-12") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        instance.sandbox("seed", &["--seed", "4"]).ok();
        let key = instance.owner_key();
        let (file, _) = instance.backup("killed");
        let (mut old, mut new) = (0, 0);
        for number in 0..8_u64 {
            let server = instance.serve();
            let api = server.with(&key);
            let marker = people::client(&api, &format!("marker{number}"));
            server.stop();
            let mut child = start(&instance, &["restore", file.to_str().unwrap()]);
            let moment = std::time::Duration::from_millis(number * number * 12);
            std::thread::sleep(moment); // allow-sleep: the kill is to come at any moment
            let _ = child.kill();
            child.wait().unwrap();
            let (intact, said) = instance.verify_audit();
            assert!(intact, "{said}");
            let there = instance
                .database()
                .number(&format!("SELECT COUNT(*) FROM users WHERE id = {marker}"));
            *(if there == 1 { &mut old } else { &mut new }) += 1;
            let server = instance.serve();
            assert!(server.is_ready());
            let read = server
                .with(&key)
                .ask("query($id: ID) { user(id: $id) { id } }", json!({"id": marker}));
            assert_eq!(read.json["data"]["user"]["id"].is_string(), there == 1, "{}", read.text);
            server.stop();
        }
        tell(
            "REL-12",
            format_args!(
                "{engine:?}: 8 restores killed: {old} times the old one, {new} the new one"
            ),
        );
    }
}
