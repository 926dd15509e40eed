//! Faults that a Sandbox makes on purpose: what each does to a request, and where it ends.

use ward_tests::people::{self, CREATE_CLIENT, new_client};
use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, Reply, Server, V2026, json, tell, until};

const ME: &str = "{ currentUser { id first_name } organization { id } }";
const RENAME: &str = "mutation($input: updateUserInput) { updateUser(input: $input) \
    { user { id } messages { field message } } }";
struct World {
    instance: Instance,
    owner: String,
    server: Server,
}

impl World {
    fn open(engine: Engine) -> World {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let owner = instance.owner_key();
        let server = instance.serve();
        World { instance, owner, server }
    }

    fn api(&self) -> Api {
        self.server.with(&self.owner)
    }

    /// The only fault from now on.
    #[track_caller]
    fn fault(&self, asked: &Json) -> Json {
        let cleared = self.api().delete("/sandbox/v1/faults");
        assert_eq!(cleared.json, json!({"faults": []}), "{}", cleared.text);
        let reply = self.api().post("/sandbox/v1/faults", asked);
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json["faults"][0].clone()
    }

    fn me(&self) -> Reply {
        self.api().ask(ME, json!({}))
    }

    fn clients(&self) -> usize {
        people::client_ids(&self.api()).len()
    }
}

#[test]
fn nothing_is_executed_under_what_comes_before() {
    for engine in Engine::available("faults") {
        let world = World::open(engine);
        for (kind, status, code) in [
            ("rate_limited", 429, "TOO_MANY_REQUESTS"),
            ("internal_error", 500, "INTERNAL"),
            ("bad_gateway", 502, ""),
            ("expired_key", 200, "UNAUTHENTICATED"),
        ] {
            let fault = world.fault(&json!({"kind": kind}));
            let reply = world.api().ask(CREATE_CLIENT, new_client("ada"));
            assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.text);
            assert_eq!(reply.header("x-sandbox-fault"), format!("{kind}; id={}", fault["id"]));
            assert_eq!(reply.json.is_null(), kind == "bad_gateway", "{}", reply.text);
            assert_eq!(reply.header("retry-after").is_empty(), kind != "rate_limited");
        }
        world.api().delete("/sandbox/v1/faults");
        assert_eq!(world.clients(), 0);
        assert_eq!(world.me().header("x-sandbox-fault"), "");
        world.server.stop();
    }
}

#[test]
fn all_is_done_under_what_comes_after() {
    let world = World::open(Engine::Sqlite);
    world.fault(&json!({"kind": "latency", "milliseconds": 1}));
    let reply = world.api().ask(CREATE_CLIENT, new_client("late"));
    assert_eq!(reply.header("x-sandbox-fault").split(';').next(), Some("latency"));
    people::id(&reply.data()["createClient"]["user"]);
    world.fault(&json!({"kind": "timeout_after_commit"}));
    // Who asks again with the same key has done it once.
    let retried = world.api().header("Idempotency-Key", "one");
    let reply = retried.ask(CREATE_CLIENT, new_client("retried"));
    assert_eq!((reply.status, reply.json.is_null()), (504, true), "{}", reply.text);
    world.fault(&json!({"kind": "connection_reset"}));
    let torn = world.api().try_gql(V2026, CREATE_CLIENT, new_client("torn"));
    assert!(torn.is_err(), "{:?}", torn.map(|it| it.text));
    world.fault(&json!({"kind": "truncated_json"}));
    let reply = world.api().ask(CREATE_CLIENT, new_client("cut"));
    assert_eq!((reply.status, reply.json.is_null()), (200, true), "{}", reply.text);
    assert!(reply.text.starts_with("{\"data\":"), "{}", reply.text);
    world.api().delete("/sandbox/v1/faults");
    let again = retried.ask(CREATE_CLIENT, new_client("retried"));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(world.clients(), 4);
}

#[test]
fn a_connection_ends_in_the_middle_of_its_answer() {
    let world = World::open(Engine::Sqlite);
    let fault = world.fault(&json!({"kind": "connection_reset"}));
    let body = json!({"query": ME}).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
         Authorization: Basic {}\r\nHealthie-GraphQL-API-Version: {V2026}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        world.server.port,
        world.owner,
        body.len()
    );
    let answer = world.server.raw(&request);
    let mark = format!("connection_reset; id={}", fault["id"]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("x-sandbox-fault"), Some(mark.as_str()), "{answer:?}");
    let promised: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!(answer.body.len(), promised / 2, "{answer:?}");
    assert!(answer.body.starts_with("{\"data\":"), "{answer:?}");
}

