//! What several share: parts that are merged, what the access log knows of each, one rule
//! for the flag and the act, seats.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Query, Sql};

use crate::booking::{ALL, Desk, ahead, booked, change, message, with};
use crate::calendars::Booked;
use crate::checkout::{Door, refusal};
use crate::clients_own::always_free;
use crate::support::World;

async fn circle(w: &World) -> Json {
    let input =
        json!({ "name": "Circle", "length": 60, "is_group": true, "clients_can_book": true });
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

async fn merge(w: &World, from: &str, to: &str) {
    let input = json!({ "ids": [from, to], "target_user_id": to });
    let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
    assert!(merged["messages"].is_null(), "{merged}");
}

#[tokio::test]
async fn of_two_parts_that_are_merged_the_one_that_takes_place_stays() {
    World::each(async |w| {
        let [ada, bea, cy, dot] = clients(&w).await;
        let all = json!({ "attendee_ids": [ada, bea, cy, dot] });
        let id = booked(&w, &w.owner, with(&circle(&w).await, all)).await;
        let off = |who: &str| json!({ "user_id": who, "cancelled": true });
        let input = json!({ "id": id, "attended_clients": [off(&bea), off(&cy)] });
        assert!(change(&w, &w.owner, input).await["messages"].is_null());
        // Of Bea's the active one of Ada's stays; of Dot's own the active one does.
        merge(&w, &ada, &bea).await;
        merge(&w, &cy, &dot).await;
        let query = "query($id: ID) { appointment(id: $id) {
            attended_clients { user_id cancelled } } }";
        let seen = w.run(&w.owner, query, json!({ "id": id })).await;
        let mut parts: Vec<(String, bool)> = seen["appointment"]["attended_clients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["user_id"].as_str().unwrap().to_owned(), it["cancelled"] == true))
            .collect();
        parts.sort();
        assert_eq!(parts, [(bea.clone(), false), (dot, false)]);
        assert_eq!(w.events_like("appointment.patient_removed").await.len(), 2);
        let gone = "SELECT changes FROM audit_events WHERE resource_name = 'APPOINTMENT_INCLUSION' \
             AND event_type = 'DESTROY' AND subject_id = ";
        let mut sql = Sql::new();
        sql.push(gone).bind(bea.parse::<i64>().unwrap());
        let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        assert_eq!(rows.len(), 1, "the part that was called off is removed in the log, too");
    })
    .await;
}

#[tokio::test]
async fn whether_a_client_may_move_it_is_one_rule() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let bea = w.client("Bea", "bea@example.com").await;
        always_free(&w).await;
        let alone = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let both = with(&desk.at(&ahead(&w, 4, "15:00")), json!({ "attendee_ids": bea }));
        let query = format!(
            "mutation($input: createAppointmentInput) {{ createAppointment(input: $input) \
             {{ {ALL} messages {{ field message }} }} }}"
        );
        let made = w.run_in(ViewId::Baseline, &w.owner, &query, json!({ "input": both })).await;
        let shared = made["data"]["createAppointment"]["appointment"]["id"].as_str();
        let shared = shared.unwrap_or_else(|| panic!("{made}")).to_owned();
        let flags = async |actor: &Actor, id: &str| {
            let query = "query($id: ID) { appointment(id: $id) { can_client_reschedule can_client_cancel } }";
            let seen = w.run(actor, query, json!({ "id": id })).await["appointment"].clone();
            (seen["can_client_reschedule"] == true, seen["can_client_cancel"] == true)
        };
        let ada = w.as_client(&desk.client).await;
        let moved = async |id: &str, time: &str| {
            let input = json!({ "id": id, "client_updating": true, "datetime": ahead(&w, 6, time) });
            change(&w, &ada, input).await["messages"].is_null()
        };
        for actor in [&ada, &w.owner] {
            assert_eq!(flags(actor, &alone).await, (true, true));
            assert_eq!(flags(actor, &shared).await, (false, true));
        }
        assert!(moved(&alone, "15:00").await);
        assert!(!moved(&shared, "18:00").await);
        // Her part is off, and nothing is left to call off or to move; Bea's own is alone now.
        let gone = w.mutate(&ada, "deleteAppointment", ALL, json!({ "id": shared })).await;
        assert!(gone["messages"].is_null(), "{gone}");
        assert_eq!(flags(&ada, &shared).await, (false, false));
        assert!(!moved(&shared, "18:00").await);
        assert_eq!(flags(&w.as_client(&bea).await, &shared).await, (true, true));
    })
    .await;
}

