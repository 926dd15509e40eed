//! ISO-10a, 10b, 21: backups that are brought back where they belong, and where they don't.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ward_tests::instance::OWNER;
use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, tell, until};

/// Intents that are due when the backup is made.
const DUE: usize = 500;

const READ: &str = "query($id: ID) { user(id: $id) { id first_name } }";

/// Everything below a directory, by path: names, sizes, bytes.
pub fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).unwrap().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => left.push(path),
                false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

fn furnished(kind: Kind, engine: Engine) -> (Instance, String) {
    let instance = Instance::birth(kind, engine);
    let key = instance.owner_key();
    let server = instance.serve();
    people::client(&server.with(&key), "ada");
    instance.settled_dump();
    server.stop();
    (instance, key)
}

#[test]
fn iso_10b_a_backup_of_the_other_environment_is_refused_unopened() {
    for engine in Engine::available("ISO-10b") {
        let (p, _) = furnished(Kind::Production, engine);
        let (s, key) = furnished(Kind::Sandbox, engine);
        let (of_p, _) = p.backup("production");
        let (of_s, _) = s.backup("sandbox");
        for (instance, foreign) in [(&s, &of_p), (&p, &of_s)] {
            let dump = instance.logical_dump();
            // Looking at a SQLite file leaves files beside it.
            let (bytes, before) = (fs::read(foreign).unwrap(), files(&instance.dir));
            let refused = instance.restore(foreign, &[]);
            let line = refused.refused("ISO-10b").to_owned();
            let (of, here) = (instance.kind.other().title(), instance.kind.title());
            assert!(
                line.contains(&format!("of {of}")) && line.contains(&format!("this is {here}")),
                "{line}"
            );
            assert_eq!(fs::read(foreign).unwrap(), bytes, "the backup was touched");
            assert!(files(&instance.dir) == before, "the {here}'s directory was touched");
            instance.logical_dump().assert_unchanged_since(&dump, "a foreign backup");
        }
        // While it runs it is refused as well, and first for what it is.
        let server = s.serve();
        s.restore(&of_p, &[]).refused("ISO-10b");
        let own = s.restore(&of_s, &[]);
        assert_eq!(own.code, Some(75), "a held directory: {own:?}");
        people::client(&server.with(&key), "ben");
        server.stop();
        // Another instance of the same kind.
        let (other, _) = furnished(Kind::Sandbox, engine);
        let before = files(&other.dir);
        let line = other.restore(&of_s, &[]).refused("ISO-10b").to_owned();
        assert!(line.contains("another Sandbox"), "{line}");
        assert!(files(&other.dir) == before, "the other's directory was touched");
        // What it is of can't be written over.
        let bytes = fs::read(&of_p).unwrap();
        let text = String::from_utf8_lossy(&bytes[..600]).into_owned();
        let ids = [&p, &s].map(instance_id);
        let at = text.find("{\"kind\"").unwrap();
        let end = at + text[at..].find('}').unwrap() + 1;
        let header = text[at..end].replace("\"production\"", "\"sandbox\"");
        let header = header.replace(&ids[0], &ids[1]).replace(&p.tag, &s.tag);
        let schema = |file: &Path| {
            let bytes = fs::read(file).unwrap();
            let text = String::from_utf8_lossy(&bytes[..600]).into_owned();
            let (_, rest) = text.split_once("\"schema\":\"").unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        let header = header.replace(&schema(&of_p), &schema(&of_s));
        let length = u32::try_from(header.len()).unwrap().to_be_bytes();
        let forged = [&bytes[..14], &length, header.as_bytes(), &bytes[end..]].concat();
        let file = s.backup_file("forged");
        fs::write(&file, forged).unwrap();
        let dump = s.logical_dump();
        let refused = s.restore(&file, &[]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("does not open"), "{refused:?}");
        s.logical_dump().assert_unchanged_since(&dump, "a forged backup");
        tell("ISO-10b", format_args!("{engine:?}: 5 foreign and 1 forged backup refused"));
    }
}

fn instance_id(instance: &Instance) -> String {
    instance.database().one("SELECT instance_id FROM instance")
}

/// A mail server that takes connections and counts them; it says nothing.
fn sink() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            held.push(stream);
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, count)
}

fn effects(server: &Server, key: &str, words: &[&str]) -> Json {
    let url = format!("http://127.0.0.1:{}", server.port);
    let arguments = ["effects"].iter().chain(words).chain(&["--json"]);
    ward_with(arguments, &[("WARD_URL", &url), ("WARD_API_KEY", key)]).json()
}

