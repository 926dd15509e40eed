//! An instance's database from beside the program: rows, the logical dump, the audit log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use ward_probe::isolation::dump::{UNCOUNTED, UNCOUNTED_COLUMNS};

use crate::postgres::{self, Rows, Session};

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL address.
    Server(String),
}

/// Changes that a failed test shows at most.
const CHANGES_SHOWN: usize = 12;

/// An audit entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `CREATE`, `UPDATE`, `DESTROY`, `REFUSED` or `ADMIN`.
    pub event_type: String,
    /// The resource; of a refusal, its code.
    pub resource_name: String,
    /// The resource's id; of a refusal, who was refused.
    pub resource_id: String,
    /// The organization, 0 when it is nobody's.
    pub org_id: i64,
}

impl Place {
    /// Runs a query; every value as text.
    pub fn rows(&self, sql: &str) -> Rows {
        self.look().rows(sql)
    }

    /// For several queries: opening a file reads all of its schema, and a connection to a server
    /// is a process there.
    pub fn look(&self) -> Look {
        match self {
            Place::File(path) => Look::File(read_only(path)),
            Place::Server(address) => Look::Server(Session::open(address).unwrap()),
        }
    }

    /// Runs a statement that changes something, as somebody with the database's password would.
    pub fn execute(&self, sql: &str) {
        match self {
            Place::File(path) => writable(path).execute_batch(sql).unwrap(),
            Place::Server(address) => drop(postgres::query(address, sql)),
        }
    }

    /// The first value of the first row; empty when it is null or not there.
    pub fn one(&self, sql: &str) -> String {
        self.rows(sql)
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next()?)
            .unwrap_or_default()
    }

    /// The first value as a number.
    pub fn number(&self, sql: &str) -> i64 {
        let text = self.one(sql);
        text.parse().unwrap_or_else(|_| panic!("{sql} gives {text:?}"))
    }

    /// The names of all tables.
    pub fn tables(&self) -> Vec<String> {
        self.look().shape().into_keys().collect()
    }

    /// The names of a table's columns.
    pub fn columns(&self, table: &str) -> Vec<String> {
        self.look().shape().remove(table).unwrap_or_default()
    }

    /// Every numeric id in a SQLite file's tables, but in those named.
    pub fn ids(&self, but: &[&str]) -> Vec<String> {
        let look = self.look();
        let tables = look.rows(
            "SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.name = 'id' AND c.type = 'INTEGER'",
        );
        let tables = tables.into_iter().flatten().flatten();
        let tables = tables.filter(|table| !but.contains(&table.as_str()));
        tables
            .flat_map(|table| look.rows(&format!("SELECT id FROM {table}")))
            .flatten()
            .flatten()
            .collect()
    }

    /// Everything that the instance holds.
    pub fn logical_dump(&self) -> Dump {
        let look = self.look();
        let tables =
            look.shape().into_iter().filter(|(name, _)| !UNCOUNTED.contains(&name.as_str()));
        let dumped = |(table, columns): (String, Vec<String>)| {
            let lines = look.table_dump(&table, columns);
            (table, lines)
        };
        Dump(tables.map(dumped).collect())
    }

    /// The audit log, oldest first.
    pub fn audit_entries(&self) -> Vec<Entry> {
        let rows = self.rows(
            "SELECT event_type, resource_name, resource_id, org_id FROM audit_events \
             ORDER BY written_at, id",
        );
        let entry = |row: Vec<Option<String>>| {
            let mut fields = row.into_iter().map(Option::unwrap_or_default);
            let mut next = || fields.next().unwrap_or_default();
            Entry {
                event_type: next(),
                resource_name: next(),
                resource_id: next(),
                org_id: next().parse().unwrap_or_default(),
            }
        };
        rows.into_iter().map(entry).collect()
    }

    /// How many entries tell of refusals with a code.
    pub fn refusals(&self, code: &str) -> usize {
        let told = |entry: &Entry| entry.event_type == "REFUSED" && entry.resource_name == code;
        self.audit_entries().iter().filter(|entry| told(entry)).count()
    }
}

/// A connection for several queries.
pub enum Look {
    /// To a file.
    File(Connection),
    /// To a server.
    Server(Session),
}

impl Look {
    /// Runs a query; every value as text.
    pub fn rows(&self, sql: &str) -> Rows {
        match self {
            Look::File(connection) => lite_rows(connection, sql),
            Look::Server(session) => session.rows(sql),
        }
    }

