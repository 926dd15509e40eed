//! SEC-22: the root key is rotated while clients write, killed at every step, and with another
//! node beside. What was acknowledged is served afterwards, and the old key file opens nothing.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ward_tests::{Api, Engine, Instance, Json, Kind, Server, V2026, json, people, tell, until};

const WRITERS: usize = 8;

/// The steps of a rotation at which a process can be told to end.
const STEPS: [&str; 8] = [
    "rotation.root",
    "rotation.signed",
    "rotation.keyed",
    "rotation.value",
    "rotation.file",
    "rotation.renewed",
    "rotation.dropping",
    "rotation.dropped",
];

const PASSWORD: &str = "a long way to the harbour 7";

/// A client with a sealed value; its id.
fn client(api: &Api, name: &str) -> Option<String> {
    let mut input = people::new_client(name);
    input["client"]["metadata"] = metadata(name).into();
    let reply = api.try_gql(V2026, people::CREATE_CLIENT, input).ok()?;
    assert!(reply.json["data"]["createClient"]["user"].is_object(), "not made: {}", reply.text);
    Some(people::id(&reply.json["data"]["createClient"]["user"]))
}

fn metadata(name: &str) -> String {
    format!("{{\"note\":\"of {name}\"}}")
}

#[track_caller]
fn assert_served(api: &Api, id: &str, name: &str) {
    let query = "query($id: ID) { user(id: $id) { first_name metadata } }";
    let reply = api.ask(query, json!({"id": id}));
    let user = &reply.data()["user"];
    assert_eq!(user["first_name"], name, "{}", reply.text);
    let note = user["metadata"].as_str().unwrap_or_default();
    assert!(note.contains(&format!("of {name}")), "{name} reads {note:?}");
}

fn key_file(instance: &Instance) -> PathBuf {
    instance.dir.join("root.key")
}

/// Versions of the roots in the key file.
fn roots(instance: &Instance) -> Vec<u32> {
    let text = std::fs::read_to_string(key_file(instance)).unwrap();
    let first = |line: &str| line.split(' ').next()?.parse().ok();
    text.lines().skip(2).filter_map(first).collect()
}

fn rotate(instance: &Instance) -> Json {
    let output = instance.ward(&["key", "rotate-root"], &[]).ok();
    assert!(output.stderr.contains("need the root.key of their time"), "{}", output.stderr);
    let told: Json = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(told["state"], "done", "{told}");
    told
}

#[test]
fn sec_22_rotates_while_clients_write() {
    for engine in Engine::available("SEC-22") {
        rotates_while_clients_write(engine);
    }
}

