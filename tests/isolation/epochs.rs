//! ISO-21: ids of before a reset of the Sandbox.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::TcpStream;

use ward_tests::postgres::Session;
use ward_tests::{Engine, Instance, Kind, Server, json, people, raw, tell, until};

const READ: &str = "query($id: ID) { user(id: $id) { id first_name } }";
const CHANGE: &str = "mutation($id: ID) {
  updateClient(input: {id: $id, first_name: \"Changed\"}) { user { id } messages { field message } }
}";

/// Every numeric id that the instance holds, except in the audit log, which a reset leaves.
fn all_ids(instance: &Instance) -> BTreeSet<String> {
    instance.database().ids(&["audit_events"]).into_iter().collect()
}

/// Old ids are refused as old, by reads and by writes, and name when the reset was.
fn assert_stale(server: &Server, key: &str, ids: &[String]) {
    for id in ids {
        let reply = server.with(key).ask(READ, json!({"id": id}));
        assert_eq!((reply.status, reply.code()), (200, "STALE_EPOCH_ID"), "{}", reply.text);
        assert!(reply.json["data"]["user"].is_null(), "{}", reply.text);
        let error = &reply.json["errors"][0];
        assert_eq!(error["extensions"]["argument"], "id", "{error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("reset at 20"), "the reset's time is not named: {message}");
        let reply = server.with(key).ask(CHANGE, json!({"id": id}));
        assert_eq!((reply.status, reply.code()), (200, "STALE_EPOCH_ID"), "{}", reply.text);
        let payload = &reply.json["data"]["updateClient"];
        assert!(payload["user"].is_null(), "{}", reply.text);
        assert_eq!(payload["messages"][0]["field"], "id", "{}", reply.text);
    }
}

#[test]
fn iso_21_ids_of_before_a_reset_refused() {
    for engine in Engine::available("ISO-21") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (key, colleague) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let mut old =
            people::furnish(&server.with(&key), &server.with(&colleague), "first").clients;
        server.stop();
        // Stopped.
        s.sandbox("reset", &[]).ok();
        let server = s.serve();
        let refused = server.with(&key).ask("{ currentUser { id } }", json!({}));
        assert_eq!(refused.code(), "UNAUTHENTICATED", "a key outlives the reset: {}", refused.text);
        let (key, colleague) = (s.owner_key(), s.member("provider"));
        let before = s.settled_dump();
        assert_stale(&server, &key, &old);
        s.await_refusal("STALE_EPOCH_ID");
        s.settled_dump().assert_unchanged_since(&before, "a stale id");
        // Running.
        let second =
            people::furnish(&server.with(&key), &server.with(&colleague), "second").clients;
        assert!(second.iter().all(|id| !old.contains(id)), "an id came back");
        old.extend(second);
        s.sandbox("reset", &[]).ok();
        let (key, colleague) = (s.owner_key(), s.member("provider"));
        assert_stale(&server, &key, &old);
        let third = people::furnish(&server.with(&key), &server.with(&colleague), "third").clients;
        assert!(third.iter().all(|id| !old.contains(id)), "an id came back");
        drop(server);
        let (intact, said) = s.verify_audit();
        assert!(intact, "a reset breaks the audit log: {said}");
        tell("ISO-21", format_args!("{engine:?}: {} old ids stale after 2 resets", old.len()));
    }
}

/// What somebody writes while a Sandbox is emptied is emptied with it, and undoes nothing.
#[test]
fn iso_21_a_reset_beside_a_write() {
    // On SQLite there is one writer.
    for engine in Engine::available("ISO-21").into_iter().filter(|it| *it == Engine::Postgres) {
        let s = Instance::birth(Kind::Sandbox, engine);
        let server = s.serve();
        let other = Session::open(s.database_url()).unwrap();
        other.rows("BEGIN");
        other.rows(
            "INSERT INTO permission_uses (org_id, user_id, permission, last_on) \
             SELECT org_id, id, 'of_before', '2026-01-01' FROM users LIMIT 1",
        );
        std::thread::scope(|scope| {
            let reset = scope.spawn(|| s.sandbox("reset", &[]));
            let waiting = "SELECT COUNT(*) FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            until("the reset to wait", || (s.database().number(waiting) > 0).then_some(()));
            other.rows("COMMIT");
            reset.join().unwrap().ok();
        });
        let left = "SELECT COUNT(*) FROM permission_uses WHERE permission = 'of_before'";
        assert_eq!(s.database().number(left), 0, "a row of before outlives the reset");
        drop(server);
    }
}

/// A node of the same database that begins meanwhile is counted before anything is emptied, however
/// late it says that it lives: it would go on with ids of its own.
#[test]
fn iso_21_a_reset_beside_a_node_that_starts() {
    // On SQLite one process has the file.
    if !Engine::available("ISO-21").contains(&Engine::Postgres) {
        return;
    }
    let s = Instance::birth(Kind::Sandbox, Engine::Postgres);
    let key = s.owner_key();
    let other = s.copied();
    let gate = Session::open(s.database_url()).unwrap();
    gate.rows("BEGIN");
    // Nobody begins to serve, and nobody keeps others from it: `ward nod` in ASCII.
    gate.rows("SELECT pg_advisory_xact_lock(8602282537620762468)");
    let waits = |what: &str, count: i64| {
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted \
                       AND locktype = 'advisory' AND classid = 2002874980 AND objid = 544108388 \
                       AND database = \
                       (SELECT oid FROM pg_database WHERE datname = current_database())";
        until(what, || (s.database().number(waiting) == count).then_some(()));
    };
    let beside = std::thread::scope(|scope| {
        let starts = scope.spawn(|| other.serve());
        waits("the node to say that it is there", 1);
        let reset = scope.spawn(|| s.sandbox("reset", &[]));
        waits("the reset to have all for itself", 2);
        gate.rows("COMMIT");
        let refused = reset.join().unwrap();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("another process serves"), "{refused:?}");
        starts.join().unwrap()
    });
    let old = people::client(&beside.with(&key), "there");
    beside.stop();
    s.sandbox("reset", &[]).ok();
    assert_eq!(s.database().number("SELECT COUNT(*) FROM users WHERE is_patient = TRUE"), 0);
    // Its own ledger of ids is of before, so it would give them again.
    other.refused_start(&[]).refused("ISO-21");
    std::fs::copy(s.dir.join("ids.ledger"), other.dir.join("ids.ledger")).unwrap();
    let beside = other.serve();
    let key = other.owner_key();
    assert_stale(&beside, &key, std::slice::from_ref(&old));
    assert_ne!(people::client(&beside.with(&key), "again"), old);
}

