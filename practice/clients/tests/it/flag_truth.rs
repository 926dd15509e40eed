//! SEC-03: the truth table of the permission flags. Each is stored and read
//! back; each that governs something today is flipped alone and then denied and
//! allowed; each other says which domain will ask for it.

mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, ViewId, prune};
use ward_identity::flags::{self, ALL, Governs};
use ward_identity::person;
use ward_store::{Actor, Sql};

use crate::support::{World, contract};
use table::Truth::{Awaits, Governs as Rules, Later, Shows};
use table::{Asks, Case, Refusal, TRUTHS, Truth};

fn truth(flag: &str) -> &'static Truth {
    let found = TRUTHS.iter().find(|(name, _)| *name == flag);
    &found.unwrap_or_else(|| panic!("nobody has said what {flag} governs")).1
}

#[test]
fn every_flag_is_in_the_table_once_and_tells_the_truth() {
    let names: Vec<&str> = ALL.iter().map(|line| line.permission.name).collect();
    let listed: Vec<&str> = TRUTHS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, names, "the table has every flag once, in the list's order");
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut enforced, mut elsewhere, mut shows) = (0, 0, 0);
    let sources = sources();
    for line in ALL {
        let name = line.permission.name;
        let used = uses(&sources, name);
        match truth(name) {
            Rules(cases) => {
                assert!(!cases.is_empty(), "{name} has no case");
                enforced += 1;
            }
            Awaits(domain) => {
                assert!(used.is_empty(), "{name} is asked for in {used:?}: give it its cases");
                *waiting.entry(domain).or_default() += 1;
            }
            Later(domain) => {
                let sources = later(domain);
                assert!(!uses(&sources, name).is_empty(), "{name} is not asked for in {domain}");
                elsewhere += 1;
            }
            Shows => {
                assert_eq!(line.governs, Governs::Display, "{name} guards something");
                shows += 1;
            }
        }
    }
    println!(
        "SEC-03: {} flags stored, {enforced} enforced, {enforced} tested (allowed and denied), \
         {elsewhere} by later domains; \
         {shows} only show; waiting for {waiting:?}",
        ALL.len()
    );
}

/// What may name a flag without asking for it: lists of flags.
const LISTS: [&str; 5] = ["flags.rs", "practice.rs", "seed.rs", "template.rs", "user_flags.rs"];

fn sources() -> Vec<(String, String)> {
    sources_of(&["identity", "clients"])
}

fn later(domain: &str) -> Vec<(String, String)> {
    sources_of(&[domain])
}

fn sources_of(domains: &[&str]) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let practice = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> = domains.iter().map(|it| practice.join(it).join("src")).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !LISTS.contains(&name.as_str()) {
                texts.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    texts
}

/// Files that name the flag's constant.
fn uses(sources: &[(String, String)], flag: &str) -> Vec<String> {
    let constant = flag.to_uppercase();
    let is_word = |text: &str| {
        text.match_indices(&constant).any(|(at, _)| {
            let rest = text[at + constant.len()..].chars().next();
            let before = text[..at].chars().next_back();
            let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !inside(rest) && !inside(before)
        })
    };
    sources.iter().filter(|(_, text)| is_word(text)).map(|(name, _)| name.clone()).collect()
}

/// The world with both domains' bindings.
fn whole(mut world: World) -> World {
    let mut bindings = Bindings::new();
    ward_identity::bind(&mut bindings);
    ward_clients::bind(&mut bindings);
    let served = |view| prune(&contract(view), &bindings).unwrap();
    let (old, new) = (served(ViewId::Baseline), served(ViewId::V2026));
    world.engine = Arc::new(Engine::new(&old, &new, bindings));
    world
}

/// Gives a member exactly these flags.
async fn lay(world: &World, user: i64, held: &[&str]) {
    let set = ALL.iter().map(|line| {
        let name = line.permission.name;
        format!("{name} = {}", if held.contains(&name) { "TRUE" } else { "FALSE" })
    });
    let mut sql = Sql::new();
    sql.push("UPDATE organization_memberships SET ");
    sql.push(&set.collect::<Vec<_>>().join(", ")).push(" WHERE user_id = ");
    sql.bind(user);
    world.execute(sql).await;
}

/// The bearer with exactly these flags, as the next request finds them.
async fn bearer(world: &World, held: &[&str]) -> Actor {
    let (org, user) = (world.standard.org_id, world.standard.user_id);
    lay(world, user, held).await;
    let load = world.db.write(move |tx| Box::pin(async move { person::load(tx, org, user).await }));
    let found: Result<_, ward_store::StoreError> = load.await;
    found.unwrap().unwrap().actor(None)
}

