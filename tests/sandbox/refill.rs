//! Filling and emptying a running Sandbox by its address, and what is asked wrongly of the control
//! plane.

use ward_tests::instance::OWNER;
use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, Reply, json, people};

use crate::running::Running;

const SEED: &str = "/sandbox/v1/seed";
const RESET: &str = "/sandbox/v1/reset";
const PASSWORD: &str = "violet-harbour-93-lantern";

/// What a seed makes, without the ids, which are of the slot.
fn names(api: &Api) -> Json {
    let query =
        "{ users(first: 100) { nodes { full_name email } } appointmentTypes { nodes { name } } }";
    api.ask(query, json!({})).data().clone()
}

#[test]
fn a_running_sandbox_is_filled_as_from_its_directory() {
    for engine in Engine::available("seed") {
        let here = Instance::birth(Kind::Sandbox, engine);
        let made = here.sandbox("seed", &["--pack", "solo", "--seed", "5"]).json();
        let (key, serving) = (here.owner_key(), here.serve());
        let expected = names(&serving.with(&key));
        serving.stop();
        let there = Instance::birth(Kind::Sandbox, engine);
        let (key, provider) = (there.owner_key(), there.member("provider"));
        let server = there.serve();
        let api = server.with(&key);
        for wrong in
            [json!({"pack": "moon"}), json!({"seed": -1}), json!({"seeds": 1}), json!([]), json!(5)]
        {
            for path in [SEED, RESET] {
                let reply = api.post(path, &wrong);
                let told = (reply.status, reply.code());
                assert_eq!(told, (400, "BAD_REQUEST"), "{path} {wrong}: {}", reply.text);
            }
        }
        for path in [SEED, RESET] {
            assert_eq!(server.with(&provider).post(path, &json!({})).status, 403, "{path}");
            assert_eq!(server.api().post(path, &json!({})).status, 401, "{path}");
        }
        let world = json!({"pack": "solo", "seed": 5});
        // The provider who was made for this test is none of the pack's.
        let reset = api.post(RESET, &world);
        assert_eq!(reset.status, 200, "{}", reset.text);
        for part in ["pack", "seed", "clients", "staff", "integrations"] {
            assert_eq!(reset.json["seeded"][part], made[part], "{part}: {}", reset.text);
        }
        let old = api.ask("{ currentUser { id } }", json!({}));
        assert_eq!(old.code(), "UNAUTHENTICATED", "{}", old.text);
        assert!(reset.json["integration_key"].is_null(), "{}", reset.text);
        let key = reset.json["api_key"].as_str().unwrap();
        assert_eq!(names(&server.with(key)), expected);
        // Emptied only, then filled, once.
        let reset = server.with(key).post(RESET, &json!({}));
        assert!(reset.json["seeded"].is_null(), "{}", reset.text);
        let api = server.with(reset.json["api_key"].as_str().unwrap());
        let seeded = api.post(SEED, &world);
        assert_eq!((seeded.status, &seeded.json["clients"]), (200, &made["clients"]));
        assert_eq!(names(&api), expected);
        let again = api.post(SEED, &json!({}));
        assert_eq!((again.status, again.code()), (409, "SEED_REFUSED"), "{}", again.text);
        server.stop();
    }
}

/// Whoever is not the owner, or has a key that is bound to addresses, gets no key that is not.
#[test]
fn a_reset_gives_a_key_to_whom_could_make_one() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let administrator = s.member("administrator");
    let server = s.serve();
    assert_eq!(given(&server.with(&administrator)).0, [false, false]);
    let bound = ["--user", OWNER, "--name", "bound", "--allow", "127.0.0.1"];
    let bound = s.ward(&["key", "create"], &bound).json()["api_key"].as_str().unwrap().to_owned();
    assert_eq!(given(&server.with(&bound)).0, [false, false]);
    server.stop();
}

/// Resets; whether there is a link and a key.
#[track_caller]
fn given(api: &Api) -> ([bool; 2], Reply) {
    let reset = api.post(RESET, &json!({}));
    assert_eq!(reset.status, 200, "{}", reset.text);
    let given = ["set_password_link", "api_key"].map(|part| reset.json[part].is_string());
    (given, reset)
}

