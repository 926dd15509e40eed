//! Putting a backup's rows into a database of its own, beside the instance's.

use std::fs::File;
use std::path::{Path, PathBuf};

use deadpool_postgres::tokio_postgres;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use ward_instance::ledger::Heads;

use super::dump::head_of;
use super::layout::{Layout, layouts};
use crate::birth::{Birth, connect_or_create};
use crate::db::Place;
use crate::driver::lite::{Access, Durability, Lite};
use crate::driver::pg::{self, STAGING, Tables};
use crate::driver::pg_error::{self, RuleNames};
use crate::driver::text::Texts;
use crate::error::StoreError;
use crate::query::Engine;
use crate::value::{Sql, Value};

/// Values of one statement at most, and the bytes in them.
const VALUES: usize = 2_000;
const BYTES: usize = 4 << 20;

/// What is executed before the rows on PostgreSQL.
const PATIENT: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
    SET idle_in_transaction_session_timeout = 0";

/// Fills a database beside the instance's own.
pub struct Loader {
    target: Target,
    layouts: Vec<Layout>,
    /// The table whose rows come; none before the first.
    table: Option<usize>,
    waiting: Vec<Value>,
    waiting_bytes: usize,
    /// Highest ids by what was set aside for each type, which is more than was handed out.
    heads: Heads,
    /// The same by rows.
    highest: Heads,
    foreign_keys: Vec<String>,
}

enum Target {
    Lite { lite: Lite, path: PathBuf },
    Pg { client: Client, texts: Texts, url: String },
}

impl Loader {
    /// Makes the tables of a new instance beside those of `place`, with the certificate of `birth`.
    /// What an earlier restore left there is removed.
    pub async fn begin(place: &Place, birth: &Birth<'_>) -> Result<Loader, StoreError> {
        let (target, foreign_keys) = match place {
            Place::Lite { path } | Place::Passing { path } => {
                let path = staged_file(path);
                remove_database(&path)?;
                birth.make_lite(&path, Durability::Passing)?;
                let lite = Lite::open_for(&path, Access::Create, Durability::Passing)?;
                // Rows come table by table; they are checked together at the end.
                lite.batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")?;
                (Target::Lite { lite, path }, Vec::new())
            }
            Place::Pg { url } => begin_pg(url, birth).await?,
            Place::Staged { .. } => return Err(StoreError::internal("a restore in a restore")),
        };
        let layouts = layouts(birth.tables);
        Ok(Loader {
            target,
            layouts,
            table: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
            heads: Heads::new(),
            highest: Heads::new(),
            foreign_keys,
        })
    }

    /// The rows of this table come next.
    pub async fn table(&mut self, name: &str, columns: &[String]) -> Result<(), StoreError> {
        self.flush().await?;
        let fits = |layout: &Layout| layout.name == name && layout.columns == columns;
        self.table = self.layouts.iter().position(fits);
        match self.table {
            Some(_) => Ok(()),
            None => Err(StoreError::corrupt("backup", "its tables are another version's")),
        }
    }

