//! Which starts a question finds: the pure rule on what was read.

use std::borrow::Cow;

use ward_engine::{Answer, Request};
use ward_instance::Timestamp;
use ward_store::{Cond, Query};

use super::ask::Ask;
use super::budget::{self, PROVIDER_DAY, spend, too_much};
use super::choose::Choice;
use super::diary::{self, Diary, Wanted};
use super::group;
use super::reading::{Field, Provider, What, records, seen};
use super::rooms::Place;
use super::rule::{Calendar, collides, merged, starts};
use crate::appointment_location::table::{APPOINTMENT_LOCATIONS, AppointmentLocation};
use crate::availability::wall::Interval;
use crate::tables::AppointmentType;

/// So many slots one question answers.
pub const SLOTS_MAX: usize = 20_000;
/// So many days of providers one question looks at: providers times days.
pub const PROVIDER_DAYS_MAX: i64 = 12_000;
/// How far ahead the next start is looked for at first, in days.
const FIRST_DAYS: i64 = 7;
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
        found.retain(|start| !self.full.at(*start));
        if !self.held.is_empty() {
            found.retain(|start| {
                let wanted = Interval { start: *start, end: Timestamp(start.0 + length) };
                let next = self.held.partition_point(|it| it.end <= wanted.start);
                self.held.get(next).is_none_or(|it| !it.meets(&wanted))
            });
        }
        found
    }

    /// Whether something has room within what is free, apart from what is booked:
    /// what members may ask for, at whatever minute.
    pub fn has_room(&self, wanted: &Interval) -> bool {
        let within = |run: &Interval| run.start <= wanted.start && wanted.end <= run.end;
        let is_taken = self.busy.iter().any(|it| collides(wanted, it, self.rules.buffer_minutes));
        !is_taken
            && !self.full.at(wanted.start)
            && self.free.iter().any(|free| merged(free).iter().any(within))
    }
}

fn provider_days(field: &Field, window: &Interval) -> i64 {
    let days = (window.end.0 - window.start.0) / DAY_MICROS + 1;
    days.saturating_mul(budget::units(field.providers.len(), 1))
}

/// Refuses a window that is too long for so many providers.
fn bounded(request: &Request, field: &Field, window: &Interval) -> Answer<()> {
    let all = provider_days(field, window);
    match all > PROVIDER_DAYS_MAX {
        true => Err(too_much()),
        false => spend(request, all.saturating_mul(PROVIDER_DAY)),
    }
}

/// The slots within a window, in order.
pub async fn slots(
    request: &Request,
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    window: &Interval,
    now: Timestamp,
) -> Answer<Vec<Slot>> {
    bounded(request, field, window)?;
    let (of, length) = match &field.what {
        What::Alone { of, length } => (of.as_deref(), *length),
        What::Seat(types) => {
            let seats = group::seats(q, ask, field, types, window, now).await?;
            spend(request, budget::units(seats.len(), 1))?;
            return Ok(seats);
        }
    };
    let by_load = ask.unique && field.providers.len() > 1;
    let diaries = alone(q, ask, field, (of, length, by_load), window).await?;
    let (mut found, mut choice) = (Vec::new(), Choice::default());
    for diary in &diaries {
        let starts = diary.starts(window, now);
        spend(request, budget::units(starts.len(), 1))?;
        let provider = diary.provider.id;
        let slots = starts.into_iter().map(|start| Slot { provider, start, length, group: None });
        match ask.unique && diaries.len() > 1 {
            true => choice.offer(diary, slots),
            false => found.extend(slots),
        }
        if found.len().max(choice.times()) > SLOTS_MAX {
            return Err(too_much());
        }
    }
    found.extend(choice.into_slots());
    found.sort_unstable_by_key(|slot| (slot.start, slot.provider));
    Ok(found)
}

