//! ActionCable (behaviour 12).

use ward_tests::socket::{Came, Socket, cable, channel, execute, listen};
use ward_tests::{Engine, json};

use crate::practice::{MINE, Practice, rename, shared, told};

#[test]
fn welcome_and_pings() {
    for path in ["/subscriptions", "/cable"] {
        let path = format!("{path}?token={}", shared().key);
        let offered = [("Sec-WebSocket-Protocol", "actioncable-v1-json, actioncable-unsupported")];
        let mut socket = Socket::open(shared().server.port, &path, &offered).ok().unwrap();
        let header = |name: &str| {
            socket.response.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
        };
        assert_eq!(header("sec-websocket-protocol"), "actioncable-v1-json");
        assert_eq!(header("x-environment"), "sandbox");
        let Came::Json(welcome) = socket.any() else { panic!("no welcome") };
        assert_eq!(welcome["type"], "welcome");
        assert!(!welcome["sid"].as_str().unwrap().is_empty());
        let Came::Json(ping) = socket.any() else { panic!("no ping") };
        assert_eq!(ping["type"], "ping");
        let seconds = ping["message"].as_i64().unwrap();
        assert!((1_700_000_000..9_000_000_000).contains(&seconds), "Unix seconds: {ping}");
    }
    // A client that offers no sub-protocol is served too, and one with a header.
    let basic = format!("Basic {}", shared().key);
    let mut socket =
        Socket::open(shared().server.port, "/cable", &[("Authorization", &basic)]).ok().unwrap();
    assert_eq!(socket.message()["type"], "welcome");
}

#[test]
fn identifiers_come_back_byte_for_byte() {
    let mut socket = cable(shared().server.port, &shared().key);
    for identifier in [
        r#"{"channel":"GraphqlChannel","channelId":"19a0c"}"#,
        r#"{ "channelId" : "é \u00e9 \" \\ 🦀",  "channel":"GraphqlChannel"}"#,
        "{\"channel\":\"GraphqlChannel\",\n\t\"channelId\":1}",
    ] {
        socket.say(&json!({"command": "subscribe", "identifier": identifier}));
        let confirmed = socket.message();
        let wanted = json!({"identifier": identifier, "type": "confirm_subscription"});
        assert_eq!(confirmed, wanted);
        execute(&mut socket, identifier, "{ __typename }");
        let answer = socket.message();
        assert_eq!(answer["identifier"], identifier);
        let message = json!({"more": false, "result": {"data": {"__typename": "Query"}}});
        assert_eq!(answer["message"], message);
    }
    for identifier in [r#"{"channel":"ChatChannel"}"#, "GraphqlChannel", "", "[]", "null"] {
        socket.say(&json!({"command": "subscribe", "identifier": identifier}));
        let wanted = json!({"identifier": identifier, "type": "reject_subscription"});
        assert_eq!(socket.message(), wanted);
    }
}

/// The subscription tells, whatever form its message has; and nothing after its end.
#[test]
fn events_come_until_the_end() {
    for engine in Engine::available("cable") {
        let practice = Practice::open(engine, &[]);
        let mut socket = cable(practice.server.port, &practice.key);
        let identifier = channel("1");
        listen(&mut socket, &identifier, MINE);
        for n in 0..5 {
            rename(&practice.owner(), &format!("Name {n}"));
            let event = socket.message();
            let message = json!({"more": true, "result": told(&practice.me)});
            assert_eq!(event, json!({"identifier": identifier, "message": message}));
        }
        // Two on one socket are told apart; a bare query does too.
        let second = channel("2");
        socket.say(&json!({"command": "subscribe", "identifier": second}));
        socket.message();
        socket.say(&json!({"command": "message", "identifier": second, "data": MINE}));
        assert_eq!(socket.message()["message"]["more"], true);
        rename(&practice.owner(), "Both");
        let mut told = [socket.message(), socket.message()].map(|it| it["identifier"].clone());
        told.sort_by_key(ToString::to_string);
        assert_eq!(told, [json!(identifier), json!(second)]);
        for ended in [&identifier, &second] {
            socket.say(&json!({"command": "unsubscribe", "identifier": ended}));
        }
        let probe = channel("3");
        socket.say(&json!({"command": "subscribe", "identifier": probe}));
        assert_eq!(socket.message()["type"], "confirm_subscription");
        rename(&practice.owner(), "Nobody hears");
        socket.is_silent();
        // What is said to a channel that is not there is heard by nobody.
        execute(&mut socket, &identifier, MINE);
        socket.is_silent();
    }
}

#[test]
fn what_is_refused_ends_its_stream() {
    let mut socket = cable(shared().server.port, &shared().key);
    let identifier = channel("1");
    socket.say(&json!({"command": "subscribe", "identifier": identifier}));
    socket.message();
    for query in [
        "subscription { nothing }",
        "subscription { userUpdatedSubscription { id } a: userUpdatedSubscription { id } }",
        "subscription { __typename }",
        "{",
        "",
    ] {
        execute(&mut socket, &identifier, query);
        let answer = socket.message();
        assert_eq!(answer["message"]["more"], false, "{query}: {answer}");
        assert!(answer["message"]["result"]["errors"][0]["message"].is_string(), "{answer}");
        assert!(answer["message"]["result"].get("data").is_none(), "{answer}");
    }
    // It goes on after all that.
    execute(&mut socket, &identifier, "{ currentUser { id } }");
    let answer = socket.message();
    assert_eq!(answer["message"]["result"]["data"]["currentUser"]["id"], shared().me.as_str());
}

#[test]
fn who_is_not_known_is_disconnected() {
    let other = Practice::open(Engine::Sqlite, &[]);
    for token in ["", "ward_made_up", &other.key] {
        let path = format!("/subscriptions?token={token}");
        let mut socket = Socket::open(shared().server.port, &path, &[]).ok().unwrap();
        let wanted = json!({"type": "disconnect", "reason": "unauthorized", "reconnect": false});
        assert_eq!(socket.message(), wanted, "{token}");
        assert_eq!(socket.closed().0, 1008);
    }
}

#[test]
fn what_is_no_command_is_told_and_closed() {
    for said in [
        "",
        "{",
        "[]",
        "{\"command\":\"dance\",\"identifier\":\"x\"}",
        "{\"command\":\"subscribe\"}",
    ] {
        let mut socket = cable(shared().server.port, &shared().key);
        socket.text(said);
        let wanted = json!({"type": "disconnect", "reason": "invalid_request", "reconnect": false});
        assert_eq!(socket.message(), wanted, "{said}");
        assert_eq!(socket.closed().0, 1007);
    }
    let mut socket = cable(shared().server.port, &shared().key);
    socket.bytes(b"\x00");
    assert_eq!(socket.message()["reason"], "invalid_request");
    assert_eq!(socket.closed().0, 1007);
}
