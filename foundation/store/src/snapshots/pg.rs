//! A snapshot on PostgreSQL: a schema of the same database, with a copy of each table.

use ward_instance::ledger::Heads;

use crate::db::Db;
use crate::error::StoreError;
use crate::nodes::ARRIVALS;
use crate::query::Query;
use crate::snapshots::{Name, OWN, heads};
use crate::table::Table;
use crate::tx::Tx;
use crate::value::{Rows, Sql};

fn schema(name: &Name) -> String {
    format!("\"snapshot_{name}\"")
}

/// What the name of a table of the snapshot begins with.
pub(super) fn prefix(name: &Name) -> String {
    format!("{}.", schema(name))
}

fn names(tables: &[&'static Table]) -> String {
    tables.iter().map(|table| table.name).collect::<Vec<_>>().join(", ")
}

/// Nobody else writes, takes ids or begins to serve from now on, until the transaction ends. Who serves
/// goes on saying that it lives, this process too.
pub(super) fn alone(tables: &[&'static Table]) -> String {
    // All rows are copied in one statement a table, which may take longer than a request may. Ids
    // come first, as in most transactions: who has some is waited for while nothing is locked yet.
    // Arrivals come last: nobody is kept from one while the rest is waited for. Who waits for another
    // reset to end is to hear of it, and not that it took long.
    format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 60000; LOCK TABLE id_blocks, {} IN EXCLUSIVE MODE; \
         SELECT pg_advisory_xact_lock({ARRIVALS})",
        names(tables)
    )
}

pub(super) async fn take(db: &Db, name: &Name) -> Result<Heads, StoreError> {
    let (schema, prefix) = (schema(name), prefix(name));
    db.write_alone(move |tx: &mut Tx| {
        let (schema, prefix) = (schema.clone(), prefix.clone());
        Box::pin(async move {
            let tables = tx.tables().to_vec();
            tx.batch(&alone(&tables)).await?;
            tx.core.ids.forget();
            tx.batch(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"))
                .await?;
            for table in tables.iter().map(|table| table.name).chain(OWN) {
                tx.batch(&format!("CREATE TABLE {prefix}{table} AS SELECT * FROM {table}")).await?;
            }
            heads(tx, &prefix).await
        })
    })
    .await
}

/// Refuses a snapshot whose schema is gone; there is nothing to open.
pub(super) async fn found(db: &Db, name: &Name) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "SELECT 1 FROM information_schema.schemata WHERE CAST(schema_name AS TEXT) = $1",
        [format!("snapshot_{name}").as_str().into()],
    );
    match db.read().await?.rows(&sql).await?.is_empty() {
        true => {
            let what = format!("the snapshot's schema {} is gone", schema(name));
            Err(StoreError::Unavailable(what))
        }
        false => Ok(()),
    }
}

pub(super) async fn remove(db: &Db, name: &Name) -> Result<(), StoreError> {
    let schema = schema(name);
    db.write(move |tx: &mut Tx| {
        let text = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        Box::pin(async move { tx.batch(&text).await })
    })
    .await
}

pub(super) async fn blobs(db: &Db, name: &Name) -> Result<Rows, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT id FROM ").push(&prefix(name)).push("blobs");
    db.read().await?.rows(&sql).await
}
