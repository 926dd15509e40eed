//! Requests: who asks, who sees what, and how they are answered.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_ADD_OWN_APPOINTMENTS, CAN_SEE_CALENDAR, SEES_ALL_CLIENTS};
use ward_scheduling::request::matching;
use ward_store::Actor;

use crate::booking::{ahead, book, message, with};
use crate::support::World;
use crate::waitlist::number;

const ALL: &str = "appointmentRequest { id first_name last_name email phone reason timezone \
    current_status selected_contact_type selected_state created_at closed_at provider_notes \
    booking_params patient { id } provider { id } closed_by { id } first_appointment { id } \
    appointment_type { name } slots { id appointment_request_id slot_start slot_end } }";

/// A practice that takes requests.
pub async fn open(w: &World) {
    let input = json!({ "enable_appointment_requests": true, "start_time": "08:00",
        "end_time": "18:00" });
    let selects = "appointmentSetting { enable_appointment_requests }";
    let made = w.mutate(&w.owner, "createAppointmentSetting", selects, input).await;
    assert_eq!(made["appointmentSetting"]["enable_appointment_requests"], true, "{made}");
}

pub fn visit(w: &World, first: &str) -> Json {
    json!({ "organization_id": w.organization.id.0.to_string(), "first_name": first,
        "last_name": "Visitor", "email": format!("{}@example.com", first.to_lowercase()),
        "phone": "555-0100", "timezone": "America/New_York", "reason": "Sleep" })
}

/// Asks, and nothing that follows has happened yet.
pub async fn ask_only(w: &World, from: &str, actor: &Actor, input: Json) -> Json {
    let query = format!(
        "mutation($input: createAppointmentRequestInput) {{ createAppointmentRequest(input: $input) \
         {{ {ALL} messages {{ field message }} }} }}"
    );
    let now = w.instance.now();
    let answer =
        w.run_from(from, now, ViewId::V2026, actor, &query, json!({ "input": input })).await;
    match answer.get("errors") {
        Some(errors) => errors[0].clone(),
        None => answer["data"]["createAppointmentRequest"].clone(),
    }
}

/// Does what follows requests, but for telling anybody.
pub async fn settled(w: &World) {
    while matching::run_batch(&w.db, |_, _, _| Box::pin(async { Ok(()) })).await.unwrap() > 0 {}
}

async fn ask_from(w: &World, from: &str, actor: &Actor, input: Json) -> Json {
    let made = ask_only(w, from, actor, input).await;
    settled(w).await;
    made
}

pub async fn ask(w: &World, actor: &Actor, input: Json) -> Json {
    ask_from(w, "192.0.2.1", actor, input).await
}

