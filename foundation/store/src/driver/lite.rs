//! A SQLite connection: settings, statements, values.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};

use crate::driver::lite_error::{is_sync_failure, map};
use crate::driver::text::{Texts, rewrite};
use crate::error::StoreError;
use crate::query::Engine;
use crate::value::{Rows, Sql, Value};

/// Prepared statements kept open by each connection.
const STATEMENTS_KEPT: usize = 512;
/// A statement with more parameters writes many rows at once and is not kept: it takes half a MiB,
/// and another number of rows is another statement.
const PARAMETERS_KEPT: usize = 400;

/// The header's `application_id` is at this offset of the file, big-endian.
const APPLICATION_ID_AT: usize = 68;

/// Settings of every connection (`synchronous` matters to the writer only).
/// `busy_timeout` is for outside tools: our own writers queue in the process.
const SETTINGS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA trusted_schema = OFF;
    PRAGMA foreign_keys = ON;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -8192;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = FAST;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;";

/// Where the log is written back beside its writer, pages from which on the writer helps: a bound
/// on the log, 64 MiB.
const LOG_MAX: i32 = 16_384;

/// The log after a commit on a connection that has left it to somebody else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Log {
    /// How many pages it has.
    pub(crate) pages: i32,
    /// A sync failed while the writer helped.
    pub(crate) is_broken: bool,
}

thread_local! {
    /// After this thread's last commit.
    static LOG: Cell<Log> = const { Cell::new(Log { pages: 0, is_broken: false }) };
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Fills the empty file of [`create_file`].
    Create,
    /// The one writer.
    Write,
    /// A reader.
    Read,
}

/// Whether a commit waits until it is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It does.
    Kept,
    /// It does not: the file ends with its process.
    Passing,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Lite {
    conn: Connection,
    texts: Texts,
    /// Something may have been written since this was set to false.
    pub(crate) is_touched: bool,
    /// Another file is attached.
    has_beside: bool,
    /// What refers to what is not looked at any more: nothing is begun or kept.
    is_unchecked: bool,
}

