//! The part of each who attends, as it is written: in the log it concerns the client
//! whose it is, a client who comes or goes is an event, and takes or gives back a credit
//! (behaviour 14, 23.1).

use ward_engine::{Answer, Call};
use ward_identity::tables::User;
use ward_store::Id;

use super::table::{Appointment, AppointmentInclusion};
use crate::credit::follow;
use crate::credit::rule::Step;
use crate::events;

/// Writes what becomes of a part: a new one has nothing before, one that is gone
/// nothing behind. Whether that changed anything. Mails of it are sent if `noticed`.
pub async fn write(
    call: &mut Call<'_>,
    row: &Appointment,
    before: Option<&AppointmentInclusion>,
    after: Option<&AppointmentInclusion>,
    noticed: bool,
) -> Answer<bool> {
    let Some(user) = after.or(before).map(|part| part.user_id) else { return Ok(false) };
    let is_client = is_client(call, user).await?;
    let subject = call.scope.subject_id;
    if is_client {
        call.scope.subject_id = Some(user.0);
    }
    let changed = match (before, after) {
        (Some(before), Some(after)) => !call.update(before, after).await?.columns.is_empty(),
        (None, Some(made)) => call.create(made).await.map(|()| true)?,
        (Some(gone), None) => call.destroy(gone).await.map(|()| true)?,
        (None, None) => false,
    };
    call.scope.subject_id = subject;
    let attends = |part: Option<&AppointmentInclusion>| part.is_some_and(|it| !it.cancelled);
    let (event, step) = match (attends(before), attends(after)) {
        (false, true) => (events::patient_added(row, user.0), Step::Begins),
        (true, false) => (events::patient_removed(row, user.0), Step::Ends),
        _ => return Ok(changed),
    };
    if is_client {
        call.emit(event.noticed(noticed));
        follow::part(call, row, user, step).await?;
    }
    Ok(changed)
}

async fn is_client(call: &mut Call<'_>, id: Id<User>) -> Answer<bool> {
    let user: Option<User> = call.find_deleted_too(id).await?;
    Ok(user.is_some_and(|user| user.is_patient))
}

/// Whom the change of an appointment concerns in the log when it goes from one client
/// to another: the new one, unless only the old one is restricted, whose number it
/// has as well (behaviour 16.2.4).
pub async fn concerned(
    call: &mut Call<'_>,
    before: &Appointment,
    after: &Appointment,
) -> Answer<Option<i64>> {
    let (Some(old), Some(new)) = (before.user_id, after.user_id) else {
        return Ok(after.user_id.or(before.user_id).map(|id| id.0));
    };
    if old == new {
        return Ok(Some(new.0));
    }
    let old: Option<User> = call.find_deleted_too(old).await?;
    let to: Option<User> = call.find_deleted_too(new).await?;
    let is_open = to.is_none_or(|user| !user.restricted);
    Ok(old.filter(|user| user.restricted && is_open).map_or(Some(new.0), |user| Some(user.id.0)))
}
