//! Keys of others, leaked keys, what is for Sandboxes only, and ids of before a reset.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::checks;
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
    let mut sent = Vec::new();
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
            let needles = [Some(key.as_str()), secret].into_iter().flatten().map(str::to_owned);
            sent.extend(needles.map(|needle| (to.kind, needle)));
        }
    }
    // Refusals and the record of requests are written behind the answer.
    std::thread::sleep(WRITTEN);
    let logs = ground.own.logs();
    for kind in Kind::BOTH {
        let those: Vec<&str> =
            sent.iter().filter(|(to, _)| *to == kind).map(|(_, it)| it.as_str()).collect();
        let title = kind.title();
        let mut read = 0;
        let found = holding(ground.dir(kind), &those, &mut read)
            .map_err(|error| Failure::internal(format!("the {title}'s files: {error}")))?;
        for needle in those {
            let place = found.get(needle);
            row.case(place.is_none(), || {
                let place = place.map(|it| it.display().to_string());
                format!("a foreign key is in {}", place.unwrap_or_default())
            });
            row.case(!logs.contains(needle), || format!("the {title} logs a foreign key"));
        }
        row.case(read >= BYTES_MIN, || format!("only {read} bytes are in the {title}'s files"));
    }
    Ok(())
}

/// What a server writes behind an answer is written by then.
const WRITTEN: Duration = Duration::from_secs(2);

/// Bytes that an instance's files have at least: its tables alone take more.
const BYTES_MIN: usize = 100_000;

/// Which of the texts are in files under a directory, and in which; and how many bytes were read. A
/// file that is gone when it is to be read holds nothing any more.
fn holding<'a>(
    dir: &Path,
    needles: &[&'a str],
    read: &mut usize,
) -> std::io::Result<BTreeMap<&'a str, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(holding(&path, needles, read)?);
            continue;
        }
        // A socket holds nothing.
        if path.exists() && !path.is_file() {
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            bytes => bytes?,
        };
        *read += bytes.len();
        let there = needles.iter().filter(|needle| is_in(&bytes, needle.as_bytes()));
        found.extend(there.map(|needle| (*needle, path.clone())));
    }
    Ok(found)
}

/// Whether bytes are within others.
fn is_in(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let begins = |(at, byte): (usize, &u8)| (byte == first).then_some(at + 1);
    bytes.iter().enumerate().filter_map(begins).any(|at| bytes[at..].starts_with(rest))
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

/// What `ward sandbox` does with a directory; `run` and `pool` make their own.
const OF_A_DIRECTORY: [&[&str]; 9] = [
    &["seed"],
    &["reset"],
    &["snapshot", "before"],
    &["snapshot", "before", "--delete"],
    &["snapshot", "--list"],
    &["restore", "before"],
    &["fork"],
    &["fork", "--list"],
    &["packs"],
];

/// What it does with an address.
const OF_AN_ADDRESS: [&[&str]; 16] = [
    &["reset"],
    &["snapshot", "before"],
    &["snapshot", "--list"],
    &["restore", "before"],
    &["fork"],
    &["fork", "--end-all"],
    &["be", "owner@production.example"],
    &["inbox"],
    &["clock", "show"],
    &["clock", "freeze"],
    &["clock", "resume"],
    &["clock", "rate", "2"],
    &["clock", "set", "2031-03-03T12:00:00Z"],
    &["clock", "advance", "1h"],
    &["faults", "add", "internal_error"],
    &["faults", "clear"],
];

/// ISO-35.
pub fn only_a_sandbox(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    let dir = ground.own.birth(Kind::Production, "only-a-sandbox")?;
    for words in OF_A_DIRECTORY {
        let whole = [&["sandbox"][..], words].concat();
        let ended = ground.own.run(&whole, &dir, &[])?;
        row.case(ended.code == Some(78) && ended.stderr.contains("E-ISO-"), || {
            format!("ward sandbox {} on a Production ends with {:?}", words.join(" "), ended.code)
        });
    }
    // By its address, with a key of each.
    let keys = [&ground.pair.s.key, &ground.pair.p.key];
    for (words, key) in OF_AN_ADDRESS.iter().flat_map(|words| keys.map(|key| (*words, key))) {
        let whole = [&["sandbox"][..], words].concat();
        let ended = ground.own.there(&whole, &ground.pair.p, key)?;
        row.case(ended.code == Some(78) && ended.stderr.contains("E-ISO-"), || {
            format!("ward sandbox {} at Production ends with {:?}", words.join(" "), ended.code)
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
        // What failed has refused nobody.
        let is_answered = answer.status == 200 && answer.json["data"]["signIn"].is_object();
        let token = &answer.json["data"]["signIn"]["token"];
        row.case(is_answered && token.is_null(), || match token.is_null() {
            true => format!("{email} is answered {} {:?}", answer.status, answer.code()),
            false => format!("{email} with a usual password gets into Production"),
        });
    }
    Ok(())
}

/// ISO-24, of the answers to all rows.
pub fn every_answer(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    checks::every_answer(&ground.pair, row)
}

/// ISO-21. Last of what asks: the keys end with the reset.
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
