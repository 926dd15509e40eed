//! Packs: the same seed gives the same world, whose people reach nobody, and the page says what is
//! in each.

use std::fmt::Write as _;
use std::path::PathBuf;

use ward_tests::{Api, Engine, Instance, Json, Kind, json, ward};

use crate::running::Running;
use crate::world::seen;

fn names() -> Vec<(String, String)> {
    let listed = ward(["sandbox", "packs", "--json"]).json();
    let text = |it: &Json| it.as_str().unwrap().to_owned();
    let all = listed["packs"].as_array().unwrap();
    all.iter().map(|it| (text(&it["name"]), text(&it["about"]))).collect()
}

fn seeded(pack: &str, engine: Engine) -> (Instance, Json) {
    let s = Instance::birth(Kind::Sandbox, engine);
    let answer = s.sandbox("seed", &["--pack", pack, "--seed", "7"]).json();
    (s, answer)
}

/// What a pack holds: what is counted, and how.
const COUNTED: [(&str, &str); 12] = [
    ("sub-organizations", "organizations WHERE id <> org_id"),
    ("staff with the owner", "users WHERE is_patient = FALSE AND is_integration = FALSE"),
    ("integrations", "users WHERE is_integration = TRUE"),
    ("clients", "users WHERE is_patient = TRUE AND deleted_at IS NULL"),
    ("restricted", "users WHERE restricted = TRUE"),
    ("merged", "users WHERE merged_into_id IS NOT NULL"),
    ("types", "appointment_types WHERE deleted_at IS NULL"),
    ("appointments", "appointments WHERE deleted_at IS NULL"),
    ("rooms", "rooms"),
    ("waiting", "waitlist_places"),
    ("credits", "appointment_type_credits"),
    ("conversations", "conversations"),
];

fn row(name: &str, s: &Instance) -> String {
    let mut line = format!("| `{name}` |");
    for (_, from) in COUNTED {
        let _ = write!(line, " {} |", s.database().number(&format!("SELECT COUNT(*) FROM {from}")));
    }
    line
}

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/packs.md")
}

