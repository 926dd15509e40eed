//! What clients do with their appointments: move them, confirm them, call them off
//! (behaviour 23.4).

use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_store::Cond;

use super::create::checked;
use super::input::{DeleteAppointment, UpdateAppointment, UpdateInclusion, bounded_reason};
use super::rules::{Facts, cant_cancel, cant_reschedule};
use super::settle::{Terms, retake, settle};
use super::status::{CancelledBy, PmStatus};
use super::table::{Appointment, AppointmentInclusion};
use super::update::{main, tell, write};
use super::when::{self, Known};
use super::{calendar, cancel, inclusion, part, people};
use crate::availability::wall::Interval;
use crate::credit::follow;
use crate::settings::applies::{applies, type_of};

/// Moves or confirms an appointment of the client who asks.
pub(super) async fn update(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    before: Appointment,
) -> Answer<Payload> {
    if says_more(input) {
        let sentence = "A client can move or confirm an appointment, and change nothing else of it";
        return Err(Refused::base(sentence));
    }
    let own = own_part(call, &before).await?.ok_or_else(|| Refused::not_found("id"))?;
    if own.cancelled {
        return Err(Refused::base("This appointment can't be changed any more"));
    }
    let is_shared = people::is_shared(call, &before).await?;
    let mut row = before.clone();
    let mut fields = Vec::new();
    match input.client_confirmed.value().copied() {
        Some(confirmed) if is_shared => {
            let after = AppointmentInclusion { confirmed, ..own.clone() };
            if part::write(call, &before, Some(&own), Some(&after), true).await? {
                fields.push("attended_clients");
            }
        }
        Some(confirmed) => row.client_confirmed = confirmed,
        None => {}
    }
    let moves = input.times().name_a_start();
    if moves {
        if !input.client_updating.is_true() {
            return Err(Refused::on("client_updating", "Client updating must be true"));
        }
        let facts = Facts { is_shared, ..Facts::of(&before) };
        reschedule(call, input, (&before, facts), &mut row).await?;
    }
    fields.extend(write(call, &before, &mut row).await?);
    if moves {
        retake(call, &row).await?;
    }
    tell(call, &row, &fields, true);
    Ok(Payload::new().one("appointment", before.id.0))
}

/// Whether an input says what is not a client's to say.
fn says_more(input: &UpdateAppointment) -> bool {
    input.actual_duration.is_given()
        || input.appointment_location_id.is_given()
        || input.appointment_type_id.is_given()
        || input.attended_clients.is_given()
        || input.attendee_ids.is_given()
        || input.cancellation_initiated_by.is_given()
        || input.cancellation_reason_id.is_given()
        || input.confirmed.is_given()
        || input.contact_type.is_given()
        || input.end_date.is_given()
        || input.end_time.is_given()
        || input.external_videochat_url.is_given()
        || input.is_blocker.is_given()
        || input.is_zoom_chat.is_given()
        || input.location.is_given()
        || input.max_attendees.is_given()
        || input.metadata.is_given()
        || input.notes.is_given()
        || input.other_cancellation_reason.is_given()
        || input.other_party_id.is_given()
        || input.pm_status.is_given()
        || input.providers.is_given()
        || input.recurring_appointment.is_given()
        || input.repeat.is_given()
        || input.repeat_interval.is_given()
        || input.repeat_times.is_given()
        || input.room_id.is_given()
        || input.join_all.is_given()
        || input.updateRecurring.is_given()
        || input.user_id.is_given()
}

/// Moves it, where the settings let clients, to a time that they could choose. What
/// they decided by is read behind the lock.
async fn reschedule(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    (before, facts): (&Appointment, Facts),
    row: &mut Appointment,
) -> Answer<()> {
    let (org, client) = (call.actor.org_id, call.actor.user_id);
    let may_schedule = feature_toggle::is_on(call.tx, org, client, Switch::Scheduling).await?;
    let facts = Facts { may_schedule, ..facts };
    let mut problems = Problems::new();
    let (zone, _) = when::zone(&input.timezone, &call.request.zone, &mut problems);
    let was = Interval { start: before.start_at, end: before.end_at };
    let known = Known { before: Some(was), length: None, is_blocker: false };
    let found = when::when(&input.times(), &known, &zone, call.now(), &mut problems);
    let interval = checked(found, problems)?;
    let members = people::takers(call, before).await?;
    calendar::lock(call, &members).await?;
    let of = type_of(call, before.appointment_type_id).await?;
    let settings = applies(call, of.as_ref(), before.provider_id.0, before.unit_id.0).await?;
    if let Some(why) = cant_reschedule(&facts, &settings, call.now()) {
        return Err(Refused::base(why));
    }
    let provider = main(call, before).await?;
    (row.start_at, row.end_at) = (interval.start, interval.end);
    let terms = Terms { provider: &provider, of: of.as_ref(), enforced: true, by_client: true };
    if !provider.active {
        return Err(Refused::base("The provider can't be booked any more"));
    }
    row.booked_over = settle(call, row, &members, &terms, Some(before.id)).await?;
    row.patient_reschedule_count += 1;
    row.time_recurring_override = row.recurring_appointment_id.is_some();
    Ok(())
}

