//! Places through the front door: how settings make them, who knows of them, and times
//! that are set by them.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_store::Actor;

use crate::booking::{Desk, ahead, book, booked, change, message, with};
use crate::support::World;

const PLACE: &str = "appointment_locations { id location clients_can_book has_rooms \
    appointment_setting_id rooms { id name limit_to_one } }";

/// Makes or changes the settings of the owner's organization, or of a provider.
pub async fn set(w: &World, actor: &Actor, input: Json) -> Json {
    let shown = match input.get("user_id") {
        None => w.run(&w.owner, "{ appointmentSetting { id } }", json!({})).await,
        Some(_) => Json::Null,
    };
    let selects = format!("appointmentSetting {{ id {PLACE} }}");
    if shown["appointmentSetting"].is_object() {
        return w.mutate(actor, "updateAppointmentSetting", &selects, input).await;
    }
    let input = with(&input, json!({ "start_time": "08:00", "end_time": "18:00" }));
    w.mutate(actor, "createAppointmentSetting", &selects, input).await
}

/// Makes places of the organization; all that it has then.
pub async fn places(w: &World, sent: Json) -> Vec<Json> {
    let payload = set(w, &w.owner, json!({ "appointment_locations": sent })).await;
    assert!(payload["messages"].is_null(), "{payload}");
    payload["appointmentSetting"]["appointment_locations"].as_array().unwrap().clone()
}

/// A place with so many rooms that hold one at a time: its id and theirs.
pub async fn clinic(w: &World, rooms: usize) -> (String, Vec<String>) {
    let rooms: Vec<Json> =
        (1..=rooms).map(|n| json!({ "name": format!("Room {n}"), "limit_to_one": true })).collect();
    let made = places(w, json!([{ "location": "Main Street 1", "rooms": rooms }])).await;
    let place = made.last().unwrap();
    let rooms = place["rooms"].as_array().unwrap().iter();
    (text(&place["id"]), rooms.map(|room| text(&room["id"])).collect())
}

pub fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

