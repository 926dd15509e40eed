//! Bodies: what is not a GraphQL request, what is too large, what never ends.

use std::io::{ErrorKind, Read, Write as _};
use std::time::Duration;

use ward_tests::{json, raw, until};

use crate::running::{code, refused, running};

const JSON: &str = "application/json";

#[test]
fn only_json_and_forms_are_read() {
    let body = br#"{"query":"{ __typename }"}"#;
    for content_type in [
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "application/xml",
        "",
    ] {
        refused(&running().post(content_type, body), 415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let none = running().bytes("POST /graphql HTTP/1.1", body);
    refused(&none, 415, "UNSUPPORTED_MEDIA_TYPE");
    for content_type in
        [JSON, "application/json; charset=utf-8", "APPLICATION/JSON", "application/graphql+json"]
    {
        let answer = running().post(content_type, body);
        assert_eq!(answer.status, 200, "{content_type}: {}", answer.body);
        assert_eq!(answer.json()["data"]["__typename"], "Query");
    }
}

#[test]
fn what_is_not_a_request_is_told_so() {
    let bodies: [&[u8]; 11] = [
        b"",
        b"{ currentUser { id } }",
        b"{\"query\":\"{ __typename }\"",
        b"{\"query\":\"{ \xff\xfe }\"}",
        b"[{\"query\":\"{ __typename }\"}]",
        b"[]",
        b"null",
        b"\"query\"",
        b"{}",
        b"{\"query\":null}",
        b"{\"query\":7}",
    ];
    for body in bodies {
        let answer = running().post(JSON, body);
        let shown = String::from_utf8_lossy(body);
        assert_eq!(
            (answer.status, code(&answer)),
            (400, "BAD_REQUEST".to_owned()),
            "{shown}: {}",
            answer.body
        );
        refused(&answer, 400, "BAD_REQUEST");
    }
    for body in [
        &br#"{"query":"{ __typename }","variables":[]}"#[..],
        br#"{"query":"{ __typename }","operationName":1}"#,
    ] {
        refused(&running().post(JSON, body), 400, "BAD_REQUEST");
    }
    // What clients send although it says nothing.
    let body =
        br#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":{}}"#;
    assert_eq!(running().post(JSON, body).status, 200);
}

#[test]
fn deep_json_is_no_crash() {
    let body = format!("{{\"query\":{}{}", "[".repeat(100_000), "]".repeat(100_000));
    refused(&running().post(JSON, body.as_bytes()), 400, "BAD_REQUEST");
    let query = format!("{{ {} }}", "a { ".repeat(20_000));
    let reply = running().nobody().post("/graphql", &json!({"query": query}));
    assert!(reply.status == 200 && reply.json["data"].is_null(), "{}", reply.text);
    assert!(!reply.json["errors"].is_null(), "{}", reply.text);
    assert!(running().server.is_ready());
}

#[test]
fn large_bodies_are_refused() {
    let padded =
        |bytes: usize| json!({"query": "{ __typename }", "variables": {"pad": "x".repeat(bytes)}});
    const MIB: usize = 1024 * 1024;
    let small = running().nobody().post("/graphql", &padded(MIB / 2));
    assert_eq!(small.status, 200, "{}", small.text);
    let large = running().post(JSON, padded(MIB).to_string().as_bytes());
    refused(&large, 413, "BODY_TOO_LARGE");
    // With a credential there is room for files as data URLs.
    let more = running().owner().post("/graphql", &padded(2 * MIB));
    assert_eq!(more.status, 200, "{}", more.text);
    let head = format!(
        "POST /graphql HTTP/1.1\r\nContent-Type: {JSON}\r\nAuthorization: Basic {}",
        running().key
    );
    let most = running().bytes(&head, padded(33 * MIB).to_string().as_bytes());
    refused(&most, 413, "BODY_TOO_LARGE");
}

#[test]
fn long_documents_are_refused() {
    const KIB: usize = 1024;
    let padded = |bytes: usize| json!({"query": format!("{{ __typename }}#{}", "x".repeat(bytes))});
    let fits = running().nobody().post("/graphql", &padded(200 * KIB));
    assert_eq!(fits.status, 200, "{}", fits.text);
    let long = running().post(JSON, padded(256 * KIB).to_string().as_bytes());
    refused(&long, 413, "DOCUMENT_TOO_LARGE");
}

#[test]
fn a_claimed_length_is_not_believed() {
    // More is announced than comes: the client hangs up, and the server is none the worse.
    let mut stream = raw::connect(running().server.port).unwrap();
    let head = running().head(&format!("POST /graphql HTTP/1.1\r\nContent-Type: {JSON}"), 1000);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"{\"query\":").unwrap();
    drop(stream);
    assert!(running().server.is_ready());
    let twice = "POST /graphql HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked";
    let answer = running().bytes(twice, b"0\r\n\r\n");
    assert!((400..500).contains(&answer.status), "{}", answer.head);
}

/// A client that sends a byte now and then gets an answer or a closed connection; how soon is not
/// measured here, only that it comes.
#[test]
fn a_trickling_body_ends() {
    let mut stream = raw::connect(running().server.port).unwrap();
    let head = running().head(&format!("POST /graphql HTTP/1.1\r\nContent-Type: {JSON}"), 100_000);
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut answer = Vec::new();
    until("the server ends a trickling request", || {
        let mut chunk = [0; 4096];
        // Once the server has closed, writing fails; what it said is still to be read.
        let _ = stream.write_all(b"x");
        match stream.read(&mut chunk) {
            Ok(0) => Some(()),
            Ok(count) => {
                answer.extend_from_slice(&chunk[..count]);
                Some(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                None
            }
            Err(_) => Some(()),
        }
    });
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408 "), "{text}");
    assert!(running().server.is_ready());
}

/// The same for a head that never ends.
#[test]
fn a_trickling_head_ends() {
    let mut stream = raw::connect(running().server.port).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    until("the server ends a trickling head", || {
        let mut chunk = [0; 4096];
        let _ = stream.write_all(b"X-A: b\r\n");
        match stream.read(&mut chunk) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                None
            }
            _ => Some(()),
        }
    });
    assert!(running().server.is_ready());
}
