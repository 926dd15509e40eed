//! Types and settings of the replay's world, and the values of operations on them.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::judge::Try;
use crate::values::Subject;
use crate::world::World;

/// What the operations are about.
#[derive(Clone, Debug, Default)]
pub struct Bookings {
    /// A type of which everything is said.
    pub of: String,
    /// The organization's settings.
    setting: String,
    /// A place of the organization's.
    pub place: String,
    /// A room of it.
    pub room: String,
}

const TYPE: &str = "mutation($input: createAppointmentTypeInput) { createAppointmentType(input: $input) { appointmentType { id } messages { field message } } }";
const SETTING: &str = "mutation($input: createAppointmentSettingInput!) { createAppointmentSetting(input: $input) { appointmentSetting { id appointment_locations { id rooms { id } } } messages { field message } } }";
const PRICE: &str = "mutation($input: updateUserAppointmentPricingInput) { updateUserAppointmentPricing(input: $input) { messages { field message } } }";
const PAID: &str = "mutation($input: updateClientInput!) { updateClient(input: $input) { messages { field message } } }";
const FREE: &str = "mutation($input: createAvailabilityInput) { createAvailability(input: $input) { availability { id } messages { field message } } }";

impl Bookings {
    /// Makes them.
    pub fn new(world: &World) -> Bookings {
        let input = json!({"name": "Replay visit", "length": 50, "pricing": "120", "clients_can_book": true,
            "user_group_id": world.group, "contact_type_overrides": ["video_chat"]});
        let made = world.ask(TYPE, json!({"input": input}), "createAppointmentType");
        let of = id(&made["appointmentType"]);
        let input = json!({"start_time": "08:00", "end_time": "18:00",
            "appointment_locations": [{"location": "4 Replay Street", "rooms": [{"name": "Blue"}]}]});
        let made = world.ask(SETTING, json!({"input": input}), "createAppointmentSetting");
        let setting = id(&made["appointmentSetting"]);
        let place = &made["appointmentSetting"]["appointment_locations"][0];
        let (place, room) = (id(place), id(&place["rooms"][0]));
        let prices = json!([{"appointment_type_id": of, "price": "80"}]);
        let input = json!({"user_id": world.client, "advance_appointment_prices": prices});
        world.ask(PRICE, json!({"input": input}), "updateUserAppointmentPricing");
        let credits = json!([{"appointment_type_id": of, "quantity": "5"}]);
        let input = json!({"id": world.client, "appointment_type_credits_attributes": credits});
        world.ask(PAID, json!({"input": input}), "updateClient");
        let input = json!({"is_repeating": true, "range_start": "March 1, 2027", "time": "09 00", "end_time": "12 30"});
        world.ask(FREE, json!({"input": input}), "createAvailability");
        Bookings { of, setting, place, room }
    }
}

/// What a mutation works on: a type, or the organization's settings.
pub fn subject(world: &World, root_field: &str) -> Option<String> {
    match root_field {
        "updateAppointmentType" => {
            let input = json!({"name": "Before", "length": 25});
            let made = world.ask(TYPE, json!({"input": input}), "createAppointmentType");
            Some(id(&made["appointmentType"]))
        }
        "updateAppointmentSetting" => Some(world.bookings.setting.clone()),
        _ => None,
    }
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(
    world: &World,
    root: &str,
    name: &str,
    subject: &Subject,
    attempt: Try,
) -> Option<Json> {
    let bookings = &world.bookings;
    Some(match (root, name) {
        ("appointmentType", "id") | (_, "appointment_type_ids") => bookings.of.clone().into(),
        (_, "require_client_bookable") => true.into(),
        ("appointmentTypes" | "appointmentTypesCount", _) => match name {
            "clients_can_book" | "org_level" | "embed_or_sharing_link" | "should_paginate" => {
                true.into()
            }
            "appointment_location_id" => bookings.place.clone().into(),
            "client_state_of_residence" => "NY".into(),
            "keywords" => "".into(),
            "provider_id" => world.owner.clone().into(),
            "provider_ids" => json!([world.owner]),
            "show_group" => false.into(),
            "with_deleted_appt_types" => attempt.switch.into(),
            _ => return None,
        },
        ("appointmentLocation", "id") => bookings.place.clone().into(),
        ("appointmentLocations", _) => match name {
            "appointment_date" => "2027-06-14".into(),
            "appointment_type_id" => bookings.of.clone().into(),
            "location_ids" => bookings.place.clone().into(),
            "provider_id" => world.owner.clone().into(),
            _ => return None,
        },
        ("updateAppointmentSetting", "hide_link") => true.into(),
        ("updateAppointmentSetting" | "updateAppointmentType", "id") => subject.id.clone().into(),
        ("updateAppointmentType", "name") => "After".into(),
        ("updateAppointmentType", "provider_ids_for_appt_type_connections") => {
            world.owner.clone().into()
        }
        ("updateAppointmentType", "require_specific_providers") => true.into(),
        _ => return None,
    })
}

/// What a mutation did, read back; nothing for those of other domains.
pub fn read_back(world: &World, root: &str, subject: &Subject) -> Option<Result<(), String>> {
    let read = |query: &str, field: &str| world.ask(query, json!({"id": subject.id}), field);
    let holds = |holds: bool, read: Json| {
        Some(if holds { Ok(()) } else { Err(format!("not as sent: {read}")) })
    };
    match root {
        "updateAppointmentSetting" => {
            let query = "query($id: ID) { appointmentSetting(id: $id) { hide_link } }";
            let read = read(query, "appointmentSetting");
            holds(read["hide_link"] == true, read)
        }
        "updateAppointmentType" => {
            let query = "query($id: ID) { appointmentType(id: $id) { name provider_appt_type_connections { user_id } } }";
            let read = read(query, "appointmentType");
            let given = json!([{"user_id": world.owner}]);
            holds(read["name"] == "After" && read["provider_appt_type_connections"] == given, read)
        }
        _ => None,
    }
}
