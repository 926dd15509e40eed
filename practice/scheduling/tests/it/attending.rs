//! Who attends: what clients learn of each other, what the log says of whom, and
//! whose time a part takes that is revived.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{
    CAN_ADD_OTHERS_APPOINTMENTS, CAN_ADD_OWN_APPOINTMENTS, CAN_EDIT_CALENDAR, CAN_SEE_CALENDAR,
};
use ward_store::{Query, Sql, Value};

use crate::booking::{ALL, Desk, ahead, appointments, book, booked, change, message, with};
use crate::clients_own::always_free;
use crate::support::World;

const PART: &str = "appointment_inclusion { id cancelled }";

/// A group's appointment, with nobody yet.
async fn circle(w: &World) -> Json {
    let input = json!({ "name": "Circle", "length": 60, "is_group": true });
    let of = w.type_of(&w.owner, input).await;
    json!({ "appointment_type_id": of, "contact_type": "Phone Call",
        "datetime": ahead(w, 3, "15:00") })
}

async fn clients<const N: usize>(w: &World) -> [String; N] {
    let mut people = Vec::new();
    for n in 0..N {
        people.push(w.client("Ada", &format!("ada{n}@example.com")).await);
    }
    people.try_into().unwrap()
}

/// The id of somebody's part.
async fn part(w: &World, appointment: &str, user: &str) -> String {
    let query = "query($id: ID) { appointment(id: $id) { attended_clients { id user_id } } }";
    let seen = w.run(&w.owner, query, json!({ "id": appointment })).await;
    let parts = seen["appointment"]["attended_clients"].as_array().unwrap();
    let own = parts.iter().find(|it| it["user_id"] == json!(user));
    own.unwrap_or_else(|| panic!("{seen}"))["id"].as_str().unwrap().to_owned()
}

async fn numbers(w: &World, sql: &'static str) -> Vec<Vec<Option<i64>>> {
    let rows = w.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
    rows.iter().map(|row| row.iter().map(Value::int).collect()).collect()
}

#[tokio::test]
async fn a_client_cannot_ask_who_else_attends() {
    World::each(async |w| {
        let [ada, bea, cy] = clients(&w).await;
        let more = json!({ "attendee_ids": [ada, bea, w.support.user_id.to_string()],
            "providers": w.standard.user_id.to_string() });
        let id = booked(&w, &w.owner, with(&circle(&w).await, more)).await;
        let client = w.as_client(&ada).await;
        let (sue, stan) = (w.support.user_id.to_string(), w.standard.user_id.to_string());
        let count = async |args: &str| {
            let query = format!("{{ appointmentsCount(filter: \"all\", {args}) }}");
            let answer = w.run_in(ViewId::Baseline, &client, &query, json!({})).await;
            answer["data"]["appointmentsCount"].clone()
        };
        for (who, is_seen) in [(&bea, 0), (&cy, 0), (&ada, 1)] {
            let args = format!("user_id: \"{who}\"");
            let listed = appointments(&w, &client, &format!("filter: \"all\", {args}")).await;
            assert_eq!(listed.len(), is_seen, "{args}");
            assert_eq!(count(&args).await, is_seen, "{args}");
            let args = format!("filter: \"all\", attendee_ids: [\"{who}\"]");
            assert_eq!(appointments(&w, &client, &args).await.len(), is_seen, "{args}");
        }
        for (who, is_seen) in [(&bea, 0), (&cy, 0), (&sue, 0), (&stan, 1)] {
            for args in [format!("provider_id: \"{who}\""), format!("provider_ids: [\"{who}\"]")] {
                let listed = appointments(&w, &client, &format!("filter: \"all\", {args}")).await;
                assert_eq!(listed.len(), is_seen, "{args}");
                assert_eq!(count(&args).await, is_seen, "{args}");
            }
        }
        // Whether others come is not told either.
        let own = part(&w, &id, &ada).await;
        let off = json!({ "id": own, "cancelled": true });
        w.mutate(&client, "updateAppointmentInclusion", PART, off).await;
        let args = "filter: \"all\", is_with_clients: true";
        assert!(appointments(&w, &client, args).await.is_empty());
        assert_eq!(appointments(&w, &w.owner, args).await, [id]);
    })
    .await;
}

