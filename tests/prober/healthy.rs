//! A pair that shares nothing: no fault is found, and nothing of Production reaches the Sandbox.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use ward_tests::middle::{self, Message, Spoil};
use ward_tests::program::{self, Output};
use ward_tests::{Json, json, tell};

use crate::pair::{Found, Pair};

fn verify(file: &std::path::Path, more: &[&str]) -> Output {
    let mut command = program::probe();
    command.arg("verify").arg(file).args(more);
    program::finish(command)
}

/// And its report is signed, and a changed one is refused.
#[test]
fn gl_06_a_healthy_pair_has_no_fault_and_its_report_is_signed() {
    let pair = Pair::new();
    let before = [&pair.s, &pair.p].map(|half| half.instance.settled_dump());
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let (s, p) = (at(pair.s.server.port), at(pair.p.server.port));
    let (json, page, key) = (pair.file("r.json"), pair.file("r.html"), pair.file("signing.pem"));
    let made = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    std::fs::write(&key, made.serialize_pem()).unwrap();
    let save = [json.to_str().unwrap(), page.to_str().unwrap(), key.to_str().unwrap()];
    let more = ["--save", save[0], "--save", save[1], "--signing-key", save[2]];
    let output = pair.probe_at(&s, &p, &more);
    assert!(output.stdout.contains(" not applicable") && output.stdout.contains("0 failed"));
    let saved: Json = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let found = Found { code: output.code, document: saved };
    assert_eq!(found.rows("fault"), [] as [&str; 0], "{:#}", found.document);
    assert_eq!(found.code, Some(0), "{output:?}");
    // Only what there is no way to try here, and nothing within a row.
    assert_eq!(found.rows("not applicable"), ["tls-keys"], "{:#}", found.document);
    let report = &found.document["report"];
    for row in report["rows"].as_array().unwrap() {
        assert_eq!(row["untried"], json!([]), "{row:#}");
    }
    assert!(report["ended"].is_null(), "{report:#}");
    let counts = &report["counts"];
    assert!(counts["cases"].as_u64() > Some(1_000), "hardly anything was tried: {counts}");
    assert_eq!(counts["failed"], 0);
    // It reads, and nothing else.
    for (half, before) in [&pair.s, &pair.p].into_iter().zip(&before) {
        half.instance.settled_dump().assert_unchanged_since(before, "a probe");
    }
    tell("GL-06", format_args!("a healthy pair: {counts}"));
    signed(&pair, found.document["signature"]["public_key"].as_str().unwrap(), [&json, &page]);
}

fn signed(pair: &Pair, public: &str, files: [&std::path::PathBuf; 2]) {
    for file in files {
        verify(file, &[]).ok();
        let expected = verify(file, &["--public-key", public]).ok();
        assert!(expected.stdout.contains("held"), "{}", expected.stdout);
        let other = verify(file, &["--public-key", &"0".repeat(64)]);
        assert_eq!(other.code, Some(1), "{other:?}");
        // One letter of what it says.
        let text = std::fs::read_to_string(file).unwrap();
        let changed = pair.file("changed");
        std::fs::write(&changed, text.replacen("held", "helt", 1)).unwrap();
        let refused = verify(&changed, &[]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("cannot be relied on"), "{}", refused.stderr);
    }
    tell(
        "GL-06",
        "a report as JSON and as a page: 4 signatures good, 2 of another key and 2 changed refused",
    );
}

/// A certificate for this machine, as a server takes it and in PEM.
fn certificate() -> (Arc<ServerConfig>, String) {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), made.cert.pem())
}

type Certificate = (Arc<ServerConfig>, String);

/// What is found of both behind TLS, with a certificate and a spoil of each.
fn over_tls(pair: &Pair, s: (&Certificate, Spoil), p: (&Certificate, Spoil)) -> Found {
    let authorities = pair.file("authorities.pem");
    std::fs::write(&authorities, format!("{}{}", s.0.1, p.0.1)).unwrap();
    let door = |port: u16, tls: &Certificate, spoil: Spoil| {
        format!("https://127.0.0.1:{}", middle::before(port, spoil.over_tls(&tls.0)))
    };
    let s = door(pair.s.server.port, s.0, s.1);
    let p = door(pair.p.server.port, p.0, p.1);
    let file = authorities.to_str().unwrap();
    Found::of(&pair.probe_at(&s, &p, &["--ca-file", file, "--json"]))
}