/// A fresh session has the link by which it could have been made, an older one nothing; a key that
/// stands for a session has one that does.
#[test]
fn a_reset_gives_a_session_no_more_than_it_could_do() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let server = s.serve();
    // Whoever signs in has a session or, if they ask for one, a key.
    let sign_in = |wants_key: bool| {
        let input = json!({
            "email": OWNER,
            "password": PASSWORD,
            "generate_api_token": wants_key,
            "allow_multiple_api_keys": true,
        });
        let reply = people::sign_in(&server.api(), input);
        let part = if wants_key { "api_key" } else { "token" };
        reply.data()["signIn"][part].as_str().unwrap_or_else(|| panic!("{}", reply.text)).to_owned()
    };
    let set_password = |link: &str| people::set_password(&server.api(), link, PASSWORD);
    let link_of = |reset: &Reply| reset.json["set_password_link"].as_str().unwrap().to_owned();
    set_password(&s.owner_link);
    let (has, reset) = given(&server.with(&sign_in(false)));
    assert_eq!(has, [true, false], "a fresh session");
    set_password(&link_of(&reset));
    let (has, reset) = given(&server.with(&sign_in(true)));
    assert_eq!(has, [true, true], "a key of a sign-in");
    let ends = "SELECT COUNT(*) FROM api_keys WHERE made_at_sign_in = TRUE AND name = 'reset'";
    assert_eq!(s.database().number(ends), 1);
    set_password(&link_of(&reset));
    let session = sign_in(false);
    let key = server.with(reset.json["api_key"].as_str().unwrap());
    let over = key.ask("{ currentUser { id } }", json!({}));
    assert_eq!(over.code(), "UNAUTHENTICATED", "it ends with a new password: {}", over.text);
    // Eleven minutes later.
    s.database().execute("UPDATE sessions SET created_at = created_at - 660000000");
    assert_eq!(given(&server.with(&session)).0, [false, false], "an older session");
    server.stop();
}

#[test]
fn a_test_goes_on_after_a_reset_of_its_run() {
    let running = Running::start(&[], ":");
    let url = running.variables["WARD_URL"].as_str();
    let ward = |words: &[&str], key: &str| {
        let mut all = vec!["sandbox"];
        all.extend(words);
        all.extend(["--url", url, "--json"]);
        ward_with(all, &[("WARD_API_KEY", key)])
    };
    let before = running.variables["WARD_API_KEY"].as_str();
    let reset = ward(&["reset", "--seed", "3"], before).json();
    assert_eq!(reset["seeded"]["seed"], 3, "{reset}");
    for part in ["api_key", "integration_key"] {
        let key = reset[part].as_str().unwrap();
        assert!(key.starts_with("ward_sbxeph_"), "{part}: {key}");
        let me = Api::at(running.port(), Some(key)).ask("{ currentUser { id } }", json!({}));
        assert!(me.data()["currentUser"]["id"].is_string(), "{part}: {}", me.text);
    }
    let key = reset["api_key"].as_str().unwrap();
    assert_eq!(ward(&["seed"], key).code, Some(1), "it is filled already");
    assert_eq!(ward(&["seed", "--clients", "50"], key).code, Some(2));
    assert_eq!(ward(&["reset"], before).code, Some(1), "a key of before");
    running.go_on("exit 0").ok();
}

#[test]
fn what_is_asked_wrongly_is_answered_in_json() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = s.owner_key();
    let server = s.serve();
    let api = server.with(&key);
    for path in ["clock", "inbox", "faults/1", "seed", "snapshots/a", "rooms/a"] {
        let path = format!("/sandbox/v1/{path}");
        let reply = api.put(&path, "{}");
        let told = (reply.status, reply.code());
        assert_eq!(told, (405, "METHOD_NOT_ALLOWED"), "{path}: {}", reply.text);
        assert!(!reply.header("allow").is_empty(), "{path}");
        assert_eq!(server.api().put(&path, "{}").code(), "UNAUTHENTICATED", "{path}");
    }
    for path in ["faults/abc", "faults/%FF", "snapshots/%FF", "forks/%FF"] {
        let path = format!("/sandbox/v1/{path}");
        assert!(!api.delete(&path).code().is_empty(), "{path}");
        assert_eq!(server.api().delete(&path).code(), "UNAUTHENTICATED", "{path}");
    }
    for (query, sentence) in [
        ("class=pigeon", "class is email, sms, push or video"),
        ("klass=email", "messages are found by to, class, since and limit, and by nothing else"),
        ("since=yesterday", "since is a time such as 2026-01-31T09:00:00Z"),
        ("limit=-1", "limit is a whole number"),
    ] {
        let path = format!("/sandbox/v1/inbox?{query}");
        let reply = api.get(&path);
        assert_eq!((reply.status, reply.code()), (400, "BAD_REQUEST"), "{query}: {}", reply.text);
        assert_eq!(reply.json["errors"][0]["message"], sentence, "{query}");
        assert_eq!(server.api().get(&path).status, 401, "{query}");
    }
    for query in ["", "class=sms", "to=a@b.example&since=2026-01-31T09:00:00Z&limit=3"] {
        assert_eq!(api.get(&format!("/sandbox/v1/inbox?{query}")).status, 200, "{query}");
    }
    // Everything says what it may be answered.
    let described = api.get("/sandbox/v1/openapi.json").json;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answers = &operation["responses"];
            let is_open = operation["security"].is_array();
            for status in ["401", "403"] {
                assert!(is_open || answers[status].is_object(), "{method} {path} {status}");
            }
            let takes = operation["requestBody"].is_object();
            assert!(!takes || answers["400"].is_object(), "{method} {path} 400");
        }
    }
    for path in [SEED, RESET] {
        assert!(described["paths"][path]["post"]["requestBody"].is_object(), "{path}");
    }
}
