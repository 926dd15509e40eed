//! The raw commit loop: the rows that one `createClient` writes, by prepared
//! statements into a copy of Ward's own tables; everyone who waits shares one
//! durable commit.

use std::sync::mpsc::Receiver;

use anyhow::{Context, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::oneshot;

/// Transactions in one commit, as in Ward.
const MEMBERS: usize = 64;

/// One row that Ward wrote for a client, to be written again with other keys.
struct Template {
    insert: String,
    columns: Vec<String>,
    values: Vec<Value>,
}

/// Everything that Ward wrote for one client.
struct Templates {
    user: Template,
    others: Vec<Template>,
    next: i64,
}

/// Commits for whoever waits, until nobody does.
pub fn run(path: &str, waiting: &Receiver<oneshot::Sender<()>>) -> Result<()> {
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192;",
    )?;
    let mut templates = templates(&connection)?;
    while let Ok(first) = waiting.recv() {
        let mut members = vec![first];
        while members.len() < MEMBERS
            && let Ok(next) = waiting.try_recv()
        {
            members.push(next);
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in &members {
            templates.write(&connection)?;
        }
        connection.execute_batch("COMMIT")?;
        for member in members {
            let _ = member.send(());
        }
    }
    Ok(())
}

fn templates(connection: &Connection) -> Result<Templates> {
    let id: i64 =
        connection
            .query_row("SELECT MAX(id) FROM users WHERE is_patient = 1", [], |row| row.get(0))?;
    let of = |table: &str, condition: &str| -> Result<Vec<Template>> {
        let sql = format!("SELECT * FROM {table} WHERE {condition}");
        let mut statement = connection.prepare(&sql)?;
        let columns: Vec<String> =
            statement.column_names().into_iter().map(str::to_owned).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", "));
        let width = columns.len();
        let rows = statement.query_map([id], |row| (0..width).map(|at| row.get(at)).collect())?;
        rows.map(|values| {
            Ok(Template { insert: insert.clone(), columns: columns.clone(), values: values? })
        })
        .collect()
    };
    let mut others = of("logins", "user_id = ?1")?;
    others.extend(of("search_grams", "kind = 'users' AND row_id = ?1")?);
    others.extend(of("events", "resource_type = 'User' AND resource_id = ?1")?);
    let audit = "resource_name = 'USER' AND resource_id = CAST(?1 AS TEXT)";
    others.extend(of("audit_events", audit)?);
    let user = of("users", "id = ?1")?.into_iter().next().context("a client")?;
    Ok(Templates { user, others, next: id + 100_000 })
}

impl Templates {
    fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.next += 1;
        let id = self.next;
        for template in std::iter::once(&self.user).chain(&self.others) {
            let values = template.columns.iter().zip(&template.values).map(|(column, value)| {
                match (column.as_str(), value) {
                    ("id" | "user_id" | "row_id" | "seq", Value::Integer(_)) => Value::Integer(id),
                    // The environment's bit of a UUID is in its first half.
                    ("id", Value::Text(uuid)) => {
                        Value::Text(format!("{}{id:012}", uuid.get(..24).unwrap_or_default()))
                    }
                    (
                        "email" | "email_fold" | "email_key" | "last_name_fold",
                        Value::Text(text),
                    ) => Value::Text(format!("{id}{text}")),
                    (_, value) => value.clone(),
                }
            });
            connection.prepare_cached(&template.insert)?.execute(params_from_iter(values))?;
        }
        Ok(())
    }
}
