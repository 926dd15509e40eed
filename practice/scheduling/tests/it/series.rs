//! Series of appointments (behaviour 23.5).

use serde_json::{Value as Json, json};
use ward_scheduling::appointment::series::rule::{RepeatInterval, occurrences};
use ward_scheduling::availability::wall::Interval;

use crate::booking::{Desk, ahead, appointments, book, booked, change, message, with};
use crate::checkout::Door;
use crate::places::{clinic, places};
use crate::rooms::{number, overlaps, taken};
use crate::support::World;

const DAY: i64 = 86_400_000_000;

/// The appointments of a series: when, at which place.
async fn series(w: &World, id: &str) -> Json {
    let query = "query($id: ID) { appointment(id: $id) { current_position_in_recurring_series
        repeat repeat_interval repeat_times time_recurring_override recurring_appointment {
        id repeat_interval repeat_times previous_recurring_appointment_id appointments { nodes {
        id date end current_position_in_recurring_series attendees { id } notes
        time_recurring_override } } } } }";
    w.run(&w.owner, query, json!({ "id": id })).await["appointment"].clone()
}

fn nodes(of: &Json) -> &Vec<Json> {
    of["recurring_appointment"]["appointments"]["nodes"].as_array().unwrap()
}

fn dates(of: &Json) -> Vec<String> {
    nodes(of).iter().map(|it| it["date"].as_str().unwrap().to_owned()).collect()
}

fn positions(of: &Json) -> Vec<i64> {
    let position = |it: &Json| it["current_position_in_recurring_series"].as_i64().unwrap();
    nodes(of).iter().map(position).collect()
}

fn weekly(desk: &Desk, datetime: &str, times: &str) -> Json {
    let every = json!({ "repeat_interval": "Weekly", "repeat_times": times });
    with(&desk.at(datetime), json!({ "recurring_appointment": every }))
}

#[tokio::test]
async fn a_series_keeps_its_time_on_the_wall() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let id = booked(&w, &w.owner, weekly(&desk, "2027-03-04 09:30:00", "4")).await;
        let of = series(&w, &id).await;
        let days = [
            "2027-03-04T09:30:00-05:00",
            "2027-03-11T09:30:00-05:00",
            "2027-03-18T09:30:00-04:00",
            "2027-03-25T09:30:00-04:00",
        ];
        assert_eq!(dates(&of), days);
        assert_eq!(positions(&of), [1, 2, 3, 4]);
        assert_eq!(of["repeat_interval"], "Weekly");
        assert_eq!(of["repeat_times"], 4);
        assert_eq!(of["repeat"], true);
        assert_eq!(of["recurring_appointment"]["repeat_times"], "4");
        assert!(nodes(&of).iter().all(|it| it["attendees"][0]["id"] == json!(desk.client)));
        assert_eq!(w.written("calendar_entries").await.0, 4);

        let monthly = json!({ "repeat": true, "repeat_interval": "Monthly", "repeat_times": "3" });
        let input = with(&desk.at("2027-01-31 09:30:00"), monthly);
        let id = booked(&w, &w.owner, input).await;
        let days =
            ["2027-01-31T09:30:00-05:00", "2027-02-28T09:30:00-05:00", "2027-03-31T09:30:00-04:00"];
        assert_eq!(dates(&series(&w, &id).await), days);
        // Webhooks hear of none of them.
        let told = "SELECT COUNT(*) FROM events WHERE event_type = 'appointment.created' \
             AND is_told = TRUE";
        let sql = ward_store::Sql::fixed(told, []);
        let rows = ward_store::Query::rows(&mut w.db.read().await.unwrap(), &sql).await.unwrap();
        assert_eq!(rows.scalar().and_then(ward_store::Value::int), Some(0));
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_series_is_said_and_nothing_is_written() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let before = w.written("appointments").await;
        let cases = [
            (
                json!({ "repeat_interval": "Weekly", "repeat_times": "5000" }),
                "repeat_times",
                "Repeat times must be from 1 to 104",
            ),
            (
                json!({ "repeat_interval": "Weekly", "repeat_times": "0" }),
                "repeat_times",
                "Repeat times must be from 1 to 104",
            ),
            (
                json!({ "repeat_interval": "Weekly", "repeat_times": "many" }),
                "repeat_times",
                "Repeat times must be a whole number",
            ),
            (json!({ "repeat_interval": "Weekly" }), "repeat_times", "Repeat times can't be blank"),
            (json!({ "repeat_times": "3" }), "repeat_interval", "Repeat interval can't be blank"),
            (
                json!({ "repeat_interval": "Daily", "repeat_times": "3" }),
                "repeat_interval",
                "Repeat interval must be one of Weekly, Biweekly, Monthly, Every 4 Weeks",
            ),
        ];
        for (every, field, sentence) in cases {
            let input =
                with(&desk.at(&ahead(&w, 3, "15:00")), json!({ "recurring_appointment": every }));
            let payload = book(&w, &w.owner, input).await;
            assert_eq!(message(&payload), (field.to_owned(), sentence.to_owned()));
        }
        let far = weekly(&desk, &ahead(&w, 3_600, "15:00"), "104");
        assert_eq!(message(&book(&w, &w.owner, far).await).0, "repeat_times");
        // Of one who may not book over, the whole series waits for its third.
        let other = with(
            &desk.at(&ahead(&w, 17, "15:30")),
            json!({ "other_party_id": w.owner.user_id.to_string() }),
        );
        assert_eq!(w.written("appointments").await, before);
        booked(&w, &w.owner, other).await;
        let before = w.written("appointments").await;
        let books = w.with(
            &w.standard,
            &[
                ward_identity::flags::CAN_ADD_OTHERS_APPOINTMENTS,
                ward_identity::flags::SEES_ALL_CLIENTS,
            ],
        );
        let input = with(
            &weekly(&desk, &ahead(&w, 3, "15:00"), "4"),
            json!({ "other_party_id": w.owner.user_id.to_string() }),
        );
        assert_eq!(message(&book(&w, &books, input).await).0, "datetime");
        assert_eq!(w.written("appointments").await, before);
    })
    .await;
}

