//! Many new rows of one table with few statements: what [`codec::insert`] does
//! for one, companions, sealed columns and grams included.

use crate::codec;
use crate::error::StoreError;
use crate::keyring;
use crate::query::{Engine, Query};
use crate::search;
use crate::table::Table;
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// Parameters of one statement at most; PostgreSQL takes 65,535, SQLite 32,766.
const PARAMETERS: usize = 8_000;
/// Grams of one statement.
const GRAMS: usize = 1_000;

/// Writes new rows of plain values.
pub(crate) async fn insert(
    tx: &mut Tx,
    table: &'static Table,
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let width = table.columns.len() + codec::companions(table).len();
    for chunk in rows.chunks((PARAMETERS / width).max(1)) {
        let mut stored = Vec::with_capacity(chunk.len());
        for plain in chunk {
            stored.push(to_stored(tx, table, plain).await?);
        }
        tx.execute(&codec::insert_all_sql(table, stored, None)).await?;
    }
    if search::has_grams(table) { insert_grams(tx, table, rows).await } else { Ok(()) }
}

async fn to_stored(
    tx: &mut Tx,
    table: &'static Table,
    plain: &[Value],
) -> Result<Vec<Value>, StoreError> {
    let keys = match codec::is_sealed(table) {
        true => Some(keyring::keys_of(tx, codec::org_of(table, plain)).await?),
        false => None,
    };
    let mut stored = codec::to_stored(table, keys.as_deref(), plain)?;
    stored.extend(codec::companion_values(table, plain));
    Ok(stored)
}

/// Writes the rows' grams in the order of the table of grams, so that each of
/// its pages is changed once.
async fn insert_grams(
    tx: &mut Tx,
    table: &'static Table,
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let mut grams: Vec<(i64, Box<str>, i64)> = Vec::new();
    for values in rows {
        let org_id = codec::org_of(table, values);
        let id = codec::value_of(table, values, "id").and_then(Value::int).unwrap_or(0);
        let text = search::search_text(table, values);
        grams.extend(search::grams(&text).into_iter().map(|gram| (org_id, gram, id)));
    }
    grams.sort_unstable();
    for chunk in grams.chunks(GRAMS) {
        let sql = match tx.engine() {
            Engine::Lite => grams_lite(table, chunk),
            Engine::Pg => grams_pg(table, chunk),
        };
        tx.execute(&sql).await?;
    }
    Ok(())
}

fn grams_lite(table: &Table, grams: &[(i64, Box<str>, i64)]) -> Sql {
    let mut sql = Sql::new();
    sql.push("INSERT INTO search_grams (org_id, kind, gram, row_id) VALUES ");
    for (n, (org_id, gram, id)) in grams.iter().enumerate() {
        sql.push(if n > 0 { ", (" } else { "(" }).bind(*org_id).push(", ").bind(table.name);
        sql.push(", ").bind(&**gram).push(", ").bind(*id).push(")");
    }
    sql
}

fn grams_pg(table: &Table, grams: &[(i64, Box<str>, i64)]) -> Sql {
    let orgs: Vec<i64> = grams.iter().map(|(org_id, ..)| *org_id).collect();
    let texts: Vec<Box<str>> = grams.iter().map(|(_, gram, _)| gram.clone()).collect();
    let ids: Vec<i64> = grams.iter().map(|(.., id)| *id).collect();
    Sql::fixed(
        "INSERT INTO search_grams (org_id, kind, gram, row_id) \
         SELECT g.org_id, $1::text, g.gram, g.row_id \
         FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS g (org_id, gram, row_id)",
        [
            table.name.into(),
            Value::Ints(orgs.into()),
            Value::Texts(texts.into()),
            Value::Ints(ids.into()),
        ],
    )
}