/// The ids that documents name.
struct Ids(Vec<(&'static str, String)>);

impl Ids {
    async fn of(world: &World) -> Ids {
        let client = world.client("Cleo", "cleo@example.com").await;
        let other = world.client("Otto", "otto@example.com").await;
        let merged = world.client("Mae", "mae@example.com").await;
        let owner = world.owner.clone();
        let tag = world.mutate(&owner, "createTag", "tag { id }", json!({"name": "First"})).await;
        let id = |json: &Json| json["id"].as_str().unwrap().to_owned();
        let support = world.support.user_id.to_string();
        let membership = format!(r#"{{ organizationMembership(user_id: "{support}") {{ id }} }}"#);
        let membership = world.run(&owner, &membership, json!({})).await;
        // Nobody is weaker than who holds nothing.
        lay(world, world.support.user_id, &[]).await;
        Ids(vec![
            ("$client", client),
            ("$other", other),
            ("$merged", merged),
            ("$tag", id(&tag["tag"])),
            ("$membership", id(&membership["organizationMembership"])),
            ("$colleague", support.clone()),
            ("$weaker", support),
            ("$owner", world.owner.user_id.to_string()),
            ("$bearer", world.standard.user_id.to_string()),
        ])
    }

    /// A group with a client whom the bearer does not see.
    async fn group(&self, world: &World, n: usize) -> String {
        let input = json!({"name": format!("g{n}")});
        let made = world.mutate(&world.owner, "createGroup", "user_group { id }", input).await;
        let group = made["user_group"]["id"].as_str().unwrap().to_owned();
        let client = &self.0[0].1;
        let input = json!({"id": client, "user_group_id": group});
        world.mutate(&world.owner, "updateClient", "user { id }", input).await;
        group
    }

    async fn fill(&self, world: &World, document: &str, n: usize) -> String {
        let mut text = document.to_owned();
        if text.contains("$group") {
            text = text.replace("$group", &self.group(world, n).await);
        }
        for (name, id) in &self.0 {
            text = text.replace(name, id);
        }
        text.replace("$n", &n.to_string())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flag_that_governs_is_denied_and_allowed() {
    World::each(async |world| {
        let world = whole(world);
        let ids = Ids::of(&world).await;
        let mut n = 0;
        for line in ALL {
            let name = line.permission.name;
            let Rules(cases) = truth(name) else { continue };
            for case in *cases {
                for is_held in [false, true] {
                    n += 1;
                    let mut held = case.with.to_vec();
                    held.extend(is_held.then_some(name));
                    let bearer = bearer(&world, &held).await;
                    let asks = if case.asks == Asks::Owner { &world.owner } else { &bearer };
                    let document = ids.fill(&world, case.document, n).await;
                    let answer = world.run_in(ViewId::V2026, asks, &document, json!({})).await;
                    assert_eq!(is_done(case, &answer), is_held, "{name}, {document}: {answer}");
                    if !is_held {
                        told(case, name, &answer);
                    }
                }
            }
        }
        println!("SEC-03: {n} operations tried with one flag flipped");
    })
    .await;
}

/// Whether the answer shows what was asked for, and no error or message.
fn is_done(case: &Case, answer: &Json) -> bool {
    let shown = answer["data"].pointer(case.shows).unwrap_or(&Json::Null);
    let root = answer["data"].as_object().and_then(|data| data.values().next());
    let is_silent = root.is_none_or(|root| root["messages"].is_null());
    !shown.is_null() && is_silent && answer["errors"].is_null()
}

/// The absence of the flag is told as the case says.
fn told(case: &Case, flag: &str, answer: &Json) {
    match case.refusal {
        Refusal::Named => {
            assert_eq!(answer["errors"][0]["extensions"]["permission"], flag, "{answer}");
        }
        Refusal::Other(flag) => {
            assert_eq!(answer["errors"][0]["extensions"]["permission"], flag, "{answer}");
        }
        Refusal::Message(field) => {
            let payload = answer["data"].as_object().unwrap().values().next().unwrap();
            assert_eq!(payload["messages"][0]["field"], field, "{answer}");
        }
        Refusal::Nothing => assert_eq!(answer["errors"], Json::Null, "{answer}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flag_is_stored_and_read_back() {
    World::each(async |world| {
        let world = whole(world);
        let reads: Vec<&str> = ALL.iter().map(|line| line.permission.name).collect();
        let user = world.standard.user_id;
        let query = format!(
            r#"{{ organizationMembership(user_id: "{user}") {{ id {} }} }}"#,
            reads.join(" ")
        );
        lay(&world, user, &[]).await;
        let first = world.run(&world.owner, &query, json!({})).await;
        let id = first["organizationMembership"]["id"].as_str().unwrap().to_owned();
        for permission in flags::settable() {
            for is_on in [true, false] {
                let input = json!({"id": id, permission.name: is_on});
                let select = format!("organizationMembership {{ {} }}", permission.name);
                let field = "updateOrganizationMembership";
                let payload = world.mutate(&world.owner, field, &select, input).await;
                assert_eq!(payload["messages"], Json::Null, "{}: {payload}", permission.name);
                assert_eq!(payload["organizationMembership"][permission.name], is_on);
            }
        }
        for permission in flags::OPERATOR_SET {
            let input = json!({"id": id, permission.name: true});
            let document = "mutation($input: updateOrganizationMembershipInput) {
                updateOrganizationMembership(input: $input) { messages { message } } }";
            let answer =
                world.run_in(ViewId::V2026, &world.owner, document, json!({"input": input})).await;
            assert!(answer["data"].is_null(), "the operator sets {}: {answer}", permission.name);
            lay(&world, user, &[permission.name]).await;
            let read = world.run(&world.owner, &query, json!({})).await;
            for name in &reads {
                let is_on = *name == permission.name;
                assert_eq!(read["organizationMembership"][name], is_on, "{name}");
            }
        }
    })
    .await;
}
