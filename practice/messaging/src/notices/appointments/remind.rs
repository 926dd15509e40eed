//! Reminders of appointments: planned with every change, said at their time, and
//! never of one that is off (behaviour 42).

use std::collections::BTreeSet;

use crate::notices::choices::Wishes;
use crate::notices::notice::{self, Notice};
use crate::notices::plan::Slots;
use crate::notices::reminders::{self, About, Outcome, ReminderKind};
use crate::notices::settings as wishes;
use crate::notices::tables::{NoticeCategory, Reminder};
use jiff::tz::TimeZone;
use ward_engine::Answer;
use ward_identity::person;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_instance::room_link::RoomLink;
use ward_store::{Cond, Id, Scope};

use super::rule::{self, Reminding};
use super::{CHOICE, PUSH_CHOICE, people};
use ward_scheduling::appointment::calendar;
use ward_scheduling::appointment::table::Appointment;
use ward_scheduling::appointment::video::link;
use ward_scheduling::settings::applies::{applies, type_of};
use ward_scheduling::settings::layers::Settings;

/// The kind of reminder.
pub const KIND: &str = "appointment";

/// What says them.
pub const REMINDER: ReminderKind =
    ReminderKind { name: KIND, deliver: |scope, row| Box::pin(deliver(scope, row)) };

pub(super) fn about(row: &Appointment, user: Id<User>) -> About {
    About { kind: KIND, subject_id: row.id.0, user_id: user, unit_id: row.unit_id }
}

/// The settings that apply to an appointment now.
pub(super) async fn settings(scope: &mut Scope<'_>, row: &Appointment) -> Answer<Settings> {
    let of = type_of(scope, row.appointment_type_id).await?;
    applies(scope, of.as_ref(), row.provider_id.0, row.unit_id.0).await
}

/// Plans a client's reminders anew.
pub(super) async fn plan(
    scope: &mut Scope<'_>,
    row: &Appointment,
    settings: &Settings,
    client: &User,
) -> Answer<()> {
    reminders::plan(scope, about(row, client.id), &slots(row, settings, client)).await
}

/// Those that a client is to have.
pub(super) fn slots(row: &Appointment, settings: &Settings, client: &User) -> Slots {
    match calendar::takes_time(row) && !row.is_blocker {
        true => {
            let zone = people::zone(client, row);
            rule::slots(row.start_at, &zone, settings, row.contact_type_id)
        }
        false => Slots::new(),
    }
}

/// Plans those of all who attend, and drops those of who does not any more.
pub(super) async fn plan_all(
    scope: &mut Scope<'_>,
    row: &Appointment,
    settings: &Settings,
    clients: &[&User],
) -> Answer<()> {
    for client in clients {
        plan(scope, row, settings, client).await?;
    }
    let of_it = Cond::eq("kind", KIND).and(Cond::eq("subject_id", row.id.0));
    let planned: Vec<Reminder> = scope.list(of_it, &[]).await?;
    let planned: BTreeSet<i64> = planned.iter().map(|it| it.user_id.0).collect();
    for gone in planned.into_iter().filter(|id| clients.iter().all(|it| it.id.0 != *id)) {
        drop_of(scope, row, Id::new(gone)).await?;
    }
    Ok(())
}

/// Drops somebody's.
pub(super) async fn drop_of(
    scope: &mut Scope<'_>,
    row: &Appointment,
    user: Id<User>,
) -> Answer<()> {
    reminders::plan(scope, about(row, user), &Slots::new()).await
}

/// Whether a nearer one of the same way is due as well: after a halt, or a night,
/// one is enough (DOM-12).
fn is_overtaken(
    reminding: &Reminding,
    row: &Appointment,
    zone: &TimeZone,
    settings: &Settings,
    now: Timestamp,
) -> bool {
    let due = reminding.due(row.start_at, zone);
    let nearer = |other: &Reminding| {
        let at = other.due(row.start_at, zone);
        other.category == reminding.category
            && other.is_wanted(settings, row.contact_type_id)
            && at > due
            && at <= Some(now)
    };
    rule::ALL.iter().any(nearer)
}

/// Where the client comes into the room of a video call, if it has one: by way of this instance,
/// which knows where the room is when the link is followed.
fn room_link(scope: &Scope<'_>, row: &Appointment, client: &User) -> Option<String> {
    let link = RoomLink { org_id: row.org_id.0, appointment_id: row.id.0, user_id: client.id.0 };
    row.room_ordered.then(|| link::path(scope.instance(), &link))
}

/// Says one, if all that it rests on is still so.
async fn deliver(scope: &mut Scope<'_>, planned: &Reminder) -> Answer<Outcome> {
    let Some(reminding) = Reminding::named(&planned.slot) else { return Ok(Outcome::Done) };
    let row: Option<Appointment> = scope.find(Id::new(planned.subject_id)).await?;
    let now = scope.now();
    let row = row.filter(|it| calendar::takes_time(it) && !it.is_blocker && it.start_at > now);
    let Some(row) = row else { return Ok(Outcome::Done) };
    let settings = settings(scope, &row).await?;
    if !reminding.is_wanted(&settings, row.contact_type_id)
        || !people::attends(scope, &row, planned.user_id).await?
    {
        return Ok(Outcome::Done);
    }
    let found = person::load(scope.tx, scope.actor.org_id, planned.user_id.0).await?;
    let client = found.filter(|it| it.user.is_patient && it.user.active);
    let Some(client) = client.map(|it| it.user) else { return Ok(Outcome::Done) };
    let setting = wishes::of(scope, client.id).await?;
    let wishes = Wishes::of(setting.as_ref());
    let is_email = reminding.category == NoticeCategory::Email;
    let choice = match reminding.category {
        NoticeCategory::Email => Some(CHOICE),
        NoticeCategory::Push => Some(PUSH_CHOICE),
        NoticeCategory::Sms => None,
    };
    if choice.is_some_and(|choice| !wishes.choices.is_on(choice)) {
        return Ok(Outcome::Done);
    }
    let zone = people::zone(&client, &row);
    if is_overtaken(reminding, &row, &zone, &settings, now) {
        return Ok(Outcome::Done);
    }
    match wishes.quiet.held_until(now, &zone) {
        Some(until) if until < row.start_at => return Ok(Outcome::Later(until)),
        // Nobody's telephone rings at night, not even for an early appointment.
        Some(_) if !is_email => return Ok(Outcome::Done),
        _ => {}
    }
    let key = format!("{KIND}:{}:{}", planned.id, planned.slot);
    let time = rule::short(row.start_at, &zone).unwrap_or_default();
    let text = format!("Reminder: you have an appointment on {time}.");
    let facts = [
        ("time", rule::long(row.start_at, &zone)),
        ("provider_name", people::provider_name(scope, &row).await?),
        ("room_link", room_link(scope, &row, &client)),
    ];
    let notice = Notice {
        facts: &facts,
        expires_at: Some(row.start_at),
        ..Notice::new("appointment_reminder", &text, CHOICE, &key)
    };
    scope.subject_id = Some(client.id.0);
    notice::send(scope, &client, reminding.category, &notice).await?;
    Ok(Outcome::Done)
}
