//! Past events once more: of a time, of what never arrived, and by their ids.

use std::collections::BTreeSet;

use ward_tests::{Api, Engine, Json, json, until};

use crate::practice::{Practice, WEBHOOK, member, run};
use crate::receiver::Received;
use crate::verify;

const SHOWN: &str = "webhook { id } event_count replay_id";
const EVER: &str = "2020-01-01T00:00:00Z";

impl Practice {
    /// Asks for a replay; its payload.
    fn replay(&self, input: &Json) -> Json {
        self.run("replayWebhookEvents", SHOWN, input)
    }

    /// Waits until every event is with its webhooks, or given up.
    pub fn settle(&self) {
        let open = "SELECT (SELECT COUNT(*) FROM events WHERE relayed = FALSE) \
            + (SELECT COUNT(*) FROM webhook_deliveries WHERE state IN ('pending', 'leased')) \
            + (SELECT COUNT(*) FROM webhook_replays WHERE ended_at IS NULL)";
        let database = self.instance.database();
        until("everything is settled", || (database.number(open) == 0).then_some(()));
    }
}

fn replayed(received: &[Received]) -> Vec<Received> {
    received.iter().filter(|it| it.header("ward-cause") == "replay").cloned().collect()
}

fn ids(received: &[Received]) -> BTreeSet<String> {
    received.iter().map(|it| it.header("webhook-id").to_owned()).collect()
}

fn field(payload: &Json) -> (&str, &str) {
    let first = &payload["messages"][0];
    (first["field"].as_str().unwrap_or(""), first["message"].as_str().unwrap_or(""))
}

#[test]
fn a_time_is_sent_again_under_the_same_ids() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let made = practice.webhook("/hook", &["patient.created", "location.created"]);
        for name in ["ada", "bea", "cleo"] {
            practice.client(name);
        }
        until("three arrive", || (practice.receiver.at("/hook").len() == 3).then_some(()));
        practice.settle();
        let counted = json!({"id": made["id"], "occurred_after": EVER, "dry_run": true});
        let counted = practice.replay(&counted);
        assert_eq!((&counted["event_count"], &counted["replay_id"]), (&3.into(), &Json::Null));
        let other =
            json!({"id": made["id"], "occurred_after": EVER, "event_types": ["location.created"]});
        assert_eq!(practice.replay(&other)["event_count"], 0);
        let past = json!({"id": made["id"], "occurred_after": EVER, "occurred_before": "2020-01-02T00:00:00Z"});
        assert_eq!(practice.replay(&past)["event_count"], 0);
        let answer = practice.replay(&json!({"id": made["id"], "occurred_after": EVER}));
        assert!(answer["messages"].is_null(), "{answer}");
        assert_eq!(answer["event_count"], 3);
        practice.settle();
        // What was counted or found nothing has sent nothing.
        let all = practice.receiver.at("/hook");
        assert_eq!(all.len(), 6);
        let again = replayed(&all);
        assert_eq!((again.len(), ids(&again)), (3, ids(&all)));
        let secret = made["signature_secret"].as_str().unwrap();
        for received in &again {
            assert_eq!(received.header("ward-replay"), answer["replay_id"].as_str().unwrap());
            assert_eq!(received.header("ward-attempt"), "1");
            assert!(verify::contract(received, secret), "{received:?}");
            let first =
                all.iter().find(|it| it.header("webhook-id") == received.header("webhook-id"));
            assert_eq!(first.unwrap().body, received.body);
        }
        assert_eq!(practice.sent().len(), 6);
        let entries = practice.instance.audit_entries();
        let audited =
            entries.iter().filter(|entry| format!("{entry:?}").contains("WEBHOOK_REPLAY"));
        assert_eq!(audited.count(), 1);
        practice.server.stop();
    }
}

