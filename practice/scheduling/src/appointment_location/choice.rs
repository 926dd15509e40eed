//! Which place and room an appointment or a time can be at.

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::{Organization, User};
use ward_store::{Id, Level};

use super::table::{AppointmentLocation, Room};
use crate::appointment::table::Appointment;

/// The field that names a place.
pub const AT: &str = "appointment_location_id";

impl AppointmentLocation {
    /// Whether this provider of this unit meets clients there: it is the unit's, or
    /// the provider's own.
    pub fn serves(&self, unit: i64, provider: i64) -> bool {
        self.unit_id.0 == unit && self.user_id.is_none_or(|own| own.0 == provider)
    }
}

/// A place of a provider's that the caller knows of.
pub async fn place(
    call: &mut Call<'_>,
    id: Id<AppointmentLocation>,
    (unit, provider): (Id<Organization>, Id<User>),
    least: Level,
) -> Answer<AppointmentLocation> {
    let found = call.visible_for_reference(id, least).await?;
    let place: Option<AppointmentLocation> = found.map(|(place, _)| place);
    let place = place.filter(|it| it.serves(unit.0, provider.0));
    place.ok_or_else(|| Refused::not_found(AT))
}

/// Where an appointment is to be, as staff say it: a room is of the place that is
/// named, and says the place where none is.
pub async fn whereabouts(
    call: &mut Call<'_>,
    row: &Appointment,
    (at, room): (Option<Id<AppointmentLocation>>, Option<Id<Room>>),
) -> Answer<(Option<Id<AppointmentLocation>>, Option<Id<Room>>)> {
    let room = match room {
        Some(id) => {
            let found = call.visible_for_reference(id, Level::Full).await?;
            let found: Option<Room> = found.map(|(room, _)| room);
            Some(found.ok_or_else(|| Refused::not_found("room_id"))?)
        }
        None => None,
    };
    let of_room = room.as_ref().map(|room| room.appointment_location_id);
    let Some(at) = at.or(of_room) else { return Ok((None, None)) };
    let place = place(call, at, (row.unit_id, row.provider_id), Level::Full).await?;
    match of_room.is_some_and(|of| of != place.id) {
        true => Err(Refused::not_found("room_id")),
        false => Ok((Some(place.id), room.map(|room| room.id))),
    }
}