    /// The names of all tables with those of their columns.
    pub fn shape(&self) -> BTreeMap<String, Vec<String>> {
        let rows = self.rows(match self {
            Look::File(_) => {
                "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c \
                 WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid"
            }
            Look::Server(_) => {
                "SELECT t.tablename, c.column_name FROM pg_tables t \
                 JOIN information_schema.columns c \
                 ON c.table_name = t.tablename AND c.table_schema = t.schemaname \
                 WHERE t.schemaname = 'public' ORDER BY 1, c.ordinal_position"
            }
        });
        let mut shape = BTreeMap::<String, Vec<String>>::new();
        for row in rows {
            let mut names = row.into_iter().flatten();
            if let (Some(table), Some(column)) = (names.next(), names.next()) {
                shape.entry(table).or_default().push(column);
            }
        }
        shape
    }

    fn table_dump(&self, table: &str, columns: Vec<String>) -> Vec<String> {
        let counted: Vec<String> = columns
            .into_iter()
            .filter(|column| !UNCOUNTED_COLUMNS.contains(&(table, column)))
            .collect();
        let read = |column: &String| match self {
            // The engine writes bytes as digits faster than a debug build of this does.
            Look::File(_) => format!(
                "CASE typeof(\"{column}\") WHEN 'blob' THEN lower(hex(\"{column}\")) ELSE \"{column}\" END"
            ),
            Look::Server(_) => format!("\"{column}\""),
        };
        let columns: Vec<String> = counted.iter().map(read).collect();
        let rows = self.rows(&format!("SELECT {} FROM {table}", columns.join(", ")));
        let line = |row: Vec<Option<String>>| {
            let mut line = String::new();
            for (name, value) in counted.iter().zip(row) {
                if let Some(value) = value {
                    line.extend([name.as_str(), "=", &value, " "]);
                }
            }
            line
        };
        let mut lines: Vec<String> = rows.into_iter().map(line).collect();
        lines.sort();
        lines
    }
}

/// What an instance holds, table by table; equal when nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump(BTreeMap<String, Vec<String>>);

impl Dump {
    /// Asserts that this is what was held `before`.
    #[track_caller]
    pub fn assert_unchanged_since(&self, before: &Dump, what: &str) {
        let changes = self.changes_since(before);
        assert!(self == before, "{what} changed something: {changes:#?}");
    }

    /// The first lines that are gone and that are new since `before`.
    pub fn changes_since(&self, before: &Dump) -> Vec<String> {
        let mut changes = Vec::new();
        for (table, lines) in &self.0 {
            let old = before.0.get(table).map(Vec::as_slice).unwrap_or_default();
            let missing = |from: &[String], to: &[String], sign: char| {
                let lines = from.iter().filter(|line| !to.contains(line));
                lines.map(|line| format!("{table} {sign} {line}")).collect::<Vec<_>>()
            };
            changes.extend(missing(old, lines, '-'));
            changes.extend(missing(lines, old, '+'));
        }
        changes.truncate(CHANGES_SHOWN);
        for change in &mut changes {
            *change = change.chars().take(300).collect();
        }
        changes
    }

    /// The same without some tables.
    #[must_use]
    pub fn without(mut self, tables: &[&str]) -> Dump {
        self.0.retain(|name, _| !tables.contains(&name.as_str()));
        self
    }

    /// Tables and rows, for the report.
    pub fn size(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().map(Vec::len).sum())
    }

    /// Whether a text stands in any of its plain values.
    pub fn contains(&self, text: &str) -> bool {
        self.0.values().flatten().any(|line| line.contains(text))
    }
}

/// The file beside its server: nothing can be written.
pub fn read_only(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    connection.busy_timeout(crate::wait::PATIENCE).unwrap();
    connection
}

/// The file as the `sqlite3` shell opens it: no foreign keys.
pub fn writable(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(crate::wait::PATIENCE).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection
}

fn lite_rows(connection: &Connection, sql: &str) -> Rows {
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        all.push((0..width).map(|at| shown(row.get_ref(at).unwrap())).collect());
    }
    all
}

fn shown(value: ValueRef<'_>) -> Option<String> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => {
            let digits = |byte: &u8| [byte >> 4, byte & 15];
            let digit = |half| char::from_digit(u32::from(half), 16).unwrap_or_default();
            bytes.iter().flat_map(digits).map(digit).collect()
        }
    })
}
