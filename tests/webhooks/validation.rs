//! Whether a receiver is ours and refuses what we did not send (ISO-38, ISO-39).

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use ward_tests::{Engine, Json, json, until};

use crate::practice::{Practice, run};
use crate::receiver::{Received, Reply};
use crate::verify;

const SHOWN: &str = "webhook { id validation { state } }";
const VALIDATION: &str = "{ webhooks { nodes { id validation { state explanation environment \
    is_challenge_answered accepts_genuine accepts_duplicate accepts_unknown accepts_forged \
    accepts_altered accepts_stale created_at ended_at repeats_at } } } }";

impl Practice {
    /// A webhook whose receiver answers so.
    pub fn answering(
        &self,
        path: &str,
        reply: impl Fn(&Received, &Secrets) -> Reply + Send + Sync + 'static,
    ) -> Json {
        let made = self.webhook(path, &[]);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let secrets = Secrets {
            contract: text("signature_secret"),
            standard: text("standard_signature_secret"),
        };
        self.receiver.answer_at(path, move |received| reply(received, &secrets));
        made["id"].clone()
    }

    /// What is known of a receiver.
    pub fn validation(&self, id: &Json) -> Json {
        let reply = self.api().ask(VALIDATION, json!({}));
        let webhooks = reply.data()["webhooks"]["nodes"].as_array().unwrap();
        webhooks.iter().find(|it| it["id"] == *id).unwrap()["validation"].clone()
    }

    /// Validates a webhook; what came of it.
    pub fn validated(&self, id: &Json) -> Json {
        let begun = self.run("validateWebhook", SHOWN, &json!({"id": id}));
        assert_eq!(begun["webhook"]["validation"]["state"], "RUNNING", "{begun}");
        self.ended(id)
    }

    fn ended(&self, id: &Json) -> Json {
        let ended = |it: &Json| !it["ended_at"].is_null();
        let validation =
            until("the validation has ended", || Some(self.validation(id)).filter(ended));
        assert_ne!(validation["state"], "RUNNING", "{validation}");
        validation
    }
}

/// What signs for a webhook.
pub struct Secrets {
    contract: String,
    standard: String,
}

impl Secrets {
    /// Both signatures, and the time.
    fn is_right(&self, received: &Received) -> bool {
        verify::contract(received, &self.contract)
            && verify::standard(received, &self.standard)
            && !is_old(received)
    }
}

fn is_old(received: &Received) -> bool {
    let sent: u64 = received.header("webhook-timestamp").parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    now.abs_diff(sent) > 300
}

/// The event that asks who a receiver is.
pub fn is_handshake(received: &Received) -> bool {
    received.event() == "webhook.verify"
}

/// The handshake answered.
pub fn answer(received: &Received, environment: &str) -> Reply {
    let challenge = received.json()["challenge"].clone();
    let body = json!({"challenge": challenge, "environment": environment});
    Reply { status: 200, body: body.to_string() }
}

/// A status and nothing else.
pub fn plain(status: u16) -> Reply {
    Reply { status, body: String::new() }
}

/// As a receiver should be.
pub fn good(received: &Received, secrets: &Secrets) -> Reply {
    match secrets.is_right(received) {
        false => plain(401),
        true if is_handshake(received) => answer(received, "sandbox"),
        true => plain(204),
    }
}

