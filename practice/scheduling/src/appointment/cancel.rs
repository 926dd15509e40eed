//! What becomes of an appointment, and why it was called off (behaviour 23.1,
//! 23.4).

use ward_engine::{Answer, Call, Given, Refused};
use ward_store::Id;

use super::input::UpdateAppointment;
use super::reason;
use super::status::{CancelledBy, PmStatus};
use super::table::Appointment;
use crate::settings::layers::Settings;

/// Writes the status that staff set, with its stamps and reasons.
pub(super) fn status(
    call: &Call<'_>,
    input: &UpdateAppointment,
    before: &Appointment,
    row: &mut Appointment,
    settings: &Settings,
) -> Answer<()> {
    if input.cancellation_reason_id.is_given() {
        row.cancellation_reason_id = number(&input.cancellation_reason_id)?;
    }
    input.other_cancellation_reason.set_text(&mut row.other_cancellation_reason);
    if input.cancellation_initiated_by.is_given() {
        let by = input.cancellation_initiated_by.trimmed();
        row.cancellation_initiated_by = by.and_then(CancelledBy::from_text);
    }
    let has_reason =
        row.cancellation_reason_id.is_some() || row.other_cancellation_reason.is_some();
    let lacks_reason = settings.provider_cancel_reason_required && !has_reason;
    if !input.pm_status.is_given() {
        let had_reason =
            before.cancellation_reason_id.is_some() || before.other_cancellation_reason.is_some();
        // What had to be said can't be taken back as long as it is off.
        return match before.pm_status.is_some_and(is_cancelled) && had_reason && lacks_reason {
            true => Err(no_reason("cancellation_reason_id")),
            false => Ok(()),
        };
    }
    let wanted = match input.pm_status.trimmed() {
        Some(text) => Some(known(text, settings)?),
        None => None,
    };
    if wanted == before.pm_status {
        return Ok(());
    }
    if wanted.is_some_and(is_cancelled) {
        if lacks_reason {
            return Err(no_reason("cancellation_reason_id"));
        }
        row.cancellation_initiated_by.get_or_insert(CancelledBy::Provider);
    } else if before.pm_status.is_some_and(is_cancelled) {
        row.cancellation_reason_id = None;
        row.other_cancellation_reason = None;
        row.cancellation_initiated_by = None;
    }
    stamp(call, row, wanted);
    Ok(())
}

/// Writes a status, with who set it and when.
pub(super) fn stamp(call: &Call<'_>, row: &mut Appointment, status: Option<PmStatus>) {
    row.pm_status = status;
    row.pm_status_changed_at = Some(call.now());
    row.pm_status_last_changed_by_id = Some(Id::new(call.actor.user_id));
}

fn is_cancelled(status: PmStatus) -> bool {
    matches!(status, PmStatus::Cancelled | PmStatus::LateCancellation)
}

/// A status that the settings have.
fn known(text: &str, settings: &Settings) -> Answer<PmStatus> {
    let known = settings.statuses();
    let found = PmStatus::from_text(text).filter(|it| known.contains(&it.as_str()));
    found.ok_or_else(|| {
        Refused::on("pm_status", format!("Pm status must be one of {}", known.join(", ")))
    })
}

/// The reason that an input names by its id; a blank one is none.
pub(super) fn number(given: &Given<String>) -> Answer<Option<i64>> {
    let Some(text) = given.trimmed() else { return Ok(None) };
    let found = reason::of_text(text).map(|it| Some(it.number));
    found.ok_or_else(|| Refused::not_found("cancellation_reason_id"))
}

pub(super) fn no_reason(field: &str) -> Refused {
    Refused::on(field, "Cancellation reason can't be blank")
}