#[test]
fn more_than_a_page_arrives_once_each() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let clients = 230;
        for number in 0..clients {
            practice.client(&format!("client{number}"));
        }
        // It did not exist when they were made.
        let made = practice.webhook("/new", &["patient.created"]);
        practice.settle();
        let answer = practice.replay(&json!({"id": made["id"], "occurred_after": EVER}));
        assert_eq!(answer["event_count"], clients, "{answer}");
        practice.settle();
        let received = practice.receiver.at("/new");
        assert_eq!((received.len(), ids(&received).len()), (clients, clients));
        if engine == Engine::Postgres {
            // Who claims and who records take the same rows all the time.
            let deadlocks =
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
            assert_eq!(practice.instance.database().number(deadlocks), 0);
        }
        practice.server.stop();
    }
}

#[test]
fn what_never_arrived() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let input = json!({"url": practice.receiver.url("/status/500"), "should_retry": false,
            "event_type": "PATIENT_CREATED"});
        let made = practice.run("createWebhook", WEBHOOK, &input)["webhook"].clone();
        let mut missed = vec![practice.client("failed")];
        practice.settle();
        let off = json!({"id": made["id"], "is_enabled": false});
        practice.run("updateWebhook", "webhook { id }", &off);
        missed.push(practice.client("unheard"));
        practice.settle();
        let wanted = json!({"id": made["id"], "undelivered": true});
        let refused = practice.replay(&wanted);
        assert_eq!(field(&refused), ("id", "Webhook is disabled. Enable it to send it something"));
        let counted = json!({"id": made["id"], "undelivered": true, "dry_run": true});
        assert_eq!(practice.replay(&counted)["event_count"], 2);
        let on =
            json!({"id": made["id"], "is_enabled": true, "url": practice.receiver.url("/hook")});
        practice.run("updateWebhook", "webhook { id }", &on);
        practice.client("heard");
        practice.settle();
        assert_eq!(practice.replay(&wanted)["event_count"], 2);
        practice.settle();
        let again = replayed(&practice.receiver.at("/hook"));
        let told: Vec<String> = again.iter().map(Received::resource).collect();
        assert_eq!(BTreeSet::from_iter(told), BTreeSet::from_iter(missed));
        assert_eq!(again.len(), 2);
        assert_eq!(practice.replay(&wanted)["event_count"], 0);
        let early = json!({"id": made["id"], "undelivered": true, "occurred_after": EVER});
        assert_eq!(field(&practice.replay(&early)).0, "occurred_after");
        practice.server.stop();
    }
}

