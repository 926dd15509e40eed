//! Credits: set by staff, taken once by whoever books, given back by the settings.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_EDIT_CREDIT, SEES_ALL_CLIENTS};
use ward_store::Actor;

use crate::booking::{Desk, ahead, booked, change, with};
use crate::support::World;

/// The organization's settings of credits.
pub async fn settings(w: &World, more: Json) {
    let known = w.run(&w.owner, "{ appointmentSetting { id } }", json!({})).await;
    let field = match known["appointmentSetting"].is_null() {
        true => "createAppointmentSetting",
        false => "updateAppointmentSetting",
    };
    let more = with(&more, json!({ "start_time": "08:00", "end_time": "18:00" }));
    let made = w.mutate(&w.owner, field, "appointmentSetting { id }", more).await;
    assert!(made["messages"].is_null(), "{made}");
}

/// Staff say how many credits a client has.
pub async fn set(w: &World, actor: &Actor, client: &str, of: &str, quantity: &str) -> Json {
    let credits = json!([{ "appointment_type_id": of, "quantity": quantity }]);
    let input = json!({ "id": client, "appointment_type_credits_attributes": credits });
    w.mutate(actor, "updateClient", "user { id }", input).await
}

/// How many credits a client has; nothing when they never had any.
pub async fn has(w: &World, actor: &Actor, client: &str, of: &str) -> Option<i64> {
    let query = "query($id: ID, $of: ID) { user(id: $id) \
        { appointment_type_credits(appointment_type_id: $of) { quantity user_id appointment_type_id } } }";
    let answer = w.run(actor, query, json!({ "id": client, "of": of })).await;
    let found = &answer["user"]["appointment_type_credits"];
    found[0]["quantity"].as_str().map(|text| text.parse().unwrap())
}

/// The ledger of a client, the latest first: number and cause.
async fn ledger(w: &World, actor: &Actor, client: &str) -> Vec<(i64, String)> {
    let query = "query($id: ID) { appointmentTypeCreditChanges(user_id: $id) { nodes { \
        id credit_quantity credit_change_event credit_change_event_type } } }";
    let answer = w.run(actor, query, json!({ "id": client })).await;
    let nodes = answer["appointmentTypeCreditChanges"]["nodes"].as_array().unwrap().clone();
    let change = |it: &Json| {
        let cause = it["credit_change_event_type"].as_str().unwrap().to_owned();
        (it["credit_quantity"].as_i64().unwrap(), cause)
    };
    nodes.iter().map(change).collect()
}

async fn status(w: &World, id: &str, status: &str) {
    let payload = change(w, &w.owner, json!({ "id": id, "pm_status": status })).await;
    assert!(payload["messages"].is_null(), "{payload}");
}

#[tokio::test]
async fn staff_set_credits_and_each_change_is_in_the_ledger() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let (client, of) = (desk.client.clone(), desk.of.clone());
        let ada = w.as_client(&client).await;
        assert_eq!(has(&w, &w.owner, &client, &of).await, None);
        for (quantity, sum) in [("5", 5), ("2", 2), ("2", 2), ("0", 0)] {
            let payload = set(&w, &w.owner, &client, &of, quantity).await;
            assert!(payload["messages"].is_null(), "{payload}");
            assert_eq!(has(&w, &ada, &client, &of).await, Some(sum));
        }
        let set_to = |n: i64| (n, "credits_set".to_owned());
        assert_eq!(ledger(&w, &ada, &client).await, [set_to(-2), set_to(-3), set_to(5)]);
        // By the id of what they have, too, in both views.
        let query = "query($id: ID) { user(id: $id) { appointment_type_credits { id quantity user_id \
            appointment_type { name } } } \
            appointmentTypeCreditChanges(user_id: $id) { credit_change_event initiator { id } appointment { id } } }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "id": client })).await;
        let known = &answer["data"]["user"]["appointment_type_credits"][0];
        assert_eq!(known["appointment_type"]["name"], "First visit", "{answer}");
        assert_eq!(answer["data"]["appointmentTypeCreditChanges"][0], json!({ "initiator": { "id": w.owner.user_id.to_string() },
            "credit_change_event": "Credits set by staff", "appointment": null }));
        let by_id = json!({ "id": client, "appointment_type_credits_attributes": { "id": known["id"], "quantity": "7" } });
        let payload = w.mutate(&w.owner, "updateClient", "user { appointment_type_credits { quantity } }", by_id).await;
        assert_eq!(payload["user"]["appointment_type_credits"][0]["quantity"], "7", "{payload}");
        let query = "query($of: ID) { appointmentType(id: $of) { clients_have_credit } }";
        let answer = w.run(&w.owner, query, json!({ "of": of })).await;
        assert_eq!(answer["appointmentType"]["clients_have_credit"], true);

        // A trigger wins over data (behaviour 18.2).
        let both = json!({ "id": client, "resend_welcome": true,
            "appointment_type_credits_attributes": [{ "appointment_type_id": of, "quantity": "1" }] });
        w.mutate(&w.owner, "updateClient", "user { id }", both).await;
        assert_eq!(has(&w, &w.owner, &client, &of).await, Some(7));
    })
    .await;
}

