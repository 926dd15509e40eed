//! Encounters follow from appointments: as soon as one has occurred, each client who attends it has
//! one, in the same transaction (behaviour 23.4, 38). It stays whatever becomes of the status.

use ward_engine::{Answer, Bindings, Call};
use ward_scheduling::appointment::table::Appointment;
use ward_store::{Event, Id, Query, Sql};

use super::table::PatientEncounter;

/// What of an appointment, when it changes, can make an encounter.
const MAKES: [&str; 3] = ["attended_clients", "attendee_ids", "pm_status"];

/// Registers the reaction.
pub fn bind(b: &mut Bindings) {
    b.reaction("appointment.updated", |call, event| Box::pin(updated(call, event)));
}

async fn updated(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    if !event.changed_fields.iter().any(|field| MAKES.contains(field)) {
        return Ok(());
    }
    // Held, so that who changes who attends it at this moment is before this or after it.
    let sql = Sql::fixed(
        "SELECT a.id FROM appointments a WHERE a.org_id = $1 AND a.id = $2 \
         AND a.pm_status = 'Occurred' AND a.is_blocker = FALSE AND a.deleted_at IS NULL \
         FOR_NO_KEY_UPDATE",
        [call.actor.org_id.into(), event.resource_id.into()],
    );
    if call.scope.tx.rows(&sql).await?.is_empty() {
        return Ok(());
    }
    let found: Option<Appointment> = call.find(Id::new(event.resource_id)).await?;
    match found {
        Some(row) => make(call, &row).await,
        None => Ok(()),
    }
}

/// Makes the encounters of an appointment that occurred, of those who have none yet. Who called
/// their part off, or is said not to have attended, was not there.
async fn make(call: &mut Call<'_>, row: &Appointment) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT i.user_id FROM appointment_inclusions i JOIN users u ON u.org_id = i.org_id \
         AND u.id = i.user_id WHERE i.org_id = $1 AND i.appointment_id = $2 \
         AND i.cancelled = FALSE AND (i.attended IS NULL OR i.attended = TRUE) \
         AND u.is_patient = TRUE AND u.deleted_at IS NULL AND NOT EXISTS (SELECT 1 \
         FROM patient_encounters e WHERE e.org_id = i.org_id \
         AND e.appointment_id = i.appointment_id AND e.user_id = i.user_id \
         AND e.deleted_at IS NULL) ORDER BY i.user_id",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    let clients: Vec<i64> = rows.iter().filter_map(|row| row.first()?.int()).collect();
    let subject = call.scope.subject_id;
    for client in clients {
        let encounter = PatientEncounter {
            id: call.next_id().await?,
            org_id: row.org_id,
            unit_id: row.unit_id,
            user_id: Id::new(client),
            appointment_id: row.id,
            version: 1,
            created_at: call.now(),
            updated_at: call.now(),
            deleted_at: None,
        };
        call.scope.subject_id = Some(client);
        call.create(&encounter).await?;
    }
    call.scope.subject_id = subject;
    Ok(())
}
