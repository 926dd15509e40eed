//! Reading all rows of a client, of one moment, with their sealed columns opened. Who may have
//! them was decided before.

use std::collections::BTreeSet;

use ward_clients::export::{ClientRecord, Row};
use ward_engine::{Answer, Refused, Request};
use ward_identity::tables::USERS;
use ward_store::keyring::OrgKeys;
use ward_store::{ColumnKind, Key, Query, Reader, Sql, StoreError, Table, Value, codec};

use super::consent::table::DisclosureConsent;
use super::consent::withheld::Withheld;
use super::plan::{SHARED_NOTES, Step, Way, plan};

/// So many rows of a table an archive takes.
const ROWS_MAX: usize = 100_000;
/// So many bytes all rows may have together, as they are kept while the archive is made.
const ROW_BYTES_MAX: usize = 128 << 20;
/// Rows are read so many at a time.
const PAGE_ROWS: i64 = 1_000;

/// Codes that open something to whoever has them.
const CODES: [&str; 1] = ["invite_code"];

/// What strangers may know of a member.
const STAFF_COLUMNS: [&str; 5] = ["id", "first_name", "last_name", "npi", "qualifications"];

/// All that is stored of the client and that they have access to; or what their consent covers.
pub async fn record(
    request: &Request,
    client_id: i64,
    consent: Option<&DisclosureConsent>,
) -> Answer<ClientRecord> {
    let (org_id, asker) = (request.actor.org_id, request.actor.user_id);
    let mut reader = request.db.snapshot().await?;
    let keys = request.db.keyring().of(&mut reader, org_id).await?;
    let tables = request.db.tables();
    let mut record = ClientRecord { client_id, ..ClientRecord::default() };
    let mut withheld = Withheld::read(&mut reader, (org_id, client_id), asker, consent).await?;
    // For the client to know, and nobody else.
    record.counselling_notes = if consent.is_none() { withheld.counted } else { 0 };
    let mut room = ROW_BYTES_MAX;
    for step in plan(tables).map_err(StoreError::internal)? {
        if !withheld.takes(step.table) {
            continue;
        }
        let Some(sql) = statement(tables, &step, org_id, &record) else { continue };
        let mut rows = rows(&mut reader, &keys, (step.table, &sql), &mut room).await?;
        withheld.sift(step.table, &mut rows);
        if !rows.is_empty() {
            record.rows.insert(step.table.name, rows);
        }
    }
    record.counselling_papers = withheld.papers();
    record.part_2_papers = withheld.part_2_papers;
    record.staff = staff(&mut reader, org_id, &record).await?;
    without_others(&mut record);
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
            // A row of another client that only mentions this one is the other's.
            if names.len() > 1 && names.contains(&"user_id") {
                not_of_others(&mut sql, record.client_id);
            }
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
            if names.contains(&"user_id") && table.name != SHARED_NOTES {
                not_of_others(&mut sql, record.client_id);
            }
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
    sql.push(" ORDER BY ").push(&key(table));
    Some(sql)
}

fn names_client(sql: &mut Sql, names: &[&'static str], client_id: i64) {
    for (n, name) in names.iter().enumerate() {
        sql.push(if n > 0 { " OR t." } else { "t." }).push(name).push(" = ").bind(client_id);
    }
}

/// What other clients wrote in a conversation of several is theirs, and so is what is told to
/// them.
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
    (table, sql): (&'static Table, &Sql),
    room: &mut usize,
) -> Answer<Vec<Row>> {
    let mut rows = Vec::new();
    loop {
        let mut page = sql.clone();
        page.limit(PAGE_ROWS).push(" OFFSET ").bind(rows.len() as i64);
        let found = reader.rows(&page).await?;
        for row in found.iter() {
            let row = opened(table, keys, row)?;
            let bytes = row.values.iter().map(bytes_of).sum();
            *room = room.checked_sub(bytes).ok_or_else(too_many_bytes)?;
            rows.push(row);
        }
        if rows.len() > ROWS_MAX {
            return Err(Refused::base(format!(
                "The client has more than {ROWS_MAX} {}, which is more than one archive takes",
                table.name.replace('_', " ")
            )));
        }
        if (found.len() as i64) < PAGE_ROWS {
            return Ok(rows);
        }
    }
}

fn too_many_bytes() -> Refused {
    Refused::base(format!(
        "The client's rows are more than one archive takes ({} MiB)",
        ROW_BYTES_MAX >> 20
    ))
}

fn bytes_of(value: &Value) -> usize {
    let held = match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    size_of::<Value>() + held
}

/// A row with its sealed columns opened, and without what opens something itself.
fn opened(table: &'static Table, keys: &OrgKeys, row: &[Value]) -> Answer<Row> {
    let mut values = row.to_vec();
    if codec::is_sealed(table) {
        codec::open_row(table, keys, &mut values)?;
    }
    for (column, value) in table.columns.iter().zip(&mut values) {
        if column.secret || CODES.contains(&column.name) {
            *value = Value::Null;
        }
    }
    Ok(Row { table, values })
}

/// Who else takes part is not said: neither the client nor a member.
fn without_others(record: &mut ClientRecord) {
    let mut known: BTreeSet<i64> = record.staff.iter().map(Row::id).collect();
    known.insert(record.client_id);
    for row in record.rows.values_mut().flatten() {
        for (column, value) in row.table.columns.iter().zip(&mut row.values) {
            let is_other = value.int().is_some_and(|id| !known.contains(&id));
            if column.kind == ColumnKind::Id("User") && is_other {
                *value = Value::Null;
            }
        }
    }
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
