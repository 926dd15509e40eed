//! Events that the domain emits (behaviour 14).

use ward_identity::tables::User;
use ward_store::{Event, Id};

use crate::appointment::table::Appointment;
use crate::request::table::AppointmentRequest;
use crate::tables::Availability;

/// The kind of event that is about a new request.
pub const REQUESTED: &str = "appointment_request.created";

/// A provider can be booked at more times.
pub fn availability_created(row: &Availability) -> Event {
    availability("availability.created", row)
}

/// These facts of an availability changed.
pub fn availability_updated(row: &Availability, columns: &[&'static str]) -> Event {
    availability("availability.updated", row).changed(columns)
}

/// A provider can be booked at fewer times.
pub fn availability_deleted(row: &Availability) -> Event {
    availability("availability.deleted", row)
}

fn availability(kind: &'static str, row: &Availability) -> Event {
    Event::new(kind, "Availability", row.id.0).of_unit(row.unit_id.0)
}

/// Somebody was booked.
pub fn appointment_created(row: &Appointment) -> Event {
    let unit = row.unit_id.0.to_string();
    appointment("appointment.created", row).with("resource_organization_id", unit)
}

/// These facts of an appointment changed.
pub fn appointment_updated(row: &Appointment, fields: &[&'static str]) -> Event {
    let unit = row.unit_id.0.to_string();
    let event = appointment("appointment.updated", row).changed(fields);
    event.with("resource_organization_id", unit)
}

/// An appointment was deleted.
pub fn appointment_deleted(row: &Appointment) -> Event {
    appointment("appointment.deleted", row)
}

/// A client attends an appointment from now on.
pub fn patient_added(row: &Appointment, client: i64) -> Event {
    appointment("appointment.patient_added", row).about(client)
}

/// A client attends an appointment no longer.
pub fn patient_removed(row: &Appointment, client: i64) -> Event {
    appointment("appointment.patient_removed", row).about(client)
}

/// A member gives an appointment from now on, in whichever role: told of aside.
pub const PROVIDER_ADDED: &str = "provider_added";
/// A member gives an appointment no longer that took place so far: told of aside.
pub const PROVIDER_REMOVED: &str = "provider_removed";

/// The members whom an event tells of aside.
pub fn providers_of(event: &Event, what: &str) -> Vec<Id<User>> {
    let told = event.aside.iter().filter(|(name, _)| *name == what);
    told.map(|(_, member)| Id::new(*member)).collect()
}

/// Somebody asked for an appointment. The catalogue of webhooks has no such event.
pub fn request_created(row: &AppointmentRequest) -> Event {
    let event = Event::new(REQUESTED, "AppointmentRequest", row.id.0).of_unit(row.unit_id.0);
    let event = event.told(false);
    match row.patient_id {
        Some(client) => event.about(client.0),
        None => event,
    }
}

fn appointment(kind: &'static str, row: &Appointment) -> Event {
    let event = Event::new(kind, "Appointment", row.id.0).of_unit(row.unit_id.0);
    match row.user_id {
        Some(client) => event.about(client.0),
        None => event,
    }
}
