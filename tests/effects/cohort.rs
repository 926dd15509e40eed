//! A class at its cohort: chosen people are reached, for everybody else it is held and listed.

use ward_tests::instance::{OWNER, link_in};
use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, tell, until};

const PASSWORD: &str = "violet-harbour-93-lantern";

#[track_caller]
fn posted(api: &Api, path: &str, body: &Json) -> Json {
    let reply = api.post(path, body);
    assert_eq!(reply.status, 200, "{path} {body}: {}", reply.text);
    reply.json
}

fn mails(api: &Api) -> Vec<String> {
    let inbox = api.get("/sandbox/v1/inbox?class=email").json;
    let items = inbox["items"].as_array().unwrap().iter();
    let booked = items.filter(|item| item["kind"] == "appointment_booked");
    booked.map(|item| item["to"].as_str().unwrap().to_owned()).collect()
}

fn held(api: &Api) -> (i64, Vec<Json>) {
    let reply = api.get("/effects/held?class=email");
    assert_eq!(reply.status, 200, "{}", reply.text);
    (reply.json["count"].as_i64().unwrap(), reply.json["items"].as_array().unwrap().clone())
}

fn ward_effects(server: &Server, key: &str, words: &[&str]) -> Json {
    let url = format!("http://127.0.0.1:{}", server.port);
    let arguments = [&["effects"], words, &["--json"]].concat();
    ward_with(arguments, &[("WARD_URL", &url), ("WARD_API_KEY", key)]).json()
}

/// Books for a client, at another hour for each; nobody sleeps.
fn book(api: &Api, of: &Json, client: &str, hour: u8) {
    let zone = "mutation($input: updateNotificationSettingInput!) { updateNotificationSetting(input: $input) { messages { message } } }";
    let awake = json!({"id": client, "quiet_hours_start": "00:00", "quiet_hours_end": "00:00"});
    api.ask(zone, json!({"input": awake})).data();
    let create = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { field message } } }";
    let at = format!("2031-03-09T{hour:02}:00:00Z");
    let input = json!({"input": {"user_id": client, "appointment_type_id": of,
        "contact_type": "Phone Call", "datetime": at}});
    let made = api.ask(create, input);
    assert!(made.data()["createAppointment"]["messages"].is_null(), "{}", made.text);
}

fn appointment_type(api: &Api) -> Json {
    let of = "mutation($input: createAppointmentTypeInput!) { createAppointmentType(input: $input) { appointmentType { id } messages { message } } }";
    let made = api.ask(of, json!({"input": {"name": "First visit", "length": 50}}));
    made.data()["createAppointmentType"]["appointmentType"]["id"].clone()
}

#[test]
fn iso_31_a_cohort_is_reached_and_what_is_held_is_let_go_by_person_or_expires() {
    for engine in Engine::available("effects") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let to = |at: &str| {
            let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
            assert_eq!(reply.status, 200, "{}", reply.text);
        };
        posted(&api, "/sandbox/v1/clock/freeze", &json!({}));
        to("2031-03-03T12:00:00Z");
        let of = appointment_type(&api);
        let clients = ["ada", "ben", "cleo"].map(|name| people::client(&api, name));
        posted(&api, "/effects/email", &json!({"mode": "cohort", "reason": "a pilot"}));
        let answer = ward_effects(
            &server,
            &owner,
            &["cohort", "email", "--add", &clients[0], "--reason", "our first"],
        );
        assert_eq!((&answer["people"], &answer["released"]), (&json!(1), &json!(0)), "{answer}");
        for (client, hour) in clients.iter().zip(15..) {
            book(&api, &of, client, hour);
        }
        to("2031-03-03T12:30:00Z");
        assert_eq!(mails(&api), ["ada@client.example"]);
        let (count, items) = held(&api);
        assert_eq!(count, 2, "{items:?}");
        assert_eq!(ward_effects(&server, &owner, &["held"])["count"], 2);
        let mut named: Vec<_> =
            items.iter().map(|item| item["user_id"].as_str().unwrap()).collect();
        named.sort_unstable();
        assert_eq!(named, [clients[1].as_str(), clients[2].as_str()]);
        assert!(!json!(items).to_string().contains("client.example"), "an address: {items:?}");
        // Who joins is sent what waited.
        let body = json!({"add": [clients[1]], "reason": "the second"});
        assert_eq!(posted(&api, "/effects/email/cohort", &body)["released"], 1);
        until("the second is sent", || (mails(&api).len() == 2).then_some(()));
        assert_eq!(held(&api).0, 1);
        // All of it outlives a restart.
        server.stop();
        let server = s.serve();
        let api = server.with(&owner);
        assert_eq!(held(&api).0, 1);
        let listed = ward_effects(&server, &owner, &["cohort", "email"]);
        assert_eq!(listed["people"].as_array().unwrap().len(), 2, "{listed}");
        // After a day it is not sent any more, but listed; live, it can be replayed.
        let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": "25h", "settle": true}));
        assert_eq!(moved.status, 200, "{}", moved.text);
        let live = json!({"mode": "live", "reason": "all is well"});
        let answer = posted(&api, "/effects/email", &live);
        assert_eq!((&answer["released"], &answer["expired"]), (&json!(0), &json!(1)), "{answer}");
        assert_eq!(mails(&api).len(), 2);
        let failed = ward_effects(&server, &owner, &["failed", "--class", "email"]);
        let id = failed["items"][0]["id"].as_str().unwrap().to_owned();
        ward_effects(&server, &owner, &["replay", &id]);
        until("the third is sent", || (mails(&api).len() == 3).then_some(()));
        let audited = s.audit_entries();
        let audited = audited.iter().filter(|it| it.resource_name == "EFFECT_COHORT").count();
        assert_eq!(audited, 2);
        tell("effects", format_args!("{engine:?}: 1 of 3 reached, 2 held, 1 let go, 1 expired"));
    }
}

