//! SEC-24, SEC-32: nothing that a caller sends ends up in the logs, no answer tells how Ward works
//! inside, and the process's memory is written nowhere.

use ward_tests::instance::OWNER;
use ward_tests::{Api, Engine, Instance, Kind, json, people, raw, tell};

/// Begins every text that is sent.
const CANARY: &str = "zqcanary";

/// Sends a canary by every way that a caller has; answers how many were sent, and what came back
/// to those that were wrong.
fn sing(api: &Api, port: u16, key: &str) -> (usize, Vec<String>) {
    let mut sent = 0;
    let mut next = || {
        sent += 1;
        format!("{CANARY}{sent}x")
    };
    let mut wrong = Vec::new();
    // A client with a canary in everything.
    let client = json!({"client": {
        "first_name": next(), "last_name": next(), "legal_name": next(),
        "email": format!("{}@client.example", next()), "phone_number": next(), "gender": next(),
        "record_identifier": next(), "additional_record_identifier": next(),
        "metadata": format!("{{\"note\":\"{}\"}}", next()), "dont_send_welcome": false,
    }});
    let made = api.ask(people::CREATE_CLIENT, client);
    wrong.push(made.text.replace(CANARY, ""));
    let id = made.json["data"]["createClient"]["user"]["id"].as_str().unwrap_or("1").to_owned();
    let change = "mutation($input: updateClientInput) { updateClient(input: $input) { user { id } messages { field message } } }";
    for field in ["quick_notes", "ssn", "dob", "timezone", "password", "gender_identity", "height"]
    {
        let mut input = json!({"id": id});
        input[field] = next().into();
        wrong.push(api.ask(change, json!({"input": input})).text);
    }
    // Documents, variables and ids that are wrong.
    for query in [
        format!("{{ {} }}", next()),
        format!("{{ user(id: \"{}\") {{ id }} }}", next()),
        format!("{{ users(order_by: {}) {{ nodes {{ id }} }} }}", next()),
        format!("query {} {{ currentUser {{ {} }} }}", next(), next()),
        format!("{{ users(keywords: \"{}\") {{ nodes {{ id }} }} }}", next()),
        format!("{{ \"{}", next()),
        format!("# {}\n{{ currentUser {{ id }} }}", next()),
    ] {
        wrong.push(api.ask(&query, json!({"unused": next()})).text);
    }
    for password in [next(), next()] {
        let input = json!({"email": OWNER, "password": password, "token": null});
        wrong.push(people::sign_in(api, input).text);
        let unknown = json!({"email": format!("{}@nobody.example", next()), "password": password});
        wrong.push(people::sign_in(api, unknown).text);
        wrong.push(people::sign_in(api, json!({"reset_token": next()})).text);
    }
    people::forget_password(api, &format!("{}@nobody.example", next()));
    // Headers, paths and bodies, by hand.
    let body = r#"{"query":"{ currentUser { id } }"}"#;
    for head in [
        format!("POST /graphql?{} HTTP/1.1\r\nAuthorization: Basic {key}", next()),
        format!("POST /{} HTTP/1.1", next()),
        format!("POST /graphql HTTP/1.1\r\nAuthorization: Bearer {}", next()),
        format!("POST /graphql HTTP/1.1\r\nUser-Agent: {}\r\nReferer: http://{}/", next(), next()),
        format!(
            "POST /graphql HTTP/1.1\r\nIdempotency-Key: {}\r\nAuthorization: Basic {key}",
            next()
        ),
        format!(
            "POST /graphql HTTP/1.1\r\nX-Forwarded-For: {}\r\nX-Request-Id: {}",
            next(),
            next()
        ),
        format!("POST /graphql HTTP/1.1\r\nHealthie-GraphQL-API-Version: {}", next()),
        format!("GET /files/{} HTTP/1.1", next()),
        format!("GET /set-password?token={} HTTP/1.1", next()),
        format!("POST /graphql HTTP/1.1\r\nContent-Type: {}", next()),
    ] {
        let host = format!(
            "\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\nConnection: close",
            body.len()
        );
        let kind =
            if head.contains("Content-Type") { "" } else { "\r\nContent-Type: application/json" };
        wrong.push(raw::exchange(port, &format!("{head}{host}{kind}\r\n\r\n{body}")).body);
    }
    (sent, wrong)
}

/// What an answer must not tell.
const INSIDES: [&str; 14] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "sqlite",
    "SQLITE",
    "postgres",
    "rusqlite",
    "/src/",
    ".rs:",
    "/rustc",
    "panicked",
    "stack backtrace",
    "/ward.db",
    "root.key",
];

#[test]
fn sec_24_iso_52_nothing_sent_is_logged_and_no_answer_tells_the_insides() {
    let mut figures = Vec::new();
    for engine in Engine::available("SEC-24") {
        let instance = Instance::birth(Kind::Production, engine);
        let key = instance.owner_key();
        let server = instance.serve_with(&["--log-level", "trace"]);
        let (sent, wrong) = sing(&server.with(&key), server.port, &key);
        for answer in &wrong {
            let told = INSIDES.iter().find(|word| answer.contains(**word));
            let folder = instance.dir.to_str().unwrap();
            assert!(told.is_none() && !answer.contains(folder), "{told:?} in {answer}");
        }
        let logs = server.stop();
        let lower = logs.to_lowercase();
        let at = lower
            .find(CANARY)
            .map(|at| lower[at.saturating_sub(200)..].chars().take(400).collect::<String>());
        assert!(at.is_none(), "{engine:?}: in the logs: {}", at.unwrap_or_default());
        assert!(!logs.contains(&key), "the key is in the logs");
        assert!(logs.contains("listening"), "nothing was logged");
        figures.push(format!(
            "{engine:?}: {sent} canaries, {} answers, {} bytes of logs at trace",
            wrong.len(),
            logs.len()
        ));
    }
    tell("SEC-24", figures.join("; "));
}

/// A line of its own in a log is how a lie gets into it.
#[test]
fn sec_24_nobody_writes_lines_into_the_log() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let server = instance.serve_with(&["--log-level", "trace"]);
    let api = server.with(&key);
    let line = "x\r\n{\"level\":\"ERROR\",\"fields\":{\"message\":\"zqforged\"}}";
    people::sign_in(&api, json!({"email": line, "password": line}));
    api.ask(
        people::CREATE_CLIENT,
        json!({"client": {"first_name": line, "last_name": line, "email": line}}),
    );
    api.get("/nowhere%0d%0azqforged");
    let logs = server.stop();
    assert!(!logs.contains("zqforged"), "{logs}");
    assert!(
        logs.lines().all(|line| line.is_empty() || line.starts_with('{') || !line.contains('{'))
    );
}

#[test]
fn sec_32_no_core_is_dumped() {
    let instance = Instance::birth(Kind::Production, Engine::Sqlite);
    let server = instance.serve();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
    // Nor does what it was given show what it keeps.
    let arguments = std::fs::read(format!("/proc/{}/cmdline", server.pid())).unwrap();
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    let root = std::fs::read_to_string(instance.dir.join("root.key")).unwrap();
    let secret = root.lines().max_by_key(|line| line.len()).unwrap();
    assert!(!arguments.contains(secret), "the root key is an argument");
    server.stop();
}
