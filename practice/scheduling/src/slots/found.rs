//! Which starts a question finds: the pure rule on what was read.

use ward_engine::{Answer, Refused, Request};
use ward_instance::Timestamp;
use ward_store::Query;

use super::ask::Ask;
use super::choose;
use super::diary::{self, Diary, Wanted};
use super::group;
use super::reading::{Field, What};
use super::rule::{Calendar, collides, merged, starts};
use crate::availability::wall::Interval;

/// So many slots one question answers.
pub const SLOTS_MAX: usize = 20_000;
/// So many days of providers one question looks at: providers times days.
pub const PROVIDER_DAYS_MAX: i64 = 12_000;
const MINUTE: i64 = 60_000_000;
const DAY_MICROS: i64 = 1_440 * MINUTE;

/// A start that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// With whom.
    pub provider: i64,
    /// When.
    pub start: Timestamp,
    /// How long, in minutes.
    pub length: i64,
    /// The appointment of several to join, if it is one.
    pub group: Option<Seat>,
}

/// A seat in an appointment of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The appointment.
    pub appointment: i64,
    /// Whether no seat is left.
    pub is_full: bool,
    /// Whether who comes late can wait for one.
    pub has_waitlist: bool,
}

impl Diary {
    /// The starts within a window, in order.
    pub fn starts(&self, window: &Interval, now: Timestamp) -> Vec<Timestamp> {
        // What is farther away than an appointment is long has no part in it.
        let length = self.rules.length_minutes * MINUTE;
        let near = Interval { start: window.start, end: Timestamp(window.end.0 + length) };
        let of_list = |free: &Vec<Interval>| {
            let free: Vec<Interval> = free.iter().filter(|it| it.meets(&near)).copied().collect();
            let calendar = Calendar { zone: &self.provider.zone, free: &free, busy: &self.busy };
            starts(&calendar, &self.rules, window, now)
        };
        let mut found: Vec<Timestamp> = self.free.iter().flat_map(of_list).collect();
        if self.free.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// Whether something has room within what is free, apart from what is booked:
    /// what members may ask for, at whatever minute.
    pub fn has_room(&self, wanted: &Interval) -> bool {
        let within = |run: &Interval| run.start <= wanted.start && wanted.end <= run.end;
        let is_taken = self.busy.iter().any(|it| collides(wanted, it, self.rules.buffer_minutes));
        !is_taken && self.free.iter().any(|free| merged(free).iter().any(within))
    }
}

/// Refuses a window that is too long for so many providers.
fn bounded(field: &Field, window: &Interval) -> Answer<()> {
    let days = (window.end.0 - window.start.0) / DAY_MICROS + 1;
    let providers = i64::try_from(field.providers.len()).unwrap_or(i64::MAX);
    match days.saturating_mul(providers) > PROVIDER_DAYS_MAX {
        true => Err(too_much()),
        false => Ok(()),
    }
}

fn too_much() -> Refused {
    Refused::on("end_date", "That is too much at once: ask for fewer days or fewer providers")
}

/// The slots within a window, in order.
pub async fn slots(
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    window: &Interval,
    now: Timestamp,
) -> Answer<Vec<Slot>> {
    bounded(field, window)?;
    let (of, length) = match &field.what {
        What::Alone { of, length } => (of.as_deref(), *length),
        What::Seat(types) => return group::seats(q, ask, field, types, window, now).await,
    };
    let diaries = alone(q, ask, field, of, length, window).await?;
    let mut found = Vec::new();
    for diary in &diaries {
        let starts = diary.starts(window, now).into_iter();
        let provider = diary.provider.id;
        found.extend(starts.map(|start| Slot { provider, start, length, group: None }));
        if !ask.unique && found.len() > SLOTS_MAX {
            return Err(too_much());
        }
    }
    if ask.unique && diaries.len() > 1 {
        found = choose::unique(found, &diaries);
    }
    found.sort_unstable_by_key(|slot| (slot.start, slot.provider));
    match found.len() > SLOTS_MAX {
        true => Err(too_much()),
        false => Ok(found),
    }
}

async fn alone(
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    of: Option<&crate::tables::AppointmentType>,
    length: i64,
    window: &Interval,
) -> Answer<Vec<Diary>> {
    let moved = diary::movable(q, &field.actor, ask.moved).await?;
    let wanted = Wanted { of, length, contact: ask.contact, location: ask.location, moved };
    diary::diaries(q, &field.actor, &field.providers, &wanted, window).await
}

/// The first start within a window, looked for a week at a time.
pub async fn first(
    request: &Request,
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    window: &Interval,
) -> Answer<Option<Timestamp>> {
    let (of, length) = match &field.what {
        What::Alone { of, length } => (of.as_deref(), *length),
        What::Seat(types) => {
            let seats = group::seats(q, ask, field, types, window, request.now).await?;
            return Ok(seats.first().map(|slot| slot.start));
        }
    };
    let diaries = alone(q, ask, field, of, length, window).await?;
    let mut start = window.start;
    while start < window.end {
        let end = Timestamp((start.0 + 7 * DAY_MICROS).min(window.end.0));
        let week = Interval { start, end };
        let found = diaries.iter().filter_map(|it| it.starts(&week, request.now).first().copied());
        if let Some(first) = found.min() {
            return Ok(Some(first));
        }
        start = end;
    }
    Ok(None)
}
