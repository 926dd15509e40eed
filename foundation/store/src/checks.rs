//! Every statement that the store writes for a table, so that a test can
//! prepare all of them on both engines and look for the tenant in each.

use crate::actor::Actor;
use crate::codec;
use crate::search;
use crate::select::{OrderKey, Select};
use crate::table::{ColumnKind, Key, Table};
use crate::value::{Sql, Value};

/// The statements by a name such as `users.insert`.
pub fn registered_statements(tables: &[&'static Table]) -> Vec<(String, Sql)> {
    let actor = Actor::system(1);
    let mut statements = Vec::new();
    for table in tables {
        let values: Vec<Value> = table.columns.iter().map(|column| sample(column.kind)).collect();
        let mut add = |what: &str, sql| statements.push((format!("{}.{what}", table.name), sql));
        let mut stored: Vec<Value> = table
            .columns
            .iter()
            .zip(&values)
            .map(
                |(column, value)| {
                    if column.sealed { Value::Bytes([0].into()) } else { value.clone() }
                },
            )
            .collect();
        let companions = codec::companions(table);
        stored.resize(table.columns.len() + companions.len(), "".into());
        let names = table.columns.iter().map(|column| column.name.to_owned()).chain(companions);
        let set = names.zip(stored.clone()).collect();
        add("insert", codec::insert_sql(table, stored));
        add("get", codec::get_sql(table, &values));
        add("update", codec::update_sql(table, set, &values));
        add("delete", codec::delete_sql(table, &values));
        let mut select = Select::new(table, &actor);
        select.columns = (0..table.columns.len()).collect();
        if table.is_tenant() {
            select.filter = search::keyword_cond(table, actor.org_id, "some words");
        }
        add("count", select.count_sql());
        if !matches!(table.key, Key::Columns(_)) {
            let folded = table.columns.iter().find(|column| column.folded);
            let keys = folded.map(|it| OrderKey::column(&format!("{}_fold", it.name), false));
            let mut select = select.ordered(keys.into_iter().collect());
            select.with_keys = true;
            select.limit = Some(50);
            add("list", select.sql());
        }
    }
    statements
}

/// Statements of tenant tables that do not bind the tenant: must be none.
pub fn without_tenant(tables: &[&'static Table], statements: &[(String, Sql)]) -> Vec<String> {
    let is_tenant = |name: &str| {
        let table = name.split('.').next().unwrap_or_default();
        tables.iter().any(|it| it.name == table && it.is_tenant())
    };
    let binds = |name: &str, sql: &Sql| match name.ends_with(".insert") {
        true => sql.text().contains("(org_id,") || sql.text().contains(" org_id,"),
        false => sql.text().contains("org_id = $"),
    };
    statements
        .iter()
        .filter(|(name, sql)| is_tenant(name) && !binds(name, sql))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Columns whose plain text a companion would give away: must be none.
pub fn leaks(tables: &[&'static Table]) -> Vec<String> {
    let leaks = |table: &&'static Table| {
        let name = table.name;
        let columns = table.columns.iter().filter(|it| it.sealed || it.secret);
        columns
            .filter(|it| it.folded || it.searched || it.phone)
            .map(move |it| format!("{name}.{}", it.name))
            .collect::<Vec<_>>()
    };
    tables.iter().flat_map(leaks).collect()
}

/// A value of the kind, for a statement that is prepared and not run.
fn sample(kind: ColumnKind) -> Value {
    match kind {
        ColumnKind::Id(_) | ColumnKind::Int | ColumnKind::Bool | ColumnKind::Instant => 1.into(),
        ColumnKind::Bytes => Value::Bytes([0].into()),
        ColumnKind::Text
        | ColumnKind::Enum(_)
        | ColumnKind::Date
        | ColumnKind::Json
        | ColumnKind::Uuid => "x".into(),
    }
}
