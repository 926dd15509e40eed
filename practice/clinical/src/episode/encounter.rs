//! Encounters follow from appointments: as soon as one has occurred, each client who attends it has
//! one, in the same transaction (behaviour 23.4, 38). It stays whatever becomes of the status.

use ward_engine::{Answer, Bindings, Call};
use ward_scheduling::appointment::table::Appointment;
use ward_store::{Cond, Event, Id, Query, Sql, Value};

use super::table::{EpisodeEncounter, PatientEncounter};

/// What of an appointment, when it changes, can make an encounter.
const MAKES: [&str; 3] = ["attended_clients", "attendee_ids", "pm_status"];

/// Registers the reactions.
pub fn bind(b: &mut Bindings) {
    b.reaction("appointment.updated", |call, event| Box::pin(updated(call, event)));
    b.reaction("patient.merged", |call, event| Box::pin(merged(call, event)));
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
/// their part off, or is said not to have attended, was not there. They are of the units that their
/// clients are in by now.
async fn make(call: &mut Call<'_>, row: &Appointment) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT i.user_id, u.unit_id FROM appointment_inclusions i JOIN users u \
         ON u.org_id = i.org_id AND u.id = i.user_id WHERE i.org_id = $1 \
         AND i.appointment_id = $2 AND i.cancelled = FALSE \
         AND (i.attended IS NULL OR i.attended = TRUE) \
         AND u.is_patient = TRUE AND u.deleted_at IS NULL AND NOT EXISTS (SELECT 1 \
         FROM patient_encounters e WHERE e.org_id = i.org_id \
         AND e.appointment_id = i.appointment_id AND e.user_id = i.user_id \
         AND e.deleted_at IS NULL) ORDER BY i.user_id",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    let clients: Vec<(i64, i64)> = rows.iter().filter_map(pair).collect();
    if clients.is_empty() {
        return Ok(());
    }
    let mut made = Vec::with_capacity(clients.len());
    for (client, unit) in clients {
        made.push(PatientEncounter {
            id: call.next_id().await?,
            org_id: row.org_id,
            unit_id: Id::new(unit),
            user_id: Id::new(client),
            appointment_id: row.id,
            version: 1,
            created_at: call.now(),
            updated_at: call.now(),
            deleted_at: None,
        });
    }
    call.create_all_about(&made, |row: &PatientEncounter| Some(row.user_id.0)).await?;
    Ok(())
}

/// Two numbers of a row.
fn pair(row: &[Value]) -> Option<(i64, i64)> {
    Some((row.first()?.int()?, row.get(1)?.int()?))
}

/// Of two who attended one appointment, one encounter is left: the episodes of the other are its
/// own from now on, and the other is in none, so that no later merge links again what was unlinked.
async fn merged(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT DISTINCT l.episode_of_care_id, kept.id FROM patient_encounters gone \
         JOIN episode_encounters l ON l.org_id = gone.org_id \
         AND l.patient_encounter_id = gone.id \
         JOIN patient_encounters kept ON kept.org_id = gone.org_id \
         AND kept.appointment_id = gone.appointment_id AND kept.user_id = gone.user_id \
         AND kept.deleted_at IS NULL \
         WHERE gone.org_id = $1 AND gone.user_id = $2 AND gone.deleted_at IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM episode_encounters o WHERE o.org_id = l.org_id \
         AND o.episode_of_care_id = l.episode_of_care_id AND o.patient_encounter_id = kept.id) \
         ORDER BY l.episode_of_care_id, kept.id",
        [call.actor.org_id.into(), event.resource_id.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    let links: Vec<(i64, i64)> = rows.iter().filter_map(pair).collect();
    call.scope.subject_id = Some(event.resource_id);
    for (episode, encounter) in links {
        let link = EpisodeEncounter {
            org_id: Id::new(call.actor.org_id),
            episode_of_care_id: Id::new(episode),
            patient_encounter_id: Id::new(encounter),
            created_at: call.now(),
        };
        call.create(&link).await?;
    }
    let gone = Cond::sql(
        "EXISTS (SELECT 1 FROM patient_encounters gone WHERE gone.org_id = {t}.org_id \
         AND gone.id = {t}.patient_encounter_id AND gone.user_id = ? AND gone.deleted_at IS NOT NULL)",
        [event.resource_id.into()],
    );
    let stale: Vec<EpisodeEncounter> = call.list(gone, &[]).await?;
    for link in &stale {
        call.destroy(link).await?;
    }
    Ok(())
}