#[test]
fn answers_are_partly_there_or_of_before() {
    let world = World::open(Engine::Sqlite);
    world.fault(&json!({"kind": "partial_errors"}));
    let reply = world.me();
    let gone: Vec<&String> = {
        let data = reply.json["data"].as_object().unwrap();
        data.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name).collect()
    };
    assert_eq!(gone.len(), 1, "{}", reply.text);
    assert_eq!(reply.json["errors"][0]["path"], json!([gone[0]]), "{}", reply.text);
    // What may not be null takes everything with it.
    let reply = world.api().ask("{ users(first: 1) { nodes { id } } }", json!({}));
    assert!(reply.json["data"].is_null(), "{}", reply.text);
    world.fault(&json!({"kind": "stale_read"}));
    let name = || world.me().data()["currentUser"]["first_name"].clone();
    let before = name();
    let id = people::current_user(&world.api());
    let renamed = json!({"input": {"id": id, "first_name": "Renamed"}});
    world.api().ask(RENAME, renamed).data();
    assert_eq!(name(), before);
    world.api().delete("/sandbox/v1/faults");
    assert_eq!(name(), "Renamed");
}

#[test]
fn iso_48_it_hits_whom_it_is_meant_for_and_ends() {
    for engine in Engine::available("faults") {
        let world = World::open(engine);
        let other = world.server.with(&world.instance.member("admin"));
        let kid: String = world.owner.rsplit('_').next().unwrap().chars().take(8).collect();
        world.fault(
            &json!({"kind": "internal_error", "key": kid, "operation": "currentUser", "times": 2}),
        );
        let hit = |api: &Api, query: &str| api.ask(query, json!({})).status == 500;
        assert!(!hit(&other, ME), "another's key");
        assert!(!hit(&world.api(), "{ organization { id } }"), "another operation");
        assert_eq!([0; 3].map(|_| hit(&world.api(), ME)), [true, true, false]);
        let hits = world.api().get("/sandbox/v1/faults").json["faults"][0]["hits"].clone();
        assert_eq!(hits, 2);
        // The same seed hits the same again.
        let drawn = || -> Vec<bool> {
            world.fault(&json!({"kind": "rate_limited", "percent": 40, "seed": 9}));
            (0..30).map(|_| world.me().status == 429).collect()
        };
        let first = drawn();
        assert_eq!(first, drawn());
        assert!(first.contains(&true) && first.contains(&false), "{first:?}");
        // It outlives the process, and nothing outlives its end.
        let fault = world.fault(&json!({"kind": "bad_gateway", "seconds": 3_600}));
        world.server.stop();
        let world = World { server: world.instance.serve(), ..world };
        assert_eq!(world.me().status, 502);
        let ended = world.api().delete(&format!("/sandbox/v1/faults/{}", fault["id"]));
        assert_eq!(ended.json, json!({"faults": []}), "{}", ended.text);
        world.fault(&json!({"kind": "bad_gateway", "seconds": 1}));
        assert_eq!(world.me().status, 502);
        until("the fault ends", || (world.me().status == 200).then_some(()));
        world.server.stop();
    }
}

#[test]
fn what_is_no_fault_is_one_sentence() {
    let world = World::open(Engine::Sqlite);
    let api = world.api();
    for (asked, sentence) in [
        (json!({"kind": "earthquake"}), "kind is one of latency, rate_limited"),
        (json!({"kind": "latency", "seconds": 3_601}), "seconds is from 1 to 3600"),
        (json!({"kind": "latency", "seconds": 0}), "seconds is from 1 to 3600"),
        (json!({"kind": "latency", "percent": 0}), "percent is from 1 to 100"),
        (json!({"kind": "latency", "percent": 101}), "percent is from 1 to 100"),
        (json!({"kind": "latency", "times": 0}), "times is from 1 to"),
        (json!({"kind": "latency", "milliseconds": 20_001}), "milliseconds is from 0 to 20000"),
        (json!({"kind": "latency", "key": "ward_sbx_ABCDE_secret"}), "key is the eight characters"),
        (
            json!({"kind": "latency", "event": "patient.created"}),
            "event does not go with latency; operation and key do",
        ),
        (
            json!({"kind": "webhook_late", "operation": "x"}),
            "operation does not go with webhook_late; webhook and event do",
        ),
        (json!({"kind": "latency", "key": "zzzzzzzz"}), "there is no key zzzzzzzz"),
        (json!({"kind": "webhook_late", "webhook": "123"}), "there is no webhook 123"),
        (json!({"kind": "webhook_late", "webhook": 123}), "there is no webhook 123"),
        (json!({"kind": "webhook_late", "webhook": "first"}), "webhook is the id of one"),
        (
            json!({"kind": "webhook_late", "event": "patient.craeted"}),
            "there is no event patient.craeted; is patient.created meant?",
        ),
        (json!({"kind": "latency", "operation": ""}), "operation has 1 to 100 characters"),
        (json!({"kind": "latency", "for": 3}), "send {\"kind\": \"rate_limited\"}"),
        (json!([]), "send {\"kind\": \"rate_limited\"}"),
    ] {
        let reply = api.post("/sandbox/v1/faults", &asked);
        assert_eq!((reply.status, reply.code()), (400, "BAD_REQUEST"), "{asked}: {}", reply.text);
        let told = reply.json["errors"][0]["message"].as_str().unwrap();
        assert!(told.starts_with(sentence), "{asked}: {told}");
    }
    for _ in 0..20 {
        assert_eq!(api.post("/sandbox/v1/faults", &json!({"kind": "latency"})).status, 200);
    }
    let reply = api.post("/sandbox/v1/faults", &json!({"kind": "latency"}));
    assert_eq!((reply.status, reply.code()), (409, "FAULT_REFUSED"), "{}", reply.text);
    assert_eq!(api.delete("/sandbox/v1/faults/9999").code(), "FAULT_REFUSED");
    let reply = api.delete("/sandbox/v1/faults/abc");
    assert_eq!((reply.status, reply.code()), (400, "BAD_REQUEST"), "{}", reply.text);
    assert_eq!(api.nobody().delete("/sandbox/v1/faults/abc").status, 401);
    let provider = world.server.with(&world.instance.member("provider"));
    for reply in [
        provider.get("/sandbox/v1/faults"),
        provider.post("/sandbox/v1/faults", &json!({"kind": "latency"})),
        provider.delete("/sandbox/v1/faults"),
    ] {
        assert_eq!((reply.status, reply.code()), (403, "PERMISSION_DENIED"), "{}", reply.text);
    }
    let entries = world.instance.audit_entries();
    assert_eq!(entries.iter().filter(|it| it.resource_name == "FAULTS").count(), 20);
}

