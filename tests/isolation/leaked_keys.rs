//! ISO-14: a key that was published is ended by whoever found it, and by nothing else.

use ward_tests::instance::OWNER;
use ward_tests::{Engine, Instance, Kind, json, people, tell};

const JSON: &str = "application/json";

#[test]
fn iso_14_leaked_key_revoked_by_its_finder() {
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let (leaked, kept) = (instance.owner_key(), instance.owner_key());
        let another = Instance::birth(kind, Engine::Sqlite).owner_key();
        let server = instance.serve();
        let report = |body: String| {
            let reply = server.api().post_as("/keys/revoke", JSON, body);
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.text
        };
        let works = |key: &str| {
            let reply = server.with(key).ask("{ currentUser { id } }", json!({}));
            reply.code() != "UNAUTHENTICATED"
        };
        let before = instance.settled_dump();
        let mut answers = vec![report(json!({"api_key": wrong_checksum(&leaked)}).to_string())];
        // A right checksum that nobody was given, as far as it can be made from outside.
        answers.push(report(json!({"api_key": another}).to_string()));
        answers.push(report("not a key".to_owned()));
        answers.push(report(String::new()));
        instance.settled_dump().assert_unchanged_since(&before, "reports of what is no live key");
        assert!(works(&leaked) && works(&kept));
        answers.push(report(json!({"api_key": leaked}).to_string()));
        assert!(!works(&leaked), "the next call is refused");
        assert!(works(&kept), "another key of the same person is not");
        // A second report finds nothing to do, and neither answer tells.
        answers.push(report(leaked.clone()));
        answers.dedup();
        assert_eq!(answers.len(), 1, "an oracle: {answers:#?}");
        let destroyed = instance
            .audit_entries()
            .into_iter()
            .filter(|entry| entry.resource_name == "API_KEY" && entry.event_type == "DESTROY")
            .count();
        assert_eq!(destroyed, 1);
        drop(instance.settled_dump());
        if kind == Kind::Sandbox {
            let inbox = server.with(&kept).get(&format!("/sandbox/v1/inbox?to={OWNER}"));
            let told = inbox.json["items"].as_array().into_iter().flatten();
            let told = told.filter(|mail| mail["kind"] == "key_revoked").count();
            assert_eq!(told, 1, "its owner is told once: {}", inbox.text);
            assert!(!inbox.text.contains(&leaked), "the mail repeats the key");
        }
        people::current_user(&server.with(&kept));
        let logs = server.stop();
        assert!(!logs.contains(&leaked) && !logs.contains(&another), "a reported key is logged");
    }
    tell("ISO-14", "2 kinds: a live key ended, 4 other texts ignored, 1 answer for all");
}

#[test]
fn iso_14_reports_are_bounded() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let server = instance.serve();
    let statuses: Vec<u16> = (0..60)
        .map(|_| server.api().post_as("/keys/revoke", JSON, "x".to_owned()).status)
        .collect();
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    let large = server.api().post_as("/keys/revoke", JSON, "x".repeat(5_000));
    assert!(matches!(large.status, 413 | 429), "{}", large.text);
}

fn wrong_checksum(key: &str) -> String {
    let (rest, last) = key.split_at(key.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}
