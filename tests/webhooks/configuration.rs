//! Making, changing, showing and deleting webhooks (behaviour 13.1).

use ward_tests::{Api, BASELINE, Engine, Json, json};

use crate::practice::{Practice, WEBHOOK, run};

fn message(payload: &Json) -> (&str, &str) {
    let first = &payload["messages"][0];
    (first["field"].as_str().unwrap_or(""), first["message"].as_str().unwrap_or(""))
}

fn events(webhook: &Json) -> Vec<&str> {
    let events = webhook["webhook_events"].as_array().unwrap();
    events.iter().map(|event| event["event_type"].as_str().unwrap()).collect()
}

#[test]
fn a_webhooks_life() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let made = practice.webhook("/hook", &["patient.created", "patient.updated"]);
        assert_eq!(events(&made), ["PATIENT_CREATED", "PATIENT_UPDATED"]);
        assert_eq!(
            (&made["event_type"], &made["is_enabled"]),
            (&"PATIENT_CREATED".into(), &true.into())
        );
        assert_eq!((&made["should_retry"], &made["id_encoding"]), (&true.into(), &"NUMBER".into()));
        let secret = made["signature_secret"].as_str().unwrap();
        assert!(secret.starts_with(&format!("whsec_sbx_{}_", practice.instance.tag)), "{secret}");
        // Kept by its id, added without one, and what is not named goes.
        let kept = made["webhook_events"][1]["id"].clone();
        let input = json!({"id": made["id"], "should_retry": false, "is_ordered": true, "webhook_events":
            [{"id": kept, "event_type": "PATIENT_UPDATED"}, {"event_type": "LOCATION_CREATED"}]});
        let changed = practice.run("updateWebhook", WEBHOOK, &input);
        assert_eq!(
            events(&changed["webhook"]),
            ["PATIENT_UPDATED", "LOCATION_CREATED"],
            "{changed}"
        );
        assert_eq!(changed["webhook"]["webhook_events"][0]["id"], kept);
        assert_eq!(changed["webhook"]["event_type"], "PATIENT_UPDATED");
        assert_eq!(changed["webhook"]["should_retry"], false);
        // The older form for one more.
        let input = json!({"id": made["id"], "event_type": "TASK_CREATED"});
        let changed = practice.run("updateWebhook", WEBHOOK, &input);
        assert_eq!(
            events(&changed["webhook"]),
            ["PATIENT_UPDATED", "LOCATION_CREATED", "TASK_CREATED"]
        );
        assert_eq!(changed["webhook"]["signature_secret"], secret);
        // The baseline view has texts, and the counts.
        let query = "{ webhooks { id event_type cursor webhook_events { event_type } } webhooksCount \
            sentWebhooks { id } sentWebhooksCount webhookEventTypes }";
        let reply = practice.api().gql(BASELINE, query, json!({}));
        let data = reply.data();
        assert_eq!(data["webhooks"][0]["event_type"], "patient.updated", "{data}");
        assert_eq!((&data["webhooksCount"], &data["sentWebhooksCount"]), (&1.into(), &0.into()));
        assert_eq!(data["webhookEventTypes"].as_array().unwrap().len(), 179);
        let gone = practice.run("deleteWebhook", "webhook { id }", &json!({"id": made["id"]}));
        assert_eq!(gone["webhook"]["id"], made["id"]);
        let left = practice.api().ask("{ webhooks { total_count } }", json!({}));
        assert_eq!(left.data()["webhooks"]["total_count"], 0);
        let database = practice.instance.database();
        assert_eq!(database.number("SELECT COUNT(*) FROM webhook_secrets"), 0);
        // Nothing of a secret is anywhere in clear text.
        let audited = practice.instance.audit_entries();
        assert!(!format!("{audited:?}").contains(secret));
        practice.server.stop();
    }
}

