//! Making, changing and removing places and rooms: with the layer of settings that
//! they belong to, which is held (behaviour 21). What is not named stays.

use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::id_or_blank::named;
use ward_store::{Cond, OrderKey, Query, Sql};

use super::input::{AT, PLACES_MAX, PlaceInput, ROOMS_MAX, RoomInput};
use super::table::{AppointmentLocation, Room};
use crate::availability::removal;
use crate::settings::table::AppointmentSetting;

/// Writes what an input says of the places of a layer.
pub async fn apply(
    call: &mut Call<'_>,
    layer: &AppointmentSetting,
    given: &Given<Vec<PlaceInput>>,
) -> Answer<()> {
    let sent = given.value().map(Vec::as_slice).unwrap_or_default();
    if sent.is_empty() {
        return Ok(());
    }
    if layer.appointment_type_id.is_some() {
        return Err(Refused::on(AT, "Locations are a provider's or the organization's to have"));
    }
    let of_layer = Cond::eq("appointment_setting_id", layer.id.0);
    let known: Vec<AppointmentLocation> = call.list(of_layer, &by_id()).await?;
    lock(call, &known).await?;
    let mut count = known.len();
    for one in sent {
        let place = match named(&one.id) {
            None if one._destroy.is_true() => continue,
            None => {
                count += 1;
                made(call, layer, one).await?
            }
            Some(id) => {
                let before = known.iter().find(|it| it.id == id);
                let before = before.ok_or_else(|| Refused::not_found(AT))?;
                if one._destroy.is_true() {
                    count -= 1;
                    remove(call, before).await?;
                    continue;
                }
                before.clone()
            }
        };
        write(call, &place, one).await?;
    }
    match count > PLACES_MAX {
        true => {
            Err(Refused::on(AT, format!("No more than {PLACES_MAX} locations can be had at once")))
        }
        false => Ok(()),
    }
}

fn by_id() -> [OrderKey; 1] {
    [OrderKey::column("id", false)]
}

/// Holds the rooms of places in the one order in which they are held.
async fn lock(call: &mut Call<'_>, places: &[AppointmentLocation]) -> Answer<()> {
    let ids: Vec<i64> = places.iter().map(|it| it.id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new();
    sql.push("SELECT r.id FROM rooms r WHERE r.org_id = ").bind(call.actor.org_id);
    sql.push(" AND r.appointment_location_id").bind_in(ids);
    sql.push(" ORDER BY r.id FOR_NO_KEY_UPDATE");
    call.tx.rows(&sql).await?;
    Ok(())
}

async fn made(
    call: &mut Call<'_>,
    layer: &AppointmentSetting,
    sent: &PlaceInput,
) -> Answer<AppointmentLocation> {
    let now = call.now();
    let place = AppointmentLocation {
        id: call.next_id().await?,
        org_id: layer.org_id,
        unit_id: layer.unit_id,
        appointment_setting_id: layer.id,
        user_id: layer.user_id,
        location: sent.location.trimmed().unwrap_or_default().to_owned(),
        clients_can_book: sent.clients_can_book.value().copied().unwrap_or(true),
        has_rooms: false,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&place).await?;
    Ok(place)
}

/// Writes what is said of one place, its rooms first: where nothing is said of whether
/// they count, they do as soon as there are any.
async fn write(call: &mut Call<'_>, before: &AppointmentLocation, sent: &PlaceInput) -> Answer<()> {
    let rooms = rooms(call, before, &sent.rooms).await?;
    let mut after = before.clone();
    if let Some(text) = sent.location.trimmed() {
        after.location = text.to_owned();
    }
    if let Some(may) = sent.clients_can_book.value() {
        after.clients_can_book = *may;
    }
    after.has_rooms = match sent.has_rooms.value() {
        Some(has) => *has,
        None => before.has_rooms || rooms.is_some_and(|count| count > 0),
    };
    call.update(before, &after).await?;
    Ok(())
}

/// Writes what is said of a place's rooms; how many there are then, where anything was.
async fn rooms(
    call: &mut Call<'_>,
    place: &AppointmentLocation,
    given: &Given<Vec<RoomInput>>,
) -> Answer<Option<usize>> {
    let Some(sent) = given.value() else { return Ok(None) };
    let known = of_place(call, place).await?;
    let mut count = known.len();
    for one in sent {
        let Some(id) = named(&one.id) else {
            if !one._destroy.is_true() {
                count += 1;
                new_room(call, place, one).await?;
            }
            continue;
        };
        let before = known.iter().find(|it| it.id == id).ok_or_else(|| Refused::not_found(AT))?;
        if one._destroy.is_true() {
            count -= 1;
            call.destroy(before).await?;
            continue;
        }
        let mut after = before.clone();
        if let Some(text) = one.name.trimmed() {
            after.name = text.to_owned();
        }
        if let Some(one) = one.limit_to_one.value() {
            after.limit_to_one = *one;
        }
        call.update(before, &after).await?;
    }
    match count > ROOMS_MAX {
        true => Err(Refused::on(AT, format!("A location can have {ROOMS_MAX} rooms"))),
        false => Ok(Some(count)),
    }
}

async fn of_place(call: &mut Call<'_>, place: &AppointmentLocation) -> Answer<Vec<Room>> {
    Ok(call.list(Cond::eq("appointment_location_id", place.id.0), &by_id()).await?)
}

async fn new_room(
    call: &mut Call<'_>,
    place: &AppointmentLocation,
    sent: &RoomInput,
) -> Answer<()> {
    let now = call.now();
    let room = Room {
        id: call.next_id().await?,
        org_id: place.org_id,
        unit_id: place.unit_id,
        appointment_location_id: place.id,
        name: sent.name.trimmed().unwrap_or_default().to_owned(),
        limit_to_one: sent.limit_to_one.is_true(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    Ok(call.create(&room).await?)
}

/// Removes a place with its rooms, and the times at which only it could be booked.
/// What is booked there stays as it is.
async fn remove(call: &mut Call<'_>, place: &AppointmentLocation) -> Answer<()> {
    for room in of_place(call, place).await? {
        call.destroy(&room).await?;
    }
    removal::delete_of_place(call, place.id).await?;
    Ok(call.destroy(place).await?)
}
