//! Shared ways in: hosts, addresses, headers, routes, time. And shared texts: secrets, cursors,
//! links, the schema. Faults that do not touch each other are found in one run.

use std::time::{Duration, SystemTime};

use ward_tests::Json;
use ward_tests::middle::{self, Message, Spoil};

use crate::pair::{Found, Pair};

/// Whether a request is for the Sandbox, where one proxy stands before both.
fn is_sandboxs(request: &Message) -> bool {
    request.header("host").starts_with("localhost")
}

/// One proxy for both that tells them apart by the name, and that adds what is wrong to answers.
#[test]
fn gl_06_a_shared_address_and_wrong_headers_are_found() {
    let pair = Pair::new();
    let (s, p) = (pair.s.server.port, pair.p.server.port);
    let tag = pair.s.instance.tag.clone();
    let shared_tag = format!("the Production answers POST /graphql with X-Instance {tag:?}");
    let spoil = Spoil::request(move |request| is_sandboxs(request).then_some(s));
    let spoil = spoil.and_answer(move |request, answer| {
        answer.set("set-cookie", "__Host-session=x; Path=/; Secure");
        let is_readyz = request.path() == "/readyz";
        match (is_sandboxs(request), is_readyz) {
            (true, true) => {
                answer.set("x-environment", "production");
                let loose = "sandbox_session=x; Path=/; Secure".to_owned();
                answer.headers.push(("set-cookie".to_owned(), loose));
            }
            (true, false) => {
                let wrong = SystemTime::now() + Duration::from_secs(600);
                answer.set("date", &httpdate::fmt_http_date(wrong));
            }
            (false, _) => {
                answer.set("x-instance", &tag);
                // Only on errors, as a proxy's own pages are.
                if !answer.first.contains(" 200 ") {
                    answer.remove("x-environment");
                }
            }
        }
    });
    let port = middle::before(p, spoil);
    let at = |host: &str| format!("http://{host}:{port}");
    let output = pair.probe_at(&at("localhost"), &at("127.0.0.1"), &["--json"]);
    Found::of(&output).assert_only(&[
        ("addresses", "is the Sandbox's and Production's"),
        // And the one name leads to the other's instance.
        (
            "host",
            &format!("the Sandbox answers GET /readyz for the host 127.0.0.1:{port} with 200"),
        ),
        ("cookies", "the Sandbox sets [\"sandbox_session\"] at GET /readyz"),
        ("cookies", "both set the cookie [\"__Host-session\"]"),
        ("clock", "the Sandbox's clock is "),
        ("environment-header", "the Sandbox answers GET /readyz with 200 and X-Environment \"prod"),
        (
            "environment-header",
            "the Production answers GET /effects with 401 and X-Environment \"\"",
        ),
        // A link that was tried is told without what opens it.
        ("environment-header", "the Production answers GET /calendars/… with 403"),
        ("instance-tag", &shared_tag),
        ("instance-tag", "both answer as the instance"),
        // For a host that is nobody's the proxy asks Production, which names itself.
        (
            "links",
            &format!("GET /readyz of the Sandbox names the Production: production.localhost:{p}"),
        ),
    ]);
}

