//! Forks: private copies of a running Sandbox.

use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, until};

const PATH: &str = "/sandbox/v1/forks";
const READ: &str = "query($id: ID) { user(id: $id) { id first_name } }";

fn open(api: &Api, body: &Json) -> Json {
    let reply = api.post(PATH, body);
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

/// The API of a fork, by the same key.
fn api_of(fork: &Json, key: &str) -> Api {
    let url = fork["url"].as_str().unwrap();
    let port = url.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
    Api::at(port, Some(key))
}

/// Three clients.
fn more(api: &Api, word: &str) -> Vec<String> {
    [1, 2, 3].map(|n| people::client(api, &format!("{word}{n}"))).into()
}

fn ends(fork: &Json) {
    let url = fork["url"].as_str().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    until("the fork is gone", || std::net::TcpStream::connect(address).is_err().then_some(()));
}

#[test]
fn a_fork_has_what_there_was_and_keeps_what_it_does_to_itself() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (key, colleague) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    let api = server.with(&key);
    let first = people::furnish(&api, &server.with(&colleague), "first").clients;
    let before = s.settled_dump();
    let fork = open(&api, &json!({"ttl": "5m"}));
    let there = api_of(&fork, &key);
    let name = there.ask(READ, json!({"id": first[0]}));
    assert_eq!(name.data()["user"]["id"], first[0].as_str());
    assert_eq!(name.header("x-environment"), "sandbox");
    let webhooks = there.ask("{ webhooks { nodes { is_enabled } } }", json!({}));
    let webhooks = webhooks.data()["webhooks"]["nodes"].clone();
    assert!(!webhooks.as_array().unwrap().is_empty());
    for webhook in webhooks.as_array().unwrap() {
        assert_eq!(webhook["is_enabled"], false, "{webhook}");
    }
    // Both go on, and neither hears of the other.
    let theirs = more(&there, "theirs");
    s.settled_dump().assert_unchanged_since(&before, "what a fork did");
    let ours = more(&api, "ours");
    for id in &theirs {
        assert!(!ours.contains(id) && !first.contains(id), "{id} is two objects");
        let here = api.ask(READ, json!({"id": id}));
        assert!(here.json["data"]["user"].is_null(), "{}", here.text);
        assert_eq!(there.ask(READ, json!({"id": id})).data()["user"]["id"], id.as_str());
    }
    for id in &ours {
        assert!(there.ask(READ, json!({"id": id})).json["data"]["user"].is_null());
    }
    let sent = there.ask("{ sentWebhooks { nodes { id } } }", json!({}));
    let sent_here = api.ask("{ sentWebhooks { nodes { id } } }", json!({}));
    let count = |json: &Json| json["sentWebhooks"]["nodes"].as_array().unwrap().len();
    assert!(count(sent.data()) <= count(sent_here.data()));
    // It is neither reset nor forked.
    for path in ["/sandbox/v1/reset", PATH] {
        assert_eq!(there.post(path, &json!({})).status, 409, "{path}");
    }
    // It goes back by itself.
    assert_eq!(there.post("/sandbox/v1/snapshots", &json!({"name": "own"})).status, 200);
    let back = there.post("/sandbox/v1/snapshots/own/restore", &json!({}));
    assert_eq!(back.status, 200, "{}", back.text);
    assert_eq!(api.get("/sandbox/v1/snapshots").json["snapshots"], json!([]));
    // Ended, another one begins where it began.
    let ended = api.delete(&format!("{PATH}/{}", fork["id"].as_str().unwrap()));
    assert_eq!(ended.json["ended"], 1, "{}", ended.text);
    ends(&fork);
    assert_eq!(api.get(PATH).json["forks"], json!([]));
    let next = open(&api, &json!({}));
    let there = api_of(&next, &key);
    let id = people::client(&there, "next");
    assert_eq!(id, theirs[0], "the slot is used again");
    server.stop();
    ends(&next);
    assert!(std::fs::read_dir(s.dir.join("forks")).map_or(0, Iterator::count) == 0);
    let (intact, said) = s.verify_audit();
    assert!(intact, "{said}");
    let told = s.audit_entries();
    assert_eq!(told.iter().filter(|entry| entry.resource_name == "FORK").count(), 2);
}

