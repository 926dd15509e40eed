//! Mails on booking, changing and calling off (behaviour 42): to the clients who
//! attend, as the practice's settings say, and to the provider; by everybody's own
//! choices, and not to who did it themselves if they are staff.

use ward_engine::{Answer, Call};
use ward_identity::person;
use ward_identity::tables::User;
use ward_messaging::notices::choices::Wishes;
use ward_messaging::notices::notice::{self, Notice};
use ward_messaging::notices::settings as wishes;
use ward_messaging::notices::tables::NoticeCategory;
use ward_store::Id;

use super::{people, rule};
use crate::appointment::table::Appointment;
use crate::settings::layers::Settings;

/// What happened to an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Booked,
    Changed,
    Cancelled,
}

impl Happening {
    /// The mail's template.
    const fn template(self) -> &'static str {
        match self {
            Happening::Booked => "appointment_booked",
            Happening::Changed => "appointment_changed",
            Happening::Cancelled => "appointment_cancelled",
        }
    }

    /// The choice that somebody makes for themselves.
    const fn choice(self) -> &'static str {
        match self {
            Happening::Booked => "send_email_on_appointment_book",
            Happening::Changed => "send_email_on_appointment_reschedule",
            Happening::Cancelled => "send_email_on_appointment_cancel",
        }
    }

    /// Whether the practice tells its clients of it.
    const fn is_told(self, settings: &Settings) -> bool {
        match self {
            Happening::Booked => settings.send_booking_notice,
            Happening::Changed => settings.send_appointment_update_email,
            Happening::Cancelled => settings.send_appointment_cancellation_email,
        }
    }
}

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
        mail(call, row, happening, client).await?;
    }
    Ok(())
}

/// Mails the main provider, unless they did it themselves.
pub(super) async fn provider(
    call: &mut Call<'_>,
    row: &Appointment,
    happening: Happening,
) -> Answer<()> {
    if is_by(call, row.provider_id) {
        return Ok(());
    }
    let org = call.actor.org_id;
    let found = person::load(call.tx, org, row.provider_id.0).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    match able.filter(|it| !it.user.is_integration) {
        Some(member) => mail(call, row, happening, &member.user).await,
        None => Ok(()),
    }
}

/// Whether it was this person who asked.
fn is_by(call: &Call<'_>, user: Id<User>) -> bool {
    let asking = &call.request.actor;
    asking.org_id == call.actor.org_id && asking.user_id == user.0
}

async fn mail(
    call: &mut Call<'_>,
    row: &Appointment,
    happening: Happening,
    to: &User,
) -> Answer<()> {
    let setting = wishes::of(call, to.id).await?;
    let wishes = Wishes::of(setting.as_ref());
    if !wishes.choices.is_on(happening.choice()) {
        return Ok(());
    }
    let zone = people::zone(to, row);
    let held = match is_by(call, to.id) {
        true => None,
        false => wishes.quiet.held_until(call.now(), &zone),
    };
    let provider_name = match to.is_patient {
        true => people::provider_name(call, row).await?,
        false => None,
    };
    let facts = [("time", rule::long(row.start_at, &zone)), ("provider_name", provider_name)];
    let template = happening.template();
    let key = format!("{template}:{}:{}:{}", row.id, row.version, to.id);
    let notice = Notice {
        facts: &facts,
        not_before: held.filter(|until| *until < row.start_at),
        ..Notice::new(template, "", happening.choice(), &key)
    };
    let subject = call.scope.subject_id;
    call.scope.subject_id = to.is_patient.then_some(to.id.0);
    notice::send(call, to, NoticeCategory::Email, &notice).await?;
    call.scope.subject_id = subject;
    Ok(())
}