/// How many entries of the access log each of these clients has.
async fn entries(w: &World, clients: &[String; 3]) -> [i64; 3] {
    w.db.access_log().flush(&w.db).await.unwrap();
    let query = "query($id: ID!) { clientAccessLog(client_id: $id) { total_count } }";
    let mut counts = [0; 3];
    for (count, client) in counts.iter_mut().zip(clients) {
        let answer = w.run(&w.owner, query, json!({ "id": client })).await;
        *count = answer["clientAccessLog"]["total_count"].as_i64().unwrap();
    }
    counts
}

#[tokio::test]
async fn sec_19_the_log_knows_of_all_who_attend() {
    World::each(async |w| {
        let people: [String; 3] = clients(&w).await;
        let [ada, bea, cy] = &people;
        let input = with(&circle(&w).await, json!({ "attendee_ids": people }));
        let id = booked(&w, &w.owner, input).await;
        let off = json!({ "id": id, "attended_clients": [{ "user_id": cy, "cancelled": true }] });
        change(&w, &w.owner, off).await;
        let (own, other) = (w.as_client(bea).await, w.as_client(cy).await);
        let past = |name: &str| {
            format!("{{ appointments(filter: \"past\", {name}: \"{cy}\") {{ nodes {{ id }} }} }}")
        };
        let one = format!("{{ appointment(id: \"{id}\") {{ notes }} }}");
        let cases: Vec<(&Actor, String, [i64; 3])> = vec![
            (&w.owner, one.clone(), [1, 1, 0]),
            (&w.owner, "{ appointments(is_org: true) { nodes { id } } }".to_owned(), [1, 1, 0]),
            // A client learns of themselves, and of nobody else.
            (&own, one.clone(), [0, 1, 0]),
            (&other, one, [0, 0, 1]),
            // Who is asked about is read, whatever is found; so is who attends what is found.
            (&w.owner, past("user_id"), [0, 0, 1]),
            (&w.owner, past("provider_id"), [0, 0, 1]),
            (
                &w.owner,
                format!("{{ appointments(user_id: \"{ada}\") {{ total_count }} }}"),
                [1, 0, 0],
            ),
            (
                &w.owner,
                format!("{{ appointments(attendee_ids: [\"{cy}\"]) {{ nodes {{ id }} }} }}"),
                [1, 1, 1],
            ),
        ];
        for (actor, query, wanted) in cases {
            let before = entries(&w, &people).await;
            w.run(actor, &query, json!({})).await;
            let after = entries(&w, &people).await;
            let more: Vec<i64> = after.iter().zip(before).map(|(after, it)| after - it).collect();
            assert_eq!(more, wanted, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn why_it_does_not_take_place_is_said_of_what_does_not() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let bare = json!({ "start_time": "08:00", "end_time": "18:00",
            "provider_cancel_reason_required": true });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", bare).await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let set = |more: Json| with(&json!({ "id": id }), more);
        for (field, value, sentence) in [
            ("cancellation_reason_id", json!("1"), "Cancellation reason id"),
            ("other_cancellation_reason", json!("rain"), "Other cancellation reason"),
            ("cancellation_initiated_by", json!("client"), "Cancellation initiated by"),
        ] {
            let payload = change(&w, &w.owner, set(json!({ field: value }))).await;
            let wanted = format!("{sentence} is of an appointment that does not take place");
            assert_eq!(message(&payload), (field.to_owned(), wanted));
        }
        // Blank ones say nothing.
        let blank = set(json!({ "other_cancellation_reason": "", "notes": "by the window" }));
        assert!(change(&w, &w.owner, blank).await["messages"].is_null());
        let off = set(json!({ "pm_status": "Cancelled", "other_cancellation_reason": "rain" }));
        assert!(change(&w, &w.owner, off).await["messages"].is_null());
        // What had to be said stays said, whether the status is sent again or not.
        for status in [json!({}), json!({ "pm_status": "Cancelled" })] {
            let mut input = set(status);
            input["other_cancellation_reason"] = Json::Null;
            input["cancellation_reason_id"] = Json::Null;
            let payload = change(&w, &w.owner, input).await;
            assert_eq!(message(&payload).1, "Cancellation reason can't be blank");
        }
        let back = change(&w, &w.owner, set(json!({ "pm_status": "" }))).await;
        assert_eq!(back["appointment"]["other_cancellation_reason"], Json::Null, "{back}");
    })
    .await;
}

/// The groups of a type that are listed to a visitor.
async fn listed(door: &Door, more: &str) -> Vec<String> {
    let w = &door.w;
    let query = format!(
        "{{ availableSlotsForRange(provider_id: \"{}\", appt_type_id: \"{}\", \
         start_date: \"{}\", end_date: \"{}\" {more}) {{ appointment_id }} }}",
        w.standard.user_id,
        door.of,
        &ahead(w, 19, "00:00")[..10],
        &ahead(w, 22, "00:00")[..10],
    );
    let answer = w.run(&Actor::anonymous(), &query, json!({})).await;
    let list = answer["availableSlotsForRange"].as_array().unwrap();
    list.iter().map(|it| it["appointment_id"].as_str().unwrap().to_owned()).collect()
}

fn joining(door: &Door, first: &str, id: i64) -> Json {
    let mut input = door.visit(first, "");
    for gone in ["date", "appointment_type_id", "provider_id"] {
        input.as_object_mut().unwrap().remove(gone);
    }
    input["appointment_ids"] = json!([id.to_string()]);
    input
}

async fn group(door: &Door, seats: i64, clients: Vec<i64>) -> i64 {
    let w = &door.w;
    let start = w.instance.now().plus_seconds(20 * 86_400);
    let group = Some((door.of.parse().unwrap(), seats));
    w.booked(Booked { provider: w.standard.user_id, start, minutes: 50, group, clients }).await
}

#[tokio::test]
async fn what_is_free_does_not_tell_who_attends() {
    World::each(async |w| {
        let door = Door::new(w, json!({ "is_group": true })).await;
        let nobody = Actor::anonymous();
        // Vera attends the one and not the other; each has two seats, of which one is left.
        let ada: i64 = door.w.client("Ada", "ada@example.com").await.parse().unwrap();
        let hers = group(&door, 2, Vec::new()).await;
        assert!(door.book(&nobody, joining(&door, "Vera", hers)).await["messages"].is_null());
        let other = group(&door, 2, vec![ada]).await;
        assert_eq!(listed(&door, "").await.len(), 2);
        for id in [hers, other] {
            let joined = door.book(&nobody, joining(&door, "Vera", id)).await;
            assert!(joined["messages"].is_null(), "{joined}");
        }
        assert!(listed(&door, "").await.is_empty(), "a seat is gone of each");
        for id in [hers, other] {
            let full = door.book(&nobody, joining(&door, "Wera", id)).await;
            assert_eq!(refusal(&full).1, "There is no seat left in this appointment");
        }
        // For the practice there is one who attends, and the seat is theirs to give; when her
        // part is called off, all of it is free again.
        let count = "SELECT COUNT(*) FROM appointment_inclusions WHERE cancelled = FALSE";
        assert_eq!(door.number(count).await, 3);
        let query = "query($id: ID) { appointment(id: $id) { attended_clients { id } } }";
        let seen = door.w.run(&door.w.owner, query, json!({ "id": hers.to_string() })).await;
        let part = seen["appointment"]["attended_clients"][0]["id"].clone();
        let off = json!({ "id": part, "cancelled": true });
        let selects = "appointment_inclusion { id }";
        door.w.mutate(&door.w.owner, "updateAppointmentInclusion", selects, off).await;
        assert_eq!(listed(&door, "").await, [hers.to_string()]);
        assert_eq!(
            door.number("SELECT COUNT(*) FROM appointment_inclusions WHERE seats_held > 0").await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn a_group_is_listed_as_it_can_be_joined() {
    World::each(async |w| {
        let door =
            Door::new(w, json!({ "is_group": true, "require_in_state_clients": true })).await;
        let w = &door.w;
        let nobody = Actor::anonymous();
        let id = group(&door, 3, Vec::new()).await;
        let from = |state: &str| format!(", licensed_in_state: \"{state}\"");
        assert!(listed(&door, "").await.is_empty(), "it is not known where they live");
        assert!(listed(&door, &from("NY")).await.is_empty(), "nobody has a licence there");
        let licence =
            json!({ "id": w.standard.user_id.to_string(), "state_licenses": [{ "state": "NY" }] });
        w.mutate(&w.owner, "updateOrganizationMember", "user { id }", licence).await;
        assert_eq!(listed(&door, &from("NY")).await, [id.to_string()]);
        assert!(listed(&door, &from("NJ")).await.is_empty());
        let at = |state: &str| with(&joining(&door, "Vera", id), json!({ "location": state }));
        for (state, sentence) in [
            ("", "Location must be the state in which you are"),
            ("NJ", "There is no seat left in this appointment"),
        ] {
            assert_eq!(refusal(&door.book(&nobody, at(state)).await).1, sentence);
        }
        let joined = door.book(&nobody, at("New York")).await;
        assert!(joined["messages"].is_null(), "{joined}");
        // Without a number of seats there are two hundred.
        w.execute(Sql::fixed("UPDATE appointments SET max_attendees = NULL", [])).await;
        assert_eq!(listed(&door, &from("NY")).await, [id.to_string()]);
        // As if 199 more were held.
        w.execute(Sql::fixed("UPDATE appointment_inclusions SET seats_held = 199", [])).await;
        assert!(listed(&door, &from("NY")).await.is_empty());
        let full = with(&joining(&door, "Wera", id), json!({ "location": "NY" }));
        let full = refusal(&door.book(&nobody, full).await).1;
        assert_eq!(full, "There is no seat left in this appointment");
    })
    .await;
}

#[tokio::test]
async fn staff_see_and_free_the_seats_that_are_held() {
    World::each(async |w| {
        let door = Door::new(w, json!({ "is_group": true })).await;
        let (w, nobody) = (&door.w, Actor::anonymous());
        let id = group(&door, 2, Vec::new()).await;
        for _ in 0..2 {
            let joined = door.book(&nobody, joining(&door, "Vera", id)).await;
            assert!(joined["messages"].is_null(), "{joined}");
        }
        assert!(listed(&door, "").await.is_empty());
        let query = "query($id: ID) { appointment(id: $id) { attended_clients { id seats_held \
            user { id } } } }";
        let seen = w.run(&w.owner, query, json!({ "id": id.to_string() })).await;
        let part = seen["appointment"]["attended_clients"][0].clone();
        assert_eq!(part["seats_held"], 1, "{seen}");
        // A client learns nothing of it, and frees nothing.
        let vera = w.as_client(part["user"]["id"].as_str().unwrap()).await;
        let own = w.run(&vera, query, json!({ "id": id.to_string() })).await;
        assert_eq!(own["appointment"]["attended_clients"][0]["seats_held"], Json::Null, "{own}");
        let selects = "appointment_inclusion { seats_held }";
        let held = |seats: i64| json!({ "id": part["id"], "seats_held": seats });
        let sentence = "A client can confirm their part or call it off, and change nothing else";
        let refused = w.mutate(&vera, "updateAppointmentInclusion", selects, held(0)).await;
        assert_eq!(refused["messages"][0]["message"], sentence);
        for seats in [-1, 2] {
            let refused = w.mutate(&w.owner, "updateAppointmentInclusion", selects, held(seats));
            let refused = refused.await["messages"][0].clone();
            let sentence = "Seats held must be from 0 to 1";
            assert_eq!(refused, json!({ "field": "seats_held", "message": sentence }));
        }
        assert!(listed(&door, "").await.is_empty());
        let freed = w.mutate(&w.owner, "updateAppointmentInclusion", selects, held(0)).await;
        assert_eq!(freed["appointment_inclusion"], json!({ "seats_held": 0 }), "{freed}");
        assert_eq!(listed(&door, "").await, [id.to_string()], "and Vera attends");
        let joined = door.book(&nobody, joining(&door, "Wera", id)).await;
        assert!(joined["messages"].is_null(), "{joined}");
    })
    .await;
}
