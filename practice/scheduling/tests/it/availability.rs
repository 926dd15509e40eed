//! Availability through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{
    CAN_EDIT_SETTINGS, CAN_MANAGE_OTHERS_AVAILABILITY, CAN_MANAGE_OWN_AVAILABILITY,
    CAN_SEE_CALENDAR,
};
use ward_store::Actor;

use crate::support::World;

const ALL: &str = "availability { id is_repeating day_of_week range_start range_end end_on timezone \
    duration_string repeating_availability_id appointment_type_id contact_type_id resourceId user_id timezone_abbr }";
/// A weekly one: Mondays from nine to half past twelve, from 1 March 2027 on.
const MONDAYS: &str = r#"{ "is_repeating": true, "range_start": "March 1, 2027", "time": "09 00", "end_time": "12 30" }"#;

fn mondays() -> Json {
    let mut input: Json = serde_json::from_str(MONDAYS).unwrap();
    input["timezone"] = json!("America/New_York");
    input
}

async fn create(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "createAvailability", ALL, input).await
}

async fn list(w: &World, actor: &Actor, args: &str) -> Vec<String> {
    let query = format!("{{ availabilities({args}) {{ id range_start }} }}");
    let answer = w.run(actor, &query, json!({})).await;
    let rows = answer["availabilities"].as_array().into_iter().flatten();
    rows.map(|row| row["range_start"].as_str().unwrap().to_owned()).collect()
}

const MARCH: &str = "startDate: \"2027-03-01\", endDate: \"2027-03-23\"";

#[tokio::test]
async fn a_week_is_told_day_by_day_and_keeps_its_wall_clock() {
    World::each(async |w| {
        let made = create(&w, &w.owner, mondays()).await;
        assert!(made["messages"].is_null(), "{made}");
        let row = &made["availability"];
        let id = row["id"].as_str().unwrap();
        let expected = json!({ "id": id, "is_repeating": true, "day_of_week": 1,
            "range_start": "2027-03-01T09:00:00-05:00", "range_end": "2027-03-01T12:30:00-05:00",
            "end_on": null, "timezone": "America/New_York", "duration_string": "3h 30min",
            "repeating_availability_id": id, "appointment_type_id": null, "contact_type_id": null,
            "resourceId": w.owner.user_id.to_string(), "user_id": w.owner.user_id, "timezone_abbr": "EST" });
        assert_eq!(*row, expected);
        let query = format!("{{ availabilities(is_repeating: true, {MARCH}) {{ id range_start range_end repeating_availability_id timezone_abbr }} }}");
        let answer = w.run(&w.owner, &query, json!({})).await;
        let days = answer["availabilities"].as_array().unwrap();
        assert_eq!(days.len(), 4, "{answer}");
        let third = json!({ "id": format!("2027-03-15-{id}"), "range_start": "2027-03-15T09:00:00-04:00",
            "range_end": "2027-03-15T12:30:00-04:00", "repeating_availability_id": id, "timezone_abbr": "EDT" });
        assert_eq!(days[2], third);
        // The end of a window is not part of it; without a kind there is nothing.
        assert_eq!(list(&w, &w.owner, "is_repeating: true, startDate: \"2027-03-08\", endDate: \"2027-03-15\"").await.len(), 1);
        for nothing in ["", "one_time: true, ", "is_repeating: true, show_availability: false, "] {
            assert!(list(&w, &w.owner, &format!("{nothing}{MARCH}")).await.is_empty(), "{nothing}");
        }
        let query = "query($id: ID) { availability(id: $id) { id range_start is_repeating } }";
        let day = w.run(&w.owner, query, json!({ "id": format!("2027-03-15-{id}") })).await;
        assert_eq!(day["availability"]["range_start"], "2027-03-15T09:00:00-04:00", "{day}");
        for none in [format!("2027-03-16-{id}"), format!("2027-02-22-{id}")] {
            assert!(w.run(&w.owner, query, json!({ "id": none })).await["availability"].is_null(), "{none}");
        }
        let baseline = "query { availabilities(is_repeating: true, startDate: \"2027-03-15\", endDate: \"2027-03-16\") { range_start } \
            availabilitiesCount(startDate: \"2027-03-15\", endDate: \"2027-03-16\") }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, baseline, json!({})).await;
        assert_eq!(answer["data"]["availabilities"], json!([{ "range_start": "2027-03-15 09:00:00 -0400" }]), "{answer}");
        assert_eq!(answer["data"]["availabilitiesCount"], 1);
    })
    .await;
}

