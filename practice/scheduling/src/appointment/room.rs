//! Whose room is taken (behaviour 21, 22): a room with `limit_to_one` holds one
//! appointment at a time, whoever books it, and nobody books over another.
//!
//! A room is locked behind the members whose time is taken, rooms among themselves in
//! ascending order of their ids, so that all who take any stand in one line; then the
//! place that it is of (see the README for the one order of all locks).

use std::collections::HashMap;

use ward_engine::{Answer, Call, Refused};
use ward_instance::Timestamp;
use ward_store::{Cond, Id, Query, Sql, StoreError, Value};

use super::calendar::takes_time;
use super::table::Appointment;
use crate::appointment_location::choice;
use crate::appointment_location::table::{AppointmentLocation, Room, RoomEntry};
use crate::availability::wall::Interval;

/// A day, in microseconds: see `calendar`.
const DAY_MICROS: i64 = 86_400_000_000;

/// Takes rooms until the transaction ends; which of them hold one appointment at a
/// time.
pub(super) async fn lock(
    call: &mut Call<'_>,
    rooms: &[i64],
) -> Result<Vec<(i64, bool)>, StoreError> {
    let sql = Sql::fixed(
        "SELECT r.id, r.limit_to_one FROM rooms r WHERE r.org_id = $1 AND r.id IN_LIST($2) \
         ORDER BY r.id FOR_NO_KEY_UPDATE",
        [call.actor.org_id.into(), Value::Ints(rooms.into())],
    );
    let rows = call.tx.rows(&sql).await?;
    let room = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.truth()));
    Ok(rows.iter().filter_map(room).collect())
}

/// Holds where an appointment is to be, if it was not there at that time: its room, then
/// its place. A refusal where somebody removed meanwhile what it was not at before; what
/// stays where it was stays there, whatever became of the place. Behind the members.
pub(super) async fn hold(
    call: &mut Call<'_>,
    before: Option<&Appointment>,
    row: &Appointment,
) -> Answer<()> {
    let place = |it: &Appointment| (it.appointment_location_id, it.room_id);
    let is_elsewhere = before.is_none_or(|before| place(before) != place(row));
    let time = |it: &Appointment| (it.start_at, it.end_at, takes_time(it));
    if !is_elsewhere && before.is_some_and(|before| time(before) == time(row)) {
        return Ok(());
    }
    if let Some(room) = row.room_id
        && !hold_room(call, room).await?
        && is_elsewhere
    {
        return Err(Refused::not_found("room_id"));
    }
    match row.appointment_location_id {
        Some(place) if !hold_place(call, place).await? && is_elsewhere => {
            Err(Refused::not_found(choice::AT))
        }
        _ => Ok(()),
    }
}

/// Takes a room until the transaction ends; whether it is still there.
async fn hold_room(call: &mut Call<'_>, room: Id<Room>) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT r.id FROM rooms r WHERE r.org_id = $1 AND r.id = $2 AND r.deleted_at IS NULL \
         FOR_NO_KEY_UPDATE",
        [call.actor.org_id.into(), room.0.into()],
    );
    Ok(!call.tx.rows(&sql).await?.is_empty())
}

/// Keeps a place as it is until the transaction ends; whether it is still there. Behind
/// its rooms.
async fn hold_place(
    call: &mut Call<'_>,
    place: Id<AppointmentLocation>,
) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT l.id FROM appointment_locations l WHERE l.org_id = $1 AND l.id = $2 \
         AND l.deleted_at IS NULL FOR_SHARE",
        [call.actor.org_id.into(), place.0.into()],
    );
    Ok(!call.tx.rows(&sql).await?.is_empty())
}

/// When rooms are taken within a window, leaving out one appointment: the window's
/// rows only, as in `calendar::taken`.
pub async fn taken(
    q: &mut dyn Query,
    org_id: i64,
    rooms: &[i64],
    window: &Interval,
    without: Option<Id<Appointment>>,
) -> Result<HashMap<i64, Vec<Interval>>, StoreError> {
    if rooms.is_empty() {
        return Ok(HashMap::new());
    }
    let without = without.map_or(0, |id| id.0);
    let near = window.start.0.saturating_sub(DAY_MICROS);
    let sql = Sql::fixed(
        "SELECT e.room_id, e.start_at, e.end_at FROM room_entries e \
         WHERE e.org_id = $1 AND e.room_id IN_LIST($2) AND e.start_at >= $3 AND e.start_at < $4 \
         AND e.end_at > $5 AND e.appointment_id <> $6 UNION ALL \
         SELECT e.room_id, e.start_at, e.end_at FROM room_entries e \
         WHERE e.org_id = $1 AND e.room_id IN_LIST($2) AND e.end_at - e.start_at > 86400000000 \
         AND e.start_at < $3 AND e.end_at > $5 AND e.appointment_id <> $6 ORDER BY 2, 1",
        [
            org_id.into(),
            Value::Ints(rooms.into()),
            near.into(),
            window.end.0.into(),
            window.start.0.into(),
            without.into(),
        ],
    );
    let mut taken: HashMap<i64, Vec<Interval>> = HashMap::new();
    for row in q.rows(&sql).await?.iter() {
        let number = |at: usize| row.get(at).and_then(Value::int);
        let (Some(room), Some(start), Some(end)) = (number(0), number(1), number(2)) else {
            continue;
        };
        if let Some(interval) = Interval::new(Timestamp(start), Timestamp(end)) {
            taken.entry(room).or_default().push(interval);
        }
    }
    Ok(taken)
}

