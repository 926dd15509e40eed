//! Rooms for video calls over HTTPS.

use std::sync::Mutex;

use serde_json::{Value as Json, json};
use ward_effects::{EffectMode, Report, decide};
use ward_instance::config::Connectors;
use ward_store::intents::{self, EffectIntent};
use ward_store::room::{Room, RoomOrder};
use ward_store::system::EffectClass;
use ward_store::{Actor, StoreError, Tx};

use crate::authority::Authority;
use crate::sink::{Gates, patient_server, telling_server};
use crate::world::World;

fn config(port: u16) -> Connectors {
    Connectors {
        video_url: Some(format!("https://localhost:{port}/v1/rooms")),
        video_token_file: Some("token".to_owned()),
        video_ca: Some("ca.pem".to_owned()),
        ..Connectors::default()
    }
}

/// What was kept, of all tests of this file.
static KEPT: Mutex<Vec<(i64, String)>> = Mutex::new(Vec::new());

fn keep<'a>(
    _: &'a mut Tx,
    _: i64,
    order: &'a RoomOrder,
    room: &'a Room,
) -> futures_util::future::BoxFuture<'a, Result<(), StoreError>> {
    let kept = (order.appointment_id, room.join_url.clone());
    Box::pin(async move {
        KEPT.lock().unwrap().push(kept);
        Ok(())
    })
}

fn open(appointment_id: i64) -> Json {
    json!({"appointment_id": appointment_id, "number": 3, "wanted": {
        "start": "2031-03-04T15:00:00Z", "minutes": 50, "timezone": "America/New_York",
        "host_id": 1_000_007}})
}

fn room() -> String {
    json!({"meeting_id": "912", "join_url": "https://video.example/j/912",
        "start_url": "https://video.example/s/912", "dial_in": "+1 212-555-0100"})
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_video_service_gets_and_what_its_answers_mean() {
    let none = "failed - the video service answered without a room";
    let javascript = room().replace("https://video.example/j/912", "javascript:alert(1)");
    let long = format!("{}{}", room(), " ".repeat(20_000));
    let close = |id: i64| json!({"appointment_id": id, "number": 4, "wanted": null});
    let cases = [
        (1, open(1), 200, room(), "done sent -"),
        (2, open(2), 200, String::new(), none),
        (3, open(3), 200, javascript, none),
        (4, open(4), 200, long, none),
        (5, open(5), 503, room(), "queued - the video service answered 503"),
        (6, open(6), 404, room(), "failed - the video service answered 404"),
        (7, close(7), 204, String::new(), "done sent -"),
        (8, close(8), 404, String::new(), "done sent -"),
        (9, close(9), 400, String::new(), "failed - the video service answered 400"),
    ];
    for (id, payload, status, answer, expected) in cases {
        let authority = Authority::new();
        authority.secret("token", "tok-789\n");
        let acceptor = authority.acceptor("localhost");
        let (port, kept) = telling_server(acceptor, status, answer).await;
        let w = World::new().await;
        let dispatcher = w.dispatcher(&config(port), authority.files.path()).unwrap();
        let dispatcher = dispatcher.keeping_rooms(keep);
        let is_open = payload["wanted"].is_object();
        let (_, stands) = w.effect(&dispatcher, EffectClass::Video, "a room", payload).await;
        assert_eq!(stands, expected, "{id}");
        let requests = kept.lock().unwrap().clone();
        assert_eq!(requests.len(), 1, "{requests:?}");
        let room = format!("\"room\":\"appointment-{id}\"");
        let parts = [
            "POST /v1/rooms HTTP/1.1",
            "authorization: Bearer tok-789",
            "idempotency-key: ",
            room.as_str(),
            if is_open { "\"action\":\"open\"" } else { "\"action\":\"close\"" },
        ];
        for part in parts {
            assert!(requests[0].contains(part), "no {part} in {}", requests[0]);
        }
        for part in
            ["2031-03-04T15:00:00Z", "America/New_York", "\"minutes\":50", "\"host\":\"1000007\""]
        {
            assert_eq!(requests[0].contains(part), is_open, "{part} in {}", requests[0]);
        }
    }
    let kept = KEPT.lock().unwrap().clone();
    assert_eq!(kept, [(1, "https://video.example/j/912".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_service_orders_wait() {
    let w = World::new().await;
    let files = tempfile::tempdir().unwrap();
    let dispatcher = w.dispatcher(&Connectors::default(), files.path()).unwrap();
    assert!(!dispatcher.is_connected(EffectClass::Video));
    let (_, stands) = w.effect(&dispatcher, EffectClass::Video, "a room", open(10)).await;
    assert_eq!(stands, "waiting - no connector of its class is there");
}

fn answer(status: u16, body: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} said\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_breaks_off_is_none_and_asked_for_again() {
    let authority = Authority::new();
    authority.secret("token", "tok-789\n");
    let half = answer(200, &room()[..40], room().len());
    let port = patient_server(authority.acceptor("localhost"), vec![half], Gates::new(1)).await;
    let w = World::new().await;
    let dispatcher = w.dispatcher(&config(port), authority.files.path()).unwrap();
    let (report, stands) = w.effect(&dispatcher, EffectClass::Video, "a room", open(11)).await;
    assert_eq!((report.retried, report.failed), (1, 0), "{stands}");
    assert!(stands.starts_with("queued - "), "{stands}");
}

async fn order(w: &World, number: i64) {
    let mut payload = open(12);
    payload["number"] = json!(number);
    let (org_id, now) = (w.org_id, w.instance.now());
    let intent = EffectIntent {
        class: EffectClass::Video,
        kind: "video_room",
        to: "appointment-12".to_owned(),
        payload,
        subject_client: None,
        recipient: Some(1_000_007),
        cause: "a test".to_owned(),
        idempotency_key: format!("room:12:{number}"),
        not_before: Some(now),
        expires_at: None,
    };
    let made = w.db.write(move |tx| {
        let intent = intent.clone();
        Box::pin(async move { intents::intend(tx, org_id, intent).await })
    });
    assert!(made.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_given_up_while_it_is_sent_holds_up_none() {
    let authority = Authority::new();
    authority.secret("token", "tok-789\n");
    let gates = Gates::new(0);
    let answers = vec![answer(503, "", 0), answer(200, &room(), room().len())];
    let acceptor = authority.acceptor("localhost");
    let port = patient_server(acceptor, answers, gates.clone()).await;
    let w = World::new().await;
    let dispatcher = w.dispatcher(&config(port), authority.files.path()).unwrap();
    let actor = Actor::system(w.org_id);
    decide(&w.db, &actor, EffectClass::Video, EffectMode::Live, "a test").await.unwrap();
    order(&w, 1).await;
    let ran = tokio::spawn(async move { dispatcher.run_due().await.unwrap() });
    gates.asked.acquire().await.unwrap().forget();
    let org_id = w.org_id;
    let given_up = w.db.write(move |tx| {
        Box::pin(
            async move { intents::supersede(tx, org_id, EffectClass::Video, "room:12:1").await },
        )
    });
    assert!(given_up.await.unwrap());
    order(&w, 2).await;
    gates.answers.add_permits(2);
    let expected = Report { done: 1, settled: 1, ..Report::default() };
    assert_eq!(ran.await.unwrap(), expected, "nothing is tried again, and the later one at once");
}
