//! Rooms of video calls from outside: ordered with the appointment, moved and called off with it,
//! shown to who comes, and reached from a reminder.

use std::collections::BTreeSet;

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell, until};

const PASSWORD: &str = "violet-harbour-93-lantern";
const VIDEO: &str = "Healthie Video Call";

const SEEN: &str = "query($id: ID) { appointment(id: $id, include_deleted: true) { is_zoom_chat use_zoom zoom_meeting_id zoom_join_url zoom_start_url zoom_dial_in_info zoom_dial_in_info_html } }";

/// What is shown of a room.
const ROOM: [&str; 5] = [
    "zoom_meeting_id",
    "zoom_join_url",
    "zoom_start_url",
    "zoom_dial_in_info",
    "zoom_dial_in_info_html",
];

fn to(api: &Api, at: &str) {
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json["stragglers"], json!([]), "{}", reply.text);
}

#[track_caller]
fn done(api: &Api, field: &str, input: &Json, what: &str) -> Json {
    let query = format!(
        "mutation($input: {field}Input!) {{ {field}(input: $input) {{ {what} {{ id }} messages {{ field message }} }} }}"
    );
    let reply = api.ask(&query, json!({"input": input}));
    let done = &reply.data()[field];
    assert!(done["messages"].is_null(), "{}", reply.text);
    done[what]["id"].clone()
}

fn of_length(api: &Api, minutes: i64) -> Json {
    done(
        api,
        "createAppointmentType",
        &json!({"name": "A call", "length": minutes}),
        "appointmentType",
    )
}

fn book(api: &Api, of: &Json, client: &str, at: &str, more: &Json) -> Json {
    let mut input = json!({"user_id": client, "appointment_type_id": of, "contact_type": VIDEO,
        "datetime": at, "is_zoom_chat": true});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    done(api, "createAppointment", &input, "appointment")
}

#[track_caller]
fn seen(api: &Api, id: &Json) -> Json {
    api.ask(SEEN, json!({"id": id})).data()["appointment"].clone()
}

