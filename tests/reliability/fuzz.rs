//! REL-15: whatever arrives, it answers; it never panics, hangs or says "internal error".

use std::io::{Read as _, Write as _};
use std::time::Duration;

use ward_tests::schema::{Input, Ref, Root, Schema};
use ward_tests::seeded::Seeded;
use ward_tests::{BASELINE, Engine, Instance, Json, Kind, Server, V2026, json, people, raw, tell};

/// Documents and byte streams that a run of `make test` tries; `WARD_SOAK=1` a hundred times more.
const CASES: u64 = 300;

fn cases() -> u64 {
    let is_soak = std::env::var("WARD_SOAK").is_ok_and(|value| value == "1");
    if is_soak { CASES * 100 } else { CASES }
}

/// Texts that parsers and databases have stumbled over.
const TEXTS: [&str; 16] = [
    "",
    " ",
    "\u{0}",
    "\u{202e}abc",
    "null",
    "-1",
    "2147483648",
    "99999999999999999999",
    "NaN",
    "2024-02-30",
    "9999-12-31T23:59:60Z",
    "'; DROP TABLE users; --",
    "%_\\%",
    "\u{1f469}\u{200d}\u{1f52c}",
    "a\u{301}\u{301}\u{301}",
    "{\"k\":[",
];

/// Any value, of the right type or not.
fn value(chance: &mut Seeded, schema: &Schema, of: &Ref, ids: &[String], depth: u32) -> Json {
    match chance.between(0, 19) {
        0 => return Json::Null,
        1 => return json!([[]]),
        2 => return json!({"a": {"b": []}}),
        3 => return json!(chance.number()),
        4 => return json!(-1.5e300),
        _ => {}
    }
    if of.is_list() {
        let one = || of.name().to_owned();
        let count = chance.between(0, 3);
        return (0..count).map(|_| value(chance, schema, &Ref::Named(one()), ids, depth)).collect();
    }
    let named = schema.named(of);
    if !named.values.is_empty() {
        let at = chance.between(0, named.values.len() as u64 - 1);
        return json!(named.values[at as usize]);
    }
    if !named.inputs.is_empty() {
        if depth == 0 {
            return json!({});
        }
        let mut object = serde_json::Map::new();
        for input in named.inputs.clone() {
            if input.of.is_required() || chance.between(0, 3) == 0 {
                object.insert(input.name.clone(), value(chance, schema, &input.of, ids, depth - 1));
            }
        }
        return Json::Object(object);
    }
    match (of.name(), chance.between(0, 3)) {
        ("ID" | "Int", 0 | 1) if !ids.is_empty() => {
            json!(ids[chance.between(0, ids.len() as u64 - 1) as usize])
        }
        ("Boolean", 0..=2) => json!(chance.between(0, 1) == 1),
        ("Int", 2) => json!(chance.number() as i32),
        (_, 0) => json!("x".repeat(chance.between(1, 5_000) as usize)),
        _ => json!(TEXTS[chance.between(0, TEXTS.len() as u64 - 1) as usize]),
    }
}

/// A selection that the schema allows, some levels deep.
fn selection(chance: &mut Seeded, schema: &Schema, of: &Ref, depth: u32) -> String {
    if schema.named(of).kind == "UNION" {
        return " { __typename }".to_owned();
    }
    let fields = schema.named(of).fields.clone();
    if fields.is_empty() {
        return String::new();
    }
    let mut text = String::from(" { __typename");
    for field in &fields {
        let is_object = !schema.named(&field.of).fields.is_empty();
        let needs = field.arguments.iter().any(|it| it.of.is_required() && !it.has_default);
        if needs || (is_object && depth == 0) || chance.between(0, 4) != 0 {
            continue;
        }
        text.push(' ');
        text.push_str(&field.name);
        text.push_str(&selection(chance, schema, &field.of, depth.saturating_sub(1)));
    }
    text + " }"
}

