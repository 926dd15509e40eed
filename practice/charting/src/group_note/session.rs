//! The appointment that a group note is of, and the clients who attend it, as scheduling has them.

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::{Organization, USERS, User, users};
use ward_scheduling::appointment::table::Appointment;
use ward_store::{Cond, Id, Level, OrderKey, Query, Select, Sql, Value};

/// The appointment of a group that a member begins a note of; none where it is one client's, and
/// where no member asks.
pub async fn of_group(
    call: &mut Call<'_>,
    id: Option<Id<Appointment>>,
) -> Answer<Option<Appointment>> {
    let Some(id) = id.filter(|_| call.actor.is_member()) else { return Ok(None) };
    let found = call.visible::<Appointment>(id, Level::Full).await?;
    let (appointment, _) = found.ok_or_else(|| Refused::not_found("appointment_id"))?;
    Ok(Some(appointment).filter(|it| it.is_group))
}

/// The first client of those who attend whom the caller sees: under whom the note is filed, where
/// nobody is named.
pub async fn first(call: &mut Call<'_>, appointment: &Appointment) -> Answer<Option<Id<User>>> {
    let actor = call.scope.actor;
    let mut select = Select::new(&USERS, actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::is_true("is_patient").and(Cond::sql(
        "{t}.id IN (SELECT comes.user_id FROM appointment_inclusions comes \
         WHERE comes.org_id = ? AND comes.appointment_id = ? AND comes.cancelled = FALSE)",
        [actor.org_id.into(), appointment.id.0.into()],
    ));
    select.order = vec![OrderKey::column("id", false)];
    select.limit = Some(1);
    let rows = call.tx.rows(&select.sql()).await?;
    Ok(rows.row(0).first().and_then(Value::int).map(Id::new))
}

/// A client who attends.
pub struct Attendee {
    /// The client.
    pub id: Id<User>,
    /// Of which unit they are.
    pub unit_id: Id<Organization>,
    /// Whether they came, where somebody said so.
    pub attended: Option<bool>,
}

/// The clients who attend, whoever sees them, in the order of their ids; held, so that none of them
/// is merged into another meanwhile.
pub async fn attendees(call: &mut Call<'_>, appointment: Id<Appointment>) -> Answer<Vec<Attendee>> {
    let sql = Sql::fixed(
        "SELECT u.id, u.unit_id, (SELECT i.attended FROM appointment_inclusions i \
         WHERE i.org_id = u.org_id AND i.appointment_id = $2 AND i.user_id = u.id) \
         FROM users u WHERE u.org_id = $1 AND u.is_patient = TRUE AND u.deleted_at IS NULL \
         AND u.id IN (SELECT c.user_id FROM appointment_inclusions c WHERE c.org_id = $1 \
         AND c.appointment_id = $2 AND c.cancelled = FALSE) ORDER BY u.id FOR_KEY_SHARE",
        [call.actor.org_id.into(), appointment.0.into()],
    );
    let rows = call.tx.rows(&sql).await?;
    let attendee = |row: &[Value]| {
        let [id, unit, attended, ..] = row else { return None };
        Some(Attendee {
            id: Id::new(id.int()?),
            unit_id: Id::new(unit.int()?),
            attended: (!attended.is_null()).then(|| attended.truth()),
        })
    };
    Ok(rows.iter().filter_map(attendee).collect())
}