/// The part of the client who asks.
async fn own_part(call: &mut Call<'_>, row: &Appointment) -> Answer<Option<AppointmentInclusion>> {
    let own = Cond::eq("user_id", call.actor.user_id);
    Ok(call.find_by(own.and(Cond::eq("appointment_id", row.id.0))).await?)
}

/// Whether the client who asks attends, and has not called that off.
pub(super) async fn attends(call: &mut Call<'_>, row: &Appointment) -> Answer<bool> {
    Ok(own_part(call, row).await?.is_some_and(|part| !part.cancelled))
}

/// Calls an appointment off, or the client's part in a group's.
pub(super) async fn delete(
    call: &mut Call<'_>,
    input: &DeleteAppointment,
    before: Appointment,
) -> Answer<Payload> {
    let sent = input.cancellation_reason.value().cloned().unwrap_or_default();
    let mut problems = Problems::new();
    let field = "cancellation_reason";
    bounded_reason(field, &sent.other_cancellation_reason, &mut problems);
    problems.check()?;
    let number = cancel::number(&sent.id)?;
    let other = sent.other_cancellation_reason.trimmed().map(str::to_owned);
    let why = Why { number, text: None, other };
    call_off(call, &before, why).await?;
    Ok(Payload::new().one("appointment", before.id.0))
}

/// Why a client calls something off.
struct Why {
    number: Option<i64>,
    text: Option<String>,
    other: Option<String>,
}

async fn call_off(call: &mut Call<'_>, before: &Appointment, why: Why) -> Answer<()> {
    let own = own_part(call, before).await?.ok_or_else(|| Refused::not_found("id"))?;
    let of = type_of(call, before.appointment_type_id).await?;
    let settings = applies(call, of.as_ref(), before.provider_id.0, before.unit_id.0).await?;
    let facts = Facts { is_off: own.cancelled, ..Facts::of(before) };
    if let Some(why) = cant_cancel(&facts, &settings, call.now()) {
        return Err(Refused::base(why));
    }
    let has_reason = why.number.is_some() || why.text.is_some() || why.other.is_some();
    if settings.client_cancel_reason_required && !has_reason {
        return Err(cancel::no_reason("cancellation_reason"));
    }
    if people::is_shared(call, before).await? {
        let mut after = own.clone();
        inclusion::call_off(call, &mut after);
        let label = why.number.and_then(super::reason::of_number).map(|it| it.label.to_owned());
        after.cancellation_reason = why.text.or(label);
        after.other_cancellation_reason = why.other;
        part::write(call, before, Some(&own), Some(&after), true).await?;
        tell(call, before, &["attended_clients"], true);
        return Ok(());
    }
    let mut row = before.clone();
    row.cancellation_reason_id = why.number;
    row.other_cancellation_reason = why.other.or(why.text);
    row.cancellation_initiated_by = Some(CancelledBy::Client);
    cancel::stamp(call, &mut row, Some(PmStatus::Cancelled));
    let held = calendar::holders(call, before.id).await?;
    calendar::lock(call, &held).await?;
    let fields = write(call, before, &mut row).await?;
    follow::ended(call, before, &row).await?;
    calendar::put(call, &row, &[]).await?;
    tell(call, &row, &fields, true);
    Ok(())
}

/// `updateAppointmentInclusion` by the client whose part it is.
pub(super) async fn update_part(
    call: &mut Call<'_>,
    input: &UpdateInclusion,
    row: &Appointment,
    before: &AppointmentInclusion,
) -> Answer<Payload> {
    let payload = Payload::new().one("appointment_inclusion", before.id.0);
    let says_more = input.attended.is_given() || input.seats_held.is_given();
    if says_more || input.cancelled.value() == Some(&false) {
        let sentence = "A client can confirm their part or call it off, and change nothing else";
        return Err(Refused::base(sentence));
    }
    if input.cancelled.is_true() {
        let text = input.cancellation_reason.trimmed().map(str::to_owned);
        call_off(call, row, Why { number: None, text, other: None }).await?;
        return Ok(payload);
    }
    let confirmed = input.confirmed.value().copied().unwrap_or(before.confirmed);
    let after = AppointmentInclusion { confirmed, ..before.clone() };
    if part::write(call, row, Some(before), Some(&after), true).await? {
        tell(call, row, &["attended_clients"], true);
    }
    Ok(payload)
}
