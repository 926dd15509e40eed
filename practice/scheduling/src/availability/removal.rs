//! Deleting availability, for good (behaviour 20).

use ward_engine::{Answer, Call, Payload, Refused};
use ward_store::{Cond, Id, OrderKey, Query, Sql};

use super::change::{row_id, to_change};
use super::input::{AT_ONCE_MAX, BulkDelete, DeleteAvailability};
use super::of_types::untie;
use super::read;
use crate::appointment_location::table::AppointmentLocation;
use crate::events;
use crate::tables::Availability;

/// Deletes one for good, a weekly one on all its days.
pub async fn delete(call: &mut Call<'_>, input: &DeleteAvailability) -> Answer<Payload> {
    let id = row_id(call, input.id.trimmed(), "id")?;
    let row = to_change(call, id, "id").await?;
    remove(call, &row).await?;
    call.emit(events::availability_deleted(&row));
    Ok(Payload::new().leaf("availability", read::shown(call.request, &row)))
}

async fn remove(call: &mut Call<'_>, row: &Availability) -> Answer<()> {
    untie(call, row).await?;
    Ok(call.destroy(row).await?)
}

/// Deletes many for good, all or none, without events (behaviour 13.6, 20).
pub async fn bulk_delete(call: &mut Call<'_>, input: &BulkDelete) -> Answer<Payload> {
    let ids = input.ids.value().map(Vec::as_slice).unwrap_or_default();
    if ids.len() > AT_ONCE_MAX {
        let sentence = format!("At most {AT_ONCE_MAX} availabilities can be deleted at once");
        return Err(Refused::on("ids", sentence));
    }
    let mut wanted = Vec::with_capacity(ids.len());
    for text in ids {
        wanted.push(row_id(call, Some(text.trim()), "ids")?);
    }
    wanted.sort_unstable();
    wanted.dedup();
    for id in &wanted {
        let row = to_change(call, *id, "ids").await?;
        remove(call, &row).await?;
    }
    let count = i64::try_from(wanted.len()).unwrap_or(0);
    Ok(Payload::new().leaf("deleted_count", count).leaf("success", true))
}

/// Deletes everything of a unit: what times are scoped by has changed (behaviour
/// 20). By provider, as each has no more than one list can hold.
pub async fn delete_all(call: &mut Call<'_>, unit: i64) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT DISTINCT user_id FROM availabilities WHERE org_id = $1 AND unit_id = $2 \
         ORDER BY user_id",
        [call.actor.org_id.into(), unit.into()],
    );
    let rows = call.tx.rows(&sql).await?;
    let providers: Vec<i64> = rows.iter().filter_map(|row| row.first()?.int()).collect();
    for provider in providers {
        let own = Cond::eq("unit_id", unit).and(Cond::eq("user_id", provider));
        let order = [OrderKey::column("id", false)];
        for row in call.list::<Availability>(own, &order).await? {
            remove(call, &row).await?;
            call.emit(events::availability_deleted(&row));
        }
    }
    Ok(())
}

/// Deletes what can be booked at one place only, which goes.
pub async fn delete_of_place(call: &mut Call<'_>, place: Id<AppointmentLocation>) -> Answer<()> {
    let there = Cond::eq("appointment_location_id", place.0);
    for row in call.list::<Availability>(there, &[OrderKey::column("id", false)]).await? {
        remove(call, &row).await?;
        call.emit(events::availability_deleted(&row));
    }
    Ok(())
}
