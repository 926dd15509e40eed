//! Appointments of groups: their seats, and what becomes of each who attends.

use serde_json::{Value as Json, json};

use crate::booking::{ALL, ahead, book, booked, change, message, with};
use crate::support::World;

async fn class(w: &World) -> Json {
    let input = json!({ "name": "Class", "length": 60, "is_group": true });
    let of = w.type_of(&w.owner, input).await;
    json!({ "appointment_type_id": of, "contact_type": "Phone Call",
        "datetime": ahead(w, 3, "15:00"), "max_attendees": "2" })
}

async fn people(w: &World, count: usize) -> Vec<String> {
    let mut people = Vec::new();
    for n in 0..count {
        people.push(w.client("Ada", &format!("ada{n}@example.com")).await);
    }
    people
}

#[tokio::test]
async fn seats_are_never_given_twice() {
    World::each(async |w| {
        let class = class(&w).await;
        let clients = people(&w, 3).await;
        let payload = book(&w, &w.owner, with(&class, json!({ "attendee_ids": clients }))).await;
        let full = ("attendee_ids".to_owned(), "The appointment has only 2 seats".to_owned());
        assert_eq!(message(&payload), full);
        let two = with(&class, json!({ "attendee_ids": clients[..2] }));
        let payload = book(&w, &w.owner, two).await;
        let id = payload["appointment"]["id"].as_str().unwrap().to_owned();
        assert_eq!(payload["appointment"]["user_id"], Json::Null);
        assert_eq!(payload["appointment"]["title"], "Class");
        assert_eq!(payload["appointment"]["max_attendees"], "2");
        assert_eq!(payload["appointment"]["appointment_inclusions_count"], 2);
        let more = json!({ "id": id, "attendee_ids": clients });
        assert_eq!(message(&change(&w, &w.owner, more).await), full);
        let fewer = json!({ "id": id, "max_attendees": "1" });
        let payload = change(&w, &w.owner, fewer).await;
        assert_eq!(message(&payload).1, "The appointment has only 1 seat");

        // Who calls their part off gives the seat back, and can't have it again when
        // it is gone.
        let first = w.as_client(&clients[0]).await;
        let payload = w.mutate(&first, "deleteAppointment", ALL, json!({ "id": id })).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(payload["appointment"]["pm_status"], Json::Null);
        let swap = json!({ "id": id, "attendee_ids": clients[1..] });
        let payload = change(&w, &w.owner, swap).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(payload["appointment"]["attendees"].as_array().unwrap().len(), 2);
        let parts = payload["appointment"]["attended_clients"].as_array().unwrap();
        let gone = parts.iter().find(|it| it["user_id"] == json!(clients[0])).unwrap();
        assert_eq!(gone["cancelled"], true);
        let back = json!({ "id": gone["id"], "cancelled": false });
        let selects = "appointment_inclusion { id cancelled }";
        let payload = w.mutate(&w.owner, "updateAppointmentInclusion", selects, back).await;
        assert_eq!(message(&payload), full);
        assert_eq!(
            w.events_like("appointment.patient%").await,
            [
                "appointment.patient_added []",
                "appointment.patient_added []",
                "appointment.patient_removed []",
                "appointment.patient_added []"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn staff_say_who_came_and_clients_their_own_part() {
    World::each(async |w| {
        let clients = people(&w, 2).await;
        let input = with(&class(&w).await, json!({ "attendee_ids": clients }));
        let id = booked(&w, &w.owner, input).await;
        let input = json!({ "id": id, "attended_clients": [
            { "user_id": clients[0], "attended": true, "confirmed": true },
            { "user_id": clients[1], "attended": false, "cancelled": true,
              "other_cancellation_reason": "rain" } ] });
        let payload = change(&w, &w.owner, input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let query = "query($id: ID) { appointmentInclusion(id: $id) { id attended confirmed
            cancelled cancelled_by_id other_cancellation_reason user { id } appointment { id } } }";
        let parts = payload["appointment"]["attended_clients"].as_array().unwrap();
        let part = |client: &str| parts.iter().find(|it| it["user_id"] == json!(client)).unwrap();
        let (mine, other) = (part(&clients[0]), part(&clients[1]));
        let seen = w.run(&w.owner, query, json!({ "id": other["id"] })).await;
        assert_eq!(seen["appointmentInclusion"]["cancelled"], true);
        assert_eq!(seen["appointmentInclusion"]["other_cancellation_reason"], "rain");
        assert_eq!(
            seen["appointmentInclusion"]["cancelled_by_id"],
            json!(w.owner.user_id.to_string())
        );
        let first = w.as_client(&clients[0]).await;
        let seen = w.run(&first, query, json!({ "id": mine["id"] })).await;
        assert_eq!(seen["appointmentInclusion"]["attended"], true);
        assert_eq!(seen["appointmentInclusion"]["appointment"]["id"], json!(id));
        let hidden = w.run(&first, query, json!({ "id": other["id"] })).await;
        assert_eq!(hidden["appointmentInclusion"], Json::Null);
        // Nor does a client see who else attends.
        let query = "query($id: ID) { appointment(id: $id) { attendees { id }
            attended_clients { user_id } } }";
        let seen = w.run(&first, query, json!({ "id": id })).await;
        assert_eq!(seen["appointment"]["attendees"], json!([{ "id": clients[0] }]));
        assert_eq!(seen["appointment"]["attended_clients"], json!([{ "user_id": clients[0] }]));
        let selects = "appointment_inclusion { id confirmed }";
        let set = |more: Json| with(&json!({ "id": mine["id"] }), more);
        let field = "updateAppointmentInclusion";
        let payload = w.mutate(&first, field, selects, set(json!({ "attended": false }))).await;
        assert!(message(&payload).1.starts_with("A client can confirm"));
        let payload = w.mutate(&first, field, selects, set(json!({ "confirmed": false }))).await;
        assert_eq!(payload["appointment_inclusion"]["confirmed"], false, "{payload}");
        let stranger =
            w.mutate(&w.stranger, field, selects, set(json!({ "attended": false }))).await;
        assert_eq!(message(&stranger), ("id".to_owned(), "Object not found".to_owned()));
    })
    .await;
}
