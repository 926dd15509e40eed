//! Deleting: by staff it is gone from every list, by a client it is called off
//! (behaviour 23.4).

use ward_engine::{Answer, Call, Payload, Problems};
use ward_identity::permit::members_only;
use ward_store::Actor;

use super::input::{self, DeleteAppointment};
use super::series::update as series;
use super::table::Appointment;
use super::update::{is_told, to_change, write};
use super::{calendar, cancel, client, people, permit, video};
use crate::credit::follow;
use crate::events;
use crate::waitlist::place;

/// Deletes an appointment, or calls it off for the client who asks; with it all
/// behind it of its series, when asked to. A client who only waits for a seat waits no
/// more.
pub async fn delete(call: &mut Call<'_>, input: &DeleteAppointment) -> Answer<Payload> {
    if let Some(id) = input.id.value().copied().filter(|_| call.actor.is_client())
        && place::leave_own(call, id).await?
    {
        let seen = Actor { handed: vec![id.0], ..call.request.actor.as_ref().clone() };
        return Ok(Payload::new().one("appointment", id.0).seen_by(seen));
    }
    let row = to_change(call, input.id.value().copied()).await?;
    let later = match input.deleteRecurring.is_true() {
        true => series::behind(call, &row).await?,
        false => Vec::new(),
    };
    if call.actor.is_client() {
        for next in later.into_iter().filter(|it| it.pm_status.is_none()) {
            if client::attends(call, &next).await? {
                client::delete(call, input, next).await?;
            }
        }
        return client::delete(call, input, row).await;
    }
    members_only(call.actor)?;
    let told = !input.suppress_webhook_notifications.is_true();
    if !later.is_empty() {
        series::end_before(call, &row).await?;
    }
    for row in later.into_iter().chain([row.clone()]) {
        may_delete(call, &row).await?;
        let row = with_reason(call, input, row).await?;
        one(call, row, told).await?;
    }
    Ok(Payload::new().one("appointment", row.id.0))
}

/// The caller may delete it.
pub(super) async fn may_delete(call: &mut Call<'_>, row: &Appointment) -> Answer<()> {
    let providers = people::providers(call, row).await?;
    permit::may_change(call, row, &providers)
}

/// Deletes one, as it is held.
pub(super) async fn one(call: &mut Call<'_>, row: Appointment, told: bool) -> Answer<()> {
    let held = calendar::holders(call, row.id).await?;
    calendar::lock(call, &held).await?;
    let row = video::end(call, row).await?;
    call.destroy(&row).await?;
    let gone = Appointment { deleted_at: Some(call.now()), ..row.clone() };
    follow::ended(call, &row, &gone).await?;
    calendar::put(call, &gone, &[]).await?;
    call.emit(events::appointment_deleted(&gone).told(is_told(&gone, told)));
    Ok(())
}

/// The row with the reason that staff gave.
async fn with_reason(
    call: &mut Call<'_>,
    input: &DeleteAppointment,
    before: Appointment,
) -> Answer<Appointment> {
    let Some(why) = input.cancellation_reason.value() else { return Ok(before) };
    let mut problems = Problems::new();
    let by = input::initiated_by("cancellation_reason", &why.initiated_by, &mut problems);
    let other = &why.other_cancellation_reason;
    input::bounded_reason("cancellation_reason", other, &mut problems);
    problems.check()?;
    let mut row = before.clone();
    row.cancellation_reason_id = cancel::number(&why.id)?.or(row.cancellation_reason_id);
    row.cancellation_initiated_by = by.or(row.cancellation_initiated_by);
    other.set_text(&mut row.other_cancellation_reason);
    write(call, &before, &mut row).await?;
    // As it is kept, with its version.
    Ok(call.find(before.id).await?.unwrap_or(row))
}
