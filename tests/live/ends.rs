//! What ends a socket.

use ward_tests::instance::OWNER;
use ward_tests::socket::{Socket, cable, channel, listen, subscribe, transport};
use ward_tests::{Engine, Json, json, people};

use crate::practice::{MINE, Practice, rename};

fn disconnect(reason: &str, reconnect: bool) -> Json {
    json!({"type": "disconnect", "reason": reason, "reconnect": reconnect})
}

/// A key that is deleted, and a member who is barred, hear nothing more and are closed (SEC-05).
#[test]
fn sec_05_a_revoked_credential_closes() {
    for engine in Engine::available("SEC-05") {
        let practice = Practice::open(engine, &[]);
        let second = practice.instance.owner_key();
        let mut on_cable = cable(practice.server.port, &second);
        let mut on_transport = transport(practice.server.port, &second);
        let mut stays = cable(practice.server.port, &practice.key);
        listen(&mut on_cable, &channel("1"), MINE);
        subscribe(&mut on_transport, "1", MINE);
        listen(&mut stays, &channel("1"), MINE);
        let kept = "{ apiKeys(first: 50) { nodes { id created_at } } }";
        let keys = practice.owner().ask(kept, json!({}));
        let newest = keys.data()["apiKeys"]["nodes"]
            .as_array()
            .and_then(|keys| keys.iter().max_by_key(|key| key["id"].to_string()).cloned())
            .unwrap();
        let delete =
            "mutation($id: ID) { deleteApiKey(input: {id: $id}) { messages { message } } }";
        practice.owner().ask(delete, json!({"id": newest["id"]})).data();
        assert_eq!(on_cable.message(), disconnect("unauthorized", false));
        assert_eq!(on_cable.closed().0, 1008);
        assert_eq!(on_transport.closed().0, 4401);
        rename(&practice.owner(), "Still heard");
        assert_eq!(stays.message()["message"]["more"], true);
    }
}

/// A session that signs out is closed.
#[test]
fn sec_05_a_session_that_ends_closes() {
    let practice = Practice::open(Engine::Sqlite, &[]);
    let password = "correct horse battery staple";
    let nobody = practice.server.api();
    people::set_password(&nobody, &practice.instance.owner_link, &password.replace(' ', "+"));
    let signed = people::sign_in(&nobody, json!({"email": OWNER, "password": password}));
    let token = signed.data()["signIn"]["token"].as_str().unwrap().to_owned();
    let mut socket = transport(practice.server.port, &token);
    subscribe(&mut socket, "1", MINE);
    rename(&practice.owner(), "Heard");
    assert_eq!(socket.message()["type"], "next");
    let out = "mutation { revokeToken(input: {}) { messages { message } } }";
    practice.server.with(&token).ask(out, json!({})).data();
    assert_eq!(socket.closed().0, 4401);
}

/// An orderly stop tells every client to come back, and does not wait for them.
#[test]
fn a_stop_tells_clients_to_come_back() {
    let practice = Practice::open(Engine::Sqlite, &[]);
    let mut on_cable = cable(practice.server.port, &practice.key);
    let mut on_transport = transport(practice.server.port, &practice.key);
    let mut quiet = Socket::open(
        practice.server.port,
        "/graphql/ws",
        &[("Sec-WebSocket-Protocol", "graphql-transport-ws")],
    )
    .ok()
    .unwrap();
    listen(&mut on_cable, &channel("1"), MINE);
    subscribe(&mut on_transport, "1", MINE);
    practice.server.terminate();
    assert_eq!(on_cable.message(), disconnect("server_restart", true));
    assert_eq!(on_cable.closed().0, 1012);
    assert_eq!(on_transport.closed().0, 1012);
    drop((on_cable, on_transport));
    assert_eq!(quiet.closed().0, 1012);
    let mut server = practice.server;
    assert_eq!(server.wait().code(), Some(0), "{}", server.logs());
}