/// Orders so far of an appointment, oldest first: what the inbox says.
fn orders(api: &Api, id: &Json) -> Vec<String> {
    let inbox = api.get("/sandbox/v1/inbox?class=video&limit=200").json;
    let about = json!({"type": "Appointment", "id": id});
    let own = inbox["items"].as_array().unwrap().iter().rev().filter(|it| it["about"] == about);
    own.map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

/// The path of an address of the instance.
fn path(url: &Json) -> String {
    let url = url.as_str().unwrap();
    let (_, rest) = url.split_once("://").unwrap();
    rest.find('/').map_or_else(String::new, |at| rest[at..].to_owned())
}

#[test]
fn a_call_has_a_room_that_is_moved_and_called_off_with_it() {
    for engine in Engine::available("video") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, admin) = (s.owner_key(), s.member("administrator"));
        let server = s.serve();
        let (api, admin) = (server.with(&owner), server.with(&admin));
        let client = people::client(&api, "ada");
        let input = json!({"id": client, "password": PASSWORD, "timezone": "Etc/UTC"});
        done(&api, "updateClient", &input, "user");
        let input = json!({"email": "ada@client.example", "password": PASSWORD});
        let signed = people::sign_in(&server.api(), input);
        let ada = server.with(signed.data()["signIn"]["token"].as_str().unwrap());
        assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
        to(&api, "2031-03-03T12:00:00Z");
        let of = of_length(&api, 50);
        let id = book(&api, &of, &client, "2031-03-04T15:00:00Z", &json!({}));
        to(&api, "2031-03-03T12:00:01Z");
        // Who gives it opens the room; who sees it, or comes, is told where it is.
        let room = seen(&api, &id);
        assert_eq!((&room["is_zoom_chat"], &room["use_zoom"]), (&json!(true), &json!(true)));
        for name in ["zoom_meeting_id", "zoom_join_url", "zoom_start_url", "zoom_dial_in_info"] {
            assert!(room[name].is_string(), "{name}: {room}");
        }
        let html = format!("<p>{}</p>", room["zoom_dial_in_info"].as_str().unwrap());
        assert_eq!(room["zoom_dial_in_info_html"], json!(html));
        for other in [&admin, &ada] {
            let told = seen(other, &id);
            assert_eq!(told["zoom_join_url"], room["zoom_join_url"], "{told}");
            assert_eq!(told["zoom_meeting_id"], room["zoom_meeting_id"], "{told}");
            assert!(told["zoom_start_url"].is_null(), "{told}");
        }
        let nobody = server.api();
        for url in ["zoom_join_url", "zoom_start_url"] {
            assert_eq!(nobody.get(&path(&room[url])).status, 200, "{room}");
        }
        // It is told as a change of the appointment, once.
        let told = "SELECT COUNT(*) FROM events WHERE event_type = 'appointment.updated' \
             AND changed_fields LIKE '%zoom_join_url%'";
        assert_eq!(s.database().number(told), 1);
        // Moved, it is the same room at another time; another fact of it is no order.
        done(
            &api,
            "updateAppointment",
            &json!({"id": id, "notes": "bring the diary"}),
            "appointment",
        );
        let moved = json!({"id": id, "datetime": "2031-03-04T17:00:00Z"});
        done(&api, "updateAppointment", &moved, "appointment");
        to(&api, "2031-03-03T12:00:02Z");
        let ordered = orders(&api, &id);
        assert_eq!(ordered.len(), 2, "{ordered:?}");
        assert!(ordered[1].contains("2031-03-04T17:00:00Z"), "{ordered:?}");
        assert!(
            ordered.iter().all(|it| !it.contains("ada") && !it.contains("diary")),
            "{ordered:?}"
        );
        assert_eq!(seen(&api, &id), room);
        assert_eq!(s.database().number(told), 1, "nothing of the room changed");
        // Called off, there is none, at once; it takes place again, and there is one.
        let off = json!({"id": id, "pm_status": "Cancelled"});
        done(&api, "updateAppointment", &off, "appointment");
        for reader in [&api, &admin, &ada] {
            assert!(seen(reader, &id)["zoom_join_url"].is_null());
        }
        to(&api, "2031-03-03T12:00:03Z");
        assert!(orders(&api, &id)[2].contains("is wanted no more"));
        done(&api, "updateAppointment", &json!({"id": id, "pm_status": ""}), "appointment");
        to(&api, "2031-03-03T12:00:04Z");
        assert_eq!(seen(&api, &id)["zoom_join_url"], room["zoom_join_url"]);
        // By telephone there is none either, and who deletes it gives it up.
        done(
            &api,
            "updateAppointment",
            &json!({"id": id, "contact_type": "Phone Call"}),
            "appointment",
        );
        assert!(seen(&api, &id)["zoom_join_url"].is_null());
        assert_eq!(seen(&api, &id)["use_zoom"], json!(false));
        to(&api, "2031-03-03T12:00:04.500Z");
        done(&api, "updateAppointment", &json!({"id": id, "contact_type": VIDEO}), "appointment");
        to(&api, "2031-03-03T12:00:05Z");
        assert_eq!(seen(&api, &id)["zoom_start_url"], room["zoom_start_url"]);
        done(&api, "deleteAppointment", &json!({"id": id}), "appointment");
        // Whoever asks for deleted ones is not shown its room, and nothing of it is kept.
        for reader in [&api, &admin] {
            let gone = seen(reader, &id);
            assert_eq!(gone["is_zoom_chat"], json!(true), "{gone}");
            for name in ROOM {
                assert!(gone[name].is_null(), "{name}: {gone}");
            }
        }
        let kept = "SELECT COUNT(*) FROM appointments WHERE room_ordered = TRUE \
             OR zoom_meeting_id IS NOT NULL OR zoom_join_url IS NOT NULL \
             OR zoom_start_url IS NOT NULL OR zoom_dial_in_info IS NOT NULL";
        assert_eq!(s.database().number(kept), 0);
        to(&api, "2031-03-03T12:00:06Z");
        let ordered = orders(&api, &id);
        assert_eq!(ordered.len(), 7, "{ordered:?}");
        assert!(ordered[6].contains("is wanted no more"), "{ordered:?}");
        // What nobody said is to be a call there orders nothing.
        let plain =
            book(&api, &of, &client, "2031-03-06T15:00:00Z", &json!({"is_zoom_chat": false}));
        let by_phone = json!({"contact_type": "Phone Call"});
        let phone = book(&api, &of, &client, "2031-03-07T15:00:00Z", &by_phone);
        let past = book(&api, &of, &client, "2031-03-01T15:00:00Z", &json!({}));
        to(&api, "2031-03-03T12:00:07Z");
        for id in [&plain, &phone, &past] {
            assert!(orders(&api, id).is_empty() && seen(&api, id)["zoom_join_url"].is_null());
        }
        // Each of a series has its own.
        let series =
            json!({"recurring_appointment": {"repeat_interval": "Weekly", "repeat_times": "3"}});
        book(&api, &of, &client, "2031-03-10T15:00:00Z", &series);
        to(&api, "2031-03-03T12:00:08Z");
        let all = api.ask("{ appointments { nodes { zoom_meeting_id } } }", json!({}));
        let all = all.data()["appointments"]["nodes"].clone();
        let rooms: BTreeSet<&str> = all
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["zoom_meeting_id"].as_str())
            .collect();
        assert_eq!(rooms.len(), 3, "{all}");
        tell("video", format_args!("{engine:?}: 7 orders of one appointment, 3 of a series"));
    }
}

