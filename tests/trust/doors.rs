//! SEC-06, 08, 11 and ruling 0.12: who gets in by which door.

use ward_tests::instance::{OWNER, link_in};
use ward_tests::{Engine, Instance, Json, Kind, Server, json, people, tell};

const PASSWORD: &str = "turnip-harbour-quilt-94";
const FORM: &str = "application/x-www-form-urlencoded";

fn ready(kind: Kind) -> (Instance, Server) {
    let instance = Instance::birth(kind, Engine::Sqlite);
    let server = instance.serve();
    people::set_password(&server.api(), &instance.owner_link, PASSWORD);
    (instance, server)
}

fn session(server: &Server, email: &str) -> Json {
    let reply = people::sign_in(&server.api(), json!({"email": email, "password": PASSWORD}));
    reply.json["data"]["signIn"]["token"].clone()
}

fn is_let_in(reply: &ward_tests::Reply) -> bool {
    match reply.code() {
        "" => true,
        "UNAUTHENTICATED" => {
            assert_eq!(reply.json["errors"][0]["message"], "API Key is Invalid", "{}", reply.text);
            assert_eq!(reply.status, 200);
            false
        }
        _ => panic!("{}", reply.text),
    }
}

/// SEC-08: a header that anybody can write passes no key's list of addresses.
#[test]
fn sec_08_a_forged_address_passes_no_list() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = |network: &str| {
        let options = ["--user", OWNER, "--allow", network];
        let made = instance.ward(&["key", "create"], &options).json();
        made["api_key"].as_str().unwrap().to_owned()
    };
    let (far, near) = (key("203.0.113.0/24"), key("127.0.0.1"));
    let ask = |server: &Server, key: &str, forwarded: &[&str]| {
        let api = forwarded
            .iter()
            .fold(server.with(key), |api, value| api.header("X-Forwarded-For", value));
        is_let_in(&api.ask("{ currentUser { id } }", json!({})))
    };
    let server = instance.serve();
    assert!(ask(&server, &near, &[]) && ask(&server, &near, &["203.0.113.5"]));
    for forged in [&[][..], &["203.0.113.5"], &["203.0.113.5", "203.0.113.6"]] {
        assert!(!ask(&server, &far, forged), "{forged:?}");
    }
    let refusals = instance.await_refusal("UNAUTHENTICATED");
    assert!(refusals > 0, "a refused address is not in the audit log");
    server.stop();
    // Behind a proxy, only what the proxy itself added counts: the last.
    let server = instance.serve_with(&["--trusted-proxy", "127.0.0.1/32"]);
    assert!(ask(&server, &far, &["203.0.113.5"]));
    assert!(ask(&server, &far, &["198.51.100.1, 203.0.113.5"]));
    assert!(!ask(&server, &far, &["203.0.113.5, 198.51.100.1"]));
    assert!(!ask(&server, &far, &["203.0.113.5", "198.51.100.1"]));
    assert!(!ask(&server, &near, &["203.0.113.5"]));
    tell("SEC-08", "2 keys, 10 addresses claimed, with and without a trusted proxy");
}

/// SEC-06 from outside: a program has its keys and no other door.
#[test]
fn sec_06_programs_have_no_door_but_their_keys() {
    let (instance, server) = ready(Kind::Sandbox);
    let key = instance.member("integration");
    people::current_user(&server.with(&key));
    let email = "integration@practice.example";
    let link = instance.ward(&["user", "link"], &["--user", email]);
    assert_ne!(link.code, Some(0), "a link for a program: {link:?}");
    people::forget_password(&server.api(), email);
    drop(instance.settled_dump());
    let inbox = server.with(&instance.owner_key()).get(&format!("/sandbox/v1/inbox?to={email}"));
    assert_eq!(inbox.json["items"], json!([]), "{}", inbox.text);
    let own = people::current_user(&server.with(&key));
    let mint = "mutation($user: ID) { createApiKey(input: {user_id: $user}) { api_key } }";
    assert_eq!(server.with(&key).ask(mint, json!({"user": own})).code(), "PERMISSION_DENIED");
    let grown = instance.ward(&["key", "create"], &["--user", email, "--expires-at", "2001-01-01"]);
    assert_ne!(grown.code, Some(0), "an end in the past: {grown:?}");
}

