//! The limit of scheduling: a provider's list and one appointment by the raw driver
//! and JSON by hand, a booking by group commit of the rows that Ward wrote for one.

use std::collections::HashMap;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use ward_instance::ids;

use crate::group_commit::{Cell, Written};
use crate::limit::{self, About, Read};

/// The owner's zone, in which Ward answers.
static ZONE: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC));

/// The answer to a booking.
const BOOKED: &str =
    "{\"data\":{\"createAppointment\":{\"appointment\":{\"id\":\"1\"},\"messages\":null}}}";

/// Serves `/list?provider=`, `/get?id=` and `/create`, which repeats the booking of an
/// appointment, on a copy of Ward's database.
pub async fn serve(database: &str, template: i64) -> Result<()> {
    let reads: [(&str, Read); 2] = [("/list", list), ("/get", one)];
    limit::serve_all(database, &reads, move |lite| written(lite, template), BOOKED).await
}

/// Everything that the booking wrote.
fn written(lite: &Connection, template: i64) -> Result<Written> {
    // Nothing has ids of the next slot: no server runs on this database.
    let slot = ids::slot_of(template).context("not a Sandbox's id")?;
    let (first, _) = ids::slot_range((slot + 1) % ids::SLOTS);
    let mut written = Written::new(first, fresh);
    for (table, condition) in [
        ("appointments", "id = ?1"),
        ("appointment_inclusions", "appointment_id = ?1"),
        ("calendar_entries", "appointment_id = ?1"),
        ("reminders", "kind IN ('appointment', 'appointment_mail') AND subject_id = ?1"),
        (
            "jobs",
            "payload IN (SELECT '{\"reminder\":' || id || '}' FROM reminders \
             WHERE kind IN ('appointment', 'appointment_mail') AND subject_id = ?1)",
        ),
        (
            "events",
            "root_event_id IN (SELECT id FROM events WHERE resource_type = 'Appointment' \
             AND resource_id = ?1)",
        ),
        (
            "audit_events",
            "(resource_name = 'APPOINTMENT' AND resource_id = CAST(?1 AS TEXT)) \
             OR (resource_name = 'APPOINTMENT_INCLUSION' AND resource_id IN (SELECT CAST(id AS TEXT) \
             FROM appointment_inclusions WHERE appointment_id = ?1)) \
             OR (resource_name = 'REMINDER' AND resource_id IN (SELECT CAST(id AS TEXT) FROM reminders \
             WHERE kind IN ('appointment', 'appointment_mail') AND subject_id = ?1))",
        ),
    ] {
        written.add(lite, table, condition, template)?;
    }
    Ok(written)
}

fn fresh(cell: &Cell<'_>) -> Option<Value> {
    match (cell.table, cell.column, cell.value) {
        // The appointment is the first row.
        ("appointments", "id", _) | (_, "appointment_id", _) | ("reminders", "subject_id", _) => {
            Some(Value::Integer(cell.key))
        }
        (_, "id" | "seq", Value::Integer(_)) => Some(Value::Integer(cell.own())),
        (_, "id", Value::Text(uuid)) => Some(cell.uuid(uuid)),
        (_, "dedupe_key", Value::Text(text)) => Some(Value::Text(format!("{}:{text}", cell.key))),
        _ => None,
    }
}

/// What is shown of an appointment, and of whom and what.
struct Appointment {
    id: i64,
    start: i64,
    length: i64,
    status: Option<String>,
    client: Option<i64>,
    provider: i64,
    of: Option<i64>,
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Appointment> {
    Ok(Appointment {
        id: row.get(0)?,
        start: row.get(1)?,
        length: row.get(2)?,
        status: row.get(3)?,
        client: row.get(4)?,
        provider: row.get(5)?,
        of: row.get(6)?,
    })
}

fn number(about: &About, name: &str) -> i64 {
    about.get(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The 50 latest of a provider's with client, provider and type: three statements.
fn list(lite: &Connection, about: &About) -> rusqlite::Result<String> {
    let mut statement = lite.prepare_cached(
        "SELECT id, start_at, length, pm_status, user_id, provider_id, appointment_type_id \
         FROM appointments WHERE org_id = (SELECT MIN(id) FROM organizations) AND provider_id = ?1 \
         AND deleted_at IS NULL ORDER BY start_at DESC, id DESC LIMIT 50",
    )?;
    let rows = statement.query_map([number(about, "provider")], of_row)?;
    let found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(format!("{{\"data\":{{\"appointments\":[{}]}}}}", shown(lite, &found)?))
}

fn one(lite: &Connection, about: &About) -> rusqlite::Result<String> {
    let mut statement = lite.prepare_cached(
        "SELECT id, start_at, length, pm_status, user_id, provider_id, appointment_type_id \
         FROM appointments WHERE org_id = (SELECT MIN(id) FROM organizations) AND id = ?1 \
         AND deleted_at IS NULL",
    )?;
    let found = statement.query_row([number(about, "id")], of_row)?;
    Ok(format!("{{\"data\":{{\"appointment\":{}}}}}", shown(lite, &[found])?))
}

fn shown(lite: &Connection, found: &[Appointment]) -> rusqlite::Result<String> {
    let names = |sql: &str, ids: Vec<i64>| -> rusqlite::Result<HashMap<i64, String>> {
        let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
        lite.prepare_cached(sql)?
            .query_map([format!("[{}]", ids.join(","))], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    let people = names(
        "SELECT id, concat_ws(' ', first_name, last_name) FROM users WHERE id IN (SELECT value FROM json_each(?1))",
        found.iter().flat_map(|it| it.client.into_iter().chain([it.provider])).collect(),
    )?;
    let types = names(
        "SELECT id, name FROM appointment_types WHERE id IN (SELECT value FROM json_each(?1))",
        found.iter().filter_map(|it| it.of).collect(),
    )?;
    let related = |id: Option<i64>, known: &HashMap<i64, String>, name: &str| match id
        .and_then(|id| known.get(&id).map(|text| (id, text)))
    {
        Some((id, text)) => format!("{{\"id\":\"{id}\",\"{name}\":\"{text}\"}}"),
        None => "null".to_owned(),
    };
    let one = |it: &Appointment| {
        let status = it.status.as_ref().map_or("null".to_owned(), |it| format!("\"{it}\""));
        format!(
            "{{\"id\":\"{}\",\"date\":\"{}\",\"length\":{},\"pm_status\":{status},\"user\":{},\"provider\":{},\"appointment_type\":{}}}",
            it.id,
            date(it.start),
            it.length,
            related(it.client, &people, "full_name"),
            related(Some(it.provider), &people, "full_name"),
            related(it.of, &types, "name")
        )
    };
    Ok(found.iter().map(one).collect::<Vec<_>>().join(","))
}

/// `2026-03-04 09:30:00 -0500`.
fn date(micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let offset = ZONE.to_offset(at);
    let (local, minutes) = (offset.to_datetime(at), offset.seconds() / 60);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {sign}{:02}{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second(),
        minutes.abs() / 60,
        minutes.abs() % 60
    )
}
