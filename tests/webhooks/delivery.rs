//! What a receiver gets, and what the log says of it (behaviour 13.2 to 13.4).

use ward_tests::{Engine, json, until};

use crate::practice::{Practice, WEBHOOK, run};
use crate::verify;

#[test]
fn an_event_arrives_signed_twice_and_is_logged() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let path = "/hooks/ehr?src=ehr&x=%20";
        let made = practice.webhook(path, &["patient.created"]);
        let secret = made["signature_secret"].as_str().unwrap();
        let client = practice.client("ada");
        let received = practice.receiver.event(path, "patient.created");
        let body = format!(
            "{{\"resource_id\":{client},\"resource_id_type\":\"User\",\"event_type\":\"patient.created\",\"changed_fields\":[]}}"
        );
        assert_eq!(String::from_utf8(received.body.clone()).unwrap(), body);
        assert!(verify::contract(&received, secret), "{received:?}");
        let standard = made["standard_signature_secret"].as_str().unwrap();
        assert!(verify::standard(&received, standard), "{received:?}");
        assert!(!verify::contract(&received, "whsec_sbx_other"));
        assert_eq!(received.header("ward-environment"), "sandbox");
        assert_eq!(received.header("ward-attempt"), "1");
        let entry = until("the attempt is logged", || practice.sent().pop());
        assert_eq!(entry["event_type"], "PATIENT_CREATED", "{entry}");
        assert_eq!(
            (&entry["resource_id"], &entry["resource_id_type"]),
            (&client.as_str().into(), &"User".into())
        );
        assert_eq!(
            (&entry["http_response_status"], &entry["outcome"]),
            (&"200".into(), &"DELIVERED".into())
        );
        assert_eq!((&entry["webhook_id"], &entry["url"]), (&made["id"], &made["url"]));
        assert_eq!(
            (&entry["request_body"], &entry["response_body"]),
            (&body.into(), &"thanks!".into())
        );
        assert_eq!(entry["event_id"], received.header("webhook-id"));
        practice.server.stop();
    }
}

#[test]
fn what_is_not_subscribed_disabled_or_before_does_not_arrive() {
    let practice = Practice::open(Engine::Sqlite);
    practice.client("before");
    let hook = practice.webhook("/all", &["patient.created", "test.created"]);
    let other = practice.webhook("/other", &["location.created", "test.created"]);
    let off = practice.webhook("/off", &["patient.created", "test.created"]);
    let disabled = json!({"id": off["id"], "is_enabled": false});
    practice.run("updateWebhook", "webhook { id }", &disabled);
    let client = practice.client("ada");
    practice.receiver.event("/all", "patient.created");
    // A queue keeps its order: what comes after shows that nothing is missing.
    for hook in [&hook, &other] {
        let sent = practice.run("sendTestWebhook", "sent", &json!({"id": hook["id"]}));
        assert_eq!(sent["sent"], true, "{sent}");
    }
    let test = practice.receiver.event("/all", "test.created");
    let text = String::from_utf8(test.body).unwrap();
    let body = r#"{"resource_id":1,"resource_id_type":"Test","event_type":"test.created","changed_fields":[]}"#;
    assert_eq!(text, body);
    practice.receiver.event("/other", "test.created");
    assert_eq!(practice.receiver.at("/all").len(), 2);
    assert_eq!(practice.receiver.at("/other").len(), 1);
    assert_eq!(practice.receiver.at("/all")[0].resource(), client);
    let refused = practice.run("sendTestWebhook", "sent", &json!({"id": off["id"]}));
    assert_eq!((&refused["sent"], &refused["messages"][0]["field"]), (&false.into(), &"id".into()));
    assert_eq!(practice.receiver.at("/off").len(), 0);
    // Enabled again, it is told of what comes.
    let enabled = json!({"id": off["id"], "is_enabled": true});
    practice.run("updateWebhook", "webhook { id }", &enabled);
    let late = practice.client("late");
    assert_eq!(practice.receiver.event("/off", "patient.created").resource(), late);
}

#[test]
fn ids_as_texts_and_only_what_changed() {
    let practice = Practice::open(Engine::Sqlite);
    let made = practice.webhook("/hook", &["patient.updated"]);
    let input = json!({"id": made["id"], "id_encoding": "STRING"});
    let changed = practice.run("updateWebhook", WEBHOOK, &input);
    assert_eq!(changed["webhook"]["id_encoding"], "STRING", "{changed}");
    let client = practice.client("ada");
    let update = json!({"id": client, "legal_name": "Ada King"});
    practice.run("updateClient", "user { id }", &update);
    let received = practice.receiver.event("/hook", "patient.updated");
    let body = received.json();
    assert_eq!(
        (&body["resource_id"], &body["changed_fields"]),
        (&client.as_str().into(), &json!(["legal_name"]))
    );
    // The same again changes nothing, and tells nothing.
    practice.run("updateClient", "user { id }", &update);
    let other = json!({"id": client, "pronouns": "she/her"});
    practice.run("updateClient", "user { id }", &other);
    practice
        .receiver
        .wait("/hook", "the next change", |it| it.json()["changed_fields"] == json!(["pronouns"]));
    assert_eq!(practice.receiver.at("/hook").len(), 2);
}

