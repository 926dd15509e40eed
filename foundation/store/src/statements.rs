//! The one text of every statement that the store writes for a table.

use crate::codec::{companions, key_columns, value_of};
use crate::table::Table;
use crate::value::{Sql, Value};

/// `t.a, t.b`: every column of the row struct, in its order.
pub(crate) fn column_list(table: &Table, alias: &str) -> String {
    // Part of nearly every statement, so without a text for each name.
    let mut list = String::with_capacity(table.columns.len() * 24);
    for (n, column) in table.columns.iter().enumerate() {
        list.extend([if n > 0 { ", " } else { "" }, alias, ".", column.name]);
    }
    list
}

/// Inserts a row of stored values, companions at the end.
pub(crate) fn insert_sql(table: &Table, stored: Vec<Value>) -> Sql {
    insert_all_sql(table, [stored], None)
}

/// Inserts several rows at once, with an expression in place of the value at
/// one position.
pub(crate) fn insert_all_sql(
    table: &Table,
    rows: impl IntoIterator<Item = Vec<Value>>,
    expression: Option<(usize, &str)>,
) -> Sql {
    let mut sql = Sql::new();
    sql.push("INSERT INTO ").push(table.name).push(" (");
    for (n, column) in table.columns.iter().enumerate() {
        sql.push(if n > 0 { ", " } else { "" }).push(column.name);
    }
    for name in companions(table) {
        sql.push(", ").push(&name);
    }
    sql.push(") VALUES ");
    for (row, stored) in rows.into_iter().enumerate() {
        sql.push(if row > 0 { ", (" } else { "(" });
        for (n, value) in stored.into_iter().enumerate() {
            sql.push(if n > 0 { ", " } else { "" });
            match expression {
                Some((at, text)) if at == n => sql.push(text),
                _ => sql.bind(value),
            };
        }
        sql.push(")");
    }
    sql
}

/// Sets columns of the row of `before`, if it still has that version.
pub(crate) fn update_sql(table: &Table, set: Vec<(String, Value)>, before: &[Value]) -> Sql {
    let mut sql = Sql::new();
    sql.push("UPDATE ").push(table.name).push(" SET ");
    for (n, (name, value)) in set.into_iter().enumerate() {
        sql.push(if n > 0 { ", " } else { "" }).push(&name).push(" = ").bind(value);
    }
    write_key(table, before, &mut sql);
    if let Some(version) = value_of(table, before, "version") {
        sql.push(" AND version = ").bind(version.clone());
    }
    sql
}

/// Removes the row.
pub(crate) fn delete_sql(table: &Table, values: &[Value]) -> Sql {
    let mut sql = Sql::new();
    sql.push("DELETE FROM ").push(table.name);
    write_key(table, values, &mut sql);
    sql
}

/// Reads the row with this key, whoever asks.
pub(crate) fn get_sql(table: &Table, key: &[Value]) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT ").push(&column_list(table, "t")).push(" FROM ").push(table.name).push(" t");
    write_key(table, key, &mut sql);
    sql
}

/// ` WHERE org_id = $n AND id = $m`.
fn write_key(table: &Table, values: &[Value], sql: &mut Sql) {
    let mut names: Vec<&str> = key_columns(table).to_vec();
    if table.is_tenant() && !names.contains(&"org_id") {
        names.insert(0, "org_id");
    }
    for (n, name) in names.into_iter().enumerate() {
        let value = value_of(table, values, name).cloned().unwrap_or(Value::Null);
        sql.push(if n > 0 { " AND " } else { " WHERE " }).push(name).push(" = ").bind(value);
    }
}
