//! An access to a client's record that is over where the Sandbox's clock goes is told of before the move is
//! answered (DOM-35).

use ward_tests::{Engine, Json, json};

use crate::practice::Practice;

#[test]
fn dom_35_an_access_that_is_over_on_the_way_is_told_of_and_counted() {
    let practice = Practice::open(Engine::Sqlite);
    let api = practice.api();
    let to = |at: &str| {
        let moved = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
        assert_eq!(moved.status, 200, "{}", moved.text);
        moved.json["ran"]["deliveries"].clone()
    };
    to("2031-03-03T12:00:00Z");
    let [child, mum] = ["child", "mum"].map(|name| practice.client(name));
    let change = |input: Json| {
        let changed = practice.run("updateClient", "user { id }", &input);
        assert!(changed["messages"].is_null(), "{changed}");
    };
    change(json!({"id": child, "dob": "2013-03-05", "timezone": "Etc/UTC"}));
    change(json!({"id": mum, "password": "violet-harbour-93-lantern"}));
    let contact = json!({"user_id": child, "linked_client_id": mum, "relationship": "Mother",
        "client_portal_access": true});
    let made = practice.run("createNotificationContact", "notificationContact { id }", &contact);
    assert!(made["messages"].is_null(), "{made}");
    practice.webhook("/hook", &["notification_contact.updated"]);
    assert_eq!(to("2031-03-04T12:00:00Z"), 0);
    assert_eq!(to("2031-03-05T12:00:00Z"), 1);
    let told = practice.receiver.at("/hook");
    assert_eq!(told.len(), 1);
    let id = made["notificationContact"]["id"].as_str().unwrap();
    assert_eq!(told[0].resource().trim_matches('"'), id);
    practice.server.stop();
}
