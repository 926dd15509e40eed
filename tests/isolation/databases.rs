//! ISO-07, 08, 10c: the database is another instance's, or another process has it.

use ward_tests::postgres::{host_and_port, with_host_and_port};
use ward_tests::proxy::Proxy;
use ward_tests::{Engine, Instance, Kind, json, people, tell, until};

const LIST: &str = "{ users(first: 100) { nodes { id first_name } } }";

/// A furnished instance on PostgreSQL, not running, and a provider's key.
fn furnished(kind: Kind, canary: &str) -> (Instance, String) {
    let instance = Instance::birth(kind, Engine::Postgres);
    let (owner, key) = (instance.owner_key(), instance.member("provider"));
    let server = instance.serve();
    people::furnish(&server.with(&owner), &server.with(&key), canary);
    instance.settled_dump();
    server.stop();
    (instance, key)
}

#[test]
fn iso_07_swapped_database_refused_while_running() {
    if !Engine::available("ISO-07").contains(&Engine::Postgres) {
        return;
    }
    let (mut p, key) = furnished(Kind::Production, "ownrow");
    let others = [furnished(Kind::Sandbox, "sandrow").0, furnished(Kind::Production, "thirdrow").0];
    let own_name = p.database_url().rsplit('/').next().unwrap().to_owned();
    let proxy = Proxy::to(&host_and_port(p.database_url()), &own_name);
    p.set_database(&with_host_and_port(p.database_url(), &proxy.address));
    let server = p.serve();
    let api = server.with(&key);
    people::client(&api, "throughtheproxy");
    assert!(server.is_ready());
    for other in &others {
        let name = other.database_url().rsplit('/').next().unwrap();
        let before = (p.settled_dump(), other.logical_dump());
        let audit = other.audit_entries().len();
        let cut = proxy.swap(name);
        assert!(cut > 0, "nothing went through the proxy");
        let mut tried = 0;
        until("health is red", || {
            let read = api.ask(LIST, json!({}));
            assert!(!read.text.contains("row"), "rows of another database: {}", read.text);
            assert!(read.json["data"]["users"].is_null(), "answered: {}", read.text);
            let write =
                api.ask(people::CREATE_CLIENT, people::new_client(&format!("astray{tried}")));
            assert!(write.json["data"]["createClient"]["user"].is_null(), "{}", write.text);
            let anonymous = server.api().ask("{ currentUser { id } }", json!({}));
            assert!(anonymous.json["data"]["currentUser"].is_null(), "{}", anonymous.text);
            tried += 1;
            (tried >= 5 && !server.is_ready()).then_some(())
        });
        until("the proxy led connections to the other database", || {
            (proxy.led() > 0).then_some(())
        });
        other.logical_dump().assert_unchanged_since(&before.1, "an instance on the wrong database");
        assert_eq!(other.audit_entries().len(), audit, "the other's audit log grew");
        proxy.swap(&own_name);
        until("health is green again", || server.is_ready().then_some(()));
        p.settled_dump().assert_unchanged_since(&before.0, "a swapped database");
        people::client(&api, &format!("healed{}", other.kind.word()));
        tell(
            "ISO-07",
            format_args!(
                "{cut} connections cut, {tried} reads and writes on {name} refused, healed afterwards"
            ),
        );
    }
    // And from the start.
    drop(server);
    proxy.swap(others[0].database_url().rsplit('/').next().unwrap());
    p.refused_start(&[]).refused("ISO-07");
    // A name of the other kind is refused before anything is connected.
    let led = proxy.led();
    p.set_database(others[0].database_url());
    p.refused_start(&[]).refused("ISO-07");
    assert_eq!(proxy.led(), led);
}