/// Which rooms of a place count: its own, where it has any, with whether each holds one
/// appointment at a time.
pub async fn of_place(
    q: &mut dyn Query,
    org_id: i64,
    place: i64,
) -> Result<Vec<(i64, bool)>, StoreError> {
    let sql = Sql::fixed(
        "SELECT r.id, r.limit_to_one FROM rooms r JOIN appointment_locations l \
         ON l.org_id = r.org_id AND l.id = r.appointment_location_id WHERE r.org_id = $1 \
         AND l.id = $2 AND l.has_rooms = TRUE AND r.deleted_at IS NULL ORDER BY r.id",
        [org_id.into(), place.into()],
    );
    let rows = q.rows(&sql).await?;
    let room = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.truth()));
    Ok(rows.iter().filter_map(room).collect())
}

/// Takes all rooms of a place, of which one is to be chosen; whether clients can still
/// book there.
pub async fn lock_place(call: &mut Call<'_>, place: Id<AppointmentLocation>) -> Answer<bool> {
    let org = call.actor.org_id;
    let rooms = of_place(call.tx, org, place.0).await?;
    let ids: Vec<i64> = rooms.iter().map(|(id, _)| *id).collect();
    if !ids.is_empty() {
        lock(call, &ids).await?;
    }
    if !hold_place(call, place).await? {
        return Ok(false);
    }
    let now: Option<AppointmentLocation> = call.find(place).await?;
    Ok(now.is_some_and(|it| it.clients_can_book))
}

/// The room of a place that a client is given: the first that is free, one that holds
/// several last. Behind the lock on all of them.
pub async fn choose(
    call: &mut Call<'_>,
    place: Id<AppointmentLocation>,
    interval: &Interval,
) -> Answer<Option<Id<Room>>> {
    let org = call.actor.org_id;
    let mut rooms = of_place(call.tx, org, place.0).await?;
    rooms.sort_by_key(|(id, is_limited)| (!*is_limited, *id));
    let ids: Vec<i64> = rooms.iter().map(|(id, _)| *id).collect();
    let taken = taken(call.tx, org, &ids, interval, None).await?;
    let is_free = |(id, is_limited): &&(i64, bool)| !*is_limited || !taken.contains_key(id);
    Ok(rooms.iter().find(is_free).map(|(id, _)| Id::new(*id)))
}

/// Writes which room an appointment takes as it is; a refusal where the room is
/// another's at that time. Behind the lock on the members' calendars; the room is
/// locked here.
pub async fn take(call: &mut Call<'_>, row: &Appointment) -> Answer<()> {
    let held: Option<RoomEntry> = call.find_by(Cond::eq("appointment_id", row.id.0)).await?;
    let room = row.room_id.filter(|_| takes_time(row));
    let stays = |it: &RoomEntry| {
        Some(it.room_id) == room && (it.start_at, it.end_at) == (row.start_at, row.end_at)
    };
    if held.as_ref().is_some_and(stays) {
        return Ok(());
    }
    if let Some(room) = room {
        let is_limited = lock(call, &[room.0]).await?.iter().any(|(_, limited)| *limited);
        let interval = Interval { start: row.start_at, end: row.end_at };
        let org = call.actor.org_id;
        if is_limited && !taken(call.tx, org, &[room.0], &interval, Some(row.id)).await?.is_empty()
        {
            return Err(is_taken(call));
        }
    }
    if let Some(gone) = &held {
        call.destroy(gone).await?;
    }
    if let Some(room_id) = room {
        let entry = RoomEntry {
            org_id: row.org_id,
            appointment_id: row.id,
            room_id,
            start_at: row.start_at,
            end_at: row.end_at,
        };
        call.create(&entry).await?;
    }
    Ok(())
}

/// Frees the room that an appointment takes.
pub(super) async fn free(call: &mut Call<'_>, id: Id<Appointment>) -> Answer<()> {
    let held: Option<RoomEntry> = call.find_by(Cond::eq("appointment_id", id.0)).await?;
    match &held {
        Some(entry) => Ok(call.destroy(entry).await?),
        None => Ok(()),
    }
}

/// To clients a room is no more than a time that can't be had.
fn is_taken(call: &Call<'_>) -> Refused {
    match call.actor.is_member() {
        true => Refused::on("room_id", "The room is taken at that time. Choose another one."),
        false => Refused::on("datetime", "That time is not available. Choose another one."),
    }
}
