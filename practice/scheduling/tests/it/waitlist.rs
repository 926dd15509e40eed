//! Waiting for a seat, and who moves in when one frees.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Query, Sql, Value};

use crate::booking::{ahead, booked, change, message, with};
use crate::support::World;

const JOIN: &str = "mutation($input: completeCheckoutInput) { completeCheckout(input: $input) { \
    appointment { id attendees { id } attendees_on_waitlist { id } attended_clients { id } notes } \
    appointments { id } messages { field message } } }";

/// A class that is to come, with its seats and those who wait.
pub struct Class {
    pub id: String,
    pub of: String,
}

impl Class {
    pub async fn new(w: &World, seats: usize, attend: &[String]) -> Self {
        let input = json!({ "name": "Class", "length": 60, "is_group": true,
            "clients_can_book": true, "is_waitlist_enabled": true });
        let of = w.type_of(&w.owner, input).await;
        let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(w, 9, "15:00"), "max_attendees": seats.to_string(),
            "attendee_ids": attend });
        Class { id: booked(w, &w.owner, input).await, of }
    }

    /// Joins, or waits; the payload.
    pub async fn join(&self, w: &World, actor: &Actor, more: Json) -> Json {
        let input = with(&json!({ "appointment_id": self.id, "is_joining_waitlist": true }), more);
        join(w, "192.0.2.1", actor, input).await
    }

    pub async fn wait(&self, w: &World, client: &str) {
        let payload = self.join(w, &w.as_client(client).await, json!({})).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(payload["appointment"]["id"], json!(self.id));
    }

    /// Who attends, sorted, and who waits, the next one first.
    pub async fn people(&self, w: &World) -> (Vec<String>, Vec<String>) {
        let query = "query($id: ID) { appointment(id: $id, include_deleted: true) {
            attendees { id } attendees_on_waitlist { id } } }";
        let seen = w.run(&w.owner, query, json!({ "id": self.id })).await;
        let ids = |name: &str| -> Vec<String> {
            let list = seen["appointment"][name].as_array().unwrap_or_else(|| panic!("{seen}"));
            list.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
        };
        let mut attend = ids("attendees");
        attend.sort_by_key(|id| id.parse::<i64>().unwrap());
        (attend, ids("attendees_on_waitlist"))
    }

    pub async fn change(&self, w: &World, more: Json) {
        let payload = change(w, &w.owner, with(&json!({ "id": self.id }), more)).await;
        assert!(payload["messages"].is_null(), "{payload}");
    }
}

pub async fn join(w: &World, from: &str, actor: &Actor, input: Json) -> Json {
    let now = w.instance.now();
    let answer = w.run_from(from, now, ViewId::V2026, actor, JOIN, json!({ "input": input })).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"]["completeCheckout"].clone()
}

pub async fn people(w: &World, count: usize) -> Vec<String> {
    let mut people = Vec::new();
    for n in 0..count {
        people.push(w.client("Ada", &format!("ada{n}@example.com")).await);
    }
    people
}

pub async fn number(w: &World, text: &'static str) -> i64 {
    let rows = w.db.read().await.unwrap().rows(&Sql::fixed(text, [])).await.unwrap();
    rows.scalar().and_then(Value::int).unwrap()
}

fn of(clients: &[String], which: &[usize]) -> Vec<String> {
    which.iter().map(|n| clients[*n].clone()).collect()
}

