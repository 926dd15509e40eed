//! ISO-23, 24, 53: the wrong base URL, links, and hosts.

use std::collections::BTreeSet;

use ward_tests::instance::{OWNER, texts};
use ward_tests::{Engine, Instance, Kind, json, people, tell};

use crate::pair::pair;

#[test]
fn iso_23_unexpected_environment_refused_before_the_body() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (side, _) = pair.sides(kind);
        let port = side.server.port;
        let before = side.instance.settled_dump();
        // No byte of the body is ever sent: an answer shows that none was waited for.
        for expected in [kind.other().word(), "staging", ""] {
            let answer = side.server.raw(&format!(
                "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
                 Authorization: Basic {}\r\nX-Expect-Environment: {expected}\r\n\
                 Content-Length: 900000000000\r\n\r\n",
                side.owner
            ));
            assert_eq!(
                answer.status, 421,
                "expecting {expected:?}: {}{}",
                answer.head, answer.body
            );
            assert!(answer.json()["errors"][0]["message"].is_string(), "{}", answer.body);
            assert_eq!(answer.header("x-environment"), Some(kind.word()));
        }
        // A destructive script with the header, aimed at the wrong one; every route.
        let expecting = |word: &str| side.as_provider().header("X-Expect-Environment", word);
        let wrong = expecting(kind.other().word());
        let reply = wrong.ask(people::CREATE_CLIENT, people::new_client("misdirected"));
        assert_eq!(reply.status, 421, "{}", reply.text);
        for path in ["/graphql", "/readyz", "/set-password", "/sandbox/v1/inbox", "/files/x"] {
            assert_eq!(wrong.get(path).status, 421, "{path}");
        }
        side.instance.settled_dump().assert_unchanged_since(&before, "an unexpected environment");
        // The right expectation is no hindrance.
        people::current_user(&expecting(kind.word()));
        people::current_user(&expecting(&kind.word().to_uppercase()));
    }
    tell("ISO-23", "6 headers without a body, 2 scripts and 10 routes answered 421");
}

#[test]
fn iso_23_every_answer_names_environment_and_instance() {
    let pair = pair();
    let mut answers = 0;
    for kind in Kind::BOTH {
        let (side, other) = pair.sides(kind);
        let api = side.server.api();
        let replies = [
            api.get("/healthz"),
            api.get("/readyz"),
            api.get("/graphql"),
            api.get("/nowhere"),
            api.get("/sandbox/v1/inbox"),
            api.get("/files/x"),
            api.ask("{ currentUser { id } }", json!({})),
            api.ask("{ nonsense }", json!({})),
            api.post_as("/graphql", "text/plain", "x".to_owned()),
            api.post_as("/graphql", "application/json", "x".to_owned()),
            side.server.with(&other.owner).ask("{ currentUser { id } }", json!({})),
            side.as_owner().gql("1999-01-01", "{ currentUser { id } }", json!({})),
            side.as_owner().header("X-Expect-Environment", "x").get("/graphql"),
        ];
        for reply in replies {
            let named = (reply.header("x-environment"), reply.header("x-instance"));
            assert_eq!(named, (kind.word(), side.instance.tag.as_str()), "{}", reply.text);
            assert!(!reply.header("x-request-id").is_empty(), "{}", reply.text);
            answers += 1;
        }
    }
    tell("ISO-23", format_args!("{answers} answers of all sorts name environment and instance"));
}

/// The hosts of all addresses in a text.
fn hosts(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices("://").map(|(at, mark)| &text[at + mark.len()..]);
    let end = |rest: &str| {
        let host = rest.split(|c: char| !(c.is_ascii_alphanumeric() || ".-:[]".contains(c)));
        host.into_iter().next().unwrap_or_default().trim_end_matches(['.', ':']).to_owned()
    };
    starts.map(end).filter(|host| !host.is_empty()).collect()
}

