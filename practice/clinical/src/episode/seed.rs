//! The encounters of a seeded practice: of the appointments that its first clients were at; and an
//! episode of care for each of their seeded diagnoses. Made by the system, without events.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use ward_identity::tables::User;
use ward_store::{Day, Id, Query, Scope, Sql, StoreError};

use super::rules;
use super::table::{EpisodeEncounter, EpisodeOfCare, PatientEncounter};
use crate::tables::HealthConcern;

/// Seeded ids start at a multiple of this in each range.
const ALIGN: i64 = 1_000;

/// Makes the encounters of these clients, and the episodes of their diagnoses.
pub async fn episodes(
    scope: &mut Scope<'_>,
    clients: &[User],
    concerns: &[HealthConcern],
) -> Result<(), StoreError> {
    let encounters = encounters(scope, clients).await?;
    let coded = |it: &&HealthConcern| rules::is_diagnosis(it.code.as_deref());
    let coded: Vec<&HealthConcern> = concerns.iter().filter(coded).collect();
    if coded.is_empty() {
        return Ok(());
    }
    let start = scope.tx.reserve_ids("EpisodeOfCare", coded.len() as i64, ALIGN).await?;
    let mut episodes = Vec::new();
    for (id, concern) in (start..).zip(coded) {
        let provider = clients.iter().find(|it| it.id == concern.user_id);
        let Some(provider) = provider.and_then(|client| client.dietitian_id) else { continue };
        episodes.push(EpisodeOfCare {
            id: Id::new(id),
            org_id: concern.org_id,
            unit_id: concern.unit_id,
            user_id: concern.user_id,
            provider_id: provider,
            diagnosis_id: concern.id,
            start_date: concern.effective_time.unwrap_or(Day(date(2024, 1, 1))),
            end_date: None,
            version: 1,
            created_at: concern.created_at,
            updated_at: concern.updated_at,
            deleted_at: None,
        });
    }
    scope.create_all_about(&episodes, |row: &EpisodeOfCare| Some(row.user_id.0)).await?;
    let mut links = Vec::new();
    for episode in &episodes {
        let theirs = encounters.iter().filter(|it| it.user_id == episode.user_id);
        links.extend(theirs.map(|encounter| EpisodeEncounter {
            org_id: episode.org_id,
            episode_of_care_id: episode.id,
            patient_encounter_id: encounter.id,
            created_at: episode.created_at,
        }));
    }
    let whose: BTreeMap<i64, i64> = episodes.iter().map(|it| (it.id.0, it.user_id.0)).collect();
    let client = |row: &EpisodeEncounter| whose.get(&row.episode_of_care_id.0).copied();
    scope.create_all_about(&links, client).await
}

async fn encounters(
    scope: &mut Scope<'_>,
    clients: &[User],
) -> Result<Vec<PatientEncounter>, StoreError> {
    let known: BTreeSet<i64> = clients.iter().map(|client| client.id.0).collect();
    let sql = Sql::fixed(
        "SELECT a.id, a.unit_id, i.user_id FROM appointments a JOIN appointment_inclusions i \
         ON i.org_id = a.org_id AND i.appointment_id = a.id WHERE a.org_id = $1 \
         AND a.pm_status = 'Occurred' AND a.deleted_at IS NULL AND i.cancelled = FALSE \
         ORDER BY a.id, i.user_id",
        [scope.actor.org_id.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    let numbers = |row: &[ward_store::Value]| -> Option<[i64; 3]> {
        let number = |at: usize| row.get(at)?.int();
        Some([number(0)?, number(1)?, number(2)?])
    };
    let met: Vec<[i64; 3]> = rows.iter().filter_map(numbers).collect();
    let met: Vec<[i64; 3]> = met.into_iter().filter(|it| known.contains(&it[2])).collect();
    if met.is_empty() {
        return Ok(Vec::new());
    }
    let now = scope.now();
    let org_id = Id::new(scope.actor.org_id);
    let start = scope.tx.reserve_ids("PatientEncounter", met.len() as i64, ALIGN).await?;
    let made = |(id, [appointment, unit, client]): (i64, [i64; 3])| PatientEncounter {
        id: Id::new(id),
        org_id,
        unit_id: Id::new(unit),
        user_id: Id::new(client),
        appointment_id: Id::new(appointment),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let made: Vec<PatientEncounter> = (start..).zip(met).map(made).collect();
    scope.create_all_about(&made, |row: &PatientEncounter| Some(row.user_id.0)).await?;
    Ok(made)
}