#[tokio::test]
async fn who_may_set_and_see_credits() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let (client, of) = (desk.client.clone(), desk.of.clone());
        set(&w, &w.owner, &client, &of, "3").await;
        let before = w.written("appointment_credit_changes").await;
        let blind = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let may = w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_EDIT_CREDIT]);
        let denied = set(&w, &blind, &client, &of, "9").await;
        assert_eq!(denied["user"], Json::Null, "{denied}");
        let bea = w.client("Bea", "bea@example.com").await;
        let other = w.as_client(&bea).await;
        for actor in [&w.stranger, &other, &Actor::anonymous()] {
            let refused = w.run_in(ViewId::V2026, actor, "mutation($input: updateClientInput!) { \
                updateClient(input: $input) { user { id } messages { message } } }",
                json!({ "input": { "id": client, "appointment_type_credits_attributes":
                [{ "appointment_type_id": of, "quantity": "9" }] } })).await;
            assert!(refused["data"]["updateClient"]["user"].is_null(), "{refused}");
        }
        let stranger = json!({ "name": "Theirs", "length": 30 });
        let theirs = w.type_of(&w.stranger, stranger).await;
        let elses = json!([{ "id": "1", "quantity": "1" }]);
        for (credits, sentence) in [
            (json!([{ "appointment_type_id": theirs, "quantity": "1" }]), "Object not found"),
            (elses, "Object not found"),
            (json!([{ "quantity": "1" }]), "Appointment type can't be blank"),
            (json!([{ "appointment_type_id": of }]), "Quantity can't be blank"),
            (json!([{ "appointment_type_id": of, "quantity": "-1" }]), "Quantity must be from 0 to 10000"),
            (json!([{ "appointment_type_id": of, "quantity": "10001" }]), "Quantity must be from 0 to 10000"),
            (json!([{ "appointment_type_id": of, "quantity": "two" }]), "Quantity must be a whole number"),
            (json!([{ "appointment_type_id": of, "quantity": "8" }, { "appointment_type_id": theirs, "quantity": "1" }]), "Object not found"),
            (json!(vec![json!({ "appointment_type_id": of, "quantity": "1" }); 201]), "Credits of at most 200 types can be set at once"),
        ] {
            let input = json!({ "id": client, "first_name": "Changed", "appointment_type_credits_attributes": credits });
            let payload = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
            assert_eq!(payload["messages"][0]["message"], sentence, "{payload}");
        }
        // Nothing of it was written, nor of the client beside it.
        assert_eq!(w.written("appointment_credit_changes").await.0, before.0);
        let name = w.run(&w.owner, "query($id: ID) { user(id: $id) { first_name } }", json!({ "id": client })).await;
        assert_eq!(name["user"]["first_name"], "Ada");
        for actor in [&w.stranger, &other, &w.with(&w.support, &[])] {
            assert!(ledger(&w, actor, &client).await.is_empty());
            assert_eq!(has(&w, actor, &client, &of).await, None);
        }
        assert_eq!(ledger(&w, &blind, &client).await.len(), 1);
        let payload = set(&w, &may, &client, &of, "9").await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(has(&w, &w.owner, &client, &of).await, Some(9));
    })
    .await;
}

