//! Changing and deleting one appointment of a series with all behind it (behaviour
//! 23.5).

use ward_engine::{Answer, Call, Given, Problems, Refused, moment};
use ward_store::{Cond, Id, OrderKey, Query, Sql};

use super::create::{series as made, too_far, write};
use super::rule::{Said, occurrences};
use super::table::RecurringAppointment;
use crate::appointment::input::UpdateAppointment;
use crate::appointment::settle::{self, Terms};
use crate::appointment::table::Appointment;
use crate::appointment::{calendar, delete, people, permit, room, update};
use crate::availability::wall::Interval;
use crate::settings::applies::type_of;

/// Where an appointment stands from now on.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The series.
    pub series: Id<RecurringAppointment>,
    /// From 1.
    pub position: i64,
}

/// The appointments behind one of its series, in order, held until the transaction
/// ends.
pub async fn behind(call: &mut Call<'_>, row: &Appointment) -> Answer<Vec<Appointment>> {
    let (Some(series), Some(position)) =
        (row.recurring_appointment_id, row.current_position_in_recurring_series)
    else {
        return Ok(Vec::new());
    };
    let held = Sql::fixed(
        "SELECT id FROM appointments WHERE org_id = $1 AND recurring_appointment_id = $2 \
         AND current_position_in_recurring_series > $3 AND deleted_at IS NULL ORDER BY id FOR_UPDATE",
        [row.org_id.0.into(), series.0.into(), position.into()],
    );
    call.tx.rows(&held).await?;
    let later = Cond::eq("recurring_appointment_id", series.0)
        .and(Cond::sql("{t}.current_position_in_recurring_series > ?", [position.into()]));
    let order = [OrderKey::column("current_position_in_recurring_series", false)];
    Ok(call.list(later, &order).await?)
}