#[test]
fn what_a_webhook_can_not_be() {
    let practice = Practice::open(Engine::Sqlite);
    for (url, field) in [
        ("", "url"),
        ("not a url", "url"),
        ("http://hooks.example.com/", "url"),
        ("https://10.0.0.1/", "url"),
        ("https://169.254.169.254/", "url"),
        ("https://[::ffff:10.0.0.1]/", "url"),
        ("https://ada:secret@hooks.example.com/", "url"),
    ] {
        let refused = practice.run("createWebhook", WEBHOOK, &json!({"url": url}));
        assert_eq!((message(&refused).0, &refused["webhook"]), (field, &Json::Null), "{url}");
    }
    let query = "mutation { createWebhook(input: {url: \"https://hooks.example.com\", event_type: \"nothing.happened\"}) \
        { webhook { id } messages { field message } } }";
    let refused = practice.api().gql(BASELINE, query, json!({}));
    assert_eq!(message(&refused.json["data"]["createWebhook"]).0, "event_type", "{}", refused.text);
    let made = practice.webhook("/hook", &[]);
    let foreign = json!({"id": made["id"], "webhook_events": [{"id": made["id"], "event_type": "TASK_CREATED"}]});
    let refused = practice.run("updateWebhook", WEBHOOK, &foreign);
    assert_eq!(message(&refused), ("webhook_events", "Object not found"));
    let unchanged =
        practice.api().ask("{ webhooks { nodes { webhook_events { id } } } }", json!({}));
    assert_eq!(unchanged.data()["webhooks"]["nodes"][0]["webhook_events"], json!([]));
}

#[test]
fn developers_only() {
    let practice = Practice::open(Engine::Sqlite);
    let made = practice.webhook("/hook", &["patient.created"]);
    let other = practice.server.with(&practice.instance.member("provider"));
    for query in ["{ webhooks { total_count } }", "{ sentWebhooks { total_count } }"] {
        let denied = other.ask(query, json!({}));
        assert_eq!(
            denied.json["errors"][0]["extensions"]["permission"], "is_developer",
            "{}",
            denied.text
        );
    }
    for (field, input) in [
        ("createWebhook", json!({"url": practice.receiver.url("/other")})),
        ("updateWebhook", json!({"id": made["id"], "is_enabled": false})),
        ("deleteWebhook", json!({"id": made["id"]})),
        ("expireWebhookSignature", json!({"id": made["id"]})),
    ] {
        let denied = run(&other, field, "webhook { id signature_secret }", &input);
        assert_eq!(
            (&denied["webhook"], message(&denied).0),
            (&Json::Null, "base"),
            "{field}: {denied}"
        );
    }
    let kept =
        practice.api().ask("{ webhooks { nodes { is_enabled signature_secret } } }", json!({}));
    let kept = &kept.data()["webhooks"]["nodes"][0];
    assert_eq!(
        (&kept["is_enabled"], &kept["signature_secret"]),
        (&true.into(), &made["signature_secret"])
    );
    // Another practice neither sees it nor is told of anything.
    let strangers = strangers(&practice);
    let list = strangers.ask("{ webhooks { total_count } }", json!({}));
    assert_eq!(list.data()["webhooks"]["total_count"], 0);
    let refused = run(
        &strangers,
        "updateWebhook",
        "webhook { id }",
        &json!({"id": made["id"], "is_enabled": false}),
    );
    assert_eq!(message(&refused), ("id", "Object not found"));
}

/// The owner of another practice.
fn strangers(practice: &Practice) -> Api {
    let input = json!({"role": "dietitian", "email": "b@other.example", "password": "orchid-basement-clover-31",
        "first_name": "Berta", "last_name": "Second", "legal_name": "Second Practice"});
    let query = "mutation($input: signUpInput) { signUp(input: $input) { token messages { field message } } }";
    let reply = practice.server.api().ask(query, json!({"input": input}));
    practice.server.with(reply.data()["signUp"]["token"].as_str().unwrap())
}