#[test]
fn one_event_by_its_id() {
    let practice = Practice::open(Engine::Sqlite);
    let made = practice.webhook("/hook", &["patient.created"]);
    practice.client("ada");
    practice.client("bea");
    until("both arrive", || (practice.receiver.at("/hook").len() == 2).then_some(()));
    let event = practice.receiver.at("/hook")[0].header("webhook-id").to_owned();
    let answer = practice.replay(&json!({"id": made["id"], "event_ids": [event]}));
    assert_eq!(answer["event_count"], 1, "{answer}");
    practice.settle();
    let again = replayed(&practice.receiver.at("/hook"));
    assert_eq!((again.len(), again[0].header("webhook-id")), (1, event.as_str()));
    // Not there, and not subscribed to, look the same.
    practice.run(
        "createLocation",
        "location { id }",
        &json!({"user_id": again[0].resource(), "line1": "Street 1"}),
    );
    practice.settle();
    let database = practice.instance.database();
    let unheard = database.one("SELECT id FROM events WHERE event_type = 'location.created'");
    for ids in [json!([unheard]), json!(["nothing"]), json!([event, unheard])] {
        let refused = practice.replay(&json!({"id": made["id"], "event_ids": ids}));
        assert_eq!(field(&refused), ("event_ids", "Object not found"), "{refused}");
    }
    for (input, at) in [
        (json!({"id": made["id"]}), "occurred_after"),
        (json!({"id": made["id"], "occurred_after": "soon"}), "occurred_after"),
        (
            json!({"id": made["id"], "occurred_after": EVER, "occurred_before": "late"}),
            "occurred_before",
        ),
        (
            json!({"id": made["id"], "occurred_after": EVER, "event_types": ["task.created"]}),
            "event_types",
        ),
        (json!({"id": made["id"], "event_ids": []}), "event_ids"),
        (json!({"id": "1", "occurred_after": EVER}), "id"),
    ] {
        let refused = practice.replay(&input);
        assert_eq!(field(&refused).0, at, "{input}: {refused}");
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM webhook_replays"), 1);
    let provider = practice.server.with(&practice.instance.member("provider"));
    let wanted = json!({"id": made["id"], "event_ids": [event]});
    let denied = run(&provider, "replayWebhookEvents", SHOWN, &wanted);
    assert_eq!((field(&denied).0, &denied["event_count"]), ("base", &Json::Null), "{denied}");
    practice.run("deleteWebhook", "webhook { id }", &json!({"id": made["id"]}));
    let gone = practice.replay(&wanted);
    assert_eq!(field(&gone), ("id", "Object not found"));
    practice.server.stop();
}

/// A sub-organization of the practice's and its owner.
fn branch(practice: &Practice, name: &str) -> Api {
    let email = format!("{name}@practice.example");
    let input = json!({"create_as_suborganization": true, "first_name": "Branch", "last_name": name,
        "email": email, "send_invite_email": false, "organization_info": {"name": name}});
    let made = practice.run("createOrganization", "organization { id }", &input);
    assert!(made["messages"].is_null(), "{made}");
    practice.server.with(&practice.instance.key(&email))
}

/// The owner of another practice.
fn strangers(practice: &Practice) -> Api {
    let input = json!({"role": "dietitian", "email": "b@other.example", "password": "orchid-basement-clover-31",
        "first_name": "Berta", "last_name": "Second", "legal_name": "Second Practice"});
    let query = "mutation($input: signUpInput) { signUp(input: $input) { token messages { field message } } }";
    let reply = practice.server.api().ask(query, json!({"input": input}));
    practice.server.with(reply.data()["signUp"]["token"].as_str().unwrap())
}

/// Behaviour 13.5: of an event hear the webhooks of its own organization and of its parent, and
/// nobody else; and a replay tells nobody more.
#[test]
fn who_hears_of_what() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let places = [
            ("/root", practice.api()),
            ("/one", branch(&practice, "one")),
            ("/two", branch(&practice, "two")),
            ("/other", strangers(&practice)),
        ];
        let mut hooks = Vec::new();
        for (path, api) in &places {
            let input = json!({"url": practice.receiver.url(path), "event_type": member("patient.created")});
            let made = run(api, "createWebhook", "webhook { id }", &input);
            hooks.push(made["webhook"]["id"].clone());
        }
        let clients: Vec<String> =
            places.iter().map(|(path, api)| ward_tests::people::client(api, &path[1..])).collect();
        let heard = |path: &str, cause: &str| -> BTreeSet<String> {
            let received = practice.receiver.at(path);
            let of_cause = received.iter().filter(|it| it.header("ward-cause") == cause);
            of_cause.map(Received::resource).collect()
        };
        let right = [&clients[..3], &clients[1..2], &clients[2..3], &clients[3..]];
        let check = |cause: &str| {
            for ((path, _), right) in places.iter().zip(right) {
                let right = BTreeSet::from_iter(right.iter().cloned());
                assert_eq!(heard(path, cause), right, "{engine:?}: {cause} at {path}");
            }
        };
        practice.settle();
        check("event");
        for ((_, api), hook) in places.iter().zip(&hooks) {
            let input = json!({"id": hook, "occurred_after": EVER});
            let answer = run(api, "replayWebhookEvents", SHOWN, &input);
            assert!(answer["messages"].is_null(), "{answer}");
        }
        practice.settle();
        check("replay");
        // A parent's developer looks after a branch's webhook, which hears no more for it; a branch
        // does not see its parent's, nor its sibling's, nor do strangers.
        let input = json!({"id": hooks[1], "occurred_after": EVER, "dry_run": true});
        let answer = run(&places[0].1, "replayWebhookEvents", SHOWN, &input);
        assert_eq!(answer["event_count"], 1, "{answer}");
        for (who, hook) in [(1, 0), (1, 2), (3, 0), (0, 3)] {
            let input = json!({"id": hooks[hook], "occurred_after": EVER});
            let refused = run(&places[who].1, "replayWebhookEvents", SHOWN, &input);
            assert_eq!(field(&refused), ("id", "Object not found"), "{}", places[who].0);
        }
        practice.server.stop();
    }
}
