//! A receiver that fails for three days, in seconds: the Sandbox's clock walks from one attempt
//! to the next (behaviour 13.4).

use ward_tests::{Engine, json, until};

use crate::practice::Practice;

#[test]
fn iso_44_a_dead_receiver_is_warned_of_and_disabled() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/status/500", &["patient.created"]);
    practice.client("ada");
    until("the first attempt", || practice.sent().pop());
    let api = practice.api();
    let advance = |by: &str| {
        let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": by, "settle": true}));
        assert_eq!(moved.status, 200, "{}", moved.text);
        moved.json["ran"]["deliveries"].as_u64().unwrap()
    };
    let database = practice.instance.database();
    let mails = |kind: &str| {
        database.number(&format!("SELECT COUNT(*) FROM effect_intents WHERE kind = '{kind}'"))
    };
    assert!(advance("PT20H") >= 9);
    assert_eq!((mails("webhook_failing"), mails("webhook_disabled")), (0, 0));
    advance("PT20H");
    assert_eq!((mails("webhook_failing"), mails("webhook_disabled")), (1, 0));
    advance("PT40H");
    assert_eq!((mails("webhook_failing"), mails("webhook_disabled")), (1, 1));
    let query = "{ webhooks { nodes { is_enabled warned_at } } }";
    let reply = api.ask(query, json!({}));
    let webhook = &reply.data()["webhooks"]["nodes"][0];
    assert!(webhook["is_enabled"] == false && webhook["warned_at"].is_string(), "{webhook}");
    let attempts = practice.sent();
    assert!((18..=23).contains(&attempts.len()), "{}", attempts.len());
    // The same event, under the same id, with the same bytes each time.
    let received = practice.receiver.at("/status/500");
    assert!(received.iter().all(|it| it.body == received[0].body));
    assert!(received.iter().all(|it| it.header("webhook-id") == received[0].header("webhook-id")));
    let numbers: Vec<&str> = received.iter().map(|it| it.header("ward-attempt")).collect();
    let wanted: Vec<String> = (1..=received.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, wanted);
    assert_eq!(advance("PT100H"), 0);
}
