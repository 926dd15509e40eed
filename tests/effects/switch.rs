//! Which effects happen: the switch of each class, what waits behind it, and who may turn it.

use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, Output, Server, json, people, tell, until};

fn class(api: &Api, name: &str) -> Json {
    let reply = api.get("/effects");
    assert_eq!(reply.status, 200, "{}", reply.text);
    let classes = reply.json["classes"].as_array().unwrap().clone();
    classes.into_iter().find(|class| class["class"] == name).unwrap()
}

#[track_caller]
fn set(api: &Api, name: &str, mode: &str) -> Json {
    let reply = api.post(&format!("/effects/{name}"), &json!({"mode": mode, "reason": "a test"}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

fn ward_effects(server: &Server, key: &str, words: &[&str]) -> Output {
    let url = format!("http://127.0.0.1:{}", server.port);
    let mut arguments = vec!["effects"];
    arguments.extend(words);
    arguments.push("--json");
    ward_with(arguments, &[("WARD_URL", &url), ("WARD_API_KEY", key)])
}

#[test]
fn production_begins_with_account_mail_and_nothing_else() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let server = p.serve();
    let answer = ward_effects(&server, &owner, &["list"]).json();
    let stands: Vec<_> = answer["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| (class["class"].as_str().unwrap(), class["mode"].as_str().unwrap()))
        .collect();
    let off = ["email", "sms", "push", "video", "scan"].map(|class| (class, "off"));
    let expected = [[("account_mail", "live")].as_slice(), &off].concat();
    assert_eq!(stands, expected);
    assert_eq!(class(&server.with(&owner), "account_mail")["connected"], false);
    let answer = ward_effects(&server, &owner, &["set", "sms", "live", "--reason", "a drill"]);
    assert_eq!(answer.json()["mode"], "live");
    let no_reason = ward_effects(&server, &owner, &["set", "sms", "off"]);
    assert_eq!(no_reason.code, Some(2), "{no_reason:?}");
    assert_eq!(class(&server.with(&owner), "sms")["reason"], "a drill");
    let decided = p.audit_entries().into_iter().filter(|it| it.resource_name == "EFFECT_CLASS");
    assert_eq!(decided.count(), 1);
    tell("effects", "a Production is born with 1 of 6 classes on");
}

#[test]
fn what_is_off_waits_and_is_sent_once_it_is_on() {
    for engine in Engine::available("effects") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let api = server.with(&owner);
        assert_eq!(set(&api, "account_mail", "off")["mode"], "off");
        for name in ["ada", "ben"] {
            people::welcomed_client(&server.with(&provider), name);
        }
        let waiting = || class(&api, "account_mail")["waiting"].as_i64().unwrap();
        until("both wait", || (waiting() == 2).then_some(()));
        assert_eq!(api.get("/sandbox/v1/inbox").json["items"], json!([]));
        // The switch outlives a restart.
        server.stop();
        let server = s.serve();
        let api = server.with(&owner);
        assert_eq!(class(&api, "account_mail")["mode"], "off");
        let answer =
            ward_effects(&server, &owner, &["set", "account_mail", "live", "--reason", "on"]);
        let answer = answer.json();
        assert_eq!((&answer["released"], &answer["expired"]), (&json!(2), &json!(0)), "{answer}");
        until("both are sent", || {
            let inbox = api.get("/sandbox/v1/inbox").json;
            (inbox["items"].as_array().unwrap().len() == 2).then_some(())
        });
        let counts = class(&api, "account_mail");
        assert_eq!((&counts["waiting"], &counts["queued"]), (&json!(0), &json!(0)), "{counts}");
    }
}

#[test]
fn who_may_turn_it() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, provider) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    let stranger = "mutation { signUp(input: {email: \"other@practice.example\", password: \"violet-harbour-93-lantern\", role: \"dietitian\", first_name: \"O\", last_name: \"O\"}) { user { id } messages { field message } } }";
    server.api().ask(stranger, json!({})).data();
    let other = s.key("other@practice.example");
    let body = json!({"mode": "off", "reason": "mine"});
    for (caller, status) in [(Some(&provider), 403), (Some(&other), 403), (None, 401)] {
        let api = caller.map_or_else(|| server.api(), |key| server.with(key));
        assert_eq!(api.get("/effects").status, status);
        assert_eq!(api.post("/effects/email", &body).status, status);
    }
    for (path, body, status) in [
        ("/effects/fax", body.clone(), 404),
        ("/effects/email", json!({"mode": "off"}), 400),
        ("/effects/email", json!({"mode": "off", "reason": " "}), 400),
        ("/effects/account_mail", json!({"mode": "cohort", "reason": "x"}), 400),
        ("/effects/scan", json!({"mode": "cohort", "reason": "x"}), 400),
        ("/effects/email", json!({"mode": "on", "reason": "x"}), 400),
    ] {
        let reply = server.with(&owner).post(path, &body);
        assert_eq!(reply.status, status, "{path} {body}: {}", reply.text);
    }
    assert_eq!(class(&server.with(&owner), "email")["mode"], "live");
}

#[test]
fn what_failed_is_listed_and_replayed() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, provider) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    people::welcomed_client(&server.with(&provider), "ada");
    let api = server.with(&owner);
    let inbox = || api.get("/sandbox/v1/inbox").json["items"].as_array().unwrap().len();
    until("the mail is sent", || (inbox() == 1).then_some(()));
    s.database().execute("DELETE FROM simulated_messages");
    s.database().execute("UPDATE effect_intents SET state = 'failed', last_error = 'a drill'");
    let failed = ward_effects(&server, &owner, &["failed", "--class", "account_mail"]).json();
    let items = failed["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["error"]), (1, &json!("a drill")), "{failed}");
    assert!(!failed.to_string().contains("client.example"), "an address: {failed}");
    let id = items[0]["id"].as_str().unwrap();
    assert_eq!(server.with(&provider).get("/effects/failed").status, 403);
    assert_eq!(api.post("/effects/failed/nothing/replay", &json!({})).status, 404);
    assert_eq!(ward_effects(&server, &owner, &["replay", id]).json()["replayed"], id);
    until("it is sent", || (inbox() == 1).then_some(()));
    let again = ward_effects(&server, &owner, &["replay", id]);
    assert_eq!(again.code, Some(1), "{again:?}");
}

/// A connector that is configured is connected; one that can't be armed refuses the start.
#[test]
fn productions_connectors_are_armed_at_the_start() {
    let mut p = Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let mail = [
        ("WARD_PRODUCTION_SMTP_HOST", "localhost"),
        ("WARD_PRODUCTION_SMTP_FROM", "mail@practice.example"),
    ];
    let signed_in = [
        ("WARD_PRODUCTION_SMTP_USER", "ward"),
        ("WARD_PRODUCTION_SMTP_PASSWORD_FILE", "not-there"),
    ];
    let refused = p.refused_start(&[mail, signed_in].concat());
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains("smtp_password_file"), "{refused:?}");
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    p.variables.extend(mail.map(owned));
    let server = p.serve();
    let api = server.with(&owner);
    assert_eq!(class(&api, "account_mail")["connected"], true);
    assert_eq!(class(&api, "sms")["connected"], false);
    tell("ISO-05", "a mail server is Production's by its own keys");
}
