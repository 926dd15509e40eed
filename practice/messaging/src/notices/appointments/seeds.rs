//! Reminders of a seeded practice's appointments, such as booking them would have left: planned for
//! all at once, with few statements.

use std::collections::{BTreeMap, BTreeSet};

use crate::notices::reminders;
use crate::notices::tables::Reminder;
use ward_engine::{Answer, Refused};
use ward_identity::tables::User;
use ward_scheduling::appointment::table::{Appointment, AppointmentInclusion};
use ward_scheduling::settings::applies::{applies, type_of};
use ward_scheduling::settings::layers::Settings;
use ward_store::{Cond, OrderKey, Scope, StoreError};

use super::remind::{self, KIND};

/// Plans the reminders of these clients' appointments that are ahead; of those that have some, none.
/// The clients are the few that a seed has appointments of: what others have is left alone.
pub async fn plan(scope: &mut Scope<'_>, clients: &[User]) -> Result<(), StoreError> {
    plan_all(scope, clients).await.map_err(|refused| match refused {
        Refused::Store(error) => error,
        other => StoreError::internal(format!("reminders were not planned: {other:?}")),
    })
}

async fn plan_all(scope: &mut Scope<'_>, clients: &[User]) -> Answer<()> {
    let by_id = [OrderKey::column("id", false)];
    let ids: Vec<i64> = clients.iter().map(|it| it.id.0).collect();
    let attends = Cond::is_in("user_id", &ids).and(Cond::eq("cancelled", false));
    let parts: Vec<AppointmentInclusion> = scope.list(attends, &by_id).await?;
    // As they are by now: some were archived since they were made.
    let told = Cond::is_in("id", &ids).and(Cond::is_true("is_patient"));
    let clients: Vec<User> = scope.list(told.and(Cond::is_true("active")), &[]).await?;
    let clients: BTreeMap<i64, User> = clients.into_iter().map(|it| (it.id.0, it)).collect();
    let ids: BTreeSet<i64> = parts.iter().map(|it| it.appointment_id.0).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let ahead = Cond::sql("{t}.start_at > ?", [scope.now().0.into()]);
    let rows: Vec<Appointment> = scope.list(Cond::is_in("id", &ids).and(ahead), &by_id).await?;
    let rows: BTreeMap<i64, Appointment> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let of_them = Cond::eq("kind", KIND).and(Cond::is_in("subject_id", &ids));
    let planned: Vec<Reminder> = scope.list(of_them, &[]).await?;
    let planned: BTreeSet<i64> = planned.iter().map(|it| it.subject_id).collect();
    let settings = settings(scope, rows.values()).await?;
    let wanted = parts.iter().filter_map(|part| {
        let row = rows.get(&part.appointment_id.0).filter(|row| !planned.contains(&row.id.0))?;
        let client = clients.get(&part.user_id.0)?;
        let slots = remind::slots(row, settings.get(&layers_of(row))?, client);
        Some((remind::about(row, client.id), slots))
    });
    reminders::add_all(scope, wanted.collect()).await
}

/// What decides which settings apply to an appointment: its type, its provider and its unit.
type Layers = (Option<i64>, i64, i64);

fn layers_of(row: &Appointment) -> Layers {
    (row.appointment_type_id.map(|id| id.0), row.provider_id.0, row.unit_id.0)
}

/// The settings that apply to some appointments, each looked up once.
async fn settings(
    scope: &mut Scope<'_>,
    rows: impl Iterator<Item = &Appointment>,
) -> Answer<BTreeMap<Layers, Settings>> {
    let rows: BTreeMap<Layers, &Appointment> = rows.map(|row| (layers_of(row), row)).collect();
    let mut found = BTreeMap::new();
    for (layers, row) in rows {
        let of = type_of(scope, row.appointment_type_id).await?;
        let of = applies(scope, of.as_ref(), row.provider_id.0, row.unit_id.0).await?;
        found.insert(layers, of);
    }
    Ok(found)
}
