//! ISO-11, 12, 13, 18: keys of the other environment, of another instance, of another user; and
//! that no key is ever written down.

use std::path::Path;

use ward_tests::document::document;
use ward_tests::instance::OWNER;
use ward_tests::schema::Schema;
use ward_tests::{Api, BASELINE, Engine, Instance, Kind, Reply, V2026, json, people, socket, tell};

use crate::pair::{PASSWORD, Side, pair};

/// A refused credential: the contract's words, the code, nothing executed.
#[track_caller]
fn assert_refused(reply: &Reply, code: &str, what: &str) -> String {
    let message = reply.json["errors"][0]["message"].as_str().unwrap_or_default();
    assert_eq!((reply.status, reply.code()), (200, code), "{what}: {}", reply.text);
    assert!(message.starts_with("API Key is Invalid"), "{what}: {message}");
    assert!(reply.json["data"].is_null(), "{what} was executed: {}", reply.text);
    message.to_owned()
}

#[test]
fn iso_11_key_of_the_other_environment_refused() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
        let (own, other) = (to.instance.settled_dump(), from.instance.settled_dump());
        let api = to.server.with(&from.owner);
        let mut calls = 0;
        for view in [BASELINE, V2026] {
            let schema = Schema::of(&to.server.api(), view);
            for (root, field) in schema.roots() {
                let call = document(&schema, root, field, kind.some_id(), None);
                let reply = api.gql(view, &call.query, call.variables);
                let message = assert_refused(&reply, "WRONG_ENVIRONMENT_KEY", &field.name);
                let named = format!(
                    "{} key, this server is {}; nothing was executed",
                    from.instance.kind.title(),
                    to.instance.kind.title()
                );
                assert!(message.contains(&named), "{message}");
                calls += 1;
            }
            assert!(calls > 20, "hardly anything is served: {calls}");
        }
        let audited = to.instance.await_refusal("WRONG_ENVIRONMENT_KEY");
        to.instance.settled_dump().assert_unchanged_since(&own, "a foreign key");
        from.instance.settled_dump().assert_unchanged_since(&other, "a key used elsewhere");
        tell(
            "ISO-11",
            format_args!(
                "{} key on {}: all {calls} served root fields (two views) refused, {audited} audit entries",
                from.instance.kind.title(),
                to.instance.kind.title()
            ),
        );
        // The own key still works, so it was the key that was refused.
        people::current_user(&to.as_owner());
    }
}

/// Every way that the contract's clients send a key.
fn ways(port_of: &Side, key: &str) -> Vec<(&'static str, Api)> {
    let api = || port_of.server.api();
    vec![
        ("Basic", api().header("Authorization", &format!("Basic {key}"))),
        ("Bearer", api().header("Authorization", &format!("Bearer {key}"))),
        ("bare", api().header("Authorization", key)),
        ("lower case", api().header("authorization", &format!("basic {key}"))),
    ]
}

#[test]
fn iso_12_foreign_key_leaves_no_trace() {
    let pair = pair();
    let (s, p) = (&pair.s, &pair.p);
    let another = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let cases = [
        ("Production's", p.owner.clone(), "WRONG_ENVIRONMENT_KEY"),
        ("another Sandbox's", another.owner_key(), "WRONG_INSTANCE_KEY"),
    ];
    for (whose, key, code) in &cases {
        for (way, api) in ways(s, key) {
            let reply = api.ask("{ currentUser { id } }", json!({}));
            let message = assert_refused(&reply, code, &format!("{whose} key, sent as {way}"));
            if *code == "WRONG_ENVIRONMENT_KEY" {
                assert!(message.contains("treat this key as exposed, rotate it"), "{message}");
            } else {
                assert!(message.contains(&another.tag), "{message}");
            }
            assert!(!reply.text.contains(key.as_str()), "the answer repeats the key");
            // And where it is not a credential at all.
            api.get(&format!("/graphql?token={key}"));
            api.get(&format!("/nowhere/{key}"));
            let control = api.get("/sandbox/v1/inbox");
            assert_eq!(
                control.status, 401,
                "the control plane takes {whose} key: {}",
                control.text
            );
        }
        s.instance.await_refusal(code);
    }
    let mut bytes = 0;
    for (whose, key, _) in &cases {
        // The secret part too: 32 characters before the checksum's 6.
        let secret = &key[key.len() - 38..key.len() - 6];
        for needle in [key.as_str(), secret] {
            bytes = 0;
            grep(&s.instance.dir, needle.as_bytes(), &mut bytes, whose);
            let logs = s.server.logs();
            bytes += logs.len();
            assert!(!logs.contains(needle), "{whose} key is in the logs");
        }
    }
    assert!(bytes > 100_000, "hardly anything was searched: {bytes} bytes");
    tell("ISO-12", format_args!("8 presentations of 2 foreign keys: no trace in {bytes} bytes"));
}

/// Fails where a file under a directory has the bytes; counts what was searched.
fn grep(dir: &Path, needle: &[u8], searched: &mut usize, what: &str) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            grep(&path, needle, searched, what);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{what} key is in {}", path.display());
            *searched += bytes.len();
        }
    }
}

