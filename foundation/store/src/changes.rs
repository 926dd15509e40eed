//! What a scope writes: new rows, changes, deletions, each with its audit entry.

use ward_instance::{Timestamp, crash};

use crate::actor::Role;
use crate::audit::{AuditChange, AuditEntry, REDACTED};
use crate::bulk;
use crate::codec;
use crate::error::StoreError;
use crate::scope::Scope;
use crate::system::AuditType;
use crate::table::{Column, ColumnKind, Record, Table};
use crate::value::Value;

/// Longer values are cut in the log.
const MAX_LOGGED_CHARS: usize = 4_000;

/// Columns that name the client concerned, where the operation names none.
const SUBJECTS: [&str; 2] = ["client_id", "patient_id"];

/// What an update changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Names of the changed columns, in the table's order; never of those that
    /// the store keeps itself.
    pub columns: Vec<&'static str>,
    /// The row's version now, if it has one.
    pub version: Option<i64>,
}

impl Changes {
    /// Whether nothing changed, and nothing was written.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

impl Scope<'_> {
    /// Writes a new row and its audit entry.
    pub async fn create<R: Record>(&mut self, row: &R) -> Result<(), StoreError> {
        let (table, values) = (R::table(), row.values());
        self.check_tenant(table, &values)?;
        codec::insert(self.tx, row).await?;
        crash::point("write.row");
        self.audit_created(table, &values);
        Ok(())
    }

    /// The same for many rows of one table, with few statements.
    pub async fn create_all<R: Record>(&mut self, rows: &[R]) -> Result<(), StoreError> {
        let subject = self.subject_id;
        self.create_all_about(rows, |_| subject).await
    }

    /// The same where each row concerns a client of its own.
    pub async fn create_all_about<R: Record>(
        &mut self,
        rows: &[R],
        client_of: impl Fn(&R) -> Option<i64>,
    ) -> Result<(), StoreError> {
        let table = R::table();
        let written: Vec<Vec<Value>> = rows.iter().map(Record::values).collect();
        for values in &written {
            self.check_tenant(table, values)?;
        }
        bulk::insert(self.tx, table, &written).await?;
        let subject = self.subject_id;
        for (row, values) in rows.iter().zip(&written) {
            self.subject_id = client_of(row);
            self.audit_created(table, values);
        }
        self.subject_id = subject;
        Ok(())
    }

    fn audit_created(&mut self, table: &Table, values: &[Value]) {
        let columns = table.columns.iter().zip(values);
        let changes = columns
            .filter(|(_, value)| !value.is_null())
            .map(|(column, value)| change(column, &Value::Null, value))
            .collect();
        self.audit(table, values, AuditType::Create, changes);
    }

    /// Writes what differs between the two states of a row, and the audit
    /// entry of it. A row that somebody else changed since it was read gives
    /// [`StoreError::Conflict`]. Nothing is written when nothing differs.
    pub async fn update<R: Record>(
        &mut self,
        before: &R,
        after: &R,
    ) -> Result<Changes, StoreError> {
        let table = R::table();
        let (old, mut new) = (before.values(), after.values());
        self.check_tenant(table, &old)?;
        let mut changed = differing(table, &old, &new);
        let version = codec::value_of(table, &old, "version").and_then(Value::int);
        if changed.is_empty() {
            return Ok(Changes { columns: Vec::new(), version });
        }
        let fixed = codec::key_columns(table).iter().chain(&["org_id"]);
        if fixed
            .into_iter()
            .any(|name| table.column(name).is_some_and(|at| old.get(at) != new.get(at)))
        {
            return Err(StoreError::internal(format!(
                "{}: an update may not move a row",
                table.name
            )));
        }
        let columns: Vec<&Column> =
            changed.iter().filter_map(|at| table.columns.get(*at)).collect();
        let names = columns.iter().map(|column| column.name).collect();
        let changes = changed
            .iter()
            .filter_map(|at| Some(change(table.columns.get(*at)?, old.get(*at)?, new.get(*at)?)))
            .collect();
        let next = version.map(|version| version + 1);
        self.keep(table, &mut new, &mut changed, "version", next.map(Value::Int));
        let now = Value::Int(self.tx.now().0);
        self.keep(table, &mut new, &mut changed, "updated_at", Some(now));
        if !codec::update(self.tx, table, &old, &new, &changed).await? {
            return Err(StoreError::Conflict);
        }
        crash::point("write.row");
        self.audit(table, &new, AuditType::Update, changes);
        Ok(Changes { columns: names, version: next })
    }

    /// Sets a column that the store keeps, where the table has it.
    fn keep(
        &self,
        table: &Table,
        values: &mut [Value],
        changed: &mut Vec<usize>,
        name: &str,
        value: Option<Value>,
    ) {
        let (Some(at), Some(value)) = (table.column(name), value) else {
            return;
        };
        if let Some(place) = values.get_mut(at) {
            *place = value;
            changed.push(at);
        }
    }

