//! Booking by staff through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{
    CAN_ADD_OTHERS_APPOINTMENTS, CAN_ADD_OWN_APPOINTMENTS, CAN_EDIT_CALENDAR,
    CAN_MANAGE_OWN_BLOCKS, CAN_SEE_CALENDAR, CAN_SEE_CLIENTS, SEES_ALL_CLIENTS,
};
use ward_store::Actor;

use crate::support::World;

/// What every test books: the answer's fields.
pub const ALL: &str = "appointment { id date start end length contact_type location \
    other_party_id user_id appointment_type_id provider { id full_name } user { id first_name } \
    attendees { id } attended_clients { id user_id attended confirmed cancelled } \
    appointment_type { id name } pm_status pm_status_changed_at pm_status_last_changed_by_id \
    confirmed client_confirmed is_blocker is_group max_attendees notes metadata timezone_abbr \
    external_videochat_url actual_duration initiator_id last_updated_by_id title \
    appointment_label provider_name scheduled_by providers { id } appointment_location_id \
    cancellation_reason { id label reason_type } other_cancellation_reason \
    can_client_cancel can_client_reschedule minimum_advance_cancel_time \
    patient_reschedule_count appointment_inclusions_count organization_id resourceId \
    deleted_at }";

/// A practice with a client and a type of 50 minutes.
pub struct Desk {
    pub client: String,
    pub of: String,
}

impl Desk {
    pub async fn of(w: &World) -> Self {
        let client = w.client("Ada", "ada@example.com").await;
        let of = w.type_of(&w.owner, json!({ "name": "First visit", "length": 50 })).await;
        Desk { client, of }
    }

    /// An appointment at a moment, by video.
    pub fn at(&self, datetime: &str) -> Json {
        json!({ "user_id": self.client, "appointment_type_id": self.of,
            "contact_type": "Healthie Video Call", "datetime": datetime })
    }
}

