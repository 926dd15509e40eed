//! What is told as it happens: changes of an appointment, and clients who come to a
//! group's (behaviour 12). Each subscriber reads the row with their own eyes.

use futures_util::FutureExt;
use ward_engine::{Answer, Args, Bindings, Happening, Kind, Request, parse_id};
use ward_store::events::StoredEvent;
use ward_store::{Entity, Query, Sql, StoreError, Value};

use crate::appointment::table::{APPOINTMENTS, Appointment};

const CHANGES: &[&str] =
    &["appointment.updated", "appointment.patient_added", "appointment.patient_removed"];

/// Who gives a group's appointment, once for all clients who come to it at a moment: with
/// the last of them.
const GIVERS: &str = "SELECT gives.user_id, gives.id FROM (\
     SELECT a.org_id, a.provider_id AS user_id, a.id FROM appointments a UNION \
     SELECT also.org_id, also.user_id, also.appointment_id FROM appointment_providers also) gives \
     JOIN appointments a ON a.org_id = gives.org_id AND a.id = gives.id \
     JOIN appointment_inclusions came ON came.org_id = a.org_id AND came.appointment_id = a.id \
     WHERE gives.org_id = $1 AND gives.id = $2 AND a.is_group = TRUE AND came.user_id = $3 \
     AND NOT EXISTS (SELECT 1 FROM appointment_inclusions next JOIN users client \
     ON client.org_id = next.org_id AND client.id = next.user_id \
     WHERE next.org_id = came.org_id AND next.appointment_id = came.appointment_id \
     AND next.attends_from = came.attends_from AND next.id > came.id \
     AND next.cancelled = FALSE AND client.is_patient = TRUE)";

/// Columns of an update that says who else comes and nothing more.
const OTHERS: &[&str] = &["attended_clients", "attendee_ids"];

/// Binds the subscriptions.
pub fn bind(b: &mut Bindings) {
    let changed = "appointmentUserDevicesSubscription";
    b.subscription(changed, &APPOINTMENTS, appointment)
        .args(&[("id", Kind::Id(Appointment::NAME))])
        .hears(concerns);
    b.feed(changed, CHANGES, |event, _| {
        std::future::ready(Ok(Happening::of_record(event))).boxed()
    });
    let added = "groupAppointmentClientsAddedSubscription";
    b.subscription(added, &APPOINTMENTS, oneself);
    b.feed(added, &["appointment.patient_added"], |event, q| givers(event, q).boxed());
}

fn appointment(request: &Request, args: &Args) -> Answer<i64> {
    let text = args.text("id").unwrap_or_default();
    parse_id::<Appointment>(text, "id", request.instance.ids()).map(|id| id.0)
}

/// Clients who attend never learn of each other, nor by when they are told something
/// (DOM-09): of who comes and goes they hear only of themselves.
fn concerns(request: &Request, _: &Args, event: &StoredEvent) -> bool {
    if request.actor.is_member() {
        return true;
    }
    if event.kind != "appointment.updated" {
        return event.subject_id == Some(request.actor.user_id);
    }
    let changed: Vec<String> = serde_json::from_str(&event.changed_fields).unwrap_or_default();
    changed.iter().any(|field| !OTHERS.contains(&field.as_str()))
}

fn oneself(request: &Request, _: &Args) -> Answer<i64> {
    Ok(request.actor.user_id)
}

async fn givers(event: &StoredEvent, q: &mut dyn Query) -> Result<Vec<Happening>, StoreError> {
    let client = event.subject_id.unwrap_or(0);
    let sql = Sql::fixed(GIVERS, [event.org_id.into(), event.resource_id.into(), client.into()]);
    let pair =
        |row: &[Value]| Some(Happening { topic: row.first()?.int()?, row: row.get(1)?.int()? });
    Ok(q.rows(&sql).await?.iter().filter_map(pair).collect())
}
