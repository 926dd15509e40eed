//! Receivers that are validated each week, and those that a practice tells nothing before they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use ward_tests::{Engine, Json, json, until};

use crate::practice::{Practice, run};
use crate::receiver::Received;
use crate::validation::{answer, good, is_handshake, plain};

const SHOWN: &str = "webhook { id is_enabled }";

impl Practice {
    fn mails(&self, kind: &str) -> i64 {
        let count = format!("SELECT COUNT(*) FROM effect_intents WHERE kind = '{kind}'");
        self.instance.database().number(&count)
    }

    /// Eight days later, with everything done that was due meanwhile.
    fn a_week_later(&self) {
        let asked = json!({"by": "PT192H", "settle": true});
        let moved = self.api().post("/sandbox/v1/clock/advance", &asked);
        assert_eq!(moved.status, 200, "{}", moved.text);
    }

    fn is_enabled(&self, id: &Json) -> bool {
        let reply = self.api().ask("{ webhooks { nodes { id is_enabled } } }", json!({}));
        let webhooks = reply.data()["webhooks"]["nodes"].as_array().unwrap();
        webhooks.iter().find(|it| it["id"] == *id).unwrap()["is_enabled"] == true
    }

    fn be_strict(&self, requires: bool) {
        let done = self.run(
            "updateOrganization",
            "organization { requires_webhook_validation }",
            &json!({"requires_webhook_validation": requires}),
        );
        assert_eq!(done["organization"]["requires_webhook_validation"], requires, "{done}");
    }
}

#[test]
fn a_receiver_that_got_worse_is_found_within_a_week() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let is_careless = Arc::new(AtomicBool::new(false));
        let careless = is_careless.clone();
        let id = practice.answering("/hook", move |received, secrets| {
            match careless.load(Ordering::SeqCst) && !is_handshake(received) {
                true => plain(200),
                false => good(received, secrets),
            }
        });
        // Whom nobody validated is not.
        practice.webhook("/other", &["patient.created"]);
        let first = practice.validated(&id);
        assert!(first["repeats_at"].as_str() > first["ended_at"].as_str(), "{first}");
        practice.a_week_later();
        let second = practice.validation(&id);
        assert_eq!(second["state"], "VALID", "{second}");
        assert!(second["ended_at"].as_str() >= first["repeats_at"].as_str(), "{second}");
        assert_eq!(
            (practice.receiver.at("/hook").len(), practice.receiver.at("/other").len()),
            (14, 0)
        );
        assert_eq!(practice.mails("webhook_worse"), 0);
        is_careless.store(true, Ordering::SeqCst);
        practice.a_week_later();
        assert_eq!(practice.validation(&id)["state"], "ACCEPTS_FORGERIES");
        assert_eq!(practice.mails("webhook_worse"), 1);
        // It gets its events nevertheless, and the same is not said each week.
        assert!(practice.is_enabled(&id));
        practice.a_week_later();
        assert_eq!((practice.receiver.at("/hook").len(), practice.mails("webhook_worse")), (28, 1));
        // A disabled webhook is left alone.
        practice.run("updateWebhook", SHOWN, &json!({"id": id, "is_enabled": false}));
        practice.a_week_later();
        assert_eq!(practice.receiver.at("/hook").len(), 28);
        practice.server.stop();
    }
}

/// What a receiver does with a duplicate makes it no accepter of forgeries, and is told.
#[test]
fn a_receiver_that_refuses_duplicates() {
    let practice = Practice::open(Engine::Sqlite);
    let status = Arc::new(AtomicU16::new(409));
    let answered = status.clone();
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let id = practice.answering("/once", move |received, secrets| {
        let reply = good(received, secrets);
        let is_new = seen.lock().unwrap().insert(received.header("webhook-id").to_owned());
        match received.event().as_str() {
            "webhook.unknown" => plain(422),
            _ if is_new || reply.status == 401 => reply,
            _ => plain(answered.load(Ordering::SeqCst)),
        }
    });
    let validation = practice.validated(&id);
    assert_eq!(
        [&validation["state"], &validation["accepts_duplicate"], &validation["accepts_unknown"]],
        [&Json::from("VALID"), &false.into(), &false.into()],
        "{validation}"
    );
    let told = |it: &Json| it["explanation"].as_str().unwrap().contains("second time");
    assert!(told(&validation), "{validation}");
    status.store(500, Ordering::SeqCst);
    let validation = practice.validated(&id);
    assert_eq!(
        (&validation["state"], &validation["accepts_duplicate"]),
        (&"VALID".into(), &Json::Null)
    );
    assert!(told(&validation), "{validation}");
    status.store(204, Ordering::SeqCst);
    assert!(!told(&practice.validated(&id)));
}

