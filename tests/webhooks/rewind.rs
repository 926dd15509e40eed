//! A Sandbox goes back: what may have been sent since is not sent a second time, and that is said.

use ward_tests::{Engine, Json, json, until};

use crate::practice::Practice;
use crate::receiver::Reply;

const HOOK: &str = "/hook";

fn post(practice: &Practice, path: &str, body: &Json) -> Json {
    let reply = practice.api().post(&format!("/sandbox/v1/{path}"), body);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json
}

/// A practice with a delivery whose first attempt was refused.
fn refused_once(engine: Engine) -> Practice {
    let practice = Practice::open(engine);
    practice.webhook(HOOK, &["patient.created"]);
    practice.receiver.answer_at(HOOK, |it| {
        let status = if it.header("ward-attempt") == "1" { 503 } else { 200 };
        Reply { status, body: String::new() }
    });
    post(&practice, "clock/freeze", &json!({}));
    practice.client("ada");
    until("the first attempt is logged", || practice.sent().pop());
    practice
}

#[test]
fn what_was_sent_since_is_not_sent_again() {
    for engine in Engine::available("GL-14") {
        let practice = refused_once(engine);
        post(&practice, "snapshots", &json!({"name": "waits"}));
        // Nobody has tried since: it waits on.
        let back = post(&practice, "snapshots/waits/restore", &json!({}));
        assert_eq!(back["deliveries_given_up"], 0, "{back}");
        post(&practice, "clock/advance", &json!({"by": "P1D"}));
        assert_eq!(practice.receiver.at(HOOK).len(), 2, "tried again once");
        // It was taken since.
        let back = post(&practice, "snapshots/waits/restore", &json!({}));
        assert_eq!(back["deliveries_given_up"], 1, "{back}");
        post(&practice, "clock/advance", &json!({"by": "P3D"}));
        assert_eq!(practice.receiver.at(HOOK).len(), 2, "it was sent a second time");
        // The webhook goes on with what is new.
        let client = practice.client("berta");
        practice.receiver.wait(HOOK, "a new event", |it| it.resource() == client);
        practice.server.stop();
    }
}
