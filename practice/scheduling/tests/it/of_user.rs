//! What is answered of somebody's appointments, and of the work on each.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_SEE_CALENDAR, SEES_ALL_CLIENTS};
use ward_store::Actor;

use crate::booking::{Desk, ahead, booked, change, with};
use crate::support::World;

async fn next(w: &World, actor: &Actor) -> Json {
    w.run(actor, "{ nextAppointment { id } }", json!({})).await["nextAppointment"]["id"].clone()
}

async fn page(w: &World, actor: &Actor, id: &str) -> Json {
    let query = "query($id: ID) { user(id: $id) { appointments { id } upcoming_appointments { id } \
        next_app { id } last_app { id } next_appt_date } }";
    w.run(actor, query, json!({ "id": id })).await["user"].clone()
}

#[tokio::test]
async fn a_clients_page_has_what_they_attend_and_the_next_is_the_next() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let ada = w.as_client(&desk.client).await;
        assert_eq!(next(&w, &ada).await, Json::Null);
        // Booked in no order; the past one first.
        let past = booked(&w, &w.owner, desk.at(&ahead(&w, -3, "15:00"))).await;
        let older = booked(&w, &w.owner, desk.at(&ahead(&w, -9, "15:00"))).await;
        let far = booked(&w, &w.owner, desk.at(&ahead(&w, 9, "15:00"))).await;
        let near = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let off = booked(&w, &w.owner, desk.at(&ahead(&w, 2, "15:00"))).await;
        change(&w, &w.owner, json!({ "id": off, "pm_status": "Cancelled" })).await;
        let class = w.type_of(&w.owner, json!({ "name": "Class", "length": 60, "is_group": true })).await;
        let input = json!({ "appointment_type_id": class, "contact_type": "Phone Call", "attendee_ids": [desk.client] });
        let seat = booked(&w, &w.owner, with(&input, json!({ "datetime": ahead(&w, 2, "17:00") }))).await;
        let block = json!({ "is_blocker": true, "datetime": ahead(&w, 1, "15:00"), "end_date": ahead(&w, 1, "16:00") });
        booked(&w, &w.owner, block).await;
        let ids = |of: &Json| -> Vec<String> {
            of.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
        };
        let all = [&far, &near, &seat, &off, &past, &older].map(String::clone);
        for actor in [&w.owner, &ada] {
            let seen = page(&w, actor, &desk.client).await;
            assert_eq!(ids(&seen["appointments"]), all, "{seen}");
            assert_eq!(ids(&seen["upcoming_appointments"]), [&seat, &near, &far].map(String::clone));
            assert_eq!((&seen["next_app"]["id"], &seen["last_app"]["id"]), (&json!(seat), &json!(past)));
            assert!(seen["next_appt_date"].as_str().unwrap().starts_with(&ahead(&w, 2, "")[..10]), "{seen}");
            assert_eq!(next(&w, actor).await, json!(seat));
        }
        // Who calls their seat off has the next one, the provider not.
        w.mutate(&ada, "deleteAppointment", "appointment { id }", json!({ "id": seat })).await;
        assert_eq!(next(&w, &ada).await, json!(near));
        assert_eq!(page(&w, &ada, &desk.client).await["next_app"]["id"], json!(near));
        assert_eq!(next(&w, &w.owner).await, json!(seat));
        // As much as the caller sees of appointments.
        let blind = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let seer = w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_SEE_CALENDAR]);
        let none = json!({ "appointments": [], "upcoming_appointments": [], "next_app": null, "last_app": null, "next_appt_date": null });
        assert_eq!(page(&w, &blind, &desk.client).await, none);
        assert_eq!(page(&w, &seer, &desk.client).await["next_app"]["id"], json!(near));
        assert_eq!(next(&w, &seer).await, Json::Null);
        assert_eq!(page(&w, &w.stranger, &desk.client).await, Json::Null);
        let bea = w.client("Bea", "bea@example.com").await;
        let other = w.as_client(&bea).await;
        assert_eq!(page(&w, &other, &desk.client).await, Json::Null);
        assert_eq!(page(&w, &other, &bea).await, none);
        // Of many clients at once, each has their own.
        let query = "{ users(active_status: \"active\") { id next_appointment appointments { id } next_app { id } } }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({})).await;
        let users = answer["data"]["users"].as_array().unwrap_or_else(|| panic!("{answer}"));
        for (id, count) in [(&desk.client, 5), (&bea, 0)] {
            let user = users.iter().find(|it| it["id"] == json!(id)).unwrap();
            assert_eq!(user["appointments"].as_array().unwrap().len(), count, "{user}");
            assert_eq!((user["next_app"].is_null(), user["next_appointment"].is_null()), (count == 0, count == 0));
        }
    })
    .await;
}

