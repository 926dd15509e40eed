//! Reading everything, of one moment, a page at a time.

use std::io::Write;

use super::body::BodyWriter;
use super::layout::{Layout, layouts};
use crate::db::Db;
use crate::query::Query;
use crate::reader::Reader;
use crate::value::{Rows, Sql, Value};

/// Rows read at a time.
const PAGE: i64 = 200;

/// What went wrong: the database, or the backup's file.
pub type Dumped<T = ()> = Result<T, super::BodyError>;

/// Writes every table as `reader`, a snapshot, sees it; `told` hears how many rows are written.
pub async fn dump<W: Write>(
    db: &Db,
    reader: &mut Reader,
    to: &mut BodyWriter<W>,
    told: &(dyn Fn(u64) + Send + Sync),
) -> Dumped {
    for layout in layouts(db.tables()) {
        to.table(layout.name, &layout.columns)?;
        let mut after: Option<Vec<Value>> = None;
        loop {
            let rows = reader.rows(&page(&layout, after.as_deref())).await?;
            for row in rows.iter() {
                to.row(row)?;
            }
            told(to.so_far().rows);
            after = last_key(&layout, &rows);
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The rows behind a key, in its order.
fn page(layout: &Layout, after: Option<&[Value]>) -> Sql {
    let mut sql = Sql::new();
    let key = layout.key.join(", ");
    sql.push("SELECT ").push(&layout.columns.join(", ")).push(" FROM ").push(layout.name);
    if let Some(after) = after {
        sql.push(" WHERE (").push(&key).push(") > (");
        for (n, value) in after.iter().enumerate() {
            sql.push(if n > 0 { ", " } else { "" }).bind(value.clone());
        }
        sql.push(")");
    }
    sql.push(" ORDER BY ").push(&key).limit(PAGE);
    sql
}

/// The key of the last row of a full page; of the last page none.
fn last_key(layout: &Layout, rows: &Rows) -> Option<Vec<Value>> {
    let last = rows.len().checked_sub(1).filter(|_| rows.len() as i64 == PAGE)?;
    let row = rows.row(last);
    let value = |name: &&str| {
        let at = layout.columns.iter().position(|column| column == name)?;
        row.get(at).cloned()
    };
    layout.key.iter().map(value).collect()
}

/// The highest id that may have been handed out of each type, out of a row of `id_blocks`.
pub(crate) fn head_of(row: &[Value]) -> Option<(String, i64)> {
    Some((row.first()?.text()?.to_owned(), row.get(1)?.int()? - 1))
}
