//! Joining appointments of several (behaviour 23.3): never more than there are seats.

use ward_engine::{Answer, Call, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::states;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, OrderKey, Query, Role, Sql, Value};

use super::book::{self, Place};
use super::input::CompleteCheckout;
use super::who;
use crate::appointment::table::{Appointment, AppointmentInclusion};
use crate::appointment::{calendar, people};
use crate::availability::wall::Interval;
use crate::events;
use crate::slots::ask::Ask;
use crate::slots::found::{self, Seat};
use crate::slots::reading;
use crate::tables::AppointmentType;

pub(super) const AT: &str = "appointment_id";

/// Where the appointments are: all in one unit.
pub(super) async fn place(call: &mut Call<'_>, ids: &[i64]) -> Answer<Place> {
    let mut sql = Sql::new();
    sql.push("SELECT a.org_id, a.unit_id FROM appointments a WHERE a.is_group = TRUE ")
        .push("AND a.deleted_at IS NULL AND a.id")
        .bind_in(ids);
    let rows = call.scope.tx.rows(&sql).await?;
    let place = |row: &[Value]| {
        let (org_id, unit_id) = (row.first()?.int()?, row.get(1)?.int()?);
        Some(Place { org_id, unit_id })
    };
    let places: Vec<Place> = rows.iter().filter_map(place).collect();
    match places.first() {
        Some(first) if places.len() == ids.len() && places.iter().all(|it| it == first) => {
            Ok(*first)
        }
        _ => Err(Refused::not_found(AT)),
    }
}

/// Joins all of them, or none. Who attends one already goes on attending it.
pub(super) async fn join(
    call: &mut Call<'_>,
    input: &CompleteCheckout,
    ids: &[i64],
) -> Answer<Vec<i64>> {
    let rows = held(call, ids).await?;
    let mut providers: Vec<i64> = rows.iter().map(|row| row.provider_id.0).collect();
    providers.sort_unstable();
    providers.dedup();
    if providers.len() > 1 && call.actor.role == Role::Anonymous {
        // Who a visitor is to each of them would be two people, or told.
        let sentence = "Appointments of one provider can be joined at once";
        return Err(Refused::on("appointment_ids", sentence));
    }
    calendar::lock(call, &providers).await?;
    let asked = named(&input.provider_id).map(|id| id.0);
    let mut joined = Vec::with_capacity(rows.len());
    let mut who: Option<User> = None;
    for row in &rows {
        if asked.is_some_and(|asked| asked != row.provider_id.0) {
            return Err(Refused::not_found("provider_id"));
        }
        if attends(call, row).await? {
            joined.push(row.id.0);
            continue;
        }
        let of = has_seat(call, input, row).await?;
        let provider: Option<User> = call.find(row.provider_id).await?;
        let provider = provider.ok_or_else(|| Refused::not_found(AT))?;
        let client = match who {
            Some(client) => client,
            None => who::client(call, &input.visitor(), &provider).await?,
        };
        who::bounded(call, &client, &provider).await?;
        let client = who::placed(call, client, &of).await?;
        match people::add_attendee(call, row, &client).await? {
            true => drop(call.emit(events::appointment_updated(row, &["attended_clients"]))),
            // Nobody learns by what is left whether the client attended already.
            false => people::hold_seat(call, row, &client).await?,
        }
        who = Some(client);
        joined.push(row.id.0);
    }
    Ok(joined)
}

/// Whether the client who asks attends it already.
async fn attends(call: &mut Call<'_>, row: &Appointment) -> Answer<bool> {
    if !call.actor.is_client() {
        return Ok(false);
    }
    let own = Cond::eq("user_id", call.actor.user_id);
    let own: Option<AppointmentInclusion> =
        call.find_by(own.and(Cond::eq("appointment_id", row.id.0))).await?;
    Ok(own.is_some_and(|own| !own.cancelled))
}

/// The appointments, kept from changing, in order of their ids.
async fn held(call: &mut Call<'_>, ids: &[i64]) -> Answer<Vec<Appointment>> {
    let sql = Sql::fixed(
        "SELECT a.id FROM appointments a WHERE a.org_id = $1 AND a.id IN_LIST($2) ORDER BY a.id \
         FOR_NO_KEY_UPDATE",
        [call.actor.org_id.into(), Value::Ints(ids.into())],
    );
    call.scope.tx.rows(&sql).await?;
    let order = [OrderKey::column("id", false)];
    let rows: Vec<Appointment> = call.list(Cond::is_in("id", ids), &order).await?;
    match rows.len() == ids.len() {
        true => Ok(rows),
        false => Err(Refused::not_found(AT)),
    }
}

/// The type of an appointment that is listed with a seat left, by the rule that lists
/// them.
async fn has_seat(
    call: &mut Call<'_>,
    input: &CompleteCheckout,
    row: &Appointment,
) -> Answer<AppointmentType> {
    let of = row.appointment_type_id.ok_or_else(|| Refused::not_found(AT))?;
    let of: AppointmentType = call.find(of).await?.ok_or_else(|| Refused::not_found(AT))?;
    let mut ask = Ask {
        provider: Some(row.provider_id.0),
        group_types: vec![of.id.0],
        full_too: true,
        state: input.location.trimmed().and_then(states::code),
        ..Ask::default()
    };
    ask.state = match of.require_in_state_clients {
        true => book::state(call, &ask).await?,
        false => None,
    };
    let request = call.request;
    let field = reading::field(request, call.scope.tx, &ask).await?;
    let field = field.ok_or_else(|| Refused::not_found(AT))?;
    let instant = Interval { start: row.start_at, end: Timestamp(row.start_at.0 + 1) };
    let now = call.now();
    let slots = found::slots(call.request, call.scope.tx, &ask, &field, &instant, now).await?;
    let is_it = |seat: &&Seat| seat.appointment == row.id.0;
    let seat = slots.iter().filter_map(|slot| slot.group.as_ref()).find(is_it);
    match seat {
        Some(seat)
            if !seat.is_full && people::taken_seats(call, row).await? < people::seats(row) =>
        {
            Ok(of)
        }
        _ => Err(Refused::on(AT, "There is no seat left in this appointment")),
    }
}
