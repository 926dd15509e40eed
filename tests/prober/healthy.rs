//! A pair that shares nothing.

use rustls::ServerConfig;
use std::sync::Arc;
use ward_tests::middle::{self, Spoil};
use ward_tests::tell;

use crate::pair::{Found, Pair};

#[test]
fn gl_06_a_healthy_pair_has_no_fault() {
    let pair = Pair::new();
    let before = [&pair.s, &pair.p].map(|half| half.instance.settled_dump());
    let found = pair.probe(pair.s.server.port, pair.p.server.port);
    assert_eq!(found.rows("fault"), [] as [&str; 0], "{:#}", found.document);
    assert_eq!(found.code, Some(0));
    // Only what there is no way to try here.
    assert_eq!(found.rows("not applicable"), ["tls-keys"], "{:#}", found.document);
    let counts = &found.document["report"]["counts"];
    assert!(counts["cases"].as_u64() > Some(1_000), "hardly anything was tried: {counts}");
    assert_eq!(counts["failed"], 0);
    // It reads, and nothing else.
    for (half, before) in [&pair.s, &pair.p].into_iter().zip(&before) {
        half.instance.settled_dump().assert_unchanged_since(before, "a probe");
    }
    tell("GL-06", format_args!("a healthy pair: {counts}"));
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

fn over_tls(
    pair: &Pair,
    s: &(Arc<ServerConfig>, String),
    p: &(Arc<ServerConfig>, String),
) -> Found {
    let authorities = pair.file("authorities.pem");
    std::fs::write(&authorities, format!("{}{}", s.1, p.1)).unwrap();
    let door = |port: u16, tls: &Arc<ServerConfig>| {
        let spoil = Spoil::default().over_tls(tls);
        format!("https://127.0.0.1:{}", middle::before(port, spoil))
    };
    let (s, p) = (door(pair.s.server.port, &s.0), door(pair.p.server.port, &p.0));
    let file = authorities.to_str().unwrap();
    Found::of(&pair.probe_at(&s, &p, &["--ca-file", file, "--json"]))
}

#[test]
fn gl_06_a_healthy_pair_behind_tls_has_no_fault() {
    let pair = Pair::new();
    let found = over_tls(&pair, &certificate(), &certificate());
    assert_eq!(found.rows("fault"), [] as [&str; 0], "{:#}", found.document);
    assert_eq!(found.rows("not applicable"), [] as [&str; 0]);
}

#[test]
fn gl_06_a_shared_tls_key_is_found() {
    let pair = Pair::new();
    let both = certificate();
    over_tls(&pair, &both, &both).assert_only(&["tls-keys"]);
}