#[tokio::test]
async fn who_comes_late_waits_and_moves_in_in_order() {
    World::each(async |w| {
        let clients = people(&w, 5).await;
        let class = Class::new(&w, 1, &clients[..1]).await;
        let last = w.as_client(&clients[4]).await;
        let no_seat = "There is no seat left in this appointment".to_owned();
        let refused = class.join(&w, &last, json!({ "is_joining_waitlist": false })).await;
        assert_eq!(message(&refused), ("appointment_id".to_owned(), no_seat.clone()));
        for n in [2, 1, 3] {
            class.wait(&w, &clients[n]).await;
        }
        // Asked twice, one waits once, where one was.
        class.wait(&w, &clients[2]).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0]), of(&clients, &[2, 1, 3])));
        // Who waits reads that they do, and nothing of others; and lists it no more.
        let second = w.as_client(&clients[2]).await;
        let own = class.join(&w, &second, json!({})).await;
        assert_eq!(own["appointment"]["attendees_on_waitlist"], json!([{ "id": clients[2] }]));
        assert_eq!(own["appointment"]["attendees"], json!([]));
        let one = "query($id: ID) { appointment(id: $id) { id } appointments(filter: \"all\") { nodes { id } } }";
        let seen = w.run(&second, one, json!({ "id": class.id })).await;
        assert_eq!(seen, json!({ "appointment": null, "appointments": { "nodes": [] } }));
        let slots = format!(
            "{{ availableSlotsForRange(provider_id: \"{}\", appt_type_id: \"{}\", \
             start_date: \"{}\", end_date: \"{}\", clients_can_join_waitlist: true) \
             {{ appointment_id is_fully_booked has_waitlist_enabled }} }}",
            w.owner.user_id, class.of, &ahead(&w, 8, "")[..10], &ahead(&w, 10, "")[..10]
        );
        let listed = |seen: Json| seen["availableSlotsForRange"].clone();
        let full = json!([{ "appointment_id": class.id, "is_fully_booked": true,
            "has_waitlist_enabled": true }]);
        assert_eq!(listed(w.run(&last, &slots, json!({})).await), full);
        assert_eq!(listed(w.run(&second, &slots, json!({})).await), json!([]));
        // A part that is called off, by its client.
        let first = w.as_client(&clients[0]).await;
        let selects = "appointment { id }";
        let id = json!({ "id": class.id });
        let payload = w.mutate(&first, "deleteAppointment", selects, id.clone()).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(class.people(&w).await, (of(&clients, &[2]), of(&clients, &[1, 3])));
        let seen = w.run(&second, one, id.clone()).await;
        assert_eq!(seen["appointment"], id, "what was waited for is theirs");
        assert_eq!(
            w.events_like("appointment.patient%").await,
            [
                "appointment.patient_added []",
                "appointment.patient_removed []",
                "appointment.patient_added []"
            ]
        );
        assert_eq!(number(&w, "SELECT COUNT(*) FROM appointment_inclusions \
            WHERE from_waitlist = TRUE AND cancelled = FALSE").await, 1);
        // One seat more, and a client who does not want to wait any longer.
        let third = w.as_client(&clients[1]).await;
        let payload = w.mutate(&third, "deleteAppointment", selects, id.clone()).await;
        assert_eq!(payload["appointment"], id, "{payload}");
        assert_eq!(class.people(&w).await.1, of(&clients, &[3]));
        class.change(&w, json!({ "max_attendees": "2" })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[2, 3]), Vec::new()));
        // Who had a seat and gave it back waits behind the others.
        class.wait(&w, &clients[4]).await;
        class.wait(&w, &clients[0]).await;
        class.change(&w, json!({ "max_attendees": "4" })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0, 2, 3, 4]), Vec::new()));
        let payload = w.mutate(&third, "deleteAppointment", selects, id).await;
        assert_eq!(message(&payload), ("id".to_owned(), "Object not found".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_seat_frees_by_whatever_staff_do() {
    World::each(async |w| {
        let clients = people(&w, 8).await;
        let class = Class::new(&w, 2, &clients[..2]).await;
        for client in &clients[2..8] {
            class.wait(&w, client).await;
        }
        // Removed from the list; called off in two ways; put in though they waited.
        class.change(&w, json!({ "attendee_ids": [clients[0]] })).await;
        assert_eq!(class.people(&w).await.0, of(&clients, &[0, 2]));
        let off = json!({ "attended_clients": [{ "user_id": clients[0], "cancelled": true }] });
        class.change(&w, off).await;
        assert_eq!(class.people(&w).await.0, of(&clients, &[2, 3]));
        let query = "query($id: ID) { appointment(id: $id) { attended_clients { id user_id } } }";
        let seen = w.run(&w.owner, query, json!({ "id": class.id })).await;
        let parts = seen["appointment"]["attended_clients"].as_array().unwrap();
        let part = parts.iter().find(|it| it["user_id"] == json!(clients[2])).unwrap();
        let input = json!({ "id": part["id"], "cancelled": true });
        let selects = "appointment_inclusion { id }";
        w.mutate(&w.owner, "updateAppointmentInclusion", selects, input).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[3, 4]), of(&clients, &[5, 6, 7])));
        class.change(&w, json!({ "attendee_ids": [clients[3], clients[7]] })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[3, 7]), of(&clients, &[5, 6])));
        // Staff take somebody out of the line, and can say nothing else of them.
        let said = |more: Json| json!({ "id": class.id, "attended_clients": [more] });
        let odd = said(json!({ "user_id": clients[5], "attended": true }));
        assert_eq!(message(&change(&w, &w.owner, odd).await).1, "Object not found");
        class.change(&w, said(json!({ "user_id": clients[5], "cancelled": true }))).await;
        assert_eq!(class.people(&w).await.1, of(&clients, &[6]));
        // Two who are one have one seat.
        let input = json!({ "ids": [clients[3], clients[7]], "target_user_id": clients[3] });
        let payload = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(class.people(&w).await, (of(&clients, &[3, 6]), Vec::new()));
        // Deleted, nobody waits for it.
        class.wait(&w, &clients[1]).await;
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", json!({ "id": class.id }))
            .await;
        assert_eq!(number(&w, "SELECT COUNT(*) FROM waitlist_places").await, 0);
    })
    .await;
}

