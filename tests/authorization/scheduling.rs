//! What the arguments of scheduling name, and how its objects are made.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::meaning::Meaning::{self, May, Needs};
use crate::meaning::Object;
use crate::world::World;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("appointmentType", "id", Needs(Object::AppointmentType)),
    ("appointmentTypes", "appointment_type_ids", May(Object::AppointmentType)),
    ("appointmentTypes", "provider_id", May(Object::Provider)),
    ("appointmentTypes", "provider_ids", May(Object::Provider)),
    ("appointmentTypesCount", "appointment_type_ids", May(Object::AppointmentType)),
    ("appointmentTypesCount", "provider_id", May(Object::Provider)),
    ("advanceAppointmentPrices", "appointment_type_id", May(Object::AppointmentType)),
    ("advanceAppointmentPrices", "user_id", May(Object::Client)),
    ("appointmentSetting", "id", May(Object::AppointmentSetting)),
    ("appointmentSetting", "provider_id", May(Object::Provider)),
    ("createAppointmentType", "input.appointment_setting.id", May(Object::AppointmentSetting)),
    ("createAppointmentType", "input.bookable_group_ids", May(Object::Group)),
    (
        "createAppointmentType",
        "input.provider_ids_for_appt_type_connections",
        May(Object::Provider),
    ),
    ("createAppointmentType", "input.user_group_id", May(Object::Group)),
    ("updateAppointmentType", "input.id", Needs(Object::AppointmentType)),
    ("updateAppointmentType", "input.appointment_setting.id", May(Object::AppointmentSetting)),
    ("updateAppointmentType", "input.bookable_group_ids", May(Object::Group)),
    (
        "updateAppointmentType",
        "input.provider_ids_for_appt_type_connections",
        May(Object::Provider),
    ),
    ("updateAppointmentType", "input.user_group_id", May(Object::Group)),
    ("deleteAppointmentType", "input.id", Needs(Object::AppointmentType)),
    ("createAppointmentSetting", "input.user_id", May(Object::Provider)),
    ("updateAppointmentSetting", "input.id", Needs(Object::AppointmentSetting)),
    ("updateAppointmentSetting", "input.user_id", May(Object::Provider)),
    ("updateUserAppointmentPricing", "input.user_id", Needs(Object::Client)),
    (
        "updateUserAppointmentPricing",
        "input.advance_appointment_prices.appointment_type_id",
        Needs(Object::AppointmentType),
    ),
    (
        "updateUserAppointmentPricing",
        "input.advance_appointment_prices.id",
        May(Object::AppointmentPrice),
    ),
    (
        "updateUserAppointmentPricing",
        "input.advance_appointment_prices.user_id",
        May(Object::Client),
    ),
];

impl World {
    /// A type of the owner's, which nobody but members may book.
    pub fn appointment_type(&mut self, own: bool) -> String {
        let name = if own { self.word() } else { self.unseen() };
        let input = json!({"name": name, "length": 30});
        let of = "createAppointmentTypeInput";
        self.make("createAppointmentType", of, "appointmentType", input)
    }

    /// The settings of a provider.
    pub fn appointment_setting(&mut self, own: bool) -> String {
        let provider = self.new_object(own, Object::Provider);
        let query = "query($id: ID) { appointmentSetting(provider_id: $id) { id user_id } }";
        let found = self.as_owner().ask(query, json!({"id": provider}));
        let found: &Json = &found.data()["appointmentSetting"];
        if found["user_id"] == json!(provider) {
            return id(found);
        }
        let input = json!({"user_id": provider, "start_time": "08:00", "end_time": "18:00"});
        let of = "createAppointmentSettingInput!";
        let query = format!(
            "mutation($input: {of}) {{ createAppointmentSetting(input: $input) \
             {{ appointmentSetting {{ id }} messages {{ message }} }} }}"
        );
        let made = self.as_owner().ask(&query, json!({"input": input}));
        id(&made.data()["createAppointmentSetting"]["appointmentSetting"])
    }

    /// What a type costs the client.
    pub fn appointment_price(&mut self, client: &str) -> String {
        let of = self.appointment_type(false);
        let query = "mutation($input: updateUserAppointmentPricingInput) {
            updateUserAppointmentPricing(input: $input) {
            advance_appointment_prices { id } messages { message } } }";
        let input = json!({"user_id": client,
            "advance_appointment_prices": [{"appointment_type_id": of, "price": "80"}]});
        let made = self.as_owner().ask(query, json!({"input": input}));
        id(&made.data()["updateUserAppointmentPricing"]["advance_appointment_prices"][0])
    }
}