fn waiting(api: &Api) -> usize {
    let held = api.get("/effects/held?class=account_mail");
    assert_eq!(held.status, 200, "{}", held.text);
    usize::try_from(held.json["count"].as_u64().unwrap()).unwrap()
}

/// Lets the background work run once: it writes refusals down each second, beside what is due.
fn let_work(server: &Server, instance: &Instance) {
    server.with("nonsense").ask("{ currentUser { id } }", json!({}));
    instance.await_refusal("UNAUTHENTICATED");
}

#[test]
fn iso_10a_a_restored_production_sends_nothing_by_itself() {
    for engine in Engine::available("ISO-10a") {
        restored_production_sends_nothing(engine);
    }
}

fn restored_production_sends_nothing(engine: Engine) {
    let p = Instance::birth(Kind::Production, engine);
    let (owner, provider) = (p.owner_key(), p.member("provider"));
    let (port, connections) = sink();
    let server = p.serve();
    people::furnish(&server.with(&owner), &server.with(&provider), "drill");
    p.settled_dump();
    let place = p.database();
    let earlier = place.number("SELECT COUNT(*) FROM effect_intents WHERE class = 'account_mail'");
    welcome_many(&server.with(&provider));
    p.settled_dump();
    server.stop();
    // As many as a bad moment would have: all due, none begun.
    place.execute(
        "UPDATE effect_intents SET state = 'queued', attempts = 0, last_error = NULL \
           WHERE class = 'account_mail' AND state = 'waiting'; \
         UPDATE jobs SET state = 'ready', attempts = 0, lease_token = NULL, lease_until = NULL, \
           visible_at = 0 WHERE kind = 'effect_account_mail'; \
         UPDATE events SET relayed = FALSE; \
         UPDATE webhook_deliveries SET state = 'pending' WHERE cause <> 'probe';",
    );
    let untold = "SELECT (SELECT COUNT(*) FROM events WHERE relayed = FALSE) \
        + (SELECT COUNT(*) FROM webhook_deliveries WHERE state IN ('pending', 'leased') \
           AND cause <> 'probe')";
    let deliveries = "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'pending'";
    assert!(place.number(deliveries) > 0, "no receiver is to be told anything");
    let told = place.number(untold);
    let all = DUE + usize::try_from(earlier).unwrap();
    let due = "SELECT COUNT(*) FROM effect_intents e JOIN jobs j ON j.dedupe_key = e.id \
               AND j.org_id = e.org_id WHERE e.state = 'queued' AND j.state = 'ready' \
               AND e.class = 'account_mail'";
    assert_eq!(place.number(due), all as i64);
    let (file, _) = p.backup("due");
    // Whoever asked for a deletion since would not want to be mailed.
    place.execute("UPDATE effect_intents SET state = 'failed' WHERE state = 'queued'");
    let answer = p.restore(&file, &["--reason", "a drill"]).json();
    assert_eq!(answer["state"], "quarantined", "{answer}");
    assert_eq!(answer["held"]["account_mail"], json!(all), "{answer}");
    assert_eq!(answer["held"]["webhooks"], json!(told), "{answer}");
    assert_eq!(place.number(untold), 0, "webhooks go on with what was before");
    assert_eq!(answer["were_on"], json!(["account_mail"]), "{answer}");
    assert!(p.verify_audit().0, "{}", p.verify_audit().1);
    // The mail server is there from now on.
    let config = p.dir.join("ward.toml");
    let text = fs::read_to_string(&config).unwrap();
    let mail = format!(
        "smtp_host = \"127.0.0.1\"\nsmtp_port = {port}\nsmtp_from = \"mail@harbor.example\"\n"
    );
    fs::write(&config, mail + &text).unwrap();
    let server = p.serve();
    assert_eq!(server.api().get("/readyz").json["quarantined"], json!(true));
    let refused = server.with(&owner).ask(people::CREATE_CLIENT, people::new_client("early"));
    assert_eq!(refused.code(), "QUARANTINED_INSTANCE", "{}", refused.text);
    let_work(&server, &p);
    assert_eq!(connections.load(Ordering::SeqCst), 0, "quarantine sent something");
    p.ward(&["attest"], &["--reason", "restored on purpose", "--by", OWNER]).ok();
    until("it serves", || server.is_ready().then_some(()));
    // Attested, and still nothing goes: each class is somebody's decision.
    let api = server.with(&owner);
    assert_eq!(waiting(&api), all, "the release flow lists all");
    people::welcomed_client(&server.with(&provider), "afterwards");
    until("what is new waits, too", || (waiting(&api) == all + 1).then_some(()));
    assert_eq!(connections.load(Ordering::SeqCst), 0, "attesting sent something");
    // Given up by class, or let go by class.
    match engine {
        Engine::Sqlite => {
            let told =
                effects(&server, &owner, &["discard", "account_mail", "--reason", "sent long ago"]);
            assert_eq!((&told["discarded"], &told["waiting"]), (&json!(all + 1), &json!(0)));
            let told = effects(&server, &owner, &["set", "account_mail", "live", "--reason", "on"]);
            assert_eq!(told["released"], json!(0), "{told}");
            people::welcomed_client(&server.with(&provider), "wanted");
            until("what is new is sent", || (connections.load(Ordering::SeqCst) > 0).then_some(()));
            let left = place.number(
                "SELECT COUNT(*) FROM effect_intents WHERE class = 'account_mail' \
                 AND state IN ('queued', 'waiting')",
            );
            assert_eq!(left, 1, "what was given up is to be sent");
        }
        Engine::Postgres => {
            let told = effects(&server, &owner, &["set", "account_mail", "live", "--reason", "on"]);
            assert_eq!(told["released"], json!(all + 1), "{told}");
            until("it is sent", || (connections.load(Ordering::SeqCst) > 0).then_some(()));
        }
    }
    server.stop();
    tell(
        "ISO-10a",
        format_args!("{engine:?}: a backup with {all} due intents: 0 connections until released"),
    );
}

