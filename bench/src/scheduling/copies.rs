//! Many appointments, copied by SQL from one that was booked: at an even distance, in
//! turn of each provider, of one client after another.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use ward_instance::ids;

use super::practice::LENGTH_MINUTES;

/// Minutes from one start of a provider's to the next: 403 appointments in four weeks.
const EVERY_MINUTES: i64 = 100;
const MINUTE_MICROS: i64 = 60_000_000;
/// So many appointments are told, for those who ask for one.
const SAMPLES: i64 = 200;

/// What is copied.
pub struct Copies {
    /// The appointment.
    pub template: i64,
    /// How often.
    pub count: i64,
    /// Whose the copies are.
    pub providers: Vec<i64>,
    /// Half of them begin before this instant, in microseconds.
    pub around: i64,
}

/// Writes the copies with those who attend and the time that they take; the ids of some of
/// them. Nothing else may have the database open.
pub fn fill(database: &Path, copies: &Copies) -> Result<Vec<i64>> {
    let first = first_id(copies)?;
    let last = first + copies.count - 1;
    let lite = Connection::open(database)?;
    lite.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; \
         PRAGMA cache_size = -262144; BEGIN; \
         CREATE TEMP TABLE givers (place INTEGER PRIMARY KEY, id INTEGER); \
         CREATE TEMP TABLE comers (place INTEGER PRIMARY KEY, id INTEGER); \
         INSERT INTO comers SELECT row_number() OVER (ORDER BY id) - 1, id FROM users \
         WHERE is_patient = TRUE AND unit_id = org_id",
    )?;
    for (place, provider) in (0i64..).zip(&copies.providers) {
        lite.execute("INSERT INTO givers VALUES (?1, ?2)", [place, *provider])?;
    }
    appointments(&lite, copies, first)?;
    let within = format!("a.id BETWEEN {first} AND {last}");
    let part = [("id", "a.id"), ("appointment_id", "a.id"), ("user_id", "a.user_id")];
    let from = format!(
        "appointments a JOIN appointment_inclusions t ON t.appointment_id = {} WHERE {within}",
        copies.template
    );
    copy(&lite, "appointment_inclusions", &part, &from)?;
    let entry = [
        ("appointment_id", "a.id"),
        ("user_id", "a.provider_id"),
        ("start_at", "a.start_at"),
        ("end_at", "a.end_at"),
    ];
    let from = format!(
        "appointments a JOIN calendar_entries t ON t.appointment_id = {} WHERE {within}",
        copies.template
    );
    copy(&lite, "calendar_entries", &entry, &from)?;
    lite.execute_batch("COMMIT; PRAGMA journal_mode = WAL")?;
    Ok((first..=last).step_by(usize::try_from((copies.count / SAMPLES).max(1))?).collect())
}

/// Where ids of copies begin: in a Sandbox's slot half way round from the one that the
/// template's is of, which no run of the API reaches.
fn first_id(copies: &Copies) -> Result<i64> {
    let slot = ids::slot_of(copies.template).context("not a Sandbox's id")?;
    let (first, last) = ids::slot_range((slot + ids::SLOTS / 2) % ids::SLOTS);
    ensure!(copies.count <= last - first + 1, "so many appointments have no ids");
    Ok(first)
}

fn appointments(lite: &Connection, copies: &Copies, first: i64) -> Result<()> {
    let providers = i64::try_from(copies.providers.len())?;
    let comers: i64 = lite.query_row("SELECT COUNT(*) FROM comers", [], |row| row.get(0))?;
    ensure!(providers > 0 && comers > 0, "nobody to book");
    let every = EVERY_MINUTES * MINUTE_MICROS;
    let earliest = copies.around - copies.count / providers / 2 * every;
    let start = format!("{earliest} + n.i / {providers} * {every}");
    let end = format!("{start} + {}", LENGTH_MINUTES * MINUTE_MICROS);
    let id = format!("{first} + n.i");
    let fresh = [
        ("id", id.as_str()),
        ("provider_id", "g.id"),
        ("user_id", "c.id"),
        ("start_at", &start),
        ("end_at", &end),
    ];
    let from = format!(
        "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {}) \
         SELECT i FROM n) n CROSS JOIN givers g ON g.place = n.i % {providers} \
         CROSS JOIN comers c ON c.place = n.i % {comers} \
         CROSS JOIN appointments t ON t.id = {}",
        copies.count, copies.template
    );
    copy(lite, "appointments", &fresh, &from)
}

/// Inserts rows `t` once more, with other values in some columns.
pub fn copy(lite: &Connection, table: &str, fresh: &[(&str, &str)], from: &str) -> Result<()> {
    let mut statement = lite.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = statement.query_map([table], |row| row.get(0))?;
    let columns: Vec<String> = columns.collect::<rusqlite::Result<_>>()?;
    let value = |column: &String| {
        let found = fresh.iter().find(|(name, _)| name == column);
        found.map_or_else(|| format!("t.{column}"), |(_, value)| (*value).to_owned())
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    lite.execute(&format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {from}"), [])?;
    Ok(())
}