pub async fn asked(w: &World, actor: &Actor, input: Json) -> String {
    let payload = ask(w, actor, input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    payload["appointmentRequest"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

pub async fn one(w: &World, actor: &Actor, id: &str) -> Json {
    let query = format!(
        "query($id: ID!) {{ {} }}",
        ALL.replacen("appointmentRequest", "appointmentRequest(id: $id)", 1)
    );
    w.run(actor, &query, json!({ "id": id })).await["appointmentRequest"].clone()
}

pub async fn list(w: &World, actor: &Actor, args: &str) -> Vec<String> {
    let query = format!("{{ appointmentRequests{args} {{ nodes {{ id }} total_count }} }}");
    let seen = w.run(actor, &query, json!({})).await["appointmentRequests"].clone();
    let nodes = seen["nodes"].as_array().unwrap();
    assert_eq!(seen["total_count"], json!(nodes.len()));
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_visitor_asks_and_staff_answer() {
    World::each(async |w| {
        let nobody = Actor::anonymous();
        let not_taken = "Appointment requests are not taken here".to_owned();
        let refused = ask(&w, &nobody, visit(&w, "Vera")).await;
        assert_eq!(message(&refused).1, not_taken);
        open(&w).await;
        // Of an organization that there is not, the same.
        let elsewhere = with(&visit(&w, "Vera"), json!({ "organization_id": (w.organization.id.0 + 1_000).to_string() }));
        assert_eq!(message(&ask(&w, &nobody, elsewhere).await).1, not_taken);
        let slots = json!([
            { "slot_start": "2030-03-05T15:00:00Z", "slot_end": "2030-03-05T16:00:00Z" },
            { "slot_start": "2030-03-04T15:00:00Z", "slot_end": "2030-03-04T16:00:00Z" },
        ]);
        let input = with(&visit(&w, "Vera"), json!({ "slots": slots, "selected_state": "ny",
            "selected_contact_type": "Phone Call", "booking_params": { "page": 7 } }));
        let made = ask(&w, &nobody, input).await;
        let shown = &made["appointmentRequest"];
        assert_eq!(shown["first_name"], "Vera", "{made}");
        assert_eq!(shown["slots"][0]["slot_start"], "2030-03-04T10:00:00-05:00", "{shown}");
        assert_eq!((&shown["current_status"], &shown["selected_state"]), (&json!("OPEN"), &json!("NY")));
        for hidden in ["patient", "provider", "booking_params", "first_appointment", "closed_by"] {
            assert!(shown[hidden].is_null(), "{hidden}: {shown}");
        }
        let id = shown["id"].as_str().unwrap().to_owned();
        let gone = format!("{{ appointmentRequest(id: \"{id}\") {{ id }} }}");
        let gone = w.run_in(ViewId::V2026, &nobody, &gone, json!({})).await;
        assert!(gone["data"]["appointmentRequest"].is_null(), "{gone}");
        let seen = one(&w, &w.owner, &id).await;
        assert_eq!((&seen["booking_params"], &seen["phone"]), (&json!({ "page": 7 }), &json!("555-0100")));
        // Answered by an appointment, once.
        let client = w.client("Vera", "vera@example.com").await;
        let of = w.type_of(&w.owner, json!({ "name": "Visit", "length": 50 })).await;
        let input = json!({ "user_id": client, "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(&w, 4, "15:00"), "appointment_request_id": id });
        let booked = book(&w, &w.owner, input.clone()).await;
        assert!(booked["messages"].is_null(), "{booked}");
        let seen = one(&w, &w.owner, &id).await;
        assert_eq!(seen["current_status"], "CLOSED");
        assert!(seen["closed_at"].is_string());
        assert_eq!(seen["closed_by"]["id"], json!(w.owner.user_id.to_string()));
        assert_eq!(seen["first_appointment"]["id"], booked["appointment"]["id"]);
        assert_eq!(seen["patient"]["id"], json!(client));
        let back = "query($id: ID) { appointment(id: $id) { appointment_request_id } }";
        let own = json!({ "id": booked["appointment"]["id"] });
        let of_it = w.run(&w.owner, back, own.clone()).await;
        assert_eq!(of_it["appointment"]["appointment_request_id"], json!(id));
        let vera = w.as_client(&client).await;
        assert!(w.run(&vera, back, own).await["appointment"]["appointment_request_id"].is_null());
        let again = with(&input, json!({ "datetime": ahead(&w, 5, "15:00") }));
        let before = w.written("appointments").await;
        let refused = book(&w, &w.owner, again).await;
        assert_eq!(message(&refused), ("appointment_request_id".to_owned(),
            "The request is closed already".to_owned()));
        assert_eq!(w.written("appointments").await, before);
        // Opened again, with notes; deleted, it is nobody's.
        let input = json!({ "id": id, "status": "OPEN", "provider_notes": "call back" });
        let payload = w.mutate(&w.owner, "updateAppointmentRequest", ALL, input).await;
        let shown = &payload["appointmentRequest"];
        assert_eq!((&shown["current_status"], &shown["provider_notes"]), (&json!("OPEN"), &json!("call back")));
        assert_eq!((&shown["closed_at"], &shown["closed_by"]), (&Json::Null, &Json::Null));
        let payload = w.mutate(&w.owner, "deleteAppointmentRequest", "appointmentRequest { id }", json!({ "id": id })).await;
        assert_eq!(payload["appointmentRequest"], json!({ "id": id }));
        assert!(one(&w, &w.owner, &id).await.is_null());
        assert_eq!(list(&w, &w.owner, "(with_org: true)").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn whether_somebody_is_known_is_not_told_and_a_client_is_linked() {
    World::each(async |w| {
        open(&w).await;
        let ada = w.client("Ada", "ada@example.com").await;
        let nobody = Actor::anonymous();
        let mut shapes = Vec::new();
        for name in ["Ada", "Bea"] {
            let mut made = ask(&w, &nobody, visit(&w, name)).await;
            let id = made["appointmentRequest"]["id"].as_str().unwrap().to_owned();
            let kept = one(&w, &w.owner, &id).await;
            let known = name == "Ada";
            assert_eq!(kept["patient"]["id"], if known { json!(ada) } else { Json::Null });
            // To the client's primary provider.
            let provider = json!(w.owner.user_id.to_string());
            assert_eq!(kept["provider"]["id"], if known { provider } else { Json::Null });
            for own in ["id", "first_name", "email", "created_at"] {
                made["appointmentRequest"][own] = json!("");
            }
            shapes.push(made);
        }
        assert_eq!(shapes[0], shapes[1]);
        // A client asks for themselves, and is known.
        let own = w.as_client(&ada).await;
        let input = json!({ "timezone": "America/New_York", "reason": "Again",
            "should_assign_provider": false });
        let made = ask(&w, &own, input.clone()).await;
        assert_eq!(made["appointmentRequest"]["email"], "ada@example.com", "{made}");
        assert_eq!(made["appointmentRequest"]["phone"], "");
        let id = made["appointmentRequest"]["id"].as_str().unwrap();
        assert_eq!(one(&w, &w.owner, id).await["patient"]["id"], json!(ada));
        assert!(one(&w, &w.owner, id).await["provider"].is_null());
        let bea = w.client("Bea", "bea@example.com").await;
        for (actor, who) in [(&own, &bea), (&nobody, &ada)] {
            let input = with(&visit(&w, "Ada"), json!({ "patient_id": who }));
            let refused = ask(&w, actor, input).await;
            assert_eq!(message(&refused), ("patient_id".to_owned(), "Object not found".to_owned()));
        }
        // Clients find none, not even their own.
        assert_eq!(list(&w, &own, "(with_org: true)").await, Vec::<String>::new());
        assert!(one(&w, &own, id).await.is_null());
        let delete = format!(
            "mutation {{ deleteAppointmentRequest(input: {{ id: \"{id}\" }}) \
            {{ messages {{ message }} }} }}"
        );
        let refused = w.run_in(ViewId::V2026, &own, &delete, json!({})).await;
        assert!(refused["errors"].is_array(), "{refused}");
        // Two clients who are one ask as one.
        let merge = json!({ "ids": [ada, bea], "target_user_id": bea });
        w.mutate(&w.owner, "mergeClients", "user { id }", merge).await;
        assert_eq!(one(&w, &w.owner, id).await["patient"]["id"], json!(bea));
    })
    .await;
}

#[tokio::test]
async fn a_member_sees_what_is_asked_of_them_and_with_the_calendar_all() {
    World::each(async |w| {
        open(&w).await;
        let stan = w.standard.user_id.to_string();
        let nobody = Actor::anonymous();
        let to = |who: &str, more: Json| with(&with(&visit(&w, "Vera"), json!({ "provider_id": who })), more);
        let owners = w.owner.user_id.to_string();
        let early = json!({ "slots": [{ "slot_start": "2030-03-04T15:00:00Z",
            "slot_end": "2030-03-04T16:00:00Z" }] });
        let his = asked(&w, &nobody, to(&stan, json!({ "last_name": "Zorn" }))).await;
        let hers = asked(&w, &nobody, with(&to(&owners, json!({ "last_name": "Adams" })), early)).await;
        let all = asked(&w, &nobody, visit(&w, "Walt")).await;
        let narrow = w.with(&w.standard, &[CAN_ADD_OWN_APPOINTMENTS]);
        for args in ["", "(with_org: true)"] {
            assert_eq!(list(&w, &narrow, args).await, std::slice::from_ref(&his), "{args}");
        }
        assert!(one(&w, &narrow, &hers).await.is_null());
        let wide = w.with(&w.standard, &[CAN_SEE_CALENDAR]);
        let ids = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<Vec<String>>();
        assert_eq!(list(&w, &wide, "").await, ids(&[&all, &his]));
        assert_eq!(list(&w, &wide, "(with_org: true, order_by: date_asc)").await, ids(&[&his, &hers, &all]));
        let org = |order: &str| format!("(with_org: true, order_by: {order})");
        assert_eq!(list(&w, &wide, &org("client_name")).await, ids(&[&hers, &all, &his]));
        assert_eq!(list(&w, &wide, &org("requested_date_desc")).await[0], hers);
        for order in ["appt_type", "req_provider", "new_clients", "active_clients"] {
            assert_eq!(list(&w, &wide, &org(order)).await.len(), 3, "{order}");
        }
        let status = |id: &str, to: &str| json!({ "id": id, "status": to });
        let close = |actor: Actor, id: String| {
            let w = &w;
            async move {
                let query = "mutation($input: updateAppointmentRequestInput) {
                    updateAppointmentRequest(input: $input) { appointmentRequest { id } messages { field message } } }";
                w.run_in(ViewId::V2026, &actor, query, json!({ "input": status(&id, "CLOSED") })).await
            }
        };
        // Others' are changed with the right to edit calendars; what is not seen is not there.
        assert!(close(wide.clone(), hers.clone()).await["errors"].is_array());
        let hidden = close(narrow.clone(), hers.clone()).await;
        assert_eq!(hidden["data"]["updateAppointmentRequest"]["messages"][0]["message"], "Object not found");
        assert!(close(narrow.clone(), his.clone()).await["errors"].is_null());
        assert_eq!(list(&w, &wide, "(with_org: true, current_status: CLOSED)").await, ids(&[&his]));
        assert_eq!(list(&w, &wide, "(with_org: true, current_statuses: [OPEN, CLOSED])").await.len(), 3);
        let within = |from: i64, to: i64| format!("(with_org: true, range_start: \"{}\", range_end: \"{}\")",
            &ahead(&w, from, "")[..10], &ahead(&w, to, "")[..10]);
        assert_eq!(list(&w, &wide, &within(-1, 1)).await.len(), 3);
        assert_eq!(list(&w, &wide, &within(2, 3)).await.len(), 0);
        assert_eq!(list(&w, &wide, &within(-3, -2)).await.len(), 0);
        // Another practice has none of it.
        assert_eq!(list(&w, &w.stranger, "(with_org: true)").await.len(), 0);
        assert!(one(&w, &w.stranger, &all).await.is_null());
        // Of a restricted client nobody reads who does not see them.
        let hidden = w.client("Hidden", "hidden@example.com").await;
        let secret = asked(&w, &nobody, visit(&w, "Hidden")).await;
        let restrict = json!({ "client_id": hidden });
        let wide_too = w.with(&w.support, &[CAN_SEE_CALENDAR, SEES_ALL_CLIENTS]);
        assert!(!one(&w, &wide_too, &secret).await.is_null());
        let sql = ward_store::Sql::fixed("UPDATE users SET restricted = TRUE WHERE first_name = 'Hidden'", []);
        w.execute(sql).await;
        assert!(one(&w, &wide_too, &secret).await.is_null(), "{restrict}");
        assert!(!list(&w, &wide_too, "(with_org: true)").await.contains(&secret));
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_asked_gets_a_sentence_and_leaves_nothing() {
    World::each(async |w| {
        open(&w).await;
        let nobody = Actor::anonymous();
        let group = w
            .type_of(
                &w.stranger,
                json!({ "name": "Theirs", "length": 50, "clients_can_book": true }),
            )
            .await;
        let slot =
            |from: &str, to: &str| json!({ "slots": [{ "slot_start": from, "slot_end": to }] });
        let many: Vec<Json> = (0..21)
            .map(|_| {
                json!({ "slot_start": "2030-03-04T15:00:00Z",
            "slot_end": "2030-03-04T16:00:00Z" })
            })
            .collect();
        let bad = [
            (json!({ "first_name": " " }), "first_name", "First name can't be blank"),
            (json!({ "email": "nowhere" }), "email", "Email is invalid"),
            (json!({ "reason": "" }), "reason", "Reason can't be blank"),
            (json!({ "timezone": "Mars/Base" }), "timezone", ""),
            (
                json!({ "selected_state": "New York" }),
                "selected_state",
                "Selected state must be the two letters of a state",
            ),
            (json!({ "selected_contact_type": "x".repeat(26) }), "selected_contact_type", ""),
            (json!({ "booking_params": { "a": "x".repeat(10_000) } }), "booking_params", ""),
            (
                slot("2030-03-04T15:00:00Z", "2030-03-04T15:00:00Z"),
                "slots",
                "A slot must end after it begins",
            ),
            (slot("2030-02-31T15:00:00Z", "2030-03-04T15:00:00Z"), "slots", ""),
            (
                slot("9999-03-04T15:00:00Z", "9999-03-04T16:00:00Z"),
                "slots",
                "A slot must be to come, within ten years",
            ),
            (
                slot("2001-03-04T15:00:00Z", "2001-03-04T16:00:00Z"),
                "slots",
                "A slot must be to come, within ten years",
            ),
            (
                slot("2030-03-04T15:00:00Z", "2030-03-06T16:00:00Z"),
                "slots",
                "A slot can be at most 24 hours long",
            ),
            (json!({ "slots": many }), "slots", "At most 20 slots can be named"),
            (
                json!({ "provider_id": w.stranger.user_id.to_string() }),
                "base",
                "Appointment requests are not taken here",
            ),
            (
                json!({ "appointment_type_id": group }),
                "base",
                "Appointment requests are not taken here",
            ),
            (json!({ "provider_id": "999999" }), "provider_id", "Object not found"),
            (json!({ "organization_id": null }), "organization_id", ""),
        ];
        let before = w.written("appointment_requests").await;
        for (n, (more, field, sentence)) in bad.into_iter().enumerate() {
            let input = with(&visit(&w, &format!("V{n}")), more.clone());
            let refused = ask_from(&w, &format!("192.0.2.{n}"), &nobody, input).await;
            if refused.get("message").is_some() {
                // Not a moment by the scalar's own rule.
                assert_eq!(field, "slots", "{refused}");
                continue;
            }
            let (at, said) = message(&refused);
            assert_eq!(at, field, "{more} {said}");
            assert!(sentence.is_empty() || said == sentence, "{said}");
        }
        assert_eq!(w.written("appointment_requests").await, before);
        // From one network for one address, five at once.
        for n in 0..6 {
            let made = ask_from(&w, "198.51.100.7", &nobody, visit(&w, "Often")).await;
            assert_eq!(
                made["messages"].is_null() && made["appointmentRequest"].is_object(),
                n < 5,
                "{made}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_answer_one_request_one_does() {
    World::each(async |w| {
        open(&w).await;
        let w = Arc::new(w);
        let id = asked(&w, &Actor::anonymous(), visit(&w, "Vera")).await;
        let client = w.client("Vera", "vera@example.com").await;
        let of = w.type_of(&w.owner, json!({ "name": "Visit", "length": 50 })).await;
        let mut tasks = Vec::new();
        for n in 0..8 {
            let input = json!({ "user_id": client, "appointment_type_id": of,
                "contact_type": "Phone Call", "datetime": ahead(&w, 4 + n, "15:00"),
                "appointment_request_id": id });
            let w = Arc::clone(&w);
            tasks.push(tokio::spawn(async move { book(&w, &w.owner, input).await }));
        }
        let mut won = 0;
        for task in tasks {
            let payload = task.await.unwrap();
            match payload["messages"].is_null() {
                true => won += 1,
                false => assert_eq!(message(&payload).1, "The request is closed already"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(number(&w, "SELECT COUNT(*) FROM appointments").await, 1);
    })
    .await;
}