#[test]
fn the_command_line_makes_and_ends_them() {
    let world = World::open(Engine::Sqlite);
    let url = format!("http://127.0.0.1:{}", world.server.port);
    let variables = [("WARD_URL", url.as_str()), ("WARD_API_KEY", world.owner.as_str())];
    let ward = |words: &[&str]| {
        let words = ["sandbox", "faults"].iter().chain(words).chain(&["--json"]);
        ward_with(words.copied().collect::<Vec<_>>(), &variables)
    };
    let made = ward(&["add", "rate_limited", "--operation", "currentUser", "--times", "1"]).json();
    assert_eq!(made["faults"][0]["operation"], "currentUser", "{made}");
    assert_eq!([world.me().status, world.me().status], [429, 200]);
    assert_eq!(ward(&["list"]).json()["faults"][0]["hits"], 1);
    let id = made["faults"][0]["id"].to_string();
    assert_eq!(ward(&["clear", &id]).json(), json!({"faults": []}));
    assert_eq!(ward(&["clear"]).json(), json!({"faults": []}));
    // What it is meant for, how often, and what may be mistyped.
    let wrong = ["add", "latency", "--operation", "createClinet", "--times", "3", "--seed", "5"];
    let noted = ward(&wrong).ok();
    let note = "no field is called createClinet: only documents with an operation of this name are hit; is createClient meant?";
    assert!(noted.stderr.contains(note), "{}", noted.stderr);
    let told = ward_with(["sandbox", "faults", "list"], &variables).ok().stdout;
    for part in ["of operation createClinet", "1000 ms late", "seed 5", "0 hit so far, 3 left"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    ward(&["clear"]).json();
    assert_eq!(ward(&["add", "earthquake"]).code, Some(2));
    // A reset forgets them with everything else.
    ward(&["add", "bad_gateway"]).json();
    assert_eq!(world.api().post("/sandbox/v1/reset", &json!({})).status, 200);
    assert_eq!(world.api().nobody().ask("{ __typename }", json!({})).status, 200);
}

/// ISO-48: there is nothing in Production that makes a fault, and none lasts.
#[test]
fn iso_48_no_fault_in_production() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let server = p.serve();
    let api = server.with(&owner);
    let replies = [
        api.get("/sandbox/v1/faults"),
        api.post("/sandbox/v1/faults", &json!({"kind": "internal_error"})),
        api.delete("/sandbox/v1/faults"),
        api.delete("/sandbox/v1/faults/1"),
    ];
    for reply in &replies {
        assert_eq!((reply.status, reply.code()), (404, "SANDBOX_ONLY"), "{}", reply.text);
    }
    // Nor by a row that somebody wrote by hand: of the Sandbox the database does not take it, and
    // of its own nobody reads it.
    let row = |kind: &str| {
        format!(
            "INSERT INTO faults (only_row, kind, revision, last_id, active) VALUES (1, '{kind}', 1, 1, \
             '[{{\"id\":1,\"kind\":\"internal_error\",\"operation\":null,\"key\":null,\"webhook\":null,\
             \"event\":null,\"percent\":100,\"times\":null,\"milliseconds\":0,\"seed\":1,\
             \"expires_at\":99999999999999999}}]')"
        )
    };
    server.stop();
    let database = ward_tests::database::writable(&p.file());
    let refused = database.execute(&row("sandbox"), ()).unwrap_err().to_string();
    assert!(refused.contains("CHECK"), "{refused}");
    database.execute(&row("production"), ()).unwrap();
    drop(database);
    let server = p.serve();
    let reply = server.with(&owner).ask(ME, json!({}));
    assert_eq!((reply.status, reply.header("x-sandbox-fault")), (200, ""), "{}", reply.text);
    tell("ISO-48", format_args!("{} calls answered SANDBOX_ONLY", replies.len()));
}
