//! ISO-03: every table, with rows of the other environment.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::failure::Failure;
use crate::isolation::Ground;
use crate::isolation::dump::{open, tables};
use crate::kind::Kind;
use crate::report::Row;

/// Tables whose rows the other database takes, because they hold nothing of anybody.
const HARMLESS: [(&str, &str); 1] =
    [("id_blocks", "a counter: ids still come from the own range, and from the row's own check")];

/// Tables that on SQLite hold nothing but which step back in time was the last: nothing to try, and no case.
const POSTGRES_ONLY: [&str; 2] = ["leases", "nodes"];

/// A copy as of one moment.
fn copied(ground: &Ground, kind: Kind, way: Kind) -> Result<PathBuf, Failure> {
    let to = ground.own.place(&format!("rows-{}-{}.db", kind.word(), way.word()));
    let connection = open(&ground.dir(kind).join("ward.db"))?;
    let done = connection.execute_batch(&format!("VACUUM INTO '{}'", to.display()));
    done.map_err(|error| Failure::internal(format!("a database cannot be copied: {error}")))?;
    Ok(to)
}

/// Tries every row of every table, both ways. The definition of each has to differ with the
/// environment, too, as only its checks do: that judges a table without rows.
pub fn rows(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for to in Kind::BOTH {
        let from = to.other();
        let (own, foreign) = (copied(ground, to, to)?, copied(ground, from, to)?);
        let tried = try_all(&own, &foreign, from, row);
        tried.map_err(|error| Failure::internal(format!("rows cannot be copied: {error}")))?;
    }
    Ok(())
}

fn try_all(own: &Path, foreign: &Path, from: Kind, row: &mut Row) -> rusqlite::Result<()> {
    let connection = Connection::open(own)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.execute_batch(&format!("ATTACH '{}' AS other", foreign.display()))?;
    for table in tables(&connection)? {
        let is_empty = POSTGRES_ONLY.contains(&table.as_str());
        if is_empty || HARMLESS.iter().any(|(name, _)| *name == table) {
            continue;
        }
        for refused in copy_table(&connection, &table)? {
            row.judged(
                refused.err().map(|why| format!("{table}, a row of the {}: {why}", from.title())),
            );
        }
        let differs = differs(&connection, &table)?;
        row.case(differs, || format!("{table} is defined alike in both"));
    }
    Ok(())
}

/// Every row that the other has of a table, and whether it is refused for what it is of.
fn copy_table(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Result<(), String>>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM other.{table}"))?;
    let width = statement.column_count();
    let marks = vec!["?"; width].join(", ");
    let insert = format!("INSERT INTO main.{table} VALUES ({marks})");
    let read = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
    let rows: Vec<Vec<Value>> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
    // Whole, as the mistake is made; then one after another, so that none hides another.
    connection.execute_batch("SAVEPOINT whole")?;
    let whole = format!("INSERT INTO main.{table} SELECT * FROM other.{table}");
    let mut tried = Vec::new();
    if !rows.is_empty() {
        tried.push(refusal(connection.execute(&whole, [])));
    }
    for row in rows {
        tried.push(refusal(connection.execute(&insert, params_from_iter(row))));
    }
    connection.execute_batch("ROLLBACK TO whole; RELEASE whole")?;
    Ok(tried)
}

/// Only a check of the row itself is the refusal that is meant: a key that is taken, or a database
/// that can't be written to, would let another row in.
fn refusal(written: rusqlite::Result<usize>) -> Result<(), String> {
    match written {
        Ok(count) => Err(format!("it takes {count}")),
        Err(rusqlite::Error::SqliteFailure(code, _))
            if code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_CHECK =>
        {
            Ok(())
        }
        Err(error) => Err(format!("it is refused by no check, but: {error}")),
    }
}

fn differs(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let definition = |of: &str| {
        let sql = format!("SELECT sql FROM {of}.sqlite_master WHERE name = ?");
        connection.query_row(&sql, [table], |row| row.get::<_, String>(0))
    };
    Ok(definition("main")? != definition("other")?)
}
