//! Who is told of appointments: mails when one is booked, changed or called off,
//! and reminders before it (behaviour 42). All of it follows from the domain's
//! events, in the transaction that emits them.

pub mod happening;
mod people;
pub mod remind;
pub mod rule;
pub mod seeds;
mod tell;

use ward_engine::{Answer, Bindings, Call};
use ward_identity::tables::User;
use ward_store::{Event, Id};

use happening::Happening;
use ward_scheduling::appointment::calendar;
use ward_scheduling::appointment::status::PmStatus;
use ward_scheduling::appointment::table::Appointment;
use ward_scheduling::events::{PROVIDER_ADDED, PROVIDER_REMOVED, providers_of};

pub use remind::REMINDER;
pub use tell::WAITING;

/// The choice with which somebody wants mails before appointments.
const CHOICE: &str = "send_email_before_appointment";

/// The choice with which somebody wants notifications before appointments.
const PUSH_CHOICE: &str = "send_push_before_appointment";

/// Changes of which people are told.
const TOLD: [&str; 6] =
    ["date", "length", "contact_type", "location", "appointment_location_id", "other_party_id"];

/// Changes on which reminders of all who attend rest. Who comes or goes has events
/// of their own.
const PLANNED: [&str; 5] = ["date", "timezone", "pm_status", "contact_type", "appointment_type_id"];

/// Registers the reactions.
pub fn bind(b: &mut Bindings) {
    b.reaction("appointment.created", |call, event| Box::pin(created(call, event)));
    b.reaction("appointment.patient_added", |call, event| Box::pin(added(call, event)));
    b.reaction("appointment.patient_removed", |call, event| Box::pin(removed(call, event)));
    b.reaction("appointment.updated", |call, event| Box::pin(updated(call, event)));
    b.reaction("appointment.deleted", |call, event| Box::pin(deleted(call, event)));
}

/// The appointment of an event.
async fn row(call: &mut Call<'_>, event: &Event) -> Answer<Option<Appointment>> {
    let found: Option<Appointment> = call.find_deleted_too(Id::new(event.resource_id)).await?;
    Ok(found.filter(|row| !row.is_blocker))
}

/// Whether it is not over yet.
fn is_ahead(call: &Call<'_>, row: &Appointment) -> bool {
    row.start_at > call.now()
}

/// Whether there is still something to come to.
fn is_on(call: &Call<'_>, row: &Appointment) -> bool {
    is_ahead(call, row) && calendar::takes_time(row)
}

async fn created(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let Some(row) = row(call, event).await? else { return Ok(()) };
    match event.is_noticed && is_on(call, &row) {
        true => tell::providers(call, &row, Happening::Booked, &[]).await,
        false => Ok(()),
    }
}

async fn added(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let Some(row) = row(call, event).await? else { return Ok(()) };
    let Some(client) = people::client(call, event.subject_id.unwrap_or(0)).await? else {
        return Ok(());
    };
    let settings = remind::settings(call, &row).await?;
    remind::plan(call, &row, &settings, &client).await?;
    match event.is_noticed && is_on(call, &row) {
        true => {
            let waited = people::waited(call, &row, client.id).await?;
            let happening = if waited { Happening::SeatFreed } else { Happening::Booked };
            tell::clients(call, &row, &settings, happening, &[&client]).await
        }
        false => Ok(()),
    }
}

async fn removed(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let Some(row) = row(call, event).await? else { return Ok(()) };
    let Some(client) = people::client(call, event.subject_id.unwrap_or(0)).await? else {
        return Ok(());
    };
    remind::drop_of(call, &row, client.id).await?;
    if !event.is_noticed || !is_on(call, &row) {
        return Ok(());
    }
    let settings = remind::settings(call, &row).await?;
    tell::clients(call, &row, &settings, Happening::Cancelled, &[&client]).await?;
    match tell::is_by(call, client.id) {
        true => tell::providers(call, &row, Happening::Left, &[]).await,
        false => Ok(()),
    }
}

/// Tells who gives it from now on, and who does not any more; the former.
async fn given(call: &mut Call<'_>, event: &Event, row: &Appointment) -> Answer<Vec<Id<User>>> {
    let added = providers_of(event, PROVIDER_ADDED);
    if !event.is_noticed || !is_ahead(call, row) {
        return Ok(added);
    }
    for id in &added {
        if is_on(call, row) {
            tell::provider(call, row, Happening::Booked, *id).await?;
        }
    }
    for id in providers_of(event, PROVIDER_REMOVED) {
        tell::provider(call, row, Happening::Cancelled, id).await?;
    }
    Ok(added)
}

async fn updated(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let has = |of: &[&str]| event.changed_fields.iter().any(|field| of.contains(field));
    if !has(&TOLD) && !has(&PLANNED) && event.aside.is_empty() {
        return Ok(());
    }
    let Some(row) = row(call, event).await? else { return Ok(()) };
    let fresh = given(call, event, &row).await?;
    if !has(&TOLD) && !has(&PLANNED) {
        return Ok(());
    }
    let attending = people::clients(call, &row).await?;
    let settings = remind::settings(call, &row).await?;
    let clients: Vec<&User> = attending.iter().map(|(user, _)| user).collect();
    remind::plan_all(call, &row, &settings, &clients).await?;
    let happening = match row.pm_status {
        Some(PmStatus::Cancelled | PmStatus::LateCancellation) if has(&["pm_status"]) => {
            Happening::Cancelled
        }
        // One that takes place again is as good as another one.
        None if has(&["pm_status"]) => Happening::Changed,
        None if has(&TOLD) => Happening::Changed,
        _ => return Ok(()),
    };
    if !event.is_noticed || !is_ahead(call, &row) {
        return Ok(());
    }
    // Who came with this very change is told that it is booked.
    let known = attending.iter().filter(|(_, own)| own.attends_from < row.updated_at);
    let known: Vec<&User> = known.map(|(user, _)| user).collect();
    tell::clients(call, &row, &settings, happening, &known).await?;
    // So is who gives it since this very change.
    tell::providers(call, &row, happening, &fresh).await
}

async fn deleted(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let Some(row) = row(call, event).await? else { return Ok(()) };
    let attending = people::clients(call, &row).await?;
    let settings = remind::settings(call, &row).await?;
    remind::plan_all(call, &row, &settings, &[]).await?;
    let was_on = row.pm_status.is_none_or(PmStatus::is_active);
    if !event.is_noticed || !was_on || !is_ahead(call, &row) {
        return Ok(());
    }
    let clients: Vec<&User> = attending.iter().map(|(user, _)| user).collect();
    tell::clients(call, &row, &settings, Happening::Cancelled, &clients).await?;
    tell::providers(call, &row, Happening::Cancelled, &[]).await
}
