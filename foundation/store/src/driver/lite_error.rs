//! SQLite's errors as the store's. No text here holds a value of a row:
//! SQLite's messages name tables, columns and rules only.

use rusqlite::ffi::{self, ErrorCode};

use crate::error::StoreError;

/// Maps an error of a statement or of opening the database.
#[track_caller]
pub(crate) fn map(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return StoreError::internal(without_values(error));
    };
    let message = message.as_deref().unwrap_or_default();
    match code.code {
        ErrorCode::ConstraintViolation => constraint(code.extended_code, message),
        ErrorCode::DiskFull => StoreError::Full("no space is left".into()),
        ErrorCode::ReadOnly => StoreError::Full("the file is read-only".into()),
        ErrorCode::SystemIoFailure => {
            StoreError::Full(format!("the disk reported error {}", code.extended_code))
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Unavailable("another program holds the database's lock".into())
        }
        ErrorCode::OperationInterrupted => {
            StoreError::Unavailable("the statement was interrupted".into())
        }
        ErrorCode::CannotOpen => StoreError::Unavailable("the file can't be opened".into()),
        ErrorCode::OutOfMemory => StoreError::Unavailable("memory is short".into()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::corrupt("database", "the file is damaged")
        }
        _ => StoreError::internal(format!("SQLite {}: {message}", code.extended_code)),
    }
}

/// Whether a sync failed: what was written before is then in doubt, and asking
/// again may wrongly succeed.
pub(crate) fn is_sync_failure(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(code, _) if matches!(
        code.extended_code,
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC
    ))
}

fn constraint(extended_code: i32, message: &str) -> StoreError {
    let rule = message.split_once("failed: ").map_or(message, |(_, rule)| rule);
    match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => StoreError::Unique(unique_rule(rule)),
        _ => StoreError::Constraint(message.to_owned()),
    }
}

/// `t.a, t.b` as `t (a, b)`, the same text that PostgreSQL's names give.
fn unique_rule(rule: &str) -> String {
    let columns: Vec<_> = rule.split(", ").filter_map(|name| name.split_once('.')).collect();
    match columns.first() {
        Some((table, _)) => {
            let names: Vec<_> = columns.iter().map(|(_, column)| *column).collect();
            format!("{table} ({})", names.join(", "))
        }
        None => rule.to_owned(),
    }
}

/// Errors of rusqlite itself; their own texts may quote values.
fn without_values(error: &rusqlite::Error) -> &'static str {
    match error {
        rusqlite::Error::InvalidParameterCount(..) => "wrong number of parameters",
        rusqlite::Error::InvalidColumnType(..) => "a column has another type",
        rusqlite::Error::InvalidParameterName(_) => "unknown parameter",
        rusqlite::Error::SqlInputError { .. } => "the statement does not parse",
        rusqlite::Error::MultipleStatement => "more than one statement",
        rusqlite::Error::Utf8Error(..) => "a text is not UTF-8",
        _ => "the SQLite driver refused the call",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_rules_read_the_same_on_both_engines() {
        assert_eq!(unique_rule("users.org_id, users.email"), "users (org_id, email)");
        assert_eq!(unique_rule("index 'x'"), "index 'x'");
    }
}