#[test]
fn iso_24_links_lead_to_the_own_instance() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (side, other) = pair.sides(kind);
        let mut written = Vec::new();
        people::welcomed_client(&side.as_provider(), "linked");
        people::forget_password(&side.server.api(), OWNER);
        side.instance.settled_dump();
        if kind == Kind::Sandbox {
            let inbox = side.as_owner().get("/sandbox/v1/inbox?limit=100");
            let items = inbox.json["items"].as_array().cloned().unwrap_or_default();
            for kind in ["welcome", "reset_password"] {
                let is_there = items.iter().any(|item| item["kind"] == kind);
                assert!(is_there, "no mail of kind {kind} to look at: {}", inbox.text);
            }
            written.extend(items.iter().flat_map(texts).map(str::to_owned));
        }
        let link = side.instance.ward(&["user", "link"], &["--user", OWNER]).json();
        written.extend(texts(&link).into_iter().map(str::to_owned));
        written.push(side.server.api().header("Accept", "text/html").get("/graphql").text);
        written.push(side.server.api().get("/set-password?token=x").text);
        let found: BTreeSet<String> = written.iter().flat_map(|text| hosts(text)).collect();
        let port = side.server.port;
        let own = [
            format!("{}.localhost:{port}", kind.word()),
            format!("localhost:{port}"),
            format!("127.0.0.1:{port}"),
        ];
        let foreign: Vec<_> = found.iter().filter(|host| !own.contains(host)).collect();
        assert!(foreign.is_empty(), "{}: links lead to {foreign:?}", kind.title());
        assert!(!found.is_empty(), "{}: no link at all", kind.title());
        let whole = written.join("\n");
        assert!(!whole.contains(&other.instance.tag), "{} names the other's tag", kind.title());
        tell(
            "ISO-24",
            format_args!("{}: {} texts, all links lead to {found:?}", kind.title(), written.len()),
        );
    }
}

#[test]
fn iso_53_foreign_host_refused() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (side, other) = pair.sides(kind);
        let (port, elsewhere) = (side.server.port, other.server.port);
        let before = side.instance.settled_dump();
        let body =
            json!({"query": people::CREATE_CLIENT, "variables": people::new_client("hosted")})
                .to_string();
        let post = |host: &str| {
            side.server.raw(&format!(
                "POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
                 Authorization: Basic {}\r\nContent-Length: {}\r\n\r\n{body}",
                side.provider,
                body.len()
            ))
        };
        let foreign = [
            "ehr.example.org".to_owned(),
            format!("ehr.example.org:{port}"),
            format!("127.0.0.1:{elsewhere}"),
            "127.0.0.1".to_owned(),
            format!("localhost.example.org:{port}"),
            format!("127.0.0.1.example.org:{port}"),
            format!("10.0.0.1:{port}"),
            String::new(),
        ];
        for host in &foreign {
            let answer = post(host);
            assert_eq!(answer.status, 421, "{host:?}: {}{}", answer.head, answer.body);
            assert_eq!(answer.header("x-environment"), Some(kind.word()));
        }
        side.instance.settled_dump().assert_unchanged_since(&before, "a foreign host");
        // All names of this machine are one host, on the port that is listened on.
        let get = |path: &str, host: &str| {
            side.server
                .raw(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
        };
        let names = [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "sandbox.localhost",
            "production.localhost",
            "any.localhost",
            "LOCALHOST",
        ];
        for name in names {
            let answer = get("/readyz", &format!("{name}:{port}"));
            assert_eq!(answer.status, 200, "{name}: {}{}", answer.head, answer.body);
        }
        // A load balancer asks for the process's health under any name.
        assert_eq!(get("/healthz", "ehr.example.org").status, 200);
        tell(
            "ISO-53",
            format_args!(
                "{}: {} foreign hosts 421, {} names of this machine served",
                kind.title(),
                foreign.len(),
                names.len()
            ),
        );
    }
}

/// The port of a loopback address does not count: what was due before a restart on another port
/// is sent, and leads to the new one.
#[test]
fn iso_24_links_follow_the_port() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = s.owner_key();
    let first = s.serve();
    people::forget_password(&first.api(), OWNER);
    s.settled_dump();
    let old = first.port;
    first.stop();
    crate::clones::make_due(&s);
    let second = s.serve();
    assert_ne!(second.port, old, "the same port again");
    s.settled_dump();
    let inbox = second.with(&key).get("/sandbox/v1/inbox");
    let text = inbox.json["items"][0]["text"].as_str().unwrap_or_default();
    let leads = text.contains(&format!("localhost:{}/", second.port));
    assert!(leads, "not sent, or to another port: {}", inbox.text);
    tell("ISO-24", "a mail that was due before a restart leads to the new port");
}
