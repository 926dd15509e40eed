//! Moving every reference from one client to another, with an audit entry a row.

use ward_engine::{Answer, Call};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Key, Query, Reference, Sql, StoreError, Table, Value};

use crate::merge::plan::{Move, Unique, plan};

/// From whom to whom, within an organization.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The root organization.
    pub org_id: i64,
    /// The client who is merged.
    pub from: i64,
    /// The client who stays.
    pub to: i64,
}

/// The columns that say that a part of something is called off, or that a step of something was
/// left out.
const OFF: [&str; 2] = ["cancelled", "skipped"];

fn off(table: &Table) -> Option<&'static str> {
    OFF.into_iter().find(|name| table.column(name).is_some())
}

/// When something was completed, in the tables where something can be.
const COMPLETED: &str = "completed_at";

/// Of two rows of one thing: that `r` counts for less than `o`. It is called off, or left out, or
/// not completed, where the other one is.
fn lesser(table: &Table) -> Option<String> {
    let off = off(table).map(|off| format!(" AND r.{off} = TRUE AND o.{off} = FALSE"));
    let open = table
        .column(COMPLETED)
        .map(|_| format!(" AND r.{COMPLETED} IS NULL AND o.{COMPLETED} IS NOT NULL"));
    off.or(open)
}

/// Whose rows are removed where both clients have one.
#[derive(Clone, Copy)]
enum Whose {
    Sources,
    Targets,
}

/// Moves all references; how many rows moved. Of two parts in one thing the one that is
/// not called off stays, and of two that can be completed the one that is.
pub async fn sweep(call: &mut Call<'_>, way: Way) -> Answer<usize> {
    // What they take part in since they are held.
    hold_wholes(call, &[way.from, way.to]).await?;
    let moves = plan(call.tx.tables()).map_err(StoreError::internal)?;
    let mut moved = 0;
    for it in &moves {
        for unique in &it.unique {
            if lesser(it.table).is_some() {
                remove_doubles(call, it, unique, way, Whose::Targets).await?;
            }
            remove_doubles(call, it, unique, way, Whose::Sources).await?;
        }
        moved += repoint(call, it, way).await?;
    }
    Ok(moved)
}

/// Holds what parts of these clients are parts of, in the order of ids: who changes who
/// takes part holds the whole first.
pub async fn hold_wholes(call: &mut Call<'_>, clients: &[i64]) -> Answer<()> {
    let org = call.actor.org_id;
    for it in plan(call.tx.tables()).map_err(StoreError::internal)? {
        let (table, column) = (it.table, it.column);
        if off(table).is_none() {
            continue;
        }
        for (whole, name) in it.unique.iter().flat_map(|unique| wholes(table, unique)) {
            let mut sql = Sql::new();
            sql.push(&format!("SELECT p.id FROM {whole} p WHERE p.org_id = ")).bind(org);
            sql.push(&format!(" AND p.id IN (SELECT r.{name} FROM {} r ", table.name));
            sql.push("WHERE r.org_id = ").bind(org).push(&format!(" AND r.{column}"));
            sql.bind_in(clients).push(") ORDER BY p.id FOR_NO_KEY_UPDATE");
            call.tx.rows(&sql).await?;
        }
    }
    Ok(())
}

/// The tables that a part names besides who takes part, by which column.
fn wholes(table: &Table, unique: &Unique) -> Vec<(&'static str, &'static str)> {
    let whole = |reference: &Reference| match reference.columns {
        ["org_id", name] if unique.with.contains(name) => Some((reference.table, *name)),
        _ => None,
    };
    table.references.iter().filter_map(whole).collect()
}

