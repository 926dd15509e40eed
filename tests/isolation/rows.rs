//! ISO-03: rows that are copied by SQL from one database into the other.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use ward_tests::database::writable;
use ward_tests::{Engine, Instance, Kind, json, people, tell, until};

use crate::pair::{Side, pair};

/// Tables whose rows the other database takes, because they hold nothing of anybody, and why that
/// is no harm.
const HARMLESS: [(&str, &str); 1] =
    [("id_blocks", "a counter: ids still come from the own range, and from the row's own check")];

/// Tables that hold no row in a furnished instance on SQLite, and why.
const EMPTY: [(&str, &str); 10] = [
    ("auto_replies", "after a client's message to a member who is away"),
    ("sent_notification_records", "minutes after a message that nobody read"),
    ("verification_codes", "of a Production only once it sends mail"),
    ("simulated_messages", "a Production simulates nothing"),
    ("request_records", "a Production records no request"),
    ("test_clock", "a Production has no other time than real time"),
    ("faults", "nothing goes wrong on purpose in a Production"),
    ("nodes", "PostgreSQL only"),
    ("leases", "PostgreSQL only"),
    (
        "retired_keys",
        "only once the root key was rotated; fenced by its kind, as the certificate is",
    ),
];

#[test]
fn iso_03_copied_rows_rejected() {
    let pair = pair();
    for act in ["freeze", "resume"] {
        let reply = pair.s.as_owner().post(&format!("/sandbox/v1/clock/{act}"), &json!({}));
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let fault = json!({"kind": "latency", "operation": "nothing", "milliseconds": 0});
    let reply = pair.s.as_owner().post("/sandbox/v1/faults", &fault);
    assert_eq!(reply.status, 200, "{}", reply.text);
    for side in [&pair.s, &pair.p] {
        let decision = json!({"mode": "off", "reason": "nothing is sent here"});
        let reply = side.as_owner().post("/effects/push", &decision);
        assert_eq!(reply.status, 200, "{}", reply.text);
        let clients = people::client_ids(&side.as_owner());
        let pilot = json!({"add": [clients[0]], "reason": "a pilot"});
        let reply = side.as_owner().post("/effects/push/cohort", &pilot);
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
        // Which permissions were used is written within a second.
        let uses = "SELECT COUNT(*) FROM permission_uses";
        until("uses are written", || (from.instance.database().number(uses) > 0).then_some(()));
        let attempts = "SELECT COUNT(*) FROM webhook_attempts";
        until("a webhook is sent", || {
            (from.instance.database().number(attempts) > 0).then_some(())
        });
        copy_all(from, to);
    }
}

/// Copies every row of every table, and asserts that none arrives.
fn copy_all(from: &Side, to: &Side) {
    let files = tempfile::tempdir().unwrap();
    let copy = |side: &Side, name: &str| {
        let path = files.path().join(name);
        let sql = format!("VACUUM INTO '{}'", path.display());
        writable(&side.instance.file()).execute_batch(&sql).unwrap();
        path
    };
    let connection = writable(&copy(to, "to.db"));
    let attach = format!("ATTACH '{}' AS other", copy(from, "from.db").display());
    connection.execute_batch(&attach).unwrap();
    let tables = tables(&connection);
    let (mut rows, mut rejected, mut empty, mut taken) = (0, 0, Vec::new(), Vec::new());
    for table in &tables {
        let tried = copy_table(&connection, table);
        rows += tried.rows;
        rejected += tried.rejected;
        if tried.rows == 0 {
            empty.push(table.as_str());
        }
        if tried.rejected < tried.rows {
            taken.push(format!("{table}: {} of {} rows", tried.rows - tried.rejected, tried.rows));
        }
    }
    let way = format!("{} -> {}", from.instance.kind.title(), to.instance.kind.title());
    tell(
        "ISO-03",
        format_args!(
            "{way}: {} tables, {} with rows, {rows} rows tried, {rejected} rejected; taken: {taken:?}; empty: {empty:?}",
            tables.len(),
            tables.len() - empty.len()
        ),
    );
    let listed = |list: &[(&str, &str)], line: &str| {
        list.iter().any(|(name, _)| line.split(':').next() == Some(name))
    };
    let harm: Vec<_> = taken.iter().filter(|line| !listed(&HARMLESS, line)).collect();
    assert!(harm.is_empty(), "{way}: the database takes foreign rows: {harm:?}");
    let mut untried: Vec<_> = empty.iter().filter(|name| !listed(&EMPTY, name)).collect();
    if from.instance.kind == Kind::Sandbox {
        let own =
            ["simulated_messages", "request_records", "verification_codes", "test_clock", "faults"];
        untried.extend(empty.iter().filter(|name| own.contains(name)));
    }
    assert!(untried.is_empty(), "{way}: no row to try in {untried:?}");
}

struct Tried {
    rows: usize,
    rejected: usize,
}

/// One row after another, so that one that is rejected hides no other.
fn copy_table(connection: &Connection, table: &str) -> Tried {
    let mut tried = Tried { rows: 0, rejected: 0 };
    let mut statement = connection.prepare(&format!("SELECT * FROM other.{table}")).unwrap();
    let width = statement.column_count();
    let marks = vec!["?"; width].join(", ");
    let insert = format!("INSERT INTO main.{table} VALUES ({marks})");
    let read = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
    let rows: Vec<Vec<Value>> =
        statement.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap();
    // Whole, as the mistake is made; then what is rejected of it, row by row.
    let whole = format!("INSERT INTO main.{table} SELECT * FROM other.{table}");
    connection.execute_batch("SAVEPOINT whole").unwrap();
    let taken = connection.execute(&whole, []).is_ok();
    connection.execute_batch("ROLLBACK TO whole; RELEASE whole").unwrap();
    if taken {
        return Tried { rows: rows.len(), rejected: 0 };
    }
    for row in rows {
        tried.rows += 1;
        tried.rejected += usize::from(connection.execute(&insert, params_from_iter(row)).is_err());
    }
    tried
}

fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM main.sqlite_master WHERE type = 'table' \
               AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// Sealed values that are copied into a row which has the right id open nothing.
#[test]
fn iso_03_copied_ciphertext_unreadable() {
    let sides = Kind::BOTH.map(|kind| {
        let canary = kind.word();
        let instance = Instance::birth(kind, Engine::Sqlite);
        let (owner, provider) = (instance.owner_key(), instance.member("provider"));
        let server = instance.serve();
        let made = people::furnish(&server.with(&owner), &server.with(&provider), canary);
        server.stop();
        (instance, owner, made)
    });
    let sealed = |instance: &Instance| {
        instance.database().one("SELECT hex(line1) FROM locations WHERE line1 IS NOT NULL")
    };
    let values = [sealed(&sides[0].0), sealed(&sides[1].0)];
    let list = "query($id: String) { locations(user_id: $id) { nodes { id line1 } } }";
    for (number, (instance, owner, made)) in sides.iter().enumerate() {
        let (own, foreign) = (&values[number], &values[1 - number]);
        assert!(!foreign.is_empty(), "no sealed value to copy");
        let lay = |value: &str| {
            instance.database().execute(&format!("UPDATE locations SET line1 = x'{value}'"));
        };
        lay(foreign);
        let server = instance.serve();
        let ask = || server.with(owner).ask(list, json!({"id": made.clients[0]}));
        let reply = ask();
        let canary = format!("{}-street", instance.kind.other().word());
        assert!(!reply.text.contains(&canary), "opened: {}", reply.text);
        let opened = reply.json["data"]["locations"]["nodes"][0]["line1"].as_str();
        assert_eq!(opened, None, "a copied ciphertext gives a value: {}", reply.text);
        // What is beside it is served as before, and so is the value once it is put back.
        people::current_user(&server.with(owner));
        lay(own);
        let line = format!("{}-street 1", instance.kind.word());
        assert_eq!(ask().data()["locations"]["nodes"][0]["line1"], line.as_str());
    }
    tell("ISO-03", "2 copied ciphertexts open nothing");
}
