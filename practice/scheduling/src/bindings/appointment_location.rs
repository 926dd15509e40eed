//! Places, and where they are shown.

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, Request};
use ward_identity::tables::{organizations, users};
use ward_store::{Entity, Join};

use crate::appointment_location::table::{
    APPOINTMENT_LOCATIONS, AppointmentLocation, ROOMS, appointment_locations as at,
};
use crate::appointment_location::{listing, read};

const OF: &str = "AppointmentLocation";

/// The places of a provider: the unit's and their own.
const OF_PROVIDER: Join = Join {
    table: "(SELECT m.org_id, m.id AS user_id, l.id AS place_id FROM users m \
     JOIN appointment_locations l ON l.org_id = m.org_id AND l.unit_id = m.unit_id \
     AND (l.user_id IS NULL OR l.user_id = m.id) WHERE m.is_patient = FALSE)",
    to: "place_id",
    from: "user_id",
};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &APPOINTMENT_LOCATIONS);
    b.object("Room", &ROOMS);
    let rooms = Link::Column { parent: at::id, child: "appointment_location_id" };
    b.many(OF, "rooms", &ROOMS, rooms).orders(listing::MADE, "CREATED_AT_ASC").public();
    b.query_one("appointmentLocation", &APPOINTMENT_LOCATIONS, listing::one)
        .args(&[("id", Kind::Id(AppointmentLocation::NAME))])
        .public();
    b.query_list("appointmentLocations", &APPOINTMENT_LOCATIONS, listing::list)
        .args(listing::ARGS)
        .orders(listing::MADE, "CREATED_AT_ASC")
        .public();
    b.query_list("providerAppointmentLocations", &APPOINTMENT_LOCATIONS, listing::of_provider)
        .args(&[("provider_id", Kind::Id("User"))])
        .orders(listing::MADE, "CREATED_AT_ASC");
    b.value_object("LocationResourceType", read::MEMBERS);
    b.batch("Query", "locationResources", &[], |request, q, rows, args| {
        Box::pin(read::resources(request, q, rows, args))
    })
    .args(read::ARGS);
    let own = Link::Join { parent: users::id, join: OF_PROVIDER };
    b.many("User", "appointment_locations", &APPOINTMENT_LOCATIONS, own)
        .listing(all)
        .orders(listing::MADE, "CREATED_AT_ASC")
        .public();
    let own = Link::Column { parent: organizations::id, child: "unit_id" };
    b.many("Organization", "appointment_locations", &APPOINTMENT_LOCATIONS, own)
        .listing(all)
        .orders(listing::MADE, "CREATED_AT_ASC")
        .public();
}

/// As much of them as the caller may know.
fn all(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}