/// Two resets of one database at one time, from two directories that know the same ids: one is done, and
/// the other one would empty that world by a ledger of before it.
#[test]
fn iso_21_two_resets_from_two_directories() {
    // On SQLite one process has the file.
    if !Engine::available("ISO-21").contains(&Engine::Postgres) {
        return;
    }
    let s = Instance::birth(Kind::Sandbox, Engine::Postgres);
    let other = s.copied();
    let gate = Session::open(s.database_url()).unwrap();
    gate.rows("BEGIN");
    // Both have begun when one of them has the data alone.
    gate.rows("LOCK TABLE id_blocks IN ROW EXCLUSIVE MODE");
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| s.sandbox("reset", &[]));
        let two = scope.spawn(|| other.sandbox("reset", &[]));
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted \
                       AND relation = 'id_blocks'::regclass AND mode = 'ExclusiveLock' \
                       AND database = \
                       (SELECT oid FROM pg_database WHERE datname = current_database())";
        until("both to wait", || (s.database().number(waiting) == 2).then_some(()));
        gate.rows("COMMIT");
        (one.join().unwrap(), two.join().unwrap())
    });
    let (done, refused) = match one.code {
        Some(0) => ((one, &s), (two, &other)),
        _ => ((two, &other), (one, &s)),
    };
    done.0.ok();
    refused.0.refused("ISO-21");
    // Nor does it serve what is there now.
    refused.1.refused_start(&[]).refused("ISO-21");
    let (key, server) = (done.1.owner_key(), done.1.serve());
    people::client(&server.with(&key), "afterwards");
}

