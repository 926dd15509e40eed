//! What a client can be told who wants to move an appointment: as much as the move asks,
//! which is of the appointment itself, whatever else the question says (behaviour
//! 23.4). It goes on with its provider, type, length and way to meet, and with all who
//! have to be there.

use ward_engine::Answer;
use ward_identity::tables::USERS;
use ward_store::{Actor, Cond, Id, Level, Query, Sql, Value};

use super::ask::Ask;
use super::reading::{Field, Provider, USER_COLUMNS, What, provider, records, seen};
use super::rooms::Place;
use super::rule::merged;
use crate::appointment::calendar;
use crate::appointment::table::{APPOINTMENTS, Appointment, appointments as at};
use crate::availability::wall::Interval;
use crate::contact_type::ContactType;
use crate::tables::{APPOINTMENT_TYPES, AppointmentType};

/// What a move is bound by.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Which appointment.
    pub id: i64,
    /// How they meet.
    pub contact: Option<ContactType>,
    /// Where they meet.
    pub place: Option<Place>,
    /// Who else has to be there.
    others: Vec<i64>,
}

impl Moved {
    /// When somebody else of it can't come within a window: in order, apart.
    pub async fn held(
        &self,
        q: &mut dyn Query,
        org_id: i64,
        window: &Interval,
    ) -> Answer<Vec<Interval>> {
        if self.others.is_empty() {
            return Ok(Vec::new());
        }
        let id = Some(Id::<Appointment>::new(self.id));
        let taken = calendar::taken(q, org_id, &self.others, window, id).await?;
        Ok(merged(&taken.iter().map(|it| it.interval).collect::<Vec<_>>()))
    }
}

/// The field of an appointment that the client who asks sees and wants to move;
/// nothing where they see none, or ask for another provider.
pub async fn field(q: &mut dyn Query, actor: &Actor, ask: &Ask) -> Answer<Option<Field>> {
    let Some(id) = ask.moved else { return Ok(None) };
    let mut select = seen(actor, &APPOINTMENTS);
    select.columns = vec![
        at::provider_id,
        at::appointment_type_id,
        at::contact_type_id,
        at::length,
        at::appointment_location_id,
        at::room_id,
    ];
    select.least = Level::Full;
    select.filter = Cond::eq("id", id);
    let rows = q.rows(&select.sql()).await?;
    let number = |at: usize| rows.iter().next().and_then(|row| row.get(at)).and_then(Value::int);
    let (Some(provider_id), Some(length)) = (number(0), number(3)) else { return Ok(None) };
    let place = number(4).map(|location| Place { location, room: number(5) });
    let (of, contact) = (number(1), number(2).and_then(ContactType::of_number));
    // Whose client they are no longer, they may still move.
    let system = Actor::system(actor.org_id);
    let of = match of {
        Some(of) => of_type(q, &system, of).await?,
        None => None,
    };
    let found = found(q, &system, provider_id).await?;
    let providers: Vec<Provider> =
        found.into_iter().filter(|it| ask.provider.is_none_or(|asked| asked == it.id)).collect();
    let mut others = holders(q, actor.org_id, id).await?;
    others.retain(|it| *it != provider_id);
    Ok(Some(Field {
        actor: actor.clone(),
        what: What::Alone { of: of.map(Box::new), length },
        zone: providers.first().map(|it| it.zone.clone()),
        providers,
        moved: Some(Moved { id, contact, place, others }),
        licensed: None,
    }))
}

/// A type as it is kept, deleted or not.
async fn of_type(q: &mut dyn Query, system: &Actor, id: i64) -> Answer<Option<AppointmentType>> {
    let mut select = seen(system, &APPOINTMENT_TYPES);
    select.deleted = true;
    select.filter = Cond::eq("id", id);
    Ok(records(q, select).await?.into_iter().next())
}

async fn found(q: &mut dyn Query, system: &Actor, id: i64) -> Answer<Option<Provider>> {
    let mut select = seen(system, &USERS);
    select.columns = USER_COLUMNS.to_vec();
    select.filter = Cond::eq("id", id).and(Cond::is_true("active"));
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().next().and_then(provider))
}

/// Whose time it takes.
async fn holders(q: &mut dyn Query, org_id: i64, id: i64) -> Answer<Vec<i64>> {
    let sql = Sql::fixed(
        "SELECT c.user_id FROM calendar_entries c WHERE c.org_id = $1 AND c.appointment_id = $2",
        [org_id.into(), id.into()],
    );
    let rows = q.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}
