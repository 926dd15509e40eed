//! What a command finds: its variables, a seeded practice, and the same ids for the same seed.

use std::io::{Read, Write};
use std::net::TcpListener;

use ward_tests::{Api, Json, json, until, ward};

use crate::running::{Running, run};

const NAMES: [&str; 8] = [
    "WARD_API_KEY",
    "WARD_ENVIRONMENT",
    "WARD_GRAPHQL_URL",
    "WARD_INSTANCE",
    "WARD_INTEGRATION_KEY",
    "WARD_URL",
    "WARD_WEBHOOK_ID",
    "WARD_WEBHOOK_SECRET",
];

/// Ids and data of much that a seed makes.
pub fn seen(api: &Api) -> Json {
    let query = "{ currentUser { id } organizationMembers(first: 100) { nodes { id full_name email } } \
        users(first: 100) { nodes { id full_name email dob } } \
        appointmentTypes { nodes { id name } } \
        conversationMemberships(first: 100) { nodes { id convo { id } } } }";
    let reply = api.ask(query, json!({}));
    reply.data().clone()
}

/// The integration makes a client of the owner's.
fn a_client(running: &Running) -> Json {
    let create = "mutation($input: createClientInput) { createClient(input: $input) { user { id } messages { message } } }";
    let owner = running.owner().ask("{ currentUser { id } }", json!({}));
    let input = json!({"input": {
        "first_name": "Ada", "last_name": "Ahlgren", "email": "ada@example.com",
        "dietitian_id": owner.data()["currentUser"]["id"],
    }});
    running.integration().ask(create, input).data().clone()
}

#[test]
fn the_command_has_these_variables_and_no_others() {
    let running = Running::start(&[], ":");
    let found: Vec<&str> = running.variables.keys().map(String::as_str).collect();
    assert_eq!(found, NAMES);
    let at = |name: &str| running.variables[name].as_str();
    assert_eq!(at("WARD_ENVIRONMENT"), "sandbox");
    assert_eq!(at("WARD_GRAPHQL_URL"), format!("{}/graphql", at("WARD_URL")));
    let prefix = format!("ward_sbxeph_{}_", at("WARD_INSTANCE"));
    assert!(at("WARD_API_KEY").starts_with(&prefix), "{}", at("WARD_API_KEY"));
    assert!(at("WARD_INTEGRATION_KEY").starts_with(&prefix));
    assert_ne!(at("WARD_API_KEY"), at("WARD_INTEGRATION_KEY"));
    assert!(at("WARD_WEBHOOK_SECRET").starts_with("whsec_sbx_"));

    let who = "{ currentUser { id is_owner full_name } webhooks { nodes { id is_enabled webhook_events { event_type } } } }";
    let owner = running.owner().ask(who, json!({}));
    let webhook = &owner.data()["webhooks"]["nodes"];
    assert_eq!(webhook[0]["id"], at("WARD_WEBHOOK_ID"));
    assert_eq!(webhook[0]["is_enabled"], false);
    assert_eq!(webhook[0]["webhook_events"].as_array().unwrap().len(), 179);
    // The integration may see no webhooks.
    let integration = running.integration().ask(who, json!({}));
    assert_eq!(integration.code(), "PERMISSION_DENIED", "{}", integration.text);
    let sign_up = "mutation { signUp(input: {role: \"dietitian\", email: \"new@practice.example\", password: \"correct horse battery 9\", first_name: \"Nell\", last_name: \"New\", legal_name: \"New Practice\"}) { user { id } messages { message } } }";
    let signed_up = running.owner().nobody().ask(sign_up, json!({}));
    assert!(signed_up.data()["signUp"]["user"]["id"].is_string(), "{}", signed_up.text);
    running.go_on("exit 0").ok();
}

