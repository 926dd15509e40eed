//! When a place has a room (behaviour 22, step 6): a start can be chosen where one room
//! is free as long as the appointment is. `Full` is the rule and pure.

use ward_engine::Answer;
use ward_instance::Timestamp;
use ward_store::{Id, Query, Sql, Value};

use crate::appointment::room;
use crate::appointment::table::Appointment;
use crate::availability::wall::Interval;

const MINUTE: i64 = 60_000_000;

/// Where something is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The place.
    pub location: i64,
    /// The room, where one is named; else any.
    pub room: Option<i64>,
}

impl Place {
    /// Of an appointment.
    pub fn of(row: &Appointment) -> Option<Self> {
        let room = row.room_id.map(|id| id.0);
        row.appointment_location_id.map(|id| Place { location: id.0, room })
    }

    /// At any room of a place.
    pub fn any(location: i64) -> Self {
        Place { location, room: None }
    }
}

/// Starts at which no room is left: intervals without their ends, in order and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Full(Vec<(i64, i64)>);

impl Full {
    /// Of rooms with what is booked in each, for appointments of one length. Where
    /// there is no room, none is asked for.
    pub fn of(rooms: &[Vec<Interval>], length_minutes: i64) -> Self {
        let mut rooms = rooms.iter().map(|busy| without(busy, length_minutes));
        let first = rooms.next().unwrap_or_default();
        Full(rooms.fold(first, |full, next| both(&full, &next)))
    }

    /// Whether no room is left for what begins then.
    pub fn at(&self, start: Timestamp) -> bool {
        let behind = self.0.partition_point(|(from, _)| *from < start.0);
        let last = behind.checked_sub(1).and_then(|n| self.0.get(n));
        last.is_some_and(|(_, to)| start.0 < *to)
    }
}

/// Starts that one room has no time for.
fn without(busy: &[Interval], length_minutes: i64) -> Vec<(i64, i64)> {
    let long = length_minutes * MINUTE;
    let mut sorted: Vec<(i64, i64)> = busy.iter().map(|it| (it.start.0 - long, it.end.0)).collect();
    sorted.sort_unstable();
    let mut apart: Vec<(i64, i64)> = Vec::with_capacity(sorted.len());
    for next in sorted {
        match apart.last_mut() {
            // Where one ends and the next begins there is room for a start.
            Some(last) if next.0 < last.1 => last.1 = last.1.max(next.1),
            _ => apart.push(next),
        }
    }
    apart
}

/// What is within both of two lists, each in order and apart.
fn both(some: &[(i64, i64)], others: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (mut some, mut others) = (some.iter().peekable(), others.iter().peekable());
    let mut found = Vec::new();
    while let (Some(one), Some(other)) = (some.peek(), others.peek()) {
        let (from, to) = (one.0.max(other.0), one.1.min(other.1));
        if from < to {
            found.push((from, to));
        }
        match one.1 <= other.1 {
            true => drop(some.next()),
            false => drop(others.next()),
        }
    }
    found
}

/// When a place is full for starts within a window.
pub async fn full(
    q: &mut dyn Query,
    org_id: i64,
    place: &Place,
    length_minutes: i64,
    window: &Interval,
    moved: Option<i64>,
) -> Answer<Full> {
    let rooms = match place.room {
        Some(room) => named(q, org_id, room).await?,
        None => room::of_place(q, org_id, place.location).await?,
    };
    if rooms.iter().any(|(_, is_limited)| !is_limited) {
        return Ok(Full::default());
    }
    let ids: Vec<i64> = rooms.iter().map(|(id, _)| *id).collect();
    let end = Timestamp(window.end.0.saturating_add(length_minutes * MINUTE));
    let window = Interval { start: window.start, end };
    let moved = moved.map(Id::new);
    let mut taken = room::taken(q, org_id, &ids, &window, moved).await?;
    let busy: Vec<Vec<Interval>> =
        ids.iter().map(|id| taken.remove(id).unwrap_or_default()).collect();
    Ok(Full::of(&busy, length_minutes))
}

async fn named(q: &mut dyn Query, org_id: i64, room: i64) -> Answer<Vec<(i64, bool)>> {
    let sql = Sql::fixed(
        "SELECT r.id, r.limit_to_one FROM rooms r WHERE r.org_id = $1 AND r.id = $2",
        [org_id.into(), room.into()],
    );
    let rows = q.rows(&sql).await?;
    let room = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.truth()));
    Ok(rows.iter().filter_map(room).collect())
}
