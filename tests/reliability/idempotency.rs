//! REL-09: one key, one effect.

use std::time::Duration;

use ward_tests::seeded::Seeded;
use ward_tests::wait::pause;
use ward_tests::{Engine, Instance, Kind, V2026, json, people, tell};

const CALLERS: usize = 50;
const CRASHES: usize = 10;

fn count(instance: &Instance, name: &str) -> i64 {
    instance.database().number(&format!("SELECT COUNT(*) FROM users WHERE first_name = '{name}'"))
}

#[test]
fn rel_09_one_effect_of_parallel_requests() {
    for engine in Engine::available("REL-09") {
        let instance = Instance::birth(Kind::Production, engine);
        let (key, other) = (instance.owner_key(), instance.member("provider"));
        let server = instance.serve();
        let api = server.with(&key).header("Idempotency-Key", "parallel-1");
        let ask = || api.ask(people::CREATE_CLIENT, people::new_client("parallel"));
        let replies: Vec<_> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(ask)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        for reply in &replies {
            reply.data();
            assert_eq!(reply.text, replies[0].text, "another answer to the same key");
        }
        let replayed = replies.iter().filter(|reply| reply.header("idempotent-replayed") == "true");
        let replayed = replayed.count();
        assert_eq!(count(&instance, "parallel"), 1, "not one effect");
        let told = |table: &str, of: &str| {
            let id = people::id(&replies[0].json["data"]["createClient"]["user"]);
            instance.database().number(&format!(
                "SELECT COUNT(*) FROM {table} WHERE {of} AND resource_id = '{id}'"
            ))
        };
        assert_eq!(told("events", "event_type = 'patient.created'"), 1);
        assert_eq!(told("audit_events", "event_type = 'CREATE' AND resource_name = 'USER'"), 1);
        // Another body under the same key.
        let before = instance.settled_dump();
        let reused = api.ask(people::CREATE_CLIENT, people::new_client("another"));
        assert_eq!(reused.code(), "IDEMPOTENCY_KEY_REUSED", "{}", reused.text);
        assert!(reused.json["data"]["createClient"]["user"].is_null(), "{}", reused.text);
        instance.settled_dump().assert_unchanged_since(&before, "a key used for another request");
        // Another user's key of the same text is another key.
        let theirs = server.with(&other).header("Idempotency-Key", "parallel-1");
        theirs.ask(people::CREATE_CLIENT, people::new_client("theirs")).data();
        assert_eq!(count(&instance, "theirs"), 1);
        // A refused request takes no key.
        let second = server.with(&key).header("Idempotency-Key", "refused-1");
        let refused = second.ask(people::CREATE_CLIENT, people::new_client(""));
        assert!(!refused.json["data"]["createClient"]["messages"].is_null(), "{}", refused.text);
        tell(
            "REL-09",
            format_args!(
                "{engine:?}: {CALLERS} parallel requests, 1 effect, {replayed} replays, the same bytes"
            ),
        );
    }
}

/// Another body is another body, whatever it asks for: an operation of another name, or the same
/// one under another alias.
#[test]
fn rel_09_key_of_another_document_refused() {
    let instance = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = instance.owner_key();
    let server = instance.serve();
    let api = server.with(&key).header("Idempotency-Key", "documents-1");
    api.ask(people::CREATE_CLIENT, people::new_client("once")).data();
    let before = instance.settled_dump();
    let aliased = people::CREATE_CLIENT.replacen("createClient(", "other: createClient(", 1);
    let tag =
        "mutation { createTag(input: {name: \"x\"}) { tag { id } messages { field message } } }";
    let mut faults = Vec::new();
    for (document, variables) in
        [(tag.to_owned(), json!({})), (aliased, people::new_client("twice"))]
    {
        let reply = api.ask(&document, variables);
        if reply.code() != "IDEMPOTENCY_KEY_REUSED" {
            faults.push(reply.text);
        }
    }
    faults.extend(instance.settled_dump().changes_since(&before));
    assert!(faults.is_empty(), "a key was taken for another document: {faults:#?}");
    tell("REL-09", "2 other documents under a used key refused");
}

#[test]
fn rel_09_crash_between_request_and_answer() {
    for engine in Engine::available("REL-09") {
        let mut chance = Seeded::announced("REL-09");
        let instance = Instance::birth(Kind::Production, engine);
        let key = instance.owner_key();
        let (mut before_answer, mut server) = (0, instance.serve());
        for round in 0..CRASHES {
            let name = format!("crash{round}");
            let idempotent = |server: &ward_tests::Server| {
                server.with(&key).header("Idempotency-Key", &format!("crash-{round}"))
            };
            // From before the request is read until after it is answered.
            let moment = Duration::from_micros(chance.between(0, 60_000));
            let api = idempotent(&server);
            let first = std::thread::scope(|scope| {
                let asked = scope.spawn(|| {
                    api.try_gql(V2026, people::CREATE_CLIENT, people::new_client(&name)).ok()
                });
                pause(moment);
                server.kill();
                asked.join().unwrap()
            });
            before_answer += usize::from(first.is_none());
            server = instance.serve();
            let again = idempotent(&server).ask(people::CREATE_CLIENT, people::new_client(&name));
            again.data();
            let third = idempotent(&server).ask(people::CREATE_CLIENT, people::new_client(&name));
            assert_eq!(again.text, third.text, "round {round}: another answer to the same key");
            if let Some(first) = first {
                assert_eq!(first.text, again.text, "round {round}: an acknowledged answer changed");
            }
            assert_eq!(count(&instance, &name), 1, "round {round}: not one effect");
        }
        tell(
            "REL-09",
            format_args!(
                "{engine:?}: {CRASHES} crashes, {before_answer} before the answer, each repeated to 1 effect"
            ),
        );
    }
}
