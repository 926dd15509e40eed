//! What runs a statement: a reader or a transaction, on either engine.

use futures_util::future::BoxFuture;

use crate::error::StoreError;
use crate::value::{Rows, Sql, Value};

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SQLite, in this process.
    Lite,
    /// PostgreSQL.
    Pg,
}

/// Runs statements.
///
/// On SQLite every future is ready when it is made.
pub trait Query: Send {
    /// The rows that a statement answers.
    fn rows<'a>(&'a mut self, sql: &'a Sql) -> BoxFuture<'a, Result<Rows, StoreError>>;

    /// How many rows a statement changed.
    fn execute<'a>(&'a mut self, sql: &'a Sql) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// The number that a counting statement answers; of a reader, one that was counted since the
    /// last change, where there is one.
    fn count<'a>(&'a mut self, sql: &'a Sql) -> BoxFuture<'a, Result<i64, StoreError>> {
        let rows = self.rows(sql);
        Box::pin(async move { Ok(rows.await?.scalar().and_then(Value::int).unwrap_or(0)) })
    }

    /// Which engine runs them.
    fn engine(&self) -> Engine;
}
