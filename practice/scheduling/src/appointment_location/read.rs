//! Places of settings, and as what a calendar of places shows them.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use ward_engine::{Answer, Args, Kind, Out, Request, RowView};
use ward_store::{Cond, Entity, Level, Query};

use super::table::{APPOINTMENT_LOCATIONS, AppointmentLocation, ROOMS, Room};
use crate::listing;
use crate::settings::table::AppointmentSetting;
use crate::slots::reading::records;

/// So many places one answer shows as resources.
pub const RESOURCES_MAX: i64 = 1_000;

/// The members of the contract's `LocationResourceType`.
pub const MEMBERS: &[&str] = &["resourceId", "resourceTitle"];
/// Its arguments.
pub const ARGS: &[(&str, Kind)] = &[("location_ids", Kind::Ids(AppointmentLocation::NAME))];

/// Places of layers as the caller sees them, by the layer.
#[derive(Clone, Debug, Default)]
pub struct Places(HashMap<i64, Vec<Json>>);

impl Places {
    /// Those of the layers that apply, the nearest first.
    pub fn of(&self, layers: &[&AppointmentSetting]) -> Json {
        let of_layer = |layer: &&AppointmentSetting| self.0.get(&layer.id.0);
        layers.iter().filter_map(of_layer).flatten().cloned().collect()
    }
}

/// The places of layers, with their rooms for members.
pub async fn of_layers<'a>(
    request: &Request,
    q: &mut dyn Query,
    layers: impl Iterator<Item = &'a AppointmentSetting>,
) -> Answer<Places> {
    let ids: Vec<i64> = layers.map(|layer| layer.id.0).collect();
    if ids.is_empty() {
        return Ok(Places::default());
    }
    let mut select = listing::seen(request, &APPOINTMENT_LOCATIONS, Level::Public);
    select.filter = Cond::is_in("appointment_setting_id", &ids);
    let places: Vec<AppointmentLocation> = records(q, select.ordered(Vec::new())).await?;
    let with_rooms: Vec<i64> = places.iter().map(|it| it.id.0).collect();
    let mut rooms: HashMap<i64, Vec<Json>> = HashMap::new();
    if request.actor.is_member() && !with_rooms.is_empty() {
        let mut select = listing::seen(request, &ROOMS, Level::Full);
        select.filter = Cond::is_in("appointment_location_id", &with_rooms);
        let found: Vec<Room> = records(q, select.ordered(Vec::new())).await?;
        for room in found {
            let shown = json!({
                "id": room.id.0.to_string(),
                "limit_to_one": room.limit_to_one,
                "name": room.name,
            });
            rooms.entry(room.appointment_location_id.0).or_default().push(shown);
        }
    }
    let mut of_layers: HashMap<i64, Vec<Json>> = HashMap::new();
    for place in places {
        let shown = json!({
            "appointment_setting_id": place.appointment_setting_id.0.to_string(),
            "clients_can_book": place.clients_can_book,
            "has_rooms": place.has_rooms,
            "id": place.id.0.to_string(),
            "location": place.location,
            "rooms": rooms.remove(&place.id.0).unwrap_or_default(),
        });
        of_layers.entry(place.appointment_setting_id.0).or_default().push(shown);
    }
    Ok(Places(of_layers))
}

/// `locationResources`: places as the columns of a calendar, those that are named, else
/// all of the caller's unit. What an appointment has as `locationResource` is one of
/// them.
pub async fn resources(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let named = listing::ids::<AppointmentLocation>(args, "location_ids", request)?;
    let which = match named {
        Some(ids) => Cond::is_in("id", &ids),
        None => Cond::eq("unit_id", request.actor.unit_id),
    };
    let mut select = listing::seen(request, &APPOINTMENT_LOCATIONS, Level::Public);
    select.filter = which;
    let mut select = select.ordered(Vec::new());
    select.limit = Some(RESOURCES_MAX);
    let found: Vec<AppointmentLocation> = records(q, select).await?;
    let shown = |it: &AppointmentLocation| {
        Out::Json(json!({ "resourceId": it.id.0.to_string(), "resourceTitle": it.location }))
    };
    let list = Out::List(found.iter().map(shown).collect());
    Ok(vec![list; rows.len()])
}