/// Who was looked up before a Sandbox goes back or is emptied, and whose body arrives afterwards, is
/// nobody there, whoever has their id by then.
#[test]
fn iso_21_who_was_looked_up_before_writes_nothing() {
    for engine in Engine::available("ISO-21") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let key = s.owner_key();
        let server = s.serve();
        let api = server.with(&key);
        let late = json!({"query": people::CREATE_CLIENT, "variables": people::new_client("late")});
        let late = late.to_string();
        let refused = |mut stream: TcpStream| {
            stream.write_all(late.as_bytes()).unwrap();
            let answer = raw::read(&mut stream);
            let error = answer.json()["errors"][0].clone();
            assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED", "{}", answer.body);
            let message = error["message"].as_str().unwrap_or_default();
            assert!(message.contains("meanwhile; nothing was executed"), "{message}");
            let written = s.database().number("SELECT COUNT(*) FROM users WHERE is_patient = TRUE");
            assert_eq!((answer.status, written), (200, 0), "{}", answer.body);
        };
        let taken = api.post("/sandbox/v1/snapshots", &json!({"name": "then"}));
        assert_eq!(taken.status, 200, "{}", taken.text);
        let stream = raw::hold(server.port, &key, &late);
        let back = api.post("/sandbox/v1/snapshots/then/restore", &json!({}));
        assert_eq!(back.status, 200, "{}", back.text);
        refused(stream);
        let stream = raw::hold(server.port, &key, &late);
        s.sandbox("reset", &[]).ok();
        refused(stream);
        // Whoever is looked up by now is served.
        people::client(&server.with(&s.owner_key()), "afterwards");
    }
}

/// Who writes between a reset's step of the ledger and its transaction has ids of the new slot, and
/// nobody else is given them: of all types the next ids begin above.
#[test]
fn iso_21_ids_given_beside_a_reset_stay_given() {
    for engine in Engine::available("ISO-21") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let database = s.database();
        let owner = || database.number("SELECT MIN(id) FROM users");
        let slot = (owner() - 2_000_000_000) / 1_000_000;
        let first = 2_000_000_000 + (slot + 1) % 147 * 1_000_000;
        let (free, last) = (first + 500, first + 999_999);
        let types = database.number("SELECT COUNT(*) FROM id_blocks");
        assert!(types > 0, "nothing is founded at birth");
        // As such a write leaves it.
        database.execute(&format!("UPDATE id_blocks SET next_id = {free}, last_id = {last}"));
        s.sandbox("reset", &[]).ok();
        assert!((free..=last).contains(&owner()), "an id is given again: {}", owner());
        let above = format!("SELECT COUNT(*) FROM id_blocks WHERE next_id >= {free}");
        assert_eq!(database.number(&above), types, "ids of a type begin anew");
        tell("ISO-21", format_args!("{engine:?}: ids of {types} types go on above"));
    }
}

#[test]
fn iso_21_no_aliasing_over_50_resets() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let mut seen = all_ids(&s);
    let mut samples: Vec<String> = seen.iter().take(1).cloned().collect();
    let mut resets = 0;
    for _ in 0..50 {
        s.sandbox("reset", &[]).ok();
        resets += 1;
        let now = all_ids(&s);
        assert!(!now.is_empty(), "nothing is founded by the reset");
        let again: Vec<_> = now.intersection(&seen).collect();
        assert!(again.is_empty(), "ids came back after reset {resets}: {again:?}");
        samples.extend(now.iter().take(1).cloned());
        seen.extend(now);
    }
    // The newest is not stale.
    samples.pop();
    let key = s.owner_key();
    let server = s.serve();
    assert_stale(&server, &key, &samples);
    tell(
        "ISO-21",
        format_args!(
            "{resets} resets, {} ids, none twice; {} of old ones stale",
            seen.len(),
            samples.len()
        ),
    );
}

#[test]
fn iso_21_production_is_never_reset() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let before = p.logical_dump();
    p.sandbox("reset", &[]).refused("ISO-21");
    p.sandbox("seed", &[]).refused("ISO-21");
    let key = p.owner_key();
    let server = p.serve();
    p.sandbox("reset", &[]).refused("ISO-21");
    let reply = server.with(&key).post("/sandbox/v1/reset", &json!({}));
    assert_eq!((reply.status, reply.code()), (404, "SANDBOX_ONLY"), "{}", reply.text);
    drop(server);
    // The key that was made is all that is new.
    p.ward(&["key", "delete"], &[&key[key.len() - 46..key.len() - 38]]).ok();
    let clients = p.database().number("SELECT COUNT(*) FROM organizations");
    assert_eq!(clients, 1);
    assert!(before.size().0 > 5);
    tell("ISO-21", "3 resets and seeds of a Production refused, 1 by HTTP");
}
