//! The order of a unit's types.

use ward_engine::{Answer, Call, Refused};
use ward_store::{Cond, OrderKey, Query, Sql, Value};

use crate::tables::AppointmentType;

/// So many types a unit can have.
pub const TYPES_MAX: i64 = 1_000;

/// The place behind the last type of the caller's unit.
pub async fn next(call: &mut Call<'_>) -> Answer<i64> {
    let sql = Sql::fixed(
        "SELECT COUNT(*), COALESCE(MAX(position), 0) FROM appointment_types \
         WHERE org_id = $1 AND unit_id = $2 AND deleted_at IS NULL",
        [call.actor.org_id.into(), call.actor.unit_id.into()],
    );
    let rows = call.tx.rows(&sql).await?;
    let [Value::Int(count), Value::Int(last)] = rows.row(0) else { return Ok(1) };
    match *count >= TYPES_MAX {
        true => Err(Refused::base("An organization can have 1,000 appointment types")),
        false => Ok(last + 1),
    }
}

/// Puts a type at a place, counted from 0, and the others behind one another.
pub async fn place(call: &mut Call<'_>, of: &AppointmentType, at: i64) -> Answer<()> {
    let unit = Cond::eq("unit_id", of.unit_id.0);
    let keys = [OrderKey::column("position", false), OrderKey::column("id", false)];
    let mut all: Vec<AppointmentType> = call.list(unit, &keys).await?;
    let Some(from) = all.iter().position(|it| it.id == of.id) else { return Ok(()) };
    let moved = all.remove(from);
    let to = usize::try_from(at).unwrap_or(usize::MAX).min(all.len());
    all.insert(to, moved);
    for (before, position) in all.iter().zip(1..) {
        if before.position != position {
            let after = AppointmentType { position, ..before.clone() };
            call.update(before, &after).await?;
        }
    }
    Ok(())
}