#[test]
fn iso_08_two_instances_at_one_database() {
    for engine in Engine::available("ISO-08") {
        for kind in Kind::BOTH {
            let (first, mut second) =
                (Instance::birth(kind, engine), Instance::birth(kind, engine));
            let key = first.owner_key();
            let server = first.serve();
            let before = first.settled_dump();
            match engine {
                Engine::Sqlite => {
                    std::fs::remove_file(second.file()).unwrap();
                    std::os::unix::fs::symlink(first.file(), second.file()).unwrap();
                }
                Engine::Postgres => second.set_database(first.database_url()),
            }
            let output = second.refused_start(&[]);
            output.refused("ISO-08");
            first.settled_dump().assert_unchanged_since(&before, "a second instance");
            people::current_user(&server.with(&key));
        }
        tell("ISO-08", format_args!("{engine:?}: 2 starts on another instance's database exit 78"));
    }
}

#[test]
fn iso_08_second_process_is_busy() {
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let key = instance.owner_key();
        let server = instance.serve();
        let before = instance.settled_dump();
        let output = instance.refused_start(&[]);
        assert_eq!(output.code, Some(75), "{output:?}");
        assert_eq!(output.stderr.lines().count(), 1, "not one sentence: {}", output.stderr);
        assert!(
            output.stderr.contains(&server.pid().to_string()),
            "the holder is not named: {}",
            output.stderr
        );
        instance.settled_dump().assert_unchanged_since(&before, "a second process");
        people::current_user(&server.with(&key));
        // The lock is the kernel's: nothing is left of it after SIGKILL.
        server.kill();
        people::current_user(&instance.serve().with(&key));
    }
    tell("ISO-08", "2 second processes exit 75; 2 starts after SIGKILL");
}

#[test]
fn iso_10c_second_process_on_the_same_files() {
    let instance = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = instance.member("provider");
    let server = instance.serve();
    // The same files by another path, as a second mount has them.
    let files = tempfile::tempdir().unwrap();
    let mount = files.path().join("mount");
    std::os::unix::fs::symlink(&instance.dir, &mount).unwrap();
    let output = ward_tests::ward([
        "serve",
        "--kind",
        "production",
        "--listen",
        "127.0.0.1:0",
        "--dir",
        mount.to_str().unwrap(),
    ]);
    assert_eq!(output.code, Some(75), "{output:?}");
    people::client(&server.with(&key), "stillserved");
    tell("ISO-10c", "a second process on the same volume exits 75");
}

/// Any number of processes serve one PostgreSQL database; each effect happens once.
#[test]
fn iso_10c_two_dispatchers_claim_each_intent_once() {
    const CLIENTS: usize = 40;
    if !Engine::available("ISO-10c").contains(&Engine::Postgres) {
        return;
    }
    let s = Instance::birth(Kind::Sandbox, Engine::Postgres);
    let (owner, provider) = (s.owner_key(), s.member("provider"));
    let second = s.copied();
    let nodes = [s.serve(), second.serve()];
    for node in &nodes {
        assert!(node.is_ready(), "a second node is not ready: {}", node.logs());
    }
    std::thread::scope(|scope| {
        for (number, node) in nodes.iter().enumerate() {
            let api = node.with(&provider);
            scope.spawn(move || {
                for client in 0..CLIENTS / 2 {
                    people::welcomed_client(&api, &format!("node{number}client{client}"));
                }
            });
        }
    });
    let done = "SELECT COUNT(*) FROM effect_intents WHERE state = 'done' AND kind <> 'x'";
    until("all effects are done", || (s.database().number(done) >= CLIENTS as i64).then_some(()));
    s.settled_dump();
    let place = s.database();
    let tried = place.number("SELECT MAX(attempts) FROM effect_intents");
    let twice = place.number("SELECT COUNT(*) - COUNT(DISTINCT intent_id) FROM simulated_messages");
    let inbox = nodes[1].with(&owner).get("/sandbox/v1/inbox?limit=1000");
    let mut to: Vec<&str> = inbox.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["to"].as_str())
        .filter(|to| to.contains("client"))
        .collect();
    let count = to.len();
    to.sort_unstable();
    to.dedup();
    assert_eq!(
        (count, to.len()),
        (CLIENTS, CLIENTS),
        "not one mail for each client: {}",
        inbox.text
    );
    assert_eq!((tried, twice), (1, 0), "an intent was claimed twice");
    tell("ISO-10c", format_args!("2 nodes, {CLIENTS} intents, each done once"));
}