#[tokio::test]
async fn one_time_ones_are_instants_whatever_the_clocks_do() {
    World::each(async |w| {
        let once = |from: &str, to: &str| json!({ "start_datetime": from, "end_datetime": to, "timezone": "America/New_York" });
        // Half past one comes twice: the earlier, unless an offset says which.
        for (from, to, length) in [
            ("2027-11-07T01:30:00", "2027-11-07T02:30:00", "2h"),
            ("2027-11-07T01:30:00-05:00", "2027-11-07T02:30:00", "1h"),
            ("2027-03-14T02:30:00", "2027-03-14T04:00:00", "30min"),
            ("2027-03-14T22:00:00", "2027-03-15T06:00:00", "8h"),
        ] {
            let made = create(&w, &w.owner, once(from, to)).await;
            assert_eq!(made["availability"]["duration_string"], length, "{made}");
        }
        let days = list(&w, &w.owner, "one_time: true, startDate: \"2027-03-14\", endDate: \"2027-03-15\"").await;
        assert_eq!(days, ["2027-03-14T03:30:00-04:00", "2027-03-14T22:00:00-04:00"]);
        // What reaches into a window is in it.
        let days = list(&w, &w.owner, "one_time: true, startDate: \"2027-03-15T05:59:00-04:00\", endDate: \"2027-03-16\"").await;
        assert_eq!(days, ["2027-03-14T22:00:00-04:00"]);
        let late = list(&w, &w.owner, "one_time: true, startDate: \"2027-03-15T06:00:00-04:00\", endDate: \"2027-03-16\"").await;
        assert!(late.is_empty(), "{late:?}");
        let made = create(&w, &w.owner, json!({ "range_start": "2027-05-03", "time": "09 00", "end_time": "10 00", "timezone": "Pacific/Honolulu" })).await;
        assert_eq!(made["availability"]["range_start"], "2027-05-03T15:00:00-04:00", "{made}");
        // A time of day beside a moment is of the day on that wall.
        let beside = json!({ "start_datetime": "2027-05-05T01:00:00Z", "end_time": "22 00", "timezone": "America/New_York" });
        let made = create(&w, &w.owner, beside).await;
        assert_eq!(made["availability"]["range_start"], "2027-05-04T21:00:00-04:00", "{made}");
        assert_eq!(made["availability"]["duration_string"], "1h", "{made}");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_written() {
    World::each(async |w| {
        let before = w.written("availabilities").await;
        let with = |more: Json| {
            let mut input = mondays();
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        for (input, field, message) in [
            (with(json!({ "end_time": "09 00" })), "end_time", "End time must be after the start"),
            (with(json!({ "end_time": "08 00" })), "end_time", "End time must be after the start"),
            (with(json!({ "end_time": null })), "end_time", "End time can't be blank"),
            (with(json!({ "time": "25 00" })), "time", "Time must be a time of day such as 09 30"),
            (with(json!({ "time": "09 05" })), "time", "Availability must begin and end on the grid of 15 minutes"),
            (with(json!({ "range_start": null })), "range_start", "Range start can't be blank"),
            (with(json!({ "range_start": "February 31, 2027" })), "range_start", "Range start must be a date such as August 16, 2026"),
            (with(json!({ "range_start": "January 1, 9999" })), "range_start", "Range start must be within 3650 days"),
            (with(json!({ "range_start": "January 1, 1969" })), "range_start", "Range start can't be before 1970"),
            (with(json!({ "day_of_week": 7 })), "day_of_week", "Day of week must be from 0 (Sunday) to 6 (Saturday)"),
            (with(json!({ "end_on": "2027-02-01" })), "end_on", "End on can't be before the first day"),
            (with(json!({ "end_on": "soon" })), "end_on", "End on must be a date such as 2026-03-04"),
            (with(json!({ "timezone": "Mars/Olympus" })), "timezone", "Timezone is not a known time zone such as America/New_York"),
            (with(json!({ "contact_type_id": "4" })), "contact_type_id", "Contact type must be 1, 2 or 3"),
            (with(json!({ "appointment_type_id": "7" })), "appointment_type_id", "Object not found"),
            (with(json!({ "user_id": w.stranger.user_id.to_string() })), "user_id", "Object not found"),
            (with(json!({ "user_id": w.support.user_id.to_string() })), "user_id", "Object not found"),
            (json!({ "start_datetime": "2027-03-01T09:00:00", "end_datetime": "2027-03-03T09:00:00" }), "end_time",
                "An availability can't be longer than 24 hours"),
            (json!({ "start_datetime": "2027-03-01T09:00:30", "end_datetime": "2027-03-01T10:00:00" }), "range_start",
                "Range start must be a whole minute"),
            (json!({ "start_datetime": "2027-03-01T09:00:00", "end_datetime": "2027-03-01T09:00:00" }), "end_time",
                "End time must be after the start"),
        ] {
            let payload = create(&w, &w.owner, input.clone()).await;
            assert_eq!(payload["messages"][0], json!({ "field": field, "message": message }), "{input}");
        }
        let many = |list: Vec<Json>| json!({ "availabilities": list });
        for list in [vec![], vec![mondays(); 201], vec![mondays(), with(json!({ "time": "13 00" }))]] {
            let payload = w.mutate(&w.owner, "bulkCreateAvailability", "availabilities { id }", many(list)).await;
            assert!(!payload["messages"].is_null(), "{payload}");
        }
        assert_eq!(w.written("availabilities").await, before);
    })
    .await;
}

#[tokio::test]
async fn a_day_before_what_can_be_kept_is_refused() {
    World::each(async |w| {
        let before = w.written("availabilities").await;
        for is_repeating in [false, true] {
            for (from, to) in [
                ("-000500-01-01T09:00:00Z", "-000500-01-01T10:00:00Z"),
                ("0000-06-01T09:00:00Z", "0000-06-01T10:00:00Z"),
                ("1969-12-31T09:00:00Z", "1969-12-31T10:00:00Z"),
            ] {
                let input =
                    json!({ "is_repeating": is_repeating, "range_start": from, "range_end": to, "timezone": "UTC" });
                let payload = create(&w, &w.owner, input).await;
                let told = json!([{ "field": "range_start", "message": "Range start can't be before 1970" }]);
                assert_eq!(payload["messages"], told, "{from}");
                assert!(payload["availability"].is_null(), "{payload}");
            }
        }
        assert_eq!(w.written("availabilities").await, before);
        create(&w, &w.owner, mondays()).await;
        let days = list(&w, &w.owner, &format!("is_repeating: true, {MARCH}")).await;
        assert_eq!(days.len(), 4, "lists still answer");
    })
    .await;
}

#[tokio::test]
async fn another_time_zone_keeps_the_day_and_the_time_on_the_wall() {
    World::each(async |w| {
        let once = json!({ "start_datetime": "2027-03-02T09:00:00", "end_datetime": "2027-03-02T17:00:00",
            "timezone": "America/New_York" });
        let made = create(&w, &w.owner, once).await;
        let input = json!({ "id": made["availability"]["id"], "timezone": "Asia/Tokyo" });
        let moved = w.mutate(&w.owner, "editAvailability", ALL, input).await;
        assert!(moved["messages"].is_null(), "{moved}");
        let row = &moved["availability"];
        assert_eq!((&row["timezone"], &row["duration_string"]), (&json!("Asia/Tokyo"), &json!("8h")));
        assert_eq!(row["range_start"], "2027-03-01T19:00:00-05:00", "nine in Tokyo");
    })
    .await;
}

#[tokio::test]
async fn it_is_changed_and_deleted_for_good_and_told() {
    World::each(async |w| {
        let of = w.type_of(&w.owner, json!({ "name": "A", "length": 30 })).await;
        let made = create(&w, &w.owner, mondays()).await;
        let id = made["availability"]["id"].as_str().unwrap().to_owned();
        let edit = async |input: Json| w.mutate(&w.owner, "editAvailability", ALL, input).await;
        let changed = edit(json!({ "id": id, "end_time": "11 00", "appointment_type_id": of, "contact_type_id": "2" })).await;
        let row = &changed["availability"];
        assert_eq!((&row["duration_string"], &row["contact_type_id"]), (&json!("2h"), &json!(2)), "{changed}");
        assert_eq!(row["appointment_type_id"].to_string(), of);
        assert_eq!((&row["day_of_week"], &row["range_start"]), (&json!(1), &json!("2027-03-01T09:00:00-05:00")));
        let moved = edit(json!({ "id": id, "day_of_week": 3, "end_on": "2027-03-31", "appointment_type_id": "" })).await;
        assert_eq!(moved["availability"]["range_start"], "2027-03-03T09:00:00-05:00", "{moved}");
        assert!(moved["availability"]["appointment_type_id"].is_null());
        let refused = edit(json!({ "id": format!("2027-03-03-{id}"), "end_time": "10 00" })).await;
        assert_eq!(refused["messages"][0]["message"], "This is one day of a weekly availability: send its repeating_availability_id");
        let once = edit(json!({ "id": id, "is_repeating": false, "range_start": "2027-04-01T10:00:00", "range_end": "2027-04-01T11:00:00" })).await;
        assert_eq!(once["availability"]["range_start"], "2027-04-01T10:00:00-04:00", "{once}");
        assert_eq!(once["availability"]["repeating_availability_id"], Json::Null);
        let night = edit(json!({ "id": id, "range_start": "2027-04-01T22:00:00", "range_end": "2027-04-02T06:00:00" })).await;
        assert_eq!(night["availability"]["duration_string"], "8h", "{night}");
        let moved = edit(json!({ "id": id, "range_start": "2027-05-31" })).await;
        assert_eq!(moved["availability"]["range_end"], "2027-06-01T06:00:00-04:00", "{moved}");
        let short = edit(json!({ "id": id, "end_time": "02 00" })).await;
        assert_eq!(short["availability"]["duration_string"], "4h", "{short}");
        let gone = w.mutate(&w.owner, "deleteAvailability", "availability { id }", json!({ "id": id })).await;
        assert_eq!(gone["availability"]["id"], id, "{gone}");
        let again = w.mutate(&w.owner, "deleteAvailability", "availability { id }", json!({ "id": id })).await;
        assert_eq!(again["messages"][0], json!({ "field": "id", "message": "Object not found" }));
        let events = w.events().await;
        assert_eq!(events.first().unwrap(), "availability.created []");
        assert_eq!(events[1], r#"availability.updated ["appointment_type_id","contact_type_id","end_minute"]"#);
        assert_eq!(events.last().unwrap(), "availability.deleted []");
        let many = json!({ "contact_type_id": "1", "end_on": "2027-12-31", "availabilities": [mondays(), { "is_repeating": true,
            "day_of_week": 2, "range_start": "March 1, 2027", "time": "13 00", "end_time": "00 00", "contact_type_id": "3" }] });
        let made = w.mutate(&w.owner, "bulkCreateAvailability", "availabilities { id contact_type_id duration_string end_on }", many).await;
        let rows = made["availabilities"].as_array().unwrap();
        let fact = |n: usize, name: &str| rows[n][name].clone();
        assert_eq!([fact(0, "contact_type_id"), fact(1, "contact_type_id")], [json!(1), json!(3)], "{made}");
        assert_eq!([fact(1, "duration_string"), fact(1, "end_on")], [json!("11h"), json!("2027-12-31")]);
        let told = w.events().await.len();
        let ids: Vec<&Json> = rows.iter().map(|row| &row["id"]).collect();
        let query = "mutation($input: BulkDeleteAvailabilityInput) { bulkDeleteAvailability(input: $input) { deleted_count success } }";
        let answer = w.run(&w.owner, query, json!({ "input": { "ids": ids } })).await;
        let deleted = &answer["bulkDeleteAvailability"];
        assert_eq!((&deleted["deleted_count"], &deleted["success"]), (&json!(2), &json!(true)), "{deleted}");
        assert_eq!(w.events().await.len(), told, "a bulk deletion is not told");
        assert_eq!(w.written("availabilities").await.0, 0);
    })
    .await;
}

#[tokio::test]
async fn one_is_for_several_types() {
    World::each(async |w| {
        let mut types = Vec::new();
        for (name, is_group) in [("A", false), ("B", false), ("G", true)] {
            types.push(w.type_of(&w.owner, json!({ "name": name, "length": 30, "is_group": is_group })).await);
        }
        let input = json!({ "appointment_type_ids": [types[2]], "link_all_non_group_types": true,
            "start_datetime": "2027-03-02T09:00:00-05:00", "end_datetime": "2027-03-02T10:00:00-05:00" });
        let field = "createAvailabilityWithAppointmentTypes";
        let query = format!("mutation($input: CreateAvailabilityWithAppointmentTypesInput!) {{ {field}(input: $input) \
            {{ availability {{ id duration_string }} messages {{ field message }} }} }}");
        let answer = w.run(&w.owner, &query, json!({ "input": input })).await;
        let id = answer[field]["availability"]["id"].clone();
        assert_eq!(answer[field]["availability"]["duration_string"], "1h", "{answer}");
        let of = |n: usize| format!("one_time: true, {MARCH}, appointment_type_id: \"{}\"", types[n]);
        for n in 0..3 {
            assert_eq!(list(&w, &w.owner, &of(n)).await.len(), 1, "{n}");
        }
        let field = "editAvailabilityWithAppointmentTypes";
        let query = format!("mutation($input: EditAvailabilityWithAppointmentTypesInput!) {{ {field}(input: $input) \
            {{ availability {{ id duration_string }} messages {{ field message }} }} }}");
        let input = json!({ "id": id, "appointment_type_ids": [types[1]], "end_datetime": "2027-03-02T11:00:00-05:00" });
        let answer = w.run(&w.owner, &query, json!({ "input": input })).await;
        assert_eq!(answer[field]["availability"], json!({ "id": id, "duration_string": "2h" }), "{answer}");
        assert!(list(&w, &w.owner, &of(0)).await.is_empty());
        assert_eq!(list(&w, &w.owner, &of(1)).await.len(), 1);
        let told = w.events().await;
        assert_eq!(told.last().unwrap(), r#"availability.updated ["end_minute","end_at","appointment_type_ids"]"#);
        // Of no type it would be for all.
        let answer = w.run(&w.owner, &query, json!({ "input": { "id": id, "appointment_type_ids": [] } })).await;
        let blank = json!({ "field": "appointment_type_ids", "message": "Appointment type ids can't be blank" });
        assert_eq!(answer[field]["messages"][0], blank);
        // One that becomes a single type's is no other's any more.
        let input = json!({ "id": id, "appointment_type_id": types[0] });
        let changed = w.mutate(&w.owner, "editAvailability", "availability { id }", input).await;
        assert!(changed["messages"].is_null(), "{changed}");
        assert!(list(&w, &w.owner, &of(1)).await.is_empty());
        assert_eq!(list(&w, &w.owner, &of(0)).await.len(), 1);
        assert_eq!(w.written("availability_appointment_types").await.0, 0);
    })
    .await;
}

#[tokio::test]
async fn whose_it_is_and_who_sees_it() {
    World::each(async |w| {
        create(&w, &w.owner, mondays()).await;
        let plain = w.with(&w.standard, &[]);
        let own = w.with(&w.standard, &[CAN_MANAGE_OWN_AVAILABILITY]);
        let others = w.with(&w.standard, &[CAN_MANAGE_OTHERS_AVAILABILITY]);
        let mut of_owner = mondays();
        of_owner["user_id"] = json!(w.owner.user_id.to_string());
        for (input, with) in [(mondays(), &own), (of_owner, &others)] {
            let before = w.written("availabilities").await.0;
            assert!(create(&w, &plain, input.clone()).await["availability"].is_null());
            assert_eq!(w.written("availabilities").await.0, before);
            let made = create(&w, with, input).await;
            assert!(made["messages"].is_null(), "{made}");
        }
        let org = format!("is_repeating: true, is_org: true, {MARCH}");
        assert_eq!(list(&w, &plain, &org).await.len(), 4, "one's own");
        let sees = w.with(&w.standard, &[CAN_SEE_CALENDAR]);
        assert_eq!(list(&w, &sees, &org).await.len(), 12);
        let of = |id: i64| format!("is_repeating: true, provider_id: \"{id}\", {MARCH}");
        assert_eq!(list(&w, &sees, &of(w.owner.user_id)).await.len(), 8);
        assert!(list(&w, &plain, &of(w.owner.user_id)).await.is_empty());
        let some = format!(
            "is_repeating: true, is_org: true, provider_ids: [\"{}\"], {MARCH}",
            w.standard.user_id
        );
        assert_eq!(list(&w, &sees, &some).await.len(), 4);
        let client = w.client("Ada", "a@example.com").await;
        for other in [&w.stranger, &w.as_client(&client).await, &Actor::anonymous()] {
            for args in [org.clone(), of(w.owner.user_id)] {
                assert!(list(&w, other, &args).await.is_empty(), "{other:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn another_scope_deletes_what_there_was() {
    World::each(async |w| {
        create(&w, &w.owner, mondays()).await;
        let editor = w.with(&w.standard, &[CAN_EDIT_SETTINGS]);
        let set = async |input: Json| {
            let mut input = input;
            input["start_time"] = json!("08:00");
            input["end_time"] = json!("18:00");
            w.mutate(
                &editor,
                "createAppointmentSetting",
                "appointmentSetting { id times_by_location }",
                input,
            )
            .await
        };
        let both = json!({ "times_by_location": true, "times_by_contact_type": true });
        assert_eq!(
            set(both).await["messages"][0]["message"],
            "Times can be set by one of type, contact type and location only"
        );
        let whose = json!({ "times_by_location": true, "user_id": w.owner.user_id.to_string() });
        assert_eq!(
            set(whose).await["messages"][0]["message"],
            "What times are set by is the organization's to say"
        );
        assert_eq!(w.written("availabilities").await.0, 1);
        let made = set(json!({ "times_by_contact_type": false })).await;
        assert!(made["messages"].is_null(), "{made}");
        assert_eq!(w.written("availabilities").await.0, 1, "nothing changed by it");
        let input =
            json!({ "id": made["appointmentSetting"]["id"], "times_by_contact_type": true });
        let changed = w
            .mutate(
                &editor,
                "updateAppointmentSetting",
                "appointmentSetting { times_by_contact_type }",
                input.clone(),
            )
            .await;
        assert_eq!(changed["appointmentSetting"]["times_by_contact_type"], true, "{changed}");
        assert_eq!(w.written("availabilities").await.0, 0);
        assert_eq!(w.events().await.last().unwrap(), "availability.deleted []");
        create(&w, &w.owner, mondays()).await;
        w.mutate(&editor, "updateAppointmentSetting", "appointmentSetting { id }", input).await;
        assert_eq!(w.written("availabilities").await.0, 1, "the same again changes nothing");
    })
    .await;
}