#[tokio::test]
async fn settings_make_change_and_remove_places() {
    World::each(async |w| {
        let made = places(
            &w,
            json!([
                { "location": "Main Street 1", "rooms": [
                    { "name": "Blue", "limit_to_one": true }, { "name": "Green" }] },
                { "location": "Harbour", "clients_can_book": false },
            ]),
        )
        .await;
        let [main, harbour] = made.as_slice() else { panic!("{made:?}") };
        assert_eq!(main["has_rooms"], json!(true));
        assert_eq!(main["clients_can_book"], json!(true));
        assert_eq!(main["rooms"][0]["limit_to_one"], json!(true));
        assert_eq!(main["rooms"][1]["limit_to_one"], json!(false));
        assert_eq!((&harbour["has_rooms"], &harbour["clients_can_book"]), (&json!(false), &json!(false)));
        // What is named changes, what is not stays; one that is gone is gone.
        let changed = places(
            &w,
            json!([
                { "id": main["id"], "location": "Main Street 2", "rooms": [
                    { "id": main["rooms"][0]["id"], "_destroy": true },
                    { "id": main["rooms"][1]["id"], "limit_to_one": true }, { "name": "Red" }] },
                { "id": harbour["id"], "_destroy": true },
                { "_destroy": true },
            ]),
        )
        .await;
        let [only] = changed.as_slice() else { panic!("{changed:?}") };
        assert_eq!(only["location"], "Main Street 2");
        let rooms: Vec<(&Json, &Json)> = only["rooms"].as_array().unwrap().iter()
            .map(|room| (&room["name"], &room["limit_to_one"])).collect();
        assert_eq!(rooms, [(&json!("Green"), &json!(true)), (&json!("Red"), &json!(false))]);
        // The same by every way, in both views.
        let query = "query($id: ID) { appointmentLocation(id: $id) { id location rooms { name } } \
            organization { appointment_locations { id } } currentUser { appointment_locations { id } } \
            locationResources { resourceId resourceTitle } }";
        for view in [ViewId::Baseline, ViewId::V2026] {
            let seen = w.run_in(view, &w.owner, query, json!({ "id": main["id"] })).await["data"].clone();
            assert_eq!(seen["appointmentLocation"], json!({ "id": main["id"], "location": "Main Street 2",
                "rooms": [{ "name": "Green" }, { "name": "Red" }] }), "{seen}");
            let one = json!([{ "id": main["id"] }]);
            assert_eq!(seen["organization"]["appointment_locations"], one);
            assert_eq!(seen["currentUser"]["appointment_locations"], one);
            assert_eq!(seen["locationResources"],
                json!([{ "resourceId": main["id"], "resourceTitle": "Main Street 2" }]));
        }
        let old = w.run_in(ViewId::Baseline, &w.owner,
            "{ appointmentLocations { id } providerAppointmentLocations { id } }", json!({})).await;
        assert_eq!(old["data"]["appointmentLocations"], json!([{ "id": main["id"] }]));
        assert_eq!(old["data"]["providerAppointmentLocations"], json!([{ "id": main["id"] }]));
        let gone = w.run(&w.owner, query, json!({ "id": harbour["id"] })).await;
        assert_eq!(gone["appointmentLocation"], Json::Null);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_places_is_one_sentence_and_nothing_is_written() {
    World::each(async |w| {
        let (main, rooms) = clinic(&w, 1).await;
        let other = set(&w, &w.owner, json!({ "user_id": w.standard.user_id.to_string(),
            "appointment_locations": [{ "location": "Her own" }] })).await;
        let foreign = other["appointmentSetting"]["appointment_locations"].as_array().unwrap()
            .iter().find(|it| it["location"] == "Her own").unwrap()["id"].clone();
        let before = (w.written("appointment_locations").await, w.written("rooms").await);
        let many = |count: usize| vec![json!({ "location": "Street" }); count];
        for (sent, sentence) in [
            (json!([{ "location": " " }]), "Location can't be blank"),
            (json!([{}]), "Location can't be blank"),
            (json!([{ "id": main, "location": "" }]), "Location can't be blank"),
            (json!([{ "location": "x".repeat(256) }]), "Location is too long (maximum is 255 characters)"),
            (json!([{ "location": "A", "rooms": [{ "limit_to_one": true }] }]), "Room can't be blank"),
            (json!([{ "id": main }, { "id": main }]), "The same location can't be named twice"),
            (json!([{ "id": main, "rooms": [{ "id": rooms[0] }, { "id": rooms[0] }] }]),
                "The same room can't be named twice"),
            (json!(many(101)), "At most 100 locations can be named"),
            (json!(many(100)), "No more than 100 locations can be had at once"),
            (json!([{ "id": foreign, "location": "Mine" }]), "Object not found"),
            (json!([{ "location": "A", "rooms": [{ "id": rooms[0], "name": "B" }] }]), "Object not found"),
            (json!([{ "id": main, "rooms": vec![json!({ "name": "R" }); 50] }]),
                "A location can have 50 rooms"),
        ] {
            let payload = set(&w, &w.owner, json!({ "appointment_locations": sent })).await;
            let said = message(&payload);
            assert_eq!(said, ("appointment_locations".to_owned(), sentence.to_owned()));
        }
        assert_eq!((w.written("appointment_locations").await, w.written("rooms").await), before);
        // A member makes their own without a right, the organization's only with it.
        let none = w.with(&w.support, &[]);
        let refused = w.run_in(ViewId::V2026, &none,
            "mutation($input: updateAppointmentSettingInput) { updateAppointmentSetting(input: $input) { messages { field } } }",
            json!({ "input": { "appointment_locations": [{ "location": "A" }] } })).await;
        assert!(refused["data"]["updateAppointmentSetting"].is_null() || refused.get("errors").is_some(), "{refused}");
        assert_eq!((w.written("appointment_locations").await, w.written("rooms").await), before);
        let with_right = w.with(&w.support, &[CAN_EDIT_SETTINGS]);
        let payload = set(&w, &with_right, json!({ "appointment_locations": [{ "location": "A" }] })).await;
        assert!(payload["messages"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn who_knows_of_places() {
    World::each(async |w| {
        let made = places(&w, json!([
            { "location": "Main Street", "rooms": [{ "name": "Blue" }] },
            { "location": "Staff only", "clients_can_book": false }])).await;
        set(&w, &w.owner, json!({ "user_id": w.standard.user_id.to_string(),
            "appointment_locations": [{ "location": "Stan's" }] })).await;
        let client = w.client("Ada", "ada@example.com").await;
        let client = w.as_client(&client).await;
        let names = async |actor: &Actor, args: &str| {
            let args = if args.is_empty() { String::new() } else { format!("({args})") };
            let query = format!("{{ appointmentLocations{args} {{ nodes {{ location rooms {{ name }} }} total_count }} }}");
            let answer = w.run(actor, &query, json!({})).await;
            let nodes = answer["appointmentLocations"]["nodes"].as_array().unwrap().clone();
            assert_eq!(answer["appointmentLocations"]["total_count"], json!(nodes.len()));
            nodes
        };
        let only = |nodes: Vec<Json>| nodes.iter().map(|it| text(&it["location"])).collect::<Vec<_>>();
        let (stan, olive) = (w.standard.user_id, w.owner.user_id);
        assert_eq!(only(names(&w.owner, "").await), ["Main Street", "Staff only"]);
        assert_eq!(only(names(&w.standard, "").await), ["Main Street", "Staff only", "Stan's"]);
        assert_eq!(only(names(&w.support, "org_level: true").await), ["Main Street", "Staff only", "Stan's"]);
        assert_eq!(only(names(&w.owner, &format!("provider_id: \"{stan}\", keywords: \"stan's\"")).await), ["Stan's"]);
        assert_eq!(only(names(&w.owner, &format!("ids: [{}]", text(&made[1]["id"]))).await), ["Staff only"]);
        // A client and a visitor: what clients may book, and no rooms.
        let nobody = Actor::anonymous();
        for (who, args) in [(&client, String::new()), (&client, format!("provider_id: \"{olive}\"")),
            (&nobody, format!("provider_id: \"{olive}\"")),
            (&nobody, format!("location_ids: [\"{}\"]", text(&made[0]["id"])))] {
            let nodes = names(who, &args).await;
            assert_eq!(nodes, [json!({ "location": "Main Street", "rooms": [] })], "{args}");
        }
        assert_eq!(only(names(&nobody, &format!("provider_id: \"{stan}\"")).await), ["Main Street", "Stan's"]);
        // There is no list of everybody's, and no other practice's.
        assert!(names(&nobody, "").await.is_empty());
        assert!(names(&nobody, "org_level: true").await.is_empty());
        for args in ["", "org_level: true", &format!("provider_id: \"{stan}\""),
            &format!("ids: [{}]", text(&made[0]["id"]))] {
            assert!(names(&w.stranger, args).await.is_empty(), "{args}");
        }
        let one = "query($id: ID) { appointmentLocation(id: $id) { location } }";
        for (who, at, sees) in [(&nobody, 0, true), (&nobody, 1, false), (&client, 1, false),
            (&w.stranger, 0, false), (&w.support, 1, true)] {
            let seen = w.run(who, one, json!({ "id": made[at]["id"] })).await;
            assert_eq!(!seen["appointmentLocation"].is_null(), sees, "{at} {seen}");
        }
        let setting = "query($id: ID) { appointmentSetting(provider_id: $id) { appointment_locations { location } } }";
        let shown = w.run(&nobody, setting, json!({ "id": stan.to_string() })).await;
        assert_eq!(shown["appointmentSetting"]["appointment_locations"],
            json!([{ "location": "Stan's" }, { "location": "Main Street" }]));
    })
    .await;
}

#[tokio::test]
async fn times_can_be_set_by_place() {
    World::each(async |w| {
        let made = places(&w, json!([{ "location": "East" }, { "location": "West" }, { "location": "North" }])).await;
        let at = |n: usize| text(&made[n]["id"]);
        set(&w, &w.owner, json!({ "times_by_location": true })).await;
        let of = w.type_of(&w.owner, json!({ "name": "Visit", "length": 30, "clients_can_book": true })).await;
        let day = ahead(&w, 5, "00:00")[..10].to_owned();
        let mut ids = Vec::new();
        for (place, time, end) in [(at(0), "14 00", "15 00"), (at(1), "15 00", "16 00")] {
            let input = json!({ "range_start": day, "time": time, "end_time": end, "timezone": "UTC",
                "appointment_location_id": place });
            let row = w.mutate(&w.owner, "createAvailability", "availability { id appointment_location_id }", input).await;
            assert_eq!(row["availability"]["appointment_location_id"], json!(place), "{row}");
            ids.push(text(&row["availability"]["id"]));
        }
        let owner = w.owner.user_id;
        let nobody = Actor::anonymous();
        let slots = async |args: &str| {
            let query = format!("{{ availableSlotsForRange(provider_id: \"{owner}\", appt_type_id: \"{of}\", \
                timezone: \"UTC\", start_date: \"{day}\", end_date: \"{day}\"{args}) {{ date }} }}");
            let answer = w.run(&nobody, &query, json!({})).await;
            answer["availableSlotsForRange"].as_array().unwrap().iter()
                .map(|it| text(&it["date"]).parse::<jiff::Timestamp>().unwrap().as_second() / 60 % 1_440)
                .collect::<Vec<_>>()
        };
        let east = slots(&format!(", appt_loc_id: \"{}\"", at(0))).await;
        assert_eq!(east, [840, 855, 870]);
        assert_eq!(slots(&format!(", appt_loc_id: \"{}\"", at(1))).await, [900, 915, 930]);
        assert!(slots(&format!(", appt_loc_id: \"{}\"", at(2))).await.is_empty());
        // Nothing is said of where: each time by itself, so none runs from one place into another.
        assert_eq!(slots("").await, [840, 855, 870, 900, 915, 930]);
        let query = format!("query($at: String) {{ appointmentTypes(provider_id: \"{owner}\") {{ nodes {{ \
            availability_exists_for(appointment_location_id: $at, provider_id: \"{owner}\") }} }} }}");
        for (n, has) in [(0, true), (2, false)] {
            let seen = w.run(&nobody, &query, json!({ "at": at(n) })).await;
            assert_eq!(seen["appointmentTypes"]["nodes"][0]["availability_exists_for"], json!(has), "{seen}");
        }
        let rows = "query($at: ID, $from: ISO8601DateTime, $to: ISO8601DateTime) { availabilities(one_time: true, \
            appointment_location_id: $at, startDate: $from, endDate: $to) { id } }";
        let window = json!({ "at": at(1), "from": ahead(&w, 4, "00:00"), "to": ahead(&w, 7, "00:00") });
        let seen = w.run(&w.owner, rows, window).await;
        assert_eq!(seen["availabilities"], json!([{ "id": ids[1] }]), "{seen}");
        // Places that can be had on a day, or at all.
        let places_of = async |args: &str| {
            let query = format!("{{ appointmentLocations(provider_id: \"{owner}\", {args}) {{ nodes {{ location }} }} }}");
            let seen = w.run(&nobody, &query, json!({})).await;
            seen["appointmentLocations"]["nodes"].as_array().unwrap().iter()
                .map(|it| text(&it["location"])).collect::<Vec<_>>()
        };
        assert_eq!(places_of(&format!("appointment_date: \"{day}\", appointment_type_id: \"{of}\"")).await, ["East", "West"]);
        assert!(places_of(&format!("appointment_date: \"{}\"", &ahead(&w, 6, "00:00")[..10])).await.is_empty());
        assert_eq!(places_of("with_availability: true").await, ["East", "West"]);
        // Enforced, a booking is at the place of the time.
        let desk = Desk::of(&w).await;
        let half = |place: String| json!({ "user_id": desk.client, "appointment_type_id": of,
            "contact_type": "Phone Call", "datetime": ahead(&w, 5, "14:00"), "enforce_availability": true,
            "appointment_location_id": place });
        assert_eq!(message(&book(&w, &w.owner, half(at(1))).await).0, "datetime");
        booked(&w, &w.owner, half(at(0))).await;
        // A place that goes takes its times with it.
        places(&w, json!([{ "id": at(1), "_destroy": true }])).await;
        assert_eq!(w.written("availabilities").await.0, 1);
        assert_eq!(w.events().await.iter().filter(|it| it.starts_with("availability.deleted")).count(), 1);
        // Another's own place is none of these providers'.
        let own = set(&w, &w.owner, json!({ "user_id": w.standard.user_id.to_string(),
            "appointment_locations": [{ "location": "Stan's" }] })).await;
        let stans = own["appointmentSetting"]["appointment_locations"].as_array().unwrap()
            .iter().find(|it| it["location"] == "Stan's").unwrap()["id"].clone();
        let input = json!({ "range_start": day, "time": "17 00", "end_time": "18 00", "timezone": "UTC",
            "appointment_location_id": stans });
        let refused = w.mutate(&w.owner, "createAvailability", "availability { id }", input).await;
        assert_eq!(message(&refused), ("appointment_location_id".to_owned(), "Object not found".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_setting_demands_a_place_however_they_meet() {
    World::each(async |w| {
        let (main, _) = clinic(&w, 1).await;
        let desk = Desk::of(&w).await;
        let input = desk.at(&ahead(&w, 3, "15:00"));
        let id = booked(&w, &w.owner, input.clone()).await;
        set(&w, &w.owner, json!({ "require_selected_location_for_all_contact_types": true })).await;
        let shown = w
            .run(
                &w.owner,
                "{ appointmentSetting { require_selected_location_for_all_contact_types } }",
                json!({}),
            )
            .await;
        assert_eq!(
            shown["appointmentSetting"]["require_selected_location_for_all_contact_types"],
            json!(true)
        );
        let next = with(&input, json!({ "datetime": ahead(&w, 4, "15:00") }));
        let blank = (
            "appointment_location_id".to_owned(),
            "Appointment location can't be blank".to_owned(),
        );
        assert_eq!(message(&book(&w, &w.owner, next.clone()).await), blank);
        let emptied = json!({ "id": id, "appointment_location_id": "" });
        assert_eq!(message(&change(&w, &w.owner, emptied).await), blank);
        booked(&w, &w.owner, with(&next, json!({ "appointment_location_id": main }))).await;
        // A blocker is nowhere.
        let block = json!({ "is_blocker": true, "datetime": ahead(&w, 5, "15:00"),
            "end_date": ahead(&w, 5, "16:00") });
        booked(&w, &w.owner, block).await;
    })
    .await;
}