    /// A row of the table that came last.
    pub async fn row(&mut self, row: Vec<Value>) -> Result<(), StoreError> {
        let layout = self.table.and_then(|at| self.layouts.get(at));
        let Some(layout) = layout.filter(|layout| layout.columns.len() == row.len()) else {
            return Err(StoreError::corrupt("backup", "a row fits no table"));
        };
        if layout.name == "id_blocks" {
            self.heads.extend(head_of(&row));
        }
        let id = layout.ids.and_then(|(entity, at)| Some((entity, row.get(at)?.int()?)));
        if let Some((entity, id)) = id {
            let highest = self.highest.entry(entity.to_owned()).or_insert(id);
            *highest = id.max(*highest);
        }
        self.waiting_bytes += row.iter().map(size).sum::<usize>();
        self.waiting.extend(row);
        let width = self.width();
        if self.waiting.len() + width > VALUES || self.waiting_bytes > BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Checks what refers to what and commits. Gives where it is, and the highest ids of each type.
    pub async fn finish(mut self) -> Result<(Place, Heads), StoreError> {
        self.flush().await?;
        let place = match self.target {
            Target::Lite { mut lite, path } => {
                let broken = lite.rows(&Sql::fixed("PRAGMA foreign_key_check", []))?;
                if !broken.is_empty() {
                    return Err(StoreError::corrupt(
                        "backup",
                        "a row refers to one that is not there",
                    ));
                }
                lite.batch("COMMIT")?;
                drop(lite);
                sync(&path)?;
                Place::Lite { path }
            }
            Target::Pg { client, url, .. } => {
                self.foreign_keys.push("COMMIT".to_owned());
                self.foreign_keys.push("ANALYZE".to_owned());
                for statement in &self.foreign_keys {
                    client.batch_execute(statement).await.map_err(|error| failed(&error))?;
                }
                Place::Staged { url }
            }
        };
        self.heads.extend(self.highest);
        Ok((place, self.heads))
    }

    fn width(&self) -> usize {
        self.table.and_then(|at| self.layouts.get(at)).map_or(1, |layout| layout.columns.len())
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let values = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let Some(layout) = self.table.and_then(|at| self.layouts.get(at)) else { return Ok(()) };
        if values.is_empty() {
            return Ok(());
        }
        let sql = insert(layout, values);
        match &mut self.target {
            Target::Lite { lite, .. } => lite.execute(&sql).map(drop),
            Target::Pg { client, texts, .. } => {
                let text = texts.get(sql.text());
                let params: Vec<&(dyn ToSql + Sync)> =
                    sql.params().iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                let done = client.execute(&*text, &params).await;
                done.map(drop).map_err(|error| failed(&error))
            }
        }
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 8,
    }
}

fn insert(layout: &Layout, values: Vec<Value>) -> Sql {
    let width = layout.columns.len();
    let mut sql = Sql::new();
    sql.push("INSERT INTO ").push(layout.name);
    sql.push(" (").push(&layout.columns.join(", ")).push(") VALUES ");
    for (n, value) in values.into_iter().enumerate() {
        sql.push(match (n, n % width) {
            (0, _) => "(",
            (_, 0) => "), (",
            _ => ", ",
        });
        sql.bind(value);
    }
    sql.push(")");
    sql
}

async fn begin_pg(url: &str, birth: &Birth<'_>) -> Result<(Target, Vec<String>), StoreError> {
    let config = pg::config(url, birth.certificate.kind, Tables::Staged)?;
    let client = connect_or_create(&config).await?;
    let (statements, rows) = birth.statements(Engine::Pg)?;
    // Each is checked once, when all rows are there.
    let (foreign_keys, tables): (Vec<_>, Vec<_>) =
        statements.into_iter().partition(|statement| statement.starts_with("ALTER TABLE"));
    let drop_staged = format!("DROP SCHEMA IF EXISTS {STAGING} CASCADE");
    let make_staged = format!("CREATE SCHEMA {STAGING}");
    let texts = [PATIENT, &drop_staged, &make_staged, "BEGIN"];
    for text in texts.into_iter().chain(tables.iter().map(String::as_str)) {
        client.batch_execute(text).await.map_err(|error| failed(&error))?;
    }
    let mut texts = Texts::new(Engine::Pg);
    for sql in &rows {
        let text = texts.get(sql.text());
        let params: Vec<&(dyn ToSql + Sync)> =
            sql.params().iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        client.execute(&*text, &params).await.map_err(|error| failed(&error))?;
    }
    Ok((Target::Pg { client, texts, url: url.to_owned() }, foreign_keys))
}

pub(super) fn failed(error: &tokio_postgres::Error) -> StoreError {
    pg_error::map(error, &RuleNames::new())
}

/// Where a SQLite database is put together.
pub(super) fn staged_file(path: &Path) -> PathBuf {
    path.with_extension("db.restoring")
}

/// Removes a database file and its log.
pub(super) fn remove_database(path: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(unwritable(&error));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| unwritable(&error))
}

pub(super) fn unwritable(error: &std::io::Error) -> StoreError {
    StoreError::Full(format!("the directory can't be written: {error}"))
}
