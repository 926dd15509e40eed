//! The raw commit loop: the rows that Ward wrote for one create, by prepared
//! statements into a copy of Ward's own tables; everyone who waits shares one
//! durable commit.

use std::sync::mpsc::Receiver;

use anyhow::{Result, bail};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::oneshot;

/// Transactions in one commit, as in Ward.
const MEMBERS: usize = 64;

/// One row that Ward wrote, to be written again with other keys.
struct Template {
    table: &'static str,
    insert: String,
    columns: Vec<String>,
    values: Vec<Value>,
}

/// One value of a row that is written again.
pub struct Cell<'a> {
    pub table: &'static str,
    pub column: &'a str,
    pub value: &'a Value,
    /// The first of as many keys as there are rows, which no other copy has.
    pub key: i64,
    /// The row's place among them.
    pub row: i64,
}

impl Cell<'_> {
    /// A key of the row's own.
    pub fn own(&self) -> i64 {
        self.key + self.row
    }

    /// Another UUID than this: the environment's bit of one is in its first half.
    pub fn uuid(&self, before: &str) -> Value {
        let half = before.get(..24).unwrap_or_default();
        Value::Text(format!("{half}{:012}", self.own()))
    }
}

/// What a value is in a copy; none where it stays as it is.
pub type Fresh = fn(&Cell<'_>) -> Option<Value>;

/// Everything that Ward wrote for one create.
pub struct Written {
    rows: Vec<Template>,
    next: i64,
    fresh: Fresh,
}

/// Commits for whoever waits, until nobody does.
pub fn run(
    path: &str,
    waiting: &Receiver<oneshot::Sender<()>>,
    read: impl FnOnce(&Connection) -> Result<Written>,
) -> Result<()> {
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192;",
    )?;
    let mut written = read(&connection)?;
    while let Ok(first) = waiting.recv() {
        let mut members = vec![first];
        while members.len() < MEMBERS
            && let Ok(next) = waiting.try_recv()
        {
            members.push(next);
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in &members {
            written.write(&connection)?;
        }
        connection.execute_batch("COMMIT")?;
        for member in members {
            let _ = member.send(());
        }
    }
    Ok(())
}

/// What one `createClient` wrote: for the latest client.
pub fn client(connection: &Connection) -> Result<Written> {
    let id: i64 =
        connection
            .query_row("SELECT MAX(id) FROM users WHERE is_patient = 1", [], |row| row.get(0))?;
    let mut written = Written::new(id + 100_000, fresh_client);
    written.add(connection, "users", "id = ?1", id)?;
    written.add(connection, "logins", "user_id = ?1", id)?;
    written.add(connection, "search_grams", "kind = 'users' AND row_id = ?1", id)?;
    written.add(connection, "events", "resource_type = 'User' AND resource_id = ?1", id)?;
    let audit = "resource_name = 'USER' AND resource_id = CAST(?1 AS TEXT)";
    written.add(connection, "audit_events", audit, id)?;
    Ok(written)
}

fn fresh_client(cell: &Cell<'_>) -> Option<Value> {
    match (cell.column, cell.value) {
        ("id" | "user_id" | "row_id" | "seq", Value::Integer(_)) => Some(Value::Integer(cell.key)),
        ("id", Value::Text(uuid)) => Some(cell.uuid(uuid)),
        ("email" | "email_fold" | "email_key" | "last_name_fold", Value::Text(text)) => {
            Some(Value::Text(format!("{}{text}", cell.key)))
        }
        _ => None,
    }
}

impl Written {
    /// Nothing yet; keys of copies begin behind `next`.
    pub fn new(next: i64, fresh: Fresh) -> Self {
        Written { rows: Vec::new(), next, fresh }
    }

    /// Adds the rows of a table that were written for the thing with this id, `?1` of the
    /// condition; fails when there are none, since a create then writes something else than it did.
    pub fn add(
        &mut self,
        connection: &Connection,
        table: &'static str,
        condition: &str,
        id: i64,
    ) -> Result<()> {
        let sql = format!("SELECT * FROM {table} WHERE {condition}");
        let mut statement = connection.prepare(&sql)?;
        let columns: Vec<String> =
            statement.column_names().into_iter().map(str::to_owned).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", "));
        let width = columns.len();
        let before = self.rows.len();
        let rows = statement.query_map([id], |row| (0..width).map(|at| row.get(at)).collect())?;
        for values in rows {
            let (insert, columns) = (insert.clone(), columns.clone());
            self.rows.push(Template { table, insert, columns, values: values? });
        }
        if self.rows.len() == before {
            bail!("the create that is repeated wrote nothing into {table}");
        }
        Ok(())
    }

    fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let key = self.next + 1;
        for (row, template) in (0..).zip(&self.rows) {
            let values = template.columns.iter().zip(&template.values).map(|(column, value)| {
                let cell = Cell { table: template.table, column, value, key, row };
                (self.fresh)(&cell).unwrap_or_else(|| value.clone())
            });
            connection.prepare_cached(&template.insert)?.execute(params_from_iter(values))?;
            self.next += 1;
        }
        Ok(())
    }
}