/// The page's part that is counted, between its heading and the next one.
#[test]
fn the_page_says_what_the_packs_hold() {
    let packs = names();
    let mut table = "| pack |".to_owned();
    for (what, _) in COUNTED {
        let _ = write!(table, " {what} |");
    }
    table.push_str(&format!("\n|---|{}", "--:|".repeat(COUNTED.len())));
    let mut about = "| pack | |\n|---|---|".to_owned();
    for (name, sentence) in &packs {
        let (s, _) = seeded(name, Engine::Sqlite);
        let _ = write!(table, "\n{}", row(name, &s));
        let _ = write!(about, "\n| `{name}` | {sentence} |");
    }
    let text = std::fs::read_to_string(page()).unwrap();
    let (head, rest) = text.split_once("## What is in them\n\n").unwrap();
    let (_, tail) = rest.split_once("\n\n## ").unwrap();
    let (title, _) = head.split_once("| pack | |").unwrap();
    let right = format!("{title}{about}\n\n## What is in them\n\n{table}\n\n## {tail}");
    if std::env::var_os("WARD_UPDATE").is_some() {
        std::fs::write(page(), &right).unwrap();
    } else {
        assert!(text == right, "docs/packs.md is not what packs hold; run this with WARD_UPDATE=1");
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for (name, _) in names().iter().filter(|(name, _)| !["standard", "empty"].contains(&&**name)) {
        let worlds: Vec<Json> = [0, 1]
            .map(|_| {
                let running = Running::start(&["--pack", name.as_str(), "--seed", "7"], ":");
                let seen = seen(&running.owner());
                running.go_on("exit 0").ok();
                seen
            })
            .into();
        assert_eq!(worlds[0], worlds[1], "{name}");
        assert!(worlds[0]["users"]["nodes"].as_array().unwrap().len() > 10, "{name}");
    }
}

/// A reminder of a visit: its id, when it is due, and whether the client has an address.
fn reminders(s: &Instance) -> Vec<(String, i64, bool)> {
    let sql = "SELECT r.id, r.due_at, u.email FROM reminders r \
         JOIN users u ON u.org_id = r.org_id AND u.id = r.user_id WHERE r.kind = 'appointment'";
    let rows = s.database().rows(sql).into_iter();
    rows.map(|row| {
        let due = row[1].as_ref().unwrap().parse().unwrap();
        (row[0].clone().unwrap(), due, row[2].is_some())
    })
    .collect()
}

/// Visits to come are reminded of, as if they had been booked: at its time everybody who has an
/// address, but for whom a night still holds it.
#[test]
fn visits_of_a_pack_are_reminded_of() {
    for (name, _) in names().iter().filter(|(name, _)| name != "empty") {
        let (s, _) = seeded(name, Engine::Sqlite);
        let count = |of: &str| s.database().number(&format!("SELECT COUNT(*) FROM {of}"));
        let planned = reminders(&s);
        let jobs = usize::try_from(count("jobs WHERE kind = 'remind'")).unwrap();
        assert_eq!(planned.len(), jobs, "{name}");
        let key = s.owner_key();
        let server = s.serve();
        let api = server.with(&key);
        assert_eq!(api.post("/sandbox/v1/clock/freeze", &json!({})).status, 200);
        let moved = [0, 1].map(|_| {
            let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": "P14D"}));
            assert_eq!(moved.json["stragglers"], json!([]), "{name}: {}", moved.text);
            moved
        });
        let now: jiff::Timestamp = moved[1].json["now"].as_str().unwrap().parse().unwrap();
        let now = now.as_microsecond();
        let left = reminders(&s);
        assert!(left.iter().all(|(_, due, _)| *due > now), "{name}: {left:?}");
        let is_held = |id: &str| left.iter().any(|(held, _, _)| held == id);
        let over = planned.iter().filter(|(id, due, _)| *due <= now && !is_held(id));
        let told = over.filter(|(_, _, has_address)| *has_address).count();
        let said = count("effect_intents WHERE kind = 'appointment_reminder'");
        assert!(said > 0 && usize::try_from(said) == Ok(told), "{name}: {said} of {told}");
        server.stop();
    }
}

#[test]
fn nobody_in_a_pack_can_be_reached() {
    for (name, _) in names() {
        for engine in Engine::available("packs") {
            let (s, _) = seeded(&name, engine);
            for (table, column) in [("users", "email"), ("organizations", "organization_email")] {
                let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
                for email in s.database().rows(&sql).into_iter().flatten().flatten() {
                    let host = email.rsplit('@').next().unwrap();
                    let reserved = host.ends_with(".example") || host.ends_with("example.com");
                    assert!(reserved, "{name}: {email}");
                }
            }
            let sql = "SELECT phone_number FROM users WHERE phone_number IS NOT NULL";
            for phone in s.database().rows(sql).into_iter().flatten().flatten() {
                let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
                let reserved =
                    digits.len() >= 10 && digits[digits.len() - 7..].starts_with("55501");
                assert!(reserved, "{name}: {phone}");
            }
        }
    }
}

#[test]
fn every_pack_answers_its_owner() {
    let query = "{ users(first: 100) { nodes { id full_name dob timezone user_group { name } } } \
        appointments(first: 100) { nodes { id start end length appointment_type { name } attendees { id } } } \
        appointmentTypes { nodes { id name } } conversationMemberships(first: 100) { nodes { id } } }";
    for (name, _) in names() {
        let (s, answer) = seeded(&name, Engine::Sqlite);
        assert_eq!(answer["pack"], name.as_str(), "{answer}");
        let key = s.owner_key();
        let server = s.serve();
        let api: Api = server.with(&key);
        let reply = api.ask(query, json!({}));
        assert!(reply.json["errors"].is_null(), "{name}: {}", reply.text);
        assert_eq!(api.get("/sandbox/v1/packs").json["packs"].as_array().unwrap().len(), 6);
        server.stop();
        let again = s.sandbox("seed", &["--pack", &name]);
        let is_empty = name == "empty";
        assert_eq!(again.code, Some(if is_empty { 0 } else { 2 }), "{name}: {}", again.stderr);
        let (intact, said) = s.verify_audit();
        assert!(intact, "{name}: {said}");
    }
    assert_eq!(ward(["sandbox", "seed", "--dir", "/nowhere", "--pack", "other"]).code, Some(2));
}