#[test]
fn what_becomes_of_a_room_is_said_by_the_length_of_the_call() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let client = people::client(&api, "ada");
    assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
    to(&api, "2031-03-03T12:00:00Z");
    let booked = |minutes: i64, day: u8| {
        let of = of_length(&api, minutes);
        book(&api, &of, &client, &format!("2031-03-{day:02}T15:00:00Z"), &json!({}))
    };
    let [refused, join, host] =
        [(41, 4), (43, 5), (44, 6)].map(|(minutes, day)| booked(minutes, day));
    to(&api, "2031-03-03T12:00:01Z");
    assert!(seen(&api, &refused)["zoom_join_url"].is_null());
    let failed = api.get("/effects/failed?class=video").json["items"].clone();
    assert_eq!(failed.as_array().unwrap().len(), 1, "{failed}");
    assert_eq!(failed[0]["error"], "the video service refuses the room");
    let nobody = server.api();
    let (join, host) = (seen(&api, &join), seen(&api, &host));
    assert_eq!(nobody.get(&path(&join["zoom_join_url"])).status, 502);
    assert_eq!(nobody.get(&path(&join["zoom_start_url"])).status, 200);
    assert_eq!(nobody.get(&path(&host["zoom_join_url"])).status, 200);
    assert_eq!(nobody.get(&path(&host["zoom_start_url"])).status, 401);
    for wrong in ["1", "91234567890/elsewhere", "9123456789x"] {
        assert_eq!(nobody.get(&format!("/sandbox/v1/rooms/{wrong}")).status, 404, "{wrong}");
    }
    // One that does not answer is asked again, until the call is over.
    let silent = booked(42, 7);
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": "2031-03-08T12:00:00Z"}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(seen(&api, &silent)["zoom_join_url"].is_null());
    let failed = api.get("/effects/failed?class=video").json["items"].clone();
    assert_eq!(failed.as_array().unwrap().len(), 2, "{failed}");
}

#[test]
fn a_reminder_leads_into_the_room_and_only_who_comes_gets_in() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let client = people::client(&api, "ada");
    done(&api, "updateClient", &json!({"id": client, "timezone": "Etc/UTC"}), "user");
    assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
    to(&api, "2031-03-03T12:00:00Z");
    let of = of_length(&api, 50);
    let id = book(&api, &of, &client, "2031-03-04T15:00:00Z", &json!({}));
    book(&api, &of, &client, "2031-03-05T15:00:00Z", &json!({"is_zoom_chat": false}));
    to(&api, "2031-03-04T16:00:00Z");
    let inbox = api.get("/sandbox/v1/inbox?class=email&to=ada@client.example").json;
    let reminders = inbox["items"].as_array().unwrap().iter();
    let reminders: Vec<&str> = reminders
        .filter(|it| it["kind"] == "appointment_reminder")
        .map(|it| it["text"].as_str().unwrap())
        .collect();
    // The later one, of a call elsewhere, names no room.
    assert_eq!(reminders.len(), 2, "{inbox}");
    assert!(!reminders[0].contains("/rooms/"), "{}", reminders[0]);
    let line = reminders[1].lines().find(|line| line.contains("/rooms/")).unwrap();
    let link = path(&json!(line));
    let nobody = server.api();
    let entered = nobody.get(&link);
    assert_eq!(entered.status, 303, "{}", entered.text);
    let location = entered.headers.get("location").unwrap().to_str().unwrap();
    assert_eq!(json!(location), seen(&api, &id)["zoom_join_url"]);
    let read = "SELECT COUNT(*) FROM access_log WHERE path = 'rooms'";
    until("it is logged", || (s.database().number(read) == 1).then_some(()));
    // Altered, or a calendar's, it opens nothing.
    let altered = link.replace("wtv_", "wtl_");
    assert_eq!(nobody.get(&altered).status, 403);
    let mut cut = link.clone();
    cut.pop();
    assert_eq!(nobody.get(&cut).status, 403);
    // Called off, it leads nowhere.
    done(&api, "updateAppointment", &json!({"id": id, "pm_status": "Cancelled"}), "appointment");
    assert_eq!(nobody.get(&link).status, 404);
}

/// The link into the room of the last reminder that somebody got.
#[track_caller]
fn last_link(api: &Api, address: &str) -> String {
    let inbox = api.get(&format!("/sandbox/v1/inbox?class=email&to={address}")).json;
    let all = inbox["items"].as_array().unwrap().iter();
    let mut reminders = all.filter(|it| it["kind"] == "appointment_reminder");
    let text = reminders.next().unwrap_or_else(|| panic!("{inbox}"))["text"].clone();
    let line = text.as_str().unwrap().lines().find(|line| line.contains("/rooms/"));
    path(&json!(line.unwrap_or_else(|| panic!("{text}"))))
}