#[test]
fn who_may_say_who_is_in_it_and_whom_they_may_name() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, provider) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    let stranger = "mutation { signUp(input: {email: \"other@practice.example\", password: \"violet-harbour-93-lantern\", role: \"dietitian\", first_name: \"O\", last_name: \"O\"}) { user { id } messages { field message } } }";
    server.api().ask(stranger, json!({})).data();
    let other = server.with(&s.key("other@practice.example"));
    let api = server.with(&owner);
    let client = people::client(&api, "ada");
    let body = json!({"add": [client], "reason": "x"});
    for (caller, status) in [(server.with(&provider), 403), (server.api(), 401)] {
        assert_eq!(caller.post("/effects/email/cohort", &body).status, status);
        assert_eq!(caller.get("/effects/email/cohort").status, status);
        assert_eq!(caller.get("/effects/held").status, status);
    }
    // Another practice's owner names their own people, and sees nobody else's.
    let number: i64 = client.parse().unwrap();
    let stranger = (number + 900).to_string();
    let theirs = other.post("/effects/email/cohort", &body);
    let nobody = other.post("/effects/email/cohort", &json!({"add": [stranger], "reason": "x"}));
    assert_eq!((theirs.status, nobody.status), (400, 400), "{} {}", theirs.text, nobody.text);
    assert_eq!(theirs.json, nobody.json, "not theirs and not there are one");
    posted(&api, "/effects/email/cohort", &body);
    assert_eq!(other.get("/effects/email/cohort").json["people"], json!([]));
    let wrong = api.post("/effects/email/cohort", &json!({"add": ["1000001"], "reason": "x"}));
    assert_eq!((wrong.status, wrong.code()), (400, "WRONG_ENVIRONMENT_ID"), "{}", wrong.text);
    for (path, body, status) in [
        ("/effects/fax/cohort", body.clone(), 404),
        ("/effects/account_mail/cohort", body.clone(), 400),
        ("/effects/email/cohort", json!({"reason": "x"}), 400),
        ("/effects/email/cohort", json!({"add": [client], "reason": " "}), 400),
        ("/effects/email/cohort", json!({"add": [client]}), 400),
        ("/effects/email/cohort", json!({"add": ["ada"], "reason": "x"}), 400),
        ("/effects/email/cohort", json!({"add": vec![1; 1_001], "reason": "x"}), 400),
    ] {
        let reply = api.post(path, &body);
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
    }
    assert_eq!(api.get("/effects/email/cohort").json["people"].as_array().unwrap().len(), 1);
}

