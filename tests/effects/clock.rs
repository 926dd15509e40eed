//! The Sandbox's clock: it goes forward, all that is due by then happens in order, and it is
//! nowhere else.

use ward_tests::instance::OWNER;
use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, tell, until};

const PASSWORD: &str = "violet-harbour-77-candle";
const HOUR: i64 = 3_600_000_000;

pub fn clock(api: &Api) -> Json {
    let reply = api.get("/sandbox/v1/clock");
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

#[track_caller]
pub fn moved(api: &Api, act: &str, body: Json) -> Json {
    let reply = api.post(&format!("/sandbox/v1/clock/{act}"), &body);
    assert_eq!(reply.status, 200, "{act} {body}: {}", reply.text);
    reply.json
}

/// A clock that stands still at a moment to come.
pub fn stopped(api: &Api) -> &'static str {
    let at = "2031-03-02T09:00:00Z";
    moved(api, "freeze", json!({}));
    assert_eq!(moved(api, "set", json!({"to": at}))["now"], at);
    at
}

/// Lays welcome mails that were sent back into the queue, to be sent so many hours after the
/// moment at which the clock stands.
fn postpone(instance: &Instance, hours: &[(&str, i64)]) {
    let database = instance.database();
    let now = database.number("SELECT MAX(created_at) FROM effect_intents WHERE kind = 'welcome'");
    database.execute("DELETE FROM simulated_messages");
    for (client, hour) in hours {
        let at = now + hour * HOUR;
        let intent = format!("idempotency_key LIKE 'welcome:{client}:%'");
        let count = format!("SELECT COUNT(*) FROM effect_intents WHERE {intent}");
        assert_eq!(database.number(&count), 1, "not one mail of {client}");
        database.execute(&format!(
            "UPDATE effect_intents SET state = 'queued', done_at = NULL, not_before = {at} WHERE {intent}"
        ));
        database.execute(&format!(
            "UPDATE jobs SET state = 'ready', visible_at = {at}, attempts = 0 WHERE kind = 'effect_account_mail' AND payload LIKE \
             '%' || (SELECT id FROM effect_intents WHERE {intent}) || '%'"
        ));
    }
}

pub fn inbox(api: &Api) -> Vec<(String, String)> {
    let reply = api.get("/sandbox/v1/inbox");
    let text = |item: &Json, key: &str| item[key].as_str().unwrap().to_owned();
    let items = reply.json["items"].as_array().unwrap();
    items.iter().rev().map(|item| (text(item, "to"), text(item, "created_at"))).collect()
}

#[test]
fn advancing_lets_everything_happen_in_order_and_at_its_time() {
    for engine in Engine::available("clock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let api = server.with(&owner);
        stopped(&api);
        let ids = ["ada", "ben", "cyd"]
            .map(|name| people::welcomed_client(&server.with(&provider), name));
        until("the mails were sent", || (inbox(&api).len() == 3).then_some(()));
        postpone(&s, &[(&ids[0], 30), (&ids[1], 2), (&ids[2], 12)]);
        let answer = moved(&api, "advance", json!({"by": "PT24H", "settle": true}));
        assert_eq!(answer["now"], "2031-03-03T09:00:00Z", "{answer}");
        assert_eq!(answer["ran"]["effects"], 2, "{answer}");
        assert_eq!(answer["stragglers"], json!([]), "{answer}");
        assert_eq!(answer["frozen"], true, "{answer}");
        let sent = |name: &str, at: &str| (format!("{name}@client.example"), at.to_owned());
        let first = [sent("ben", "2031-03-02T11:00:00Z"), sent("cyd", "2031-03-02T21:00:00Z")];
        assert_eq!(inbox(&api), first, "in order of their times");
        let answer = moved(&api, "set", json!({"to": "2031-03-03T15:00:00Z"}));
        assert_eq!(answer["ran"]["effects"], 1, "what is due at the target itself: {answer}");
        assert_eq!(inbox(&api)[2], sent("ada", "2031-03-03T15:00:00Z"));
        drop(server);
        assert!(s.verify_audit().0, "the log depends on the clock");
        tell("clock", format_args!("{engine:?}: 3 mails at 3 moments in two moves"));
    }
}

#[test]
fn events_are_kept_for_half_a_year() {
    for engine in Engine::available("clock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let api = server.with(&owner);
        stopped(&api);
        for name in ["ada", "ben"] {
            people::welcomed_client(&server.with(&provider), name);
        }
        let database = s.database();
        let count = |which: &str| database.number(&format!("SELECT COUNT(*) FROM events {which}"));
        until("all were handed on", || {
            (count("WHERE relayed = FALSE OR seq IS NULL") == 0).then_some(())
        });
        moved(&api, "advance", json!({"by": "1s"}));
        let kept = count("");
        assert!(kept >= 2, "{kept}");
        moved(&api, "advance", json!({"by": "179d"}));
        assert_eq!(count(""), kept);
        moved(&api, "advance", json!({"by": "2d"}));
        assert_eq!(count(""), 1, "but the newest, of the one practice");
    }
}

