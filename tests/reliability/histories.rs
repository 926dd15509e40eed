//! REL-16: many write at once, at random; afterwards the rules hold, every reader has seen a value
//! that could be there, and the log has one entry for each change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Instant;

use ward_tests::seeded::Seeded;
use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

const WRITERS: u64 = 16;
/// Operations of each writer in `make test`; `WARD_SOAK=1` makes them 100,000 in all.
const OPERATIONS: u64 = 25;
/// Names that several try to take.
const TAGS: u64 = 12;

/// Something that was done to the one record that everybody shares.
#[derive(Clone, Debug)]
struct Touch {
    began: Instant,
    ended: Instant,
    value: String,
    is_write: bool,
}

/// What the writers did, as far as they were told that it was done.
#[derive(Default)]
struct Done {
    touches: Vec<Touch>,
    /// Client to the last value that its one writer was told is written, and how many were.
    own: BTreeMap<String, (String, i64)>,
    tags: Vec<String>,
    refused_tags: u64,
}

fn text<'a>(json: &'a Json, path: [&str; 3]) -> &'a str {
    json[path[0]][path[1]][path[2]].as_str().unwrap_or_default()
}

fn set(api: &Api, id: &str, value: &str) {
    let query = "mutation($id: ID, $value: String) {
      updateClient(input: {id: $id, record_identifier: $value}) { user { id } messages { field message } } }";
    api.ask(query, json!({"id": id, "value": value})).data();
}

fn get(api: &Api, id: &str) -> String {
    let reply =
        api.ask("query($id: ID) { user(id: $id) { record_identifier } }", json!({"id": id}));
    reply.data()["user"]["record_identifier"].as_str().unwrap_or_default().to_owned()
}

fn write(
    api: &Api,
    chance: &mut Seeded,
    operations: u64,
    writer: u64,
    shared: &str,
    groups: &[String],
    done: &Mutex<Done>,
) {
    let own = people::client(api, &format!("own{writer}"));
    let mut last = (String::new(), 0);
    for number in 0..operations {
        let began = Instant::now();
        match chance.between(0, 5) {
            0 => {
                let value = format!("w{writer}n{number}");
                set(api, shared, &value);
                let touch = Touch { began, ended: Instant::now(), value, is_write: true };
                done.lock().unwrap().touches.push(touch);
            }
            1 => {
                let value = get(api, shared);
                let touch = Touch { began, ended: Instant::now(), value, is_write: false };
                done.lock().unwrap().touches.push(touch);
            }
            2 => {
                let name = format!("Tag {}", chance.between(1, TAGS));
                // Another case is the same name (behaviour 19).
                let name = if chance.between(0, 1) == 0 { name.to_uppercase() } else { name };
                let query = "mutation($name: String) { createTag(input: {name: $name}) { tag { id name } messages { field message } } }";
                let reply = api.ask(query, json!({"name": name}));
                let made = text(&reply.json["data"], ["createTag", "tag", "id"]).to_owned();
                let mut done = done.lock().unwrap();
                if made.is_empty() {
                    assert!(reply.text.contains("already been taken"), "{}", reply.text);
                    done.refused_tags += 1;
                } else {
                    done.tags.push(name.to_lowercase());
                }
            }
            3 => {
                let group = &groups[chance.between(0, groups.len() as u64 - 1) as usize];
                let query = "mutation($id: ID, $group: String) { updateClient(input: {id: $id, user_group_id: $group}) { user { id } messages { field message } } }";
                let query = query.replace("$group: String", "$group: ID");
                api.ask(&query, json!({"id": own, "group": group})).data();
            }
            _ => {
                last = (format!("w{writer}own{number}"), last.1 + 1);
                set(api, &own, &last.0);
            }
        }
    }
    done.lock().unwrap().own.insert(own, last);
}

/// Whether every read could have seen its value: some write of it began before the read ended, and
/// no other write lies wholly between that write and the read.
fn is_linear(touches: &[Touch]) -> Result<(), String> {
    let writes: Vec<&Touch> = touches.iter().filter(|touch| touch.is_write).collect();
    for read in touches.iter().filter(|touch| !touch.is_write) {
        let overwritten =
            |by: &Touch, after: &Touch| by.began > after.ended && by.ended < read.began;
        let is_possible = if read.value.is_empty() {
            writes.iter().all(|write| write.ended >= read.began)
        } else {
            writes.iter().any(|write| {
                write.value == read.value
                    && write.began < read.ended
                    && !writes.iter().any(|other| overwritten(other, write))
            })
        };
        if !is_possible {
            return Err(format!("{:?} was read when it could not be there", read.value));
        }
    }
    Ok(())
}