/// A changed address counts once the page behind its link was answered, not when it was opened.
#[test]
fn sec_11_a_new_address_is_confirmed_on_its_page() {
    const NEW: &str = "moved@practice.example";
    let (instance, server) = ready(Kind::Sandbox);
    let key = instance.owner_key();
    let token = session(&server, OWNER).as_str().unwrap().to_owned();
    let change = "mutation($email: String) { updateUser(input: {email: $email}) {
        user { email } messages { field message } } }";
    let changed = server.with(&token).ask(change, json!({"email": NEW}));
    assert_eq!(changed.data()["updateUser"]["user"]["email"], OWNER);
    drop(instance.settled_dump());
    let inbox = server.with(&key).get(&format!("/sandbox/v1/inbox?to={NEW}"));
    let text = inbox.json["items"][0]["text"].as_str().unwrap_or_else(|| panic!("{}", inbox.text));
    let rest = text.split_once("/confirm-email?token=").unwrap().1;
    let link = rest.split_whitespace().next().unwrap().to_owned();
    for _ in 0..2 {
        let page = server.api().get(&format!("/confirm-email?token={link}"));
        assert!(page.status == 200 && page.text.contains("This address is mine"), "{}", page.text);
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
    }
    assert!(session(&server, NEW).is_null(), "opening the page confirms nothing");
    people::current_user(&server.with(&token));
    let confirm =
        |link: &str| server.api().post_as("/confirm-email", FORM, format!("token={link}"));
    let done = confirm(&link);
    assert!(done.status == 200 && done.text.contains("is confirmed"), "{}", done.text);
    assert!(session(&server, NEW).is_string() && session(&server, OWNER).is_null());
    let over = server.with(&token).ask("{ currentUser { id } }", json!({}));
    assert!(!is_let_in(&over), "sessions end with the address");
    assert_eq!(confirm(&link).status, 422, "once");
    assert_eq!(confirm("nonsense").status, 422);
    // What sets a password confirms nothing, and the reverse.
    let reset = instance.ward(&["user", "link"], &["--user", NEW]).json();
    assert_eq!(confirm(&people::token_in(&link_in(&reset).unwrap())).status, 422);
}

/// Ruling 0.12: without a connector, nobody is promised codes by mail; an app needs none.
#[test]
fn ruling_12_production_promises_no_code_by_mail() {
    let (instance, server) = ready(Kind::Production);
    let token = session(&server, OWNER).as_str().unwrap().to_owned();
    let enroll = |kind: &str| {
        let query = format!(
            "mutation {{ enrollMfa(input: {{mfa_type: {kind}}}) {{ mfa_type totp_secret messages {{ field message }} }} }}"
        );
        server.with(&token).ask(&query, json!({})).json["data"]["enrollMfa"].clone()
    };
    let refused = enroll("EMAIL");
    assert_eq!(refused["messages"][0]["field"], "mfa_type", "{refused}");
    assert_eq!(enroll("TOTP")["messages"], Json::Null);
    let number = |sql: &str| instance.database().number(sql);
    assert_eq!(number("SELECT COUNT(*) FROM second_factors WHERE kind = 'EMAIL'"), 0);
    // Whoever runs the machine takes one away that was lost.
    let reset = instance.ward(&["user", "reset-mfa"], &["--user", OWNER]);
    drop(reset.ok());
    assert_eq!(number("SELECT COUNT(*) FROM second_factors"), 0);
    let over = server.with(&token).ask("{ currentUser { id } }", json!({}));
    assert!(!is_let_in(&over), "and their sessions end");
}
