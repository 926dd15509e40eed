//! Reading what a [`Select`] asks for, sealed columns opened.

use std::collections::HashMap;
use std::sync::Arc;

use crate::codec;
use crate::db::Db;
use crate::error::StoreError;
use crate::keyring::OrgKeys;
use crate::query::Query;
use crate::select::Select;
use crate::value::{Rows, Value};

/// The rows of a select. Sealed columns need the row's key columns (and
/// `org_id`, in a tenant's table) among the selected ones.
pub async fn read_selected(
    conn: &mut dyn Query,
    db: &Db,
    select: &Select<'_>,
) -> Result<Rows, StoreError> {
    let mut rows = conn.rows(&select.sql()).await?;
    let table = select.table;
    let sealed: Vec<(usize, usize)> = select
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| table.columns[**column].sealed)
        .map(|(at, column)| (at, *column))
        .collect();
    if sealed.is_empty() || rows.is_empty() {
        return Ok(rows);
    }
    let place =
        |name: &str| select.columns.iter().position(|column| table.columns[*column].name == name);
    let key_places: Vec<Option<usize>> =
        codec::key_columns(table).iter().map(|name| place(name)).collect();
    let org_place = place("org_id");
    let width = rows.width();
    let mut held: HashMap<i64, Arc<OrgKeys>> = HashMap::new();
    for row in rows.values_mut().chunks_exact_mut(width) {
        let org_id = org_place.and_then(|at| row[at].int()).or(select.org_id).unwrap_or(0);
        let keys = match held.get(&org_id) {
            Some(keys) => keys.clone(),
            None => {
                let keys = db.keyring().of(conn, org_id).await?;
                held.insert(org_id, keys.clone());
                keys
            }
        };
        let part = |at: &Option<usize>| match at.map(|at| &row[at]) {
            Some(Value::Int(number)) => number.to_string(),
            Some(Value::Text(text)) => text.to_string(),
            _ => String::new(),
        };
        let key = key_places.iter().map(part).collect::<Vec<_>>().join("/");
        for &(at, column) in &sealed {
            row[at] = codec::open_value(table, &table.columns[column], &keys, &key, &row[at])?;
        }
    }
    Ok(rows)
}