impl Lite {
    /// Opens the file. The caller has compared [`application_id`] before.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        Self::open_for(path, access, Durability::Kept)
    }

    /// The same of a file that may end with its process.
    pub(crate) fn open_for(
        path: &Path,
        access: Access,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let flags = match access {
            Access::Create | Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| map(&error))?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        let texts = Texts::new(Engine::Lite);
        let lite = Lite { conn, texts, is_touched: false, has_beside: false, is_unchecked: false };
        lite.batch(SETTINGS)?;
        // Before the log is switched on, which is a commit of its own.
        lite.set_durability(durability)?;
        if access == Access::Write {
            lite.set_wal()?;
        }
        Ok(lite)
    }

    /// Says whether commits wait for the disk.
    fn set_durability(&self, durability: Durability) -> Result<(), StoreError> {
        match durability {
            Durability::Kept => Ok(()),
            Durability::Passing => self.batch("PRAGMA synchronous = OFF"),
        }
    }

    /// Leaves the log to somebody else, who writes it back when [`Self::log`] says so.
    pub(crate) fn leave_log(&self) {
        self.conn.wal_hook(Some(|log: &Wal, pages| {
            // Refused while whoever it is left to is at it.
            let helped = if pages >= LOG_MAX { log.checkpoint() } else { Ok(()) };
            LOG.set(Log { pages, is_broken: helped.is_err_and(|error| is_sync_failure(&error)) });
            Ok(())
        }));
    }

    /// The log after the last commit, made by this thread on a connection that has left it.
    pub(crate) fn log() -> Log {
        LOG.get()
    }

    /// Writes back what of the log no reader needs; waits for nobody.
    pub(crate) fn write_back(&self) -> Result<(), rusqlite::Error> {
        self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    }

    /// Leaves the log as it is when this is closed: the next start writes it back.
    pub(crate) fn keep_log(&self) {
        let switch = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        if let Err(error) = self.conn.set_db_config(switch, true) {
            tracing::error!(error = %map(&error), "the log may be written back at the end");
        }
    }

    /// Switches to the write-ahead log, which stays with the file.
    fn set_wal(&self) -> Result<(), StoreError> {
        let mode: String = self
            .conn
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(|error| map(&error))?;
        if mode == "wal" {
            Ok(())
        } else {
            Err(StoreError::Unavailable(format!(
                "this file system supports no write-ahead log (journal mode stays {mode})"
            )))
        }
    }

    /// Statements of ours without parameters and rows.
    pub(crate) fn batch(&self, text: &str) -> Result<(), StoreError> {
        self.conn.execute_batch(text).map_err(|error| map(&error))
    }

    /// The same, without looking at what refers to what: for statements that are known to leave
    /// nothing that refers to a row that is gone. SQLite looks at each row's references one by one,
    /// also where all of the tables are emptied, and then can't empty one at once.
    ///
    /// The pragma of that name does nothing in a transaction; this switch does. If it ever did not,
    /// this would be slower, and as right as before.
    pub(crate) fn batch_unchecked(&mut self, text: &str) -> Result<(), StoreError> {
        let switch = DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY;
        self.conn.set_db_config(switch, false).map_err(|error| map(&error))?;
        let done = self.batch(text);
        self.is_unchecked = !matches!(self.conn.set_db_config(switch, true), Ok(true));
        match self.is_unchecked {
            false => done,
            true => Err(StoreError::internal("references are not looked at any more")),
        }
    }

    /// Attaches a file as `snapshot`, until [`Self::let_go`].
    pub(crate) fn attach(&mut self, path: &str) -> Result<(), StoreError> {
        self.batch(&format!("ATTACH '{}' AS snapshot", path.replace('\'', "''")))?;
        self.has_beside = true;
        Ok(())
    }

    /// Lets go of what was attached, with no transaction open: in one it may be locked.
    pub(crate) fn let_go(&mut self) {
        if !self.has_beside {
            return;
        }
        match self.batch("DETACH snapshot") {
            Ok(()) => self.has_beside = false,
            Err(error) => tracing::warn!(%error, "a snapshot is attached still"),
        }
    }

    /// The same, with the driver's own error.
    pub(crate) fn control(&self, text: &str) -> Result<(), rusqlite::Error> {
        if self.is_unchecked && text != "ROLLBACK" {
            return Err(rusqlite::Error::InvalidQuery);
        }
        self.conn.prepare_cached(text)?.raw_execute().map(drop)
    }

    /// The rows that a statement answers.
    pub(crate) fn rows(&mut self, sql: &Sql) -> Result<Rows, StoreError> {
        let text = self.texts.get(sql.text());
        let mut statement = self.conn.prepare_cached(&text).map_err(|error| map(&error))?;
        bind(&mut statement, sql.params())?;
        self.is_touched |= !statement.readonly();
        let width = statement.column_count();
        let mut values = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(|error| map(&error))? {
            for column in 0..width {
                values.push(value_of(row.get_ref(column).map_err(|error| map(&error))?)?);
            }
        }
        Ok(Rows::from_values(width, values))
    }

    /// How many rows a statement changed.
    pub(crate) fn execute(&mut self, sql: &Sql) -> Result<u64, StoreError> {
        self.is_touched = true;
        if sql.params().len() > PARAMETERS_KEPT {
            let text = rewrite(Engine::Lite, sql.text());
            return execute(&mut self.conn.prepare(&text).map_err(|error| map(&error))?, sql);
        }
        let text = self.texts.get(sql.text());
        execute(&mut *self.conn.prepare_cached(&text).map_err(|error| map(&error))?, sql)
    }

    /// Whether a transaction is open. The engine may have ended it by itself
    /// (full disk, I/O error, interrupt).
    pub(crate) fn in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }

    /// A handle that interrupts the running statement from another thread.
    pub(crate) fn interrupt_handle(&self) -> rusqlite::InterruptHandle {
        self.conn.get_interrupt_handle()
    }

    /// Writes the log back into the file and empties it, unless somebody still
    /// needs it: then nobody waits, and it is false.
    pub(crate) fn checkpoint_if_free(&self) -> Result<bool, rusqlite::Error> {
        self.conn.execute_batch("PRAGMA busy_timeout = 0")?;
        let checkpointed = self.empty_log();
        self.conn.execute_batch("PRAGMA busy_timeout = 5000")?;
        checkpointed
    }

    /// Writes the log back into the file and empties it; waits for readers. False where one still
    /// needs the log: then it is there as it was.
    pub(crate) fn checkpoint(&self) -> Result<bool, StoreError> {
        self.empty_log().map_err(|error| map(&error))
    }

    /// The same, with the driver's own error.
    pub(crate) fn empty_log(&self) -> Result<bool, rusqlite::Error> {
        // That somebody is in the way is no error of the statement but its first column.
        let busy: i64 =
            self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(busy == 0)
    }

    /// Copies the whole database, as of now, into a new file.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        create_file(path)?;
        let path = path.to_str().ok_or_else(|| StoreError::internal("the path is not UTF-8"))?;
        self.conn.execute("VACUUM INTO ?1", [path]).map(drop).map_err(|error| map(&error))
    }
}

