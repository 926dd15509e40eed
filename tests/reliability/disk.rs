//! REL-04, REL-05: a disk that fails to sync, and a full one.

use ward_tests::{Api, Engine, Instance, Kind, Reply, V2026, json, people, tell, until};

use crate::machine::{Control, Machine};

fn create(api: &Api, name: &str) -> Reply {
    api.gql(V2026, people::CREATE_CLIENT, people::new_client(name))
}

fn is_done(reply: &Reply) -> bool {
    reply.status == 200 && reply.json["data"]["createClient"]["user"].is_object()
}

/// One sentence that tells what to do, and nothing of how Ward works inside.
fn is_clear_refusal(reply: &Reply) -> bool {
    let message = reply.json["errors"][0]["message"].as_str().unwrap_or_default();
    let tells_too_much = ["SQLITE", "sqlite", "panicked", "/ward.db"];
    !message.is_empty() && !tells_too_much.iter().any(|word| reply.text.contains(word))
}

fn names(api: &Api) -> Vec<String> {
    let reply = api.ask(
        "{ users(first: 1000, show_all_by_default: true) { nodes { first_name } } }",
        json!({}),
    );
    let nodes = reply.data()["users"]["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|node| node["first_name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn rel_04_nothing_is_acknowledged_after_a_failed_sync() {
    let machine = Machine::new();
    let mut instance = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = instance.owner_key();
    let mut server = machine.serve(&mut instance);
    let api = server.with(&key);
    assert!(is_done(&create(&api, "before")));
    machine.set(Control::FailingSyncs, 1);
    let mut refused = 0;
    // The one sync may be another's than this write's: until it has happened, writes are good.
    let mut acknowledged = vec!["before".to_owned()];
    for number in 0..20 {
        let name = format!("after{number}");
        let reply = create(&api, &name);
        match is_done(&reply) {
            true => acknowledged.push(name),
            false => {
                assert!(is_clear_refusal(&reply), "not a clear refusal: {}", reply.text);
                refused += 1;
            }
        }
        let failed = machine.get(Control::FailedSyncs) == 1;
        assert!(!failed || !is_done(&reply) || refused == 0, "acknowledged after a failed sync");
    }
    assert_eq!(machine.get(Control::FailedSyncs), 1, "the fault did not happen");
    assert!(refused > 0, "every write was acknowledged");
    // Reads go on, what was acknowledged is there, and whoever watches is told.
    let seen = names(&api);
    assert!(acknowledged.iter().all(|name| seen.contains(name)), "{seen:?}");
    until("it says that it is not ready", || (!server.is_ready()).then_some(()));
    assert!(server.logs().contains("a commit failed"), "no alarm: {}", server.logs());
    assert!(server.ended().is_none());
    drop(server);
    // A restart on a good disk: everything that was acknowledged, and the log is intact.
    let server = instance.serve();
    let api = server.with(&key);
    let seen = names(&api);
    assert!(acknowledged.iter().all(|name| seen.contains(name)), "lost: {acknowledged:?} {seen:?}");
    assert!(is_done(&create(&api, "again")));
    server.stop();
    assert!(instance.verify_audit().0);
    tell(
        "REL-04",
        format_args!(
            "1 sync failed: {refused} of 20 writes refused, the other {} kept",
            acknowledged.len()
        ),
    );
}

#[test]
fn rel_05_a_full_disk_stops_writes_and_not_reads() {
    let machine = Machine::new();
    let mut instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let mut server = machine.serve(&mut instance);
    let api = server.with(&key);
    assert!(is_done(&create(&api, "before")));
    machine.set(Control::IsFull, 1);
    for number in 0..10 {
        let reply = create(&api, &format!("full{number}"));
        assert!(!is_done(&reply), "acknowledged on a full disk: {}", reply.text);
        assert!(is_clear_refusal(&reply), "not a clear refusal: {}", reply.text);
        assert_eq!(names(&api), ["before"], "reads stop, or something was half-written");
    }
    let picture = api.ask(
        "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { message } } }",
        json!({"input": {"avatar_string": PIXEL}}),
    );
    assert!(picture.json["data"]["updateUser"]["user"].is_null(), "{}", picture.text);
    let refused = machine.get(Control::RefusedWrites);
    assert!(refused > 0, "the fault did not happen");
    machine.set(Control::IsFull, 0);
    assert!(server.ended().is_none());
    // Space is there again: it goes on without a restart.
    until("writes are taken again", || is_done(&create(&api, "after")).then_some(()));
    people::avatar(&api);
    let mut seen = names(&api);
    seen.sort();
    assert_eq!(seen, ["after", "before"]);
    server.stop();
    assert!(instance.verify_audit().0);
    tell(
        "REL-05",
        format_args!(
            "{refused} writes to files refused; 11 mutations refused, reads went on, recovered"
        ),
    );
}

const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
