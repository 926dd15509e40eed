//! What bounds a socket: size, rate, number, and how fast it reads.

use ward_tests::socket::{
    Came, Socket, cable, channel, execute, listen, transport, unacknowledged,
};
use ward_tests::{Engine, Json, json, wait};

use crate::practice::{MINE, Practice, rename, shared};

/// A consumer that does not read is cut off with a code that says so, and the server goes on.
#[test]
fn rel_10_a_slow_consumer_is_cut_off() {
    let practice = Practice::open(Engine::Sqlite, &[]);
    let mut slow = transport(practice.server.port, &practice.key);
    let mut fair = cable(practice.server.port, &practice.key);
    listen(&mut fair, &channel("1"), MINE);
    // A large answer: one field many times, under long names.
    let name = |n: usize| format!("a{n:04}{}", "x".repeat(190));
    let fields: String = (0..1_200).map(|n| format!("{}:id ", name(n))).collect();
    let query = format!("subscription {{ userUpdatedSubscription {{ {fields} }} }}");
    for id in 0..2 {
        slow.say(&json!({"type": "subscribe", "id": id.to_string(), "payload": {"query": query}}));
    }
    slow.say(&json!({"type": "ping"}));
    assert_eq!(slow.message(), json!({"type": "pong"}));
    // Meanwhile it reads nothing.
    for n in 0..60 {
        rename(&practice.owner(), &format!("Name {n}"));
        assert_eq!(fair.message()["message"]["more"], true);
    }
    let mut told = 0;
    let end = loop {
        match slow.any() {
            Came::Json(json) => {
                assert_eq!(json["type"], "next");
                told += 1;
            }
            Came::Closed(code, reason) => break (code, reason),
        }
    };
    assert_eq!(end, (1013, "Too slow to read".to_owned()), "after {told} messages");
    assert!(told < 120);
    rename(&practice.owner(), "Still there");
    assert_eq!(fair.message()["message"]["more"], true);
}

#[test]
fn a_message_that_is_too_long_closes() {
    let mut socket = transport(shared().server.port, &shared().key);
    let long = format!("{{ currentUser {{ id }} }} #{}", "x".repeat(1024 * 1024));
    socket.say(&json!({"type": "subscribe", "id": "1", "payload": {"query": long}}));
    assert_eq!(socket.closed().0, 1009);
    // One that fits, but whose document is longer than over HTTP.
    let mut socket = cable(shared().server.port, &shared().key);
    let identifier = channel("1");
    socket.say(&json!({"command": "subscribe", "identifier": identifier}));
    socket.message();
    execute(&mut socket, &identifier, &format!("{{ __typename }} #{}", "x".repeat(300 * 1024)));
    let answer = socket.message();
    let code = &answer["message"]["result"]["errors"][0]["extensions"]["code"];
    assert_eq!((&answer["message"]["more"], code), (&json!(false), &json!("DOCUMENT_TOO_LARGE")));
}

#[test]
fn a_socket_has_a_bounded_number_of_subscriptions() {
    let mut socket = transport(shared().server.port, &shared().key);
    for n in 0..101 {
        let payload = json!({"query": MINE});
        socket.say(&json!({"type": "subscribe", "id": n.to_string(), "payload": payload}));
    }
    let refused = socket.message();
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("100")), "{refused}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS");
    // With one less there is room again.
    socket.say(&json!({"type": "complete", "id": "7"}));
    socket.say(&json!({"type": "subscribe", "id": "again", "payload": {"query": MINE}}));
    socket.say(&json!({"type": "ping"}));
    assert_eq!(socket.message(), json!({"type": "pong"}));
}

#[test]
fn too_many_operations_are_refused_as_over_http() {
    let practice = Practice::open(Engine::Sqlite, &["--rate-limit", "5"]);
    let mut socket = transport(practice.server.port, &practice.key);
    let mut codes: Vec<Json> = Vec::new();
    for n in 0..60 {
        let payload = json!({"query": "{ __typename }"});
        socket.say(&json!({"type": "subscribe", "id": n.to_string(), "payload": payload}));
    }
    for _ in 0..60 {
        let answer = socket.message();
        match answer["type"].as_str() {
            Some("error") => codes.push(answer["payload"][0]["extensions"]["code"].clone()),
            _ => assert_eq!(socket.message()["type"], "complete"),
        }
    }
    assert!(codes.iter().all(|code| code == "TOO_MANY_REQUESTS"), "{codes:?}");
    assert!(codes.len() >= 20, "only {} were refused", codes.len());
}

#[test]
fn the_same_doors_as_over_http() {
    let port = shared().server.port;
    let token = format!("/subscriptions?token={}", shared().key);
    let refused = |path: &str, headers: &[(&str, &str)]| match Socket::open(port, path, headers) {
        Ok(_) => 101,
        Err(status) => status,
    };
    for path in [token.as_str(), "/graphql/ws"] {
        assert_eq!(refused(path, &[("X-Expect-Environment", "production")]), 421, "{path}");
        assert_eq!(refused(path, &[("Host", "elsewhere.example")]), 421, "{path}");
        assert_eq!(refused(path, &[("Healthie-GraphQL-API-Version", "2020-02-02")]), 400, "{path}");
        assert_eq!(refused(path, &[("X-Expect-Environment", "sandbox")]), 101, "{path}");
        let plain = shared().server.api().get(path);
        assert_eq!((plain.status, plain.code()), (426, "UPGRADE_REQUIRED"), "{}", plain.text);
    }
    drop(unacknowledged(port));
}

