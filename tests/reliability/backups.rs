//! REL-12, SEC-26: the restore drill, backups under load, and commands that are killed.

mod cut;
mod emptied;
mod sealed;
mod used;

use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ward_tests::instance::OWNER;
use ward_tests::program::{self, finish};
use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell, until};

/// What a restore itself changes in what an instance holds; of a Production also what it holds back.
const CERTIFIED: [&str; 2] = ["instance", "schema_migrations"];
const HELD: [&str; 11] = [
    "instance",
    "schema_migrations",
    "sessions",
    "link_tokens",
    "verification_codes",
    "effect_policies",
    "effect_intents",
    "jobs",
    "webhook_deliveries",
    "webhook_lanes",
    "webhook_replays",
];

fn changed(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sandbox => &CERTIFIED,
        Kind::Production => &HELD,
    }
}

/// What people see, over the API.
fn seen(api: &Api) -> Vec<Json> {
    [
        "{ users(first: 100) { nodes { id first_name last_name email metadata user_group { id name } active_tags { id name } } } }",
        "{ userGroups(first: 50) { nodes { id name } } }",
        "{ tags { id name } }",
        "{ currentUser { id email avatar_url organization { id name } } }",
        "{ appointmentTypes(first: 50) { nodes { id name length } } }",
        "{ appointments(filter: \"all\") { nodes { id date attendees { id } } } }",
    ]
    .iter()
    .map(|query| {
        let mut data = api.ask(query, json!({})).data().clone();
        // Signed with a time.
        if data["currentUser"]["avatar_url"].is_string() {
            data["currentUser"]["avatar_url"] = json!("a link");
        }
        data
    })
    .collect()
}

fn attest(instance: &Instance) {
    instance.ward(&["attest"], &["--reason", "a drill", "--by", OWNER]).ok();
}

fn picture(api: &Api) -> Vec<u8> {
    let user = api.ask("{ currentUser { avatar_url } }", json!({}));
    let link = user.data()["currentUser"]["avatar_url"].as_str().unwrap().to_owned();
    let reply = api.get(&link[link.find("/files/").unwrap()..]);
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.text.into_bytes()
}

#[test]
fn rel_12_restore_drill() {
    for engine in Engine::available("REL-12") {
        for kind in Kind::BOTH {
            drill(kind, engine);
        }
    }
}

fn drill(kind: Kind, engine: Engine) {
    let instance = Instance::birth(kind, engine);
    if kind == Kind::Sandbox {
        instance.sandbox("seed", &["--seed", "12"]).ok();
    }
    let (owner, provider) = (instance.owner_key(), instance.member("provider"));
    let server = instance.serve();
    let api = server.with(&owner);
    people::furnish(&api, &server.with(&provider), "drill");
    people::device(&api, "drill");
    people::avatar(&api);
    let (before, shown) = (seen(&api), picture(&api));
    instance.settled_dump();
    server.stop();
    let dump = instance.logical_dump();
    let (file, told) = instance.backup("drill");
    assert_eq!(
        (&told["missing_files"], told["files"].as_u64() > Some(0)),
        (&json!(0), true),
        "{told}"
    );
    secret_inside(&instance, &file);
    // Everything is lost but key file and configuration: another disk.
    instance.lose_database();
    for name in ["files", "chain.heads", "ids.ledger", "lock", "volume.id"] {
        let path = instance.dir.join(name);
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    }
    let answer = instance.restore(&file, &["--reason", "a drill"]).json();
    assert_eq!((&answer["rows"], &answer["files"]), (&told["rows"], &told["files"]), "{answer}");
    assert_eq!(answer["audit"], "intact", "{answer}");
    let restored = instance.logical_dump().without(changed(kind));
    restored.assert_unchanged_since(&dump.without(changed(kind)), "a restore");
    let (intact, said) = instance.verify_audit();
    assert!(intact, "{said}");
    let entry = instance.audit_entries().into_iter().find(|it| it.resource_name == "RESTORE");
    assert_eq!(entry.unwrap().event_type, "ADMIN");
    // On SQLite the volume is another one; a PostgreSQL server is the one it was.
    let is_moved = kind == Kind::Production || engine == Engine::Sqlite;
    assert_eq!(answer["state"] == "quarantined", is_moved, "{answer}");
    let server = instance.serve();
    assert_eq!(server.is_ready(), !is_moved);
    let api = server.with(&owner);
    assert_eq!(seen(&api), before, "the API answers something else");
    if is_moved {
        let refused = api.ask(people::CREATE_CLIENT, people::new_client("early"));
        assert_eq!(refused.code(), "QUARANTINED_INSTANCE", "{}", refused.text);
        attest(&instance);
        until("it serves", || server.is_ready().then_some(()));
    }
    assert_eq!(picture(&api), shown);
    people::client(&api, "afterwards");
    server.stop();
    let (intact, said) = instance.verify_audit();
    assert!(intact, "{said}");
    let rows = told["rows"].as_u64().unwrap();
    tell(
        "REL-12",
        format_args!(
            "{engine:?} {}: {rows} rows brought back from nothing but the key file",
            kind.title()
        ),
    );
}

