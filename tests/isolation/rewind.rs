//! GL-14 and ISO-21: a Sandbox goes back to a snapshot, and ids of after it never come back.

mod cut;

use std::collections::BTreeSet;

use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, tell};

const READ: &str = "query($id: ID) { user(id: $id) { id first_name } }";
const CHANGE: &str = "mutation($id: ID) {
  updateClient(input: {id: $id, first_name: \"Changed\"}) { user { id } messages { field message } }
}";
const PATH: &str = "/sandbox/v1/snapshots";

fn take(api: &Api, name: &str) {
    let reply = api.post(PATH, &json!({"name": name}));
    assert_eq!((reply.status, &reply.json["name"]), (200, &name.into()), "{}", reply.text);
}

#[track_caller]
fn restore(api: &Api, name: &str) -> Json {
    let reply = api.post(&format!("{PATH}/{name}/restore"), &json!({}));
    assert_eq!((reply.status, &reply.json["restored"]), (200, &name.into()), "{}", reply.text);
    reply.json
}

/// Ids of after the snapshot are refused as such, by reads and by writes, naming when.
#[track_caller]
fn assert_undone(api: &Api, ids: &[String]) {
    for id in ids {
        let read = api.ask(READ, json!({"id": id}));
        assert_eq!((read.status, read.code()), (200, "STALE_EPOCH_ID"), "{}", read.text);
        let message = read.json["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("went back to at 20"), "the time is not named: {message}");
        let write = api.ask(CHANGE, json!({"id": id}));
        assert_eq!((write.status, write.code()), (200, "STALE_EPOCH_ID"), "{}", write.text);
        assert_eq!(write.json["data"]["updateClient"]["messages"][0]["field"], "id");
    }
}

#[track_caller]
fn assert_there(api: &Api, ids: &[String]) {
    for id in ids {
        let reply = api.ask(READ, json!({"id": id}));
        assert_eq!(&reply.data()["user"]["id"], id, "{}", reply.text);
    }
}

/// Each id once.
#[track_caller]
fn assert_new(seen: &mut BTreeSet<String>, ids: &[String]) {
    for id in ids {
        assert!(seen.insert(id.clone()), "the id {id} came back");
    }
}

/// Three clients, and a tag on each.
fn more(api: &Api, word: &str) -> Vec<String> {
    let tag = "mutation($name: String) { createTag(input: {name: $name}) { tag { id } messages { field message } } }";
    let tag = api.ask(tag, json!({"name": word}));
    let tag = tag.data()["createTag"]["tag"]["id"].clone();
    let apply = "mutation($ids: [ID]!, $user: ID!) { bulkApply(input: {ids: $ids, taggable_user_id: $user}) { tags { id } messages { field message } } }";
    let made = |n: &u8| people::client(api, &format!("{word}{n}"));
    let clients: Vec<String> = [1, 2, 3].iter().map(made).collect();
    for client in &clients {
        api.ask(apply, json!({"ids": [tag], "user": client})).data();
    }
    clients
}

struct World {
    instance: Instance,
    server: Server,
    keys: [String; 2],
}

impl World {
    fn of(engine: Engine) -> World {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let keys = [instance.owner_key(), instance.member("provider")];
        let server = instance.serve();
        World { instance, server, keys }
    }

    fn api(&self) -> Api {
        self.server.with(&self.keys[0])
    }

    /// One of everything; once in a world.
    fn furnish(&self, word: &str) -> Vec<String> {
        people::furnish_inside(&self.api(), &self.server.with(&self.keys[1]), word).clients
    }

    /// More clients, with tags.
    fn more(&self, word: &str) -> Vec<String> {
        more(&self.api(), word)
    }
}

#[test]
fn gl_14_going_back_brings_back_all_that_was() {
    for engine in Engine::available("GL-14") {
        let world = World::of(engine);
        let (api, s) = (world.api(), &world.instance);
        let mut seen = BTreeSet::new();
        let first = world.furnish("first");
        assert_new(&mut seen, &first);
        let before = s.settled_dump();
        take(&api, "one");
        s.settled_dump().assert_unchanged_since(&before, "taking a snapshot");
        let mut gone = Vec::new();
        for (round, word) in ["second", "third"].into_iter().enumerate() {
            let changed = api.ask(CHANGE, json!({"id": first[0]}));
            assert_eq!(changed.data()["updateClient"]["user"]["id"], first[0].as_str());
            let made = world.more(word);
            assert_new(&mut seen, &made);
            assert_undone(&api, &gone);
            assert!(!s.settled_dump().changes_since(&before).is_empty());
            match round {
                0 => drop(restore(&api, "one")),
                _ => drop(s.sandbox("restore", &["one"]).ok()),
            }
            s.settled_dump().assert_unchanged_since(&before, "going back");
            gone.extend(made);
            assert_undone(&api, &gone);
            assert_there(&api, &first);
        }
        // And with no server.
        world.server.stop();
        drop(s.sandbox("restore", &["one"]).ok());
        s.settled_dump().assert_unchanged_since(&before, "going back without a server");
        let server = s.serve();
        let api = server.with(&world.keys[0]);
        assert_new(&mut seen, &more(&api, "fourth"));
        assert_undone(&api, &gone);
        drop(server);
        let (intact, said) = s.verify_audit();
        assert!(intact, "going back breaks the audit log: {said}");
        let told = s.audit_entries();
        let told = told.iter().filter(|entry| entry.resource_name == "SNAPSHOT").count();
        assert_eq!(told, 4, "one taken, three times back");
        tell("GL-14", format_args!("{engine:?}: equal after 3 ways back, {} ids", seen.len()));
    }
}

#[test]
fn iso_21_two_branches_share_no_id() {
    for engine in Engine::available("ISO-21") {
        let world = World::of(engine);
        let api = world.api();
        let mut seen = BTreeSet::new();
        let trunk = world.furnish("trunk");
        take(&api, "trunk");
        let left = world.more("left");
        take(&api, "left");
        restore(&api, "trunk");
        let right = world.more("right");
        take(&api, "right");
        for ids in [&trunk, &left, &right] {
            assert_new(&mut seen, ids);
        }
        for _ in 0..2 {
            restore(&api, "left");
            assert_there(&api, &[trunk.clone(), left.clone()].concat());
            assert_undone(&api, &right);
            restore(&api, "right");
            assert_there(&api, &[trunk.clone(), right.clone()].concat());
            assert_undone(&api, &left);
        }
        assert_new(&mut seen, &world.more("later"));
        tell("ISO-21", format_args!("{engine:?}: {} ids in 3 branches, none twice", seen.len()));
    }
}

#[test]
fn iso_21_back_to_before_a_reset() {
    for engine in Engine::available("ISO-21") {
        let world = World::of(engine);
        let api = world.api();
        let first = world.furnish("first");
        take(&api, "old");
        world.instance.sandbox("reset", &[]).ok();
        let (key, colleague) = (world.instance.owner_key(), world.instance.member("provider"));
        let young = world.server.with(&key);
        let second =
            people::furnish_inside(&young, &world.server.with(&colleague), "second").clients;
        restore(&young, "old");
        assert_there(&api, &first);
        let refused = young.ask("{ currentUser { id } }", json!({}));
        assert_eq!(refused.code(), "UNAUTHENTICATED", "{}", refused.text);
        assert_undone(&api, &second);
        let third = world.more("third");
        let all = [first, second, third].concat();
        assert_new(&mut BTreeSet::new(), &all);
        let (intact, said) = world.instance.verify_audit();
        assert!(intact, "{said}");
    }
}

#[test]
fn what_was_ended_or_revoked_since_stays_so() {
    for engine in Engine::available("ISO-13") {
        let world = World::of(engine);
        let (api, s) = (world.api(), &world.instance);
        let client = people::client(&api, "ada");
        let revoked = s.key("provider@practice.example");
        let session = api.post("/sandbox/v1/be", &json!({"user": client}));
        let session = session.json["token"].as_str().unwrap().to_owned();
        let asks = |credential: &str| {
            let reply = world.server.with(credential).ask("{ currentUser { id } }", json!({}));
            reply.json["data"]["currentUser"]["id"].is_string()
        };
        assert!(asks(&revoked) && asks(&session));
        take(&api, "open");
        restore(&api, "open");
        assert!(asks(&revoked) && asks(&session), "what nobody ended goes on");
        s.ward(&["key", "delete"], &[&revoked[revoked.len() - 46..revoked.len() - 38]]).ok();
        s.database().execute("UPDATE sessions SET ended_at = 1");
        let young = s.owner_key();
        assert!(asks(&young));
        restore(&api, "open");
        assert!(!asks(&revoked), "a revoked key came back");
        assert!(!asks(&session), "an ended session came back");
        assert!(!asks(&young), "a key of after the snapshot is still there");
        assert!(asks(&world.keys[1]));
    }
}

#[test]
fn iso_13_a_revoked_key_stays_so_through_a_reset() {
    for engine in Engine::available("ISO-13") {
        let world = World::of(engine);
        let (api, s) = (world.api(), &world.instance);
        let revoked = s.key("provider@practice.example");
        let asks = |credential: &str| {
            let reply = world.server.with(credential).ask("{ currentUser { id } }", json!({}));
            reply.json["data"]["currentUser"]["id"].is_string()
        };
        assert!(asks(&revoked));
        take(&api, "open");
        s.ward(&["key", "delete"], &[&revoked[revoked.len() - 46..revoked.len() - 38]]).ok();
        assert!(!asks(&revoked));
        s.sandbox("reset", &[]).ok();
        restore(&world.server.with(&s.owner_key()), "open");
        assert!(asks(&world.keys[1]), "what was not revoked is as it was");
        assert!(!asks(&revoked), "a key came back by way of a reset");
    }
}

#[test]
fn a_calendar_link_that_was_taken_back_stays_so() {
    for engine in Engine::available("ISO-13") {
        let world = World::of(engine);
        let (api, s) = (world.api(), &world.instance);
        let generation = || s.database().number("SELECT generation FROM calendar_feeds");
        let feed = "mutation { resetCalendarFeed(input: {}) { user { id } messages { field } } }";
        take(&api, "first");
        api.ask(feed, json!({})).data();
        let one = generation();
        take(&api, "one");
        restore(&api, "one");
        assert_eq!(generation(), one, "nobody took one back");
        restore(&api, "first");
        let two = generation();
        assert!(two > one, "the first link opens again");
        restore(&api, "one");
        let three = generation();
        assert!(three > two, "the second link opens again");
    }
}

#[test]
fn the_clock_goes_back_with_it() {
    let world = World::of(Engine::Sqlite);
    let api = world.api();
    take(&api, "real");
    let post = |path: &str, body: Json| api.post(&format!("/sandbox/v1/clock/{path}"), &body).json;
    post("freeze", json!({}));
    post("set", json!({"to": "2031-03-02T09:00:00Z"}));
    take(&api, "then");
    post("advance", json!({"by": "P10D"}));
    let back = restore(&api, "then");
    assert_eq!(back["clock"]["now"], "2031-03-02T09:00:00Z", "{back}");
    assert_eq!(back["clock"]["frozen"], true);
    let back = restore(&api, "real");
    assert_eq!((&back["clock"]["rate"], &back["clock"]["offset_seconds"]), (&1.into(), &0.into()));
    let after = post("advance", json!({"by": "PT1H"}));
    assert_eq!(after["ran"]["jobs"], 0, "{after}");
}

#[test]
fn names_and_callers_that_are_refused() {
    let world = World::of(Engine::Sqlite);
    let (api, s) = (world.api(), &world.instance);
    take(&api, "one");
    let again = api.post(PATH, &json!({"name": "one"}));
    assert_eq!((again.status, again.code()), (409, "SNAPSHOT_REFUSED"), "{}", again.text);
    for bad in [json!({"name": "../one"}), json!({"name": ""}), json!({}), json!({"name": "A"})] {
        assert_eq!(api.post(PATH, &bad).status, 400, "{bad}");
    }
    let none = api.post(&format!("{PATH}/none/restore"), &json!({}));
    assert_eq!((none.status, none.code()), (409, "SNAPSHOT_REFUSED"), "{}", none.text);
    assert_eq!(s.sandbox("restore", &["none"]).code, Some(2));
    let provider = world.server.with(&world.keys[1]);
    assert_eq!(provider.get(PATH).status, 403);
    assert_eq!(provider.post(PATH, &json!({"name": "two"})).status, 403);
    assert_eq!(provider.post(&format!("{PATH}/one/restore"), &json!({})).status, 403);
    assert_eq!(provider.delete(&format!("{PATH}/one")).status, 403);
    assert_eq!(api.nobody().get(PATH).status, 401);
    let url = format!("http://127.0.0.1:{}", world.server.port);
    let there = [("WARD_URL", url.as_str()), ("WARD_API_KEY", world.keys[0].as_str())];
    let listed = ward_with(["sandbox", "snapshot", "--list", "--json"], &there).json();
    assert_eq!(listed["snapshots"][0]["name"], "one", "{listed}");
    let back = ward_with(["sandbox", "restore", "one", "--json"], &there).json();
    assert_eq!(back["restored"], "one", "{back}");
    ward_with(["sandbox", "snapshot", "one", "--delete"], &there).ok();
    assert_eq!(api.get(PATH).json["snapshots"], json!([]));
    assert_eq!(std::fs::read_dir(s.dir.join("snapshots")).unwrap().count(), 0);
}

#[test]
fn a_snapshot_that_fails_leaves_nothing_and_deleting_can_be_repeated() {
    let world = World::of(Engine::Sqlite);
    let api = world.api();
    let folder = world.instance.dir.join("snapshots");
    let names = || {
        let listed = std::fs::read_dir(&folder).unwrap();
        listed.map(|it| it.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let block = |name: &str| {
        let place = folder.join(format!("{name}.db"));
        std::fs::create_dir_all(place.join("in the way")).unwrap();
        place
    };
    block("one");
    let reply = api.post(PATH, &json!({"name": "one"}));
    assert_eq!((reply.status, reply.code()), (503, "UNAVAILABLE"), "{}", reply.text);
    assert_eq!(names(), ["one.db"], "a draft is left");
    take(&api, "two");
    std::fs::remove_file(folder.join("two.db")).unwrap();
    let place = block("two");
    let reply = api.delete(&format!("{PATH}/two"));
    assert_eq!(reply.status, 503, "{}", reply.text);
    assert_eq!(api.get(PATH).json["snapshots"][0]["name"], "two", "it is not forgotten");
    std::fs::remove_dir_all(place).unwrap();
    let reply = api.delete(&format!("{PATH}/two"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(api.get(PATH).json["snapshots"], json!([]));
}

#[test]
fn iso_21_a_foreign_or_edited_snapshot_is_refused() {
    let (one, two) = (World::of(Engine::Sqlite), World::of(Engine::Sqlite));
    take(&one.api(), "mine");
    take(&two.api(), "mine");
    let file = |world: &World| world.instance.dir.join("snapshots").join("mine.db");
    let before = one.instance.settled_dump();
    std::fs::copy(file(&two), file(&one)).unwrap();
    let reply = one.api().post(&format!("{PATH}/mine/restore"), &json!({}));
    assert_ne!(reply.status, 200, "{}", reply.text);
    one.instance.sandbox("restore", &["mine"]).refused("ISO-02");
    std::fs::remove_file(file(&one)).unwrap();
    let reply = one.api().post(&format!("{PATH}/mine/restore"), &json!({}));
    assert_eq!((reply.status, reply.code()), (503, "UNAVAILABLE"), "{}", reply.text);
    one.instance.settled_dump().assert_unchanged_since(&before, "a foreign snapshot");
}

#[test]
fn iso_21_production_has_no_snapshots() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = p.owner_key();
    p.sandbox("snapshot", &["one"]).refused("ISO-21");
    p.sandbox("restore", &["one"]).refused("ISO-21");
    let server = p.serve();
    let api = server.with(&key);
    for reply in [
        api.get(PATH),
        api.post(PATH, &json!({"name": "one"})),
        api.post(&format!("{PATH}/one/restore"), &json!({})),
        api.delete(&format!("{PATH}/one")),
    ] {
        assert_eq!((reply.status, reply.code()), (404, "SANDBOX_ONLY"), "{}", reply.text);
    }
    assert!(!p.dir.join("snapshots").exists());
}