/// A document that is valid, with values that need not be.
fn document(chance: &mut Seeded, schema: &Schema, ids: &[String]) -> (String, Json) {
    let roots = schema.roots();
    let (root, field) = &roots[chance.between(0, roots.len() as u64 - 1) as usize];
    let chosen: Vec<&Input> = field
        .arguments
        .iter()
        .filter(|it| it.of.is_required() || *root == Root::Mutation || chance.between(0, 1) == 0)
        .collect();
    let mut variables = serde_json::Map::new();
    for argument in &chosen {
        variables.insert(argument.name.clone(), value(chance, schema, &argument.of, ids, 3));
    }
    let joined = |shown: &dyn Fn(&Input) -> String| {
        let all: Vec<String> = chosen.iter().map(|it| shown(it)).collect();
        if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) }
    };
    let query = format!(
        "{}{} {{ {}{}{} }}",
        root.word(),
        joined(&|it| format!("${}: {}", it.name, it.of)),
        field.name,
        joined(&|it| format!("{0}: ${0}", it.name)),
        selection(chance, schema, &field.of, 3)
    );
    (query, Json::Object(variables))
}

/// Bytes with some of them changed, left out or doubled.
fn mangled(chance: &mut Seeded, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..chance.between(1, 6) {
        if bytes.is_empty() {
            break;
        }
        let at = chance.between(0, bytes.len() as u64 - 1) as usize;
        match chance.between(0, 4) {
            0 => bytes[at] = chance.number() as u8,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"{}()[]\"$:!\0\xff\r\n@"[chance.between(0, 14) as usize]),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + chance.between(1, 40) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// Sends bytes as they are and reads what comes; the server may well wait for more of them.
fn throw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = raw::connect(server.port).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn check(what: &str, sent: &dyn std::fmt::Debug, status: u16, answer: &str) {
    let is_internal = answer.contains("\"INTERNAL") || answer.contains("Internal server error");
    assert!(status < 500 && !is_internal, "{what}: {sent:?} is answered {status}: {answer}");
}

#[test]
fn rel_15_no_document_and_no_bytes_make_it_fail() {
    let mut chance = Seeded::announced("REL-15");
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (key, provider) = (instance.owner_key(), instance.member("provider"));
    let mut server = instance.serve();
    let api = server.with(&key);
    let furniture = people::furnish(&api, &server.with(&provider), "fuzz");
    let mut ids = furniture.clients.clone();
    ids.extend([furniture.group, furniture.tag, furniture.location, "1".to_owned()]);
    let schemas = [BASELINE, V2026].map(|view| Schema::of(&api, view));
    let mut answered = 0;
    for case in 0..cases() {
        let schema = &schemas[case as usize % 2];
        let (query, variables) = document(&mut chance, schema, &ids);
        let reply = api.gql(schema.view, &query, variables.clone());
        check("document", &(&query, &variables), reply.status, &reply.text);
        answered += u64::from(reply.status == 200);
        // The same text, mangled: as a document, then with its head as a request.
        let broken = String::from_utf8_lossy(&mangled(&mut chance, query.as_bytes())).into_owned();
        let reply = api.gql(schema.view, &broken, variables.clone());
        check("mangled document", &broken, reply.status, &reply.text);
        let body = json!({"query": query, "variables": variables}).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Basic {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            server.port,
            body.len()
        );
        let bytes = mangled(&mut chance, request.as_bytes());
        let answer = throw(&server, &bytes);
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        check("mangled request", &String::from_utf8_lossy(&bytes), status, &answer);
    }
    // The owner may have changed themselves by now; the server itself is well.
    assert!(server.ended().is_none() && server.is_ready(), "{}", server.logs());
    let logs = server.stop();
    assert!(!logs.contains("panicked"), "{logs}");
    assert!(answered > cases() / 2, "only {answered} documents were executed");
    assert!(instance.verify_audit().0);
    tell(
        "REL-15",
        format_args!(
            "{} documents, as many mangled ones and byte streams: 0 panics, 0 internal errors",
            cases()
        ),
    );
}
