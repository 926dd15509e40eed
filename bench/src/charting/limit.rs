//! The limit of charting: a client's notes with their answers by the raw driver and JSON by
//! hand, each sealed answer as so many letters, and a saved form by group commit of the rows
//! that Ward wrote for one.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};
use ward_instance::ids;

use crate::group_commit::{Cell, Written};
use crate::limit::{self, About, Read};

/// The answer to a save.
const SAVED: &str = "{\"data\":{\"createFormAnswerGroup\":{\"form_answer_group\":{\"id\":\"1\"},\"messages\":null}}}";

/// Serves `/list?client=` and `/create`, which repeats the save of a form, on a copy of
/// Ward's database.
pub async fn serve(database: &str, template: i64) -> Result<()> {
    let reads: [(&str, Read); 1] = [("/list", list)];
    limit::serve_all(database, &reads, move |lite| written(lite, template), SAVED).await
}

/// Everything that the save wrote.
fn written(lite: &Connection, template: i64) -> Result<Written> {
    // Nothing has ids of the next slot: no server runs on this database.
    let slot = ids::slot_of(template).context("not a Sandbox's id")?;
    let (first, _) = ids::slot_range((slot + 1) % ids::SLOTS);
    let mut written = Written::new(first, fresh);
    for (table, condition) in [
        ("form_answer_groups", "id = ?1"),
        ("form_answers", "form_answer_group_id = ?1"),
        ("search_grams", "kind = 'form_answer_groups' AND row_id = ?1"),
        (
            "events",
            "root_event_id IN (SELECT id FROM events WHERE resource_type = 'FormAnswerGroup' \
             AND resource_id = ?1)",
        ),
        (
            "audit_events",
            "(resource_name = 'FORM_ANSWER_GROUP' AND resource_id = CAST(?1 AS TEXT)) \
             OR (resource_name = 'FORM_ANSWER' AND resource_id IN (SELECT CAST(id AS TEXT) \
             FROM form_answers WHERE form_answer_group_id = ?1))",
        ),
    ] {
        written.add(lite, table, condition, template)?;
    }
    Ok(written)
}

fn fresh(cell: &Cell<'_>) -> Option<Value> {
    match (cell.table, cell.column, cell.value) {
        // The form is the first row.
        ("form_answer_groups", "id", _) | (_, "form_answer_group_id" | "row_id", _) => {
            Some(Value::Integer(cell.key))
        }
        (_, "id" | "seq", Value::Integer(_)) => Some(Value::Integer(cell.own())),
        (_, "id", Value::Text(uuid)) => Some(cell.uuid(uuid)),
        _ => None,
    }
}

/// What is shown of a note.
struct Note {
    id: i64,
    name: String,
    served_at: i64,
    filler: Option<i64>,
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Note> {
    Ok(Note { id: row.get(0)?, name: row.get(1)?, served_at: row.get(2)?, filler: row.get(3)? })
}

/// The 50 latest of a client with who wrote them and their answers: three statements.
fn list(lite: &Connection, about: &About) -> rusqlite::Result<String> {
    let client: i64 = about.get("client").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut statement = lite.prepare_cached(
        "SELECT id, name, served_at, filler_id FROM form_answer_groups \
         WHERE org_id = (SELECT MIN(id) FROM organizations) AND user_id = ?1 AND finished = TRUE \
         AND deleted_at IS NULL ORDER BY served_at DESC, id DESC LIMIT 50",
    )?;
    let notes: Vec<Note> =
        statement.query_map([client], of_row)?.collect::<rusqlite::Result<_>>()?;
    let ids = |ids: Vec<i64>| {
        format!("[{}]", ids.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
    };
    let fillers: HashMap<i64, String> = lite
        .prepare_cached(
            "SELECT id, concat_ws(' ', first_name, last_name) FROM users \
             WHERE id IN (SELECT value FROM json_each(?1))",
        )?
        .query_map([ids(notes.iter().filter_map(|it| it.filler).collect())], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut answers = answers(lite, ids(notes.iter().map(|it| it.id).collect()))?;
    let mut out = String::with_capacity(64 * 1024);
    out.push_str("{\"data\":{\"formAnswerGroups\":[");
    for (n, note) in notes.iter().enumerate() {
        let filler = note.filler.and_then(|id| Some((id, fillers.get(&id)?)));
        let filler = filler.map_or("null".to_owned(), |(id, name)| {
            format!("{{\"id\":\"{id}\",\"full_name\":\"{name}\"}}")
        });
        let _ = write!(
            out,
            "{}{{\"id\":\"{}\",\"name\":\"{}\",\"created_at\":\"{}\",\"filler\":{filler},\"form_answers\":[{}]}}",
            if n > 0 { "," } else { "" },
            note.id,
            note.name,
            note.served_at,
            answers.remove(&note.id).unwrap_or_default()
        );
    }
    out.push_str("]}}");
    Ok(out)
}

/// The answers of notes, written, by note.
fn answers(lite: &Connection, notes: String) -> rusqlite::Result<HashMap<i64, String>> {
    let mut statement = lite.prepare_cached(
        "SELECT a.form_answer_group_id, a.id, a.custom_module_id, v.label, a.answer \
         FROM form_answers a JOIN question_versions v ON v.id = a.question_version_id \
         WHERE a.org_id = (SELECT MIN(id) FROM organizations) \
         AND a.form_answer_group_id IN (SELECT value FROM json_each(?1)) \
         ORDER BY a.form_answer_group_id, a.place",
    )?;
    let mut found: HashMap<i64, String> = HashMap::new();
    let mut rows = statement.query([notes])?;
    while let Some(row) = rows.next()? {
        let letters = match row.get_ref(4)? {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes.len(),
            _ => 0,
        };
        let text = found.entry(row.get(0)?).or_default();
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(
            text,
            "{comma}{{\"id\":\"{}\",\"custom_module_id\":\"{}\",\"label\":\"{}\",\"answer\":\"{:x<letters$}\"}}",
            row.get::<_, i64>(1)?,
            row.get::<_, i64>(2)?,
            row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            ""
        );
    }
    Ok(found)
}
