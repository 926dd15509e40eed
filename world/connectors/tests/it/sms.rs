//! SMS over HTTPS.

use serde_json::json;
use ward_instance::config::Connectors;
use ward_store::system::EffectClass;

use crate::authority::Authority;
use crate::sink::web_server;
use crate::world::World;

fn config(port: u16) -> Connectors {
    Connectors {
        sms_url: Some(format!("https://localhost:{port}/v1/messages")),
        sms_token_file: Some("token".to_owned()),
        sms_from: Some("Harbor".to_owned()),
        sms_ca: Some("ca.pem".to_owned()),
        ..Connectors::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_gets_and_what_its_answers_mean() {
    for (status, expected) in [
        (202, "done sent -"),
        (429, "queued - the SMS provider answered 429"),
        (503, "queued - the SMS provider answered 503"),
        (422, "failed - the SMS provider answered 422"),
    ] {
        let authority = Authority::new();
        authority.secret("token", "tok-123\n");
        let (port, kept) = web_server(authority.acceptor("localhost"), status).await;
        let w = World::new().await;
        let dispatcher = w.dispatcher(&config(port), authority.files.path()).unwrap();
        let payload = json!({"practice_name": "Harbor", "text": "See you tomorrow"});
        let (_, stands) = w.effect(&dispatcher, EffectClass::Sms, "212-555-0100", payload).await;
        assert_eq!(stands, expected);
        let requests = kept.lock().unwrap().clone();
        assert_eq!(requests.len(), 1, "{requests:?}");
        for part in [
            "POST /v1/messages HTTP/1.1",
            "authorization: Bearer tok-123",
            "idempotency-key: ",
            "\"from\":\"Harbor\",\"to\":\"212-555-0100\",\"text\":\"Harbor: See you tomorrow\"",
        ] {
            assert!(requests[0].contains(part), "no {part} in {}", requests[0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_over_tls_that_is_the_providers() {
    let authority = Authority::new();
    authority.secret("token", "tok-123");
    let w = World::new().await;
    let plain = Connectors { sms_url: Some("http://localhost/".to_owned()), ..config(1) };
    let refused = w.dispatcher(&plain, authority.files.path()).err().unwrap();
    assert!(refused.to_string().contains("https://"), "{refused}");
    let (port, kept) = web_server(authority.acceptor("elsewhere.example"), 200).await;
    let dispatcher = w.dispatcher(&config(port), authority.files.path()).unwrap();
    let payload = json!({"text": "See you tomorrow"});
    let (_, stands) = w.effect(&dispatcher, EffectClass::Sms, "212-555-0100", payload).await;
    assert_eq!(stands, "queued - the SMS provider's TLS is refused");
    assert!(kept.lock().unwrap().is_empty());
}
