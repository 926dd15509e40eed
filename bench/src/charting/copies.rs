//! Many notes, copied by SQL from one that was made: of one client after another, a minute
//! apart. What is sealed of a copy does not open, since it was sealed for another row: only
//! the notes of the client who has none of the copies are read. A copy is in no list of
//! pieces for keyword search, which nothing here asks.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use ward_instance::ids;

use crate::scheduling::copies::copy;

const MINUTE_MICROS: i64 = 60_000_000;

/// What is copied.
pub struct Copies {
    /// Whose notes the first is of; none of the copies is theirs.
    pub client: i64,
    /// How often.
    pub count: i64,
}

/// Writes the copies with their answers. Nothing else may have the database open.
pub fn fill(database: &Path, copies: &Copies) -> Result<()> {
    if copies.count == 0 {
        return Ok(());
    }
    let lite = Connection::open(database)?;
    let note: i64 = lite.query_row(
        "SELECT MAX(id) FROM form_answer_groups WHERE user_id = ?1",
        [copies.client],
        |row| row.get(0),
    )?;
    let slot = ids::slot_of(note).context("not a Sandbox's id")?;
    // Slots half way round, which no run of the API reaches.
    let first = |n: u16| ids::slot_range((slot + ids::SLOTS / 2 + n) % ids::SLOTS);
    let (start, end) = first(0);
    ensure!(copies.count <= end - start + 1, "so many notes have no ids");
    lite.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; \
         PRAGMA cache_size = -262144; BEGIN; \
         CREATE TEMP TABLE charted (place INTEGER PRIMARY KEY, id INTEGER)",
    )?;
    lite.execute(
        "INSERT INTO charted SELECT row_number() OVER (ORDER BY id) - 1, id FROM users \
         WHERE is_patient = TRUE AND unit_id = org_id AND id <> ?1",
        [copies.client],
    )?;
    groups(&lite, copies, note, start)?;
    for (n, answer) in (1u16..).zip(answers(&lite, note)?) {
        let id = format!("{} + g.id - {start}", first(n).0);
        let fresh =
            [("id", id.as_str()), ("form_answer_group_id", "g.id"), ("user_id", "g.user_id")];
        let last = start + copies.count - 1;
        let from = format!(
            "form_answer_groups g CROSS JOIN form_answers t ON t.id = {answer} \
             WHERE g.id BETWEEN {start} AND {last}"
        );
        copy(&lite, "form_answers", &fresh, &from)?;
    }
    lite.execute_batch("COMMIT; PRAGMA journal_mode = WAL")?;
    Ok(())
}

fn groups(lite: &Connection, copies: &Copies, note: i64, start: i64) -> Result<()> {
    let clients: i64 = lite.query_row("SELECT COUNT(*) FROM charted", [], |row| row.get(0))?;
    ensure!(clients > 0, "nobody has a chart");
    let id = format!("{start} + n.i");
    let served = format!("t.served_at - n.i * {MINUTE_MICROS}");
    let fresh = [("id", id.as_str()), ("user_id", "c.id"), ("served_at", served.as_str())];
    let from = format!(
        "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {}) \
         SELECT i FROM n) n CROSS JOIN charted c ON c.place = n.i % {clients} \
         CROSS JOIN form_answer_groups t ON t.id = {note}",
        copies.count
    );
    copy(lite, "form_answer_groups", &fresh, &from)
}

fn answers(lite: &Connection, note: i64) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM form_answers WHERE form_answer_group_id = ?1 ORDER BY place, id";
    let mut statement = lite.prepare(sql)?;
    let rows = statement.query_map([note], |row| row.get(0))?;
    let answers: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    ensure!(!answers.is_empty(), "the note has no answers");
    Ok(answers)
}
