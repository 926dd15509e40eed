//! Methods and headers: who may ask from where, which version, how often, and the same once more.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use ward_tests::{
    Api, BASELINE, Engine, Instance, Json, Kind, V2026, janitor, json, people, program,
};

use crate::running::{refused, running};

#[test]
fn get_is_a_page_for_browsers_and_nothing_else() {
    let page =
        running().nobody().header("Accept", "text/html,application/xhtml+xml").get("/graphql");
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(page.text.contains(&running().instance.tag) && page.text.contains("sandbox"));
    for accept in ["application/json", "*/*"] {
        let other = running().nobody().header("Accept", accept).get("/graphql?query={__typename}");
        assert_eq!((other.status, other.code()), (405, "METHOD_NOT_ALLOWED"), "{}", other.text);
        assert_eq!(other.header("allow"), "POST");
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = running().bytes(&format!("{method} /graphql HTTP/1.1"), b"");
        assert_eq!(answer.status, 405, "{method}: {}", answer.head);
        assert_eq!(answer.header("x-environment"), Some("sandbox"));
    }
}

#[test]
fn other_origins_may_ask() {
    let head = "OPTIONS /graphql HTTP/1.1\r\nOrigin: https://widget.example\r\n\
                Access-Control-Request-Method: POST\r\n\
                Access-Control-Request-Headers: authorization,authorizationsource,content-type";
    let answer = running().bytes(head, b"");
    assert_eq!(answer.status, 204, "{}", answer.head);
    let header = |name: &str| answer.header(name).unwrap_or_default().to_ascii_lowercase();
    assert_eq!(header("access-control-allow-origin"), "*");
    // Cookies and client certificates of another site's visitor are never used.
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert!(header("access-control-allow-methods").contains("post"));
    let allowed = header("access-control-allow-headers");
    for name in [
        "authorization",
        "authorizationsource",
        "authorizationshard",
        "content-type",
        "healthie-graphql-api-version",
        "idempotency-key",
        "x-expect-environment",
        "x-causation-id",
    ] {
        assert!(allowed.split(", ").any(|known| known == name), "{name} is not in {allowed}");
    }
    let reply = running()
        .nobody()
        .header("Origin", "https://widget.example")
        .ask("{ __typename }", json!({}));
    let exposed = reply.header("access-control-expose-headers").to_ascii_lowercase();
    for name in ["x-environment", "x-instance", "x-request-id", "retry-after"] {
        assert!(exposed.split(", ").any(|known| known == name), "{name} is not in {exposed}");
    }
}

#[test]
fn every_answer_says_who_gave_it() {
    let nobody = running().nobody();
    let replies = [
        nobody.ask("{ __typename }", json!({})),
        nobody.ask("{ nothing }", json!({})),
        nobody.gql("2020-02-02", "{ __typename }", json!({})),
        running().server.with("ward_sbx_made_up").ask("{ __typename }", json!({})),
        nobody.get("/nowhere"),
        nobody.get("/healthz"),
        nobody.get("/readyz"),
        nobody.get("/files/made-up"),
        nobody.get("/graphql/assets/made-up.js"),
        nobody.get("/set-password?token=made-up"),
        nobody.get("/sandbox/v1/inbox"),
        nobody.header("X-Expect-Environment", "production").get("/readyz"),
    ];
    let mut ids = Vec::new();
    for reply in &replies {
        let shown = || format!("{} {}", reply.status, reply.text);
        assert_eq!(reply.header("x-environment"), "sandbox", "{}", shown());
        assert_eq!(reply.header("x-instance"), running().instance.tag, "{}", shown());
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{}", shown());
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{}", shown());
        ids.push(reply.header("x-request-id").to_owned());
    }
    ids.sort();
    ids.dedup();
    assert!(ids.len() == replies.len() && !ids[0].is_empty(), "not a number each: {ids:?}");
    let statuses = replies.map(|reply| reply.status);
    assert_eq!(statuses, [200, 200, 400, 200, 404, 200, 200, 403, 404, 200, 401, 421]);
}

