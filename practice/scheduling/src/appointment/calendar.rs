//! Whose time is taken, and the lock behind which that is decided (trust ruling 5,
//! DOM-06).
//!
//! What is busy is read from `calendar_entries`, which holds a row for each member
//! whose time an active appointment takes. Everything that writes those rows takes
//! [`lock`] first, and reads again behind it what it decided on: two who book one
//! provider stand in line, whichever appointments they write.

use std::collections::HashMap;

use ward_engine::{Answer, Call};
use ward_instance::Timestamp;
use ward_store::{Cond, Id, Query, Sql, StoreError, Value};

use super::room;
use super::status::PmStatus;
use super::table::{Appointment, CalendarEntry};
use crate::availability::wall::Interval;

/// A day, in microseconds: what begins earlier before a window is looked for among
/// the long ones.
const DAY_MICROS: i64 = 86_400_000_000;

/// Time of a member that an appointment takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The member.
    pub user_id: i64,
    /// By which appointment.
    pub appointment_id: i64,
    /// From when to when.
    pub interval: Interval,
    /// Whether a blocker takes it, and no appointment.
    pub is_blocker: bool,
}

/// What takes the time of these members within a window, in order of the start,
/// leaving out one appointment, which is being moved. It reads the window's rows
/// only, however much a member has before and behind it. Whoever asks bounds the
/// members and the window.
pub async fn taken(
    q: &mut dyn Query,
    org_id: i64,
    members: &[i64],
    window: &Interval,
    without: Option<Id<Appointment>>,
) -> Result<Vec<Taken>, StoreError> {
    // No appointment has the id 0.
    let without = without.map_or(0, |id| id.0);
    let near = window.start.0.saturating_sub(DAY_MICROS);
    let sql = Sql::fixed(
        "SELECT c.user_id, c.appointment_id, c.start_at, c.end_at, c.is_blocker \
         FROM calendar_entries c \
         WHERE c.org_id = $1 AND c.user_id IN_LIST($2) AND c.start_at >= $3 AND c.start_at < $4 \
         AND c.end_at > $5 AND c.appointment_id <> $6 UNION ALL \
         SELECT c.user_id, c.appointment_id, c.start_at, c.end_at, c.is_blocker \
         FROM calendar_entries c \
         WHERE c.org_id = $1 AND c.user_id IN_LIST($2) AND c.end_at - c.start_at > 86400000000 \
         AND c.start_at < $3 AND c.end_at > $5 AND c.appointment_id <> $6 \
         ORDER BY 3, 2, 1",
        [
            org_id.into(),
            Value::Ints(members.into()),
            near.into(),
            window.end.0.into(),
            window.start.0.into(),
            without.into(),
        ],
    );
    let rows = q.rows(&sql).await?;
    let taken = |row: &[Value]| {
        let number = |at: usize| row.get(at).and_then(Value::int);
        Some(Taken {
            user_id: number(0)?,
            appointment_id: number(1)?,
            interval: Interval::new(Timestamp(number(2)?), Timestamp(number(3)?))?,
            is_blocker: row.get(4).is_some_and(Value::truth),
        })
    };
    Ok(rows.iter().filter_map(taken).collect())
}

/// What is busy of each of these members within a window, in order: see [`taken`].
pub async fn busy(
    q: &mut dyn Query,
    org_id: i64,
    members: &[i64],
    window: &Interval,
    without: Option<Id<Appointment>>,
) -> Result<HashMap<i64, Vec<Taken>>, StoreError> {
    let mut busy: HashMap<i64, Vec<Taken>> = HashMap::new();
    for it in taken(q, org_id, members, window, without).await? {
        busy.entry(it.user_id).or_default().push(it);
    }
    Ok(busy)
}

/// Takes the calendars of these members, in ascending order of their ids, until the
/// transaction ends. On SQLite the single writer is the lock.
pub async fn lock(call: &mut Call<'_>, members: &[i64]) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "SELECT u.id FROM users u WHERE u.org_id = $1 AND u.id IN_LIST($2) ORDER BY u.id \
         FOR_NO_KEY_UPDATE",
        [call.actor.org_id.into(), Value::Ints(members.into())],
    );
    call.tx.rows(&sql).await.map(drop)
}

/// Whether an appointment takes the time of those who give and attend it (behaviour
/// 23.1).
pub fn takes_time(row: &Appointment) -> bool {
    row.deleted_at.is_none() && row.pm_status.is_none_or(PmStatus::is_active)
}

/// Whose time an appointment takes as it is.
pub async fn holders(call: &mut Call<'_>, id: Id<Appointment>) -> Result<Vec<i64>, StoreError> {
    let held: Vec<CalendarEntry> = call.list(Cond::eq("appointment_id", id.0), &[]).await?;
    Ok(held.iter().map(|it| it.user_id.0).collect())
}

/// Writes whose time and which room an appointment takes: the time of these members,
/// or nobody's when it is not active; a refusal where the room is another's then.
/// Behind [`lock`] on them and on those whose time it took.
pub async fn put(call: &mut Call<'_>, row: &Appointment, members: &[i64]) -> Answer<()> {
    let held: Vec<CalendarEntry> = call.list(Cond::eq("appointment_id", row.id.0), &[]).await?;
    let members = if takes_time(row) { members } else { &[] };
    let stays = |it: &CalendarEntry| {
        members.contains(&it.user_id.0) && it.start_at == row.start_at && it.end_at == row.end_at
    };
    for gone in held.iter().filter(|it| !stays(it)) {
        call.destroy(gone).await?;
    }
    let mut wanted = members.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|user| !held.iter().any(|it| it.user_id.0 == *user && stays(it)));
    for user in wanted {
        let entry = CalendarEntry {
            org_id: row.org_id,
            appointment_id: row.id,
            user_id: Id::new(user),
            start_at: row.start_at,
            end_at: row.end_at,
            is_blocker: row.is_blocker,
        };
        call.create(&entry).await?;
    }
    room::take(call, row).await
}

/// Frees the time and the room that an appointment takes, which [`put`] takes again in this
/// transaction. Behind [`lock`] on whose time it is.
pub(super) async fn free(call: &mut Call<'_>, id: Id<Appointment>) -> Answer<()> {
    let held: Vec<CalendarEntry> = call.list(Cond::eq("appointment_id", id.0), &[]).await?;
    for entry in &held {
        call.destroy(entry).await?;
    }
    room::free(call, id).await
}
