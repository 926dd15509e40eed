//! What staff make of a request (behaviour 24): notes, whose it is, an appointment, or
//! its end.

use ward_clients::access;
use ward_clients::rules;
use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::flags::CAN_EDIT_CALENDAR;
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::{Organization, User};
use ward_store::{Id, Level};

use super::input::{DeleteRequest, UpdateRequest};
use super::table::{AppointmentRequest, RequestStatus};
use crate::appointment::table::Appointment;

/// The request with this id as the caller sees it, held until the transaction ends:
/// their own, or with the right to edit calendars.
async fn to_change(
    call: &mut Call<'_>,
    id: Option<Id<AppointmentRequest>>,
    at: &str,
) -> Answer<AppointmentRequest> {
    members_only(call.actor)?;
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let row: AppointmentRequest =
        found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(at))?;
    let is_own = row.provider_id.is_some_and(|id| id.0 == call.actor.user_id);
    if !is_own {
        requires(call.actor, CAN_EDIT_CALENDAR)?;
    }
    call.scope.subject_id = row.patient_id.map(|id| id.0);
    Ok(row)
}

/// Changes the notes, whose it is, or whether it is open.
pub async fn update(call: &mut Call<'_>, input: &UpdateRequest) -> Answer<Payload> {
    let before = to_change(call, input.id.value().copied(), "id").await?;
    let mut problems = Problems::new();
    rules::bounded("provider_notes", &input.provider_notes, rules::NOTES_CHARS_MAX, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    input.provider_notes.set_text(&mut after.provider_notes);
    if input.patient_id.is_given() {
        after.patient_id = match named(&input.patient_id) {
            Some(id) if Some(id) == before.patient_id => Some(id),
            Some(id) => Some(client(call, id, before.unit_id).await?),
            None => None,
        };
    }
    if let Some(status) = input.status.value().copied() {
        become_(call, &mut after, status);
    }
    call.scope.subject_id = after.patient_id.or(before.patient_id).map(|id| id.0);
    call.update(&before, &after).await?;
    Ok(Payload::new().one("appointmentRequest", before.id.0))
}

async fn client(call: &mut Call<'_>, id: Id<User>, unit: Id<Organization>) -> Answer<Id<User>> {
    let client = access::seen_user(call, id, "patient_id").await?;
    match client.is_patient && client.unit_id == unit {
        true => Ok(client.id),
        false => Err(Refused::not_found("patient_id")),
    }
}

/// Writes the status, with who closed it and when.
fn become_(call: &Call<'_>, row: &mut AppointmentRequest, status: RequestStatus) {
    if row.current_status == status {
        return;
    }
    let is_closed = status == RequestStatus::Closed;
    row.current_status = status;
    row.closed_at = is_closed.then(|| call.now());
    row.closed_by_id = is_closed.then(|| Id::new(call.actor.user_id));
}

/// Deletes a request.
pub async fn delete(call: &mut Call<'_>, input: &DeleteRequest) -> Answer<Payload> {
    let row = to_change(call, input.id.value().copied(), "id").await?;
    call.destroy(&row).await?;
    Ok(Payload::new().one("appointmentRequest", row.id.0))
}

/// The request that an appointment is to be the answer to: open, of its unit. Held, so
/// that of two who answer one does. Whom the appointment concerns stays as it was.
pub async fn to_fulfil(
    call: &mut Call<'_>,
    id: Id<AppointmentRequest>,
    unit: Id<Organization>,
) -> Answer<AppointmentRequest> {
    const AT: &str = "appointment_request_id";
    let concerned = call.scope.subject_id;
    let row = to_change(call, Some(id), AT).await;
    call.scope.subject_id = concerned;
    let row = row?;
    if row.unit_id != unit {
        return Err(Refused::not_found(AT));
    }
    match row.current_status {
        RequestStatus::Open => Ok(row),
        RequestStatus::Closed => Err(Refused::on(AT, "The request is closed already")),
    }
}

/// Closes a request by the appointment that answers it; the client of an individual one
/// is who asked, where that was not known.
pub async fn fulfil(
    call: &mut Call<'_>,
    before: &AppointmentRequest,
    row: &Appointment,
) -> Answer<()> {
    let mut after = before.clone();
    become_(call, &mut after, RequestStatus::Closed);
    // Asked again after it was opened again, the first answer stays the first.
    after.first_appointment_id = before.first_appointment_id.or(Some(row.id));
    after.patient_id = before.patient_id.or(row.user_id);
    let subject = call.scope.subject_id;
    call.scope.subject_id = after.patient_id.map(|id| id.0);
    call.update(before, &after).await?;
    call.scope.subject_id = subject;
    Ok(())
}
