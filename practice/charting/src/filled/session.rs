//! Which appointment a form or note is of (behaviour 14, 26). Its `appointment_id` alone says so: a
//! connection is the note itself while it has one, and goes by the note's id.

use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_identity::flags::CAN_UNLINK_CHART_NOTE_FROM_APPOINTMENT;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_scheduling::appointment::table::Appointment;
use ward_store::{Id, Level, Query, Sql};

use super::autolock;
use super::change::{held, may_write};
use super::tables::FormAnswerGroup;
use crate::events;
use crate::group_note::write::STAYS;

const NOTE: &str = "form_answer_group_id";

input! {
    /// `createAppointmentFormAnswerGroupConnectionInput`.
    pub struct Connect {
        appointment_id: IdOrBlank<Appointment>,
        form_answer_group_id: IdOrBlank<FormAnswerGroup>,
    }
}

input! {
    /// `deleteAppointmentFormAnswerGroupConnectionInput`.
    pub struct Disconnect { form_answer_group_id: IdOrBlank<FormAnswerGroup> }
}

/// Says which appointment a note is of, in place of the one before.
pub async fn connect(call: &mut Call<'_>, input: &Connect) -> Answer<Payload> {
    members_only(call.actor)?;
    let before = note(call, named(&input.form_answer_group_id)).await?;
    let id = named(&input.appointment_id).ok_or_else(|| Refused::not_found("appointment_id"))?;
    let mut after = before.clone();
    lead(call, &mut after, Some(id)).await?;
    write(call, &before, &after).await?;
    Ok(Payload::new().one("appointment", id.0).one("form_answer_group", after.id.0))
}

/// Says that a note is of no appointment.
pub async fn disconnect(call: &mut Call<'_>, input: &Disconnect) -> Answer<Payload> {
    requires(call.actor, CAN_UNLINK_CHART_NOTE_FROM_APPOINTMENT)?;
    let before = note(call, named(&input.form_answer_group_id)).await?;
    if before.is_group_appt_note {
        return Err(Refused::base(STAYS));
    }
    let after = FormAnswerGroup { appointment_id: None, ..before.clone() };
    write(call, &before, &after).await?;
    Ok(Payload::new().one("form_answer_group", after.id.0))
}

/// A note that the member sees, held; one that is locked keeps its appointment, which is signed with
/// it.
async fn note(call: &mut Call<'_>, id: Option<Id<FormAnswerGroup>>) -> Answer<FormAnswerGroup> {
    let group = held(call, id).await.map_err(|refused| match refused {
        Refused::NotFound(_) => Refused::not_found(NOTE),
        other => other,
    })?;
    may_write(call, &group)?;
    Ok(group)
}

async fn write(
    call: &mut Call<'_>,
    before: &FormAnswerGroup,
    after: &FormAnswerGroup,
) -> Answer<()> {
    let changes = call.update(before, after).await?;
    autolock::written(call, Some(before), after).await?;
    if !changes.is_empty() {
        call.emit(events::group_updated(after, &changes.columns));
    }
    tell(call, Some(before), after);
    Ok(())
}

/// Leads a note to an appointment, or to none. Another one than before, or none, takes a permission.
pub async fn lead(
    call: &mut Call<'_>,
    group: &mut FormAnswerGroup,
    id: Option<Id<Appointment>>,
) -> Answer<()> {
    if group.appointment_id == id {
        return Ok(());
    }
    if group.is_group_appt_note {
        return Err(Refused::base(STAYS));
    }
    if group.appointment_id.is_some() {
        requires(call.actor, CAN_UNLINK_CHART_NOTE_FROM_APPOINTMENT)?;
    }
    group.appointment_id = attended(call, id, group.user_id).await?;
    Ok(())
}

/// Tells of it, where it is another appointment than before. A draft is nobody's news.
pub fn tell(call: &mut Call<'_>, before: Option<&FormAnswerGroup>, after: &FormAnswerGroup) {
    let of = |group: &FormAnswerGroup| group.appointment_id.filter(|_| group.finished);
    let event = match (before.and_then(of), of(after)) {
        (None, Some(id)) => events::connected(after, id),
        (Some(old), Some(id)) if old != id => events::reconnected(after, id),
        (Some(old), None) => events::disconnected(after, old),
        _ => return,
    };
    call.emit(event);
}

/// The appointment that a form belongs to, which the client attends.
pub async fn attended(
    call: &mut Call<'_>,
    id: Option<Id<Appointment>>,
    client: Id<User>,
) -> Answer<Option<Id<Appointment>>> {
    const AT: &str = "appointment_id";
    let Some(id) = id else { return Ok(None) };
    let found = call.visible_for_reference::<Appointment>(id, Level::Full).await?;
    let (appointment, _) = found.ok_or_else(|| Refused::not_found(AT))?;
    let sql = Sql::fixed(
        "SELECT 1 FROM appointment_inclusions i \
         WHERE i.org_id = $1 AND i.appointment_id = $2 AND i.user_id = $3 \
         AND i.cancelled = FALSE",
        [call.actor.org_id.into(), id.0.into(), client.0.into()],
    );
    let attends = appointment.user_id == Some(client) || !call.tx.rows(&sql).await?.is_empty();
    match attends {
        true => Ok(Some(id)),
        false => Err(Refused::on(AT, "The client doesn't attend this appointment")),
    }
}
