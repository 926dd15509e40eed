//! What becomes of an appointment, and why it was called off (behaviour 23.1,
//! 23.4).

use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::lines::label;
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
    let wanted = match (input.pm_status.is_given(), input.pm_status.trimmed()) {
        (true, Some(text)) => Some(known(text, settings)?),
        (true, None) => None,
        (false, _) => before.pm_status,
    };
    if wanted.is_none_or(PmStatus::is_active) {
        says_why_not(before, row)?;
    }
    let reason = |row: &Appointment| {
        row.cancellation_reason_id.is_some() || row.other_cancellation_reason.is_some()
    };
    let (is_off, was_off) =
        (wanted.is_some_and(is_cancelled), before.pm_status.is_some_and(is_cancelled));
    // What had to be said can't be taken back as long as it is off.
    if settings.provider_cancel_reason_required
        && is_off
        && !reason(row)
        && (!was_off || reason(before))
    {
        return Err(no_reason("cancellation_reason_id"));
    }
    if wanted == before.pm_status {
        return Ok(());
    }
    if is_off {
        row.cancellation_initiated_by.get_or_insert(CancelledBy::Provider);
    } else if was_off {
        row.cancellation_reason_id = None;
        row.other_cancellation_reason = None;
        row.cancellation_initiated_by = None;
    }
    stamp(call, row, wanted);
    Ok(())
}

/// Refuses what is newly said of why it does not take place, or by whom, of what takes
/// place.
fn says_why_not(before: &Appointment, row: &Appointment) -> Answer<()> {
    let by = row.cancellation_initiated_by;
    let field = if row.cancellation_reason_id.is_some()
        && row.cancellation_reason_id != before.cancellation_reason_id
    {
        "cancellation_reason_id"
    } else if row.other_cancellation_reason.is_some()
        && row.other_cancellation_reason != before.other_cancellation_reason
    {
        "other_cancellation_reason"
    } else if by.is_some() && by != before.cancellation_initiated_by {
        "cancellation_initiated_by"
    } else {
        return Ok(());
    };
    let sentence = format!("{} is of an appointment that does not take place", label(field));
    Err(Refused::on(field, sentence))
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
