//! ISO-45: a clock that was left on goes as real time does. What a day of real time does to it is
//! written into its row while nobody serves.

use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, tell, until};

use crate::clock::{clock, inbox, moved, stopped};

const HOUR: i64 = 3_600_000_000;
const LIMIT: &str = "WARD_SANDBOX_CLOCK_IDLE_HOURS";

/// Puts one of the clock's two times so many hours back.
fn set_back(instance: &Instance, column: &str, hours: i64) {
    let micros = hours * HOUR;
    instance.database().execute(&format!("UPDATE test_clock SET {column} = {column} - {micros}"));
}

/// When it goes back, with a limit of so many hours.
fn returns_at(instance: &Instance, hours: i64) -> Json {
    let wall = instance.database().number("SELECT wall_at FROM test_clock");
    json!(jiff::Timestamp::from_microsecond(wall + hours * HOUR).unwrap().to_string())
}

/// How often the clock was moved, and how often of that by the instance itself.
fn moves(instance: &Instance) -> (i64, i64) {
    let count =
        "SELECT COUNT(*) FROM audit_events WHERE event_type = 'ADMIN' AND resource_name = 'CLOCK'";
    let database = instance.database();
    (database.number(count), database.number(&format!("{count} AND actor_kind = 'system'")))
}

/// Asks for a text in an hour of a clock that stands still; when that is.
fn text_in_an_hour(instance: &Instance, api: &Api) -> i64 {
    let due = instance.database().number("SELECT logical_at FROM test_clock") + HOUR;
    let at = jiff::Timestamp::from_microsecond(due).unwrap().to_string();
    let text = json!({"class": "sms", "to": "555-0100", "text": "Soon", "not_before": at});
    assert_eq!(api.post("/sandbox/v1/effects", &text).status, 200);
    due
}

/// Waits until the clock shows real time, by when one text was sent at its time.
fn assert_returns(api: &Api, due: i64) {
    let real = until("the clock goes as real time does", || {
        Some(clock(api)).filter(|it| it["returns_at"].is_null())
    });
    assert_eq!(
        (&real["offset_seconds"], &real["frozen"], &real["rate"]),
        (&json!(0), &json!(false), &json!(1)),
        "{real}"
    );
    let sent = inbox(api);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let sent: jiff::Timestamp = sent[0].1.parse().unwrap();
    let late = sent.as_microsecond() - due;
    assert!((0..HOUR).contains(&late), "not at its time, but {late} microseconds later");
}

/// Waits for the housekeeping, which writes refusals and lets go of clocks.
fn come_by(instance: &Instance, server: &Server) {
    let refusals = || instance.database().refusals("UNAUTHENTICATED");
    let before = refusals();
    let denied = server.with("nobodys-key").ask("{ currentUser { id } }", json!({}));
    assert_eq!(denied.code(), "UNAUTHENTICATED", "{}", denied.text);
    until("the refusal is written", || (refusals() > before).then_some(()));
}

#[test]
fn iso_45_a_clock_that_was_left_on_goes_forward_to_real_time() {
    for engine in Engine::available("clock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        moved(&server.with(&owner), "freeze", json!({}));
        server.stop();
        set_back(&s, "logical_at", 25);
        let server = s.serve();
        let api = server.with(&owner);
        let due = text_in_an_hour(&s, &api);
        come_by(&s, &server);
        let left = clock(&api);
        assert_eq!((&left["frozen"], inbox(&api).len()), (&json!(true), 0), "{left}");
        assert_eq!(left["returns_at"], returns_at(&s, 24), "{left}");
        server.stop();
        set_back(&s, "wall_at", 25);
        let server = s.serve();
        let api = server.with(&owner);
        assert_returns(&api, due);
        assert!(api.get("/healthz").headers.get("x-sandbox-clock").is_none());
        assert_eq!(api.get("/readyz").json["clock_offset_seconds"], 0);
        assert_eq!(moves(&s), (2, 1));
        let log = server.stop();
        assert!(log.contains("nobody has moved the Sandbox's clock"), "{log}");
        assert!(s.verify_audit().0, "the log depends on the clock");
        tell("ISO-45", format_args!("{engine:?}: 25 hours caught up, 1 text at its time"));
    }
}