#[test]
fn what_nobody_ends_is_a_straggler() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, provider) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    let api = server.with(&owner);
    stopped(&api);
    let id = people::welcomed_client(&server.with(&provider), "ada");
    until("the mail was sent", || (inbox(&api).len() == 1).then_some(()));
    postpone(&s, &[(&id, 1)]);
    // Nothing in this version does it.
    s.database().execute("UPDATE jobs SET kind = 'of_another_version' WHERE state = 'ready'");
    let answer = moved(&api, "advance", json!({"by": "3h"}));
    assert_eq!(answer["now"], "2031-03-02T12:00:00Z", "the target is reached whatever is left");
    let stragglers = answer["stragglers"].as_array().unwrap();
    assert_eq!(stragglers.len(), 1, "{answer}");
    assert_eq!(stragglers[0]["kind"], "of_another_version", "{answer}");
    assert_eq!(stragglers[0]["due_at"], "2031-03-02T10:00:00Z", "{answer}");
}

#[test]
fn it_goes_forward_only_and_survives_restarts() {
    for engine in Engine::available("clock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let real = clock(&api);
        assert_eq!(
            (&real["offset_seconds"], &real["frozen"], &real["rate"]),
            (&json!(0), &json!(false), &json!(1))
        );
        assert!(api.get("/healthz").headers.get("x-sandbox-clock").is_none());
        let at = stopped(&api);
        for (act, body, said) in [
            ("set", json!({"to": "2031-03-02T08:59:59Z"}), "forward only"),
            ("advance", json!({"by": "-PT1H"}), "above zero"),
            ("advance", json!({"by": "P200Y"}), "100 years"),
        ] {
            let reply = api.post(&format!("/sandbox/v1/clock/{act}"), &body);
            assert_eq!(
                (reply.status, reply.code()),
                (409, "CLOCK_REFUSED"),
                "{body}: {}",
                reply.text
            );
            assert!(reply.text.contains(said), "{body}: {}", reply.text);
        }
        for (act, body) in [
            ("set", json!({})),
            ("set", json!({"to": "tomorrow"})),
            ("advance", json!({"by": 3600})),
            ("advance", json!({"by": "PT1H", "sttle": false})),
        ] {
            let reply = api.post(&format!("/sandbox/v1/clock/{act}"), &body);
            assert_eq!(
                (reply.status, reply.code()),
                (400, "BAD_REQUEST"),
                "{body}: {}",
                reply.text
            );
        }
        assert_eq!(clock(&api)["now"], at, "a refused move moved it");
        server.stop();
        let server = s.serve();
        let api = server.with(&owner);
        let again = clock(&api);
        assert_eq!((&again["now"], &again["frozen"]), (&json!(at), &json!(true)));
        assert_eq!(api.get("/healthz").header("x-sandbox-clock"), at);
        assert_eq!(s.ward(&["status"], &[]).json()["clock"]["now"], at);
        // It goes on, without waiting for anything.
        moved(&api, "resume", json!({}));
        let answer = moved(&api, "advance", json!({"by": "3d", "settle": false}));
        assert!(answer["ran"].is_null(), "{answer}");
        assert!(answer["now"].as_str().unwrap().starts_with("2031-03-05T09:0"), "{answer}");
        assert_eq!((&answer["frozen"], &answer["rate"]), (&json!(false), &json!(1)));
        let moves = s.audit_entries().into_iter().filter(|entry| entry.resource_name == "CLOCK");
        assert_eq!(moves.count(), 4, "each move is in the audit log, no refused one");
        tell("clock", format_args!("{engine:?}: 3 moves back refused, 1 restart"));
    }
}

#[test]
fn it_goes_faster_and_what_is_due_happens_without_a_move() {
    for engine in Engine::available("clock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        stopped(&api);
        let due = "2031-03-02T15:00:00Z";
        let text = json!({"class": "sms", "to": "555-0100", "text": "Soon", "not_before": due});
        assert_eq!(api.post("/sandbox/v1/effects", &text).status, 200);
        for (body, status) in [
            (json!({"rate": 0}), 409),
            (json!({"rate": -60}), 409),
            (json!({"rate": 3601}), 409),
            (json!({"rate": "fast"}), 400),
            (json!({}), 400),
        ] {
            assert_eq!(api.post("/sandbox/v1/clock/rate", &body).status, status, "{body}");
        }
        let answer = moved(&api, "rate", json!({"rate": 3600}));
        assert_eq!((&answer["frozen"], &answer["rate"]), (&json!(false), &json!(3600)));
        let sent = until("six hours went by", || inbox(&api).pop());
        assert!(sent.1.as_str() >= due, "{sent:?}");
        server.stop();
        let server = s.serve();
        let variables = [
            ("WARD_URL", format!("http://127.0.0.1:{}", server.port)),
            ("WARD_API_KEY", owner.clone()),
        ];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let slower = ward_with(["sandbox", "clock", "rate", "0.5", "--json"], &variables).json();
        assert_eq!(slower["rate"], json!(0.5));
        for (act, what, sentence) in [
            ("advance", "3", "3 is no time; give one such as 90s, 20m, 3d or PT1H"),
            ("set", "tomorrow", "tomorrow is no moment; give one such as 2026-03-02T09:00:00Z"),
        ] {
            let wrong = ward_with(["sandbox", "clock", act, what], &variables);
            assert_eq!((wrong.code, wrong.stderr.trim()), (Some(2), &*format!("ward: {sentence}")));
        }
        let now = slower["now"].as_str().unwrap().to_owned();
        assert!(now.as_str() > sent.1.as_str(), "it went back to {now}");
        assert_eq!(moved(&server.with(&owner), "resume", json!({}))["rate"], 1);
    }
}

