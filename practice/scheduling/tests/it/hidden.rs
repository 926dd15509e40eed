//! Appointments of restricted clients, of members who attend, and of clients who are
//! merged.

use serde_json::{Value as Json, json};
use ward_identity::flags::{
    CAN_ADD_OTHERS_APPOINTMENTS, CAN_ADD_OWN_APPOINTMENTS, CAN_EDIT_CALENDAR,
    CAN_MANAGE_OTHERS_BLOCKS, CAN_MANAGE_OWN_BLOCKS, CAN_SEE_CALENDAR,
};
use ward_store::Actor;

use crate::booking::{ALL, Desk, ahead, appointments, book, booked, change, message, with};
use crate::support::World;

#[tokio::test]
async fn what_a_restricted_client_has_is_nobodys_who_does_not_see_them() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let all = "filter: \"all\", is_org: true";
        let desk_member = w.with(&w.standard, &[CAN_SEE_CALENDAR, CAN_EDIT_CALENDAR]);
        assert_eq!(appointments(&w, &desk_member, all).await, std::slice::from_ref(&id));
        // Who sees a calendar and not the client reads no name in it.
        let query = "query($id: ID) { appointment(id: $id) { title user { id } attended_clients {
            user { id } } } }";
        let seen = w.run(&desk_member, query, json!({ "id": id })).await;
        assert_eq!(
            seen["appointment"],
            json!({ "title": "First visit", "user": null, "attended_clients": [{ "user": null }] })
        );
        let input = json!({ "id": desk.client, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert!(appointments(&w, &desk_member, all).await.is_empty());
        let seen = w.run(&desk_member, query, json!({ "id": id })).await;
        assert_eq!(seen["appointment"], Json::Null);
        let payload = change(&w, &desk_member, json!({ "id": id, "notes": "x" })).await;
        assert_eq!(message(&payload), ("id".to_owned(), "Object not found".to_owned()));
        assert_eq!(appointments(&w, &w.owner, all).await, [id]);
    })
    .await;
}

