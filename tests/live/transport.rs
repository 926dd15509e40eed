//! graphql-transport-ws: the protocol of the `graphql-ws` library.

use ward_tests::socket::{Socket, subscribe, transport, unacknowledged};
use ward_tests::{Engine, Json, V2026, json, people};

use crate::practice::{MINE, Practice, rename, shared, told};

#[test]
fn events_come_until_the_end() {
    for engine in Engine::available("graphql-transport-ws") {
        let practice = Practice::open(engine, &[]);
        let mut socket = transport(practice.server.port, &practice.key);
        subscribe(&mut socket, "one", MINE);
        for n in 0..5 {
            rename(&practice.owner(), &format!("Name {n}"));
            let wanted = json!({"id": "one", "type": "next", "payload": told(&practice.me)});
            assert_eq!(socket.message(), wanted);
        }
        socket.say(&json!({"type": "complete", "id": "one"}));
        socket.say(&json!({"type": "ping", "payload": {"a": 1}}));
        assert_eq!(socket.message(), json!({"type": "pong", "payload": {"a": 1}}));
        rename(&practice.owner(), "Nobody hears");
        socket.is_silent();
        // Its id may be used again.
        subscribe(&mut socket, "one", MINE);
        rename(&practice.owner(), "Heard");
        assert_eq!(socket.message()["type"], "next");
    }
}

#[test]
fn queries_and_mutations_have_one_answer() {
    let practice = Practice::open(Engine::Sqlite, &[]);
    let mut socket = transport(practice.server.port, &practice.key);
    let ask = |socket: &mut Socket, query: &str, variables: Json| {
        let payload = json!({"query": query, "variables": variables});
        socket.say(&json!({"type": "subscribe", "id": "q", "payload": payload}));
        socket.message()
    };
    let next = ask(&mut socket, "{ currentUser { id } }", json!({}));
    let data = json!({"data": {"currentUser": {"id": practice.me}}});
    assert_eq!(next, json!({"id": "q", "type": "next", "payload": data}));
    assert_eq!(socket.message(), json!({"id": "q", "type": "complete"}));
    let next = ask(&mut socket, people::CREATE_CLIENT, people::new_client("sock"));
    assert_eq!(next["payload"]["data"]["createClient"]["user"]["first_name"], "sock", "{next}");
    assert_eq!(socket.message()["type"], "complete");
    for query in ["{ nothing }", "subscription { nothing }", "{"] {
        let error = ask(&mut socket, query, json!({}));
        assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("q")), "{error}");
        assert!(error["payload"][0]["message"].is_string(), "{error}");
    }
}

#[test]
fn the_version_is_asked_for_in_the_first_message() {
    let kind = "{ __type(name: \"User\") { fields { name type { name ofType { name } } } } }";
    let created_at = |version: Option<&str>| {
        let mut socket = unacknowledged(shared().server.port);
        let mut payload = json!({"token": shared().key});
        if let Some(version) = version {
            payload["Healthie-GraphQL-API-Version"] = version.into();
        }
        socket.say(&json!({"type": "connection_init", "payload": payload}));
        socket.message();
        socket.say(&json!({"type": "subscribe", "id": "1", "payload": {"query": kind}}));
        let answer = socket.message();
        let fields = answer["payload"]["data"]["__type"]["fields"].as_array().cloned().unwrap();
        let field = fields.into_iter().find(|field| field["name"] == "created_at").unwrap();
        let name = |ty: &Json| ty["name"].as_str().map(str::to_owned);
        name(&field["type"]).or_else(|| name(&field["type"]["ofType"])).unwrap()
    };
    assert_eq!(created_at(None), "String");
    assert_eq!(created_at(Some(V2026)), "ISO8601DateTime");
}

#[test]
fn what_breaks_the_protocol_is_closed_with_its_code() {
    let port = shared().server.port;
    let key = json!({"Authorization": format!("Basic {}", shared().key)});
    let operation = json!({"type": "subscribe", "id": "1", "payload": {"query": MINE}});
    let init = |payload: Json| json!({"type": "connection_init", "payload": payload});
    let unauthorized: Vec<Json> = vec![operation.clone()];
    let expecting_both = json!({
        "token": shared().key,
        "X-Expect-Environment": "sandbox",
        "x-expect-environment": "production",
    });
    for (code, said) in [
        (4401, unauthorized),
        (4403, vec![init(json!({}))]),
        (4403, vec![init(json!({"Authorization": "Basic ward_made_up"}))]),
        (4403, vec![init(json!({"token": shared().key, "X-Expect-Environment": "production"}))]),
        (4403, vec![init(expecting_both)]),
        (4429, vec![init(key.clone()), init(key.clone())]),
        (4409, vec![init(key.clone()), operation.clone(), operation.clone()]),
        (4400, vec![init(key.clone()), json!({"type": "dance"})]),
        (4400, vec![init(key.clone()), json!({"type": "subscribe", "payload": {"query": MINE}})]),
        (4400, vec![init(key.clone()), json!({"type": "subscribe", "id": "1"})]),
        (4400, vec![json!([1])]),
    ] {
        let mut socket = unacknowledged(port);
        for message in &said {
            socket.say(message);
        }
        assert_eq!(socket.closed().0, code, "{said:?}");
    }
    let mut socket = unacknowledged(port);
    socket.text("no JSON");
    assert_eq!(socket.closed().0, 4400);
    // Who offers no protocol speaks none.
    let mut socket = Socket::open(port, "/graphql/ws", &[]).ok().unwrap();
    assert_eq!(socket.closed().0, 4406);
}

#[test]
fn who_says_nothing_is_closed() {
    let mut socket = unacknowledged(shared().server.port);
    assert_eq!(socket.closed().0, 4408);
}
