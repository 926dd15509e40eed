//! Every id and UUID column of every table refuses the other environment's
//! values (ISO-03).

use futures_util::FutureExt;
use ward_instance::{Clock, Kind, Random, ids, uuid};
use ward_store::{Column, ColumnKind, Engine, Query, Sql, StoreError, Table, Value};

use crate::support::{self, World};

fn id_of(kind: Kind) -> i64 {
    match kind {
        Kind::Sandbox => ids::SANDBOX.0 + 5,
        Kind::Production => ids::PRODUCTION.0 + 5,
    }
}

fn uuid_of(kind: Kind) -> String {
    let random = Random::os();
    let tag = ward_instance::InstanceId::draw(&random).tag();
    uuid::new(kind, &tag, Clock::system().now(), &random)
}

/// A value that breaks no rule of the column in an instance of this kind.
fn value(column: &Column, kind: Kind) -> Value {
    if column.sealed {
        return Value::Bytes((*b"sealed").into());
    }
    match column.kind {
        ColumnKind::Id(_) => id_of(kind).into(),
        ColumnKind::Uuid => uuid_of(kind).into(),
        ColumnKind::Int | ColumnKind::Instant => 1_i64.into(),
        ColumnKind::Bool => true.into(),
        ColumnKind::Enum(texts) => texts[0].into(),
        ColumnKind::Text => "text".into(),
        ColumnKind::Date => "2026-01-01".into(),
        ColumnKind::Json => "{}".into(),
        ColumnKind::Bytes => Value::Bytes((*b"bytes").into()),
    }
}

/// A row in which the column has a value of `odd`'s environment.
fn row(table: &Table, kind: Kind, odd: &str) -> Sql {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for column in table.columns {
        names.push(column.name.to_owned());
        let kind = if column.name == odd { kind.other() } else { kind };
        values.push(value(column, kind));
        if column.folded {
            names.push(format!("{}_fold", column.name));
            values.push("text".into());
        }
    }
    if table.columns.iter().any(|column| column.searched || column.phone) {
        names.push("search_text".into());
        values.push("text".into());
    }
    let mut sql = Sql::new();
    sql.push(&format!("INSERT INTO {} ({}) VALUES (", table.name, names.join(", ")));
    for (n, value) in values.into_iter().enumerate() {
        sql.push(if n > 0 { ", " } else { "" }).bind(value);
    }
    sql.push(")");
    sql
}

async fn every_column_refuses(w: World) {
    let kind = w.instance.kind();
    let mut refused = 0;
    for table in support::tables() {
        for column in table.columns.iter().filter(|column| !column.sealed) {
            if !matches!(column.kind, ColumnKind::Id(_) | ColumnKind::Uuid) {
                continue;
            }
            let error = w.execute(row(table, kind, column.name)).await.unwrap_err();
            let rule = format!("{}__{}__check", table.name, column.name);
            assert!(
                matches!(&error, StoreError::Constraint(it) if it.contains(&rule)),
                "{}.{}: {error}",
                table.name,
                column.name
            );
            refused += 1;
        }
        // The same row without the odd value is taken (references apart).
        let sql = row(table, kind, "");
        let taken =
            w.db.write(move |tx| {
                let sql = sql.clone();
                async move {
                    let result = tx.execute(&sql).await;
                    match result {
                        Err(StoreError::Constraint(rule)) if rule.contains("check") => {
                            Err(StoreError::Constraint(rule))
                        }
                        _ => Err(StoreError::Conflict),
                    }
                }
                .boxed()
            })
            .await;
        let taken: Result<(), StoreError> = taken;
        assert!(matches!(taken, Err(StoreError::Conflict)), "{}: {taken:?}", table.name);
    }
    assert!(refused > 10, "only {refused} columns");
}

macro_rules! refused {
    ($name:ident, $engine:ident, $kind:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            support::run(Engine::$engine, Kind::$kind, every_column_refuses).await;
        }
    };
}

refused!(sandbox_sqlite, Lite, Sandbox);
refused!(sandbox_postgres, Pg, Sandbox);
refused!(production_sqlite, Lite, Production);
refused!(production_postgres, Pg, Production);
