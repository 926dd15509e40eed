//! Making the objects of scheduling that calls name.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::meaning::Object;
use crate::world::World;

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

    /// A place of a provider's own, or a room of it.
    pub fn place(&mut self, own: bool, kind: Object) -> String {
        let setting = self.appointment_setting(own);
        let name = if own { self.word() } else { self.unseen() };
        let query = "mutation($input: updateAppointmentSettingInput) {
            updateAppointmentSetting(input: $input) { appointmentSetting {
            appointment_locations { id location rooms { id } } } messages { message } } }";
        let room = json!({"name": name, "limit_to_one": true});
        let sent = json!({"location": name, "clients_can_book": false, "rooms": [room]});
        let input = json!({"id": setting, "appointment_locations": [sent]});
        let made = self.as_owner().ask(query, json!({"input": input}));
        let all = &made.data()["updateAppointmentSetting"]["appointmentSetting"];
        let all = all["appointment_locations"].as_array().unwrap();
        let place = all.iter().find(|it| it["location"] == json!(name)).unwrap();
        id(if kind == Object::Room { &place["rooms"][0] } else { place })
    }

    /// A day of a provider's.
    pub fn availability(&mut self, own: bool) -> String {
        let provider = self.new_object(own, Object::Provider);
        let input = json!({"user_id": provider, "start_datetime": "2027-06-01T09:00:00Z",
            "end_datetime": "2027-06-01T10:00:00Z"});
        self.make("createAvailability", "createAvailabilityInput", "availability", input)
    }

    /// What a type costs the client.
    pub fn appointment_price(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let of = self.appointment_type(false);
        let query = "mutation($input: updateUserAppointmentPricingInput) {
            updateUserAppointmentPricing(input: $input) {
            advance_appointment_prices { id } messages { message } } }";
        let input = json!({"user_id": client,
            "advance_appointment_prices": [{"appointment_type_id": of, "price": "80"}]});
        let made = self.as_owner().ask(query, json!({"input": input}));
        id(&made.data()["updateUserAppointmentPricing"]["advance_appointment_prices"][0])
    }

    /// How many appointments of a type the client can have.
    pub fn appointment_credit(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let of = self.appointment_type(false);
        let query = "mutation($input: updateClientInput!, $of: ID) { updateClient(input: $input) {
            user { appointment_type_credits(appointment_type_id: $of) { id } } messages { message } } }";
        let credits = json!([{"appointment_type_id": of, "quantity": "4"}]);
        let input = json!({"id": client, "appointment_type_credits_attributes": credits});
        let made = self.as_owner().ask(query, json!({"input": input, "of": of}));
        id(&made.data()["updateClient"]["user"]["appointment_type_credits"][0])
    }

    /// An appointment of the client's with the owner, and the client's part in it.
    pub fn appointment(&mut self, own: bool) -> (String, String) {
        let client = if own { self.client.clone() } else { self.about().0 };
        let of = self.appointment_type(own);
        let place = if own { self.word() } else { self.unseen() };
        let query = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) {
            appointment { id attended_clients { id } } messages { message } } }";
        let input = json!({"user_id": client, "appointment_type_id": of, "location": place,
            "contact_type": "Phone Call", "datetime": "2027-06-08T09:00:00Z"});
        let made = self.as_owner().ask(query, json!({"input": input}));
        let made = &made.data()["createAppointment"]["appointment"];
        (id(made), id(&made["attended_clients"][0]))
    }

    /// A client who has an appointment.
    pub fn attendee(&mut self, own: bool) -> String {
        self.appointment(own);
        self.new_object(own, Object::Client)
    }

    /// A series of the client's with the owner.
    pub fn series(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let of = self.appointment_type(own);
        let query = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) {
            appointment { recurring_appointment { id } } messages { message } } }";
        let every = json!({"repeat_interval": "Weekly", "repeat_times": "2"});
        let input = json!({"user_id": client, "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": "2027-06-09T09:00:00Z", "recurring_appointment": every});
        let made = self.as_owner().ask(query, json!({"input": input}));
        id(&made.data()["createAppointment"]["appointment"]["recurring_appointment"])
    }

    /// What the client asks of the owner, by a page that the practice has.
    pub fn request(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let reason = if own { self.word() } else { self.unseen() };
        self.take_requests();
        let input = json!({"patient_id": client, "reason": reason, "timezone": "America/New_York",
            "provider_id": self.owner_id.clone(), "booking_params": {"page": reason},
            "slots": [{"slot_start": "2027-06-11T09:00:00Z", "slot_end": "2027-06-11T10:00:00Z"}]});
        let of = "createAppointmentRequestInput";
        self.make("createAppointmentRequest", of, "appointmentRequest", input)
    }

    /// A full class of the owner's, with a visitor who waits for a seat.
    pub fn line(&mut self) {
        let input = json!({"name": self.word(), "length": 30, "is_group": true,
            "clients_can_book": true, "is_waitlist_enabled": true});
        let of = "createAppointmentTypeInput";
        let of_type = self.make("createAppointmentType", of, "appointmentType", input);
        let input = json!({"attendee_ids": [self.about().0], "appointment_type_id": of_type,
            "max_attendees": "1", "contact_type": "Phone Call", "datetime": "2027-06-10T09:00:00Z"});
        let class = self.make("createAppointment", "createAppointmentInput!", "appointment", input);
        let name = self.unseen();
        let query = "mutation($input: completeCheckoutInput) { completeCheckout(input: $input) {
            messages { message } } }";
        let input = json!({"appointment_id": class, "is_joining_waitlist": true,
            "first_name": name, "last_name": "Late", "email": "late@client.example"});
        let joined = self.server.api().ask(query, json!({"input": input}));
        assert!(joined.data()["completeCheckout"]["messages"].is_null(), "{}", joined.text);
        // Nobody else comes.
        let input = json!({"id": of_type, "clients_can_book": false});
        self.make("updateAppointmentType", "updateAppointmentTypeInput", "appointmentType", input);
    }

    /// Where requests are not taken yet, they are from now on; who has settings has them
    /// from before.
    pub fn take_requests(&mut self) {
        let query = "mutation($input: createAppointmentSettingInput!) {
            createAppointmentSetting(input: $input) { messages { message } } }";
        let input = json!({"enable_appointment_requests": true, "start_time": "08:00",
            "end_time": "18:00"});
        self.as_owner().ask(query, json!({"input": input}));
    }
}