#[test]
fn sessions_live_in_real_time_and_what_is_made_in_the_clocks() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    people::set_password(&server.api(), &s.owner_link, PASSWORD);
    let reply = people::sign_in(&server.api(), json!({"email": OWNER, "password": PASSWORD}));
    let session = reply.data()["signIn"]["token"].as_str().unwrap().to_owned();
    moved(&server.with(&owner), "advance", json!({"by": "P2Y"}));
    people::current_user(&server.with(&session));
    stopped(&server.with(&owner));
    let made = people::client(&server.with(&session), "ada");
    let query = "query($id: ID) { user(id: $id) { created_at } }";
    let reply = server.with(&owner).ask(query, json!({"id": made}));
    let created = reply.data()["user"]["created_at"].as_str().unwrap().to_owned();
    assert!(created.starts_with("2031-03-02"), "{created}");
}

#[test]
fn a_reset_brings_real_time_back() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    stopped(&server.with(&owner));
    s.sandbox("reset", &[]).ok();
    let real = clock(&server.with(&s.owner_key()));
    assert_eq!((&real["offset_seconds"], &real["frozen"]), (&json!(0), &json!(false)));
    drop(server);
    let server = s.serve();
    assert_eq!(clock(&server.with(&s.owner_key()))["offset_seconds"], 0);
}

#[test]
fn it_is_for_the_founding_organizations_administrators_and_developers() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let provider = s.member("provider");
    let server = s.serve();
    let stranger = "mutation { signUp(input: {email: \"other@practice.example\", password: \"violet-harbour-93-lantern\", role: \"dietitian\", first_name: \"O\", last_name: \"O\"}) { user { id } messages { field message } } }";
    server.api().ask(stranger, json!({})).data();
    let other = s.key("other@practice.example");
    let routes = ["freeze", "resume", "rate", "set", "advance"];
    for (caller, status) in [(Some(&provider), 403), (Some(&other), 403), (None, 401)] {
        let api = caller.map_or_else(|| server.api(), |key| server.with(key));
        assert_eq!(api.get("/sandbox/v1/clock").status, status);
        for act in routes {
            let reply = api.post(&format!("/sandbox/v1/clock/{act}"), &json!({"by": "PT1H"}));
            assert_eq!(reply.status, status, "{act}: {}", reply.text);
        }
    }
    assert_eq!(clock(&server.with(&s.owner_key()))["offset_seconds"], 0);
}

/// Every process on the same database has the same time.
#[test]
fn nodes_follow_each_other() {
    if !Engine::available("clock").contains(&Engine::Postgres) {
        return;
    }
    let s = Instance::birth(Kind::Sandbox, Engine::Postgres);
    let owner = s.owner_key();
    let other = s.copied();
    let (one, two) = (s.serve(), other.serve());
    let at = stopped(&one.with(&owner));
    until("the other node follows", || (clock(&two.with(&owner))["now"] == at).then_some(()));
    moved(&two.with(&owner), "advance", json!({"by": "1h"}));
    let back = one.with(&owner).post("/sandbox/v1/clock/set", &json!({"to": at}));
    assert_eq!(back.status, 409, "back to what the other has left: {}", back.text);
}

fn ward_clock(server: &Server, key: &str, words: &[&str]) -> ward_tests::Output {
    let url = format!("http://127.0.0.1:{}", server.port);
    let mut arguments = vec!["sandbox", "clock"];
    arguments.extend(words);
    arguments.push("--json");
    ward_with(arguments, &[("WARD_URL", &url), ("WARD_API_KEY", key)])
}

#[test]
fn from_the_command_line() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let ward = |words: &[&str]| ward_clock(&server, &owner, words);
    assert_eq!(ward(&["freeze"]).json()["frozen"], true);
    assert_eq!(ward(&["set", "2031-03-02T09:00:00Z"]).json()["stragglers"], json!([]));
    let answer = ward(&["advance", "3d"]).json();
    assert_eq!(
        (&answer["now"], &answer["ran"]["jobs"]),
        (&json!("2031-03-05T09:00:00Z"), &json!(0))
    );
    assert!(ward(&["advance", "20m", "--async"]).json()["ran"].is_null());
    let refused = ward(&["set", "2030-03-02T09:00:00Z"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("forward only"), "{refused:?}");
    assert_eq!(ward(&["resume"]).json()["frozen"], false);
    assert!(ward(&["show"]).json()["now"].as_str().unwrap().starts_with("2031-03-05T09:2"));
}