/// Clients who are all to be mailed, some of a request.
fn welcome_many(api: &Api) {
    const AT_ONCE: usize = 20;
    for first in (0..DUE).step_by(AT_ONCE) {
        let mut query = String::from("mutation {");
        for number in first..first + AT_ONCE {
            query.push_str(&format!(
                " c{number}: createClient(input: {{first_name: \"mailed{number}\", \
                 last_name: \"Client\", email: \"mailed{number}@client.example\", \
                 dont_send_welcome: false}}) {{ user {{ id }} messages {{ message }} }}"
            ));
        }
        query.push('}');
        let reply = api.ask(&query, json!({}));
        let made = reply.data().as_object().unwrap().values();
        assert_eq!(
            made.filter(|it| it["user"]["id"].is_string()).count(),
            AT_ONCE,
            "{}",
            reply.text
        );
    }
}

/// What a backup brings back is known under its id; what came since is not, and its id is nobody's.
#[test]
fn iso_21_ids_of_since_the_backup_name_nothing() {
    for engine in Engine::available("ISO-21") {
        for kind in Kind::BOTH {
            let (instance, key) = furnished(kind, engine);
            let (file, _) = instance.backup("ids");
            let server = instance.serve();
            let api = server.with(&key);
            let since = people::client(&api, "since");
            let before = people::client_ids(&api).into_iter().find(|id| *id != since).unwrap();
            server.stop();
            if kind == Kind::Production {
                instance.lose_database();
            }
            let state = instance.restore(&file, &[]).json()["state"].clone();
            let server = instance.serve();
            if kind == Kind::Production {
                instance.ward(&["attest"], &["--reason", "a drill", "--by", OWNER]).ok();
            }
            until("it serves", || server.is_ready().then_some(()));
            let api = server.with(&key);
            let read = api.ask(READ, json!({"id": before}));
            assert_eq!(read.data()["user"]["first_name"], "ada", "{}", read.text);
            let gone = api.ask(READ, json!({"id": since}));
            assert!(gone.json["data"]["user"].is_null(), "{}", gone.text);
            let expected = if kind == Kind::Sandbox { "active" } else { "quarantined" };
            assert_eq!(state, expected);
            let mut new = Vec::new();
            for number in 0..20 {
                new.push(people::client(&api, &format!("new{number}")));
            }
            assert!(!new.contains(&since), "{since} is handed out again");
            // Again, from the same backup: what the first restore handed out is nobody's either.
            server.stop();
            instance.restore(&file, &[]).ok();
            let server = instance.serve();
            if kind == Kind::Production {
                instance.ward(&["attest"], &["--reason", "a drill", "--by", OWNER]).ok();
                until("it serves", || server.is_ready().then_some(()));
            }
            let api = server.with(&key);
            let again = people::client(&api, "again");
            assert!(again != since && !new.contains(&again), "{again} is handed out again");
            server.stop();
            tell(
                "ISO-21",
                format_args!("{engine:?} {}: 22 ids of since, none aliased", kind.title()),
            );
        }
    }
}