/// What is ordinary between a probe and an instance is no fault: a Sandbox whose clock was moved,
/// a key of somebody who may not see everything, a proxy that counts its answers and has too much
/// to do once. And no request to the Sandbox holds anything of Production but ids and its key.
#[test]
fn gl_06_a_healthy_pair_behind_proxies_has_no_fault() {
    let mut pair = Pair::new();
    let owner = pair.s.server.with(&pair.s.key);
    let moved = owner.post("/sandbox/v1/clock/advance", &json!({"by": "PT1H"}));
    assert_eq!(moved.status, 200, "{}", moved.text);
    pair.s.key = pair.s.instance.member("provider");
    let asked: Arc<Mutex<Vec<Message>>> = Arc::default();
    let heard = Arc::clone(&asked);
    let sandbox = Spoil::request(move |request| {
        heard.lock().unwrap().push(request.clone());
        None
    });
    let (counter, links) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let production = Spoil::answer(move |request, answer| {
        let count = counter.fetch_add(1, Ordering::Relaxed);
        answer.set("cf-ray", &format!("ray-{count}"));
        let asks = |text: &str| request.body.contains(text);
        if asks("calendar_feed_link") && links.fetch_add(1, Ordering::Relaxed) == 0 {
            answer.first = "HTTP/1.1 503 Service Unavailable".to_owned();
            answer.set("retry-after", "1");
            answer.body = error("OVERLOADED", Json::Null);
        }
        // As for a key that may not see it.
        if asks("{ organization { id } }") {
            answer.body = error("PERMISSION_DENIED", json!({"organization": null}));
        }
    });
    let found = over_tls(&pair, (&certificate(), sandbox), (&certificate(), production));
    assert_eq!(found.rows("fault"), [] as [&str; 0], "{:#}", found.document);
    assert_eq!(found.rows("not applicable"), [] as [&str; 0], "{:#}", found.document);
    // What the provider may not ask is named, and no case.
    let untried = |id: &str| found.row(id)["untried"].to_string();
    assert!(
        untried("foreign-ids").contains("the Sandbox's auditLog("),
        "{}",
        untried("foreign-ids")
    );
    assert!(!untried("foreign-ids").contains("the Production's "), "{}", untried("foreign-ids"));
    assert!(untried("documentation-ids").contains("the Sandbox's auditLog("));
    assert_eq!(untried("rows"), json!(["Production's Organization"]).to_string());
    let asked = asked.lock().unwrap();
    let mut cursors = 0;
    for request in asked.iter() {
        let body: Json = serde_json::from_str(&request.body).unwrap_or_default();
        let after = body["variables"]["after"].as_str();
        let cursor = STANDARD.decode(after.unwrap_or_default()).unwrap_or_default();
        let cursor = String::from_utf8_lossy(&cursor).to_lowercase();
        cursors += usize::from(after.is_some());
        for text in pair.p.links.iter().chain([&pair.p.surname, &pair.p.secret]) {
            let is_there = request.has(text)
                || request.first.contains(text.as_str())
                || cursor.contains(&text.to_lowercase());
            assert!(!is_there, "{text} of Production was sent to the Sandbox: {request:?}");
        }
    }
    // Cursors that hold ids alone are tried all the same.
    assert!(cursors > 0, "no cursor of Production was tried at the Sandbox");
    tell("GL-06", format_args!("{} requests to the Sandbox, {cursors} cursors", asked.len()));
}

fn error(code: &str, data: Json) -> String {
    json!({"data": data, "errors": [{"message": "No.", "extensions": {"code": code}}]}).to_string()
}

/// And Sandbox ids in Production's range.
#[test]
fn gl_06_a_shared_tls_key_and_overlapping_id_ranges_are_found() {
    let pair = Pair::new();
    let both = certificate();
    let sandbox = Spoil::answer(|_, answer| {
        for start in ["\"20", "\"21"] {
            let lowered = start.replace('2', "1");
            let parts: Vec<&str> = answer.body.split(start).collect();
            let is_id = |rest: &str| {
                rest.len() > 8
                    && rest.as_bytes()[..8].iter().all(u8::is_ascii_digit)
                    && rest.as_bytes()[8] == b'"'
            };
            let mut text = parts[0].to_owned();
            for rest in &parts[1..] {
                text.push_str(if is_id(rest) { &lowered } else { start });
                text.push_str(rest);
            }
            answer.body = text;
        }
    });
    over_tls(&pair, (&both, sandbox), (&both, Spoil::default())).assert_only(&[
        ("tls-keys", "both certificates have the same key"),
        ("id-ranges", "the Sandbox answers with the User 1"),
        ("links", "POST /graphql of the Sandbox names the Production: the id 1"),
    ]);
}
