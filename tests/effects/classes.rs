//! The simulated phone and app, by the door that whoever rehearses has.

use ward_tests::{Api, Engine, Instance, Json, Kind, json, tell, until};

#[track_caller]
fn send(api: &Api, body: Json) {
    let reply = api.post("/sandbox/v1/effects", &body);
    assert_eq!(reply.status, 200, "{body}: {}", reply.text);
}

fn states(api: &Api, class: &str) -> Vec<String> {
    let reply = api.get(&format!("/sandbox/v1/inbox?class={class}"));
    let items = reply.json["items"].as_array().unwrap();
    items.iter().rev().map(|item| item["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn magic_numbers_and_their_reports() {
    for engine in Engine::available("effects") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let api = server.with(&owner);
        assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
        for (number, to) in ["0100", "0101", "0102", "0103"].iter().enumerate() {
            send(&api, json!({"class": "sms", "to": format!("212-555-{to}"), "text": "See you"}));
            until("it is sent", || (states(&api, "sms").len() == number + 1).then_some(()));
        }
        let expected = ["delivered", "undeliverable", "opted_out", "sent"];
        until("three are told of", || (states(&api, "sms") == expected).then_some(()));
        send(&api, json!({"class": "push", "to": "device-1", "text": "A new message"}));
        until("it arrives", || (states(&api, "push") == ["delivered"]).then_some(()));
        // The carrier is slow, and a reminder is for next month: what was sent is still kept then.
        let now = api.post("/sandbox/v1/clock/advance", &json!({"by": "1s"})).json["now"].clone();
        let now: jiff::Timestamp = now.as_str().unwrap().parse().unwrap();
        let at = (now + jiff::SignedDuration::from_hours(24 * 30)).to_string();
        send(&api, json!({"class": "sms", "to": "555-0100", "text": "Later", "not_before": at}));
        let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": "10m"}));
        assert_eq!(moved.json["ran"]["jobs"], 1, "{}", moved.text);
        assert_eq!(states(&api, "sms"), ["delivered", "undeliverable", "opted_out", "delivered"]);
        let moved = api.post("/sandbox/v1/clock/set", &json!({"to": at}));
        assert_eq!(
            moved.json["ran"],
            json!({"jobs": 2, "effects": 1, "deliveries": 0}),
            "{}",
            moved.text
        );
        assert_eq!(states(&api, "sms").len(), 5);
        for wrong in [
            json!({"class": "fax", "to": "555-0100", "text": "x"}),
            json!({"class": "email", "to": "a@b.example", "text": "x"}),
            json!({"class": "sms", "text": "x"}),
            json!({"class": "sms", "to": "555-0100", "text": "x", "not_before": "tomorrow"}),
        ] {
            assert_eq!(api.post("/sandbox/v1/effects", &wrong).status, 400, "{wrong}");
        }
        let body = json!({"class": "sms", "to": "555-0100", "text": "x"});
        assert_eq!(server.with(&provider).post("/sandbox/v1/effects", &body).status, 403);
        tell("effects", format_args!("{engine:?}: 6 texts, each with its reports"));
    }
}

#[test]
fn there_is_no_rehearsal_in_production() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let server = p.serve();
    let body = json!({"class": "sms", "to": "555-0100", "text": "x"});
    let reply = server.with(&owner).post("/sandbox/v1/effects", &body);
    assert_eq!((reply.status, reply.code()), (404, "SANDBOX_ONLY"), "{}", reply.text);
}