#[tokio::test]
async fn the_log_tells_of_whom_each_part_is() {
    World::each(async |w| {
        let [ada, bea, cy, dot] = clients(&w).await;
        let input = with(&circle(&w).await, json!({ "attendee_ids": [ada, bea] }));
        let id = booked(&w, &w.owner, input).await;
        let swap = json!({ "id": id, "attendee_ids": [bea, cy],
            "attended_clients": [{ "user_id": bea, "attended": true }] });
        assert!(change(&w, &w.owner, swap).await["messages"].is_null());
        let off = json!({ "id": part(&w, &id, &bea).await, "cancelled": true });
        w.mutate(&w.owner, "updateAppointmentInclusion", PART, off).await;
        let own = json!({ "id": id });
        w.mutate(&w.as_client(&cy).await, "deleteAppointment", ALL, own).await;
        let back = json!({ "id": id, "attendee_ids": [ada, bea, cy] });
        assert!(change(&w, &w.owner, back).await["messages"].is_null());
        let sql = "SELECT subject_id, COUNT(*) FROM audit_events \
             WHERE resource_name = 'APPOINTMENT_INCLUSION' GROUP BY subject_id ORDER BY 1";
        let number = |id: &str| id.parse::<i64>().ok();
        let wanted = vec![
            // Made, destroyed, made again; made, came, called off, revived; made, called off, revived.
            vec![number(&ada), Some(3)],
            vec![number(&bea), Some(4)],
            vec![number(&cy), Some(3)],
        ];
        assert_eq!(numbers(&w, sql).await, wanted);

        // An individual one that goes to somebody else is told of whoever is closed.
        let desk = w.type_of(&w.owner, json!({ "name": "Visit", "length": 50 })).await;
        let visit = json!({ "user_id": ada, "appointment_type_id": desk,
            "contact_type": "Phone Call", "datetime": ahead(&w, 5, "15:00") });
        let visit = booked(&w, &w.owner, visit).await;
        let mut sql = Sql::new();
        sql.push("UPDATE users SET restricted = TRUE WHERE id = ").bind(number(&dot));
        w.execute(sql).await;
        for to in [&dot, &bea] {
            let payload = change(&w, &w.owner, json!({ "id": visit, "user_id": to })).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        let sql = "SELECT subject_id FROM audit_events \
             WHERE resource_name = 'APPOINTMENT' AND event_type = 'UPDATE' ORDER BY id";
        assert_eq!(numbers(&w, sql).await, [[number(&dot)], [number(&dot)]]);
    })
    .await;
}

#[tokio::test]
async fn a_members_part_is_revived_as_it_was_booked() {
    World::each(async |w| {
        let [ada] = clients(&w).await;
        let sue = w.support.user_id.to_string();
        let more = json!({ "attendee_ids": [ada, sue],
            "other_party_id": w.standard.user_id.to_string() });
        let id = booked(&w, &w.owner, with(&circle(&w).await, more)).await;
        let own = part(&w, &id, &sue).await;
        let set = |cancelled: bool| json!({ "id": own, "cancelled": cancelled });
        let all = |cancelled: bool, more: Json| {
            let said = json!([{ "user_id": sue, "cancelled": cancelled }]);
            with(&json!({ "id": id, "attended_clients": said }), more)
        };
        let field = "updateAppointmentInclusion";
        w.mutate(&w.owner, field, PART, set(true)).await;
        let takes = async || {
            let sql = "SELECT COUNT(*) FROM calendar_entries WHERE appointment_id = \
                 (SELECT MIN(id) FROM appointments)";
            numbers(&w, sql).await[0][0]
        };
        assert_eq!(takes().await, Some(1));
        // The right to name her is the right to have her back.
        let rights = [CAN_ADD_OWN_APPOINTMENTS, CAN_EDIT_CALENDAR, CAN_SEE_CALENDAR];
        let gives = w.with(&w.standard, &rights);
        let query = "mutation($input: updateAppointmentInclusionInput!) {
            updateAppointmentInclusion(input: $input) { messages { message } } }";
        let refused = w.run_in(ViewId::V2026, &gives, query, json!({ "input": set(false) })).await;
        let denied = "can_add_others_appointments";
        assert_eq!(refused["errors"][0]["extensions"]["permission"], denied, "{refused}");
        let query = "mutation($input: updateAppointmentInput!) {
            updateAppointment(input: $input) { messages { message } } }";
        let input = all(false, json!({}));
        let refused = w.run_in(ViewId::V2026, &gives, query, json!({ "input": input })).await;
        assert_eq!(refused["errors"][0]["extensions"]["permission"], denied, "{refused}");
        let opens = w.with(&w.standard, &[rights[0], rights[2], CAN_ADD_OTHERS_APPOINTMENTS]);
        let payload = w.mutate(&opens, field, PART, set(false)).await;
        assert_eq!(payload["appointment_inclusion"]["cancelled"], false, "{payload}");
        assert_eq!(takes().await, Some(2));
        w.mutate(&w.owner, field, PART, set(true)).await;

        // What takes her time meanwhile is booked over by who may, and marked.
        let other = with(&circle(&w).await, json!({ "attendee_ids": [sue] }));
        let other = booked(&w, &w.owner, other).await;
        let payload = w.mutate(&opens, field, PART, set(false)).await;
        assert_eq!(message(&payload).0, "datetime", "{payload}");
        let marks = "SELECT COUNT(*) FROM appointments WHERE booked_over = TRUE";
        assert_eq!(numbers(&w, marks).await, [[Some(0)]]);
        let payload = w.mutate(&w.owner, field, PART, set(false)).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(numbers(&w, marks).await, [[Some(1)]]);
        w.mutate(&w.owner, field, PART, set(true)).await;
        w.mutate(&w.owner, "deleteAppointment", ALL, json!({ "id": other })).await;

        // Who wants what is free only gets nothing else, and what is free.
        always_free(&w).await;
        let to_owner = json!({ "id": id, "other_party_id": w.owner.user_id.to_string() });
        assert!(change(&w, &w.owner, to_owner).await["messages"].is_null());
        let stan = w.standard.user_id.to_string();
        let more = json!({ "other_party_id": stan, "attendee_ids": [sue] });
        let busy = with(&circle(&w).await, more);
        let busy = booked(&w, &w.owner, busy).await;
        let enforced = || all(false, json!({ "enforce_availability": true }));
        let payload = change(&w, &w.owner, enforced()).await;
        assert_eq!(message(&payload).0, "datetime", "{payload}");
        w.mutate(&w.owner, "deleteAppointment", ALL, json!({ "id": busy })).await;
        let payload = change(&w, &w.owner, enforced()).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(takes().await, Some(2));
        // With the same word that calls it off again the time is free.
        let payload = change(&w, &w.owner, all(true, json!({}))).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(takes().await, Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_group_without_seats_has_a_bound_all_the_same() {
    World::each(async |w| {
        let mut people = Vec::new();
        for n in 0..201 {
            people.push(w.client("Ada", &format!("ada{n}@example.com")).await);
        }
        let group = circle(&w).await;
        let all = with(&group, json!({ "attendee_ids": people[..200] }));
        let id = booked(&w, &w.owner, all).await;
        let first = w.as_client(&people[0]).await;
        w.mutate(&first, "deleteAppointment", ALL, json!({ "id": id })).await;
        let swap = json!({ "id": id, "attendee_ids": people[1..] });
        assert!(change(&w, &w.owner, swap).await["messages"].is_null());
        let back = json!({ "id": part(&w, &id, &people[0]).await, "cancelled": false });
        let payload = w.mutate(&w.owner, "updateAppointmentInclusion", PART, back).await;
        let full = ("attendee_ids".to_owned(), "The appointment has only 200 seats".to_owned());
        assert_eq!(message(&payload), full);
        // Nor does a client get in by themselves.
        let of = json!({ "id": group["appointment_type_id"], "clients_can_book": true });
        let made = w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", of).await;
        assert!(made["messages"].is_null(), "{made}");
        let query = "mutation($input: completeCheckoutInput) { completeCheckout(input: $input) {
            appointment { id } messages { field message } } }";
        let join = json!({ "input": { "appointment_id": id } });
        let payload = w.run(&first, query, join).await["completeCheckout"].clone();
        let sentence = "There is no seat left in this appointment";
        assert_eq!(message(&payload), ("appointment_id".to_owned(), sentence.to_owned()));
        // More than there are seats, as a merge may leave it: the rest can be changed.
        w.execute(Sql::fixed("UPDATE appointments SET max_attendees = 100", [])).await;
        let payload = change(&w, &w.owner, json!({ "id": id, "notes": "by the window" })).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let payload = change(&w, &w.owner, json!({ "id": id, "max_attendees": "150" })).await;
        assert_eq!(message(&payload).1, "The appointment has only 150 seats");
    })
    .await;
}

#[tokio::test]
async fn of_several_clients_each_has_the_own_part_only() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let bea = w.client("Bea", "bea@example.com").await;
        let query = "mutation($input: createAppointmentInput) { createAppointment(input: $input)
            { appointment { id } messages { field message } } }";
        let people = format!("{},{bea}", desk.client);
        let more = json!({ "user_id": null, "attendee_ids": people });
        let input = with(&desk.at(&ahead(&w, 3, "15:00")), more);
        let made = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "input": input })).await;
        let id = made["data"]["createAppointment"]["appointment"]["id"].clone();
        assert!(id.is_string(), "{made}");
        let (ada, bea) = (w.as_client(&desk.client).await, w.as_client(&bea).await);
        let sql = Sql::fixed("UPDATE appointments SET last_updated_by_id = user_id", []);
        w.execute(sql).await;
        let query = "query($id: ID) { appointment(id: $id) { user_id user { id } initiator_id
            last_updated_by_id pm_status attendees { id } } }";
        let seen = async |who| w.run(who, query, json!({ "id": id })).await["appointment"].clone();
        let number = desk.client.parse::<i64>().unwrap();
        assert_eq!(seen(&ada).await["user_id"], json!(number));
        let hers = seen(&bea).await;
        for hidden in ["user_id", "user", "last_updated_by_id"] {
            assert!(hers[hidden].is_null(), "{hidden}: {hers}");
        }
        always_free(&w).await;
        for who in [&ada, &bea] {
            let to =
                json!({ "id": id, "client_updating": true, "datetime": ahead(&w, 4, "15:00") });
            let payload = change(&w, who, to).await;
            let sentence = "This appointment can't be rescheduled by clients";
            assert_eq!(message(&payload).1, sentence);
            let yes = json!({ "id": id, "client_confirmed": true });
            let payload = change(&w, who, yes).await;
            assert_eq!(payload["appointment"]["client_confirmed"], false, "{payload}");
            assert_eq!(payload["appointment"]["attended_clients"][0]["confirmed"], true);
        }
        let gone = json!({ "id": id });
        let payload = w.mutate(&bea, "deleteAppointment", ALL, gone.clone()).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert!(seen(&ada).await["pm_status"].is_null(), "called off for both");
        // What is called off for one is nothing that they move or confirm.
        let yes = json!({ "id": id, "client_confirmed": true });
        for input in
            [yes, json!({ "id": id, "client_updating": true, "datetime": ahead(&w, 4, "15:00") })]
        {
            let payload = change(&w, &bea, input).await;
            assert!(message(&payload).1.contains("any more"), "{payload}");
        }
        let again = w.mutate(&bea, "deleteAppointment", ALL, gone.clone()).await;
        assert_eq!(message(&again).1, "This appointment can't be cancelled any more");
        // Who is left calls the whole off.
        let payload = w.mutate(&ada, "deleteAppointment", ALL, gone).await;
        assert_eq!(payload["appointment"]["pm_status"], "Cancelled", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn a_part_that_is_called_off_shows_a_member_nothing() {
    World::each(async |w| {
        let [ada] = clients(&w).await;
        let sue = w.support.user_id.to_string();
        let input = with(&circle(&w).await, json!({ "attendee_ids": [ada, sue] }));
        let id = book(&w, &w.owner, input).await["appointment"]["id"].clone();
        let closed = w.with(&w.support, &[]);
        let query = "query($id: ID) { appointment(id: $id) { id } }";
        let seen = async || w.run(&closed, query, json!({ "id": id })).await["appointment"].clone();
        assert_eq!(seen().await["id"], id);
        let off = json!([{ "user_id": sue, "cancelled": true }]);
        let payload = change(&w, &w.owner, json!({ "id": id, "attended_clients": off })).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert!(seen().await.is_null());
    })
    .await;
}