/// Changes an appointment and all behind it. The series is cut before it, unless it
/// is the first or only how many there are changes.
pub async fn all(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    before: &Appointment,
) -> Answer<()> {
    let mut problems = Problems::new();
    let said = input.series(&mut problems);
    problems.check()?;
    let series = of(call, before).await?;
    let position = before.current_position_in_recurring_series.unwrap_or(1);
    let later = behind(call, before).await?;
    let wanted = update::preview(call, input, before).await?;
    hold(call, before, &later, &wanted).await?;
    let every = said.interval.unwrap_or(series.repeat_interval);
    let first = Interval { start: wanted.row.start_at, end: wanted.row.end_at };
    let moves = (first.start, first.end) != (before.start_at, before.end_at)
        || every != series.repeat_interval;
    let count = count(&said, &series, position, later.len())?;
    let zone = moment::zone(&wanted.row.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let times = occurrences(&first, &zone, every, count, call.now()).ok_or_else(too_far)?;
    let (later, gone) = later.split_at(later.len().min(times.len().saturating_sub(1)));
    for row in gone {
        delete::may_delete(call, row).await?;
        delete::one(call, row.clone(), false).await?;
    }
    if moves {
        make_way(call, later, &times).await?;
    }
    let cuts = position > 1 && (moves || wanted.differs);
    let place = match cuts {
        true => {
            let series_id = Some(series.id);
            let cut = made(call, before, (every, count), series.join_all, series_id).await?;
            resize(call, &series, series.repeat_interval, position - 1).await?;
            Place { series: cut.id, position: 1 }
        }
        false => {
            resize(call, &series, every, position - 1 + count).await?;
            Place { series: series.id, position }
        }
    };
    let row = update::one(call, input, before, Some(place)).await?;
    for (nth, interval) in (0_i64..).zip(times).skip(1) {
        let place = Place { position: place.position + nth, ..place };
        match usize::try_from(nth - 1).ok().and_then(|at| later.get(at)) {
            Some(next) => {
                let to = moves.then_some(interval);
                let input = later_input(input, next.id, to, row.is_group && !series.join_all);
                update::one(call, &input, next, Some(place)).await?;
            }
            None => copy(call, &row, &series, interval, place).await?,
        }
    }
    Ok(())
}

/// Frees the time and the rooms of those that are to be at another time, so that none of a
/// series is in the way of another: each takes its new one by [`update::one`].
async fn make_way(call: &mut Call<'_>, later: &[Appointment], times: &[Interval]) -> Answer<()> {
    for (row, to) in later.iter().zip(times.iter().skip(1)) {
        if (row.start_at, row.end_at) != (to.start, to.end) {
            calendar::free(call, row.id).await?;
        }
    }
    Ok(())
}

/// Takes every calendar of a series at once, then every room: rooms are taken behind all
/// members, and the first appointment takes its room before the next is looked at.
async fn hold(
    call: &mut Call<'_>,
    before: &Appointment,
    later: &[Appointment],
    wanted: &update::Preview,
) -> Answer<()> {
    let mut members = wanted.members.clone();
    for row in later.iter().chain([before]) {
        members.extend(calendar::holders(call, row.id).await?);
        members.extend(people::takers(call, row).await?);
    }
    members.sort_unstable();
    members.dedup();
    calendar::lock(call, &members).await?;
    let all = later.iter().chain([before, &wanted.row]);
    let rooms: Vec<i64> = all.filter_map(|row| row.room_id).map(|id| id.0).collect();
    room::lock(call, &rooms).await?;
    Ok(())
}

/// The series of an appointment.
async fn of(call: &mut Call<'_>, row: &Appointment) -> Answer<RecurringAppointment> {
    let found = match row.recurring_appointment_id {
        Some(id) => call.find(id).await?,
        None => None,
    };
    found.ok_or_else(|| Refused::not_found("id"))
}

/// How many there are to be from one on: as many as there are, unless the input has
/// another number for the whole series.
fn count(said: &Said, series: &RecurringAppointment, position: i64, later: usize) -> Answer<i64> {
    match said.times.filter(|times| *times != series.repeat_times) {
        Some(times) if times < position => {
            let sentence = format!("Repeat times must be at least {position}");
            Err(Refused::on("repeat_times", sentence))
        }
        Some(times) => Ok(times - position + 1),
        None => Ok(i64::try_from(later).unwrap_or(0) + 1),
    }
}

async fn resize(
    call: &mut Call<'_>,
    before: &RecurringAppointment,
    every: super::rule::RepeatInterval,
    times: i64,
) -> Answer<()> {
    let after =
        RecurringAppointment { repeat_interval: every, repeat_times: times, ..before.clone() };
    call.update(before, &after).await?;
    Ok(())
}

/// What an input says of one of the later ones: when it is follows from the first,
/// and who came is said of one appointment alone.
fn later_input(
    input: &UpdateAppointment,
    id: Id<Appointment>,
    to: Option<Interval>,
    keeps_attendees: bool,
) -> UpdateAppointment {
    let text = |at: ward_instance::Timestamp| {
        let at = jiff::Timestamp::from_microsecond(at.0).ok();
        at.map_or(Given::Absent, |at| Given::Value(at.to_string()))
    };
    let mut input = UpdateAppointment {
        id: Given::Value(id),
        date: Given::Absent,
        time: Given::Absent,
        end_time: Given::Absent,
        datetime: to.map_or(Given::Absent, |it| text(it.start)),
        end_date: to.map_or(Given::Absent, |it| text(it.end)),
        attended_clients: Given::Absent,
        ..input.clone()
    };
    if keeps_attendees {
        input.attendee_ids = Given::Absent;
    }
    input
}

/// One more of the series, with everybody of the one that it follows.
async fn copy(
    call: &mut Call<'_>,
    row: &Appointment,
    series: &RecurringAppointment,
    interval: Interval,
    place: Place,
) -> Answer<()> {
    let provider = update::main(call, row).await?;
    let of = type_of(call, row.appointment_type_id).await?;
    let further: Vec<_> = people::providers(call, row).await?.into_iter().map(Id::new).collect();
    let attendees = match row.is_group && !series.join_all {
        true => Vec::new(),
        false => people::attending_users(call, row).await?,
    };
    let now = call.now();
    let mut next = Appointment {
        id: call.next_id().await?,
        start_at: interval.start,
        end_at: interval.end,
        length: interval.minutes(),
        pm_status: None,
        pm_status_changed_at: None,
        pm_status_last_changed_by_id: None,
        actual_duration: None,
        client_confirmed: false,
        cancellation_reason_id: None,
        other_cancellation_reason: None,
        cancellation_initiated_by: None,
        recurring_appointment_id: Some(place.series),
        current_position_in_recurring_series: Some(place.position),
        time_recurring_override: false,
        version: 1,
        created_at: now,
        updated_at: now,
        ..row.clone()
    };
    let members = settle::members(&next, &further, &attendees);
    for member in &members {
        permit::may_add(call, *member, row.is_blocker)?;
    }
    calendar::lock(call, &members).await?;
    // What stays may stay in a place that was removed; what is new is not booked there.
    room::hold(call, None, &next).await?;
    let terms = Terms { provider: &provider, of: of.as_ref(), enforced: false, by_client: false };
    write(call, &mut next, (&further, &attendees), &members, &terms, false).await
}

/// The series ends before this one.
pub async fn end_before(call: &mut Call<'_>, row: &Appointment) -> Answer<()> {
    let position = row.current_position_in_recurring_series.unwrap_or(1);
    let series = of(call, row).await?;
    match position > 1 {
        true => resize(call, &series, series.repeat_interval, position - 1).await,
        false => Ok(()),
    }
}
