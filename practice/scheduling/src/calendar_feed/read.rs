//! What a calendar's link opens now.

use ward_identity::authenticate;
use ward_instance::Timestamp;
use ward_instance::calendar_link::{Calendar, CalendarLink};
use ward_store::{Actor, Cond, Level, Query, Rows, Select, Sql, StoreError, Value, Watch};

use super::ics::Entry;
use crate::appointment::status::PmStatus;
use crate::appointment::table::APPOINTMENTS;
use crate::visibility;

/// How far back a member's calendar reaches, and how long an appointment's link is good.
const PAST_DAYS: i64 = 30;
/// How far ahead.
const AHEAD_DAYS: i64 = 366;
/// So many appointments a calendar has at most.
const ENTRIES_MAX: i64 = 5_000;
const DAY_MICROS: i64 = 86_400_000_000;

const COLUMNS: &str = "p.name, a.id, a.start_at, a.end_at, a.contact_type_id, a.is_blocker, \
     a.pm_status, a.deleted_at, a.version, a.updated_at";

/// A practice's name, and the appointments.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The practice's name.
    pub practice: String,
    /// In order of their start.
    pub entries: Vec<Entry>,
    /// Whose data it is, where it is clients'.
    pub reads: Vec<Read>,
}

/// What the access log is to know.
#[derive(Clone, Debug)]
pub struct Read {
    /// Who has the link.
    pub actor: Actor,
    /// The client.
    pub client: i64,
    /// How closely it is watched.
    pub watch: Watch,
}

/// What a link opens; nothing when what it names is gone, when who has it may not
/// sign in or does not see it any more, or when they took it back.
pub async fn open(
    q: &mut dyn Query,
    link: &CalendarLink,
    (now, wall): (Timestamp, Timestamp),
) -> Result<Option<Opened>, StoreError> {
    match link.calendar {
        Calendar::Appointment { id, user_id } => {
            appointment(q, link.org_id, id, user_id, (now, wall)).await
        }
        Calendar::Member { user_id, generation } => {
            member(q, link.org_id, user_id, generation, now).await
        }
    }
}

async fn appointment(
    q: &mut dyn Query,
    org_id: i64,
    id: i64,
    user_id: i64,
    (now, wall): (Timestamp, Timestamp),
) -> Result<Option<Opened>, StoreError> {
    let actor = authenticate::actor_of_user(q, org_id, user_id).await?;
    let Some(actor) = actor.map(|actor| Actor { glass_at: wall, ..actor }) else {
        return Ok(None);
    };
    let mut seen = Select::new(&APPOINTMENTS, &actor);
    seen.least = Level::Limited;
    seen.with_subject = true;
    seen.filter = Cond::eq("id", id)
        .and(Cond::sql("{t}.end_at > ?", [now.0.saturating_sub(PAST_DAYS * DAY_MICROS).into()]));
    let seen_rows = q.rows(&seen.sql()).await?;
    let Some([client, watch, ..]) = seen_rows.iter().next() else { return Ok(None) };
    let whose = match client.int() {
        Some(several) if several < 0 => q.rows(&visibility::attendees_of(&actor, &[id])).await?,
        _ => Rows::from_values(2, vec![client.clone(), watch.clone()]),
    };
    let read = |row: &[Value]| {
        let watch = row.get(1)?.int().map_or(Watch::BrokenGlass, Watch::from_number);
        Some(Read { actor: actor.clone(), client: row.first()?.int()?, watch })
    };
    let reads: Vec<Read> = whose.iter().filter_map(read).collect();
    let mut sql = Sql::new();
    sql.push("SELECT ").push(COLUMNS);
    sql.push(
        " FROM appointments a JOIN organizations p ON p.org_id = a.org_id AND p.id = a.unit_id \
         WHERE p.is_active = TRUE AND a.org_id = ",
    );
    sql.bind(org_id).push(" AND a.id = ").bind(id);
    let rows = q.rows(&sql).await?;
    let Some(row) = rows.iter().next() else { return Ok(None) };
    Ok(name(row).zip(entry(row)).map(|(practice, it)| Opened {
        practice,
        entries: vec![it],
        reads,
    }))
}

async fn member(
    q: &mut dyn Query,
    org_id: i64,
    user_id: i64,
    generation: i64,
    now: Timestamp,
) -> Result<Option<Opened>, StoreError> {
    let actor = authenticate::actor_of_user(q, org_id, user_id).await?;
    let Some(actor) = actor.filter(|actor| actor.is_member()) else { return Ok(None) };
    if generation != generation_of(q, org_id, user_id).await? {
        return Ok(None);
    }
    let whose = Sql::fixed(
        "SELECT p.name FROM organizations p WHERE p.org_id = $1 AND p.id = $2",
        [org_id.into(), actor.unit_id.into()],
    );
    let practice = q.rows(&whose).await?.iter().next().and_then(name);
    let mut sql = Sql::new();
    sql.push("SELECT ").push(COLUMNS);
    sql.push(
        " FROM calendar_entries c \
         JOIN appointments a ON a.org_id = c.org_id AND a.id = c.appointment_id \
         JOIN organizations p ON p.org_id = a.org_id AND p.id = a.unit_id WHERE c.org_id = ",
    );
    sql.bind(org_id).push(" AND c.user_id = ").bind(user_id);
    let from = now.0.saturating_sub(PAST_DAYS * DAY_MICROS);
    sql.push(" AND c.end_at > ").bind(from);
    // A blocker may have begun a year before it ends.
    sql.push(" AND c.start_at >= ").bind(from.saturating_sub(AHEAD_DAYS * DAY_MICROS));
    sql.push(" AND c.start_at < ").bind(now.0.saturating_add(AHEAD_DAYS * DAY_MICROS));
    sql.push(" ORDER BY c.start_at, c.appointment_id").limit(ENTRIES_MAX);
    let rows = q.rows(&sql).await?;
    let entries = rows.iter().filter_map(entry).collect();
    Ok(practice.map(|practice| Opened { practice, entries, reads: Vec::new() }))
}

async fn generation_of(q: &mut dyn Query, org_id: i64, user_id: i64) -> Result<i64, StoreError> {
    let sql = Sql::fixed(
        "SELECT f.generation FROM calendar_feeds f WHERE f.org_id = $1 AND f.user_id = $2",
        [org_id.into(), user_id.into()],
    );
    Ok(q.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

fn name(row: &[Value]) -> Option<String> {
    row.first()?.text().map(str::to_owned)
}

fn entry(row: &[Value]) -> Option<Entry> {
    let [_, id, start, end, contact, blocker, status, deleted, version, updated] = row else {
        return None;
    };
    let status = status.text().map(PmStatus::from_text);
    let is_active = status.is_none_or(|status| status.is_some_and(PmStatus::is_active));
    Some(Entry {
        id: id.int()?,
        start: Timestamp(start.int()?),
        end: Timestamp(end.int()?),
        contact_type_id: contact.int(),
        is_blocker: blocker.truth(),
        is_on: is_active && deleted.int().is_none(),
        version: version.int()?,
        updated_at: Timestamp(updated.int()?),
    })
}