/// One person does not use up what others need.
#[test]
fn a_person_has_a_bounded_number_of_sockets() {
    let practice = Practice::open(Engine::Sqlite, &[]);
    let port = practice.server.port;
    let colleague = practice.instance.member("provider");
    let mut sockets: Vec<Socket> = (0..50).map(|_| transport(port, &practice.key)).collect();
    // Whichever protocol, and after the credential was looked at.
    let mut one_more = unacknowledged(port);
    one_more.say(&init(&practice.key));
    assert_eq!(one_more.closed(), (1013, "Try again later".to_owned()));
    let path = format!("/subscriptions?token={}", practice.key);
    let mut one_more = Socket::open(port, &path, &[]).expect("a socket");
    assert_eq!(one_more.message()["reason"], "overloaded");
    drop(transport(port, &colleague));
    drop(sockets.pop());
    wait::until("a socket is free", || {
        let mut again = unacknowledged(port);
        again.say(&init(&practice.key));
        matches!(again.any(), Came::Json(json) if json["type"] == "connection_ack").then_some(())
    });
}

#[test]
fn a_person_has_a_bounded_number_of_subscriptions() {
    let practice = Practice::open(Engine::Sqlite, &["--rate-limit", "0"]);
    let subscribe_all = |socket: &mut Socket| {
        for n in 0..100 {
            let payload = json!({"query": MINE});
            socket.say(&json!({"type": "subscribe", "id": n.to_string(), "payload": payload}));
        }
        socket.say(&json!({"type": "ping"}));
        socket.message()
    };
    let mut sockets: Vec<Socket> =
        (0..6).map(|_| transport(practice.server.port, &practice.key)).collect();
    for socket in &mut sockets[..5] {
        assert_eq!(subscribe_all(socket), json!({"type": "pong"}));
    }
    let refused = subscribe_all(&mut sockets[5]);
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS", "{refused}");
    while sockets[5].message()["type"] != "pong" {}
    // The places of a socket that went are free again.
    drop(sockets.remove(0));
    wait::until("subscriptions are free", || {
        let mut socket = transport(practice.server.port, &practice.key);
        (subscribe_all(&mut socket) == json!({"type": "pong"})).then_some(())
    });
}

/// Who shows no credential holds few places and little memory.
#[test]
fn strangers_have_few_places() {
    let practice = Practice::open(Engine::Sqlite, &["--rate-limit", "0"]);
    let port = practice.server.port;
    let mut waiting: Vec<Socket> = (0..100).map(|_| unacknowledged(port)).collect();
    let offered = [("Sec-WebSocket-Protocol", "graphql-transport-ws")];
    assert_eq!(Socket::open(port, "/graphql/ws", &offered).err(), Some(503));
    // With a credential a place is none of these any more.
    let mut accepted = waiting.pop().expect("a socket");
    accepted.say(&init(&practice.key));
    assert_eq!(accepted.message(), json!({"type": "connection_ack"}));
    let mut long = unacknowledged(port);
    let token = "x".repeat(16 * 1024);
    long.say(&json!({"type": "connection_init", "payload": {"token": token}}));
    assert!([1009, 0].contains(&long.closed().0), "a first message of 16 KiB is heard");
    accepted.say(&json!({"type": "ping"}));
    assert_eq!(accepted.message(), json!({"type": "pong"}));
}

/// Messages that never end are held for a person up to a bound, and others are not hurt.
#[test]
fn messages_without_an_end_are_bounded() {
    let practice = Practice::open(Engine::Sqlite, &["--rate-limit", "0"]);
    let port = practice.server.port;
    let colleague = practice.instance.member("provider");
    let mut other = transport(port, &colleague);
    let part = vec![b'x'; 900 * 1024];
    let mut sockets: Vec<Socket> = (0..20).map(|_| transport(port, &practice.key)).collect();
    let mut held = 0;
    for socket in &mut sockets {
        socket.begin(&part);
        // Answered between the parts of a message, as the protocol has it.
        held += usize::from(socket.is_alive());
    }
    assert!((1..=4).contains(&held), "{held} messages of 900 KiB are held");
    let long = format!("{{ __typename }} #{}", "x".repeat(200 * 1024));
    other.say(&json!({"type": "subscribe", "id": "1", "payload": {"query": long}}));
    assert_eq!(other.message()["payload"]["data"]["__typename"], "Query");
    drop(sockets);
    // What they held is free again.
    wait::until("what was held is free", || {
        let mut socket = transport(port, &practice.key);
        socket.begin(&part);
        socket.is_alive().then_some(())
    });
}

fn init(key: &str) -> Json {
    json!({"type": "connection_init", "payload": {"token": key}})
}
