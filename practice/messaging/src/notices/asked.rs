//! Telling members that somebody asks for an appointment (behaviour 24): whom it is to,
//! and who wants to hear of anybody's; by mail as soon as their quiet hours allow, if
//! they see the request and it is still open then.

use ward_engine::{Answer, Bindings, Call};
use ward_identity::person;
use ward_identity::tables::User;
use ward_store::{Event, Id, Level, Query, Scope, Sql};

use crate::notices::choices::Wishes;
use crate::notices::notice::{self, Notice};
use crate::notices::reminders::{self, About, Outcome};
use crate::notices::tables::{NoticeCategory, Reminder};
use crate::notices::{settings, zone_of};
use ward_scheduling::events::REQUESTED;
use ward_scheduling::request::table::{AppointmentRequest, RequestStatus};

/// The kind of reminder of a new request.
pub const KIND: &str = "appointment_request";
/// The choice of whom it is to.
const FOR_ME: &str = "send_email_on_appt_request_for_you";
/// The choice of who hears of all.
const FOR_ANYONE: &str = "send_email_on_appt_request_for_anyone";
/// So many members hear of one request.
const TOLD_MAX: i64 = 200;

/// Registers the reaction.
pub fn bind(b: &mut Bindings) {
    b.reaction(REQUESTED, |call, event| Box::pin(tell(call, event)));
}

async fn tell(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let row: Option<AppointmentRequest> = call.find(Id::new(event.resource_id)).await?;
    let Some(row) = row else { return Ok(()) };
    let asking = &call.request.actor;
    let by = if asking.org_id == row.org_id.0 { asking.user_id } else { 0 };
    let mut told = curious(call, &row).await?;
    told.extend(row.provider_id.map(|id| id.0));
    told.sort_unstable();
    told.dedup();
    let now = call.now();
    for member in told.into_iter().filter(|id| *id != by) {
        let user_id = Id::new(member);
        let about = About { kind: KIND, subject_id: row.id.0, user_id, unit_id: row.unit_id };
        reminders::keep(call, about, now).await?;
    }
    Ok(())
}

/// Members of the practice who asked to hear of all requests.
async fn curious(call: &mut Call<'_>, row: &AppointmentRequest) -> Answer<Vec<i64>> {
    let sql = Sql::fixed(
        "SELECT s.user_id FROM notification_settings s JOIN users u ON u.org_id = s.org_id \
         AND u.id = s.user_id WHERE s.org_id = $1 AND (s.unit_id = $2 OR s.unit_id = $1) \
         AND u.is_patient = FALSE AND u.active = TRUE AND u.deleted_at IS NULL \
         AND s.choices LIKE '%\"send_email_on_appt_request_for_anyone\":true%' \
         ORDER BY s.user_id LIMIT CAST($3 AS BIGINT)",
        [row.org_id.0.into(), row.unit_id.0.into(), TOLD_MAX.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

/// Says it.
pub(super) async fn deliver(scope: &mut Scope<'_>, planned: &Reminder) -> Answer<Outcome> {
    let found = person::load(scope.tx, scope.actor.org_id, planned.user_id.0).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    let Some(member) = able.filter(|it| !it.user.is_integration && !it.user.is_patient) else {
        return Ok(Outcome::Done);
    };
    let seen: Option<(AppointmentRequest, Level)> = {
        let actor = member.actor(None);
        let mut own = Scope::new(&mut *scope.tx, &actor);
        own.visible(Id::new(planned.subject_id), Level::Full).await?
    };
    let open = seen.filter(|(row, _)| row.current_status == RequestStatus::Open);
    let Some((row, _)) = open else { return Ok(Outcome::Done) };
    let setting = settings::of(scope, member.user.id).await?;
    let wishes = Wishes::of(setting.as_ref());
    let Some(wanted) = wanted(&wishes, &row, &member.user) else { return Ok(Outcome::Done) };
    if let Some(until) = wishes.quiet.held_until(scope.now(), &zone_of(&member)) {
        return Ok(Outcome::Later(until));
    }
    let key = format!("{KIND}:{}", planned.id);
    let text = "Somebody asks for an appointment. Sign in to see more.";
    let notice = Notice::new("new_appointment_request", text, wanted, &key);
    notice::send(scope, &member.user, NoticeCategory::Email, &notice).await?;
    Ok(Outcome::Done)
}

/// The choice by which a member is told of a request, if any.
fn wanted(wishes: &Wishes, row: &AppointmentRequest, member: &User) -> Option<&'static str> {
    let is_own = row.provider_id == Some(member.id);
    let mut choices = [FOR_ME, FOR_ANYONE].into_iter().filter(|it| *it == FOR_ANYONE || is_own);
    choices.find(|it| wishes.choices.is_on(it))
}