#[test]
fn one_seed_gives_one_world_also_at_the_same_time() {
    let seven = ["--seed", "7"];
    let (first, second, other) = (
        Running::start(&seven, ":"),
        Running::start(&seven, ":"),
        Running::start(&["--seed", "8"], ":"),
    );
    let runs = [&first, &second, &other];
    for name in ["WARD_URL", "WARD_INSTANCE", "WARD_API_KEY"] {
        let mut all: Vec<&str> = runs.iter().map(|it| it.variables[name].as_str()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 3, "{name}");
    }
    let [a, b, c] = runs.map(|it| seen(&it.owner()));
    assert_eq!(a, b);
    assert_ne!(a, c);
    assert!(a["users"]["nodes"].as_array().unwrap().len() >= 30, "{a}");
    assert_eq!(first.variables["WARD_WEBHOOK_ID"], second.variables["WARD_WEBHOOK_ID"]);
    // What is made later, too, and nobody sees the others'.
    let made = [&first, &second].map(a_client);
    assert_eq!(made[0], made[1]);
    assert_eq!(seen(&other.owner()), c);
    // A key of one is unknown to the other.
    let key = &first.variables["WARD_API_KEY"];
    let refused = Api::at(second.port(), Some(key)).ask("{ currentUser { id } }", json!({}));
    assert_eq!(refused.code(), "WRONG_INSTANCE_KEY", "{}", refused.text);
    for run in [first, second, other] {
        run.go_on("exit 0").ok();
    }
}

#[test]
fn an_empty_pack_has_an_owner_and_an_integration() {
    let running = Running::start(&["--pack", "empty"], ":");
    let found = seen(&running.owner());
    assert_eq!(found["users"]["nodes"], json!([]), "{found}");
    assert!(a_client(&running)["createClient"]["user"]["id"].is_string());
    running.go_on("exit 0").ok();
}

#[test]
fn events_go_to_the_webhook_that_is_named() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", receiver.local_addr().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = receiver.accept() {
            let mut bytes = [0; 4_096];
            let length = stream.read(&mut bytes).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            if tell.send(String::from_utf8_lossy(&bytes[..length]).to_lowercase()).is_err() {
                return;
            }
        }
    });
    let running = Running::start(&["--pack", "empty", "--webhook", &url], ":");
    a_client(&running);
    let instance = running.variables["WARD_INSTANCE"].to_lowercase();
    let request = told.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    for part in ["post /hook http/1.1", "signature: sig1=", &format!("ward-instance: {instance}")] {
        assert!(request.contains(part), "{part}: {request}");
    }
    until("it is in the log", || {
        let sent =
            running.owner().ask("{ sentWebhooks(first: 1) { nodes { outcome } } }", json!({}));
        let nodes = sent.data()["sentWebhooks"]["nodes"].as_array().unwrap().clone();
        nodes.first().map(|it| assert_eq!(it["outcome"], "DELIVERED"))
    });
    let ended = running.go_on("exit 0").ok();
    assert!(ended.stderr.contains("delivered"), "{}", ended.stderr);
    let refused = run(&["--webhook", "http://hooks.example.com/"], &["true"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let sentence = "ward: --webhook can't be used: Url must begin with https://";
    assert_eq!(refused.stderr.trim(), sentence);
}

/// The run is small; how the command's memory is laid out is not the run's business.
#[test]
fn the_command_has_huge_pages_as_its_starter_has() {
    const NAME: &str = "THP_enabled";
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = |text: &str| text.lines().find(|line| line.starts_with(NAME)).map(str::to_owned);
    let given = run(&["--pack", "empty"], &["grep", NAME, "/proc/self/status"]).stdout;
    assert!(line(&own).is_some());
    assert_eq!(line(&given), line(&own));
    let words =
        ["sandbox", "pool", "2", "--pack", "empty", "--", "grep", NAME, "/proc/self/status"];
    let shards = ward(words).ok().stdout;
    let shards: Vec<&str> = shards.lines().filter(|line| line.contains(NAME)).collect();
    assert_eq!(shards.len(), 2);
    assert!(shards.iter().all(|shard| shard.ends_with(&line(&own).unwrap())), "{shards:?}");
    // The run itself has none, wherever its flags stand.
    let running = Running::start(&["--pack", "empty"], ":");
    let status = format!("/proc/{}/status", running.pid().as_raw_nonzero());
    let run = line(&std::fs::read_to_string(status).unwrap()).unwrap();
    assert!(run.ends_with('0'), "{run}");
    running.go_on("exit 0").ok();
}