#[test]
fn an_old_secret_is_dead_at_once_unless_it_overlaps() {
    let practice = Practice::open(Engine::Sqlite);
    let made = practice.webhook("/hook", &["patient.created"]);
    let (old, old_standard) = (
        made["signature_secret"].as_str().unwrap(),
        made["standard_signature_secret"].as_str().unwrap(),
    );
    let rotated = practice.run("expireWebhookSignature", WEBHOOK, &json!({"id": made["id"]}));
    let webhook = &rotated["webhook"];
    let (new, new_standard) = (
        webhook["signature_secret"].as_str().unwrap(),
        webhook["standard_signature_secret"].as_str().unwrap(),
    );
    assert_ne!(new, old);
    practice.client("one");
    let received = practice.receiver.event("/hook", "patient.created");
    assert!(verify::contract(&received, new) && verify::standard(&received, new_standard));
    assert!(!verify::contract(&received, old) && !verify::standard(&received, old_standard));
    let input = json!({"id": made["id"], "overlap_hours": 24});
    let rotated = practice.run("expireWebhookSignature", WEBHOOK, &input);
    let newest = rotated["webhook"]["signature_secret"].as_str().unwrap();
    let newest_standard = rotated["webhook"]["standard_signature_secret"].as_str().unwrap();
    let second = practice.client("two");
    let received = practice.receiver.wait("/hook", "the second", |it| it.resource() == second);
    assert!(verify::contract(&received, newest) && !verify::contract(&received, new));
    assert!(
        verify::standard(&received, newest_standard) && verify::standard(&received, new_standard)
    );
    assert!(!verify::standard(&received, old_standard));
    let refused = practice.run(
        "expireWebhookSignature",
        "webhook { id }",
        &json!({"id": made["id"], "overlap_hours": 169}),
    );
    assert_eq!(refused["messages"][0]["field"], "overlap_hours");
}

#[test]
fn failures_are_told_and_redirects_are_failures() {
    let practice = Practice::open(Engine::Sqlite);
    let paths = ["/status/500", "/status/302", "/status/204"];
    for path in paths {
        practice.webhook(path, &["patient.created"]);
    }
    let gone = json!({"url": "http://127.0.0.1:1025/", "event_type": "PATIENT_CREATED", "should_retry": false});
    practice.run("createWebhook", WEBHOOK, &gone);
    practice.client("ada");
    let entries = until("four attempts", || Some(practice.sent()).filter(|sent| sent.len() == 4));
    let of = |end: &str| {
        entries.iter().find(|entry| entry["url"].as_str().unwrap().ends_with(end)).unwrap()
    };
    assert_eq!(
        (&of("500")["outcome"], &of("500")["http_response_status"]),
        (&"REFUSED".into(), &"500".into())
    );
    assert_eq!(
        (&of("302")["outcome"], &of("302")["http_response_status"]),
        (&"REFUSED".into(), &"302".into())
    );
    assert_eq!(of("204")["outcome"], "DELIVERED");
    assert_eq!(of("1025/")["outcome"], "UNREACHABLE");
    assert!(of("1025/")["http_response_status"].is_null());
    let query = "query($id: ID, $after: ISO8601DateTime) {
        failed: sentWebhooks(failed: true) { total_count }
        record: sentWebhooks(resource_id: $id, resource_type: USER) { total_count }
        task: sentWebhooks(resource_type: TASK) { total_count }
        words: sentWebhooks(keywords: \"status/500\") { total_count }
        later: sentWebhooks(sent_after: $after) { total_count }
        earlier: sentWebhooks(sent_after: \"2020-01-01T00:00:00Z\", sent_before: \"2020-01-02T00:00:00Z\") { total_count } }";
    let variables = json!({"id": entries[0]["resource_id"], "after": "2020-01-01T00:00:00Z"});
    let reply = practice.api().ask(query, variables);
    let count = |name: &str| reply.data()[name]["total_count"].as_i64().unwrap();
    assert_eq!((count("failed"), count("record"), count("task")), (3, 4, 0));
    assert_eq!((count("words"), count("later"), count("earlier")), (1, 4, 0));
    // The event keeps since when it fails; it is due again.
    let reply = practice.api().ask("{ webhooks(keywords: \"status/500\") { nodes { webhook_events { first_failed_at retry_count } } } }", json!({}));
    let event = &reply.data()["webhooks"]["nodes"][0]["webhook_events"][0];
    assert!(event["first_failed_at"].is_string(), "{event}");
    let database = practice.instance.database();
    let waiting =
        "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'pending' AND attempts = 1";
    assert_eq!(database.number(waiting), 2);
    // Who wants no second attempt gets none.
    assert_eq!(database.number("SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'dead'"), 1);
}

#[test]
fn nothing_goes_to_this_machine_unless_it_is_opened() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/hook", &["patient.created"]);
    let Practice { instance, key, server, receiver } = practice;
    server.stop();
    // The webhook is there already; what it may reach is asked before each request.
    let server = instance.serve();
    let api = server.with(&key);
    ward_tests::people::client(&api, "ada");
    let query = "{ sentWebhooks { nodes { outcome http_response_status } } }";
    let sent = until("the attempt is logged", || {
        api.ask(query, json!({})).data()["sentWebhooks"]["nodes"]
            .as_array()
            .unwrap()
            .first()
            .cloned()
    });
    assert_eq!(sent["outcome"], "FORBIDDEN");
    assert!(receiver.at("/hook").is_empty());
    let refused =
        run(&api, "createWebhook", "webhook { id }", &json!({"url": receiver.url("/hook")}));
    assert_eq!(refused["messages"][0]["field"], "url");
}