#[tokio::test]
async fn one_appointment_takes_one_credit_whatever_becomes_of_it() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let (client, of) = (desk.client.clone(), desk.of.clone());
        let left = async || has(&w, &w.owner, &client, &of).await.unwrap();
        set(&w, &w.owner, &client, &of, "5").await;
        // Where the practice does not count, nothing is taken; nor later for it.
        let early = booked(&w, &w.owner, desk.at(&ahead(&w, 2, "15:00"))).await;
        let both = json!({ "use_client_credit_system": true, "restore_credit_on_cancel": true,
            "enable_late_cancellation_status": true, "enable_checked_in_status": true });
        settings(&w, both).await;
        status(&w, &early, "Cancelled").await;
        assert_eq!(left().await, 5, "what took none gives none back");
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        assert_eq!(left().await, 4);
        let used = async || {
            let query = "query($id: ID) { appointment(id: $id) { credit_was_used } }";
            w.run(&w.owner, query, json!({ "id": id })).await["appointment"]["credit_was_used"].clone()
        };
        assert_eq!(used().await, true);
        for (to, count) in [
            ("Checked-In", 4), ("Occurred", 4), ("No-Show", 4), ("Late Cancellation", 4), ("", 4),
            ("Cancelled", 5), ("Cancelled", 5), ("Re-Scheduled", 5), ("", 4), ("Re-Scheduled", 5),
            ("No-Show", 4), ("Cancelled", 5), ("Occurred", 4),
        ] {
            status(&w, &id, to).await;
            assert_eq!(left().await, count, "{to}");
            assert_eq!(used().await, count == 4, "{to}");
        }
        // Moving it, or writing of it, is nothing to credits.
        let input = json!({ "id": id, "datetime": ahead(&w, 4, "15:00"), "notes": "late" });
        change(&w, &w.owner, input).await;
        assert_eq!(left().await, 4);
        // Without the setting nothing comes back, and what was paid for is not paid again.
        settings(&w, json!({ "restore_credit_on_cancel": false })).await;
        for (to, count) in [("Cancelled", 4), ("", 4), ("Cancelled", 4)] {
            status(&w, &id, to).await;
            assert_eq!(left().await, count, "{to}");
        }
        settings(&w, json!({ "restore_credit_on_cancel": true })).await;
        change(&w, &w.owner, json!({ "id": id, "notes": "again" })).await;
        assert_eq!(left().await, 4, "a setting counts at the moment of calling off");
        status(&w, &id, "").await;
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", json!({ "id": id })).await;
        assert_eq!(left().await, 5);
        let rows = ledger(&w, &w.owner, &client).await;
        assert_eq!(rows[0], (1, "appointment_deleted".to_owned()));
        assert_eq!(rows.iter().map(|(n, _)| n).sum::<i64>(), 5);
        // A client who calls off has theirs again; twice is once.
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 5, "15:00"))).await;
        let ada = w.as_client(&client).await;
        for _ in 0..2 {
            w.mutate(&ada, "deleteAppointment", "appointment { id }", json!({ "id": id })).await;
            assert_eq!(left().await, 5);
        }
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", json!({ "id": id })).await;
        assert_eq!(left().await, 5, "what is off is off already");
        assert_eq!(ledger(&w, &ada, &client).await[0], (1, "appointment_cancelled".to_owned()));
        // A blocker and what has no type take nothing.
        let block = json!({ "is_blocker": true, "datetime": ahead(&w, 6, "15:00"), "end_date": ahead(&w, 6, "16:00") });
        booked(&w, &w.owner, block).await;
        assert_eq!(left().await, 5);
    })
    .await;
}

#[tokio::test]
async fn series_take_one_each_and_another_type_takes_another() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let (client, of) = (desk.client.clone(), desk.of.clone());
        let other = w.type_of(&w.owner, json!({ "name": "Other", "length": 30 })).await;
        let free = json!({ "name": "Free", "length": 30,
            "appointment_setting": { "use_client_credit_system": false } });
        let free = w.type_of(&w.owner, free).await;
        settings(&w, json!({ "use_client_credit_system": true, "restore_credit_on_cancel": true })).await;
        set(&w, &w.owner, &client, &of, "3").await;
        let left = async |of: &str| has(&w, &w.owner, &client, of).await.unwrap_or(0);
        let weekly = json!({ "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "4" } });
        let id = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 3, "15:00")), weekly)).await;
        assert_eq!(left(&of).await, -1, "staff may, and are warned of it");
        let input = json!({ "id": id, "deleteRecurring": true });
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", input).await;
        assert_eq!(left(&of).await, 3);
        // Longer by two: the two are booked.
        let weekly = json!({ "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "2" } });
        let id = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 4, "15:00")), weekly)).await;
        assert_eq!(left(&of).await, 1);
        let longer = json!({ "id": id, "updateRecurring": true,
            "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "4" } });
        let payload = change(&w, &w.owner, longer).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(left(&of).await, -1);
        // Of another type: the credit of the one is theirs again, whatever the setting.
        settings(&w, json!({ "restore_credit_on_cancel": false })).await;
        let single = booked(&w, &w.owner, desk.at(&ahead(&w, 5, "15:00"))).await;
        assert_eq!((left(&of).await, left(&other).await), (-2, 0));
        change(&w, &w.owner, json!({ "id": single, "appointment_type_id": other })).await;
        assert_eq!((left(&of).await, left(&other).await), (-1, -1));
        change(&w, &w.owner, json!({ "id": single, "appointment_type_id": free })).await;
        assert_eq!((left(&of).await, left(&other).await, left(&free).await), (-1, 0, 0));
        change(&w, &w.owner, json!({ "id": single, "appointment_type_id": of })).await;
        assert_eq!((left(&of).await, left(&other).await), (-2, 0));
        // Given to another client while it comes back: each has what is theirs.
        change(&w, &w.owner, json!({ "id": single, "pm_status": "Cancelled" })).await;
        let bea = w.client("Bea", "bea@example.com").await;
        settings(&w, json!({ "restore_credit_on_cancel": true })).await;
        let input = json!({ "id": single, "pm_status": "", "user_id": bea });
        let payload = change(&w, &w.owner, input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(has(&w, &w.owner, &bea, &of).await, Some(-1));
        assert_eq!(left(&of).await, -1, "who gave it up has it again");
    })
    .await;
}