/// Makes an empty file that only its owner may read; fails when there is one.
/// The files of the log get the same permissions from SQLite.
pub(crate) fn create_file(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    made.map(drop).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            StoreError::Unavailable("there is a database already".into())
        }
        _ => StoreError::Full(format!("the database file can't be made: {error}")),
    })
}

/// The `application_id` in the header of a database file, read without opening
/// it as a database; `None` when it is no SQLite file.
pub(crate) fn application_id(path: &Path) -> Result<Option<u32>, StoreError> {
    use std::io::Read;
    let mut header = [0; APPLICATION_ID_AT + 4];
    let mut file = std::fs::File::open(path)
        .map_err(|error| StoreError::Unavailable(format!("the file can't be opened: {error}")))?;
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Ok(None);
    }
    let [.., a, b, c, d] = header;
    Ok(Some(u32::from_be_bytes([a, b, c, d])))
}

/// A value on its way into a statement.
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Int(n) => ToSqlOutput::Borrowed(ValueRef::Integer(*n)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Value::Ints(list) => json(list)?,
            Value::Texts(list) => json(list)?,
        })
    }
}

fn json<'a, T: serde::Serialize>(list: &[T]) -> rusqlite::Result<ToSqlOutput<'a>> {
    serde_json::to_string(list)
        .map(ToSqlOutput::from)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn execute(statement: &mut Statement<'_>, sql: &Sql) -> Result<u64, StoreError> {
    bind(statement, sql.params())?;
    if statement.column_count() == 0 {
        let changed = statement.raw_execute().map_err(|error| map(&error))?;
        return Ok(changed as u64);
    }
    // With RETURNING: the rows are stepped through and forgotten.
    let mut changed = 0;
    let mut rows = statement.raw_query();
    while rows.next().map_err(|error| map(&error))?.is_some() {
        changed += 1;
    }
    Ok(changed)
}

fn bind(statement: &mut Statement<'_>, params: &[Value]) -> Result<(), StoreError> {
    if statement.parameter_count() != params.len() {
        return Err(StoreError::internal(format!(
            "the statement has {} parameters and was given {}",
            statement.parameter_count(),
            params.len()
        )));
    }
    for (n, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(n + 1, Parameter(value)).map_err(|error| map(&error))?;
    }
    Ok(())
}

fn value_of(value: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text)
                .map_err(|_| StoreError::corrupt("database", "a text is not UTF-8"))?;
            Value::Text(text.into())
        }
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
        ValueRef::Real(_) => {
            return Err(StoreError::internal(
                "a floating-point number; money and quantities are integers",
            ));
        }
    })
}
