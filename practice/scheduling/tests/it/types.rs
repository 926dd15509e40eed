//! Appointment types through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::Actor;

use crate::support::World;

const ALL: &str = "appointmentType { id name length clients_can_book is_group is_waitlist_enabled \
    pricing pricing_option available_contact_types position row_order user_id organization_id \
    require_specific_providers require_in_state_clients bookable_by_groups bookable_without_group \
    client_display_name client_facing_display_name client_display_description metadata \
    dont_ask_for_reason deleted_at user_group { name } bookable_groups { name } \
    provider_appt_type_connections { user_id appointment_type_id provider_name } \
    has_specific_appointment_settings appointment_setting { id buffer max_days_in_future } }";

async fn update(w: &World, input: Json) -> Json {
    w.mutate(&w.owner, "updateAppointmentType", ALL, input).await
}

async fn group(w: &World, name: &str) -> String {
    let input = json!({ "name": name });
    let made = w.mutate(&w.owner, "createGroup", "user_group { id }", input).await;
    made["user_group"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_type_is_made_changed_listed_and_kept_when_deleted() {
    World::each(async |w| {
        let input = json!({ "name": " Intake ", "length": 50, "pricing": "$120.5", "metadata": "{\"a\": 1}",
            "clients_can_book": true, "client_facing_display_name": "First visit" });
        let made = w.mutate(&w.owner, "createAppointmentType", ALL, input).await;
        assert!(made["messages"].is_null(), "{made}");
        let of = &made["appointmentType"];
        let expected = json!({
            "id": of["id"], "name": "Intake", "length": 50, "clients_can_book": true, "is_group": false,
            "is_waitlist_enabled": false, "pricing": "120.50", "pricing_option": "CUSTOM",
            "available_contact_types": ["Healthie Video Call", "In Person", "Phone Call"],
            "position": 1, "row_order": "1", "user_id": w.owner.user_id,
            "organization_id": w.organization.id.0, "require_specific_providers": false,
            "require_in_state_clients": false, "bookable_by_groups": true,
            "bookable_without_group": true, "client_display_name": "First visit",
            "client_facing_display_name": "First visit", "client_display_description": null,
            "metadata": "{\"a\": 1}", "dont_ask_for_reason": false, "deleted_at": null,
            "user_group": null, "bookable_groups": [], "provider_appt_type_connections": [],
            "has_specific_appointment_settings": false, "appointment_setting": null,
        });
        assert_eq!(*of, expected);
        let id = of["id"].as_str().unwrap();
        let changed = update(&w, json!({ "id": id, "name": "Follow-up", "length": 25, "pricing": "",
            "client_facing_display_name": null,
            "contact_type_override_phone_call": { "show": false } })).await;
        let of = &changed["appointmentType"];
        assert_eq!((&of["name"], &of["length"], &of["pricing"]), (&json!("Follow-up"), &json!(25), &Json::Null));
        assert_eq!(of["client_display_name"], "Follow-up");
        assert_eq!(of["available_contact_types"], json!(["Healthie Video Call", "In Person"]));
        let query = "query($id: ID) { appointmentType(id: $id) { name } appointmentTypesCount \
            appointmentTypes { name cursor created_at } }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "id": id })).await;
        assert_eq!(answer["data"]["appointmentType"]["name"], "Follow-up", "{answer}");
        assert_eq!(answer["data"]["appointmentTypesCount"], 1);
        assert_eq!(answer["data"]["appointmentTypes"][0]["name"], "Follow-up");
        let gone = w.mutate(&w.owner, "deleteAppointmentType", "appointmentType { id }", json!({ "id": id })).await;
        assert_eq!(gone["appointmentType"]["id"], id, "{gone}");
        assert!(w.names(&w.owner, "").await.is_empty());
        assert_eq!(w.names(&w.owner, "with_deleted_appt_types: true").await, ["Follow-up"]);
        for field in ["deleteAppointmentType", "updateAppointmentType"] {
            let again = w.mutate(&w.owner, field, "appointmentType { id }", json!({ "id": id })).await;
            assert_eq!(again["messages"][0], json!({ "field": "id", "message": "Object not found" }));
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_written() {
    World::each(async |w| {
        let group_type = w.type_of(&w.owner, json!({ "name": "G", "length": 60, "is_group": true, "is_waitlist_enabled": true })).await;
        let before = w.written("appointment_types").await;
        let many: Vec<String> = (0..600).map(|n| (1_000_000_000 + n).to_string()).collect();
        for (input, field, message) in [
            (json!({ "name": " ", "length": 10 }), "name", "Name can't be blank"),
            (json!({ "name": "A" }), "length", "Length can't be blank"),
            (json!({ "name": "A", "length": 0 }), "length", "Length must be from 1 to 1440 minutes"),
            (json!({ "name": "A", "length": -5 }), "length", "Length must be from 1 to 1440 minutes"),
            (json!({ "name": "A", "length": 1441 }), "length", "Length must be from 1 to 1440 minutes"),
            (json!({ "name": "A".repeat(256), "length": 1 }), "name", "Name is too long (maximum is 255 characters)"),
            (json!({ "name": "A", "length": 1, "pricing": "-3" }), "pricing", "Pricing must be an amount such as 120.50"),
            (json!({ "name": "A", "length": 1, "pricing_option": "CPT_CODE" }), "pricing_option", "Pricing option must be CUSTOM"),
            (json!({ "name": "A", "length": 1, "metadata": "{" }), "metadata", "Metadata must be a valid JSON document"),
            (json!({ "name": "A", "length": 1, "is_waitlist_enabled": true }), "is_waitlist_enabled", "Only group types have a waitlist"),
            (json!({ "name": "A", "length": 1, "contact_type_overrides": ["by_letter"] }), "contact_type_overrides",
                "Contact type overrides must be some of video_chat, in_person, phone_call"),
            (json!({ "name": "A", "length": 1, "contact_type_overrides": [] }), "contact_type_overrides",
                "At least one contact type must be offered"),
            (json!({ "name": "A", "length": 1, "user_group_id": "7" }), "user_group_id", "Object not found"),
            (json!({ "name": "A", "length": 1, "bookable_group_ids": [group_type] }), "bookable_group_ids", "Object not found"),
            (json!({ "name": "A", "length": 1, "provider_ids_for_appt_type_connections": [w.support.user_id.to_string()] }),
                "provider_ids_for_appt_type_connections", "Object not found"),
            (json!({ "name": "A", "length": 1, "provider_ids_for_appt_type_connections": [w.stranger.user_id.to_string()] }),
                "provider_ids_for_appt_type_connections", "Object not found"),
            (json!({ "name": "A", "length": 1, "appointment_setting": { "buffer": "soon" } }), "buffer", "Buffer must be a whole number"),
            (json!({ "name": "A", "length": 1, "appointment_setting": { "buffer": "481" } }), "buffer", "Buffer must be from 0 to 480"),
            (json!({ "name": "A", "length": 1, "appointment_setting": { "booking_interval_restriction": 25 } }),
                "booking_interval_restriction", "Booking interval restriction must be 0, 20, 30 or 60"),
        ] {
            let payload = w.mutate(&w.owner, "createAppointmentType", ALL, input.clone()).await;
            assert_eq!(payload["messages"][0], json!({ "field": field, "message": message }), "{input}");
            assert!(payload["appointmentType"].is_null(), "{input}");
        }
        let input = json!({ "name": "A", "length": 1, "bookable_group_ids": many });
        let payload = w.mutate(&w.owner, "createAppointmentType", ALL, input).await;
        assert!(!payload["messages"].is_null(), "{payload}");
        for (input, field, message) in [
            (json!({ "id": group_type, "name": "" }), "name", "Name can't be blank"),
            (json!({ "id": group_type, "length": null }), "length", "Length can't be blank"),
            (json!({ "id": group_type, "is_group": false }), "is_waitlist_enabled", "Only group types have a waitlist"),
            (json!({ "id": group_type, "row_order": -1 }), "row_order", "Row order can't be negative"),
            (json!({ "id": group_type, "contact_type_override_in_person": { "show": false },
                "contact_type_override_phone_call": { "show": false },
                "contact_type_override_video_chat": { "show": false } }), "base", "At least one contact type must be offered"),
            (json!({ "length": 5 }), "id", "Object not found"),
        ] {
            let payload = update(&w, input.clone()).await;
            assert_eq!(payload["messages"][0], json!({ "field": field, "message": message }), "{input}");
        }
        assert_eq!(w.written("appointment_types").await, before);
    })
    .await;
}

#[tokio::test]
async fn so_many_ids_are_named_each_once() {
    World::each(async |w| {
        let id = w.type_of(&w.owner, json!({ "name": "A", "length": 30 })).await;
        let stan = w.standard.user_id.to_string();
        let query =
            "query($ids: [ID]) { appointmentTypes(appointment_type_ids: $ids) { nodes { name } } }";
        let asked = async |count: usize| {
            w.run_in(ViewId::V2026, &w.owner, query, json!({ "ids": vec![&id; count] })).await
        };
        let answer = asked(10_000).await;
        assert_eq!(
            answer["data"]["appointmentTypes"]["nodes"],
            json!([{ "name": "A" }]),
            "{answer}"
        );
        let refused = asked(10_001).await;
        assert!(
            refused["errors"][0]["message"].to_string().contains("At most 10000 ids"),
            "{refused}"
        );
        let before = w.written("provider_appt_type_connections").await;
        let named = "provider_ids_for_appt_type_connections";
        let input = json!({ "id": id, named: vec![&stan; 10_001] });
        let payload = update(&w, input).await;
        let told = json!({ "field": named, "message": "At most 10000 ids can be named" });
        assert_eq!(payload["messages"][0], told, "{payload}");
        assert_eq!(w.written("provider_appt_type_connections").await, before);
        let payload = update(&w, json!({ "id": id, named: [stan, stan] })).await;
        let connected = payload["appointmentType"]["provider_appt_type_connections"].as_array();
        assert_eq!(connected.unwrap().len(), 1, "{payload}");
    })
    .await;
}

#[tokio::test]
async fn groups_and_providers_are_those_last_named() {
    World::each(async |w| {
        let (adults, teens) = (group(&w, "Adults").await, group(&w, "Teens").await);
        let owner = w.owner.user_id.to_string();
        let stan = w.standard.user_id.to_string();
        let input = json!({ "name": "Group", "length": 60, "is_group": true, "user_group_id": teens,
            "bookable_group_ids": [adults, teens], "bookable_without_group": false,
            "require_specific_providers": true, "provider_ids_for_appt_type_connections": [stan, stan] });
        let made = w.mutate(&w.owner, "createAppointmentType", ALL, input).await;
        let of = &made["appointmentType"];
        assert_eq!(of["bookable_groups"], json!([{ "name": "Adults" }, { "name": "Teens" }]), "{made}");
        assert_eq!(of["user_group"]["name"], "Teens");
        let connected = json!([{ "user_id": stan, "appointment_type_id": of["id"], "provider_name": "Stan Staffson" }]);
        assert_eq!(of["provider_appt_type_connections"], connected);
        // A list in the baseline view is a text.
        let query = "mutation($input: updateAppointmentTypeInput) { updateAppointmentType(input: $input) \
            { appointmentType { bookable_groups { name } provider_appt_type_connections { user_id } } messages { message } } }";
        let lists = json!({ "id": of["id"], "bookable_group_ids": adults,
            "provider_ids_for_appt_type_connections": format!("{owner},{stan}") });
        let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "input": lists })).await;
        let of = &answer["data"]["updateAppointmentType"]["appointmentType"];
        assert_eq!(of["bookable_groups"], json!([{ "name": "Adults" }]), "{answer}");
        assert_eq!(of["provider_appt_type_connections"], json!([{ "user_id": stan }, { "user_id": owner }]));
        let id = &made["appointmentType"]["id"];
        let of = update(&w, json!({ "id": id, "bookable_group_ids": "all" })).await["appointmentType"].clone();
        assert_eq!(of["bookable_groups"], json!([{ "name": "Adults" }, { "name": "Teens" }]));
        let of = update(&w, json!({ "id": id, "bookable_by_groups": false, "user_group_id": "",
            "provider_ids_for_appt_type_connections": [] })).await["appointmentType"].clone();
        assert_eq!(of["bookable_groups"], json!([]));
        assert_eq!(of["provider_appt_type_connections"], json!([]));
        assert!(of["user_group"].is_null());
    })
    .await;
}

#[tokio::test]
async fn lists_are_ordered_filtered_and_found_by_name() {
    World::each(async |w| {
        let mut ids = Vec::new();
        for (name, books, is_group) in
            [("Alpha", true, false), ("Beta", false, true), ("Gamma visit", true, true)]
        {
            let input = json!({ "name": name, "length": 30, "clients_can_book": books, "is_group": is_group });
            ids.push(w.type_of(&w.owner, input).await);
        }
        let o = &w.owner;
        assert_eq!(w.names(o, "").await, ["Alpha", "Beta", "Gamma visit"]);
        assert_eq!(w.names(o, "order_by: POSITION_DESC").await, ["Gamma visit", "Beta", "Alpha"]);
        assert_eq!(w.names(o, "clients_can_book: true").await, ["Alpha", "Gamma visit"]);
        assert_eq!(w.names(o, "clients_can_book: false").await, ["Beta"]);
        assert_eq!(w.names(o, "show_group: true").await, ["Beta", "Gamma visit"]);
        assert_eq!(w.names(o, "show_group: false, embed_or_sharing_link: true").await, ["Alpha"]);
        assert_eq!(w.names(o, "keywords: \"vis\"").await, ["Gamma visit"]);
        let some = format!("appointment_type_ids: [\"{}\", \"{}\"]", ids[0], ids[2]);
        assert_eq!(w.names(o, &some).await, ["Alpha", "Gamma visit"]);
        // The baseline view has them as a JSON list in a text.
        let query = "query($ids: String) { appointmentTypes(appointment_type_ids: $ids) { name } \
            appointmentTypesCount(appointment_type_ids: $ids) }";
        let text = format!("[\"{}\",{}]", ids[1], ids[2]);
        let answer = w.run_in(ViewId::Baseline, o, query, json!({ "ids": text })).await;
        assert_eq!(answer["data"]["appointmentTypesCount"], 2, "{answer}");
        update(&w, json!({ "id": ids[2], "row_order": 0 })).await;
        assert_eq!(w.names(o, "").await, ["Gamma visit", "Alpha", "Beta"]);
        update(&w, json!({ "id": ids[2], "row_order": 99 })).await;
        assert_eq!(w.names(o, "").await, ["Alpha", "Beta", "Gamma visit"]);
        let next = w.type_of(o, json!({ "name": "Last", "length": 5 })).await;
        assert_eq!(w.names(o, "").await.last().unwrap(), "Last");
        let query = "query($id: ID) { user(id: $id) { appointment_types { name } \
            books: appointment_types(require_client_bookable: true) { name } } }";
        let answer = w.run(o, query, json!({ "id": w.owner.user_id.to_string() })).await;
        assert_eq!(answer["user"]["appointment_types"].as_array().unwrap().len(), 4, "{answer}");
        assert_eq!(answer["user"]["books"], json!([{ "name": "Alpha" }, { "name": "Gamma visit" }]));
        let _ = next;
    })
    .await;
}

#[tokio::test]
async fn another_practices_types_are_not_there() {
    World::each(async |w| {
        let id = w
            .type_of(&w.owner, json!({ "name": "Ours", "length": 30, "clients_can_book": true }))
            .await;
        let other: &Actor = &w.stranger;
        let query = "query($id: ID) { appointmentType(id: $id) { name } }";
        assert!(w.run(other, query, json!({ "id": id })).await["appointmentType"].is_null());
        for args in ["org_level: true", "with_deleted_appt_types: true", ""] {
            assert!(w.names(other, args).await.is_empty(), "{args}");
        }
        let provider = format!("provider_id: \"{}\"", w.owner.user_id);
        assert!(w.names(other, &provider).await.is_empty());
        let before = w.written("appointment_types").await;
        for field in ["updateAppointmentType", "deleteAppointmentType"] {
            let payload =
                w.mutate(other, field, "appointmentType { id }", json!({ "id": id })).await;
            assert_eq!(
                payload["messages"][0],
                json!({ "field": "id", "message": "Object not found" })
            );
        }
        assert_eq!(w.written("appointment_types").await, before);
    })
    .await;
}