/// The input with these members replaced.
pub fn with(input: &Json, more: Json) -> Json {
    let mut input = input.clone();
    for (name, value) in more.as_object().unwrap() {
        match value {
            Json::Null => input.as_object_mut().unwrap().remove(name),
            value => input.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    input
}

pub async fn book(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "createAppointment", ALL, input).await
}

/// The id of what was booked.
pub async fn booked(w: &World, actor: &Actor, input: Json) -> String {
    let payload = book(w, actor, input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    payload["appointment"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

pub async fn change(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "updateAppointment", ALL, input).await
}

/// The first message's field and sentence.
pub fn message(payload: &Json) -> (String, String) {
    let first = &payload["messages"][0];
    let text = |name: &str| first[name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned();
    (text("field"), text("message"))
}

pub async fn appointments(w: &World, actor: &Actor, args: &str) -> Vec<String> {
    let args = if args.is_empty() { String::new() } else { format!("({args})") };
    let query = format!("{{ appointments{args} {{ nodes {{ id }} }} }}");
    let answer = w.run(actor, &query, json!({})).await;
    let nodes = answer["appointments"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// A moment so many days from now, at this UTC time of day.
pub fn ahead(w: &World, days: i64, time: &str) -> String {
    let at = jiff::Timestamp::from_microsecond(w.instance.now().0).unwrap();
    let day = at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let day = day.checked_add(jiff::ToSpan::days(days)).unwrap();
    format!("{:04}-{:02}-{:02}T{time}:00Z", day.year(), day.month(), day.day())
}

#[tokio::test]
async fn an_appointment_is_booked_changed_and_deleted() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let input = with(
            &desk.at(&ahead(&w, 3, "15:00")),
            json!({ "notes": " by the window ", "metadata": { "a": [1] }, "timezone": "Europe/Paris",
                "external_videochat_url": "https://example.com/room" }),
        );
        let payload = book(&w, &w.owner, input).await;
        let made = &payload["appointment"];
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(made["length"], 50);
        assert_eq!(made["contact_type"], "Healthie Video Call");
        assert_eq!(made["user"]["first_name"], "Ada");
        assert_eq!(made["user_id"].to_string(), desk.client);
        assert_eq!(made["attendees"][0]["id"], json!(desk.client));
        assert_eq!(made["attended_clients"][0]["user_id"], json!(desk.client));
        assert_eq!(made["other_party_id"], w.owner.user_id);
        assert_eq!(made["notes"], "by the window");
        assert_eq!(made["metadata"], json!({ "a": [1] }));
        assert_eq!(made["title"], "Ada Client");
        assert_eq!(made["appointment_label"], "First visit");
        assert_eq!(made["provider_name"], "Olive Staffson");
        assert_eq!(made["scheduled_by"], "Olive Staffson");
        assert_eq!(made["pm_status"], Json::Null);
        assert!(made["timezone_abbr"].as_str().unwrap().starts_with("CE"), "{made}");
        let id = made["id"].as_str().unwrap();

        let input = json!({ "id": id, "pm_status": "Occurred", "actual_duration": 45,
            "notes": "late", "other_party_id": w.standard.user_id.to_string() });
        let changed = change(&w, &w.owner, input).await;
        let now = &changed["appointment"];
        assert!(changed["messages"].is_null(), "{changed}");
        assert_eq!(now["pm_status"], "Occurred");
        assert_eq!(now["pm_status_last_changed_by_id"], w.owner.user_id.to_string());
        assert_ne!(now["pm_status_changed_at"], Json::Null);
        assert_eq!(now["actual_duration"], 45);
        assert_eq!(now["other_party_id"], w.standard.user_id);
        assert_eq!(now["date"], made["date"]);

        let deleted = w.mutate(&w.owner, "deleteAppointment", ALL, json!({ "id": id })).await;
        assert_ne!(deleted["appointment"]["deleted_at"], Json::Null, "{deleted}");
        let all = "filter: \"all\", is_org: true";
        assert!(appointments(&w, &w.owner, all).await.is_empty());
        let query = "query($id: ID, $deleted: Boolean) {
            appointment(id: $id, include_deleted: $deleted) { id } }";
        let seen = w.run(&w.owner, query, json!({ "id": id })).await;
        assert_eq!(seen["appointment"], Json::Null);
        let seen = w.run(&w.owner, query, json!({ "id": id, "deleted": true })).await;
        assert_eq!(seen["appointment"]["id"], json!(id));
        assert_eq!(
            w.events_like("appointment.%").await,
            [
                "appointment.created []",
                "appointment.patient_added []",
                "appointment.updated [\"other_party_id\",\"pm_status\",\"notes\",\"actual_duration\"]",
                "appointment.deleted []",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn times_are_read_in_the_zone_and_kept_through_a_change_of_the_clocks() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let cases = [
            // New York, the caller's zone.
            (json!({ "datetime": "2027-03-04 09:30:00" }), "2027-03-04T09:30:00-05:00"),
            (json!({ "datetime": "2027-03-04 09:30:00 EST -05:00" }), "2027-03-04T09:30:00-05:00"),
            (
                json!({ "datetime": null, "date": "March 4, 2027", "time": "09 30" }),
                "2027-03-04T09:30:00-05:00",
            ),
            (
                json!({ "datetime": "2027-03-04T09:30:00", "timezone": "Asia/Tokyo" }),
                "2027-03-03T19:30:00-05:00",
            ),
            // Skipped by the clocks: the same distance behind the gap.
            (json!({ "datetime": "2027-03-14 02:30:00" }), "2027-03-14T03:30:00-04:00"),
            // Occurs twice: the earlier.
            (json!({ "datetime": "2026-11-01 01:30:00" }), "2026-11-01T01:30:00-04:00"),
        ];
        for (more, date) in cases {
            let payload = book(&w, &w.owner, with(&desk.at("2027-01-01"), more.clone())).await;
            assert_eq!(payload["appointment"]["date"], date, "{more} {payload}");
            assert_eq!(payload["appointment"]["length"], 50);
        }
    })
    .await;
}

#[tokio::test]
async fn the_older_view_asks_less() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let second = w.client("Bea", "bea@example.com").await;
        let query = "mutation($input: createAppointmentInput) { createAppointment(input: $input)
            { appointment { id start attendees { id } } messages { field message } } }";
        let input = with(
            &desk.at("2027-03-04 09:30:00 -0500"),
            json!({ "contact_type": "In Person", "user_id": null,
                "attendee_ids": format!("{},{second}", desk.client) }),
        );
        let made = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "input": input })).await;
        let made = &made["data"]["createAppointment"];
        assert!(made["messages"].is_null(), "{made}");
        assert_eq!(made["appointment"]["attendees"].as_array().unwrap().len(), 2);
        assert_eq!(made["appointment"]["start"], "2027-03-04 09:30:00 -0500");
        let list = "{ appointments(filter: \"all\", offset: 0, page_size: 5) { id cursor }
            appointmentsCount(filter: \"all\") }";
        let listed = w.run_in(ViewId::Baseline, &w.owner, list, json!({})).await;
        assert_eq!(listed["data"]["appointments"].as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(listed["data"]["appointmentsCount"], 1, "{listed}");
    })
    .await;
}

