//! What clients do with their appointments: move them, confirm them, call them off.

use serde_json::{Value as Json, json};

use crate::booking::{ALL, Desk, ahead, appointments, book, booked, change, message, with};
use crate::support::World;

/// The organization's settings, with these.
async fn settings(w: &World, more: Json) {
    let known = w.run(&w.owner, "{ appointmentSetting { id } }", json!({})).await;
    if known["appointmentSetting"].is_null() {
        let bare = json!({ "start_time": "08:00", "end_time": "18:00" });
        let field = "createAppointmentSetting";
        let made = w.mutate(&w.owner, field, "appointmentSetting { id }", bare).await;
        assert!(made["messages"].is_null(), "{made}");
    }
    let field = "updateAppointmentSetting";
    let payload = w.mutate(&w.owner, field, "appointmentSetting { id }", more).await;
    assert!(payload["messages"].is_null(), "{payload}");
}

/// The owner can be booked on all days around the clock.
pub async fn always_free(w: &World) {
    for day in 0..7 {
        let input = json!({ "is_repeating": true, "day_of_week": day, "range_start": "2026-01-05",
            "time": "00 00", "end_time": "00 00", "timezone": "UTC" });
        // Midnight to midnight is no time at all: two halves are the whole day.
        for (time, end) in [("00 00", "12 00"), ("12 00", "00 00")] {
            let half = with(&input, json!({ "time": time, "end_time": end }));
            let made = w.mutate(&w.owner, "createAvailability", "availability { id }", half).await;
            assert!(made["messages"].is_null(), "{made}");
        }
    }
}

async fn cancel(w: &World, client: &ward_store::Actor, input: Json) -> Json {
    w.mutate(client, "deleteAppointment", ALL, input).await
}

