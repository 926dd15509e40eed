//! Rows whose values tell under which root they are: sealed columns, stamps of
//! events, kept answers. Looked at in pages by readers, changed in small
//! transactions, so that nobody waits long.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_instance::crash;

use super::{Damaged, Halt, Work};
use crate::codec;
use crate::error::StoreError;
use crate::events;
use crate::idempotency;
use crate::keyring;
use crate::query::Query;
use crate::stamp;
use crate::system::{AUDIT_EVENTS, EVENTS, IDEMPOTENCY_KEYS, events as event_columns};
use crate::table::{Column, Table};
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// Rows of which the beginnings are read at a time.
const LOOKED_AT: i64 = 500;
/// Rows of one transaction.
const CHANGED: usize = 50;

/// How the values of a target are brought under the current root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Sealed,
    Event,
    Answer,
}

/// Columns of a table that begin with the version of their key.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) table: &'static Table,
    columns: Vec<&'static str>,
    /// How a value under the current root begins.
    header: Vec<u8>,
    sort: Sort,
}

/// Everything of the tables. The audit log stays as it was written.
pub(super) fn targets(tables: &[&'static Table], version: u32) -> Vec<Target> {
    let mut sealed_header = vec![1];
    sealed_header.extend(version.to_be_bytes());
    let target = |table: &'static Table, columns: Vec<&'static str>, sort| {
        let header = match sort {
            Sort::Event => version.to_be_bytes().to_vec(),
            Sort::Sealed | Sort::Answer => sealed_header.clone(),
        };
        (!columns.is_empty()).then_some(Target { table, columns, header, sort })
    };
    let of_table = |table: &&'static Table| {
        let table = *table;
        let sealed = table.columns.iter().filter(|column| column.sealed);
        let sealed = sealed.map(|column| column.name).collect();
        let other = match table.name {
            name if name == AUDIT_EVENTS.name => return Vec::new(),
            name if name == EVENTS.name => target(table, vec!["row_mac"], Sort::Event),
            name if name == IDEMPOTENCY_KEYS.name => target(table, vec!["answer"], Sort::Answer),
            _ => None,
        };
        target(table, sealed, Sort::Sealed).into_iter().chain(other).collect::<Vec<_>>()
    };
    tables.iter().flat_map(of_table).collect()
}

impl Target {
    /// The columns that name and order a row.
    fn key(&self) -> Vec<&'static str> {
        let mut key = codec::key_columns(self.table).to_vec();
        if self.table.is_tenant() && !key.contains(&"org_id") {
            key.insert(0, "org_id");
        }
        key
    }

    /// Keys of rows behind `after`, and how their values begin.
    fn look(&self, after: Option<&[Value]>) -> Sql {
        let key = self.key();
        let mut sql = Sql::new();
        sql.push("SELECT ").push(&key.join(", "));
        for column in &self.columns {
            sql.push(&format!(", substr({column}, 1, {})", self.header.len()));
        }
        sql.push(" FROM ").push(self.table.name);
        if let Some(after) = after {
            sql.push(" WHERE (").push(&key.join(", ")).push(") > (");
            for (n, value) in after.iter().enumerate() {
                sql.push(if n > 0 { ", " } else { "" }).bind(value.clone());
            }
            sql.push(")");
        }
        sql.push(" ORDER BY ").push(&key.join(", ")).limit(LOOKED_AT);
        sql
    }

    fn is_stale(&self, beginnings: &[Value]) -> bool {
        beginnings.iter().any(|it| it.bytes().is_some_and(|bytes| bytes != self.header))
    }

    fn whole(&self, key: &[Value], columns: &str) -> Sql {
        let mut sql = Sql::new();
        sql.push("SELECT ").push(columns).push(" FROM ").push(self.table.name).push(" t");
        self.of_row(key, &mut sql);
        sql.push(" FOR_UPDATE_SKIP");
        sql
    }

    fn of_row(&self, key: &[Value], sql: &mut Sql) {
        for (n, (name, value)) in self.key().into_iter().zip(key).enumerate() {
            sql.push(if n > 0 { " AND " } else { " WHERE " }).push(name).push(" = ");
            sql.bind(value.clone());
        }
    }

    fn set(&self, key: &[Value], values: Vec<(&'static str, Vec<u8>)>) -> Sql {
        let mut sql = Sql::new();
        sql.push("UPDATE ").push(self.table.name).push(" SET ");
        for (n, (name, value)) in values.into_iter().enumerate() {
            sql.push(if n > 0 { ", " } else { "" }).push(name).push(" = ").bind(value);
        }
        self.of_row(key, &mut sql);
        sql
    }

    fn part<'a>(&self, key: &'a [Value], name: &str) -> Option<&'a Value> {
        self.key().iter().position(|of| *of == name).and_then(|at| key.get(at))
    }

    fn org_id(&self, key: &[Value]) -> i64 {
        self.part(key, "org_id").and_then(Value::int).unwrap_or(0)
    }

    /// The row's key as text, as it is bound into its values.
    fn row(&self, key: &[Value]) -> String {
        let part = |name: &&str| match self.part(key, name) {
            Some(Value::Int(number)) => number.to_string(),
            Some(Value::Text(text)) => text.to_string(),
            _ => String::new(),
        };
        codec::key_columns(self.table).iter().map(part).collect::<Vec<_>>().join("/")
    }

    fn damaged(&self, column: &'static str, key: &[Value]) -> Damaged {
        Damaged { table: self.table.name, column, row: self.row(key) }
    }
}