/// Nothing of the practice can be read in a backup.
fn secret_inside(instance: &Instance, file: &std::path::Path) {
    let bytes = fs::read(file).unwrap();
    for text in ["drill1", "Test Practice", OWNER, "effect_intents", instance.owner_link.as_str()] {
        let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!found, "{text} stands in the backup");
    }
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

/// While clients are made, a backup holds whole ones: all that were acknowledged before it began.
#[test]
fn rel_12_a_backup_under_load_is_of_one_moment() {
    for engine in Engine::available("REL-12") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        let api = server.with(&key);
        let (made, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (before, during, file) = std::thread::scope(|scope| {
            let write = || {
                while !stopped.load(Ordering::Relaxed) {
                    let number = made.load(Ordering::SeqCst);
                    people::client(&api, &format!("load{number}"));
                    made.fetch_add(1, Ordering::SeqCst);
                }
            };
            scope.spawn(write);
            until("some are made", || (made.load(Ordering::SeqCst) >= 10).then_some(()));
            let before = made.load(Ordering::SeqCst);
            let (file, _) = instance.backup("load");
            let during = made.load(Ordering::SeqCst);
            stopped.store(true, Ordering::Relaxed);
            (before, during, file)
        });
        server.stop();
        instance.restore(&file, &[]).ok();
        let place = instance.database();
        let clients = place.number("SELECT COUNT(*) FROM users WHERE first_name LIKE 'load%'");
        let clients = usize::try_from(clients).unwrap();
        assert!((before..=during + 1).contains(&clients), "{before} {clients} {during}");
        let whole = place.number(
            "SELECT COUNT(*) FROM users u WHERE u.first_name LIKE 'load%' AND EXISTS (\
             SELECT 1 FROM events e WHERE e.resource_id = u.id AND e.event_type = 'patient.created')",
        );
        assert_eq!(usize::try_from(whole).unwrap(), clients, "half a client was brought back");
        assert!(instance.verify_audit().0);
        tell(
            "REL-12",
            format_args!(
                "{engine:?}: {clients} clients, {before} before and {during} after the backup"
            ),
        );
    }
}

fn start(instance: &Instance, words: &[&str]) -> Child {
    let mut command = program::command();
    command.args(words).args(["--kind", instance.kind.word(), "--dir"]).arg(&instance.dir);
    command.envs(instance.variables.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// From standard output into standard input.
#[test]
fn rel_12_a_backup_goes_through_a_pipe() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let server = instance.serve();
    people::client(&server.with(&key), "piped");
    let file = instance.backup_file("piped");
    let mut child = start(&instance, &["backup", "-"]);
    let mut bytes = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(child.wait().unwrap().success());
    server.stop();
    fs::write(&file, &bytes).unwrap();
    let mut command = program::command();
    command.args(["restore", "-", "--json", "--kind", "sandbox", "--dir"]).arg(&instance.dir);
    command.stdin(fs::File::open(&file).unwrap());
    let answer = finish(command).json();
    assert_eq!(answer["state"], "active", "{answer}");
}

/// A backup of a SQLite database is brought back into PostgreSQL, and one of that into SQLite.
#[test]
fn rel_12_a_backup_goes_to_the_other_engine() {
    let engines = Engine::available("REL-12");
    if !engines.contains(&Engine::Postgres) {
        return;
    }
    for (from, to) in [(Engine::Sqlite, Engine::Postgres), (Engine::Postgres, Engine::Sqlite)] {
        let instance = Instance::birth(Kind::Sandbox, from);
        let key = instance.owner_key();
        let server = instance.serve();
        people::furnish_inside(
            &server.with(&key),
            &server.with(&instance.member("provider")),
            "moved",
        );
        let before = seen(&server.with(&key));
        server.stop();
        let (file, _) = instance.backup("moved");
        let other = Instance::birth(Kind::Sandbox, to);
        other.lose_database();
        // The same instance on another engine: its key, and the other's place.
        for name in ["root.key", "ids.ledger"] {
            fs::copy(instance.dir.join(name), other.dir.join(name)).unwrap();
        }
        fs::remove_file(other.dir.join("chain.heads")).unwrap_or_default();
        let answer = other.restore(&file, &[]).json();
        assert_eq!(answer["state"], "quarantined", "it was moved: {answer}");
        other.ward(&["attest"], &["--reason", "moved to another engine"]).ok();
        let server = other.serve();
        assert_eq!(seen(&server.with(&key)), before);
        server.stop();
        assert!(other.verify_audit().0);
    }
}
