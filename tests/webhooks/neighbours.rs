//! A receiver that never answers holds nobody up but itself (REL-18).

use ward_tests::{Engine, json, until};

use crate::practice::Practice;

/// More than one lane may have under way, and more than a turn takes.
const EVENTS: usize = 40;

#[test]
fn rel_18_a_hanging_receiver_delays_no_other() {
    for engine in Engine::available("REL-18") {
        let practice = Practice::open(engine);
        practice.webhook("/hang", &["patient.created"]);
        practice.webhook("/hook", &["patient.created"]);
        let clients: Vec<String> =
            (0..EVENTS).map(|number| practice.client(&format!("client{number}"))).collect();
        // All arrive while the first request to the other is still unanswered.
        until("every client is told of", || {
            let received = practice.receiver.at("/hook");
            clients.iter().all(|id| received.iter().any(|it| it.resource() == *id)).then_some(())
        });
        let hung = practice.receiver.at("/hang").len();
        assert!((1..=2).contains(&hung), "{hung} requests to a receiver that never answered");
        let query = "{ sentWebhooks(failed: true) { total_count } }";
        let failed = until("the hanging request is given up", || {
            let reply = practice.api().ask(query, json!({}));
            reply.data()["sentWebhooks"]["total_count"].as_i64().filter(|count| *count > 0)
        });
        assert!(failed >= 1);
        let outcomes = practice
            .instance
            .database()
            .rows("SELECT DISTINCT outcome FROM webhook_attempts WHERE outcome <> 'DELIVERED'");
        assert_eq!(outcomes, [[Some("TIMED_OUT".to_owned())]]);
        let mut server = practice.server;
        server.terminate();
        assert_eq!(server.wait().code(), Some(0), "{}", server.logs());
    }
}

#[test]
fn rel_18_a_records_events_come_in_order_when_asked_for() {
    let practice = Practice::open(Engine::Sqlite);
    let made = practice.webhook("/hook", &["patient.created", "patient.updated"]);
    practice.run("updateWebhook", "webhook { id }", &json!({"id": made["id"], "is_ordered": true}));
    let client = practice.client("ada");
    for number in 0..20 {
        let name = json!({"id": client, "legal_name": format!("Ada {number}")});
        practice.run("updateClient", "user { id }", &name);
    }
    until("everything has arrived", || (practice.receiver.at("/hook").len() >= 21).then_some(()));
    let ids: Vec<String> =
        practice.receiver.at("/hook").iter().map(|it| it.header("webhook-id").to_owned()).collect();
    let written = practice.instance.database().rows(
        "SELECT id FROM events WHERE event_type IN ('patient.created', 'patient.updated') ORDER BY seq",
    );
    let written: Vec<String> =
        written.into_iter().filter_map(|row| row.into_iter().next()?).collect();
    assert_eq!(ids, written);
}
