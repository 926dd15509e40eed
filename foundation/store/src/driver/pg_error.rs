//! PostgreSQL's errors as the store's, by SQLSTATE. The server's details quote
//! values of rows and never leave this file.

use std::collections::HashMap;

use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, SqlState};

use crate::error::StoreError;

/// Names of uniqueness rules, as `table (column, column)`.
pub(crate) type RuleNames = HashMap<String, String>;

/// Maps an error of a statement.
#[track_caller]
pub(crate) fn map(error: &tokio_postgres::Error, names: &RuleNames) -> StoreError {
    match error.as_db_error() {
        Some(error) => of_server(error, names),
        None if error.is_closed() || is_io(error) => {
            StoreError::Unavailable("the connection to the database broke".into())
        }
        // Conversion errors: our own texts, which name kinds only.
        None => StoreError::internal(format!("PostgreSQL driver: {error}{}", cause(error))),
    }
}

/// Whether the same transaction may succeed when it is run again.
pub(crate) fn is_retryable(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        *code == SqlState::T_R_SERIALIZATION_FAILURE
            || *code == SqlState::T_R_DEADLOCK_DETECTED
            || *code == SqlState::LOCK_NOT_AVAILABLE
    })
}

/// Maps an error of taking a connection from the pool.
pub(crate) fn map_pool(error: &PoolError, names: &RuleNames) -> StoreError {
    match error {
        PoolError::Timeout(_) => {
            StoreError::Unavailable("no connection became free in time".into())
        }
        PoolError::Backend(error) if error.as_db_error().is_some() => map(error, names),
        PoolError::Backend(_) => StoreError::Unavailable("the server can't be reached".into()),
        PoolError::Closed => StoreError::Unavailable("the store is shut down".into()),
        PoolError::PostCreateHook(_) => {
            StoreError::Unavailable("a new connection was refused".into())
        }
        PoolError::NoRuntimeSpecified => StoreError::internal("no runtime"),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

fn cause(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default()
}

#[track_caller]
fn of_server(error: &DbError, names: &RuleNames) -> StoreError {
    let code = error.code().code();
    let rule = error.constraint().unwrap_or_default();
    match code {
        "23505" => StoreError::Unique(names.get(rule).cloned().unwrap_or_else(|| rule.to_owned())),
        "23502" => StoreError::Constraint(format!(
            "{}.{} may not be NULL",
            error.table().unwrap_or_default(),
            error.column().unwrap_or_default()
        )),
        _ if code.starts_with("23") => StoreError::Constraint(rule.to_owned()),
        "40001" | "40P01" | "55P03" => StoreError::Conflict,
        "53100" => StoreError::Full("no space is left on the server".into()),
        "25006" => StoreError::Full("the server takes no writes".into()),
        "57014" => StoreError::Unavailable("the statement took longer than 10 s".into()),
        "28P01" | "28000" | "3D000" => StoreError::Unavailable(format!(
            "the server refused the connection ({code}): check user, password and database name"
        )),
        _ if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Unavailable(format!("the server answered {code}"))
        }
        // Messages of class 42 speak of names in our own statements, not of values.
        _ if code.starts_with("42") => {
            StoreError::internal(format!("PostgreSQL {code}: {}", error.message()))
        }
        _ => StoreError::internal(format!("PostgreSQL {code}")),
    }
}