#[tokio::test]
async fn one_this_and_following_or_all_are_changed() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let id = booked(&w, &w.owner, weekly(&desk, "2027-05-03 09:30:00", "12")).await;
        let all = series(&w, &id).await;
        let at = |nth: usize| nodes(&all)[nth]["id"].as_str().unwrap().to_owned();

        // One alone: an exception.
        let moved = json!({ "id": at(1), "datetime": "2027-05-11 09:30:00" });
        assert!(change(&w, &w.owner, moved).await["messages"].is_null());
        let of = series(&w, &id).await;
        assert_eq!(nodes(&of)[1]["time_recurring_override"], true);
        assert_eq!(nodes(&of).len(), 12);

        // The fourth and all behind it: a series of 3 and one of 9.
        let input = json!({ "id": at(3), "updateRecurring": true, "notes": "new",
            "datetime": "2027-05-25 10:00:00" });
        let payload = change(&w, &w.owner, input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let of = series(&w, &id).await;
        assert_eq!(positions(&of), [1, 2, 3]);
        assert_eq!(of["repeat_times"], 3);
        let cut = series(&w, &at(3)).await;
        assert_eq!(positions(&cut), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(cut["repeat_times"], 9);
        assert_eq!(
            cut["recurring_appointment"]["previous_recurring_appointment_id"],
            of["recurring_appointment"]["id"]
        );
        assert_eq!(dates(&cut)[1], "2027-06-01T10:00:00-04:00");
        assert!(nodes(&cut).iter().all(|it| it["notes"] == "new"));

        // Only how many: nothing is cut.
        let more = json!({ "id": at(4), "updateRecurring": true,
            "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "11" } });
        assert!(change(&w, &w.owner, more).await["messages"].is_null());
        let cut = series(&w, &at(3)).await;
        assert_eq!(positions(&cut), (1..=11).collect::<Vec<i64>>());
        assert_eq!(dates(&cut)[10], "2027-08-03T10:00:00-04:00");
        assert_eq!(nodes(&cut)[10]["attendees"][0]["id"], json!(desk.client));
        let fewer = json!({ "id": at(3), "updateRecurring": true,
            "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "5" } });
        assert!(change(&w, &w.owner, fewer).await["messages"].is_null());
        assert_eq!(positions(&series(&w, &at(3)).await), [1, 2, 3, 4, 5]);
        let none = json!({ "id": at(5), "updateRecurring": true,
            "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "1" } });
        let payload = change(&w, &w.owner, none).await;
        assert_eq!(message(&payload).1, "Repeat times must be at least 3");

        // Another interval.
        let input = json!({ "id": at(3), "updateRecurring": true,
            "recurring_appointment": { "repeat_interval": "Every 4 Weeks", "repeat_times": "5" } });
        assert!(change(&w, &w.owner, input).await["messages"].is_null());
        assert_eq!(dates(&series(&w, &at(3)).await)[1], "2027-06-22T10:00:00-04:00");

        // This and all behind it are deleted, and take no time any more.
        let input = json!({ "id": at(5), "deleteRecurring": true });
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", input).await;
        assert_eq!(positions(&series(&w, &at(3)).await), [1, 2]);
        assert_eq!(w.written("calendar_entries").await.0, 5);
        let plain = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let input = json!({ "id": plain, "recurring_appointment":
            { "repeat_interval": "Weekly", "repeat_times": "5" } });
        let payload = change(&w, &w.owner, input).await;
        assert_eq!(message(&payload).0, "base");
    })
    .await;
}

#[tokio::test]
async fn a_client_calls_off_one_or_all_to_come() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let client = w.as_client(&desk.client).await;
        let id = booked(&w, &w.owner, weekly(&desk, &ahead(&w, 3, "15:00"), "4")).await;
        let second = nodes(&series(&w, &id).await)[1]["id"].clone();
        let input = json!({ "id": second, "deleteRecurring": true });
        let payload = w.mutate(&client, "deleteAppointment", "appointment { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(appointments(&w, &client, "is_active: true").await, [id]);
        assert_eq!(appointments(&w, &client, "filter: \"didnt-occur\"").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_series_is_not_in_its_own_way() {
    World::each(async |w| {
        let (_, rooms) = clinic(&w, 1).await;
        let desk = Desk::of(&w).await;
        let start = ahead(&w, 3, "15:00");
        let input = with(&weekly(&desk, &start, "4"), json!({ "room_id": rooms[0] }));
        let id = booked(&w, &w.owner, input).await;
        let old = dates(&series(&w, &id).await);
        // The second to where the third was, and the other way round.
        for (every, times) in [("Biweekly", "4"), ("Weekly", "6"), ("Weekly", "2")] {
            let input = json!({ "id": id, "updateRecurring": true,
                "recurring_appointment": { "repeat_interval": every, "repeat_times": times } });
            let payload = change(&w, &w.owner, input).await;
            assert!(payload["messages"].is_null(), "{every} {times}: {payload}");
            let new = dates(&series(&w, &id).await);
            match every {
                "Biweekly" => assert_eq!(new[1], old[2]),
                _ => assert_eq!(new[1], old[1]),
            }
            assert_eq!(overlaps(&w).await, 0);
            let over = "SELECT COUNT(*) FROM appointments WHERE booked_over = TRUE";
            assert_eq!(number(&w, over).await, 0, "over nothing but itself");
        }
        // A week later, all of it: the first to where the second is.
        let input =
            json!({ "id": id, "updateRecurring": true, "datetime": ahead(&w, 10, "15:00") });
        let payload = change(&w, &w.owner, input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(
            (w.written("room_entries").await.0, w.written("calendar_entries").await.0),
            (2, 2)
        );
        // What is another's stays in the way, and nothing is written.
        let other = with(
            &desk.at(&ahead(&w, 24, "15:20")),
            json!({ "room_id": rooms[0],
            "other_party_id": w.standard.user_id.to_string() }),
        );
        booked(&w, &w.owner, other).await;
        let before = w.written("appointments").await;
        let input = json!({ "id": id, "updateRecurring": true,
            "recurring_appointment": { "repeat_interval": "Biweekly", "repeat_times": "2" } });
        let refused = change(&w, &w.owner, input).await;
        assert_eq!(message(&refused), taken());
        assert_eq!(w.written("appointments").await, before);
        assert_eq!((w.written("room_entries").await.0, overlaps(&w).await), (3, 0));
    })
    .await;
}

#[tokio::test]
async fn a_series_grows_into_no_room_or_place_that_was_removed() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        for (way, days) in [("room_id", 3), ("appointment_location_id", 4)] {
            let (place, rooms) = clinic(&w, 1).await;
            let at = if way == "room_id" { &rooms[0] } else { &place };
            let input = weekly(&desk, &ahead(&w, days, "15:00"), "2");
            let id = booked(&w, &w.owner, with(&input, json!({ way: at }))).await;
            let gone = match way {
                "room_id" => json!({ "id": place, "rooms": [{ "id": at, "_destroy": true }] }),
                _ => json!({ "id": place, "_destroy": true }),
            };
            places(&w, json!([gone])).await;
            let before = w.written("appointments").await;
            let of = |times: &str, notes: &str| {
                json!({ "id": id, "updateRecurring": true,
                "notes": notes, "recurring_appointment":
                    { "repeat_interval": "Weekly", "repeat_times": times } })
            };
            let refused = change(&w, &w.owner, of("3", "one more")).await;
            assert_eq!(message(&refused), (way.to_owned(), "Object not found".to_owned()));
            assert_eq!(w.written("appointments").await, before);
            // What there is stays where it is, and the series grows elsewhere.
            let stays = change(&w, &w.owner, of("2", "no more")).await;
            assert!(stays["messages"].is_null(), "{stays}");
            let elsewhere = with(
                &of("3", "elsewhere"),
                json!({ "room_id": "", "appointment_location_id": "" }),
            );
            let grown = change(&w, &w.owner, elsewhere).await;
            assert!(grown["messages"].is_null(), "{grown}");
            assert_eq!(positions(&series(&w, &id).await), [1, 2, 3]);
        }
    })
    .await;
}

#[tokio::test]
async fn webhooks_hear_nothing_of_a_series_but_who_comes() {
    World::each(async |w| {
        let of = json!({ "is_group": true, "is_waitlist_enabled": true });
        let door = Door::new(w, of).await;
        let w = &door.w;
        let of = &door.of;
        let every = json!({ "repeat_interval": "Weekly", "repeat_times": "2" });
        let input = json!({ "appointment_type_id": of, "contact_type": "Healthie Video Call",
            "max_attendees": "1", "other_party_id": w.standard.user_id.to_string(),
            "datetime": ahead(w, 3, "15:00"), "recurring_appointment": every });
        let id = booked(w, &w.owner, input).await;
        for name in ["Ada", "Bea"] {
            let client = w.client(name, &format!("{name}@example.com")).await;
            let team =
                json!({ "id": client, "other_provider_ids": [w.standard.user_id.to_string()] });
            w.mutate(&w.owner, "updateClient", "user { id }", team).await;
            let input = json!({ "appointment_id": id, "is_joining_waitlist": true });
            let joined = door.book(&w.as_client(&client).await, input).await;
            assert!(joined["messages"].is_null(), "{joined}");
        }
        // Staff change one of it, and who waited moves in.
        for more in [json!({ "notes": "Mats" }), json!({ "attendee_ids": [] })] {
            let payload = change(w, &w.owner, with(&more, json!({ "id": id }))).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        let said = "SELECT COUNT(*) FROM events WHERE event_type = 'appointment.updated'";
        assert!(number(w, said).await >= 4, "the practice's own pages hear of it");
        let told = "SELECT COUNT(*) FROM events WHERE is_told = TRUE AND event_type IN \
            ('appointment.created', 'appointment.updated')";
        assert_eq!(number(w, told).await, 0);
        let came = "SELECT COUNT(*) FROM events WHERE is_told = TRUE \
            AND event_type = 'appointment.patient_added'";
        assert_eq!(number(w, came).await, 2);
    })
    .await;
}

#[test]
fn every_interval_is_what_it_says() {
    let zone = jiff::tz::TimeZone::UTC;
    let at = |text: &str| {
        ward_instance::Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    };
    let first = Interval { start: at("2027-01-31T09:00:00Z"), end: at("2027-01-31T09:50:00Z") };
    let now = at("2027-01-01T00:00:00Z");
    for (every, days) in [
        (RepeatInterval::Weekly, [7, 14]),
        (RepeatInterval::Biweekly, [14, 28]),
        (RepeatInterval::EveryFourWeeks, [28, 56]),
        (RepeatInterval::Monthly, [28, 59]),
    ] {
        let all = occurrences(&first, &zone, every, 3, now).unwrap();
        let since: Vec<i64> = all.iter().map(|it| (it.start.0 - first.start.0) / DAY).collect();
        assert_eq!(since, [0, days[0], days[1]], "{every}");
        assert!(all.iter().all(|it| it.minutes() == 50));
    }
    let late = at("2017-02-01T00:00:00Z");
    assert!(occurrences(&first, &zone, RepeatInterval::Weekly, 104, late).is_none());
}
