//! Faults of webhooks that a Sandbox makes on purpose: late, twice, out of order, wrongly signed.

use ward_tests::{Engine, Json, json, until};

use crate::practice::Practice;
use crate::receiver::Received;
use crate::verify;

#[track_caller]
fn fault(practice: &Practice, asked: Json) {
    practice.api().delete("/sandbox/v1/faults");
    let reply = practice.api().post("/sandbox/v1/faults", &asked);
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[test]
fn a_webhook_comes_twice_or_wrongly_signed() {
    for engine in Engine::available("faults") {
        let practice = Practice::open(engine);
        let hook = practice.webhook("/hook", &["patient.created"]);
        let other = practice.webhook("/other", &["patient.created"]);
        let id: i64 = hook["id"].as_str().unwrap().parse().unwrap();
        let secret = hook["signature_secret"].as_str().unwrap();
        let of = |client: &str| -> Vec<_> {
            let all = practice.receiver.at("/hook");
            all.into_iter().filter(|it| it.resource() == client).collect()
        };
        fault(&practice, json!({"kind": "webhook_duplicate", "webhook": id}));
        let twice = practice.client("twice");
        let both = until("both came", || Some(of(&twice)).filter(|it| it.len() == 2));
        assert_eq!(both[0].header("webhook-id"), both[1].header("webhook-id"));
        assert_eq!(both[0].body, both[1].body);
        let logged = until("it is logged", || {
            let sent = practice.sent();
            let of = sent.into_iter().filter(|it| it["webhook_id"] == hook["id"]);
            Some(of.count()).filter(|count| *count > 0)
        });
        assert_eq!(logged, 1);
        for kind in ["webhook_bad_signature", "webhook_rotated_secret"] {
            fault(
                &practice,
                json!({"kind": kind, "webhook": hook["id"], "event": "patient.created"}),
            );
            let client = practice.client(kind);
            let came = until("it came", || of(&client).pop());
            assert!(!verify::contract(&came, secret), "{kind}: {came:?}");
            let standard = hook["standard_signature_secret"].as_str().unwrap();
            assert!(!verify::standard(&came, standard), "{kind}: {came:?}");
            let mark = came.header("x-sandbox-fault");
            assert_eq!(mark.split(';').next(), Some(kind), "{came:?}");
            // The webhook beside it is as ever.
            let beside =
                practice.receiver.wait("/other", "the other", |it| it.resource() == client);
            assert!(verify::contract(&beside, other["signature_secret"].as_str().unwrap()));
            assert_eq!(beside.header("x-sandbox-fault"), "");
        }
        practice.server.stop();
    }
}

#[test]
fn a_webhook_comes_late_or_after_later_ones() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/hook", &["patient.created"]);
    let api = practice.api();
    let came = || -> Vec<String> {
        practice.receiver.at("/hook").iter().map(Received::resource).collect()
    };
    assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
    fault(&practice, json!({"kind": "webhook_late", "milliseconds": 7_200_000, "times": 1}));
    let late = practice.client("late");
    let prompt = practice.client("prompt");
    practice.receiver.wait("/hook", "the later one", |it| it.resource() == prompt);
    assert_eq!(came(), std::slice::from_ref(&prompt));
    let advance = |by: &str| {
        let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": by, "settle": true}));
        assert_eq!(moved.status, 200, "{}", moved.text);
    };
    advance("PT1H");
    assert_eq!(came(), std::slice::from_ref(&prompt));
    advance("PT1H");
    assert_eq!(came(), [prompt.clone(), late.clone()]);
    // It says so, as an answer does; the others say nothing.
    let mark = |client: &str| {
        let all = practice.receiver.at("/hook");
        let it = all.iter().find(|it| it.resource() == client).unwrap();
        it.header("x-sandbox-fault").split(';').next().unwrap_or_default().to_owned()
    };
    assert_eq!([mark(&late), mark(&prompt)], ["webhook_late", ""]);
    fault(&practice, json!({"kind": "webhook_reordered", "times": 1}));
    let first = practice.client("first");
    let second = practice.client("second");
    practice.receiver.wait("/hook", "the second", |it| it.resource() == second);
    advance("PT3S");
    assert_eq!([mark(&first), mark(&second)], ["webhook_reordered", ""]);
    assert_eq!(came(), [prompt, late, second, first]);
}
