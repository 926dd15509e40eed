//! ISO-03: rows that are copied by SQL from one database into the other.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use ward_tests::database::writable;
use ward_tests::{Kind, Server, json, people, tell};

use crate::pair::{Side, pair};

/// Tables whose rows the other database takes, because they hold nothing of anybody, and why that
/// is no harm.
const HARMLESS: [(&str, &str); 3] = [
    ("id_blocks", "a counter: ids still come from the own range, and the row's own check"),
    ("nodes", "a process's heartbeat"),
    ("leases", "who runs a single role"),
];

/// Tables that hold no row in a furnished instance on SQLite, and why.
const EMPTY: [(&str, &str); 4] = [
    ("simulated_messages", "a Production simulates nothing"),
    ("nodes", "PostgreSQL only"),
    ("leases", "PostgreSQL only"),
    ("invite_codes", "only sub-organizations and groups that hand them out have some"),
];

#[test]
fn iso_03_copied_rows_rejected() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
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
            "{way}: {} of {} tables covered, {rows} rows tried, {rejected} rejected; taken: {taken:?}; empty: {empty:?}",
            tables.len(),
            tables.len()
        ),
    );
    let listed = |list: &[(&str, &str)], line: &str| {
        list.iter().any(|(name, _)| line.split(':').next() == Some(name))
    };
    let harm: Vec<_> = taken.iter().filter(|line| !listed(&HARMLESS, line)).collect();
    assert!(harm.is_empty(), "{way}: the database takes foreign rows: {harm:?}");
    let mut untried: Vec<_> = empty.iter().filter(|name| !listed(&EMPTY, name)).collect();
    if from.instance.kind == Kind::Sandbox {
        untried.extend(empty.iter().filter(|name| **name == "simulated_messages"));
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
    let pair = pair();
    let sql = "SELECT hex(line1) FROM locations WHERE line1 IS NOT NULL";
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
        let foreign = from.instance.database().one(sql);
        assert!(!foreign.is_empty(), "no sealed value to copy");
        let copied = to.instance.copied_beside_its_server();
        copied.database().execute(&format!("UPDATE locations SET line1 = x'{foreign}'"));
        // It is a copy, so it is attested before it serves all.
        let server = attested(&copied);
        let reply = server.with(&to.owner).ask(
            "query($id: String) { locations(user_id: $id) { nodes { id line1 } } }",
            json!({"id": to.clients[0]}),
        );
        assert!(!reply.text.contains(&format!("{}-street", from.canary)), "opened: {}", reply.text);
        let opened = reply.json["data"]["locations"]["nodes"][0]["line1"].as_str();
        assert_eq!(opened, None, "a copied ciphertext gives a value: {}", reply.text);
        // What is next to it is served as before.
        people::current_user(&server.with(&to.owner));
    }
    tell("ISO-03", "2 copied ciphertexts open nothing");
}

fn attested(copied: &ward_tests::Instance) -> Server {
    let server = copied.serve();
    copied.ward(&["attest"], &["--reason", "a test", "--by", ward_tests::instance::OWNER]).ok();
    server
}