#[tokio::test]
async fn the_scheduled_tab_is_there_for_who_can_schedule_or_has_something() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let ada = w.as_client(&desk.client).await;
        let shows = async |actor: &Actor| {
            w.run(actor, "{ showScheduledTab }", json!({})).await["showScheduledTab"].clone()
        };
        assert_eq!((shows(&ada).await, shows(&w.support).await), (json!(true), json!(true)));
        let toggle = json!({ "user_id": desk.client, "can_schedule_appointments": false });
        let made = w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", toggle).await;
        assert!(made["messages"].is_null(), "{made}");
        assert_eq!(shows(&ada).await, json!(false));
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        assert_eq!(shows(&ada).await, json!(true));
        change(&w, &w.owner, json!({ "id": id, "pm_status": "Cancelled" })).await;
        assert_eq!(shows(&ada).await, json!(false));
        let anonymous = w
            .run_in(
                ViewId::V2026,
                &Actor::anonymous(),
                "{ showScheduledTab nextAppointment { id } }",
                json!({}),
            )
            .await;
        assert_eq!(
            anonymous,
            json!({ "data": { "showScheduledTab": null, "nextAppointment": null } })
        );
    })
    .await;
}

#[tokio::test]
async fn the_work_on_appointments_is_listed_for_staff() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let first = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let second = booked(&w, &w.owner, desk.at(&ahead(&w, 4, "15:00"))).await;
        change(&w, &w.owner, json!({ "id": first, "pm_status": "Occurred" })).await;
        let work = async |actor: &Actor, args: &str| {
            let args = if args.is_empty() { String::new() } else { format!("({args})") };
            let query = format!("{{ appointmentWorkflowStatuses{args} {{ total_count nodes {{ appointment {{ id date status }} \
                client {{ id name }} provider {{ id name }} }} }} }}");
            let answer = w.run_in(ViewId::V2026, actor, &query, json!({})).await;
            match answer["data"]["appointmentWorkflowStatuses"].is_null() {
                true => answer["errors"][0]["message"].clone(),
                false => answer["data"]["appointmentWorkflowStatuses"].clone(),
            }
        };
        let all = work(&w.owner, "").await;
        assert_eq!(all["total_count"], 2, "{all}");
        let node = &all["nodes"][1];
        assert_eq!((&node["appointment"]["id"], &node["appointment"]["status"]), (&json!(first), &json!("Occurred")));
        assert_eq!((&node["client"]["name"], &node["provider"]["name"]), (&json!("Ada Client"), &json!("Olive Staffson")));
        let day = ahead(&w, 4, "15:00")[..10].to_owned();
        let late = work(&w.owner, &format!("range_start: \"{day}\", range_end: \"{day}\"")).await;
        assert_eq!((late["nodes"].as_array().unwrap().len(), &late["nodes"][0]["appointment"]["id"]), (1, &json!(second)));
        let provider = format!("provider_ids: [\"{}\"]", w.standard.user_id);
        assert_eq!(work(&w.owner, &provider).await["total_count"], 0);
        let client = format!("client_id: \"{}\"", desk.client);
        assert_eq!(work(&w.owner, &client).await["total_count"], 2);
        for bad in ["2026-02-31", "10000-01-01", "soon", "9999-12-31"] {
            let answer = work(&w.owner, &format!("range_end: \"{bad}\"")).await;
            assert!(answer.is_string(), "{bad}: {answer}");
        }
        assert_eq!(work(&w.with(&w.standard, &[SEES_ALL_CLIENTS]), "").await["total_count"], 0);
        assert_eq!(work(&w.stranger, &client).await["total_count"], 0);
        let ada = w.as_client(&desk.client).await;
        for actor in [&ada, &Actor::anonymous()] {
            assert!(work(actor, "").await.is_string());
        }
    })
    .await;
}

#[tokio::test]
async fn whose_settings_and_whether_credits_count_is_said_of_users() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let facts = async |id: &str| {
            let query = "query($id: ID) { user(id: $id) { has_own_appointment_setting show_client_appointment_credits } }";
            let user = w.run(&w.owner, query, json!({ "id": id })).await["user"].clone();
            [user["has_own_appointment_setting"].clone(), user["show_client_appointment_credits"].clone()]
        };
        let owner = w.owner.user_id.to_string();
        let stan = w.standard.user_id.to_string();
        assert_eq!(facts(&owner).await, [json!(false), json!(false)]);
        let own = json!({ "user_id": owner, "start_time": "08:00", "end_time": "18:00", "use_client_credit_system": true });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", own).await;
        assert_eq!(facts(&owner).await, [json!(true), json!(true)]);
        assert_eq!(facts(&stan).await, [json!(false), json!(false)]);
        assert_eq!(facts(&desk.client).await, [json!(false), json!(true)], "by the primary provider's");
    })
    .await;
}