    /// Deletes the row (marks it, where the table keeps deleted rows) and
    /// writes the audit entry. A row that is gone or changed meanwhile gives
    /// [`StoreError::Conflict`].
    pub async fn destroy<R: Record>(&mut self, row: &R) -> Result<(), StoreError> {
        let (table, old) = (R::table(), row.values());
        self.check_tenant(table, &old)?;
        let changes: Vec<AuditChange>;
        if let Some(at) = table.column("deleted_at") {
            let mut new = old.clone();
            let mut changed = Vec::new();
            let now = Value::Int(self.tx.now().0);
            self.keep(table, &mut new, &mut changed, "deleted_at", Some(now.clone()));
            let version = codec::value_of(table, &old, "version").and_then(Value::int);
            let next = version.map(|version| Value::Int(version + 1));
            self.keep(table, &mut new, &mut changed, "version", next);
            self.keep(table, &mut new, &mut changed, "updated_at", Some(now.clone()));
            if !codec::update(self.tx, table, &old, &new, &changed).await? {
                return Err(StoreError::Conflict);
            }
            let column = table.columns.get(at).zip(old.get(at));
            changes = column.map(|(column, was)| change(column, was, &now)).into_iter().collect();
        } else {
            if !codec::delete(self.tx, table, &old).await? {
                return Err(StoreError::Conflict);
            }
            let columns = table.columns.iter().zip(&old).filter(|(_, value)| !value.is_null());
            changes = columns.map(|(column, was)| change(column, was, &Value::Null)).collect();
        }
        crash::point("write.row");
        self.audit(table, &old, AuditType::Destroy, changes);
        Ok(())
    }

    /// A row belongs to the actor's tenant; only the system may say otherwise.
    #[track_caller]
    fn check_tenant(&self, table: &Table, values: &[Value]) -> Result<(), StoreError> {
        let own = codec::org_of(table, values) == self.actor.org_id;
        if !table.is_tenant() || own || self.actor.role == Role::System {
            return Ok(());
        }
        Err(StoreError::internal(format!("{}: a row of another tenant", table.name)))
    }

    fn audit(
        &mut self,
        table: &Table,
        values: &[Value],
        event_type: AuditType,
        changes: Vec<AuditChange>,
    ) {
        let Some(resource) = table.audit else { return };
        let number = |name: &str| codec::value_of(table, values, name).and_then(Value::int);
        let subject = SUBJECTS.iter().find_map(|name| number(name));
        let mut entry =
            AuditEntry::by(self.actor, event_type, resource, codec::row_key(table, values));
        if table.is_tenant() {
            entry.org_id = codec::org_of(table, values);
        }
        entry.unit_id = number("unit_id").unwrap_or(entry.unit_id);
        entry.subject_id = self.subject_id.or(subject);
        entry.changes = changes;
        self.tx.pending.record(entry.on_behalf(self.actor));
    }
}

/// Positions of the columns that differ, but for those the store keeps.
fn differing(table: &Table, old: &[Value], new: &[Value]) -> Vec<usize> {
    let columns = table.columns.iter().zip(old.iter().zip(new)).enumerate();
    columns
        .filter(|(_, (column, (old, new)))| old != new && !codec::is_kept(column))
        .map(|(at, _)| at)
        .collect()
}

/// A column's change as the log shows it: of sealed, secret and unlogged columns
/// only that there was one (behaviour 43).
fn change(column: &Column, before: &Value, after: &Value) -> AuditChange {
    let shown = |value: &Value| {
        let text = match value {
            Value::Null => return None,
            _ if column.sealed || column.secret || column.unlogged => REDACTED.to_owned(),
            Value::Int(number) if column.kind == ColumnKind::Bool => (*number != 0).to_string(),
            Value::Int(number) if column.kind == ColumnKind::Instant => {
                Timestamp(*number).to_string()
            }
            Value::Int(number) => number.to_string(),
            Value::Text(text) => text.chars().take(MAX_LOGGED_CHARS).collect(),
            Value::Bytes(_) | Value::Ints(_) | Value::Texts(_) => REDACTED.to_owned(),
        };
        Some(text)
    };
    AuditChange { field: column.name.to_owned(), before: shown(before), after: shown(after) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_shows_no_value_of_what_is_sealed_secret_or_unlogged() {
        let plain = Column::of::<Option<Timestamp>>("left_at");
        let (none, at) = (Value::Null, Value::Int(1_000_000));
        let logged = AuditChange::new("left_at", None, Some("1970-01-01T00:00:01Z"));
        assert_eq!(change(&plain, &none, &at), logged);
        for column in [plain.sealed(), plain.secret(), plain.unlogged()] {
            let begun = AuditChange::new("left_at", None, Some(REDACTED));
            assert_eq!(change(&column, &none, &at), begun, "{column:?}");
            let ended = AuditChange::new("left_at", Some(REDACTED), None);
            assert_eq!(change(&column, &at, &none), ended, "{column:?}");
        }
    }
}
