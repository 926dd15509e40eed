//! Appointments of the replay's world, and the values of operations on them.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::values::Subject;
use crate::world::World;

/// What the operations are about.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    /// An appointment of which everything is said.
    full: String,
    /// An appointment of a group.
    class: String,
}

const BOOK: &str = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { field message } } }";
const TYPE: &str = "mutation($input: createAppointmentTypeInput) { createAppointmentType(input: $input) { appointmentType { id } messages { field message } } }";
const CHANGE: &str = "mutation($input: updateAppointmentInput!) { updateAppointment(input: $input) { appointment { id } messages { field message } } }";

impl Visits {
    /// The appointment of which everything is said.
    pub fn full(&self) -> String {
        self.full.clone()
    }

    /// Makes them.
    pub fn new(world: &World) -> Visits {
        let input = json!({"user_id": world.client, "other_party_id": world.provider,
            "appointment_type_id": world.bookings.of, "contact_type": "In Person",
            "appointment_location_id": world.bookings.place,
            "room_id": world.bookings.room, "location": "Room 1", "notes": "Brings a diary",
            "datetime": "2027-06-07T15:00:00Z", "timezone": "America/Denver",
            "metadata": {"source": "replay"}, "external_videochat_url": "https://example.com/room"});
        let made = world.ask(BOOK, json!({"input": input}), "createAppointment");
        let full = id(&made["appointment"]);
        let input = json!({"id": full, "pm_status": "Occurred", "actual_duration": 45});
        world.ask(CHANGE, json!({"input": input}), "updateAppointment");
        let input = json!({"name": "Replay class", "length": 50, "is_group": true});
        let made = world.ask(TYPE, json!({"input": input}), "createAppointmentType");
        let input = json!({"attendee_ids": world.client, "contact_type": "In Person",
            "appointment_location_id": world.bookings.place,
            "appointment_type_id": id(&made["appointmentType"]), "datetime": "2027-06-24T15:00:00Z"});
        let made = world.ask(BOOK, json!({"input": input}), "createAppointment");
        Visits { full, class: id(&made["appointment"]) }
    }
}

/// The group's appointment, which this client attends and nobody else.
pub fn of_group(world: &World, client: &str) -> String {
    let input = json!({"id": world.visits.class, "attendee_ids": client});
    world.ask(CHANGE, json!({"input": input}), "updateAppointment");
    world.visits.class.clone()
}

/// What a mutation works on: the first of a series.
pub fn subject(world: &World, root_field: &str) -> Option<String> {
    if !matches!(root_field, "updateAppointment" | "deleteAppointment") {
        return None;
    }
    let input = json!({"user_id": world.client, "appointment_type_id": world.bookings.of,
        "contact_type": "Phone Call", "datetime": "2027-06-08T14:00:00Z",
        "recurring_appointment": {"repeat_interval": "Weekly", "repeat_times": "2"}});
    let made = world.ask(BOOK, json!({"input": input}), "createAppointment");
    Some(id(&made["appointment"]))
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(world: &World, root: &str, name: &str, subject: &Subject) -> Option<Json> {
    let visits = &world.visits;
    Some(match (root, name) {
        ("appointment", "id") => visits.full.clone().into(),
        ("appointments" | "appointmentsCount", _) => match name {
            "filter" => "all".into(),
            "is_active" | "is_org" | "with_all_statuses" => true.into(),
            "order_by" => "DATE_DESC".into(),
            "sort_by" => "date_desc".into(),
            "startDate" => "2027-06-01".into(),
            "endDate" => "2027-06-30".into(),
            "provider_id" => world.provider.clone().into(),
            "user_id" => world.client.clone().into(),
            "should_paginate" => true.into(),
            _ => return None,
        },
        ("updateAppointment" | "deleteAppointment", "id") => subject.id.clone().into(),
        ("deleteAppointment", "deleteRecurring") => true.into(),
        ("createAppointment" | "updateAppointment", _) => sent(world, name)?,
        _ => return None,
    })
}

fn sent(world: &World, name: &str) -> Option<Json> {
    Some(match name {
        "actual_duration" => 40.into(),
        "appointment_location_id" => world.bookings.place.clone().into(),
        "appointment_type_id" => world.bookings.of.clone().into(),
        "attended_clients" => json!([{"user_id": world.client, "attended": true}]),
        "attendee_ids" | "user_id" => world.client.clone().into(),
        "client_confirmed" | "confirmed" => true.into(),
        "client_updating" | "is_blocker" | "is_zoom_chat" => false.into(),
        "contact_type" => "Healthie Video Call".into(),
        "date" => "2027-06-09".into(),
        "datetime" => "2027-06-09T16:00:00Z".into(),
        "end_date" => "2027-06-09T17:00:00Z".into(),
        "end_time" => "11 30".into(),
        "external_videochat_url" => "https://example.com/other".into(),
        "location" => "Room 2".into(),
        "max_attendees" => "5".into(),
        "metadata" => json!({"sent": "by the replay"}),
        "notes" => "Called twice".into(),
        "other_party_id" => world.owner.clone().into(),
        "pm_status" => "Occurred".into(),
        "providers" => world.colleague.clone().into(),
        "time" => "10 00".into(),
        "timezone" => "America/Denver".into(),
        "recurring_appointment" => Json::Null,
        "room_id" => world.bookings.room.clone().into(),
        "updateRecurring" => false.into(),
        _ => return None,
    })
}

/// What a mutation did, read back; nothing for those of other domains.
pub fn read_back(
    world: &World,
    root: &str,
    subject: &Subject,
    answer: &Json,
) -> Option<Result<(), String>> {
    const READ: &str = "query($id: ID, $deleted: Boolean) { appointment(id: $id, include_deleted: $deleted) { user_id date end } }";
    let read = |id: &str, deleted: bool| {
        world.ask(READ, json!({"id": id, "deleted": deleted}), "appointment")
    };
    let holds = |holds: bool, read: Json| match holds {
        true => Ok(()),
        false => Err(format!("not as sent: {read}")),
    };
    Some(match root {
        "createAppointment" => {
            let read = read(&id(&answer["appointment"]), false);
            let day = read["date"].as_str().unwrap_or_default().starts_with("2027-06-09");
            let client = read["user_id"].to_string();
            holds(day && client == world.client, read)
        }
        // All of the recorded ones move it, or its end.
        "updateAppointment" => {
            let read = read(&subject.id, false);
            let was = ["2027-06-08T10:00:00-04:00", "2027-06-08T10:50:00-04:00"];
            holds(read["date"] != was[0] || read["end"] != was[1], read)
        }
        "deleteAppointment" => {
            let (gone, kept) = (read(&subject.id, false), read(&subject.id, true));
            holds(gone.is_null() && !kept.is_null(), json!([gone, kept]))
        }
        _ => return None,
    })
}