#[test]
fn iso_13_key_moved_to_another_user_refused() {
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let (owner, support) = (instance.owner_key(), instance.member("support"));
        let server = instance.serve();
        let place = instance.database();
        let owner_id = people::current_user(&server.with(&owner));
        let support_id = people::current_user(&server.with(&support));
        assert_ne!(owner_id, support_id);
        let kid = &support[support.len() - 46..support.len() - 38];
        let refused = |what: &str| {
            let reply = server.with(&support).ask("{ currentUser { id } }", json!({}));
            assert_refused(&reply, "UNAUTHENTICATED", what);
        };
        let swap = |column: &str, value: &str| {
            place.execute(&format!("UPDATE api_keys SET {column} = {value} WHERE kid = '{kid}'"));
        };
        swap("user_id", &owner_id);
        refused("a key moved to the owner");
        instance.await_refusal("UNAUTHENTICATED");
        swap("user_id", &support_id);
        assert_eq!(people::current_user(&server.with(&support)), support_id);
        swap("expires_at", "9000000000000000");
        refused("a key with another end");
        swap("expires_at", "NULL");
        // All that opens it, laid over the owner's row.
        place.execute("CREATE TABLE kept AS SELECT * FROM api_keys");
        place.execute(&format!(
            "UPDATE api_keys SET kid = k.kid, secret_hash = k.secret_hash, row_mac = k.row_mac
               FROM kept k WHERE k.kid = '{kid}' AND api_keys.user_id = {owner_id};
             DELETE FROM api_keys WHERE user_id = {support_id};"
        ));
        refused("a key laid over the owner's row");
        place.execute(
            "DELETE FROM api_keys; INSERT INTO api_keys SELECT * FROM kept; DROP TABLE kept",
        );
        assert_eq!(people::current_user(&server.with(&support)), support_id);
    }
    tell("ISO-13", "2 kinds: owner and end changed by SQL, and laid over another row");
}

#[test]
fn iso_13_deleted_key_put_back_refused() {
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let key = instance.member("support");
        let server = instance.serve();
        people::current_user(&server.with(&key));
        let kid = &key[key.len() - 46..key.len() - 38];
        let place = instance.database();
        let saved = format!("CREATE TABLE saved AS SELECT * FROM api_keys WHERE kid = '{kid}'");
        place.execute(&saved);
        let ask = || server.with(&key).ask("{ currentUser { id } }", json!({}));
        instance.ward(&["key", "delete"], &[kid]).ok();
        assert_refused(&ask(), "UNAUTHENTICATED", "a deleted key");
        place.execute(&format!(
            "DELETE FROM api_keys WHERE kid = '{kid}';
             INSERT INTO api_keys SELECT * FROM saved; DROP TABLE saved"
        ));
        assert_refused(&ask(), "UNAUTHENTICATED", "a deleted key whose row was put back");
        instance.await_refusal("UNAUTHENTICATED");
    }
    tell("ISO-13", "2 deleted keys whose rows were put back by SQL");
}

#[test]
fn iso_18_credentials_never_logged() {
    let mut searched = 0;
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let key = instance.owner_key();
        let server = instance.serve_with(&["--log-level", "trace"]);
        let link = instance.ward(&["user", "link"], &["--user", OWNER]).json();
        let link = ward_tests::instance::link_in(&link).unwrap();
        let token = people::token_in(&link);
        server.api().get(&format!("/set-password?token={token}"));
        people::set_password(&server.api(), &link, PASSWORD);
        let input = json!({"email": OWNER, "password": PASSWORD});
        let session = people::sign_in(&server.api(), input);
        let session = session.data()["signIn"]["token"].as_str().unwrap().to_owned();
        let wrong = json!({"email": OWNER, "password": "a-wrong-password-77"});
        people::sign_in(&server.api(), wrong);
        for credential in [&key, &session] {
            for path in
                ["/graphql", "/subscriptions", "/cable", "/graphql/ws", "/files", "/nowhere"]
            {
                server.api().get(&format!("{path}?token={credential}"));
                server.with(credential).get(path);
            }
            drop(socket::cable(server.port, credential));
            drop(socket::transport(server.port, credential));
            server.with(credential).ask("{ currentUser { id } }", json!({}));
            server.with(credential).ask("{ nonsense }", json!({}));
            server.with(&format!("{credential}x")).ask("{ currentUser { id } }", json!({}));
            let query = format!("{{ validateResetPasswordToken(token: \"{credential}\") }}");
            server.api().ask(&query, json!({}));
        }
        let logs = server.stop();
        for secret in [&key, &session, &token, PASSWORD, "a-wrong-password-77"] {
            assert!(!logs.contains(secret), "{}: a credential is in the logs", kind.title());
        }
        searched += logs.len();
    }
    assert!(searched > 100, "nothing was logged");
    tell(
        "ISO-18",
        format_args!("5 secrets of 2 instances not in {searched} bytes of logs at trace"),
    );
}
