//! What becomes of those who attend, each alone (behaviour 23.1, 23.4).

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_store::{Cond, Id, Level};

use super::input::{AttendedClient, UpdateInclusion, bounded_reason};
use super::settle::retake;
use super::table::{Appointment, AppointmentInclusion};
use super::update::{tell, to_change};
use super::{client, people, permit};

/// What is said of one who attends.
#[derive(Clone, Debug, Default)]
struct Said {
    attended: Option<bool>,
    cancelled: Option<bool>,
    confirmed: Option<bool>,
    reason: Option<String>,
    other: Option<String>,
}

impl Said {
    fn of(sent: &AttendedClient) -> Self {
        Said {
            attended: sent.attended.value().copied(),
            cancelled: sent.cancelled.value().copied(),
            confirmed: sent.confirmed.value().copied(),
            reason: sent.cancellation_reason.trimmed().map(str::to_owned),
            other: sent.other_cancellation_reason.trimmed().map(str::to_owned),
        }
    }
}

/// Writes what `attended_clients` of an appointment says; whether it changed
/// anything.
pub(super) async fn apply_all(
    call: &mut Call<'_>,
    row: &Appointment,
    sent: Option<&Vec<AttendedClient>>,
) -> Answer<bool> {
    const AT: &str = "attended_clients";
    let mut changed = false;
    for one in sent.into_iter().flatten() {
        let mut problems = Problems::new();
        bounded_reason(AT, &one.cancellation_reason, &mut problems);
        bounded_reason(AT, &one.other_cancellation_reason, &mut problems);
        problems.check()?;
        let which = match (named(&one.id), named(&one.user_id)) {
            (Some(id), _) => Cond::eq("id", id.0),
            (None, Some(user)) => Cond::eq("user_id", user.0),
            (None, None) => return Err(Refused::not_found(AT)),
        };
        let of = which.and(Cond::eq("appointment_id", row.id.0));
        let found = call.find_by(of).await?.ok_or_else(|| Refused::not_found(AT))?;
        changed |= apply(call, row, &found, &Said::of(one)).await?;
    }
    Ok(changed)
}

/// Writes what is said of one; whether it changed anything. The appointment is
/// held, so a seat that is taken again is still there.
async fn apply(
    call: &mut Call<'_>,
    row: &Appointment,
    before: &AppointmentInclusion,
    said: &Said,
) -> Answer<bool> {
    let mut after = before.clone();
    after.attended = said.attended.or(before.attended);
    after.confirmed = said.confirmed.unwrap_or(before.confirmed);
    after.cancellation_reason = said.reason.clone().or(after.cancellation_reason);
    after.other_cancellation_reason = said.other.clone().or(after.other_cancellation_reason);
    match said.cancelled {
        Some(true) if !before.cancelled => call_off(call, &mut after),
        Some(false) if before.cancelled => {
            people::check_seats(row, people::attending(call, row).await? + 1)?;
            after.cancelled = false;
            after.cancelled_at = None;
            after.cancelled_by_id = None;
            after.cancellation_reason = None;
            after.other_cancellation_reason = None;
        }
        _ => {}
    }
    Ok(!call.update(before, &after).await?.columns.is_empty())
}

/// Marks somebody's part as called off by the caller.
pub(super) fn call_off(call: &Call<'_>, part: &mut AppointmentInclusion) {
    part.cancelled = true;
    part.cancelled_at = Some(call.now());
    part.cancelled_by_id = Some(Id::new(call.actor.user_id));
}

/// `updateAppointmentInclusion`: staff who may change the appointment say anything,
/// clients confirm their own part or call it off.
pub async fn update(call: &mut Call<'_>, input: &UpdateInclusion) -> Answer<Payload> {
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible(id, Level::Full).await?;
    let seen: AppointmentInclusion =
        found.map(|(part, _)| part).ok_or_else(|| Refused::not_found("id"))?;
    let row = to_change(call, Some(seen.appointment_id)).await?;
    // Read again, now that nobody else changes it.
    let before: Option<AppointmentInclusion> = call.find(id).await?;
    let before = before.ok_or_else(|| Refused::not_found("id"))?;
    let mut problems = Problems::new();
    bounded_reason("cancellation_reason", &input.cancellation_reason, &mut problems);
    problems.check()?;
    if call.actor.is_client() {
        return client::update_part(call, input, &row, &before).await;
    }
    members_only(call.actor)?;
    let providers = people::providers(call, &row).await?;
    permit::may_change(call, &row, &providers)?;
    let said = Said {
        attended: input.attended.value().copied(),
        cancelled: input.cancelled.value().copied(),
        confirmed: input.confirmed.value().copied(),
        reason: input.cancellation_reason.trimmed().map(str::to_owned),
        other: None,
    };
    if apply(call, &row, &before, &said).await? {
        retake(call, &row).await?;
        tell(call, &row, &["attended_clients"], true);
    }
    Ok(Payload::new().one("appointment_inclusion", before.id.0))
}
