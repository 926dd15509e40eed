//! Mails on booking, changing and calling off (behaviour 42): to the clients who
//! attend, as the practice's settings say, and to the provider; by everybody's own
//! choices, and not to who did it themselves if they are staff.
//!
//! In quiet hours a mail waits as a reminder does, and what is so is asked when it
//! is sent.

use crate::notices::choices::Wishes;
use crate::notices::notice::{self, Notice};
use crate::notices::plan::Slots;
use crate::notices::reminders::{self, About, Outcome, ReminderKind};
use crate::notices::settings as wishes;
use crate::notices::tables::{NoticeCategory, Reminder};
use ward_engine::{Answer, Call};
use ward_identity::person::{self, Person};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Scope};

use super::happening::Happening;
use super::{people, remind, rule};
use ward_scheduling::appointment::calendar;
use ward_scheduling::appointment::table::Appointment;
use ward_scheduling::settings::layers::Settings;

/// The kind of reminder of a mail that waits for the end of quiet hours. Its slot
/// is the mail's template.
const KIND: &str = "appointment_mail";

/// What sends them.
pub const WAITING: ReminderKind =
    ReminderKind { name: KIND, deliver: |scope, row| Box::pin(deliver(scope, row)) };

/// Mails clients.
pub(super) async fn clients(
    call: &mut Call<'_>,
    row: &Appointment,
    settings: &Settings,
    happening: Happening,
    clients: &[&User],
) -> Answer<()> {
    if !happening.is_told(settings) {
        return Ok(());
    }
    for client in clients {
        tell(call, row, happening, client).await?;
    }
    Ok(())
}

/// Mails all who give it, but for these and who did it themselves.
pub(super) async fn providers(
    call: &mut Call<'_>,
    row: &Appointment,
    happening: Happening,
    without: &[Id<User>],
) -> Answer<()> {
    for id in people::givers(call, row).await? {
        if !without.contains(&id) {
            provider(call, row, happening, id).await?;
        }
    }
    Ok(())
}

/// Mails a provider, unless they did it themselves.
pub(super) async fn provider(
    call: &mut Call<'_>,
    row: &Appointment,
    happening: Happening,
    id: Id<User>,
) -> Answer<()> {
    if is_by(call, id) {
        return Ok(());
    }
    match able(call, id).await? {
        Some(member) => tell(call, row, happening, &member.user).await,
        None => Ok(()),
    }
}

/// Somebody who is told of things at all.
async fn able(scope: &mut Scope<'_>, user: Id<User>) -> Answer<Option<Person>> {
    let found = person::load(scope.tx, scope.actor.org_id, user.0).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    Ok(able.filter(|it| it.user.active && !it.user.is_integration))
}

/// Whether it was this person who asked.
pub(super) fn is_by(call: &Call<'_>, user: Id<User>) -> bool {
    let asking = &call.request.actor;
    asking.org_id == call.actor.org_id && asking.user_id == user.0
}

/// Mails somebody at once, or when their quiet hours end.
async fn tell(
    call: &mut Call<'_>,
    row: &Appointment,
    happening: Happening,
    to: &User,
) -> Answer<()> {
    let about = About { kind: KIND, subject_id: row.id.0, user_id: to.id, unit_id: row.unit_id };
    let waits = Cond::eq("kind", KIND)
        .and(Cond::eq("subject_id", row.id.0))
        .and(Cond::eq("user_id", to.id.0));
    let waiting: Option<Reminder> = call.find_by(waits).await?;
    let setting = wishes::of(call, to.id).await?;
    let quiet = Wishes::of(setting.as_ref()).quiet;
    let held = quiet.held_until(call.now(), &people::zone(to, row));
    match held.filter(|until| *until < row.start_at && !is_by(call, to.id)) {
        Some(until) => {
            let before = waiting.and_then(|it| Happening::of_template(&it.slot));
            let left = happening.after(before);
            let slots: Slots =
                left.map(|it| (it.template().to_owned(), until)).into_iter().collect();
            reminders::plan(call, about, &slots).await
        }
        None => {
            if waiting.is_some() {
                reminders::plan(call, about, &Slots::new()).await?;
            }
            let key = call.tx.uuid().0;
            mail(call, row, happening, to, &key).await
        }
    }
}

/// Sends a mail that waited, if it still says what is so.
async fn deliver(scope: &mut Scope<'_>, planned: &Reminder) -> Answer<Outcome> {
    let Some(happening) = Happening::of_template(&planned.slot) else { return Ok(Outcome::Done) };
    let row: Option<Appointment> = scope.find_deleted_too(Id::new(planned.subject_id)).await?;
    let now = scope.now();
    let Some(row) = row.filter(|row| row.start_at > now) else { return Ok(Outcome::Done) };
    let Some(person) = able(scope, planned.user_id).await? else { return Ok(Outcome::Done) };
    let to = person.user;
    let concerns = match to.is_patient {
        true => people::attends(scope, &row, to.id).await?,
        false => people::givers(scope, &row).await?.contains(&to.id),
    };
    let is_on = calendar::takes_time(&row) && concerns;
    let settings = remind::settings(scope, &row).await?;
    let is_told = !to.is_patient || happening.is_told(&settings);
    if is_on == (happening == Happening::Cancelled) || !is_told {
        return Ok(Outcome::Done);
    }
    let setting = wishes::of(scope, to.id).await?;
    let quiet = Wishes::of(setting.as_ref()).quiet;
    let held = quiet.held_until(now, &people::zone(&to, &row));
    if let Some(until) = held.filter(|until| *until < row.start_at) {
        return Ok(Outcome::Later(until));
    }
    mail(scope, &row, happening, &to, &planned.id.to_string()).await?;
    Ok(Outcome::Done)
}

async fn mail(
    scope: &mut Scope<'_>,
    row: &Appointment,
    happening: Happening,
    to: &User,
    key: &str,
) -> Answer<()> {
    let setting = wishes::of(scope, to.id).await?;
    if !Wishes::of(setting.as_ref()).choices.is_on(happening.choice()) {
        return Ok(());
    }
    let provider_name = match to.is_patient {
        true => people::provider_name(scope, row).await?,
        false => None,
    };
    let zone = people::zone(to, row);
    let facts = [("time", rule::long(row.start_at, &zone)), ("provider_name", provider_name)];
    let template = happening.template();
    let key = format!("{template}:{key}");
    // What is told of an appointment that has begun is told all the same.
    let expires_at = Some(row.start_at).filter(|start| *start > scope.now());
    let new = Notice::new(template, "", happening.choice(), &key);
    let notice = Notice { facts: &facts, expires_at, ..new };
    let subject = scope.subject_id;
    scope.subject_id = to.is_patient.then_some(to.id.0);
    notice::send(scope, to, NoticeCategory::Email, &notice).await?;
    scope.subject_id = subject;
    Ok(())
}
