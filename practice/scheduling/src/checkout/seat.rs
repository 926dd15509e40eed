//! Joining appointments of several (behaviour 23.3): never more than there are seats.
//! Of one that is full a place in the line, where that is asked for (behaviour 24).

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
use crate::appointment::update::tell;
use crate::appointment::{calendar, people};
use crate::availability::wall::Interval;
use crate::slots::ask::Ask;
use crate::slots::found::{self, Seat};
use crate::slots::reading;
use crate::tables::AppointmentType;
use crate::waitlist::{fill_first, place};

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

/// What was joined.
pub(super) struct Joined {
    pub ids: Vec<i64>,
    /// Whether the client only waits for a seat in some of them.
    pub waits: bool,
}

/// Joins all of them, or none. Who attends one already goes on attending it, and who
/// waits for a seat waits.
pub(super) async fn join(
    call: &mut Call<'_>,
    input: &CompleteCheckout,
    ids: &[i64],
) -> Answer<Joined> {
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
    let mut joined = Joined { ids: Vec::with_capacity(rows.len()), waits: false };
    let mut who: Option<User> = None;
    for row in &rows {
        if asked.is_some_and(|asked| asked != row.provider_id.0) {
            return Err(Refused::not_found("provider_id"));
        }
        joined.ids.push(row.id.0);
        if attends(call, row).await? {
            continue;
        }
        if place::of(call, row.id, call.actor.user_id).await?.is_some() {
            joined.waits = true;
            continue;
        }
        // Nobody passes who is in line already.
        fill_first(call, row).await?;
        let listed = listed(call, input, row).await?;
        if listed.is_full && !(input.is_joining_waitlist.is_true() && listed.has_waitlist) {
            return Err(no_seat());
        }
        let provider: Option<User> = call.find(row.provider_id).await?;
        let provider = provider.ok_or_else(|| Refused::not_found(AT))?;
        let client = match who {
            Some(client) => client,
            None => who::client(call, &input.visitor(), &provider).await?,
        };
        who::bounded(call, &client, &provider).await?;
        who::bounded_seats(call, row, &input.email).await?;
        who = Some(match listed.is_full {
            true => {
                joined.waits = true;
                wait(call, row, client).await?
            }
            false => seated(call, row, client, &listed.of).await?,
        });
    }
    Ok(joined)
}

/// Gives the client a seat.
async fn seated(
    call: &mut Call<'_>,
    row: &Appointment,
    client: User,
    of: &AppointmentType,
) -> Answer<User> {
    let client = who::placed(call, client, of).await?;
    match people::add_attendee(call, row, &client).await? {
        true => tell(call, row, &["attended_clients"], true),
        // Nobody learns by what is left whether the client attended already.
        false => people::hold_seat(call, row, &client).await?,
    }
    Ok(client)
}

/// Puts the client into the line. A visitor is not told whether the client whom they
/// are taken for attends.
async fn wait(call: &mut Call<'_>, row: &Appointment, client: User) -> Answer<User> {
    if call.actor.role == Role::Anonymous {
        place::has_room(call, row, AT).await?;
    }
    if !has_part(call, row, client.id.0).await? {
        place::join(call, row, &client, AT).await?;
    }
    Ok(client)
}

/// Whether the client who asks attends it already.
async fn attends(call: &mut Call<'_>, row: &Appointment) -> Answer<bool> {
    let own = call.actor.user_id;
    Ok(call.actor.is_client() && has_part(call, row, own).await?)
}

/// Whether somebody attends it.
async fn has_part(call: &mut Call<'_>, row: &Appointment, user: i64) -> Answer<bool> {
    let own = Cond::eq("appointment_id", row.id.0).and(Cond::eq("user_id", user));
    let own: Option<AppointmentInclusion> = call.find_by(own).await?;
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

/// An appointment as it is listed.
struct Listed {
    of: AppointmentType,
    is_full: bool,
    has_waitlist: bool,
}

/// What the rule that lists appointments says of one; a refusal where it lists it not
/// even as full.
async fn listed(
    call: &mut Call<'_>,
    input: &CompleteCheckout,
    row: &Appointment,
) -> Answer<Listed> {
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
    let seat = seat.ok_or_else(no_seat)?;
    let is_full = seat.is_full || people::taken_seats(call, row).await? >= people::seats(row);
    Ok(Listed { of, is_full, has_waitlist: seat.has_waitlist })
}

fn no_seat() -> Refused {
    Refused::on(AT, "There is no seat left in this appointment")
}
