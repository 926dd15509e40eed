//! What is wrong with appointments: one sentence each, and nothing is written.

use serde_json::json;

use crate::booking::{Desk, ahead, book, booked, change, message, with};
use crate::support::World;

#[tokio::test]
async fn what_is_wrong_is_said_in_one_sentence_and_nothing_is_written() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let good = desk.at(&ahead(&w, 3, "15:00"));
        let deleted = w.type_of(&w.owner, json!({ "name": "Old", "length": 20 })).await;
        w.mutate(
            &w.owner,
            "deleteAppointmentType",
            "appointmentType { id }",
            json!({ "id": deleted }),
        )
        .await;
        let stranger = Desk::of_stranger(&w).await;
        let day = &ahead(&w, 3, "15:00")[..10].to_owned();
        let cases = [
            (json!({ "datetime": null }), "datetime", "Datetime can't be blank"),
            (
                json!({ "datetime": "2027-02-31T10:00:00" }),
                "datetime",
                "Datetime must be a moment such as 2026-03-04T09:30:00",
            ),
            (
                json!({ "datetime": null, "date": "February 31, 2027", "time": "10 00" }),
                "date",
                "Date must be a date such as August 16, 2026",
            ),
            (
                json!({ "datetime": null, "date": day, "time": "25 00" }),
                "time",
                "Time must be a time of day such as 09 30",
            ),
            (
                json!({ "datetime": "9999-01-01T00:00:00Z" }),
                "datetime",
                "Datetime must be within 3650 days",
            ),
            (
                json!({ "datetime": "10000-01-01T00:00:00Z" }),
                "datetime",
                "Datetime must be a moment such as 2026-03-04T09:30:00",
            ),
            (
                json!({ "datetime": "0000-01-01T00:00:00Z" }),
                "datetime",
                "Datetime can't be before 1970",
            ),
            (
                json!({ "datetime": "1969-12-31T00:00:00Z" }),
                "datetime",
                "Datetime can't be before 1970",
            ),
            (
                json!({ "datetime": "2027-03-04T09:30:07Z" }),
                "datetime",
                "An appointment must begin and end on a whole minute",
            ),
            (
                json!({ "timezone": "Mars/Olympus" }),
                "timezone",
                "Timezone is not a known time zone such as America/New_York",
            ),
            (
                json!({ "end_date": ahead(&w, 3, "14:00") }),
                "end_time",
                "End time must be after the start",
            ),
            (
                json!({ "end_date": ahead(&w, 3, "15:00") }),
                "end_time",
                "End time must be after the start",
            ),
            (
                json!({ "end_date": ahead(&w, 6, "15:00") }),
                "end_time",
                "An appointment can't be longer than 1440 minutes",
            ),
            (
                json!({ "appointment_type_id": null }),
                "appointment_type_id",
                "Appointment type can't be blank",
            ),
            (json!({ "appointment_type_id": deleted }), "appointment_type_id", "Object not found"),
            (json!({ "contact_type": null }), "contact_type", "Contact type can't be blank"),
            (
                json!({ "contact_type": "Telepathy" }),
                "contact_type",
                "Contact type must be one of Healthie Video Call, In Person, Phone Call",
            ),
            (
                json!({ "contact_type": "In Person" }),
                "appointment_location_id",
                "Appointment location can't be blank",
            ),
            (json!({ "user_id": stranger }), "user_id", "Object not found"),
            (json!({ "user_id": null }), "user_id", "User can't be blank"),
            (
                json!({ "user_id": w.standard.user_id.to_string() }),
                "user_id",
                "User must be a client",
            ),
            (
                json!({ "attendee_ids": [w.owner.user_id.to_string()] }),
                "attendee_ids",
                "The provider can't attend as well",
            ),
            (
                json!({ "user_id": null, "attendee_ids": [desk.client, desk.client] }),
                "attendee_ids",
                "The same person can't be named twice",
            ),
            (
                json!({ "attendee_ids": [w.standard.user_id.to_string()] }),
                "attendee_ids",
                "An individual appointment can have only 1 attendee",
            ),
            (
                json!({ "providers": w.owner.user_id.to_string() }),
                "providers",
                "The main provider can't be named among the others",
            ),
            (json!({ "other_party_id": desk.client }), "other_party_id", "Object not found"),
            (
                json!({ "external_videochat_url": "javascript:alert(1)" }),
                "external_videochat_url",
                "External videochat url must be an address such as https://example.com/room",
            ),
            (
                json!({ "max_attendees": "0" }),
                "max_attendees",
                "Max attendees must be from 1 to 200",
            ),
            (
                json!({ "notes": "n".repeat(20_001) }),
                "notes",
                "Notes is too long (maximum is 20000 characters)",
            ),
            (json!({ "is_blocker": true }), "user_id", "A blocker has no clients"),
            (
                json!({ "is_blocker": true, "user_id": null, "appointment_type_id": null }),
                "end_time",
                "End time can't be blank",
            ),
        ];
        let before = w.written("appointments").await;
        for (more, field, sentence) in cases {
            let payload = book(&w, &w.owner, with(&good, more.clone())).await;
            assert_eq!(message(&payload), (field.to_owned(), sentence.to_owned()), "{more}");
            assert_eq!(payload["messages"].as_array().unwrap().len(), 1, "{payload}");
            assert!(payload["appointment"].is_null(), "{payload}");
        }
        assert_eq!(w.written("appointments").await, before);
        assert_eq!(w.events_like("appointment.%").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_is_wrong_changes_nothing() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let group = w.type_of(&w.owner, json!({ "name": "Class", "length": 60, "is_group": true })).await;
        let cases = [
            (json!({ "pm_status": "Checked-In" }), "pm_status", "Pm status must be one of Occurred, No-Show, Re-Scheduled, Cancelled"),
            (json!({ "pm_status": "Vanished" }), "pm_status", "Pm status must be one of Occurred, No-Show, Re-Scheduled, Cancelled"),
            (json!({ "cancellation_reason_id": "77" }), "cancellation_reason_id", "Object not found"),
            (json!({ "cancellation_initiated_by": "fate" }), "cancellation_initiated_by", "Cancellation initiated by must be one of client, provider, organization"),
            (json!({ "is_blocker": true }), "is_blocker", "An appointment can't become a blocker, nor a blocker one"),
            (json!({ "appointment_type_id": group }), "appointment_type_id", "A group's appointment can't become one of a single client, nor the reverse"),
            (json!({ "appointment_type_id": "" }), "appointment_type_id", "Appointment type can't be blank"),
            (json!({ "actual_duration": -1 }), "actual_duration", "Actual duration must be from 0 to 10080 minutes"),
            (json!({ "end_date": ahead(&w, 1, "15:00") }), "end_time", "End time must be after the start"),
            (json!({ "contact_type": "In Person" }), "appointment_location_id", "Appointment location can't be blank"),
            (json!({ "attended_clients": [{ "user_id": w.standard.user_id.to_string(), "attended": true }] }), "attended_clients", "Object not found"),
        ];
        let before = w.written("appointments").await;
        for (more, field, sentence) in cases {
            let payload = change(&w, &w.owner, with(&json!({ "id": id }), more.clone())).await;
            assert_eq!(message(&payload), (field.to_owned(), sentence.to_owned()), "{more}");
        }
        assert_eq!(w.written("appointments").await, before);
    })
    .await;
}

impl Desk {
    /// A client of another practice.
    async fn of_stranger(w: &World) -> String {
        let input = json!({ "first_name": "Eve", "last_name": "Else", "email": "eve@example.com" });
        let made = w.mutate(&w.stranger, "createClient", "user { id }", input).await;
        made["user"]["id"].as_str().unwrap().to_owned()
    }
}
