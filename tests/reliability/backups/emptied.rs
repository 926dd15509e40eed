//! REL-12: a backup beside a reset is of one world, or is refused.

use std::fs;
use std::io::Read;
use std::time::Duration;

use ward_tests::{Engine, Instance, Kind, json, people, tell};

use super::start;

const READ: &str = "query($id: ID) { user(id: $id) { id first_name } }";
const REFUSED: &str = "the Sandbox was reset or went back to a snapshot at this moment";
/// Resets of which each is beside a backup.
const ROUNDS: u32 = 4;
/// And at most, until one of the backups is made: which of the two comes first is nobody's to say,
/// but each backup begins so much earlier than the one before.
const ROUNDS_MAX: u32 = 24;
const HEAD_START: Duration = Duration::from_millis(100);

/// How many clients there are, where all that there is is of one world.
#[track_caller]
fn clients(instance: &Instance) -> i64 {
    let place = instance.database();
    for what in ["org_id", "id / 1000000"] {
        let worlds = place.number(&format!("SELECT COUNT(DISTINCT {what}) FROM users"));
        assert_eq!(worlds, 1, "people of {worlds} worlds, by {what}");
    }
    for others in [
        "users WHERE id / 1000000 <> org_id / 1000000",
        "organizations WHERE org_id NOT IN (SELECT org_id FROM users)",
        "events WHERE org_id NOT IN (SELECT org_id FROM users)",
    ] {
        let count = place.number(&format!("SELECT COUNT(*) FROM {others}"));
        assert_eq!(count, 0, "rows of another world: {others}");
    }
    place.number("SELECT COUNT(*) FROM users WHERE is_patient = TRUE")
}

#[track_caller]
fn assert_sound(instance: &Instance) {
    let (intact, said) = instance.verify_audit();
    assert!(intact, "{said}");
    instance.ward(&["doctor"], &[]).ok();
}

/// Once it has begun, the whole of a reset is behind it.
#[test]
fn rel_12_a_reset_during_a_backup_is_not_in_it() {
    for engine in Engine::available("REL-12") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        instance.sandbox("seed", &["--seed", "5", "--clients", "400"]).ok();
        let key = instance.owner_key();
        let server = instance.serve();
        let id = people::client(&server.with(&key), "then");
        let before = clients(&instance);
        let mut child = start(&instance, &["backup", "-"]);
        let mut out = child.stdout.take().unwrap();
        let mut bytes = vec![0; 1_000];
        out.read_exact(&mut bytes).unwrap();
        // Nobody reads it further, so it waits in the middle.
        instance.sandbox("reset", &[]).ok();
        assert_eq!(clients(&instance), 0);
        assert!(child.try_wait().unwrap().is_none(), "the backup was over before");
        out.read_to_end(&mut bytes).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        server.stop();
        let file = instance.backup_file("then");
        fs::write(&file, bytes).unwrap();
        instance.restore(&file, &["--reason", "a drill"]).ok();
        assert_eq!(clients(&instance), before);
        assert_sound(&instance);
        let server = instance.serve();
        let api = server.with(&key);
        assert_eq!(api.ask(READ, json!({"id": id})).data()["user"]["id"], id.as_str());
        assert_ne!(people::client(&api, "afterwards"), id);
        tell("REL-12", format_args!("{engine:?}: {before} clients of before a reset came back"));
    }
}

/// Whichever comes first.
#[test]
fn rel_12_a_backup_beside_a_reset_is_of_one_world() {
    for engine in Engine::available("REL-12") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let server = instance.serve();
        let mut made = Vec::new();
        let mut rounds = 0;
        while rounds < ROUNDS || (made.is_empty() && rounds < ROUNDS_MAX) {
            rounds += 1;
            let name = format!("round{rounds}");
            people::client(&server.with(&instance.owner_key()), &name);
            let file = instance.backup_file(&name);
            let backed = std::thread::scope(|scope| {
                let words = ["backup", file.to_str().unwrap()];
                let backup = scope.spawn({
                    let instance = &instance;
                    move || instance.ward(&words, &[])
                });
                // allow-sleep: the later the round, the further the backup is.
                std::thread::sleep(HEAD_START * (rounds - 1));
                instance.sandbox("reset", &[]).ok();
                backup.join().unwrap()
            });
            if backed.code == Some(0) {
                made.push((name, file));
                continue;
            }
            let said = format!("{}{}", backed.stdout, backed.stderr);
            assert!(backed.code == Some(75) && said.contains(REFUSED), "{backed:?}");
            assert!(!file.exists(), "there is a backup that was refused");
        }
        assert!(!made.is_empty(), "{engine:?}: of {rounds} backups beside a reset none was made");
        assert_eq!(clients(&instance), 0);
        server.stop();
        let mut of_before = 0;
        for (name, file) in &made {
            instance.restore(file, &["--reason", "a drill"]).ok();
            let all = clients(&instance);
            let own = format!("SELECT COUNT(*) FROM users WHERE first_name = '{name}'");
            assert!(all <= 1, "{all} clients of several worlds");
            assert_eq!(instance.database().number(&own), all, "somebody of another world");
            assert_sound(&instance);
            of_before += all;
        }
        tell(
            "REL-12",
            format_args!(
                "{engine:?}: {} backups beside {rounds} resets, {of_before} of before and none of two worlds",
                made.len()
            ),
        );
    }
}