/// The process ends behind the first step of the way: the next one goes the rest.
#[test]
fn iso_45_a_way_that_was_cut_off_is_gone_on() {
    for engine in Engine::available("clock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        moved(&server.with(&owner), "freeze", json!({}));
        server.stop();
        set_back(&s, "logical_at", 25);
        let server = s.serve();
        let due = text_in_an_hour(&s, &server.with(&owner));
        server.stop();
        set_back(&s, "wall_at", 25);
        let file = s.dir.join("crash");
        std::fs::write(&file, "clock.stepped").unwrap();
        let cut = s.refused_start(&[("TESTED_CRASH", file.to_str().unwrap())]);
        assert_eq!(cut.code, None, "it did not end on the way: {cut:?}");
        std::fs::remove_file(&file).unwrap();
        let database = s.database();
        let at = database.number("SELECT logical_at FROM test_clock WHERE rate = 0");
        assert!((due - HOUR..=due).contains(&at), "{at} is not the first step to {due}");
        assert_eq!(database.number("SELECT COUNT(*) FROM simulated_messages"), 0);
        let server = s.serve();
        assert_returns(&server.with(&owner), due);
        assert_eq!(moves(&s), (3, 2), "each time that it begins to go is told");
        server.stop();
        tell("ISO-45", format_args!("{engine:?}: a way cut off by a kill was gone on"));
    }
}

#[test]
fn iso_45_a_clock_that_is_ahead_goes_on_from_there() {
    for engine in Engine::available("clock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        stopped(&server.with(&owner));
        server.stop();
        set_back(&s, "wall_at", 25);
        let server = s.serve();
        let api = server.with(&owner);
        let on = until("it goes on", || Some(clock(&api)).filter(|it| it["frozen"] == false));
        assert_eq!((&on["rate"], &on["returns_at"]), (&json!(1), &Json::Null), "{on}");
        assert!(on["now"].as_str().unwrap().starts_with("2031-03-02T09:"), "{on}");
        assert!(api.get("/healthz").header("x-sandbox-clock").starts_with("2031-03-02T09:"));
        assert!(api.get("/readyz").json["clock_offset_seconds"].as_i64() > Some(0));
        assert_eq!(moves(&s), (3, 1));
        let doctor = s.ward(&["doctor"], &[]).json();
        let checks = doctor["checks"].as_array().unwrap();
        let told = checks.iter().find(|check| check["check"] == "clock").unwrap();
        assert_eq!(told["outcome"], "warn", "{told}");
        assert!(told["found"].as_str().unwrap().contains("ahead of real time"), "{told}");
        assert!(!told["fix"].as_str().unwrap().contains("resume"), "it goes already: {told}");
        tell("ISO-45", format_args!("{engine:?}: a clock of 2031 goes on in 2031"));
    }
}

#[test]
fn iso_45_a_clock_that_is_used_is_left_alone() {
    let mut s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    assert_eq!(clock(&server.with(&owner))["returns_at"], Json::Null, "it shows real time");
    moved(&server.with(&owner), "freeze", json!({}));
    server.stop();
    set_back(&s, "wall_at", 23);
    let server = s.serve();
    come_by(&s, &server);
    let kept = clock(&server.with(&owner));
    assert_eq!((&kept["frozen"], &kept["returns_at"]), (&json!(true), &returns_at(&s, 24)));
    server.stop();
    // Two days by now: never, with this limit.
    set_back(&s, "wall_at", 25);
    s.variables.push((LIMIT.to_owned(), "0".to_owned()));
    let server = s.serve();
    come_by(&s, &server);
    let kept = clock(&server.with(&owner));
    assert_eq!((&kept["frozen"], &kept["returns_at"]), (&json!(true), &Json::Null));
    server.stop();
    s.variables.retain(|(name, _)| name != LIMIT);
    s.variables.push((LIMIT.to_owned(), "49".to_owned()));
    let server = s.serve();
    come_by(&s, &server);
    let kept = clock(&server.with(&owner));
    assert_eq!((&kept["frozen"], &kept["returns_at"]), (&json!(true), &returns_at(&s, 49)));
    assert_eq!(moves(&s), (1, 0));
    server.stop();
    let refused = s.refused_start(&[(LIMIT, "8761")]);
    assert!(refused.stderr.contains("clock_idle_hours"), "{refused:?}");
    tell("ISO-45", "a frozen clock was kept for 23 hours, and longer where that is set");
}

/// Every process on the same database sees it; one does it.
#[test]
fn iso_45_one_node_lets_go_of_it() {
    if !Engine::available("clock").contains(&Engine::Postgres) {
        return;
    }
    let s = Instance::birth(Kind::Sandbox, Engine::Postgres);
    let owner = s.owner_key();
    let other = s.copied();
    let (one, two) = (s.serve(), other.serve());
    let at = stopped(&one.with(&owner));
    until("the other node follows", || (clock(&two.with(&owner))["now"] == at).then_some(()));
    set_back(&s, "wall_at", 25);
    for server in [&one, &two] {
        let api = server.with(&owner);
        until("it goes on", || (clock(&api)["frozen"] == false).then_some(()));
        come_by(&s, server);
    }
    assert_eq!(moves(&s), (3, 1), "more than one node did it");
}
