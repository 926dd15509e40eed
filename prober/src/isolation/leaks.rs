//! Keys of others, leaked keys, what is for Sandboxes only, and ids of before a reset.

use std::path::Path;

use serde_json::json;

use crate::failure::Failure;
use crate::isolation::Ground;
use crate::kind::Kind;
use crate::report::Row;
use crate::side::{Side, VIEW};
use crate::wire::{Answer, Ask};

const WHO: &str = "{ currentUser { id } }";

fn with_key(side: &Side, key: &str) -> Result<Answer, Failure> {
    let ask = Side::question(VIEW, WHO, &json!({}));
    side.ask(&ask.with("authorization", format!("Basic {key}")))
}

/// A key of the founding owner, made on the machine.
fn made_key(ground: &Ground, kind: Kind, dir: &Path, email: &str) -> Result<String, Failure> {
    let words = ["key", "create", "--kind", kind.word()];
    let made =
        ground.own.run(&words, dir, &["--user", email, "--json"])?.json("ward key create")?;
    let text = made.to_string();
    let at = text.find("\"ward_").map(|at| at + 1);
    let key = at.and_then(|at| text.get(at..)?.split('"').next());
    key.map(str::to_owned).ok_or_else(|| Failure::unavailable("ward key create shows no key"))
}

/// ISO-12: neither in the files nor in what the servers wrote.
pub fn no_trace(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (to, from) in ground.pair.ways() {
        let another = ground.own.birth(to.kind, &format!("no-trace-{}", to.kind.word()))?;
        let others = made_key(ground, to.kind, &another, "owner@practice.example")?;
        for (key, code) in [(&from.key, "WRONG_ENVIRONMENT_KEY"), (&others, "WRONG_INSTANCE_KEY")] {
            let answer = with_key(to, key)?;
            row.case((answer.status, answer.code()) == (200, code), || {
                format!("the {} answers {:?} instead of {code}", to.kind.title(), answer.code())
            });
            // And where it is no credential at all.
            to.ask(&Ask::get(&format!("/graphql?token={key}")))?;
            to.ask(&Ask::get(&format!("/nowhere/{key}")))?;
            let secret = key.get(key.len().saturating_sub(38)..key.len().saturating_sub(6));
            for needle in [Some(key.as_str()), secret].into_iter().flatten() {
                let found = holding(ground.dir(to.kind), needle.as_bytes());
                row.case(found.is_none(), || {
                    format!("a foreign key is in {}", found.unwrap_or_default())
                });
                row.case(!ground.own.logs().contains(needle), || {
                    format!("the {} logs a foreign key", to.kind.title())
                });
            }
        }
    }
    Ok(())
}

/// The first file under a directory that has the bytes; the credentials of development aside,
/// which are the instance's own.
fn holding(dir: &Path, needle: &[u8]) -> Option<String> {
    for entry in std::fs::read_dir(dir).ok()?.flatten() {
        let path = entry.path();
        let found = match path.is_dir() {
            true => holding(&path, needle),
            false => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                let is_there = bytes.windows(needle.len()).any(|window| window == needle);
                is_there.then(|| path.display().to_string())
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// ISO-14: by `POST /keys/revoke`, and by `ward scan`.
pub fn leaked_key(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (side, _) in ground.pair.ways() {
        let title = side.kind.title();
        let email = format!("owner@{}.example", side.kind.word());
        let leaked = made_key(ground, side.kind, ground.dir(side.kind), &email)?;
        let works = |key: &str| -> Result<bool, Failure> {
            Ok(with_key(side, key)?.json["data"]["currentUser"].is_object())
        };
        let mut other = leaked.clone();
        let last = other.pop();
        other.push(if last == Some('0') { '1' } else { '0' });
        side.ask(&Ask::post("/keys/revoke", &json!({"api_key": other})))?;
        row.case(works(&leaked)?, || format!("the {title} ends a key for one that looks like it"));
        side.ask(&Ask::post("/keys/revoke", &json!({"api_key": leaked})))?;
        row.case(!works(&leaked)?, || format!("a reported key still works at the {title}"));
        row.case(works(&side.key)?, || {
            format!("another key of the same person ended at the {title}")
        });
        let folder = ground.own.place(&format!("leak-{}", side.kind.word()));
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("notes.txt"), format!("key = {leaked}\n")));
        written.map_err(|error| Failure::internal(error.to_string()))?;
        let scan = ground.own.scan(&folder)?;
        row.case(scan.code == Some(1) && !scan.stdout.contains(&leaked), || {
            format!("ward scan ends with {:?} on a file with a {title} key", scan.code)
        });
    }
    Ok(())
}

/// ISO-35.
pub fn only_a_sandbox(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    let dir = ground.own.birth(Kind::Production, "only-a-sandbox")?;
    for words in [["sandbox", "seed"], ["sandbox", "reset"]] {
        let ended = ground.own.run(&words, &dir, &[])?;
        row.case(ended.code == Some(78) && ended.stderr.contains("E-ISO-"), || {
            format!("ward {} on a Production ends with {:?}", words.join(" "), ended.code)
        });
    }
    // Nobody was given an account with a password.
    let p = &ground.pair.p;
    for (email, password) in [
        ("admin", "admin"),
        ("tester", "tester"),
        ("testing", "testing"),
        ("owner@production.example", "changeme"),
        ("owner@sandbox.example", "password"),
    ] {
        let query = "mutation($input: signInInput) { signIn(input: $input) { token } }";
        let input = json!({"input": {"email": email, "password": password}});
        let answer = p.ask(&Side::question(VIEW, query, &input))?;
        row.case(answer.json["data"]["signIn"]["token"].is_null(), || {
            format!("{email} with a usual password gets into Production")
        });
    }
    Ok(())
}

/// ISO-21. Last: the keys end with the reset.
pub fn stale_ids(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    let s = &ground.pair.s;
    let held = ground.pair.holdings(Kind::Sandbox)?;
    let old: Vec<&String> =
        held.ids.values().flatten().filter(|id| id.bytes().all(|it| it.is_ascii_digit())).collect();
    let dir = ground.dir(Kind::Sandbox);
    ground.own.run(&["sandbox", "reset"], dir, &["--json"])?.json("ward sandbox reset")?;
    let old_key = with_key(s, &s.key)?;
    row.case(old_key.code() == "UNAUTHENTICATED", || "a key outlives the reset".to_owned());
    let users = ground.own.run(&["user", "list", "--kind", "sandbox"], dir, &["--json"])?;
    let email = users.json("ward user list")?.to_string();
    let email = email.split('"').find(|text| text.contains('@')).unwrap_or_default().to_owned();
    let key = made_key(ground, Kind::Sandbox, dir, &email)?;
    for id in old {
        let query = "query($id: ID) { user(id: $id) { id } }";
        let ask = Side::question(VIEW, query, &json!({"id": id}));
        let answer = s.ask(&ask.with("authorization", format!("Basic {key}")))?;
        let told = (answer.status, answer.code());
        row.case(told == (200, "STALE_EPOCH_ID") && answer.json["data"]["user"].is_null(), || {
            format!("the id {id} of before a reset is answered {told:?}")
        });
    }
    Ok(())
}