#[test]
fn a_link_ends_long_after_the_call_and_with_the_part_of_whose_it_is() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let (api, nobody) = (server.with(&owner), server.api());
    let clients = ["ada", "ben"].map(|name| people::client(&api, name));
    for client in &clients {
        done(&api, "updateClient", &json!({"id": client, "timezone": "Etc/UTC"}), "user");
    }
    assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
    to(&api, "2031-03-03T12:00:00Z");
    let of = json!({"name": "A circle", "length": 50, "is_group": true});
    let of = done(&api, "createAppointmentType", &of, "appointmentType");
    let input = json!({"appointment_type_id": of, "contact_type": VIDEO, "is_zoom_chat": true,
        "datetime": "2031-03-04T15:00:00Z", "attendee_ids": clients.join(",")});
    let id = done(&api, "createAppointment", &input, "appointment");
    to(&api, "2031-03-04T15:10:00Z");
    let [ada, ben] = ["ada", "ben"].map(|name| last_link(&api, &format!("{name}@client.example")));
    assert_ne!(ada, ben);
    for link in [&ada, &ben] {
        assert_eq!(nobody.get(link).status, 303, "{link}");
    }
    // Who called their part off does not come in any more; the others do.
    let query = "query($id: ID) { appointment(id: $id) { attended_clients { id user_id } } }";
    let shown = api.ask(query, json!({"id": id})).data()["appointment"].clone();
    let parts = shown["attended_clients"].as_array().unwrap();
    let part = parts.iter().find(|it| it["user_id"] == json!(clients[0])).unwrap();
    let off = json!({"id": part["id"], "cancelled": true});
    done(&api, "updateAppointmentInclusion", &off, "appointment_inclusion");
    assert_eq!(nobody.get(&ada).status, 404);
    assert_eq!(nobody.get(&ben).status, 303);
    // An hour after its end nobody does, though the room is still shown.
    to(&api, "2031-03-04T16:49:00Z");
    assert_eq!(nobody.get(&ben).status, 303);
    to(&api, "2031-03-04T16:51:00Z");
    assert_eq!(nobody.get(&ben).status, 404);
    assert!(seen(&api, &id)["zoom_join_url"].is_string());
}

#[test]
fn who_gives_it_from_now_on_is_not_shown_where_the_one_before_opens_it() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, other) = (s.owner_key(), s.member("administrator"));
    let server = s.serve();
    let (api, other) = (server.with(&owner), server.with(&other));
    let client = people::client(&api, "ada");
    assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
    to(&api, "2031-03-03T12:00:00Z");
    let of = of_length(&api, 50);
    let id = book(&api, &of, &client, "2031-03-04T15:00:00Z", &json!({}));
    to(&api, "2031-03-03T12:00:01Z");
    assert!(seen(&api, &id)["zoom_start_url"].is_string());
    let who = other.ask("{ currentUser { id } }", json!({})).data()["currentUser"]["id"].clone();
    let given = json!({"id": id, "other_party_id": who});
    // The order to move the room waits, or it might be carried out before anybody looks.
    let switch =
        |mode: &str| api.post("/effects/video", &json!({"mode": mode, "reason": "a look"}));
    assert_eq!(switch("off").status, 200);
    done(&api, "updateAppointment", &given, "appointment");
    // Until the room is the new host's, there is none to open; the way in stays.
    let between = seen(&other, &id);
    assert!(between["zoom_start_url"].is_null(), "{between}");
    assert!(between["zoom_join_url"].is_string(), "{between}");
    assert_eq!(switch("live").status, 200);
    to(&api, "2031-03-03T12:00:02Z");
    assert!(seen(&other, &id)["zoom_start_url"].is_string());
    assert!(seen(&api, &id)["zoom_start_url"].is_null());
}

#[test]
fn in_production_orders_wait_until_somebody_lets_them() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let server = p.serve();
    let api = server.with(&owner);
    let client = people::client(&api, "ada");
    let of = of_length(&api, 50);
    let id = book(&api, &of, &client, "2031-03-04T15:00:00Z", &json!({}));
    until("it waits", || {
        let classes = api.get("/effects").json["classes"].clone();
        let video = classes.as_array().unwrap().iter().find(|it| it["class"] == "video").cloned();
        let video = video.unwrap();
        assert_eq!((&video["mode"], &video["connected"]), (&json!("off"), &json!(false)));
        (video["waiting"] == 1).then_some(())
    });
    let told = seen(&api, &id);
    assert!(told["zoom_join_url"].is_null() && told["zoom_start_url"].is_null(), "{told}");
    assert_eq!(server.api().get("/sandbox/v1/rooms/91234567890").status, 404);
}