#[test]
fn rel_16_random_histories_keep_the_rules() {
    let is_soak = std::env::var("WARD_SOAK").is_ok_and(|value| value == "1");
    let operations = if is_soak { 100_000 / WRITERS } else { OPERATIONS };
    for engine in Engine::available("REL-16") {
        let mut chance = Seeded::announced("REL-16");
        let instance = Instance::birth(Kind::Production, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        let api = server.with(&key);
        let shared = people::client(&api, "shared");
        let group = |name: &str| {
            let query = "mutation($name: String) { createGroup(input: {name: $name}) { user_group { id } messages { message } } }";
            people::id(&api.ask(query, json!({"name": name})).data()["createGroup"]["user_group"])
        };
        let groups = ["one", "two", "three"].map(group);
        let done = Mutex::new(Done::default());
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (api, shared, groups, done) = (&api, &shared, &groups, &done);
                let mut chance = Seeded::new(chance.number());
                scope.spawn(move || {
                    write(api, &mut chance, operations, writer, shared, groups, done)
                });
            }
        });
        let mut done = done.into_inner().unwrap();
        // What stands at the end is one more read.
        let (began, value) = (Instant::now(), get(&api, &shared));
        done.touches.push(Touch { began, ended: Instant::now(), value, is_write: false });
        is_linear(&done.touches).unwrap();
        let number = |sql: String| instance.database().number(&sql);
        let shared_writes = done.touches.iter().filter(|touch| touch.is_write).count() as i64;
        let updates = |id: &str| {
            number(format!(
                "SELECT COUNT(*) FROM audit_events WHERE event_type = 'UPDATE' AND resource_name = 'USER' AND resource_id = '{id}'"
            ))
        };
        assert_eq!(updates(&shared), shared_writes, "{engine:?}: not one entry a change");
        for (id, (value, count)) in &done.own {
            assert_eq!(get(&api, id), *value, "{engine:?}: an acknowledged write is gone");
            // Changes of group are entries as well.
            assert!(updates(id) >= *count, "{engine:?}: a change without an entry");
            let events = number(format!(
                "SELECT COUNT(*) FROM events WHERE event_type = 'patient.updated' AND resource_id = {id}"
            ));
            assert_eq!(events, updates(id), "{engine:?}: not one event a change");
        }
        let distinct: BTreeSet<&String> = done.tags.iter().collect();
        assert_eq!(
            distinct.len(),
            done.tags.len(),
            "{engine:?}: a name was taken twice: {:?}",
            done.tags
        );
        let stored = number("SELECT COUNT(*) FROM tags WHERE deleted_at IS NULL".to_owned());
        assert_eq!(stored, done.tags.len() as i64);
        server.stop();
        let (intact, said) = instance.verify_audit();
        assert!(intact, "{said}");
        tell(
            "REL-16",
            format_args!(
                "{engine:?}: {} operations of {WRITERS} writers; {shared_writes} writes to one record, {} tags taken, {} refused",
                WRITERS * operations,
                done.tags.len(),
                done.refused_tags
            ),
        );
    }
}

#[test]
fn an_impossible_read_is_noticed() {
    let start = Instant::now();
    let at = |millis: u64| start + std::time::Duration::from_millis(millis);
    let touch = |began, ended, value: &str, is_write| Touch {
        began: at(began),
        ended: at(ended),
        value: value.to_owned(),
        is_write,
    };
    let first = touch(0, 10, "a", true);
    let second = touch(20, 30, "b", true);
    let late = |value| touch(40, 50, value, false);
    assert!(is_linear(&[first.clone(), second.clone(), late("b")]).is_ok());
    assert!(is_linear(&[first.clone(), second.clone(), late("a")]).is_err());
    assert!(is_linear(&[first.clone(), second.clone(), late("")]).is_err());
    assert!(is_linear(&[first, second, touch(25, 26, "a", false)]).is_ok());
}