#[test]
fn versions() {
    for version in ["2020-02-02", "2026-07-01", "latest", "2026-01-01 "] {
        let reply = running().nobody().gql(version, "{ __typename }", json!({}));
        // Blanks around a value are not part of it.
        let is_known = version.trim() == V2026;
        let wanted = if is_known { (200, "") } else { (400, "UNSUPPORTED_API_VERSION") };
        assert_eq!((reply.status, reply.code()), wanted, "{version:?}: {}", reply.text);
    }
    let warned = |json: &Json| {
        let warnings = json["extensions"]["warnings"].as_array().cloned().unwrap_or_default();
        let codes = warnings.iter().map(|it| it["code"].as_str().unwrap_or_default().to_owned());
        codes.collect::<Vec<_>>()
    };
    let none = running().nobody().post("/graphql", &json!({"query": "{ __typename }"}));
    assert_eq!(warned(&none.json), ["MISSING_API_VERSION_HEADER", "API_VERSION_SUNSET_WARNING"]);
    let empty = running().nobody().gql("", "{ __typename }", json!({}));
    assert_eq!(warned(&empty.json), warned(&none.json), "an empty header says nothing");
    let old = running().nobody().gql(BASELINE, "{ __typename }", json!({}));
    assert_eq!(warned(&old.json), ["API_VERSION_SUNSET_WARNING"]);
    let newest = running().nobody().ask("{ __typename }", json!({}));
    assert_eq!(warned(&newest.json), [""; 0]);
}

#[test]
fn too_many_requests_are_told_when_to_come_back() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let server = Limited::start(&instance);
    let replies: Vec<_> = (0..40).map(|_| server.api().ask("{ __typename }", json!({}))).collect();
    let (served, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    // A burst of twice the rate is served, and whatever the time that this took allows.
    assert!(served.len() >= 10 && !refused.is_empty(), "{} of 40 served", served.len());
    for reply in refused {
        assert_eq!((reply.status, reply.code()), (429, "TOO_MANY_REQUESTS"), "{}", reply.text);
        assert_eq!(
            reply.json["errors"][0]["message"],
            "Too many requests. Please try again later."
        );
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=10).contains(&wait), "come back in {wait} s");
    }
    // No lock-out: after a moment the same caller is served.
    ward_tests::until("the caller is served again", || {
        (server.api().ask("{ __typename }", json!({})).status == 200).then_some(())
    });
}

/// A server with a rate limit, which the harness's servers never have.
struct Limited(Child, u16);

impl Limited {
    fn start(instance: &Instance) -> Limited {
        let mut command = program::command();
        command.args([
            "serve",
            "--kind",
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--rate-limit",
            "5",
        ]);
        command.arg("--dir").arg(&instance.dir);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        janitor::started(child.id());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, after) = line.split_once("listening on http://")?;
            after.split_once(' ')?.0.rsplit_once(':')?.1.parse().ok()
        });
        // Nobody reads on, and the server must not wait for one who does.
        std::thread::spawn(move || lines.for_each(drop));
        Limited(child, port.expect("the server says where it listens"))
    }

    fn api(&self) -> Api {
        Api::at(self.1, None)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        janitor::ended(self.0.id());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_same_once_more() {
    let once = running().owner().header("Idempotency-Key", "http-tests-1");
    let first = once.ask(people::CREATE_CLIENT, people::new_client("once"));
    first.data();
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = once.ask(people::CREATE_CLIENT, people::new_client("once"));
    assert_eq!(again.header("idempotent-replayed"), "true", "{}", again.text);
    assert_eq!(again.text, first.text);
    let other = once.ask(people::CREATE_CLIENT, people::new_client("other"));
    assert_eq!((other.status, other.code()), (200, "IDEMPOTENCY_KEY_REUSED"), "{}", other.text);
    for key in ["x".repeat(256), "tab\there".to_owned()] {
        let reply =
            running().owner().header("Idempotency-Key", &key).ask("{ __typename }", json!({}));
        assert_eq!((reply.status, reply.code()), (400, "BAD_REQUEST"), "{}", reply.text);
    }
}

#[test]
fn an_unexpected_environment_or_host_is_refused() {
    let body = br#"{"query":"{ __typename }"}"#;
    let head = "POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nX-Expect-Environment: production";
    refused(&running().bytes(head, body), 421, "UNEXPECTED_ENVIRONMENT");
    let twice = |one: &str, two: &str| {
        let head = format!(
            "POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\n\
             X-Expect-Environment: {one}\r\nX-Expect-Environment: {two}"
        );
        running().bytes(&head, body)
    };
    for (one, two) in [("production", "sandbox"), ("sandbox", "production"), ("sandbox", "")] {
        refused(&twice(one, two), 421, "UNEXPECTED_ENVIRONMENT");
    }
    assert_eq!(twice("sandbox", "Sandbox").status, 200);
    let request = "GET /readyz HTTP/1.1\r\nHost: ehr.example.org\r\n\r\n";
    refused(&running().server.raw(request), 421, "WRONG_HOST");
}