/// Removes the rows of which the other client has one already: the source's, or those of
/// the target's that count for less than the source's.
async fn remove_doubles(
    call: &mut Call<'_>,
    it: &Move,
    unique: &Unique,
    way: Way,
    whose: Whose,
) -> Answer<()> {
    let (table, column) = (it.table, it.column);
    let only = unique.only.map(|only| format!(" AND ({only})")).unwrap_or_default();
    let same: String = unique.with.iter().map(|name| format!(" AND o.{name} = r.{name}")).collect();
    let (removed, kept, less) = match (whose, lesser(table)) {
        (Whose::Targets, Some(less)) => (way.to, way.from, less),
        _ => (way.from, way.to, String::new()),
    };
    let mut sql = select_keys(table, "r");
    sql.push(" WHERE r.org_id = ").bind(way.org_id);
    sql.push(&format!(" AND r.{column} = ")).bind(removed).push(&only);
    sql.push(&format!(" AND EXISTS (SELECT 1 FROM {} o WHERE o.org_id = ", table.name));
    sql.bind(way.org_id).push(&format!(" AND o.{column} = ")).bind(kept);
    sql.push(&same).push(&only).push(&less).push(") FOR_UPDATE");
    let doubles = call.tx.rows(&sql).await?;
    for row in doubles.iter() {
        let mut sql = Sql::new();
        match table.is_soft_deleted() {
            true => {
                sql.push("UPDATE ").push(table.name).push(" SET deleted_at = ");
                sql.bind(call.now().0);
                touch(table, call.now().0, &mut sql);
            }
            false => drop(sql.push("DELETE FROM ").push(table.name)),
        }
        write_key(table, way.org_id, row, &mut sql);
        call.tx.execute(&sql).await?;
        let of = Way { from: removed, ..way };
        note(call, it, of, row, AuditType::Destroy);
    }
    Ok(())
}

/// Makes all rows of the one client the other's.
async fn repoint(call: &mut Call<'_>, it: &Move, way: Way) -> Answer<usize> {
    let (table, column) = (it.table, it.column);
    let mut sql = select_keys(table, "r");
    sql.push(" WHERE r.org_id = ").bind(way.org_id);
    sql.push(&format!(" AND r.{column} = ")).bind(way.from).push(" FOR_UPDATE");
    let rows = call.tx.rows(&sql).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut sql = Sql::new();
    sql.push("UPDATE ").push(table.name).push(&format!(" SET {column} = ")).bind(way.to);
    touch(table, call.now().0, &mut sql);
    sql.push(" WHERE org_id = ").bind(way.org_id);
    sql.push(&format!(" AND {column} = ")).bind(way.from);
    call.tx.execute(&sql).await?;
    for row in rows.iter() {
        note(call, it, way, row, AuditType::Update);
    }
    Ok(rows.len())
}

fn key_columns(table: &Table) -> &'static [&'static str] {
    match table.key {
        Key::Id | Key::Uuid => &["id"],
        Key::Columns(columns) => columns,
    }
}

/// The key columns of rows, then their unit.
fn select_keys(table: &Table, alias: &str) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT ");
    for name in key_columns(table) {
        sql.push(&format!("{alias}.{name}, "));
    }
    match table.column("unit_id") {
        Some(_) => sql.push(&format!("{alias}.unit_id")),
        None => sql.push("CAST(0 AS BIGINT)"),
    };
    sql.push(" FROM ").push(table.name).push(" ").push(alias);
    sql
}

/// What the store keeps of a changed row.
fn touch(table: &Table, now: i64, sql: &mut Sql) {
    if table.column("updated_at").is_some() {
        sql.push(", updated_at = ").bind(now);
    }
    if table.column("version").is_some() {
        sql.push(", version = version + 1");
    }
}

fn write_key(table: &Table, org_id: i64, row: &[Value], sql: &mut Sql) {
    sql.push(" WHERE org_id = ").bind(org_id);
    for (name, value) in key_columns(table).iter().zip(row) {
        sql.push(&format!(" AND {name} = ")).bind(value.clone());
    }
}

fn note(call: &mut Call<'_>, it: &Move, way: Way, row: &[Value], kind: AuditType) {
    let Some(resource) = it.table.audit else { return };
    let part = |value: &Value| match value {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        _ => String::new(),
    };
    let keys = row.get(..key_columns(it.table).len()).unwrap_or_default();
    let key: Vec<String> = keys.iter().map(part).collect();
    let mut entry = AuditEntry::by(call.actor, kind, resource, key.join("/"));
    let unit = row.last().and_then(Value::int).filter(|unit| *unit != 0);
    entry.unit_id = unit.unwrap_or(entry.unit_id);
    entry.subject_id = Some(way.to);
    let (from, to) = (way.from.to_string(), way.to.to_string());
    let after = (kind == AuditType::Update).then_some(to.as_str());
    entry.changes = vec![AuditChange::new(it.column, Some(&from), after)];
    call.record(entry);
}
