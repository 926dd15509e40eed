//! The steps at the front desk: a booking from a website, and its move.

use serde_json::json;

use super::steps::{Story, ask, call, unexpected};
use super::{Seen, text};

const TYPE: &str = "Follow-up";
const CONTACT: &str = "Healthie Video Call";
const ZONE: &str = "America/New_York";
const TYPES: &str = "query Types($provider: ID) { appointmentTypes(provider_id: $provider, clients_can_book: true) { nodes { id name } } }";
const NEXT: &str = "query Next($provider: String, $type: String, $zone: String) { nextAvailableSlot(provider_id: $provider, appt_type_id: $type, timezone: $zone) }";
const BOOK: &str = "mutation Book($input: completeCheckoutInput) { completeCheckout(input: $input) { appointment { id date } messages { field message } } }";
const MOVE: &str = "mutation Move($input: updateAppointmentInput!) { updateAppointment(input: $input) { appointment { id date user { id } } messages { field message } } }";

/// What was booked.
#[derive(Default)]
pub struct Desk {
    type_id: String,
    appointment: String,
    date: String,
}

impl Story {
    pub(super) fn book(&mut self) -> Seen {
        let visitor = self.cast.sandbox.visited()?;
        let types = ask(&visitor, TYPES, &json!({"provider": self.provider}))?;
        let nodes = types.body.pointer("/data/appointmentTypes/nodes");
        let known = nodes.and_then(|nodes| nodes.as_array()?.iter().find(|it| it["name"] == TYPE));
        let of = known.and_then(|it| text(it, "/id"));
        self.desk.type_id = of.ok_or_else(|| unexpected("no type to book", &types))?.to_owned();
        let date = self.next()?;
        let input = json!({"input": {
            "provider_id": self.provider, "appointment_type_id": self.desk.type_id,
            "contact_type": CONTACT, "date": date, "timezone": ZONE,
            "first_name": "Ada", "last_name": "Ahlgren", "email": "ada.ahlgren@example.com",
        }});
        let booked = ask(&visitor, BOOK, &input)?;
        let at = |path| text(&booked.body, path).map(str::to_owned);
        let of = at("/data/completeCheckout/appointment/id");
        let date = at("/data/completeCheckout/appointment/date");
        let (id, date) = of.zip(date).ok_or_else(|| unexpected("nothing booked", &booked))?;
        let seen = format!("completeCheckout answered with appointment {id}, {date}");
        (self.desk.appointment, self.desk.date) = (id, date);
        Ok(seen)
    }

    pub(super) fn reschedule(&mut self) -> Seen {
        let sandbox = &self.cast.sandbox;
        let next = self.next()?;
        let input = json!({"input": {
            "id": self.desk.appointment, "datetime": next, "timezone": ZONE,
            "enforce_availability": true,
        }});
        let moved = call(sandbox, &sandbox.key("provider")?, MOVE, &input)?;
        let of = moved.body.pointer("/data/updateAppointment/appointment");
        let at = |path| of.and_then(|it| text(it, path));
        let date = at("/date").ok_or_else(|| unexpected("not moved", &moved))?;
        if at("/user/id") != Some(self.client.as_str()) || date == self.desk.date {
            return Err(unexpected("not the client's appointment at another time", &moved));
        }
        Ok(format!("it was Ada Ahlgren's, {}; now it is {date}", self.desk.date))
    }

    /// The provider's next free time, as a visitor is told it.
    fn next(&self) -> Result<String, String> {
        let visitor = self.cast.sandbox.visited()?;
        let of = &self.desk.type_id;
        let asked = json!({"provider": self.provider, "type": of, "zone": ZONE});
        let found = ask(&visitor, NEXT, &asked)?;
        let next = text(&found.body, "/data/nextAvailableSlot");
        next.map(str::to_owned).ok_or_else(|| unexpected("no free time", &found))
    }
}
