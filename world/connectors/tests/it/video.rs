//! Rooms for video calls over HTTPS.

use std::sync::Mutex;

use serde_json::{Value as Json, json};
use ward_instance::config::Connectors;
use ward_store::room::{Room, RoomOrder};
use ward_store::system::EffectClass;
use ward_store::{StoreError, Tx};

use crate::authority::Authority;
use crate::sink::telling_server;
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