#[test]
fn forks_end_by_themselves_and_are_counted() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (key, provider) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    let api = server.with(&key);
    let short = open(&api, &json!({"ttl": "1s"}));
    ends(&short);
    let mut all: Vec<Json> = (0..16).map(|_| open(&api, &json!({}))).collect();
    let more = api.post(PATH, &json!({}));
    assert_eq!((more.status, more.code()), (409, "FORK_REFUSED"), "{}", more.text);
    for fork in &all {
        let me = api_of(fork, &key).ask("{ currentUser { id } }", json!({}));
        assert!(me.data()["currentUser"]["id"].is_string(), "{}", me.text);
    }
    assert_eq!(api.get(PATH).json["forks"].as_array().unwrap().len(), 16);
    assert_eq!(server.with(&provider).post(PATH, &json!({})).status, 403);
    assert_eq!(server.with(&provider).get(PATH).status, 403);
    for bad in [json!({"ttl": "2d"}), json!({"ttl": "soon"}), json!({"for": 1})] {
        assert_eq!(api.post(PATH, &bad).status, 400, "{bad}");
    }
    let url = format!("http://127.0.0.1:{}", server.port);
    let there = [("WARD_URL", url.as_str()), ("WARD_API_KEY", key.as_str())];
    let listed = ward_with(["sandbox", "fork", "--list", "--json"], &there).json();
    assert_eq!(listed["forks"].as_array().unwrap().len(), 16);
    let first = all.remove(0);
    let id = first["id"].as_str().unwrap();
    ward_with(["sandbox", "fork", "--end", id], &there).ok();
    ends(&first);
    s.sandbox("fork", &["--end-all"]).ok();
    all.iter().for_each(ends);
    let last = s.sandbox("fork", &[]).json();
    // Killed, the process takes its forks with it.
    server.kill();
    ends(&last);
    assert_eq!(s.sandbox("fork", &[]).code, Some(69));
    let server = s.serve();
    let left = s.dir.join("forks");
    until("what a killed server left is cleared", || (!left.exists()).then_some(()));
    server.stop();
}

#[test]
fn what_is_closed_in_the_sandbox_ends_its_forks() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (key, revoked) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    let api = server.with(&key);
    let me = "{ currentUser { id } }";
    let fork = open(&api, &json!({}));
    assert!(api_of(&fork, &revoked).ask(me, json!({})).data()["currentUser"]["id"].is_string());
    s.ward(&["key", "delete"], &[&revoked[revoked.len() - 46..revoked.len() - 38]]).ok();
    ends(&fork);
    // One that is made afterwards knows of it, and lives.
    let next = open(&api, &json!({}));
    let refused = api_of(&next, &revoked).ask(me, json!({}));
    assert_eq!(refused.code(), "UNAUTHENTICATED", "{}", refused.text);
    // A rotation of the root ends it, as it ends sessions.
    s.ward(&["key", "rotate-root"], &[]).ok();
    ends(&next);
    let last = until("the rotation is done", || {
        let reply = api.post(PATH, &json!({}));
        (reply.status == 200).then_some(reply.json)
    });
    assert!(api_of(&last, &key).ask(me, json!({})).data()["currentUser"]["id"].is_string());
}

/// A fork that fails when its copy is open already leaves neither file nor number taken.
#[test]
fn a_fork_that_is_not_made_leaves_nothing() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = s.owner_key();
    let server = s.serve();
    let api = server.with(&key);
    // A clock of which the copy does not read the rate.
    s.database().execute(
        "INSERT INTO test_clock (only_row, kind, wall_at, logical_at, rate) \
         VALUES (1, 'sandbox', 0, 0, 5000000000)",
    );
    for _ in 0..17 {
        let reply = api.post(PATH, &json!({}));
        assert!(reply.status != 200 && reply.code() != "FORK_REFUSED", "{}", reply.text);
        let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).into_iter().flatten();
        let open = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let folder = s.dir.join("forks");
        let left: Vec<_> = open.filter(|path| path.starts_with(&folder)).collect();
        assert!(left.is_empty(), "files of a fork are open: {left:?}");
        assert_eq!(std::fs::read_dir(&folder).map_or(0, Iterator::count), 0);
    }
    assert_eq!(api.get(PATH).json["forks"], json!([]));
    s.database().execute("DELETE FROM test_clock");
    let fork = open(&api, &json!({}));
    let me = api_of(&fork, &key).ask("{ currentUser { id } }", json!({}));
    assert!(me.data()["currentUser"]["id"].is_string(), "{}", me.text);
}

#[test]
fn there_are_no_forks_on_postgresql_nor_of_a_production() {
    if Engine::available("forks").contains(&Engine::Postgres) {
        let s = Instance::birth(Kind::Sandbox, Engine::Postgres);
        let key = s.owner_key();
        let server = s.serve();
        let reply = server.with(&key).post(PATH, &json!({}));
        assert_eq!((reply.status, reply.code()), (409, "FORK_REFUSED"), "{}", reply.text);
        assert!(reply.text.contains("PostgreSQL"), "{}", reply.text);
    }
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = p.owner_key();
    let server = p.serve();
    let reply = server.with(&key).post(PATH, &json!({}));
    assert_eq!((reply.status, reply.code()), (404, "SANDBOX_ONLY"), "{}", reply.text);
    p.sandbox("fork", &[]).refused("ISO-35");
}
