//! Rooms: an appointment is in one, and in none that is taken.

use std::sync::Arc;

use serde_json::json;
use ward_engine::ViewId;
use ward_identity::flags::{CAN_ADD_OTHERS_APPOINTMENTS, SEES_ALL_CLIENTS};
use ward_store::{Actor, Query, Sql, Value};

use crate::booking::{Desk, ahead, book, booked, change, message, with};
use crate::checkout::Door;
use crate::places::{clinic, places, set, text};
use crate::support::World;

/// What the room that is taken says to staff.
const TAKEN: (&str, &str) = ("room_id", "The room is taken at that time. Choose another one.");

pub fn taken() -> (String, String) {
    (TAKEN.0.to_owned(), TAKEN.1.to_owned())
}

pub async fn number(w: &World, sql: &'static str) -> i64 {
    let rows = w.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
    rows.scalar().and_then(Value::int).unwrap()
}

/// Pairs of appointments that are in one room at one time, by the appointments
/// themselves.
pub async fn overlaps(w: &World) -> i64 {
    number(
        w,
        "SELECT COUNT(*) FROM appointments a JOIN appointments b ON b.org_id = a.org_id \
         AND b.room_id = a.room_id AND b.id > a.id AND b.start_at < a.end_at \
         AND a.start_at < b.end_at JOIN rooms r ON r.org_id = a.org_id AND r.id = a.room_id \
         WHERE r.limit_to_one = TRUE AND a.deleted_at IS NULL AND b.deleted_at IS NULL \
         AND a.pm_status IS NULL AND b.pm_status IS NULL",
    )
    .await
}

