//! Booking a series: all of its appointments at once (behaviour 23.5).

use jiff::tz::TimeZone;
use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;
use ward_store::Id;

use super::rule::{RepeatInterval, Said, occurrences};
use super::table::RecurringAppointment;
use crate::appointment::settle::{Terms, settle};
use crate::appointment::table::Appointment;
use crate::appointment::{calendar, people, video};
use crate::availability::wall::Interval;
use crate::events;

/// When the appointments of a wanted series are; one alone when none is wanted.
pub fn intervals(
    call: &Call<'_>,
    said: &Said,
    first: Interval,
    zone: &TimeZone,
) -> Answer<Vec<Interval>> {
    let Some((every, times)) = wanted(said)? else { return Ok(vec![first]) };
    occurrences(&first, zone, every, times, call.now()).ok_or_else(too_far)
}

/// How often and how many times; nothing when no series is wanted.
pub fn wanted(said: &Said) -> Answer<Option<(RepeatInterval, i64)>> {
    match (said.interval, said.times) {
        (Some(every), Some(times)) => Ok(Some((every, times))),
        (None, Some(_)) => Err(Refused::on("repeat_interval", "Repeat interval can't be blank")),
        (Some(_), None) => Err(Refused::on("repeat_times", "Repeat times can't be blank")),
        (None, None) => Ok(None),
    }
}

pub(super) fn too_far() -> Refused {
    Refused::on("repeat_times", "The last appointment of a series must be within 3650 days")
}

/// Makes the series that appointments are to belong to.
pub async fn series(
    call: &mut Call<'_>,
    row: &Appointment,
    (every, times): (RepeatInterval, i64),
    join_all: bool,
    previous: Option<Id<RecurringAppointment>>,
) -> Answer<RecurringAppointment> {
    let now = call.now();
    let made = RecurringAppointment {
        id: call.next_id().await?,
        org_id: row.org_id,
        unit_id: row.unit_id,
        repeat_interval: every,
        repeat_times: times,
        join_all,
        previous_recurring_appointment_id: previous,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    call.create(&made).await?;
    Ok(made)
}

/// Writes one appointment with everybody in it, behind the lock on their calendars.
pub async fn write(
    call: &mut Call<'_>,
    row: &mut Appointment,
    (further, attendees): (&[Id<User>], &[User]),
    members: &[i64],
    terms: &Terms<'_>,
    told: bool,
) -> Answer<()> {
    row.booked_over = settle(call, row, members, terms, None).await?;
    video::afresh(row);
    video::follow(call, None, row).await?;
    call.create(row).await?;
    call.emit(events::appointment_created(row).told(told));
    people::put_providers(call, row, further).await?;
    people::put_attendees(call, row, attendees, true).await?;
    calendar::put(call, row, members).await
}