#[tokio::test]
async fn who_has_died_waits_no_more_and_moves_in_nowhere() {
    World::each(async |w| {
        let clients = people(&w, 4).await;
        let class = Class::new(&w, 1, &clients[..1]).await;
        for client in &clients[1..4] {
            class.wait(&w, client).await;
        }
        let input = json!({ "id": clients[1], "deceased_on": "2026-01-05" });
        let done = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(class.people(&w).await, (of(&clients, &[0]), of(&clients, &[2, 3])));
        // Past the operation: who is in the line all the same is passed over.
        let sql = "UPDATE users SET deceased_on = '2026-01-05' WHERE id = $1";
        let third: i64 = clients[2].parse().unwrap();
        w.execute(Sql::fixed(sql, [third.into()])).await;
        class.change(&w, json!({ "max_attendees": "2" })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0, 3]), Vec::new()));
        // What is booked stays booked, until staff call it off.
        let input = json!({ "id": clients[0], "deceased_on": "2026-01-05" });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert_eq!(class.people(&w).await.0, of(&clients, &[0, 3]));
    })
    .await;
}

#[tokio::test]
async fn nobody_moves_into_what_is_off_or_over_nor_who_is_archived_or_gone() {
    World::each(async |w| {
        let clients = people(&w, 7).await;
        let class = Class::new(&w, 1, &clients[..1]).await;
        for client in &clients[1..5] {
            class.wait(&w, client).await;
        }
        let archived = json!({ "id": clients[1], "active": false });
        w.mutate(&w.owner, "updateClient", "user { id }", archived).await;
        assert_eq!(class.people(&w).await.1, of(&clients, &[2, 3, 4]));
        // Who waits as one and attends as the other of two who are one waits no more.
        let input = json!({ "ids": [clients[0], clients[2]], "target_user_id": clients[0] });
        w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0]), of(&clients, &[3, 4])));
        class.change(&w, json!({ "pm_status": "Cancelled" })).await;
        class.change(&w, json!({ "max_attendees": "2" })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0]), of(&clients, &[3, 4])));
        let refused = class.join(&w, &w.as_client(&clients[5]).await, json!({})).await;
        assert_eq!(message(&refused).1, "There is no seat left in this appointment");
        // It takes place again.
        class.change(&w, json!({ "pm_status": "" })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0, 3]), of(&clients, &[4])));
        // It is over.
        class.change(&w, json!({ "datetime": ahead(&w, -3, "15:00") })).await;
        class.change(&w, json!({ "max_attendees": "3" })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0, 3]), of(&clients, &[4])));
        class.change(&w, json!({ "datetime": ahead(&w, 5, "15:00") })).await;
        assert_eq!(class.people(&w).await, (of(&clients, &[0, 3, 4]), Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn a_visitor_waits_and_learns_of_nobody() {
    World::each(async |w| {
        let client = |name: &str| {
            json!({ "first_name": name, "last_name": "Visitor",
            "email": format!("{}@example.com", name.to_lowercase()), "dont_send_welcome": true })
        };
        let mut ids = Vec::new();
        for name in ["Ada", "Bea"] {
            let made = w.mutate(&w.owner, "createClient", "user { id }", client(name)).await;
            ids.push(made["user"]["id"].as_str().unwrap().to_owned());
        }
        let class = Class::new(&w, 1, &ids[..1]).await;
        let nobody = Actor::anonymous();
        let mut shapes = Vec::new();
        // Ada attends, Bea is known, Cleo is new, and Bea asks again.
        for (n, name) in ["Ada", "Bea", "Cleo", "Bea"].into_iter().enumerate() {
            let more = with(
                &client(name),
                json!({ "dont_send_welcome": null,
                "appointment_id": class.id, "is_joining_waitlist": true }),
            );
            shapes.push(join(&w, &format!("192.0.2.{n}"), &nobody, more).await);
        }
        let shape = json!({ "appointment": { "id": class.id, "attendees": [],
            "attendees_on_waitlist": [], "attended_clients": [], "notes": null },
            "appointments": [{ "id": class.id }], "messages": null });
        assert!(shapes.iter().all(|it| *it == shape), "{shapes:?}");
        let (attend, wait) = class.people(&w).await;
        assert_eq!((attend, wait.len(), &wait[0]), (vec![ids[0].clone()], 2, &ids[1]));
    })
    .await;
}

#[tokio::test]
async fn there_is_a_line_only_where_the_type_has_one_and_it_has_an_end() {
    World::each(async |w| {
        let clients = people(&w, 2).await;
        let class = Class::new(&w, 1, &clients[..1]).await;
        let input = json!({ "id": class.of, "is_waitlist_enabled": false });
        w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", input).await;
        let late = w.as_client(&clients[1]).await;
        let refused = class.join(&w, &late, json!({})).await;
        assert_eq!(message(&refused).1, "There is no seat left in this appointment");
        let input = json!({ "id": class.of, "is_waitlist_enabled": true });
        w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", input).await;
        for day in 1..=11 {
            let input = json!({ "appointment_type_id": class.of, "contact_type": "Phone Call",
                "datetime": ahead(&w, 20 + day, "15:00"), "max_attendees": "1",
                "attendee_ids": clients[..1] });
            let id = booked(&w, &w.owner, input).await;
            let input = json!({ "appointment_id": id, "is_joining_waitlist": true });
            let payload = join(&w, "192.0.2.1", &late, input).await;
            match day > 10 {
                true => assert_eq!(
                    message(&payload).1,
                    "No more than 10 appointments can be waited for at once"
                ),
                false => assert!(payload["messages"].is_null(), "{payload}"),
            }
        }
        assert_eq!(number(&w, "SELECT COUNT(*) FROM waitlist_places").await, 10);
    })
    .await;
}
