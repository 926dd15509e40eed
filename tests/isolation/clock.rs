//! ISO-46: the Sandbox's clock is nowhere in Production.

use ward_tests::program::ward_with;
use ward_tests::{Engine, Instance, Kind, json, tell};

/// ISO-46: there is no such path in Production, nor in what it says of itself.
#[test]
fn iso_46_no_clock_in_production() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let server = p.serve();
    let api = server.with(&owner);
    let before = p.settled_dump();
    let mut replies = vec![api.get("/sandbox/v1/clock"), api.get("/sandbox/v1/openapi.json")];
    for act in ["freeze", "resume", "set", "advance", "rate"] {
        replies.push(api.post(&format!("/sandbox/v1/clock/{act}"), &json!({"by": "PT1H"})));
    }
    replies.push(api.post("/sandbox/v1/be", &json!({"user": "owner@practice.example"})));
    for reply in &replies {
        assert_eq!((reply.status, reply.code()), (404, "SANDBOX_ONLY"), "{}", reply.text);
    }
    p.settled_dump().assert_unchanged_since(&before, "the Sandbox's clock");
    assert!(p.ward(&["status"], &[]).json()["clock"].is_null());
    let url = format!("http://127.0.0.1:{}", server.port);
    // A Production key never leaves this machine for a command of the Sandbox.
    let variables = [("WARD_URL", url.as_str()), ("WARD_API_KEY", owner.as_str())];
    ward_with(["sandbox", "clock", "show"], &variables).refused("ISO-11");
    tell("ISO-46", format_args!("{} calls answered SANDBOX_ONLY", replies.len()));
}