fn rotates_while_clients_write(engine: Engine) {
    let instance = Instance::birth(Kind::Production, engine);
    let key = instance.owner_key();
    let server = instance.serve();
    let api = server.with(&key);
    people::set_password(&server.api(), &instance.owner_link, PASSWORD);
    let input = json!({"email": ward_tests::instance::OWNER, "password": PASSWORD});
    let session = people::sign_in(&server.api(), input.clone());
    let session = session.data()["signIn"]["token"].as_str().unwrap().to_owned();
    people::current_user(&server.with(&session));
    let picture = people::avatar(&api);
    let picture = picture[picture.find("/files/").unwrap()..].to_owned();
    let shown = server.api().get(&picture);
    assert_eq!(shown.status, 200);
    let before: Vec<(String, String)> = (0..40)
        .map(|n| {
            let name = format!("before{n}");
            (client(&api, &name).unwrap(), name)
        })
        .collect();
    let old = std::fs::read(key_file(&instance)).unwrap();
    let (stopped, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
    let during: Vec<(String, String)> = std::thread::scope(|scope| {
        let write = |writer: usize| {
            let mut done = Vec::new();
            for number in 0.. {
                let name = format!("w{writer}n{number}");
                done.push((client(&api, &name).expect("the server answers"), name));
                begun.fetch_add(1, Ordering::Relaxed);
                // What was there before is served all the while.
                let (id, name) = &before[number % before.len()];
                assert_served(&api, id, name);
                if stopped.load(Ordering::Relaxed) {
                    return done;
                }
            }
            done
        };
        let writers: Vec<_> = (0..WRITERS).map(|w| scope.spawn(move || write(w))).collect();
        until("the writers write", || (begun.load(Ordering::Relaxed) >= WRITERS).then_some(()));
        // Two in a row: what was kept of the first root is wrapped a second time.
        rotate(&instance);
        let told = rotate(&instance);
        stopped.store(true, Ordering::Relaxed);
        assert!(told["changed"].as_u64().unwrap() > 40, "{told}");
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(roots(&instance), [3]);
    for (id, name) in before.iter().chain(&during) {
        assert_served(&api, id, name);
    }
    // Sessions and links of the old root have ended, the key and the password go on.
    let ended = server.with(&session).ask("{ currentUser { id } }", json!({}));
    assert_ne!(ended.code(), "", "a session of the old root goes on: {}", ended.text);
    assert_eq!(server.api().get(&picture).status, 403, "a file link of the old root opens");
    let again = people::sign_in(&server.api(), input);
    assert!(again.data()["signIn"]["token"].is_string(), "{}", again.text);
    let picture = api.ask("{ currentUser { avatar_url } }", json!({}));
    let picture = picture.data()["currentUser"]["avatar_url"].as_str().unwrap().to_owned();
    let served = server.api().get(&picture[picture.find("/files/").unwrap()..]);
    assert_eq!((served.status, served.text.len()), (200, shown.text.len()));
    let status = instance.ward(&["status"], &[]).json();
    assert_eq!(status["rotation"]["state"], "done", "{status}");
    server.stop();
    let (intact, said) = instance.verify_audit();
    assert!(intact, "{said}");
    assert!(doctor(&instance).contains("root key 3 is the only one"));
    // The old key file opens nothing, and says why.
    let new = std::fs::read(key_file(&instance)).unwrap();
    std::fs::write(key_file(&instance), &old).unwrap();
    let refused = instance.refused_start(&[]);
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains("before the root key was rotated"), "{}", refused.stderr);
    std::fs::write(key_file(&instance), &new).unwrap();
    let server = instance.serve();
    let (id, name) = &during[0];
    assert_served(&server.with(&key), id, name);
    tell(
        "SEC-22",
        format_args!(
            "{engine:?}: {} clients acknowledged during two rotations, all served; the old key file is refused; audit: {}",
            during.len(),
            said.trim()
        ),
    );
}

fn doctor(instance: &Instance) -> String {
    let output = instance.ward(&["doctor"], &[]);
    output.stdout
}

/// An instance whose processes end at the step that a file names.
struct Subject {
    instance: Instance,
    key: String,
    file: PathBuf,
    made: Vec<(String, String)>,
}

impl Subject {
    fn new(engine: Engine) -> Subject {
        let mut instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let file = instance.dir.join("crash");
        instance.variables.push(("TESTED_CRASH".to_owned(), file.to_str().unwrap().to_owned()));
        let mut subject = Subject { instance, key, file, made: Vec::new() };
        let server = subject.serve();
        let api = server.with(&subject.key);
        people::avatar(&api);
        for n in 0..5 {
            subject.make(&server, &format!("client{n}"));
        }
        server.stop();
        subject
    }

    fn serve(&self) -> Server {
        let _ = std::fs::remove_file(&self.file);
        self.instance.serve()
    }

    fn make(&mut self, server: &Server, name: &str) {
        let id = client(&server.with(&self.key), name).unwrap();
        self.made.push((id, name.to_owned()));
    }

    fn crash_at(&self, step: &str) {
        std::fs::write(&self.file, step).unwrap();
    }

    fn assert_served(&self, server: &Server) {
        let api = server.with(&self.key);
        for (id, name) in &self.made {
            assert_served(&api, id, name);
        }
        let picture = api.ask("{ currentUser { avatar_url } }", json!({}));
        let picture = picture.data()["currentUser"]["avatar_url"].as_str().unwrap().to_owned();
        let served = server.api().get(&picture[picture.find("/files/").unwrap()..]);
        assert_eq!(served.status, 200, "{}", served.text);
    }
}

#[test]
fn sec_22_goes_on_after_the_end_at_any_step() {
    for engine in Engine::available("SEC-22") {
        let mut subject = Subject::new(engine);
        for step in STEPS {
            server_ends_at(&mut subject, step);
        }
        tell(
            "SEC-22",
            format_args!("{engine:?}: a server ended at {} steps and went on", STEPS.len()),
        );
    }
}

/// A server that ends at a step; the next one goes on by itself.
fn server_ends_at(subject: &mut Subject, step: &str) {
    let latest = roots(&subject.instance)[0];
    let mut server = subject.serve();
    subject.make(&server, &format!("{}{latest}", step.replace('.', "")));
    subject.crash_at(step);
    let output = subject.instance.ward(&["key", "rotate-root"], &[]);
    assert_ne!(output.code, Some(0), "{step}: the rotation was finished: {output:?}");
    let status = server.wait();
    assert_ne!(status.code(), Some(0), "{step}: the server ended by itself");
    let left = roots(&subject.instance);
    let expected = if step == "rotation.dropped" { 1 } else { 2 };
    assert_eq!(left.len(), expected, "{step}: {left:?}");
    let server = subject.serve();
    // It serves at once, and goes on beside.
    subject.assert_served(&server);
    subject.make(&server, &format!("{}{latest}again", step.replace('.', "")));
    until("the old root is gone", || (roots(&subject.instance).len() == 1).then_some(()));
    assert_eq!(roots(&subject.instance), [latest + 1], "{step}");
    subject.assert_served(&server);
    let status = subject.instance.ward(&["status"], &[]).json();
    let state = &status["rotation"]["state"];
    assert!(state == "done" || state.is_null(), "{step}: {status}");
    server.stop();
    let (intact, said) = subject.instance.verify_audit();
    assert!(intact, "{step}: {said}");
}

#[test]
fn sec_22_goes_on_without_a_server() {
    for engine in Engine::available("SEC-22") {
        let subject = Subject::new(engine);
        for step in STEPS {
            let latest = roots(&subject.instance)[0];
            subject.crash_at(step);
            let output = subject.instance.ward(&["key", "rotate-root"], &[]);
            assert_eq!(output.code, None, "{step}: not ended by a signal: {output:?}");
            let _ = std::fs::remove_file(&subject.file);
            if step != "rotation.dropped" {
                let told = doctor(&subject.instance);
                assert!(told.contains("is not finished"), "{step}: {told}");
                let status = subject.instance.ward(&["status"], &[]).json();
                assert_eq!(status["rotation"]["state"], "unfinished", "{step}: {status}");
                rotate(&subject.instance);
            }
            assert_eq!(roots(&subject.instance), [latest + 1], "{step}");
        }
        let server = subject.serve();
        subject.assert_served(&server);
        server.stop();
        let (intact, said) = subject.instance.verify_audit();
        assert!(intact, "{said}");
    }
}

/// A second node writes with the key file that it has: the rotation waits until it is gone, and
/// with the old file it does not come back.
#[test]
fn sec_22_refused_beside_another_node() {
    if !Engine::available("SEC-22").contains(&Engine::Postgres) {
        return;
    }
    let instance = Instance::birth(Kind::Production, Engine::Postgres);
    let key = instance.owner_key();
    let (server, other) = (instance.serve(), instance.copied());
    let beside = other.serve();
    let made = client(&beside.with(&key), "beside").unwrap();
    until("both nodes have told that they live", || {
        (instance.database().number("SELECT COUNT(*) FROM nodes") == 2).then_some(())
    });
    let output = instance.ward(&["key", "rotate-root"], &[]);
    assert_eq!(output.code, Some(75), "{output:?}");
    assert!(output.stderr.contains("another node"), "{}", output.stderr);
    assert_eq!(roots(&instance), [1]);
    beside.stop();
    rotate(&instance);
    assert_served(&server.with(&key), &made, "beside");
    let refused = other.refused_start(&[]);
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains("before the root key was rotated"), "{}", refused.stderr);
    std::fs::copy(key_file(&instance), key_file(&other)).unwrap();
    // Its id ledger is of the old root, too.
    std::fs::copy(instance.dir.join("ids.ledger"), other.dir.join("ids.ledger")).unwrap();
    std::fs::copy(instance.dir.join("chain.heads"), other.dir.join("chain.heads")).unwrap();
    let beside = other.serve();
    assert_served(&beside.with(&key), &made, "beside");
    tell("SEC-22", "refused beside a second node, done without it, whose old key file is refused");
}
