//! Telling members that somebody asks for an appointment (behaviour 24): whom it is to,
//! and who wants to hear of anybody's; by mail as soon as their quiet hours allow, of the
//! requests that they see and that are still open then. Whoever asks often fills no
//! mailbox: the first mail goes at once, and what comes within an hour of it is one more.

use futures_util::future::BoxFuture;
use ward_engine::Answer;
use ward_identity::person::{self, Person};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Id, Level, Query, Scope, Select, Sql, Value};

use crate::notices::choices::Wishes;
use crate::notices::notice::{self, Notice};
use crate::notices::reminders::{self, About, Outcome};
use crate::notices::tables::{NoticeCategory, Reminder};
use crate::notices::{settings, zone_of};
use ward_scheduling::request::table::{
    APPOINTMENT_REQUESTS, AppointmentRequest, RequestStatus, appointment_requests as at,
};

/// The kind of reminder of a new request.
pub const KIND: &str = "appointment_request";
/// The mail's template.
const TEMPLATE: &str = "new_appointment_request";
/// The choice of whom it is to.
const FOR_ME: &str = "send_email_on_appt_request_for_you";
/// The choice of who hears of all.
const FOR_ANYONE: &str = "send_email_on_appt_request_for_anyone";
/// So many members hear of one request.
const TOLD_MAX: i64 = 200;
/// Between two mails to a member, in seconds.
const APART_SECONDS: i64 = 3_600;

/// Tells of a new request all but the member who made it: part of the job that settles
/// whose it is.
pub(super) fn tell<'a>(
    scope: &'a mut Scope<'_>,
    row: &'a AppointmentRequest,
    by: i64,
) -> BoxFuture<'a, Answer<()>> {
    Box::pin(async move {
        let mut told = curious(scope, row).await?;
        told.extend(row.provider_id.map(|id| id.0));
        told.sort_unstable();
        told.dedup();
        let now = scope.now();
        for member in told.into_iter().filter(|id| *id != by) {
            let user_id = Id::new(member);
            let about = About { kind: KIND, subject_id: row.id.0, user_id, unit_id: row.unit_id };
            reminders::keep(scope, about, now).await?;
        }
        Ok(())
    })
}

/// Members of the practice who asked to hear of all requests.
async fn curious(scope: &mut Scope<'_>, row: &AppointmentRequest) -> Answer<Vec<i64>> {
    let sql = Sql::fixed(
        "SELECT s.user_id FROM notification_settings s JOIN users u ON u.org_id = s.org_id \
         AND u.id = s.user_id WHERE s.org_id = $1 AND (s.unit_id = $2 OR s.unit_id = $1) \
         AND u.is_patient = FALSE AND u.active = TRUE AND u.deleted_at IS NULL \
         AND s.choices LIKE '%\"send_email_on_appt_request_for_anyone\":true%' \
         ORDER BY s.user_id LIMIT CAST($3 AS BIGINT)",
        [row.org_id.0.into(), row.unit_id.0.into(), TOLD_MAX.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

/// Says it, with all that waits for the member at this moment.
pub(super) async fn deliver(scope: &mut Scope<'_>, planned: &Reminder) -> Answer<Outcome> {
    // One mail after another, whichever process sends it: each sees the one before.
    let (org, member) = (scope.actor.org_id.to_string(), planned.user_id.to_string());
    scope.tx.lock(&["asked", &org, &member]).await?;
    let found = person::load(scope.tx, scope.actor.org_id, planned.user_id.0).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    let Some(member) = able.filter(|it| !it.user.is_integration && !it.user.is_patient) else {
        return Ok(Outcome::Done);
    };
    let setting = settings::of(scope, member.user.id).await?;
    let wishes = Wishes::of(setting.as_ref());
    if let Some(until) = wishes.quiet.held_until(scope.now(), &zone_of(&member)) {
        return Ok(Outcome::Later(until));
    }
    if let Some(until) = next_mail(scope, &member.user).await? {
        return Ok(Outcome::Later(until));
    }
    let waiting = waiting(scope, planned).await?;
    let about: Vec<i64> = waiting.iter().map(|it| it.subject_id).collect();
    let wanted = wanted(scope, &wishes, &member, &about).await?;
    for other in waiting.iter().filter(|it| it.id != planned.id) {
        scope.destroy(other).await?;
    }
    let Some(unsubscribes) = wanted.first().copied() else { return Ok(Outcome::Done) };
    let key = format!("{KIND}:{}", planned.id);
    let text = "Somebody asks for an appointment. Sign in to see more.";
    let count = (wanted.len() > 1).then(|| wanted.len().to_string());
    let facts = [("count", count)];
    let notice = Notice { facts: &facts, ..Notice::new(TEMPLATE, text, unsubscribes, &key) };
    notice::send(scope, &member.user, NoticeCategory::Email, &notice).await?;
    Ok(Outcome::Done)
}

/// When the member may get the next mail, if that is not yet.
async fn next_mail(scope: &mut Scope<'_>, member: &User) -> Answer<Option<Timestamp>> {
    let sql = Sql::fixed(
        "SELECT MAX(r.created_at) FROM sent_notification_records r WHERE r.org_id = $1 \
         AND r.user_id = $2 AND r.notification_type = 'new_appointment_request'",
        [member.org_id.0.into(), member.id.0.into()],
    );
    let last = scope.tx.rows(&sql).await?.scalar().and_then(Value::int).map(Timestamp);
    let next = last.map(|last| last.plus_seconds(APART_SECONDS));
    let now = scope.now();
    Ok(next.filter(|next| *next > now))
}

/// All that is due for the member at this moment.
async fn waiting(scope: &mut Scope<'_>, planned: &Reminder) -> Answer<Vec<Reminder>> {
    let due = Cond::sql("{t}.due_at <= ?", [scope.now().0.into()]);
    let of_member = Cond::eq("kind", KIND).and(Cond::eq("user_id", planned.user_id.0));
    Ok(scope.list(of_member.and(due), &[]).await?)
}

/// Of each of these requests of which a member is told, as long as it is open and they
/// see it: the choice by which. What is to them comes first.
async fn wanted(
    scope: &mut Scope<'_>,
    wishes: &Wishes,
    member: &Person,
    about: &[i64],
) -> Answer<Vec<&'static str>> {
    let actor = member.actor(None);
    let mut select = Select::new(&APPOINTMENT_REQUESTS, &actor);
    select.columns = vec![at::provider_id];
    select.least = Level::Full;
    let open = Cond::eq("current_status", RequestStatus::Open.as_str());
    select.filter = Cond::is_in("id", about).and(open);
    if select.filter.is_never() {
        return Ok(Vec::new());
    }
    let rows = scope.tx.rows(&select.sql()).await?;
    let of = |row: &[Value]| {
        let is_own = row.first().and_then(Value::int) == Some(member.user.id.0);
        let mut choices = [FOR_ME, FOR_ANYONE].into_iter();
        choices.find(|it| (*it == FOR_ANYONE || is_own) && wishes.choices.is_on(it))
    };
    let mut wanted: Vec<&'static str> = rows.iter().filter_map(of).collect();
    wanted.sort_unstable_by_key(|choice| *choice != FOR_ME);
    Ok(wanted)
}