#[tokio::test]
async fn a_blocker_takes_time_and_no_client_sees_it() {
    World::each(async |w| {
        let input = json!({ "is_blocker": true, "datetime": ahead(&w, 2, "13:00"),
            "end_date": ahead(&w, 4, "13:00"), "notes": "away" });
        let none = w.with(&w.standard, &[CAN_ADD_OWN_APPOINTMENTS]);
        let denied = book(&w, &none, input.clone()).await;
        assert!(denied["messages"][0]["message"].as_str().unwrap().contains("permission"));
        let may = w.with(&w.standard, &[CAN_MANAGE_OWN_BLOCKS]);
        let made = book(&w, &may, input).await;
        assert!(made["messages"].is_null(), "{made}");
        assert_eq!(made["appointment"]["length"], 2 * 1_440);
        assert_eq!(made["appointment"]["title"], "Blocked");
        assert_eq!(made["appointment"]["appointment_type"], Json::Null);
        assert_eq!(w.written("calendar_entries").await.0, 1);
        let own = "filter: \"all\", include_blockers: false";
        assert!(appointments(&w, &may, own).await.is_empty());
        assert_eq!(appointments(&w, &may, "filter: \"all\"").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn flags_open_calendars() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let of_owner = with(
            &desk.at(&ahead(&w, 3, "15:00")),
            json!({ "other_party_id": w.owner.user_id.to_string() }),
        );
        let sees = [SEES_ALL_CLIENTS, CAN_SEE_CLIENTS];
        let own = w.with(&w.standard, &[&sees[..], &[CAN_ADD_OWN_APPOINTMENTS]].concat());
        let others = w.with(&w.standard, &[&sees[..], &[CAN_ADD_OTHERS_APPOINTMENTS]].concat());
        let denied = |payload: &Json| {
            payload["messages"][0]["message"].as_str().unwrap_or_default().contains("permission")
        };
        assert!(denied(&book(&w, &own, of_owner.clone()).await));
        assert!(denied(&book(&w, &others, desk.at(&ahead(&w, 3, "15:00"))).await));
        let id = booked(&w, &others, of_owner.clone()).await;
        let mine = booked(&w, &own, desk.at(&ahead(&w, 3, "15:00"))).await;

        // Who does not see calendars has the own only, and what they booked.
        let all = "filter: \"all\", is_org: true";
        let third = with(&of_owner, json!({ "datetime": ahead(&w, 4, "15:00") }));
        let third = booked(&w, &w.owner, third).await;
        let seen = appointments(&w, &own, all).await;
        assert!(seen.contains(&mine) && seen.contains(&id) && !seen.contains(&third), "{seen:?}");
        let opens = w.with(&w.standard, &[CAN_SEE_CALENDAR]);
        assert_eq!(appointments(&w, &opens, all).await.len(), 3);
        let hidden = change(&w, &own, json!({ "id": third, "notes": "x" })).await;
        assert_eq!(message(&hidden).1, "Object not found");
        assert!(denied(&change(&w, &own, json!({ "id": id, "notes": "x" })).await));

        // Seeing is not editing.
        assert!(denied(&change(&w, &opens, json!({ "id": id, "notes": "x" })).await));
        assert!(denied(&w.mutate(&opens, "deleteAppointment", ALL, json!({ "id": id })).await));
        let edits = w.with(&w.standard, &[CAN_SEE_CALENDAR, CAN_EDIT_CALENDAR]);
        let payload = change(&w, &edits, json!({ "id": id, "notes": "x" })).await;
        assert!(payload["messages"].is_null(), "{payload}");
        // Moving it to oneself puts it into one's own calendar.
        let to_me = json!({ "id": id, "other_party_id": w.standard.user_id.to_string() });
        assert!(denied(&change(&w, &edits, to_me).await));
        // The own is changed without any of them.
        let none = w.with(&w.standard, &[]);
        let payload = change(&w, &none, json!({ "id": mine, "notes": "mine" })).await;
        assert!(payload["messages"].is_null(), "{payload}");
        // A further provider takes somebody's time.
        let joint = json!({ "id": mine, "providers": w.owner.user_id.to_string() });
        assert!(denied(&change(&w, &none, joint).await));
    })
    .await;
}
