//! Settings and their layers through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_store::Actor;

use crate::support::World;

const ALL: &str = "appointmentSetting { id user_id buffer max_days_in_future same_day_appointments \
    minimum_advance_schedule_time base_calendar_interval booking_interval_restriction start_time \
    allow_clients_to_reschedule_appt pm_statuses contact_type_overrides { id name show } }";
const HOURS: [(&str, &str); 2] = [("start_time", "08:00"), ("end_time", "18:00")];

async fn create(w: &World, actor: &Actor, more: Json) -> Json {
    let mut input = more.as_object().unwrap().clone();
    for (name, time) in HOURS {
        input.entry(name).or_insert(time.into());
    }
    w.mutate(actor, "createAppointmentSetting", ALL, input.into()).await
}

async fn of(w: &World, actor: &Actor, args: &str) -> Json {
    let args = if args.is_empty() { String::new() } else { format!("({args})") };
    let query = format!(
        "{{ appointmentSetting{args} {{ id user_id buffer max_days_in_future \
         minimum_advance_schedule_time base_calendar_interval same_day_appointments hide_link }} }}"
    );
    w.run(actor, &query, json!({})).await["appointmentSetting"].clone()
}

#[tokio::test]
async fn a_providers_layer_counts_before_the_organizations() {
    World::each(async |w| {
        assert!(of(&w, &w.owner, "").await.is_null(), "before there is any layer");
        let made = create(&w, &w.owner, json!({ "buffer": "10", "max_days_in_future": "30",
            "same_day_appointments": true, "enable_checked_in_status": true,
            "contact_type_overrides": [{ "name": "Phone Call", "show": false }] })).await;
        assert!(made["messages"].is_null(), "{made}");
        let unit = &made["appointmentSetting"];
        assert_eq!((&unit["buffer"], &unit["user_id"]), (&json!("10"), &Json::Null));
        assert_eq!(unit["base_calendar_interval"], "FIFTEEN_MINUTES");
        assert_eq!(unit["pm_statuses"], json!(["Occurred", "No-Show", "Re-Scheduled", "Cancelled", "Checked-In"]));
        assert_eq!(unit["contact_type_overrides"][2], json!({ "id": "3", "name": "Phone Call", "show": false }));
        // Stan has none yet: the organization's count.
        let stan = format!("provider_id: \"{}\"", w.standard.user_id);
        assert_eq!(of(&w, &w.owner, &stan).await["id"], unit["id"]);
        let own = create(&w, &w.standard, json!({ "user_id": w.standard.user_id.to_string(), "buffer": "0",
            "minimum_advance_schedule_time": 120, "base_calendar_interval": "FIVE_MINUTES" })).await;
        assert!(own["messages"].is_null(), "{own}");
        let expected = json!({ "id": own["appointmentSetting"]["id"], "user_id": w.standard.user_id.to_string(),
            "buffer": "0", "max_days_in_future": "30", "minimum_advance_schedule_time": 120,
            "base_calendar_interval": "FIVE_MINUTES", "same_day_appointments": true, "hide_link": false });
        assert_eq!(of(&w, &w.owner, &stan).await, expected);
        assert_eq!(of(&w, &w.standard, "").await, expected);
        assert_eq!(of(&w, &Actor::anonymous(), &stan).await, expected, "whoever books knows them");
        let client = w.client("Ada", "a@example.com").await;
        let ada = w.as_client(&client).await;
        assert_eq!(of(&w, &ada, "").await["id"], unit["id"]);
        let query = "{ contactTypes }";
        assert_eq!(w.run(&ada, query, json!({})).await["contactTypes"], json!(["Healthie Video Call", "In Person"]));
        // Null takes back what the layer said.
        let input = json!({ "id": own["appointmentSetting"]["id"], "buffer": null, "base_calendar_interval": null });
        let changed = w.mutate(&w.standard, "updateAppointmentSetting", ALL, input).await;
        assert_eq!(changed["appointmentSetting"]["buffer"], "10", "{changed}");
        assert_eq!(changed["appointmentSetting"]["base_calendar_interval"], "FIFTEEN_MINUTES");
        // Of another practice there is nothing.
        assert!(of(&w, &w.stranger, &stan).await.is_null());
        let id = format!("id: {}", unit["id"]);
        assert!(of(&w, &w.stranger, &id).await.is_null());
        let input = json!({ "id": unit["id"], "hide_link": true });
        let refused = w.mutate(&w.stranger, "updateAppointmentSetting", ALL, input.clone()).await;
        assert_eq!(refused["messages"][0], json!({ "field": "id", "message": "Object not found" }));
        let query = "mutation($input: updateAppointmentSettingInput) { updateAppointmentSetting(input: $input) \
            { appointmentSetting { id hide_link updated_at } messages { field message } } }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "input": input })).await;
        let changed = &answer["data"]["updateAppointmentSetting"]["appointmentSetting"];
        assert_eq!((&changed["id"], &changed["hide_link"]), (&unit["id"], &json!(true)), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_types_own_settings_count_before_all() {
    World::each(async |w| {
        create(&w, &w.owner, json!({ "buffer": "10", "max_days_in_future": "30" })).await;
        let selects = "appointmentType { id has_specific_appointment_settings \
            appointment_setting { id buffer max_days_in_future patient_reschedule_count_cap } }";
        let input = json!({ "name": "A", "length": 30, "appointment_setting": { "buffer": "20", "patient_reschedule_count_cap": "2" } });
        let made = w.mutate(&w.owner, "createAppointmentType", selects, input).await;
        let own = &made["appointmentType"]["appointment_setting"];
        let values = |own: &Json| [own["buffer"].clone(), own["max_days_in_future"].clone(), own["patient_reschedule_count_cap"].clone()];
        assert_eq!(values(own), [json!("20"), json!("30"), json!("2")], "{made}");
        let id = &made["appointmentType"]["id"];
        let change = async |input: Json| w.mutate(&w.owner, "updateAppointmentType", selects, input).await["appointmentType"].clone();
        let of = change(json!({ "id": id, "appointment_setting": { "id": own["id"], "buffer": "" } })).await;
        assert_eq!(values(&of["appointment_setting"]), [json!("10"), json!("30"), json!("2")]);
        let of = change(json!({ "id": id, "has_specific_appointment_settings": false })).await;
        assert!(of["appointment_setting"].is_null() && of["has_specific_appointment_settings"] == false, "{of}");
        let of = change(json!({ "id": id, "has_specific_appointment_settings": true })).await;
        assert_eq!(of["appointment_setting"]["id"], own["id"]);
        let of = change(json!({ "id": id, "appointment_setting": { "_destroy": true } })).await;
        assert!(of["appointment_setting"].is_null() && of["has_specific_appointment_settings"] == false, "{of}");
        // Another's setting is not this type's.
        let input = json!({ "id": id, "appointment_setting": { "id": own["id"], "buffer": "5" } });
        let refused = w.mutate(&w.owner, "updateAppointmentType", selects, input).await;
        assert_eq!(refused["messages"][0]["field"], "appointment_setting", "{refused}");
    })
    .await;
}

#[tokio::test]
async fn who_may_write_a_layer_and_what_it_may_say() {
    World::each(async |w| {
        let plain = w.with(&w.standard, &[]);
        let may = w.with(&w.standard, &[CAN_EDIT_SETTINGS]);
        let owners = json!({ "user_id": w.owner.user_id.to_string() });
        for input in [json!({}), owners.clone()] {
            let before = w.written("appointment_settings").await;
            let payload = create(&w, &plain, input.clone()).await;
            assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
            assert_eq!(w.written("appointment_settings").await.0, before.0);
            let payload = create(&w, &may, input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        let again = create(&w, &may, owners).await;
        assert_eq!(again["messages"][0], json!({ "field": "user_id", "message": "User has already been taken" }));
        let again = create(&w, &may, json!({})).await;
        assert_eq!(again["messages"][0]["message"], "The organization has settings already");
        let support = json!({ "user_id": w.support.user_id.to_string() });
        assert_eq!(create(&w, &w.owner, support).await["messages"][0]["field"], "user_id", "no calendar");
        let client = w.client("Ada", "a@example.com").await;
        let ada = w.as_client(&client).await;
        let refused = create(&w, &ada, json!({})).await;
        assert!(refused["appointmentSetting"].is_null() && !refused["messages"].is_null(), "{refused}");
        let before = w.written("appointment_settings").await;
        for (input, message) in [
            (json!({ "minimum_advance_schedule_time": -1 }), "Minimum advance schedule time must be from 0 to 525600"),
            (json!({ "max_days_in_future": "3651" }), "Max days in future must be from 0 to 3650"),
            (json!({ "booking_interval_restriction": 7 }), "Booking interval restriction must be 0, 20, 30 or 60"),
            (json!({ "start_time": "8 o'clock" }), "Start time must be a time of day such as 08:00"),
            (json!({ "start_time": "18:00" }), "End time must be after the start"),
            (json!({ "contact_type_overrides": [{ "name": "Letter", "show": true }] }),
                "Contact types must be some of Healthie Video Call, In Person, Phone Call"),
            (json!({ "contact_type_overrides": [{ "name": "Healthie Video Call", "show": false }, { "name": "In Person", "show": false }, { "name": "Phone Call", "show": false }] }),
                "At least one contact type must be offered"),
            (json!({ "buffer": "a while" }), "Buffer must be a whole number"),
        ] {
            let payload = w.mutate(&w.owner, "updateAppointmentSetting", ALL, input.clone()).await;
            assert_eq!(payload["messages"][0]["message"], message, "{input}");
        }
        assert_eq!(w.written("appointment_settings").await, before);
    })
    .await;
}
