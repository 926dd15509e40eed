//! Reading all rows of a client, of one moment, with their sealed columns opened. Who may have
//! them was decided before.

use std::collections::BTreeSet;

use ward_clients::export::{ClientRecord, Row};
use ward_engine::{Answer, Refused, Request};
use ward_identity::tables::USERS;
use ward_store::keyring::OrgKeys;
use ward_store::{ColumnKind, Key, Query, Reader, Sql, StoreError, Table, Value, codec};

use super::plan::{Step, Way, plan};

/// So many rows of a table an archive takes.
const ROWS_MAX: i64 = 100_000;

/// What strangers may know of a member.
const STAFF_COLUMNS: [&str; 5] = ["id", "first_name", "last_name", "npi", "qualifications"];

/// All that is stored of the client.
pub async fn record(request: &Request, client_id: i64) -> Answer<ClientRecord> {
    let org_id = request.actor.org_id;
    let mut reader = request.db.snapshot().await?;
    let keys = request.db.keyring().of(&mut reader, org_id).await?;
    let tables = request.db.tables();
    let mut record = ClientRecord { client_id, ..ClientRecord::default() };
    for step in plan(tables).map_err(StoreError::internal)? {
        let Some(sql) = statement(tables, &step, org_id, &record) else { continue };
        let rows = rows(&mut reader, &keys, step.table, &sql).await?;
        if !rows.is_empty() {
            record.rows.insert(step.table.name, rows);
        }
    }
    record.staff = staff(&mut reader, org_id, &record).await?;
    Ok(record)
}

/// The statement of a step; none where it can find nothing.
fn statement(
    tables: &[&'static Table],
    step: &Step,
    org_id: i64,
    record: &ClientRecord,
) -> Option<Sql> {
    let table = step.table;
    let columns: Vec<String> =
        table.columns.iter().map(|column| format!("t.{}", column.name)).collect();
    let mut sql = Sql::new();
    sql.push(&format!("SELECT {} FROM {} t WHERE t.org_id = ", columns.join(", "), table.name));
    sql.bind(org_id);
    match &step.way {
        Way::Names(names) => {
            sql.push(" AND (");
            names_client(&mut sql, names, record.client_id);
            sql.push(")");
        }
        Way::Whole { names, part, column } => {
            let held = tables.iter().find(|it| it.name == *part);
            let alive = if held.is_some_and(|it| it.is_soft_deleted()) {
                " AND p.deleted_at IS NULL"
            } else {
                ""
            };
            sql.push(" AND (");
            if !names.is_empty() {
                names_client(&mut sql, names, record.client_id);
                sql.push(" OR ");
            }
            sql.push(&format!("t.id IN (SELECT p.{column} FROM {part} p WHERE p.org_id = "));
            sql.bind(org_id).push(" AND p.user_id = ").bind(record.client_id);
            sql.push(alive).push("))");
        }
        Way::Hangs { column, on } => {
            let ids: Vec<i64> = record.of(on).iter().map(Row::id).collect();
            if ids.is_empty() {
                return None;
            }
            sql.push(&format!(" AND t.{column}")).bind_in(ids);
            if table.name == "notes" {
                not_of_others(&mut sql, record.client_id);
            }
        }
        Way::Describes { of, column } => {
            let ids: BTreeSet<i64> =
                record.of(of).iter().filter_map(|row| row.int(column)).collect();
            if ids.is_empty() {
                return None;
            }
            sql.push(" AND t.id").bind_in(ids.into_iter().collect::<Vec<i64>>());
        }
    }
    // What describes a row does so when it is deleted, too.
    let describes = matches!(step.way, Way::Describes { .. });
    if table.is_soft_deleted() && !describes {
        sql.push(" AND t.deleted_at IS NULL");
    }
    sql.push(" ORDER BY ").push(&key(table)).limit(ROWS_MAX + 1);
    Some(sql)
}

fn names_client(sql: &mut Sql, names: &[&'static str], client_id: i64) {
    for (n, name) in names.iter().enumerate() {
        sql.push(if n > 0 { " OR t." } else { "t." }).push(name).push(" = ").bind(client_id);
    }
}

/// What other clients wrote in a conversation of several is theirs.
fn not_of_others(sql: &mut Sql, client_id: i64) {
    sql.push(" AND NOT EXISTS (SELECT 1 FROM users o WHERE o.org_id = t.org_id ");
    sql.push("AND o.id = t.user_id AND o.is_patient = TRUE AND o.id <> ").bind(client_id).push(")");
}

fn key(table: &Table) -> String {
    let columns: &[&str] = match table.key {
        Key::Id | Key::Uuid => &["id"],
        Key::Columns(columns) => columns,
    };
    columns.iter().map(|name| format!("t.{name}")).collect::<Vec<_>>().join(", ")
}

async fn rows(
    reader: &mut Reader,
    keys: &OrgKeys,
    table: &'static Table,
    sql: &Sql,
) -> Answer<Vec<Row>> {
    let found = reader.rows(sql).await?;
    if i64::try_from(found.len()).unwrap_or(i64::MAX) > ROWS_MAX {
        return Err(Refused::base(format!(
            "The client has more than {ROWS_MAX} {}, which is more than one archive takes",
            table.name.replace('_', " ")
        )));
    }
    let mut rows = Vec::with_capacity(found.len());
    for row in found.iter() {
        let mut values = row.to_vec();
        if codec::is_sealed(table) {
            codec::open_row(table, keys, &mut values)?;
        }
        for (column, value) in table.columns.iter().zip(&mut values) {
            if column.secret {
                *value = Value::Null;
            }
        }
        rows.push(Row { table, values });
    }
    Ok(rows)
}

/// The members whom the rows name, with what strangers may know of them.
async fn staff(reader: &mut Reader, org_id: i64, record: &ClientRecord) -> Answer<Vec<Row>> {
    let mut ids = BTreeSet::new();
    for row in record.rows.values().flatten() {
        for (column, value) in row.table.columns.iter().zip(&row.values) {
            if column.kind == ColumnKind::Id("User") {
                ids.extend(value.int());
            }
        }
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new();
    sql.push("SELECT u.").push(&STAFF_COLUMNS.join(", u.")).push(" FROM users u WHERE u.org_id = ");
    sql.bind(org_id).push(" AND u.is_patient = FALSE AND u.id");
    sql.bind_in(ids.into_iter().collect::<Vec<i64>>()).push(" ORDER BY u.id");
    let found = reader.rows(&sql).await?;
    let whole = |row: &[Value]| {
        let mut values = vec![Value::Null; USERS.columns.len()];
        for (name, value) in STAFF_COLUMNS.iter().zip(row) {
            if let Some(place) = USERS.column(name).and_then(|at| values.get_mut(at)) {
                *place = value.clone();
            }
        }
        Row { table: &USERS, values }
    };
    Ok(found.iter().map(whole).collect())
}
