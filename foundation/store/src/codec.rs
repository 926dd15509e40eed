//! Rows to column values and back: companions, sealed columns, grams.

use crate::error::StoreError;
use crate::keyring::{self, OrgKeys};
use crate::query::{Engine, Query};
use crate::search::{self, SEARCH_TEXT};
pub(crate) use crate::statements::{
    column_list, delete_sql, get_sql, insert_all_sql, insert_sql, update_sql,
};
use crate::system::KeyClass;
use crate::table::{Column, ColumnKind, Key, Record, Table};
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// Columns that the store itself keeps, never part of a change.
const KEPT: [&str; 3] = ["created_at", "updated_at", "version"];

/// Whether a difference in this column is no change of the record.
pub(crate) fn is_kept(column: &Column) -> bool {
    KEPT.contains(&column.name)
}

/// The key that seals the column.
pub(crate) fn class_of(column: &Column) -> KeyClass {
    if column.secret { KeyClass::Secret } else { KeyClass::Personal }
}

/// The columns that identify a row.
pub(crate) fn key_columns(table: &Table) -> &'static [&'static str] {
    match table.key {
        Key::Id | Key::Uuid => &["id"],
        Key::Columns(columns) => columns,
    }
}

/// The row's key as text, as it is sealed into the row's columns.
pub fn row_key(table: &Table, values: &[Value]) -> String {
    let part = |name: &&str| match value_of(table, values, name) {
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Text(text)) => text.to_string(),
        _ => String::new(),
    };
    key_columns(table).iter().map(part).collect::<Vec<_>>().join("/")
}

/// A column's value in a row.
pub(crate) fn value_of<'a>(table: &Table, values: &'a [Value], name: &str) -> Option<&'a Value> {
    table.column(name).and_then(|at| values.get(at))
}

/// The row's tenant; 0 in a global table.
pub(crate) fn org_of(table: &Table, values: &[Value]) -> i64 {
    value_of(table, values, "org_id").and_then(Value::int).unwrap_or(0)
}

/// Whether the row's keys are needed to write or read it.
pub fn is_sealed(table: &Table) -> bool {
    table.columns.iter().any(|column| column.sealed)
}

/// Names of the companion columns, in the order of their values.
pub(crate) fn companions(table: &Table) -> Vec<String> {
    let folded = table.columns.iter().filter(|column| column.folded);
    let mut names: Vec<String> = folded.map(|column| format!("{}_fold", column.name)).collect();
    if search::is_searched(table) {
        names.push(SEARCH_TEXT.to_owned());
    }
    names
}

pub(crate) fn companion_values(table: &Table, values: &[Value]) -> Vec<Value> {
    let columns = table.columns.iter().zip(values);
    let mut out: Vec<Value> = columns
        .filter(|(column, _)| column.folded)
        .map(|(_, value)| search::folded(value))
        .collect();
    if search::is_searched(table) {
        out.push(search::search_text(table, values).into());
    }
    out
}

/// Plain values as they are stored, sealed columns sealed.
pub(crate) fn to_stored(
    table: &Table,
    keys: Option<&OrgKeys>,
    plain: &[Value],
) -> Result<Vec<Value>, StoreError> {
    let row = if keys.is_some() { row_key(table, plain) } else { String::new() };
    let columns = table.columns.iter().zip(plain);
    columns
        .map(|(column, value)| match (column.sealed, value) {
            (false, value) => Ok(value.clone()),
            (true, Value::Null) => Ok(Value::Null),
            (true, value) => {
                let keys =
                    keys.ok_or_else(|| StoreError::internal("no keys for a sealed column"))?;
                let plain = plain_bytes(value);
                let class = class_of(column);
                keys.seal(class, table.name, column.name, &row, &plain).map(Value::from)
            }
        })
        .collect()
}

/// A plain value as the bytes that are sealed.
fn plain_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Text(text) => text.as_bytes().to_vec(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Null | Value::Ints(_) | Value::Texts(_) => Vec::new(),
    }
}

/// Opens one sealed value; `row` is the row's [`row_key`].
pub fn open_value(
    table: &Table,
    column: &Column,
    keys: &OrgKeys,
    row: &str,
    stored: &Value,
) -> Result<Value, StoreError> {
    let Value::Bytes(sealed) = stored else {
        return Ok(Value::Null);
    };
    let plain = keys.open(class_of(column), table.name, column.name, row, sealed)?;
    let bad = || StoreError::corrupt(table.name, format!("{} does not decode", column.name));
    match column.kind {
        ColumnKind::Bytes => Ok(plain.into()),
        ColumnKind::Int | ColumnKind::Id(_) | ColumnKind::Bool | ColumnKind::Instant => {
            let text = String::from_utf8(plain).map_err(|_| bad())?;
            text.parse::<i64>().map(Value::Int).map_err(|_| bad())
        }
        _ => String::from_utf8(plain).map(Value::from).map_err(|_| bad()),
    }
}

/// Opens the sealed columns of a row read in the table's order.
pub fn open_row(table: &Table, keys: &OrgKeys, values: &mut [Value]) -> Result<(), StoreError> {
    let row = row_key(table, values);
    for (column, value) in table.columns.iter().zip(values.iter_mut()) {
        if column.sealed {
            *value = open_value(table, column, keys, &row, value)?;
        }
    }
    Ok(())
}

/// A row read in the table's order, as its struct.
pub(crate) async fn to_record<R: Record>(tx: &mut Tx, row: &[Value]) -> Result<R, StoreError> {
    let table = R::table();
    let mut values = row.get(..table.columns.len()).unwrap_or(row).to_vec();
    if is_sealed(table) {
        let keys = keyring::keys_of(tx, org_of(table, &values)).await?;
        open_row(table, &keys, &mut values)?;
    }
    R::from_values(&values)
        .map_err(|column| StoreError::corrupt(table.name, format!("{column} does not decode")))
}

