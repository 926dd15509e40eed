//! What is listed, what is booked and what is moved go by one rule.

use serde_json::{Value as Json, json};
use ward_store::Actor;

use crate::booking::{Desk, ahead, booked, change, message, with};
use crate::checkout::{self, Door};
use crate::clients_own::always_free;
use crate::support::World;

const NOT_FREE: &str = "That time is not available. Choose another one.";

/// The starts that a client is told, in UTC as `2027-03-01T10:00:00Z`.
async fn listed(w: &World, actor: &Actor, args: &str) -> Vec<String> {
    let query = format!("{{ availableSlotsForRange({args}) {{ date }} }}");
    let list = w.run(actor, &query, json!({})).await;
    let list = list["availableSlotsForRange"].as_array().unwrap().clone();
    let utc = |slot: &Json| {
        slot["date"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().to_string()
    };
    list.iter().map(utc).collect()
}

fn on(day: &str) -> String {
    format!("timezone: \"UTC\", start_date: \"{day}\", end_date: \"{day}\"")
}

#[tokio::test]
async fn a_type_s_own_rules_count_for_who_may_not_book_it() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let client = w.as_client(&desk.client).await;
        always_free(&w).await;
        let prep = json!({ "name": "Prep", "length": 50,
            "appointment_setting": { "minimum_advance_schedule_time": 2_880, "buffer": "30" } });
        let prep = w.type_of(&w.owner, prep).await;
        let of = json!({ "appointment_type_id": prep });
        let id = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 5, "15:00")), of)).await;
        let other = w.client("Bea", "bea@example.com").await;
        let taken = with(&desk.at(&ahead(&w, 4, "10:00")), json!({ "user_id": other }));
        booked(&w, &w.owner, taken).await;
        let to = |at: String| json!({ "id": id, "client_updating": true, "datetime": at });
        // Sooner than the type says, and closer to another than its buffer.
        for at in [ahead(&w, 1, "23:00"), ahead(&w, 4, "11:00"), ahead(&w, 4, "11:15")] {
            let payload = change(&w, &client, to(at.clone())).await;
            assert_eq!(message(&payload), ("datetime".to_owned(), NOT_FREE.to_owned()), "{at}");
        }
        let payload = change(&w, &client, to(ahead(&w, 4, "11:30"))).await;
        assert!(payload["messages"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn times_by_way_to_meet_are_listed_for_the_ways_that_are_offered() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let w = &door.w;
        let stan = w.standard.user_id.to_string();
        let settings = json!({ "start_time": "08:00", "end_time": "18:00", "times_by_contact_type": true });
        let field = "createAppointmentSetting";
        let made = w.mutate(&w.owner, field, "appointmentSetting { id }", settings).await;
        assert!(made["messages"].is_null(), "{made}");
        // By video in the first hour, by telephone in the next, and for no way at all.
        let day = ahead(w, 3, "");
        let day = &day[..10];
        for (time, end, way) in [("14 00", "15 00", Some("1")), ("16 00", "17 00", Some("3")), ("18 00", "19 00", None)] {
            let input = json!({ "range_start": day, "time": time, "end_time": end, "timezone": "UTC",
                "user_id": stan, "contact_type_id": way });
            let made = w.mutate(&w.owner, "createAvailability", "availability { id }", input).await;
            assert!(made["messages"].is_null(), "{made}");
        }
        let args = format!("provider_id: \"{stan}\", appt_type_id: \"{}\", {}", door.of, on(day));
        let starts = listed(w, &Actor::anonymous(), &args).await;
        assert_eq!(starts, [format!("{day}T14:00:00Z")], "of 50 minutes, by video only");
        for (n, hour) in ["16:00", "18:00", "14:00"].into_iter().enumerate() {
            let visit = door.visit(&format!("V{n}"), &format!("{day}T{hour}:00Z"));
            let payload = door.book(&Actor::anonymous(), visit).await;
            assert_eq!(payload["messages"].is_null(), hour == "14:00", "{hour}: {payload}");
        }
    })
    .await;
}

#[tokio::test]
async fn where_they_meet_is_not_where_the_client_lives() {
    World::each(async |w| {
        let more = json!({ "require_in_state_clients": true });
        let door = Door::new(w, more).await;
        let w = &door.w;
        let stan = w.standard.user_id.to_string();
        let licence = json!({ "id": stan, "state_licenses": [{ "state": "NY" }] });
        w.mutate(&w.owner, "updateOrganizationMember", "user { id }", licence).await;
        let client = w.client("Ada", "ada@example.com").await;
        let team = json!({ "id": client, "other_provider_ids": [stan],
            "location": { "line1": "1 Main Street", "state": "NY" } });
        let changed = w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        assert!(changed["messages"].is_null(), "{changed}");
        let ada = w.as_client(&client).await;
        let mut input = json!({ "provider_id": stan, "appointment_type_id": door.of,
            "date": checkout::ahead(w, 3, "10:00"), "timezone": "America/New_York" });
        input["location"] = json!("New Jersey");
        let payload = door.book(&ada, input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(payload["appointment"]["location"], "New Jersey");
    })
    .await;
}

#[tokio::test]
async fn what_is_listed_to_move_to_can_be_moved_to_and_nothing_else() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let client = w.as_client(&desk.client).await;
        always_free(&w).await;
        let buffer = json!({ "start_time": "08:00", "end_time": "18:00", "buffer": "10" });
        let field = "createAppointmentSetting";
        w.mutate(&w.owner, field, "appointmentSetting { id }", buffer).await;
        // Of a type that clients do not book, longer than it, and with a further provider.
        let long = json!({ "end_date": ahead(&w, 5, "16:20"), "providers": w.standard.user_id.to_string() });
        let id = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 5, "15:00")), long)).await;
        let other = json!({ "user_id": w.client("Bea", "bea@example.com").await });
        let of_owner = with(&desk.at(&ahead(&w, 4, "03:00")), other.clone());
        booked(&w, &w.owner, of_owner).await;
        let of_stan = with(&desk.at(&ahead(&w, 4, "06:00")), other);
        let of_stan = with(&of_stan, json!({ "other_party_id": w.standard.user_id.to_string() }));
        booked(&w, &w.owner, of_stan).await;
        let day = ahead(&w, 4, "00:00");
        let args = format!("provider_id: \"{}\", appt_type_id: \"{}\", contact_type: \"Phone Call\", \
            appointment_to_reschedule_id: \"{id}\", {}", w.owner.user_id, desk.of, on(&day[..10]));
        let starts = listed(&w, &client, &args).await;
        assert!(starts.len() > 50 && starts.len() < 96, "{starts:?}");
        let mut moved = 0;
        for quarter in (0..40).map(|n| n * 15).chain([607]) {
            let to = ahead(&w, 4, &format!("{:02}:{:02}", quarter / 60, quarter % 60));
            let input = json!({ "id": id, "client_updating": true, "datetime": to });
            let payload = change(&w, &client, input).await;
            let is_listed = starts.contains(&to);
            assert_eq!(payload["messages"].is_null(), is_listed, "{to}: {payload}");
            moved += usize::from(is_listed);
        }
        assert!(moved > 15, "{moved}");
        // Of another's appointment, or with another provider, there is nothing.
        let ask = args.replace(&w.owner.user_id.to_string(), &w.standard.user_id.to_string());
        assert!(listed(&w, &client, &ask).await.is_empty());
        let bea = w.client("Cleo", "cleo@example.com").await;
        assert!(listed(&w, &w.as_client(&bea).await, &args).await.is_empty());
    })
    .await;
}