#[test]
fn a_good_receiver() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let id = practice.answering("/good", good);
        assert_eq!(practice.validation(&id), Json::Null);
        let validation = practice.validated(&id);
        assert_eq!(
            (&validation["state"], &validation["environment"]),
            (&"VALID".into(), &"sandbox".into()),
            "{validation}"
        );
        let told = [
            "is_challenge_answered",
            "accepts_genuine",
            "accepts_duplicate",
            "accepts_unknown",
            "accepts_forged",
            "accepts_altered",
            "accepts_stale",
        ];
        let told: Vec<&Json> = told.iter().map(|name| &validation[*name]).collect();
        assert_eq!(told, [true, true, true, true, false, false, false], "{validation}");
        // What was sent: nothing of a record, and everything in the log.
        let received = practice.receiver.at("/good");
        let kinds: Vec<String> = received.iter().map(Received::event).collect();
        assert_eq!(kinds[0], "webhook.verify");
        let mut wanted = ["test.created"; 6];
        wanted[2] = "webhook.unknown";
        assert_eq!(kinds[1..], wanted, "{kinds:?}");
        for it in &received {
            assert!(it.resource().parse::<i64>().unwrap() < 1_000_000, "{it:?}");
            assert_eq!(it.header("ward-cause"), "probe");
        }
        let [_, genuine, duplicate, unknown, forged, altered, stale] = received.as_slice() else {
            panic!("{kinds:?}")
        };
        let id_of = |it: &Received| it.header("webhook-id").to_owned();
        assert_eq!((id_of(duplicate), &duplicate.body), (id_of(genuine), &genuine.body));
        assert!(received.iter().all(|it| it.header("ward-replay").is_empty()));
        assert!(is_old(stale) && ![genuine, unknown, forged, altered].into_iter().any(is_old));
        let log = "{ sentWebhooks { nodes { cause event_id attempt_number } } }";
        let log = practice.api().ask(log, json!({}));
        let log = log.data()["sentWebhooks"]["nodes"].as_array().unwrap();
        assert_eq!(log.len(), 7, "{log:?}");
        let ids = |of: &mut dyn Iterator<Item = String>| of.collect::<BTreeSet<String>>();
        let logged = ids(&mut log.iter().map(|it| it["event_id"].as_str().unwrap().to_owned()));
        assert_eq!(logged, ids(&mut received.iter().map(|it| it.header("webhook-id").to_owned())));
        for entry in log {
            assert_eq!((&entry["cause"], &entry["attempt_number"]), (&"probe".into(), &1.into()));
        }
        // A refusal that is asked for is no failure: the webhook stays as it was.
        let lane = practice.instance.database();
        assert_eq!(lane.number("SELECT failures FROM webhook_lanes"), 0);
        // Whoever asked for it, and each step, is in the audit log.
        let entries =
            "SELECT COUNT(*) FROM audit_events WHERE resource_name = 'WEBHOOK_VALIDATION'";
        assert_eq!(
            lane.number(&format!("{entries} AND event_type = 'CREATE' AND actor_kind <> 'system'")),
            1
        );
        assert_eq!(
            lane.number(&format!("{entries} AND event_type = 'UPDATE' AND actor_kind = 'system'")),
            7
        );
        // Once more, from the beginning.
        assert_eq!(practice.validated(&id)["state"], "VALID");
        assert_eq!(practice.receiver.at("/good").len(), 14);
        // Another address has shown nothing yet.
        let moved = json!({"id": id, "url": practice.receiver.url("/moved")});
        practice.run("updateWebhook", "webhook { id }", &moved);
        assert_eq!(practice.validation(&id), Json::Null);
        let gone = practice.run("validateWebhook", SHOWN, &json!({"id": id}));
        assert!(gone["messages"].is_null(), "{gone}");
        practice.ended(&id);
        let deleted = practice.run("deleteWebhook", "webhook { id }", &json!({"id": id}));
        assert!(deleted["messages"].is_null(), "{deleted}");
        assert_eq!(lane.number("SELECT COUNT(*) FROM webhook_validations"), 0);
        practice.server.stop();
    }
}

#[test]
fn iso_38_a_receiver_of_the_other_environment() {
    let practice = Practice::open(Engine::Sqlite);
    let id = practice.answering("/production", |received, _| answer(received, "production"));
    let validation = practice.validated(&id);
    assert_eq!(
        (&validation["state"], &validation["environment"]),
        (&"OTHER_ENVIRONMENT".into(), &"production".into())
    );
    let explanation = validation["explanation"].as_str().unwrap();
    assert!(explanation.contains("other environment"), "{explanation}");
    // It gets nothing more of a validation.
    assert_eq!(practice.receiver.at("/production").len(), 1);
}

#[test]
fn iso_39_a_receiver_that_takes_everything() {
    let practice = Practice::open(Engine::Sqlite);
    let careless = practice.answering("/careless", |received, _| match is_handshake(received) {
        true => answer(received, "sandbox"),
        false => plain(200),
    });
    let validation = practice.validated(&careless);
    assert_eq!(validation["state"], "ACCEPTS_FORGERIES", "{validation}");
    for name in ["accepts_genuine", "accepts_forged", "accepts_altered", "accepts_stale"] {
        assert_eq!(validation[name], true, "{name}: {validation}");
    }
    // Each check that a receiver leaves out is found, and no other.
    let timeless = practice.answering("/timeless", |received, secrets| {
        match verify::standard(received, &secrets.standard) {
            false => plain(401),
            true if is_handshake(received) => answer(received, "sandbox"),
            true => plain(200),
        }
    });
    let validation = practice.validated(&timeless);
    let found = ["accepts_forged", "accepts_altered", "accepts_stale"];
    let found: Vec<&Json> = found.iter().map(|name| &validation[*name]).collect();
    assert_eq!(found, [false, false, true], "{validation}");
    // Of the body it believes what the header says.
    let digest = practice.answering("/digest", |received, secrets| {
        let mut told = received.clone();
        told.body = told.body.iter().map(|it| if *it == b'2' { b'1' } else { *it }).collect();
        match secrets.is_right(received) || secrets.is_right(&told) {
            false => plain(403),
            true if is_handshake(received) => answer(received, "sandbox"),
            true => plain(200),
        }
    });
    let validation = practice.validated(&digest);
    let found = ["accepts_forged", "accepts_altered", "accepts_stale"];
    let found: Vec<&Json> = found.iter().map(|name| &validation[*name]).collect();
    assert_eq!(found, [false, true, false], "{validation}");
}