#[tokio::test]
async fn a_client_calls_off_within_the_settings() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let client = w.as_client(&desk.client).await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        settings(&w, json!({ "minimum_advance_cancel_time": 6 * 1_440 })).await;
        let payload = cancel(&w, &client, json!({ "id": id })).await;
        let late = "An appointment can be cancelled until 8640 minutes before it begins";
        assert_eq!(message(&payload), ("base".to_owned(), late.to_owned()));
        settings(
            &w,
            json!({ "minimum_advance_cancel_time": 60,
            "client_cancel_reason_required": true }),
        )
        .await;
        let payload = cancel(&w, &client, json!({ "id": id })).await;
        assert_eq!(message(&payload).1, "Cancellation reason can't be blank");
        settings(&w, json!({ "allow_clients_to_cancel_appt": false })).await;
        let payload = cancel(&w, &client, json!({ "id": id })).await;
        assert_eq!(message(&payload).1, "This appointment can't be cancelled by clients");
        let query = "query($id: ID) { appointment(id: $id) { pm_status can_client_cancel notes
            minimum_advance_cancel_time } }";
        let seen = w.run(&client, query, json!({ "id": id })).await;
        assert_eq!(
            seen["appointment"],
            json!({ "pm_status": null, "can_client_cancel": false,
            "notes": null, "minimum_advance_cancel_time": 60 })
        );
        settings(&w, json!({ "allow_clients_to_cancel_appt": true })).await;
        let entries = w.written("calendar_entries").await.0;
        assert_eq!(entries, 1);
        let reason = json!({ "id": "3", "other_cancellation_reason": "a cold" });
        let payload = cancel(&w, &client, json!({ "id": id, "cancellation_reason": reason })).await;
        let now = &payload["appointment"];
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(now["pm_status"], "Cancelled");
        assert_eq!(now["deleted_at"], Json::Null);
        assert_eq!(now["cancellation_reason"]["label"], "Sick or unwell");
        assert_eq!(now["other_cancellation_reason"], "a cold");
        assert_eq!(now["pm_status_last_changed_by_id"], json!(desk.client));
        assert_eq!(w.written("calendar_entries").await.0, 0);
        let payload = cancel(&w, &client, json!({ "id": id })).await;
        assert_eq!(message(&payload).1, "This appointment can't be cancelled any more");
        // Not another's.
        let other = w.client("Bea", "bea@example.com").await;
        let other = w.as_client(&other).await;
        let payload = cancel(&w, &other, json!({ "id": id })).await;
        assert_eq!(message(&payload), ("id".to_owned(), "Object not found".to_owned()));
        assert_eq!(
            w.events_like("appointment.updated").await,
            ["appointment.updated [\"pm_status\",\"cancellation_reason_id\",\
              \"other_cancellation_reason\",\"cancellation_initiated_by\"]"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_client_moves_an_appointment_to_a_free_time_only() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let client = w.as_client(&desk.client).await;
        always_free(&w).await;
        settings(
            &w,
            json!({ "minimum_advance_reschedule_time": 60, "buffer": "10",
            "minimum_advance_schedule_time": 1_440 }),
        )
        .await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let other = w.client("Bea", "bea@example.com").await;
        let taken = with(&desk.at(&ahead(&w, 4, "10:00")), json!({ "user_id": other }));
        booked(&w, &w.owner, taken).await;
        let to =
            |datetime: String| json!({ "id": id, "client_updating": true, "datetime": datetime });
        let refused = "That time is not available. Choose another one.";
        for datetime in [
            // Overlaps, keeps no buffer, is too soon, is off the grid, is past.
            ahead(&w, 4, "10:30"),
            ahead(&w, 4, "10:50"),
            ahead(&w, 0, "23:45"),
            ahead(&w, 5, "10:07"),
            ahead(&w, -2, "10:00"),
        ] {
            let payload = change(&w, &client, to(datetime.clone())).await;
            assert_eq!(
                message(&payload),
                ("datetime".to_owned(), refused.to_owned()),
                "{datetime}"
            );
        }
        let more = with(&to(ahead(&w, 5, "10:00")), json!({ "notes": "mine" }));
        let payload = change(&w, &client, more).await;
        assert!(message(&payload).1.starts_with("A client can move or confirm"));
        let payload = change(
            &w,
            &client,
            with(&to(ahead(&w, 5, "10:00")), json!({ "client_updating": null })),
        )
        .await;
        assert_eq!(message(&payload).0, "client_updating");
        // Over itself it can be moved.
        let payload = change(&w, &client, to(ahead(&w, 3, "15:15"))).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let payload = change(&w, &client, to(ahead(&w, 4, "11:00"))).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(payload["appointment"]["patient_reschedule_count"], 2);
        assert_eq!(payload["appointment"]["last_updated_by_id"], json!(desk.client));
        let payload = change(&w, &client, json!({ "id": id, "client_confirmed": true })).await;
        assert_eq!(payload["appointment"]["client_confirmed"], true, "{payload}");
        settings(&w, json!({ "allow_clients_to_reschedule_appt": false })).await;
        let payload = change(&w, &client, to(ahead(&w, 5, "10:00"))).await;
        assert_eq!(message(&payload).1, "This appointment can't be rescheduled by clients");
        // Switched off for the client.
        settings(&w, json!({ "allow_clients_to_reschedule_appt": true })).await;
        let off = json!({ "user_id": desk.client, "can_schedule_appointments": false });
        w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", off).await;
        let payload = change(&w, &client, to(ahead(&w, 5, "10:00"))).await;
        assert_eq!(message(&payload).1, "Scheduling is switched off for you");
    })
    .await;
}

#[tokio::test]
async fn a_client_books_nothing_and_sees_the_own_only() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let client = w.as_client(&desk.client).await;
        let payload = book(&w, &client, desk.at(&ahead(&w, 3, "15:00"))).await;
        assert!(payload["messages"][0]["message"].as_str().unwrap().contains("permission"));
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let other = w.client("Bea", "bea@example.com").await;
        let input = with(&desk.at(&ahead(&w, 4, "15:00")), json!({ "user_id": other }));
        booked(&w, &w.owner, input).await;
        assert_eq!(appointments(&w, &client, "filter: \"all\", is_org: true").await, [id]);
        let named = format!("filter: \"all\", user_id: \"{other}\"");
        assert!(appointments(&w, &client, &named).await.is_empty());
        assert_eq!(appointments(&w, &w.stranger, "filter: \"all\", is_org: true").await, [""; 0]);
    })
    .await;
}