#[tokio::test]
async fn in_a_group_each_client_has_their_own() {
    World::each(async |w| {
        let of = w.type_of(&w.owner, json!({ "name": "Class", "length": 60, "is_group": true })).await;
        settings(&w, json!({ "use_client_credit_system": true, "restore_credit_on_cancel": true })).await;
        let mut people = Vec::new();
        for n in 0..3 {
            let id = w.client("Ada", &format!("ada{n}@example.com")).await;
            set(&w, &w.owner, &id, &of, "2").await;
            people.push(id);
        }
        let left = async || {
            let mut left = Vec::new();
            for id in &people {
                left.push(has(&w, &w.owner, id, &of).await.unwrap());
            }
            left
        };
        let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call", "datetime": ahead(&w, 3, "15:00"),
            "attendee_ids": [people[0], people[1], w.standard.user_id.to_string()] });
        let id = booked(&w, &w.owner, input).await;
        assert_eq!(left().await, [1, 1, 2]);
        let ada = w.as_client(&people[0]).await;
        w.mutate(&ada, "deleteAppointment", "appointment { id }", json!({ "id": id })).await;
        assert_eq!(left().await, [2, 1, 2]);
        let part = |cancelled: bool| json!({ "id": id, "attended_clients": [{ "user_id": people[0], "cancelled": cancelled }] });
        for (cancelled, first) in [(false, 1), (false, 1), (true, 2), (false, 1)] {
            change(&w, &w.owner, part(cancelled)).await;
            assert_eq!(left().await, [first, 1, 2]);
        }
        change(&w, &w.owner, json!({ "id": id, "attendee_ids": [people[1], people[2]] })).await;
        assert_eq!(left().await, [2, 1, 1]);
        // Called off for all, of whom one leaves by the same call.
        change(&w, &w.owner, json!({ "id": id, "pm_status": "Cancelled", "attendee_ids": [people[1]] })).await;
        assert_eq!(left().await, [2, 2, 2]);
        change(&w, &w.owner, json!({ "id": id, "attendee_ids": [people[0], people[1]] })).await;
        assert_eq!(left().await, [2, 2, 2], "nobody pays for what is off");
        change(&w, &w.owner, json!({ "id": id, "pm_status": "" })).await;
        assert_eq!(left().await, [1, 1, 2]);
        // To a client, of their own.
        let query = "query($id: ID) { appointment(id: $id) { credit_was_used } \
            appointmentTypeCreditChanges { nodes { credit_quantity } } }";
        let answer = w.run(&ada, query, json!({ "id": id })).await;
        assert_eq!(answer["appointment"]["credit_was_used"], true);
        let own = answer["appointmentTypeCreditChanges"]["nodes"].as_array().unwrap();
        assert_eq!(own.iter().map(|it| it["credit_quantity"].as_i64().unwrap()).sum::<i64>(), 1);
    })
    .await;
}

#[tokio::test]
async fn two_who_are_one_have_the_sum_and_nothing_is_lost() {
    World::each(async |w| {
        let class = json!({ "name": "Class", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, class).await;
        settings(&w, json!({ "use_client_credit_system": true, "restore_credit_on_cancel": true }))
            .await;
        let (ada, eda) =
            (w.client("Ada", "ada@example.com").await, w.client("Eda", "eda@example.com").await);
        set(&w, &w.owner, &ada, &of, "3").await;
        set(&w, &w.owner, &eda, &of, "4").await;
        let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(&w, 3, "15:00"), "attendee_ids": [ada, eda] });
        let id = booked(&w, &w.owner, input).await;
        let merge = json!({ "ids": [ada, eda], "target_user_id": ada });
        let payload = w.mutate(&w.owner, "mergeClients", "user { id }", merge).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(has(&w, &w.owner, &ada, &of).await, Some(5));
        assert_eq!(ledger(&w, &w.owner, &ada).await.len(), 4);
        change(&w, &w.owner, json!({ "id": id, "pm_status": "Cancelled" })).await;
        assert_eq!(has(&w, &w.owner, &ada, &of).await, Some(7), "both of the one appointment's");
        change(&w, &w.owner, json!({ "id": id, "pm_status": "" })).await;
        assert_eq!(has(&w, &w.owner, &ada, &of).await, Some(6));
    })
    .await;
}
