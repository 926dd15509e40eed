//! REL-12: a restore while somebody uses the database that is to go.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use ward_tests::postgres::Session;
use ward_tests::{Engine, Instance, Kind, Server, json, people, program, tell, until};

use super::attest;

/// A node that starts while the backup is put together is seen before anything is replaced.
#[test]
fn rel_12_a_node_that_starts_meanwhile_is_not_robbed() {
    if !Engine::available("REL-12").contains(&Engine::Postgres) {
        return;
    }
    let instance = Instance::birth(Kind::Production, Engine::Postgres);
    let owner = instance.owner_key();
    let server = instance.serve();
    // More than is read at one time.
    for number in 0..100 {
        people::client(&server.with(&owner), &format!("kept{number}"));
    }
    server.stop();
    let (file, _) = instance.backup("used");
    assert!(fs::metadata(&file).unwrap().len() > 150_000, "the backup is too small for this test");
    let other = instance.copied();
    let mut command = program::command();
    command.args(["restore", "-", "--kind", "production", "--dir"]).arg(&instance.dir);
    command.envs(instance.variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let bytes = fs::read(&file).unwrap();
    let (first, last) = bytes.split_at(bytes.len() - 10);
    let mut to = child.stdin.take().unwrap();
    to.write_all(first).unwrap();
    to.flush().unwrap();
    let begun = "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'ward_restore'";
    let place = instance.database();
    until("rows are put together", || (place.number(begun) == 1).then_some(()));
    let beside = other.serve();
    until("it told", || (place.number("SELECT COUNT(*) FROM nodes") == 1).then_some(()));
    let marker = people::client(&beside.with(&owner), "meanwhile");
    to.write_all(last).unwrap();
    drop(to);
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(75), "{said}");
    assert!(said.contains("other nodes work"), "{said}");
    assert_eq!(place.number(begun), 0, "what was put together is left");
    let made = format!("SELECT COUNT(*) FROM users WHERE id = {marker}");
    assert_eq!(place.number(&made), 1);
    people::client(&beside.with(&owner), "afterwards");
    beside.stop();
    instance.restore(&file, &[]).ok();
    assert_eq!(place.number(&made), 0);
    let beside = other.serve();
    assert!(is_quarantined(&beside));
    attest(&other);
    until("it serves", || beside.is_ready().then_some(()));
    tell("REL-12", "a restore gave way to a node that started meanwhile");
}

/// A node under which a backup was brought back all the same neither writes nor sends, until it
/// starts anew.
#[test]
fn rel_12_a_node_notices_that_the_database_is_another() {
    if !Engine::available("REL-12").contains(&Engine::Postgres) {
        return;
    }
    let instance = Instance::birth(Kind::Production, Engine::Postgres);
    let owner = instance.owner_key();
    let server = instance.serve();
    people::client(&server.with(&owner), "kept");
    let add = |number: i64| {
        let sql = format!("UPDATE instance SET restore_epoch = restore_epoch + {number}");
        instance.database().execute(&sql);
    };
    add(1);
    until("it notices", || is_quarantined(&server).then_some(()));
    add(-1);
    let refused = server.with(&owner).ask(people::CREATE_CLIENT, people::new_client("early"));
    assert_eq!(refused.code(), "QUARANTINED_INSTANCE", "{}", refused.text);
    server.stop();
    let server = instance.serve();
    assert!(server.is_ready() && !is_quarantined(&server));
}

fn is_quarantined(server: &Server) -> bool {
    server.api().get("/readyz").json["quarantined"] == json!(true)
}

/// While a program reads the SQLite file, its log is not taken away.
#[test]
fn rel_12_a_reader_of_the_file_keeps_its_log() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let (file, _) = instance.backup("read");
    let server = instance.serve();
    let reader = ward_tests::database::read_only(&instance.file());
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM users").unwrap();
    let marker = people::client(&server.with(&key), "inthelog");
    server.stop();
    let log = instance.file().with_extension("db-wal");
    assert!(fs::metadata(&log).is_ok_and(|log| log.len() > 0), "nothing is in the log");
    let refused = instance.restore(&file, &[]);
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert!(refused.stderr.contains("nothing was changed"), "{refused:?}");
    let there = format!("SELECT COUNT(*) FROM users WHERE id = {marker}");
    assert_eq!(instance.database().number(&there), 1, "what was in the log is lost");
    assert!(!instance.file().with_extension("db.restoring").exists());
    drop(reader);
    instance.restore(&file, &[]).ok();
    assert_eq!(instance.database().number(&there), 0);
}

/// Nor are the tables of a PostgreSQL database, while a backup reads them: neither waits for the other.
#[test]
fn rel_12_a_reader_of_the_tables_keeps_them() {
    if !Engine::available("REL-12").contains(&Engine::Postgres) {
        return;
    }
    let instance = Instance::birth(Kind::Sandbox, Engine::Postgres);
    let (file, _) = instance.backup("read");
    let before = instance.logical_dump();
    let reader = Session::open(instance.database_url()).unwrap();
    reader.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    reader.rows("SELECT COUNT(*) FROM users");
    let refused = instance.restore(&file, &[]);
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert!(refused.stderr.contains("nothing was changed"), "{refused:?}");
    // It reads on, of tables that it had not come to as well.
    reader.rows("SELECT COUNT(*) FROM audit_events");
    reader.rows("SELECT COUNT(*) FROM webhooks");
    reader.rows("COMMIT");
    instance.logical_dump().assert_unchanged_since(&before, "a restore that gave way");
    let left = "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'ward_restore'";
    assert_eq!(instance.database().number(left), 0, "the schema of a restore is left");
    instance.restore(&file, &[]).ok();
}