/// The number of who attends stands on each appointment that somebody reads; a question that names a
/// client finds among these, and of whoever is on none of them what it finds of nobody.
#[tokio::test]
async fn a_question_that_names_a_client_tells_no_more_than_the_appointments_that_one_reads() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let bea = w.client("Bea", "bea@example.com").await;
        let of = json!({ "name": "Class", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, of).await;
        booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let class = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(&w, 4, "15:00"), "attendee_ids": [desk.client, bea] });
        booked(&w, &w.owner, class).await;
        let nobody = (bea.parse::<i64>().unwrap() + 1_000).to_string();
        let asked = async |actor: &Actor, who: &str| {
            let mut found = Vec::new();
            for named in [
                format!("user_id: \"{who}\""),
                format!("attendee_ids: [\"{who}\"]"),
                format!("provider_ids: [\"{who}\"]"),
            ] {
                let args = format!("filter: \"all\", {named}");
                found.push(appointments(&w, actor, &args).await);
            }
            found
        };
        let read = async |actor: &Actor, who: &str| {
            let query = "{ appointments(filter: \"all\", is_org: true) { nodes { id \
                attended_clients { user_id } } } }";
            let all = w.run(actor, query, json!({})).await;
            let nodes = all["appointments"]["nodes"].as_array().unwrap().clone();
            let of = |node: &&Json| {
                let all = node["attended_clients"].as_array().unwrap();
                all.iter().any(|it| it["user_id"] == who)
            };
            let id = |node: &Json| node["id"].as_str().unwrap().to_owned();
            nodes.iter().filter(of).map(id).collect::<Vec<String>>()
        };
        let calendar = w.with(&w.standard, &[CAN_SEE_CALENDAR]);
        for (who, count) in [(&desk.client, 2), (&bea, 1), (&nobody, 0)] {
            let found = read(&calendar, who).await;
            assert_eq!(found.len(), count, "{who}");
            assert_eq!(asked(&calendar, who).await, vec![found; 3], "{who}");
        }
        // Who sees neither the client nor the calendar finds nothing, and nobody what a restricted
        // client has.
        let plain = w.with(&w.standard, &[]);
        let none = asked(&plain, &nobody).await;
        assert_eq!(asked(&plain, &desk.client).await, none);
        assert_eq!(asked(&plain, &bea).await, none);
        let input = json!({ "id": desk.client, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        let none = asked(&calendar, &nobody).await;
        assert_eq!(asked(&calendar, &desk.client).await, none);
        assert_eq!(asked(&calendar, &bea).await, none, "the restricted client comes along");
        assert_eq!(asked(&w.owner, &bea).await.concat().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_member_who_attends_has_less_time() {
    World::each(async |w| {
        let of = json!({ "name": "Rounds", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, of).await;
        let standard = w.standard.user_id.to_string();
        let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(&w, 3, "15:00"), "attendee_ids": [standard] });
        let id = booked(&w, &w.owner, input).await;
        assert_eq!(w.written("calendar_entries").await.0, 2);
        let own = w.with(&w.standard, &[CAN_ADD_OWN_APPOINTMENTS]);
        assert_eq!(appointments(&w, &own, "").await, std::slice::from_ref(&id));
        let part = "query($id: ID) { appointment(id: $id) { attended_clients { id } } }";
        let part = w.run(&w.owner, part, json!({ "id": id })).await;
        let part = part["appointment"]["attended_clients"][0]["id"].clone();
        for (cancelled, entries) in [(true, 1), (false, 2)] {
            let input = json!({ "id": part, "cancelled": cancelled });
            let selects = "appointment_inclusion { cancelled }";
            let payload = w.mutate(&w.owner, "updateAppointmentInclusion", selects, input).await;
            assert_eq!(payload["appointment_inclusion"]["cancelled"], cancelled, "{payload}");
            assert_eq!(w.written("calendar_entries").await.0, entries);
        }
        // Cancelled as a whole, it takes nobody's time; no client was added.
        change(&w, &w.owner, json!({ "id": id, "pm_status": "Cancelled" })).await;
        assert_eq!(w.written("calendar_entries").await.0, 0);
        assert_eq!(w.events_like("appointment.patient%").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn blockers_and_reasons_have_their_rules() {
    World::each(async |w| {
        let denied = |payload: &Json| {
            payload["messages"][0]["message"].as_str().unwrap_or_default().contains("permission")
        };
        let input = json!({ "is_blocker": true, "datetime": ahead(&w, 2, "13:00"),
            "end_date": ahead(&w, 2, "14:00"), "other_party_id": w.owner.user_id.to_string() });
        let own = w.with(&w.standard, &[CAN_MANAGE_OWN_BLOCKS, CAN_ADD_OTHERS_APPOINTMENTS]);
        assert!(denied(&book(&w, &own, input.clone()).await));
        let others = w.with(&w.standard, &[CAN_MANAGE_OTHERS_BLOCKS]);
        let id = booked(&w, &others, input).await;
        let edits = w.with(&w.standard, &[CAN_SEE_CALENDAR, CAN_EDIT_CALENDAR]);
        assert!(denied(&change(&w, &edits, json!({ "id": id, "notes": "x" })).await));
        assert!(!denied(&change(&w, &others, json!({ "id": id, "notes": "x" })).await));

        let desk = Desk::of(&w).await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let bare = json!({ "start_time": "08:00", "end_time": "18:00",
            "provider_cancel_reason_required": true, "enable_checked_in_status": true });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", bare).await;
        let cancel = json!({ "id": id, "pm_status": "Cancelled" });
        let payload = change(&w, &w.owner, cancel.clone()).await;
        assert_eq!(message(&payload).1, "Cancellation reason can't be blank");
        let payload =
            change(&w, &w.owner, with(&cancel, json!({ "cancellation_reason_id": "7" }))).await;
        let now = &payload["appointment"];
        assert_eq!(now["cancellation_reason"]["label"], "Provider unavailable", "{payload}");
        // Taken back, it is as if it had not been.
        let back = json!({ "id": id, "pm_status": "Checked-In" });
        let payload = change(&w, &w.owner, back).await;
        assert_eq!(payload["appointment"]["pm_status"], "Checked-In", "{payload}");
        assert_eq!(payload["appointment"]["cancellation_reason"], Json::Null);
        let reasons = "{ organization { cancellation_reasons(reason_type: all) { id label } } }";
        let reasons = w.run(&w.owner, reasons, json!({})).await;
        let all = reasons["organization"]["cancellation_reasons"].as_array().unwrap().len();
        assert_eq!(all, 12);
    })
    .await;
}

#[tokio::test]
async fn a_merged_client_brings_their_appointments() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let other = w.client("Bea", "bea@example.com").await;
        let of = json!({ "name": "Class", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, of).await;
        let alone = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let class = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(&w, 4, "15:00"), "attendee_ids": [desk.client, other] });
        let class = booked(&w, &w.owner, class).await;
        let input = json!({ "ids": [desk.client, other], "target_user_id": other });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(merged["messages"].is_null(), "{merged}");
        let client = w.as_client(&other).await;
        assert_eq!(
            appointments(&w, &client, "filter: \"all\"").await,
            [class.clone(), alone.clone()]
        );
        let query = format!(
            "query($id: ID) {{ {} }}",
            ALL.replacen("appointment {", "appointment(id: $id) {", 1)
        );
        let seen = w.run(&w.owner, &query, json!({ "id": class })).await;
        assert_eq!(seen["appointment"]["attendees"], json!([{ "id": other }]));
        let seen = w.run(&w.owner, &query, json!({ "id": alone })).await;
        assert_eq!(seen["appointment"]["user_id"].to_string(), other);
    })
    .await;
}