#[test]
fn an_administrator_learns_of_no_client_whom_they_do_not_see() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, admin) = (s.owner_key(), s.member("administrator"));
    let server = s.serve();
    let (api, admin) = (server.with(&owner), server.with(&admin));
    let to = |at: &str| {
        let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    posted(&api, "/sandbox/v1/clock/freeze", &json!({}));
    to("2031-03-03T12:00:00Z");
    let of = appointment_type(&api);
    let [open, closed] = ["ada", "ben"].map(|name| people::client(&api, name));
    let restrict = "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { message } } }";
    api.ask(restrict, json!({"id": closed})).data();
    posted(&api, "/effects/email", &json!({"mode": "cohort", "reason": "a pilot"}));
    book(&api, &of, &open, 15);
    book(&api, &of, &closed, 16);
    to("2031-03-03T12:30:00Z");
    let named = |api: &Api| -> Vec<String> {
        let (count, items) = held(api);
        assert_eq!((count, items.len()), (2, 2), "{items:?}");
        let mut named: Vec<_> =
            items.iter().filter_map(|item| Some(item["user_id"].as_str()?.to_owned())).collect();
        named.sort_unstable();
        named
    };
    assert_eq!(named(&admin), [open.as_str()]);
    assert_eq!(named(&api), [open.as_str(), closed.as_str()]);
    // To name them is answered as to name nobody.
    let nobody = (closed.parse::<i64>().unwrap() + 900).to_string();
    let [unseen, nobody] = [closed.as_str(), nobody.as_str()].map(|id| {
        let body = json!({"add": [id], "reason": "x"});
        admin.post("/effects/email/cohort", &body)
    });
    assert_eq!((unseen.status, &unseen.json), (400, &nobody.json), "{}", unseen.text);
    posted(&api, "/effects/email/cohort", &json!({"add": [open, closed], "reason": "both"}));
    let listed = |api: &Api| {
        let people = api.get("/effects/email/cohort").json["people"].clone();
        let mut ids: Vec<_> = people
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["user_id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(listed(&admin), [open.as_str()]);
    // Nor can they take out whom they don't see.
    posted(&admin, "/effects/email/cohort", &json!({"remove": [closed], "reason": "x"}));
    assert_eq!(listed(&api), [open.as_str(), closed.as_str()]);
    // Whoever was shown stands in the access log: of the owner's readings both clients.
    let read = |path: &str, client: &str| {
        let sql = format!(
            "SELECT COUNT(*) FROM access_log l WHERE l.path = '{path}' AND (l.client_id = {client} \
             OR l.set_key IN (SELECT a.set_key FROM access_sets a WHERE a.client_id = {client}))"
        );
        s.database().number(&sql)
    };
    until("readings are logged", || (read("effects/held", &open) == 2).then_some(()));
    until("readings are logged", || (read("effects/cohort", &open) == 2).then_some(()));
    assert_eq!((read("effects/held", &closed), read("effects/cohort", &closed)), (1, 1));
    // By what they were read stands there truly: by keys so far, by a session now.
    let by = |kind: &str| {
        let of = "SELECT COUNT(*) FROM access_log WHERE path = 'effects/cohort'";
        s.database().number(&format!("{of} AND credential_kind = '{kind}'"))
    };
    assert_eq!((by("api_key"), by("session")), (3, 0));
    let input = json!({"email": OWNER, "password": PASSWORD});
    let link = link_in(&s.ward(&["user", "link"], &["--user", OWNER]).json()).unwrap();
    people::set_password(&server.api(), &link, PASSWORD);
    let signed = people::sign_in(&server.api(), input);
    let session = server.with(signed.data()["signIn"]["token"].as_str().unwrap());
    assert_eq!(session.get("/effects/email/cohort").status, 200);
    until("a session's reading is logged", || (by("session") == 2).then_some(()));
}

#[test]
fn who_is_merged_into_another_takes_their_place_in_the_cohort_along() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let [gone, stays] = ["ada", "adah"].map(|name| people::client(&api, name));
    posted(&api, "/effects/email/cohort", &json!({"add": [gone], "reason": "x"}));
    let merge = "mutation($ids: [ID!], $into: ID) { mergeClients(input: {ids: $ids, target_user_id: $into}) { user { id } messages { field message } } }";
    let merged = api.ask(merge, json!({"ids": [gone, stays], "into": stays}));
    assert!(merged.data()["mergeClients"]["messages"].is_null(), "{}", merged.text);
    let people = api.get("/effects/email/cohort").json["people"].clone();
    assert_eq!(people.as_array().unwrap().len(), 1, "{people}");
    assert_eq!(people[0]["user_id"], json!(stays));
}