#[test]
fn a_strict_practice_tells_nothing_to_an_unproved_receiver() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::open(engine);
        let way = Arc::new(AtomicU16::new(0));
        let goes = way.clone();
        let reply = move |received: &Received, secrets: &_| match goes.load(Ordering::SeqCst) {
            0 => plain(200),
            1 => good(received, secrets),
            2 if !is_handshake(received) => plain(200),
            2 => good(received, secrets),
            _ => answer(received, "production"),
        };
        // What was there before stays as it is.
        practice.webhook("/before", &["patient.created"]);
        practice.be_strict(true);
        let id = practice.answering("/hook", reply);
        let add = json!({"id": id, "webhook_events": [{"event_type": "PATIENT_CREATED"}]});
        practice.run("updateWebhook", SHOWN, &add);
        assert!(!practice.is_enabled(&id));
        let on = json!({"id": id, "is_enabled": true});
        let refused = practice.run("updateWebhook", SHOWN, &on);
        assert_eq!(refused["messages"][0]["field"], "is_enabled", "{refused}");
        // No answer to the challenge is not enough.
        assert_eq!(practice.validated(&id)["state"], "UNVERIFIED");
        let refused = practice.run("updateWebhook", SHOWN, &on);
        assert_eq!(refused["messages"][0]["field"], "is_enabled", "{refused}");
        let unheard = practice.client("ada");
        practice.receiver.event("/before", "patient.created");
        way.store(1, Ordering::SeqCst);
        assert_eq!(practice.validated(&id)["state"], "VALID");
        assert!(practice.is_enabled(&id));
        let heard = practice.client("ben");
        assert_eq!(practice.receiver.event("/hook", "patient.created").resource(), heard);
        assert_ne!(heard, unheard);
        // Off and on by hand, since it is proved.
        practice.run("updateWebhook", SHOWN, &json!({"id": id, "is_enabled": false}));
        let again = practice.run("updateWebhook", SHOWN, &on);
        assert_eq!(again["webhook"]["is_enabled"], true, "{again}");
        // Who takes forgeries, or serves another environment, is told no more.
        for (bad, state) in [(2, "ACCEPTS_FORGERIES"), (3, "OTHER_ENVIRONMENT")] {
            let told = practice.mails("webhook_unfit");
            way.store(bad, Ordering::SeqCst);
            assert_eq!(practice.validated(&id)["state"], state);
            assert!(!practice.is_enabled(&id), "{state}");
            assert_eq!(practice.mails("webhook_unfit"), told + 1);
            way.store(1, Ordering::SeqCst);
            practice.validated(&id);
            assert!(practice.is_enabled(&id), "{state}");
        }
        // Nor is another address, which has shown nothing.
        let moved = json!({"id": id, "url": practice.receiver.url("/moved"), "is_enabled": true});
        let moved = practice.run("updateWebhook", SHOWN, &moved);
        assert_eq!(moved["webhook"]["is_enabled"], false, "{moved}");
        // A developer is not the one who decides it.
        let provider = practice.server.with(&practice.instance.member("provider"));
        let input = json!({"requires_webhook_validation": false});
        let denied = run(&provider, "updateOrganization", "organization { id }", &input);
        assert_eq!(denied["messages"][0]["field"], "base", "{denied}");
        practice.be_strict(false);
        let made = practice.webhook("/after", &[]);
        assert_eq!(made["is_enabled"], true);
        until("everything is in the log", || {
            let left = "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'leased'";
            (practice.instance.database().number(left) == 0).then_some(())
        });
        practice.server.stop();
    }
}