#[test]
fn gl_06_shared_ways_in_and_texts_are_found() {
    let pair = Pair::new();
    let (s, p) = (pair.s.server.port, pair.p.server.port);
    let (s_key, p_key) = (pair.s.key.clone(), pair.p.key.clone());
    let tag = pair.p.instance.tag.clone();
    let is_control = |request: &Message| request.path().starts_with("/sandbox/v1/");
    let is_calendar = |request: &Message| request.path().starts_with("/calendars/");
    // Production mounts the control plane, opens the Sandbox's links, ignores what is expected and
    // the Sandbox's cursors.
    let production = Spoil::request(move |request| {
        request.remove("x-expect-environment");
        if is_control(request) {
            request.replace(&p_key, &s_key);
        }
        let mut body: Json = serde_json::from_str(&request.body).unwrap_or_default();
        let is_users = body["query"].as_str().is_some_and(|query| query.contains("{ users("));
        if is_users && body["variables"]["after"].is_string() {
            body["variables"]["after"] = Json::Null;
            request.body = body.to_string();
        }
        (is_control(request) || is_calendar(request)).then_some(s)
    });
    // It has another schema, and a webhook's secret of the Sandbox.
    let (own, foreign) = (pair.p.secret.clone(), pair.s.secret.clone());
    let production = production.and_answer(move |request, answer| {
        if is_control(request) || is_calendar(request) {
            answer.set("x-environment", "production");
            answer.set("x-instance", &tag);
        }
        answer.body = answer.body.replace(&own, &foreign);
        if request.body.contains("isDeprecated") {
            answer.body =
                answer.body.replacen("\"isDeprecated\":false", "\"isDeprecated\":true", 1);
        }
    });
    let production = middle::before(p, production);
    // The Sandbox answers for any host, and its links lead to the other: by the address that the
    // probe was given, and by the one that the other gives itself.
    let (leads, itself) = (
        format!("http://127.0.0.1:{production}/calendars/"),
        format!("http://production.localhost:{p}/files/"),
    );
    let base = format!("http://sandbox.localhost:{s}");
    let sandbox = Spoil::request(move |request| {
        request.set("host", &format!("127.0.0.1:{s}"));
        None
    });
    let sandbox = sandbox.and_answer(move |_, answer| {
        let body = answer.body.replace(&format!("{base}/calendars/"), &leads);
        answer.body = body.replace(&format!("{base}/files/"), &itself);
    });
    let found = pair.probe(middle::before(s, sandbox), production);
    found.assert_only(&[
        ("tokens", "a Sandbox cursor of users is answered \"\" by the Production"),
        ("tokens", "the Sandbox's calendar_feed_link is answered 200"),
        ("expectation", "the Production answers POST /graphql to who expects sandbox with 200"),
        ("host", "the Sandbox answers GET /readyz for the host ehr.example.org with 200"),
        ("control-plane", "Production answers /sandbox/v1/clock with 200"),
        ("webhook-secrets", "the secret of the Production webhook"),
        ("webhook-secrets", "1 webhook secrets are both's"),
        ("schema", "the schemas differ in the type "),
        (
            "links",
            &format!(
                "calendar_feed_link of the Sandbox names the Production: 127.0.0.1:{production}"
            ),
        ),
        (
            "links",
            &format!("avatar_url of the Sandbox names the Production: production.localhost:{p}"),
        ),
    ]);
}

/// The Sandbox's proxy asks Production for who brings a cookie of it.
#[test]
fn gl_06_a_proxy_that_routes_by_cookie_is_found() {
    let pair = Pair::new();
    let (tag, production) = (pair.p.instance.tag.clone(), pair.p.server.port);
    let spoil = Spoil::request(move |request| {
        request.header("cookie").contains("environment=production").then_some(production)
    });
    pair.with_sandbox(spoil).assert_only(&[
        (
            "cookies",
            "the Sandbox answers GET /healthz to who brings cookies of the Production with",
        ),
        ("cookies", "the Sandbox answers POST /graphql to who brings cookies of the Production"),
        (
            "environment-header",
            "the Sandbox answers GET /healthz with 200 and X-Environment \"prod",
        ),
        // The cookies tell the tag themselves, so that an answer which does is no finding of `links`.
        ("instance-tag", &format!("both answer as the instance [\"{tag}\"]")),
    ]);
}

/// A proxy's own page tells where the other is, as pages of errors do.
#[test]
fn gl_06_an_address_in_a_page_of_errors_is_found() {
    let pair = Pair::new();
    let (s, p) = (pair.s.server.port, pair.p.server.port);
    let production = middle::before(p, Spoil::default());
    let sandbox = Spoil::answer(move |request, answer| {
        if request.path().starts_with("/nowhere") {
            answer.body = format!("Not found, nor at 127.0.0.1:{production}.");
        }
    });
    pair.probe(middle::before(s, sandbox), production).assert_only(&[(
        "links",
        &format!("GET /nowhere of the Sandbox names the Production: 127.0.0.1:{production}"),
    )]);
}