/// What became of some rows.
#[derive(Default)]
struct Renewed {
    changed: u64,
    /// Held by others, or gone.
    busy: u64,
    damaged: Vec<Damaged>,
}

impl Work<'_> {
    /// Looks at a whole target; how many rows others held.
    pub(super) async fn scan(&mut self, target: &Target) -> Result<u64, Halt> {
        let target = Arc::new(target.clone());
        let width = target.key().len();
        let mut after: Option<Vec<Value>> = None;
        let mut busy = 0;
        loop {
            self.look()?;
            let page = target.look(after.as_deref());
            let rows = self.of.db.read().await?.rows(&page).await?;
            let stale = rows.iter().filter_map(|row| row.split_at_checked(width));
            let stale: Vec<Vec<Value>> = stale
                .filter(|(_, beginnings)| target.is_stale(beginnings))
                .map(|(key, _)| key.to_vec())
                .collect();
            for keys in stale.chunks(CHANGED) {
                self.look()?;
                let (target, keys) = (Arc::clone(&target), Arc::new(keys.to_vec()));
                let renewed = self
                    .of
                    .db
                    .write(move |tx: &mut Tx| renew(tx, Arc::clone(&target), Arc::clone(&keys)));
                let renewed = renewed.await?;
                crash::point("rotation.value");
                self.progress.changed += renewed.changed;
                busy += renewed.busy;
                self.note(renewed.damaged);
            }
            match rows.iter().last().and_then(|row| row.get(..width)) {
                Some(last) => after = Some(last.to_vec()),
                None => return Ok(busy),
            }
        }
    }
}

fn renew(
    tx: &mut Tx,
    target: Arc<Target>,
    keys: Arc<Vec<Vec<Value>>>,
) -> BoxFuture<'_, Result<Renewed, StoreError>> {
    Box::pin(async move {
        let mut renewed = Renewed::default();
        for key in keys.iter() {
            match target.sort {
                Sort::Sealed => reseal(tx, &target, key, &mut renewed).await?,
                Sort::Event => sign(tx, &target, key, &mut renewed).await?,
                Sort::Answer => answer(tx, &target, key, &mut renewed).await?,
            }
        }
        Ok(renewed)
    })
}

async fn reseal(
    tx: &mut Tx,
    target: &Target,
    key: &[Value],
    renewed: &mut Renewed,
) -> Result<(), StoreError> {
    let stored = tx.rows(&target.whole(key, &target.columns.join(", "))).await?;
    if stored.is_empty() {
        renewed.busy += 1;
        return Ok(());
    }
    let row = target.row(key);
    let keys = keyring::keys_of(tx, target.org_id(key)).await;
    let mut set = Vec::new();
    for (name, value) in target.columns.iter().zip(stored.row(0)) {
        let Some(sealed) = value.bytes().filter(|sealed| !sealed.starts_with(&target.header))
        else {
            continue;
        };
        let class = column(target.table, name).map(codec::class_of);
        let again = match (&keys, class) {
            (Ok(keys), Some(class)) => keys
                .open(class, target.table.name, name, &row, sealed)
                .and_then(|plain| keys.seal(class, target.table.name, name, &row, &plain)),
            _ => Err(StoreError::internal("no key")),
        };
        match again {
            Ok(sealed) => set.push((*name, sealed)),
            Err(_) => renewed.damaged.push(target.damaged(name, key)),
        }
    }
    if !set.is_empty() {
        renewed.changed += tx.execute(&target.set(key, set)).await?;
    }
    Ok(())
}

fn column<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.columns.iter().find(|column| column.name == name)
}

async fn sign(
    tx: &mut Tx,
    target: &Target,
    key: &[Value],
    renewed: &mut Renewed,
) -> Result<(), StoreError> {
    let stored = tx.rows(&target.whole(key, &codec::column_list(target.table, "t"))).await?;
    let row = stored.row(0);
    let Some(row_mac) = row.get(event_columns::row_mac).and_then(Value::bytes) else {
        renewed.busy += 1;
        return Ok(());
    };
    let ring = tx.instance().ring();
    if row_mac.starts_with(&target.header) {
        return Ok(());
    }
    if !stamp::verify_row(&ring, target.table, row, &events::UNSIGNED, row_mac) {
        renewed.damaged.push(target.damaged("row_mac", key));
        return Ok(());
    }
    let row_mac = stamp::sign_row(&ring, target.table, row, &events::UNSIGNED);
    renewed.changed += tx.execute(&target.set(key, vec![("row_mac", row_mac)])).await?;
    Ok(())
}

async fn answer(
    tx: &mut Tx,
    target: &Target,
    key: &[Value],
    renewed: &mut Renewed,
) -> Result<(), StoreError> {
    let stored = tx.rows(&target.whole(key, "answer")).await?;
    let Some(sealed) = stored.scalar().and_then(Value::bytes) else {
        renewed.busy += 1;
        return Ok(());
    };
    let again = idempotency::resealed(tx.instance(), target.org_id(key), &target.row(key), sealed);
    match again {
        Ok(Some(sealed)) => {
            let set = target.set(key, vec![("answer", sealed)]);
            renewed.changed += tx.execute(&set).await?;
        }
        Ok(None) => {}
        Err(_) => renewed.damaged.push(target.damaged("answer", key)),
    }
    Ok(())
}