#[test]
fn receivers_without_support_keep_working_and_are_not_attacked() {
    let practice = Practice::open(Engine::Sqlite);
    // As the recorder is: 200 and a text, whatever comes.
    let made = practice.webhook("/old", &["patient.created"]);
    let validation = practice.validated(&made["id"]);
    assert_eq!(
        (&validation["state"], &validation["is_challenge_answered"]),
        (&"UNVERIFIED".into(), &false.into()),
        "{validation}"
    );
    assert_eq!(
        (&validation["accepts_genuine"], &validation["accepts_forged"]),
        (&true.into(), &Json::Null)
    );
    let secret = made["signature_secret"].as_str().unwrap();
    let received = practice.receiver.at("/old");
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|it| verify::contract(it, secret) && !is_old(it)));
    // Who sends back what comes has not answered for itself.
    let echo = practice.answering("/echo", |received, _| Reply {
        status: 200,
        body: String::from_utf8(received.body.clone()).unwrap(),
    });
    assert_eq!(practice.validated(&echo)["state"], "UNVERIFIED");
    assert_eq!(practice.receiver.at("/echo").len(), 2);
    // Nor who refuses, or fails, whatever else stands in the answer.
    let refusing = practice
        .answering("/refusing", |received, _| Reply { status: 403, ..answer(received, "sandbox") });
    let validation = practice.validated(&refusing);
    assert_eq!(
        (&validation["state"], &validation["environment"]),
        (&"UNVERIFIED".into(), &Json::Null)
    );
    assert_eq!(practice.receiver.at("/refusing").len(), 2);
    let client = practice.client("ada");
    assert_eq!(practice.receiver.event("/old", "patient.created").resource(), client);
}

/// Who has answered for itself has not answered for whoever gets its place meanwhile.
#[test]
fn another_address_is_not_attacked() {
    let practice = Practice::open(Engine::Sqlite);
    let id = Arc::new(OnceLock::<Json>::new());
    let (api, own) = (practice.api(), id.clone());
    let second = practice.receiver.url("/second");
    let first = practice.answering("/first", move |received, _| {
        let moved = json!({"id": own.get().unwrap(), "url": second});
        run(&api, "updateWebhook", "webhook { id }", &moved);
        answer(received, "sandbox")
    });
    id.set(first.clone()).unwrap();
    practice.run("validateWebhook", SHOWN, &json!({"id": first}));
    until("the handshake is in the log", || Some(practice.sent()).filter(|it| it.len() == 1));
    assert_eq!(practice.validation(&first), Json::Null);
    // A probe would come before this.
    practice.run("sendTestWebhook", "sent", &json!({"id": first}));
    practice.receiver.event("/second", "test.created");
    let second = practice.receiver.at("/second");
    let causes: Vec<&str> = second.iter().map(|it| it.header("ward-cause")).collect();
    assert_eq!(causes, ["test"]);
    assert_eq!(practice.receiver.at("/first").len(), 1);
}

#[test]
fn receivers_that_refuse_fail_or_hang() {
    let practice = Practice::open(Engine::Sqlite);
    let other_secret =
        practice.answering("/other-secret", |received, _| match is_handshake(received) {
            true => answer(received, "sandbox"),
            false => plain(401),
        });
    assert_eq!(practice.validated(&other_secret)["state"], "REFUSES_GENUINE");
    assert_eq!(practice.receiver.at("/other-secret").len(), 2);
    // A fault is neither a yes nor a no.
    let faulty = practice.answering("/faulty", |received, secrets| match good(received, secrets) {
        Reply { status: 401, .. } => plain(500),
        reply => reply,
    });
    let validation = practice.validated(&faulty);
    assert_eq!(
        (&validation["state"], &validation["accepts_forged"]),
        (&"INCONCLUSIVE".into(), &Json::Null)
    );
    // The state can be read, and nothing is begun twice, while a receiver says nothing.
    let made = practice.webhook("/hang", &[]);
    let input = json!({"id": made["id"]});
    practice.run("validateWebhook", SHOWN, &input);
    assert_eq!(practice.validation(&made["id"])["state"], "RUNNING");
    let again = practice.run("validateWebhook", SHOWN, &input);
    assert_eq!(again["messages"][0]["field"], "id", "{again}");
    let validation = practice.ended(&made["id"]);
    assert_eq!(
        (&validation["state"], &validation["is_challenge_answered"]),
        (&"UNREACHABLE".into(), &Json::Null)
    );
    assert_eq!(practice.receiver.at("/hang").len(), 1);
    // A webhook that is disabled is sent nothing.
    practice.run(
        "updateWebhook",
        "webhook { id }",
        &json!({"id": made["id"], "is_enabled": false}),
    );
    let refused = practice.run("validateWebhook", SHOWN, &input);
    assert_eq!(refused["messages"][0]["field"], "id", "{refused}");
    // Nor can somebody have it sent who is no developer.
    let provider = practice.server.with(&practice.instance.member("provider"));
    let denied = run(&provider, "validateWebhook", SHOWN, &json!({"id": faulty}));
    assert_eq!(
        (&denied["webhook"], &denied["messages"][0]["field"]),
        (&Json::Null, &"base".into())
    );
}