async fn alone(
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    (of, length, by_load): (Option<&AppointmentType>, i64, bool),
    window: &Interval,
) -> Answer<Vec<Diary>> {
    let Some(moved) = &field.moved else {
        let moved = diary::movable(q, &field.actor, ask.moved).await?;
        let place = ask.location.map(Place::any);
        let wanted = Wanted { of, length, contact: ask.contact, place, moved, by_load };
        let providers = at_place(q, field, ask.location).await?;
        return diary::diaries(q, &field.actor, &providers, &wanted, window).await;
    };
    let (contact, moving) = (moved.contact, Some(moved.id));
    let wanted = Wanted { of, length, contact, place: moved.place, moved: moving, by_load };
    let mut diaries = diary::diaries(q, &field.actor, &field.providers, &wanted, window).await?;
    let end = Timestamp(window.end.0.saturating_add(length * MINUTE));
    let held = moved.held(q, field.actor.org_id, &Interval { start: window.start, end }).await?;
    for diary in &mut diaries {
        diary.held.clone_from(&held);
    }
    Ok(diaries)
}

/// The providers who meet clients at a place that the caller knows of.
async fn at_place<'a>(
    q: &mut dyn Query,
    field: &'a Field,
    location: Option<i64>,
) -> Answer<Cow<'a, [Provider]>> {
    let Some(location) = location else { return Ok(Cow::Borrowed(&field.providers)) };
    let mut select = seen(&field.actor, &APPOINTMENT_LOCATIONS);
    select.filter = Cond::eq("id", location);
    let found: Vec<AppointmentLocation> = records(q, select).await?;
    let serves = |it: &&Provider| found.iter().any(|at| at.serves(it.unit_id, it.id));
    Ok(Cow::Owned(field.providers.iter().filter(serves).cloned().collect()))
}

/// The first start within a window, however long it is: looked for in pages of days, each
/// twice as long as the one before and as long as one question's may be. A request that
/// can't pay for going on is refused: what it did not look at is not told to be taken.
pub async fn first(
    request: &Request,
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    window: &Interval,
) -> Answer<Option<Timestamp>> {
    let providers = budget::units(field.providers.len(), 1).max(1);
    let longest = (PROVIDER_DAYS_MAX / providers).max(1);
    let (mut start, mut days) = (window.start, FIRST_DAYS.min(longest));
    while start < window.end {
        let end = Timestamp((start.0 + days * DAY_MICROS).min(window.end.0));
        let page = Interval { start, end };
        let found = match &field.what {
            What::Alone { of, length } => {
                first_alone(request, q, ask, field, (of.as_deref(), *length), &page).await?
            }
            What::Seat(types) => {
                let seats = group::seats(q, ask, field, types, &page, request.now).await?;
                spend(request, budget::units(seats.len() + field.providers.len(), 1))?;
                seats.first().map(|slot| slot.start)
            }
        };
        if found.is_some() {
            return Ok(found);
        }
        (start, days) = (end, (days * 2).min(longest));
    }
    Ok(None)
}

/// The first start within a page. Of a provider without a free time nothing is looked at,
/// and of the others nothing behind the first start that is known.
async fn first_alone(
    request: &Request,
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    (of, length): (Option<&AppointmentType>, i64),
    page: &Interval,
) -> Answer<Option<Timestamp>> {
    spend(request, budget::units(field.providers.len(), 1))?;
    let diaries = alone(q, ask, field, (of, length, false), page).await?;
    let open = diaries.iter().filter(|it| it.free.iter().any(|times| !times.is_empty()));
    let mut first: Option<Timestamp> = None;
    for diary in open {
        let mut start = page.start;
        let end = first.unwrap_or(page.end);
        while start < end {
            let week = Interval { start, end: Timestamp((start.0 + 7 * DAY_MICROS).min(end.0)) };
            let starts = diary.starts(&week, request.now);
            let days = (week.end.0 - week.start.0) / DAY_MICROS + 1;
            spend(request, days * PROVIDER_DAY + budget::units(starts.len(), 1))?;
            if let Some(found) = starts.first() {
                first = Some(*found);
                break;
            }
            start = week.end;
        }
    }
    Ok(first)
}
