//! Shared ways in: hosts, addresses, headers, routes, time.

use std::time::{Duration, SystemTime};

use ward_tests::middle::{self, Spoil};

use crate::pair::{Found, Pair};

#[test]
fn gl_06_an_answer_without_environment_is_found() {
    let pair = Pair::new();
    // Only on errors, as a proxy's own pages are.
    let spoil = Spoil::answer(|_, answer| {
        if !answer.first.contains(" 200 ") {
            answer.remove("x-environment");
        }
    });
    pair.with_production(spoil).assert_only(&["environment-header"]);
}

#[test]
fn gl_06_an_answer_of_another_environment_is_found() {
    let pair = Pair::new();
    let spoil = Spoil::answer(|_, answer| answer.set("x-environment", "production"));
    pair.with_sandbox(spoil).assert_only(&["environment-header"]);
}

#[test]
fn gl_06_an_ignored_expectation_is_found() {
    let pair = Pair::new();
    let spoil = Spoil::request(|request| {
        request.remove("x-expect-environment");
        None
    });
    pair.with_production(spoil).assert_only(&["expectation"]);
}

#[test]
fn gl_06_a_foreign_host_that_is_answered_is_found() {
    let pair = Pair::new();
    let port = pair.s.server.port;
    let spoil = Spoil::request(move |request| {
        request.set("host", &format!("127.0.0.1:{port}"));
        None
    });
    pair.with_sandbox(spoil).assert_only(&["host"]);
}

/// Production mounts the control plane.
#[test]
fn gl_06_a_control_plane_in_production_is_found() {
    let pair = Pair::new();
    let (port, tag) = (pair.s.server.port, pair.p.instance.tag.clone());
    let (foreign, own) = (pair.p.key.clone(), pair.s.key.clone());
    let spoil = Spoil::request(move |request| {
        let is_control = request.path().starts_with("/sandbox/v1/");
        if is_control {
            request.replace(&foreign, &own);
        }
        is_control.then_some(port)
    });
    let spoil = spoil.and_answer(move |_, answer| {
        answer.set("x-environment", "production");
        answer.set("x-instance", &tag);
    });
    pair.with_production(spoil).assert_only(&["control-plane"]);
}

#[test]
fn gl_06_a_clock_that_is_wrong_is_found() {
    let pair = Pair::new();
    let spoil = Spoil::answer(|_, answer| {
        let wrong = SystemTime::now() + Duration::from_secs(600);
        answer.set("date", &httpdate::fmt_http_date(wrong));
    });
    pair.with_sandbox(spoil).assert_only(&["clock"]);
}

#[test]
fn gl_06_a_shared_cookie_name_is_found() {
    let pair = Pair::new();
    let cookie = |name: &'static str| {
        Spoil::answer(move |_, answer| {
            answer.set("set-cookie", &format!("{name}=x; Path=/; Secure"))
        })
    };
    let s = middle::before(pair.s.server.port, cookie("__Host-session"));
    let p = middle::before(pair.p.server.port, cookie("__Host-session"));
    pair.probe(s, p).assert_only(&["cookies"]);
    // A name of its own that reaches sibling hosts is as bad.
    pair.with_sandbox(cookie("sandbox_session")).assert_only(&["cookies"]);
}

/// One proxy for both, that tells them apart by the name.
#[test]
fn gl_06_a_shared_address_is_found() {
    let pair = Pair::new();
    let (s, p) = (pair.s.server.port, pair.p.server.port);
    let spoil =
        Spoil::request(move |request| request.header("host").starts_with("localhost").then_some(s));
    let port = middle::before(p, spoil);
    let at = |host: &str| format!("http://{host}:{port}");
    let output = pair.probe_at(&at("localhost"), &at("127.0.0.1"), &["--json"]);
    // And the one name leads to the other's instance.
    Found::of(&output).assert_only(&["addresses", "host"]);
}
