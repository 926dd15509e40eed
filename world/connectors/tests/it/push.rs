//! Notifications to apps over HTTPS.

use serde_json::json;
use ward_instance::config::Connectors;
use ward_store::system::EffectClass;

use crate::authority::Authority;
use crate::sink::web_server;
use crate::world::World;

fn config(port: u16) -> Connectors {
    Connectors {
        push_url: Some(format!("https://localhost:{port}/v1/notify")),
        push_token_file: Some("token".to_owned()),
        push_ca: Some("ca.pem".to_owned()),
        ..Connectors::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_push_service_gets_and_what_its_answers_mean() {
    for (status, expected) in [
        (200, "done sent -"),
        (429, "queued - the push service answered 429"),
        (500, "queued - the push service answered 500"),
        (400, "failed - the push service answered 400"),
        (404, "failed undeliverable the app is gone from the device"),
        (410, "failed undeliverable the app is gone from the device"),
    ] {
        let authority = Authority::new();
        authority.secret("token", "tok-456\n");
        let (port, kept) = web_server(authority.acceptor("localhost"), status).await;
        let w = World::new().await;
        let dispatcher = w.dispatcher(&config(port), authority.files.path()).unwrap();
        let payload = json!({"practice_name": "Harbor", "text": "You have a new message."});
        let (_, stands) = w.effect(&dispatcher, EffectClass::Push, "device-1", payload).await;
        assert_eq!(stands, expected);
        let requests = kept.lock().unwrap().clone();
        assert_eq!(requests.len(), 1, "{requests:?}");
        for part in [
            "POST /v1/notify HTTP/1.1",
            "authorization: Bearer tok-456",
            "idempotency-key: ",
            "\"text\":\"Harbor: You have a new message.\"",
            "\"to\":\"device-1\"",
        ] {
            assert!(requests[0].contains(part), "no {part} in {}", requests[0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_service_notifications_wait() {
    let w = World::new().await;
    let files = tempfile::tempdir().unwrap();
    let dispatcher = w.dispatcher(&Connectors::default(), files.path()).unwrap();
    assert!(!dispatcher.is_connected(EffectClass::Push));
    let payload = json!({"text": "You have a new message."});
    let (_, stands) = w.effect(&dispatcher, EffectClass::Push, "device-1", payload).await;
    assert_eq!(stands, "waiting - no connector of its class is there");
}