/// The same for a reader that has the keys.
pub fn open_record<R: Record>(keys: &OrgKeys, row: &[Value]) -> Result<R, StoreError> {
    let table = R::table();
    let mut values = row.get(..table.columns.len()).unwrap_or(row).to_vec();
    open_row(table, keys, &mut values)?;
    R::from_values(&values)
        .map_err(|column| StoreError::corrupt(table.name, format!("{column} does not decode")))
}

/// Writes a new row with its companions and grams.
pub(crate) async fn insert<R: Record>(tx: &mut Tx, row: &R) -> Result<(), StoreError> {
    insert_with(tx, R::table(), &row.values(), "").await.map(drop)
}

/// The same, unless a uniqueness rule refuses it: false then.
pub(crate) async fn insert_or_ignore<R: Record>(tx: &mut Tx, row: &R) -> Result<bool, StoreError> {
    insert_with(tx, R::table(), &row.values(), " ON CONFLICT DO NOTHING").await
}

async fn insert_with(
    tx: &mut Tx,
    table: &'static Table,
    plain: &[Value],
    ending: &str,
) -> Result<bool, StoreError> {
    let keys = match is_sealed(table) {
        true => Some(keyring::keys_of(tx, org_of(table, plain)).await?),
        false => None,
    };
    let mut stored = to_stored(table, keys.as_deref(), plain)?;
    stored.extend(companion_values(table, plain));
    let mut sql = insert_sql(table, stored);
    sql.push(ending);
    if tx.execute(&sql).await? == 0 {
        return Ok(false);
    }
    write_grams(tx, table, None, Some(plain)).await?;
    Ok(true)
}

/// Writes the columns at `changed`, and the companions; false when no row has
/// this key (and version) any more.
pub(crate) async fn update(
    tx: &mut Tx,
    table: &'static Table,
    before: &[Value],
    after: &[Value],
    changed: &[usize],
) -> Result<bool, StoreError> {
    let sealed = changed.iter().any(|at| table.columns.get(*at).is_some_and(|it| it.sealed));
    let keys = match sealed {
        true => Some(keyring::keys_of(tx, org_of(table, before)).await?),
        false => None,
    };
    let row = row_key(table, before);
    let mut set = Vec::new();
    for &at in changed {
        let (Some(column), Some(value)) = (table.columns.get(at), after.get(at)) else {
            continue;
        };
        let stored = match (&keys, column.sealed, value) {
            (Some(keys), true, value) if !value.is_null() => keys
                .seal(class_of(column), table.name, column.name, &row, &plain_bytes(value))?
                .into(),
            _ => value.clone(),
        };
        set.push((column.name.to_owned(), stored));
    }
    set.extend(companions(table).into_iter().zip(companion_values(table, after)));
    if tx.execute(&update_sql(table, set, before)).await? == 0 {
        return Ok(false);
    }
    write_grams(tx, table, Some(before), Some(after)).await?;
    Ok(true)
}

/// Removes the row; false when it is gone already.
pub(crate) async fn delete(
    tx: &mut Tx,
    table: &'static Table,
    values: &[Value],
) -> Result<bool, StoreError> {
    write_grams(tx, table, Some(values), None).await?;
    Ok(tx.execute(&delete_sql(table, values)).await? > 0)
}

/// Brings the table of grams from one state of a row to another.
async fn write_grams(
    tx: &mut Tx,
    table: &Table,
    before: Option<&[Value]>,
    after: Option<&[Value]>,
) -> Result<(), StoreError> {
    let Some(row) = before.or(after).filter(|_| search::has_grams(table)) else {
        return Ok(());
    };
    let grams = |values: Option<&[Value]>| {
        values.map(|values| search::grams(&search::search_text(table, values))).unwrap_or_default()
    };
    let (old, new) = (grams(before), grams(after));
    let org: Value = org_of(table, row).into();
    let kind: Value = table.name.into();
    let id = value_of(table, row, "id").cloned().unwrap_or(Value::Null);
    let gone: Vec<Box<str>> = old.difference(&new).cloned().collect();
    if !gone.is_empty() {
        let params = [org.clone(), kind.clone(), id.clone(), Value::Texts(gone.into())];
        tx.execute(&Sql::fixed(GRAMS_DELETE, params)).await?;
    }
    let fresh: Vec<Box<str>> = new.difference(&old).cloned().collect();
    if !fresh.is_empty() {
        let text = match tx.engine() {
            Engine::Lite => GRAMS_INSERT_LITE,
            Engine::Pg => GRAMS_INSERT_PG,
        };
        tx.execute(&Sql::fixed(text, [org, kind, id, Value::Texts(fresh.into())])).await?;
    }
    Ok(())
}

const GRAMS_DELETE: &str = "DELETE FROM search_grams \
    WHERE org_id = $1 AND kind = $2 AND row_id = $3 AND gram IN_LIST($4)";
const GRAMS_INSERT_LITE: &str = "INSERT INTO search_grams (org_id, kind, gram, row_id) \
    SELECT $1, $2, value, $3 FROM json_each($4) WHERE TRUE ON CONFLICT DO NOTHING";
const GRAMS_INSERT_PG: &str = "INSERT INTO search_grams (org_id, kind, gram, row_id) \
    SELECT $1::bigint, $2::text, gram, $3::bigint FROM unnest($4::text[]) AS g (gram) \
    ON CONFLICT DO NOTHING";
