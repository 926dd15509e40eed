//! What a SQLite instance holds, table by table, so that "nothing changed" can be said.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use crate::failure::Failure;

/// Tables that change although nothing happened to what the instance holds: the audit log, the
/// log of accesses, counters, id blocks, nodes.
pub const UNCOUNTED: [&str; 9] = [
    "audit_events",
    "access_log",
    "access_sets",
    "sign_in_attempts",
    "permission_uses",
    "request_records",
    "id_blocks",
    "nodes",
    "leases",
];

/// Columns of the same sort: what a look leaves behind, and where a background worker stands.
pub const UNCOUNTED_COLUMNS: [(&str, &str); 5] = [
    ("api_keys", "last_used_day"),
    ("sessions", "last_used_at"),
    ("users", "last_active"),
    ("events", "seq"),
    ("events", "relayed"),
];

/// Looks until nothing changes any more, at most; and the time between two.
const LOOKS_MAX: usize = 150;
const BETWEEN: Duration = Duration::from_millis(200);

/// A digest of each table.
pub type Dump = BTreeMap<String, String>;

fn failed(error: &rusqlite::Error) -> Failure {
    Failure::internal(format!("the database cannot be looked at: {error}"))
}

/// The database file, to read; beside its server or without.
pub fn open(file: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(|error| failed(&error))?;
    connection.busy_timeout(Duration::from_secs(30)).map_err(|error| failed(&error))?;
    Ok(connection)
}

/// The names of all tables.
pub fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM main.sqlite_master WHERE type = 'table' \
               AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// What the file holds now.
pub fn dump(file: &Path) -> Result<Dump, Failure> {
    let connection = open(file)?;
    let all = || -> rusqlite::Result<Dump> {
        let names = tables(&connection)?.into_iter();
        let counted = names.filter(|name| !UNCOUNTED.contains(&name.as_str()));
        counted.map(|table| Ok((table.clone(), digest(&connection, &table)?))).collect()
    };
    all().map_err(|error| failed(&error))
}

fn digest(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let mut columns = connection.prepare(&format!("PRAGMA table_info('{table}')"))?;
    let names = columns.query_map([], |row| row.get::<_, String>(1))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    let counted = names.iter().filter(|name| !UNCOUNTED_COLUMNS.contains(&(table, name.as_str())));
    let list = counted.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare(&format!("SELECT {list} FROM {table}"))?;
    let width = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let values = (0..width).map(|at| row.get::<_, Value>(at));
        Ok(format!("{:?}", values.collect::<rusqlite::Result<Vec<_>>>()?))
    };
    let mut rows: Vec<String> = statement.query_map([], row)?.collect::<rusqlite::Result<_>>()?;
    rows.sort();
    let whole = ring::digest::digest(&ring::digest::SHA256, rows.join("\n").as_bytes());
    Ok(format!("{} rows {}", rows.len(), crate::text::hex(whole.as_ref())))
}

/// What it holds once three looks agree.
pub fn settled(file: &Path) -> Result<Dump, Failure> {
    let (mut last, mut same) = (dump(file)?, 0);
    for _ in 0..LOOKS_MAX {
        std::thread::sleep(BETWEEN);
        let now = dump(file)?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
        if same == 3 {
            break;
        }
    }
    Ok(last)
}

/// The tables that are not as before, once it has settled.
pub fn changes(file: &Path, before: &Dump) -> Result<Vec<String>, Failure> {
    let now = settled(file)?;
    let names = before.keys().chain(now.keys());
    let mut changed: Vec<String> =
        names.filter(|name| before.get(*name) != now.get(*name)).cloned().collect();
    changed.dedup();
    Ok(changed)
}
