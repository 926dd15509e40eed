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

/// Tables that are empty on SQLite and name processes only.
const POSTGRES_ONLY: [&str; 2] = ["leases", "nodes"];

/// A copy as of one moment.
fn copied(ground: &Ground, kind: Kind, way: Kind) -> Result<PathBuf, Failure> {
    let to = ground.own.place(&format!("rows-{}-{}.db", kind.word(), way.word()));
    let connection = open(&ground.dir(kind).join("ward.db"))?;
    let done = connection.execute_batch(&format!("VACUUM INTO '{}'", to.display()));
    done.map_err(|error| Failure::internal(format!("a database cannot be copied: {error}")))?;
    Ok(to)
}

/// Tries every row of every table, both ways. A table without rows is judged by its definition: it
/// has to differ with the environment, as only its checks do.
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
        let is_harmless = HARMLESS.iter().any(|(name, _)| *name == table);
        let taken = copy_table(&connection, &table)?;
        row.case(is_harmless || taken == Some(0) || taken.is_none(), || {
            format!("{table} takes {} rows of the {}", taken.unwrap_or(0), from.title())
        });
        if taken.is_none() {
            let differs = POSTGRES_ONLY.contains(&table.as_str()) || differs(&connection, &table)?;
            row.case(is_harmless || differs, || {
                format!("{table} is empty, and is defined alike in both")
            });
        }
    }
    Ok(())
}

/// How many rows the table takes; none when there is no row to try.
fn copy_table(connection: &Connection, table: &str) -> rusqlite::Result<Option<usize>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM other.{table}"))?;
    let width = statement.column_count();
    let marks = vec!["?"; width].join(", ");
    let insert = format!("INSERT INTO main.{table} VALUES ({marks})");
    let read = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
    let rows: Vec<Vec<Value>> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return Ok(None);
    }
    // Whole, as the mistake is made; then one after another, so that none hides another.
    connection.execute_batch("SAVEPOINT whole")?;
    let whole = format!("INSERT INTO main.{table} SELECT * FROM other.{table}");
    let all = connection.execute(&whole, []);
    let one_by_one = || {
        rows.into_iter().filter(|row| connection.execute(&insert, params_from_iter(row)).is_ok())
    };
    let taken = all.unwrap_or_else(|_| one_by_one().count());
    connection.execute_batch("ROLLBACK TO whole; RELEASE whole")?;
    Ok(Some(taken))
}

fn differs(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let definition = |of: &str| {
        let sql = format!("SELECT sql FROM {of}.sqlite_master WHERE name = ?");
        connection.query_row(&sql, [table], |row| row.get::<_, String>(0))
    };
    Ok(definition("main")? != definition("other")?)
}