#[tokio::test]
async fn an_appointment_is_at_a_place_and_in_a_room() {
    World::each(async |w| {
        let (main, rooms) = clinic(&w, 2).await;
        let other =
            places(&w, json!([{ "location": "Harbour", "rooms": [{ "name": "Pier" }] }])).await;
        let harbour = other.iter().find(|it| it["location"] == "Harbour").unwrap().clone();
        let own = set(
            &w,
            &w.owner,
            json!({ "user_id": w.standard.user_id.to_string(),
            "appointment_locations": [{ "location": "Stan's" }] }),
        )
        .await;
        let stans = own["appointmentSetting"]["appointment_locations"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["location"] == "Stan's")
            .unwrap()["id"]
            .clone();
        let desk = Desk::of(&w).await;
        let input = desk.at(&ahead(&w, 3, "15:00"));
        let said = with(&input, json!({ "appointment_location_id": main, "room_id": rooms[0] }));
        let payload = w
            .mutate(
                &w.owner,
                "createAppointment",
                "appointment { id appointment_location_id room_id location locationResource }",
                said.clone(),
            )
            .await;
        let shown = payload["appointment"].clone();
        assert_eq!(
            (&shown["appointment_location_id"], &shown["room_id"]),
            (&json!(main), &json!(rooms[0]))
        );
        assert_eq!(
            (&shown["location"], &shown["locationResource"]),
            (&json!("Main Street 1"), &json!(main))
        );
        // What somebody wrote stands before what the place is called.
        let id = shown["id"].clone();
        let seen = change(&w, &w.owner, json!({ "id": id, "location": "By the window" })).await;
        assert_eq!(seen["appointment"]["location"], "By the window");
        // Its client sees where, not in which room is the practice's business.
        let client = w.as_client(&desk.client).await;
        let query = "query($id: ID) { appointment(id: $id) { location appointment_location_id } }";
        let seen = w.run(&client, query, json!({ "id": id })).await;
        assert_eq!(
            seen["appointment"],
            json!({ "location": "By the window", "appointment_location_id": main })
        );
        // A room is of the place, and at another place it is gone.
        let bad = [
            (json!({ "room_id": harbour["rooms"][0]["id"] }), "room_id"),
            (json!({ "appointment_location_id": stans }), "appointment_location_id"),
            (
                json!({ "appointment_location_id": w.standard.user_id.to_string() }),
                "appointment_location_id",
            ),
            (json!({ "room_id": w.standard.user_id.to_string() }), "room_id"),
        ];
        for (more, field) in bad {
            let again =
                with(&with(&said, json!({ "datetime": ahead(&w, 9, "15:00") })), more.clone());
            let refused = book(&w, &w.owner, again).await;
            assert_eq!(
                message(&refused),
                (field.to_owned(), "Object not found".to_owned()),
                "{more}"
            );
            let refused = change(&w, &w.owner, with(&more, json!({ "id": id }))).await;
            assert_eq!(
                message(&refused),
                (field.to_owned(), "Object not found".to_owned()),
                "{more}"
            );
        }
        let moved = w
            .mutate(
                &w.owner,
                "updateAppointment",
                "appointment { appointment_location_id room_id }",
                json!({ "id": id, "appointment_location_id": harbour["id"] }),
            )
            .await;
        assert_eq!(
            moved["appointment"],
            json!({ "appointment_location_id": harbour["id"], "room_id": null })
        );
        let last = w.events_like("appointment.updated").await.pop().unwrap();
        assert_eq!(last, "appointment.updated [\"appointment_location_id\",\"room_id\"]");
        // A room alone says the place.
        let only = with(&desk.at(&ahead(&w, 4, "15:00")), json!({ "room_id": rooms[1] }));
        let payload = book(&w, &w.owner, only).await;
        assert_eq!(payload["appointment"]["appointment_location_id"], json!(main));
        // Filters.
        for (args, count) in [
            (format!("filter_by_location_id: \"{main}\""), 1),
            (
                format!(
                    "filter_by_appointment_location_ids: [\"{main}\", \"{}\"]",
                    text(&harbour["id"])
                ),
                2,
            ),
        ] {
            let query = format!("{{ appointments({args}) {{ id }} appointmentsCount({args}) }}");
            let seen =
                w.run_in(ViewId::Baseline, &w.owner, &query, json!({})).await["data"].clone();
            assert_eq!(seen["appointments"].as_array().unwrap().len(), count, "{seen}");
            assert_eq!(seen["appointmentsCount"], json!(count));
        }
        // What is booked stays where it is when the place goes.
        places(&w, json!([{ "id": harbour["id"], "_destroy": true }])).await;
        let seen =
            change(&w, &w.owner, json!({ "id": id, "location": "", "notes": "Still there" })).await;
        assert_eq!(seen["appointment"]["location"], "Harbour", "{seen}");
        // Another's own place can't be kept when it goes to another provider.
        let hers = with(
            &desk.at(&ahead(&w, 6, "15:00")),
            json!({ "appointment_location_id": stans,
            "other_party_id": w.standard.user_id.to_string() }),
        );
        let hers = booked(&w, &w.owner, hers).await;
        let refused = change(
            &w,
            &w.owner,
            json!({ "id": hers, "other_party_id": w.owner.user_id.to_string() }),
        )
        .await;
        assert_eq!(message(&refused).1, "Appointment location is another provider's");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_put_into_a_room_that_is_taken() {
    World::each(async |w| {
        let (main, rooms) = clinic(&w, 2).await;
        let desk = Desk::of(&w).await;
        let at = |days: i64, hour: &str, who: &Actor| {
            with(
                &desk.at(&ahead(&w, days, hour)),
                json!({ "room_id": rooms[0],
                "other_party_id": who.user_id.to_string() }),
            )
        };
        let first = booked(&w, &w.owner, at(3, "15:00", &w.owner)).await;
        // Not even the owner, who may book over every calendar, and not by a minute.
        for hour in ["15:00", "15:49", "14:11"] {
            let refused = book(&w, &w.owner, at(3, hour, &w.standard)).await;
            assert_eq!(message(&refused), taken(), "{hour}");
            let blocked = json!({ "is_blocker": true, "datetime": ahead(&w, 3, hour),
                "end_date": ahead(&w, 3, "16:00"), "room_id": rooms[0] });
            assert_eq!(message(&book(&w, &w.owner, blocked).await), taken());
        }
        // What touches is free, and so is another room.
        booked(&w, &w.owner, at(3, "15:50", &w.standard)).await;
        booked(&w, &w.owner, at(3, "14:10", &w.standard)).await;
        let beside = with(&at(3, "15:00", &w.standard), json!({ "room_id": rooms[1] }));
        let beside = booked(&w, &w.owner, beside).await;
        let written = (w.written("appointments").await, w.written("room_entries").await.0);
        // Nor by moving there, in time or from room to room.
        let later = booked(&w, &w.owner, at(5, "15:00", &w.standard)).await;
        for input in [
            json!({ "id": later, "datetime": ahead(&w, 3, "15:15") }),
            json!({ "id": beside, "room_id": rooms[0] }),
        ] {
            assert_eq!(message(&change(&w, &w.owner, input.clone()).await), taken(), "{input}");
        }
        // Called off, it frees its room, and comes back only while nobody has it.
        change(&w, &w.owner, json!({ "id": first, "pm_status": "Cancelled" })).await;
        let second = booked(&w, &w.owner, at(3, "15:00", &w.standard)).await;
        let back = json!({ "id": first, "pm_status": "" });
        assert_eq!(message(&change(&w, &w.owner, back.clone()).await), taken());
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", json!({ "id": second }))
            .await;
        let revived = change(&w, &w.owner, back).await;
        assert!(revived["messages"].is_null(), "{revived}");
        assert_eq!(overlaps(&w).await, 0);
        assert_eq!(w.written("room_entries").await.0, written.1 + 1);
        // A room that holds several does, from the moment on that it does.
        let green = json!([{ "id": main, "rooms": [{ "id": rooms[0], "limit_to_one": false }] }]);
        places(&w, green).await;
        booked(&w, &w.owner, at(3, "15:00", &w.standard)).await;
    })
    .await;
}

#[tokio::test]
async fn a_series_takes_its_room_every_time_or_not_at_all() {
    World::each(async |w| {
        let (_, rooms) = clinic(&w, 1).await;
        let desk = Desk::of(&w).await;
        let in_room = json!({ "room_id": rooms[0] });
        let third = with(&desk.at(&ahead(&w, 17, "15:20")), in_room.clone());
        let third = with(&third, json!({ "other_party_id": w.standard.user_id.to_string() }));
        let third = booked(&w, &w.owner, third).await;
        let series = with(
            &with(&desk.at(&ahead(&w, 3, "15:00")), in_room),
            json!({
            "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "4" } }),
        );
        let before = w.written("appointments").await;
        assert_eq!(message(&book(&w, &w.owner, series.clone()).await), taken());
        assert_eq!(w.written("appointments").await, before);
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", json!({ "id": third })).await;
        let first = booked(&w, &w.owner, series).await;
        assert_eq!(w.written("room_entries").await.0, 4);
        // All of them move, or none.
        let hers = with(
            &desk.at(&ahead(&w, 24, "17:00")),
            json!({ "room_id": rooms[0],
            "other_party_id": w.standard.user_id.to_string() }),
        );
        booked(&w, &w.owner, hers).await;
        let all =
            json!({ "id": first, "datetime": ahead(&w, 3, "17:00"), "updateRecurring": true });
        assert_eq!(message(&change(&w, &w.owner, all).await), taken());
        let all =
            json!({ "id": first, "datetime": ahead(&w, 3, "18:00"), "updateRecurring": true });
        let moved = change(&w, &w.owner, all).await;
        assert!(moved["messages"].is_null(), "{moved}");
        assert_eq!(overlaps(&w).await, 0);
        assert_eq!(w.written("room_entries").await.0, 5);
    })
    .await;
}

#[tokio::test]
async fn clients_get_a_room_of_the_place_as_long_as_there_is_one() {
    World::each(async |w| {
        let (main, rooms) = clinic(&w, 2).await;
        let door = Door::new(w, json!({})).await;
        let w = Arc::clone(&door.w);
        let nobody = Actor::anonymous();
        let when = crate::checkout::ahead(&w, 3, "10:00");
        let of = door.of.clone();
        // Two others are in the rooms already, one of them a while only.
        let desk = Desk::of(&w).await;
        let other = |room: &str, at: &str, end: &str| json!({ "is_blocker": true, "room_id": room,
            "date": at.split(' ').next().unwrap(), "time": at.split(' ').next_back().unwrap(),
            "end_date": at.split(' ').next().unwrap(), "end_time": end, "timezone": "America/New_York",
            "other_party_id": w.owner.user_id.to_string() });
        booked(&w, &w.owner, other(&rooms[0], &when, "10:30")).await;
        booked(&w, &w.owner, other(&rooms[1], &when.replace("10:00", "10:30"), "11:00")).await;
        let slots = async |at: &str| {
            let query = format!("{{ availableSlotsForRange(provider_id: \"{}\", appt_type_id: \"{of}\", \
                appt_loc_id: \"{at}\", timezone: \"America/New_York\", start_date: \"{day}\", \
                end_date: \"{day}\") {{ date }} }}", w.standard.user_id, day = when.split(' ').next().unwrap());
            let answer = w.run(&nobody, &query, json!({})).await;
            let list = answer["availableSlotsForRange"].as_array().unwrap().clone();
            list.iter().map(|it| text(&it["date"])[11..16].to_owned()).collect::<Vec<_>>()
        };
        let listed = slots(&main).await;
        // Of 50 minutes: no room is free long enough for what begins in between.
        for (hour, is_free) in [("09:00", true), ("09:30", true), ("09:45", false), ("10:15", false),
            ("10:30", true), ("11:00", true)] {
            assert_eq!(listed.contains(&hour.to_owned()), is_free, "{hour}: {listed:?}");
        }
        let at = json!({ "appointment_location_id": main });
        let visit = |who: &str, hour: &str| with(&door.visit(who, &when.replace("10:00", hour)), at.clone());
        let refused = door.book(&nobody, visit("Vera", "10:15")).await;
        assert_eq!(message(&refused), ("date".to_owned(),
            "That time is not available. Choose another one.".to_owned()));
        let payload = door.book(&nobody, visit("Vera", "10:30")).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(payload["appointment"]["location"], "Main Street 1");
        assert_eq!(number(&w, "SELECT COUNT(*) FROM appointments WHERE room_id IS NOT NULL").await, 3);
        assert_eq!(overlaps(&w).await, 0);
        // A place that is staff's, or another provider's own, is nobody's to book.
        let more = places(&w, json!([{ "location": "Staff", "clients_can_book": false }])).await;
        let own = set(&w, &w.owner, json!({ "user_id": w.owner.user_id.to_string(),
            "appointment_locations": [{ "location": "Olive's" }] })).await;
        let olives = own["appointmentSetting"]["appointment_locations"].as_array().unwrap()
            .iter().find(|it| it["location"] == "Olive's").unwrap()["id"].clone();
        for at in [&more.last().unwrap()["id"], &olives, &json!(w.stranger.user_id.to_string())] {
            let input = with(&door.visit("Wim", &when.replace("10:00", "15:00")), json!({ "appointment_location_id": at }));
            let refused = door.book(&nobody, input).await;
            assert_eq!(message(&refused), ("appointment_location_id".to_owned(), "Object not found".to_owned()));
            assert!(slots(at.as_str().unwrap()).await.is_empty());
        }
        drop(desk);
    })
    .await;
}

#[tokio::test]
async fn a_client_moves_within_the_room() {
    World::each(async |w| {
        let (_, rooms) = clinic(&w, 1).await;
        crate::clients_own::always_free(&w).await;
        let desk = Desk::of(&w).await;
        let client = w.as_client(&desk.client).await;
        let mine = with(&desk.at(&ahead(&w, 3, "15:00")), json!({ "room_id": rooms[0] }));
        let id = booked(&w, &w.owner, mine).await;
        let other = with(&desk.at(&ahead(&w, 4, "15:00")), json!({ "room_id": rooms[0],
            "other_party_id": w.standard.user_id.to_string() }));
        booked(&w, &w.owner, other).await;
        let day = ahead(&w, 4, "15:00")[..10].to_owned();
        let query = format!("{{ availableSlotsForRange(provider_id: \"{}\", appointment_to_reschedule_id: \"{id}\", \
            timezone: \"UTC\", start_date: \"{day}\", end_date: \"{day}\") {{ date }} }}", w.owner.user_id);
        let seen = w.run(&client, &query, json!({})).await;
        let listed: Vec<i64> = seen["availableSlotsForRange"].as_array().unwrap().iter()
            .map(|it| text(&it["date"]).parse::<jiff::Timestamp>().unwrap().as_second() / 60 % 1_440).collect();
        let minute = |hour: i64, minute: i64| hour * 60 + minute;
        assert!(listed.contains(&minute(14, 0)) && listed.contains(&minute(16, 0)), "{listed:?}");
        for taken in [minute(14, 15), minute(15, 0), minute(15, 45)] {
            assert!(!listed.contains(&taken), "{taken}: {listed:?}");
        }
        let to = |hour: &str| json!({ "id": id, "client_updating": true, "datetime": ahead(&w, 4, hour) });
        let refused = change(&w, &client, to("15:15")).await;
        assert_eq!(message(&refused), ("datetime".to_owned(),
            "That time is not available. Choose another one.".to_owned()));
        let moved = change(&w, &client, to("16:00")).await;
        assert!(moved["messages"].is_null(), "{moved}");
        assert_eq!(overlaps(&w).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_right_to_book_is_none_to_a_room_that_is_taken() {
    World::each(async |w| {
        let (_, rooms) = clinic(&w, 1).await;
        let desk = Desk::of(&w).await;
        let books = w.with(&w.support, &[CAN_ADD_OTHERS_APPOINTMENTS, SEES_ALL_CLIENTS]);
        let input = |who: &Actor| with(&desk.at(&ahead(&w, 3, "15:00")), json!({ "room_id": rooms[0],
            "other_party_id": who.user_id.to_string() }));
        booked(&w, &books, input(&w.owner)).await;
        assert_eq!(message(&book(&w, &books, input(&w.standard)).await), taken());
        // Of another practice there is no such room.
        let theirs = w.mutate(&w.stranger, "createAppointment", "appointment { id }",
            json!({ "is_blocker": true, "datetime": ahead(&w, 3, "15:00"), "end_date": ahead(&w, 3, "16:00"),
                "room_id": rooms[0] })).await;
        assert_eq!(message(&theirs), ("room_id".to_owned(), "Object not found".to_owned()));
    })
    .await;
}
