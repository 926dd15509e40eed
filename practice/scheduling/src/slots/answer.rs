//! Slots as they are told (behaviour 22, 9).

use jiff::tz::TimeZone;
use ward_engine::{Answer, Args, Clock, Out, Request, RowView, ViewId};
use ward_instance::Timestamp;
use ward_store::Query;

use super::ask::{self, Ask, NEXT_DAYS_MAX, Span};
use super::budget::{self, ANSWERED, QUESTION, spend};
use super::found::{self, Slot};
use super::reading::{self, Field};
use crate::availability::wall::day_of;

/// The members of the contract's `PotentialAppointmentSlot` that are served.
pub const MEMBERS: &[&str] =
    &["appointment_id", "date", "has_waitlist_enabled", "is_fully_booked", "length", "user_id"];

/// The zone of the days that are asked for: the one that is sent, else the caller's, a
/// visitor's being the provider's.
fn zone_of_days(request: &Request, ask: &Ask, field: &Field) -> TimeZone {
    let is_visitor = request.actor.user_id == 0 && !request.actor.is_member();
    let of_provider = || if is_visitor { field.zone.clone() } else { None };
    ask.zone.clone().or_else(of_provider).unwrap_or_else(|| request.zone.clone())
}

/// The zone of the answer: the caller's, whatever zone they send (behaviour 9); of a
/// visitor nothing else is known.
fn zone_of_answer(request: &Request, ask: &Ask, field: &Field) -> TimeZone {
    match request.actor.user_id == 0 && !request.actor.is_member() {
        true => zone_of_days(request, ask, field),
        false => request.zone.clone(),
    }
}

fn shown(request: &Request, at: Timestamp, clock: &mut Clock<'_>) -> String {
    match request.view {
        ViewId::Baseline => clock.baseline(at),
        ViewId::V2026 => clock.iso(at),
    }
}

async fn found(
    request: &Request,
    q: &mut dyn Query,
    args: &Args,
    span: Span,
) -> Answer<(Vec<Slot>, TimeZone, TimeZone)> {
    spend(request, QUESTION)?;
    let ask = Ask::of(request, args)?;
    let nothing = || (Vec::new(), TimeZone::UTC, TimeZone::UTC);
    let Some(field) = reading::field(request, q, &ask).await? else {
        // A window that is no window is told whoever is meant.
        let zone = ask.zone.as_ref().unwrap_or(&request.zone);
        ask::window(args, span, zone, request.now)?;
        return Ok(nothing());
    };
    let (days, answer) =
        (zone_of_days(request, &ask, &field), zone_of_answer(request, &ask, &field));
    let Some(window) = ask::window(args, span, &days, request.now)? else { return Ok(nothing()) };
    let slots = found::slots(request, q, &ask, &field, &window, request.now).await?;
    Ok((slots, days, answer))
}

/// `availableSlotsForRange`.
pub async fn list(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let (slots, _, zone) = found(request, q, args, Span::Range).await?;
    spend(request, budget::units(slots.len(), ANSWERED))?;
    let mut clock = Clock::new(&zone);
    let value = |slot: &Slot| {
        let seat = slot.group.as_ref();
        Out::Object(vec![
            ("appointment_id", seat.map(|it| it.appointment).into()),
            ("date", shown(request, slot.start, &mut clock).into()),
            ("has_waitlist_enabled", seat.is_some_and(|it| it.has_waitlist).into()),
            ("is_fully_booked", seat.is_some_and(|it| it.is_full).into()),
            ("length", slot.length.into()),
            ("user_id", slot.provider.into()),
        ])
    };
    let list = Out::List(slots.iter().map(value).collect());
    Ok(vec![list; rows.len()])
}

/// `daysAvailableForRange`.
pub async fn days(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let (slots, zone, _) = found(request, q, args, Span::Month).await?;
    let mut days: Vec<_> = slots.iter().filter_map(|slot| day_of(&zone, slot.start)).collect();
    days.dedup();
    let list = Out::List(days.into_iter().map(|day| day.to_string().into()).collect());
    Ok(vec![list; rows.len()])
}

/// `nextAvailableSlot`.
pub async fn next(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    spend(request, QUESTION)?;
    let ask = Ask::of(request, args)?;
    let out = match reading::field(request, q, &ask).await? {
        Some(field) => next_of(request, q, args, &ask, &field).await?,
        None => Out::Null,
    };
    Ok(vec![out; rows.len()])
}

async fn next_of(
    request: &Request,
    q: &mut dyn Query,
    args: &Args,
    ask: &Ask,
    field: &Field,
) -> Answer<Out> {
    let span = Span::Next(NEXT_DAYS_MAX);
    let (days, zone) = (zone_of_days(request, ask, field), zone_of_answer(request, ask, field));
    let Some(window) = ask::window(args, span, &days, request.now)? else { return Ok(Out::Null) };
    let first = found::first(request, q, ask, field, &window).await?;
    Ok(first.map(|at| shown(request, at, &mut Clock::new(&zone))).into())
}
