//! Programs' accounts, and which permissions are used.

use std::sync::Arc;

use serde_json::Value as Json;
use ward_engine::ViewId;
use ward_identity::exercise::Exercises;
use ward_identity::flags::{CAN_EDIT_MEMBERS, IS_DEVELOPER, IS_PROVIDER};
use ward_identity::practice::{self, Place};
use ward_identity::tables::{OrgRole, Organization, PasswordSetBy, User};
use ward_identity::{account, password};
use ward_store::{Actor, Cond, Exercised, Flags, Id, Role};

use crate::support::{GOOD, World, member};

async fn hired(world: &World, name: &'static str, held: &'static [ward_engine::Permission]) -> i64 {
    let org_id = world.founded.organization.id.0;
    let hash = password::hash(world.instance.random(), GOOD).await.unwrap();
    world
        .system(org_id, move |scope| {
            let hash = hash.clone();
            Box::pin(async move {
                let unit = scope.find_by::<Organization>(Cond::eq("id", org_id)).await.unwrap();
                let held = held.iter().fold(Flags::default(), |set, it| set.with(it.flag));
                let place = Place { role: OrgRole::Standard, held };
                let email = format!("{}@example.com", name.to_lowercase());
                let (unit, new) = (unit.unwrap(), member(name, &email));
                let (user, _) = practice::add_member(scope, &unit, &new, place).await.unwrap();
                let after = User {
                    password_hash: Some(hash),
                    password_set_by: Some(PasswordSetBy::Person),
                    ..user.clone()
                };
                account::update(scope, &user, &after).await.unwrap();
                user.id.0
            })
        })
        .await
}

async fn run(world: &World, key: &str, query: &str) -> Json {
    world.run(key, ViewId::V2026, query).await
}

fn set(id: i64, to: bool) -> String {
    format!(
        "mutation {{ setIntegrationUser(input: {{ id: \"{id}\", is_integration: {to} }}) {{ \
         user {{ id is_integration has_created_password }} messages {{ field message }} }} }}"
    )
}

async fn signs_in(world: &World, email: &str) -> Option<String> {
    let query = format!(
        "mutation {{ signIn(input: {{ email: \"{email}\", password: \"{GOOD}\" }}) {{ token }} }}"
    );
    let answer = run(world, "", &query).await;
    answer["data"]["signIn"]["token"].as_str().map(str::to_owned)
}

async fn a_member_becomes_a_program_and_back(world: World) {
    let owner = world.owner_key().await;
    let bridge = hired(&world, "Bridge", &[IS_PROVIDER, IS_DEVELOPER]).await;
    let session = signs_in(&world, "bridge@example.com").await.expect("a member signs in");
    let mint = format!(
        "mutation {{ createApiKey(input: {{ user_id: \"{bridge}\" }}) {{ api_key messages {{ message }} }} }}"
    );
    let own = run(&world, &session, &mint).await["data"]["createApiKey"]["api_key"]
        .as_str()
        .expect("a developer makes a key")
        .to_owned();
    let given = world.key(world.founded.organization.id.0, bridge).await;
    let marked = run(&world, &owner, &set(bridge, true)).await;
    let user = &marked["data"]["setIntegrationUser"]["user"];
    assert_eq!(user["is_integration"], true, "{marked}");
    assert_eq!(user["has_created_password"], false);
    // No log-in, no session, no key that it made for itself, no link.
    assert_eq!(signs_in(&world, "bridge@example.com").await, None);
    for ended in [&session, &own] {
        let found = ward_identity::authenticate(&world.db, ended).await.unwrap();
        assert!(found.is_err(), "{found:?}");
    }
    run(&world, "", "mutation { resetPassword(input: { email: \"bridge@example.com\" }) { messages { field } } }").await;
    let sql = ward_store::Sql::fixed(
        "SELECT COUNT(*) FROM link_tokens WHERE user_id = $1 AND voided_at IS NULL",
        [bridge.into()],
    );
    let mut reader = world.db.read().await.unwrap();
    let links = ward_store::Query::rows(&mut reader, &sql).await.unwrap();
    drop(reader);
    assert_eq!(links.scalar().and_then(ward_store::Value::int), Some(0));
    // The key that others made for it works, and makes none.
    let seen = run(&world, &given, "{ currentUser { id } }").await;
    assert_eq!(seen["data"]["currentUser"]["id"], bridge.to_string().as_str(), "{seen}");
    let refused = run(&world, &given, &mint).await;
    assert_eq!(refused["errors"][0]["extensions"]["permission"], "is_developer", "{refused}");
    let minted = run(&world, &owner, &mint).await;
    assert!(minted["data"]["createApiKey"]["api_key"].is_string(), "{minted}");
    // And back: a person again, who has to set a password first.
    let back = run(&world, &owner, &set(bridge, false)).await;
    assert_eq!(back["data"]["setIntegrationUser"]["user"]["is_integration"], false, "{back}");
    assert_eq!(signs_in(&world, "bridge@example.com").await, None);
    let again = run(&world, &owner, &set(bridge, false)).await;
    assert_eq!(again["data"]["setIntegrationUser"]["messages"], Json::Null, "{again}");
}
both!(a_member_becomes_a_program_and_back);

async fn who_may_make_programs(world: World) {
    let org_id = world.founded.organization.id.0;
    let target = hired(&world, "Bridge", &[IS_PROVIDER]).await;
    let strong = hired(&world, "Strong", &[IS_PROVIDER, IS_DEVELOPER]).await;
    let plain = hired(&world, "Plain", &[IS_PROVIDER]).await;
    let editor = hired(&world, "Editor", &[IS_PROVIDER, CAN_EDIT_MEMBERS]).await;
    let (plain_key, key) = (world.key(org_id, plain).await, world.key(org_id, editor).await);
    let other = world.practice("other@example.com").await;
    let stranger = world.key(other.organization.id.0, other.owner.id.0).await;
    let owner = world.founded.owner.id.0;
    for (who, id, told) in [
        (&plain_key, target, "can_edit_members"),
        (&key, strong, "is_developer"),
        (&key, editor, "yourself"),
        (&key, owner, "owner"),
        (&stranger, target, "Object not found"),
    ] {
        let answer = run(&world, who, &set(id, true)).await;
        let text = answer.to_string();
        assert!(text.contains(told), "{told}: {text}");
        assert!(answer["data"]["setIntegrationUser"]["user"].is_null(), "{text}");
    }
    for id in [target, strong, editor, owner] {
        let user = world
            .system(org_id, move |scope| {
                Box::pin(async move { scope.find(Id::<User>::new(id)).await.unwrap().unwrap() })
            })
            .await;
        assert!(!user.is_integration && user.password_hash.is_some(), "{id} was changed");
    }
    let done = run(&world, &key, &set(target, true)).await;
    assert_eq!(done["data"]["setIntegrationUser"]["messages"], Json::Null, "{done}");
}
both!(who_may_make_programs);

async fn what_is_held_and_not_used_is_told(world: World) {
    let org_id = world.founded.organization.id.0;
    let editor = hired(&world, "Editor", &[IS_DEVELOPER, CAN_EDIT_MEMBERS]).await;
    let plain = hired(&world, "Plain", &[IS_PROVIDER]).await;
    let exercises = Exercises::new();
    let actor = Actor {
        role: Role::Member,
        user_id: editor,
        org_id,
        unit_id: org_id,
        flags: Flags::default().with(IS_DEVELOPER.flag).with(CAN_EDIT_MEMBERS.flag),
        exercised: Some(Arc::new(Exercised::default())),
        ..Actor::anonymous()
    };
    assert!(actor.has(CAN_EDIT_MEMBERS.flag) && !actor.has(IS_PROVIDER.flag));
    let wall = world.instance.clock().wall();
    for _ in 0..3 {
        exercises.note(&actor, wall);
    }
    assert_eq!(exercises.len(), 1, "once a day, however often");
    assert_eq!(exercises.flush(&world.db).await.unwrap(), 1);
    exercises.note(&actor, wall);
    assert!(exercises.is_empty(), "it is written already");
    exercises.note(&actor, wall.plus_seconds(86_400));
    assert_eq!(exercises.flush(&world.db).await.unwrap(), 1, "the next day is another");
    // An older note does not put the day back.
    let late = Exercises::new();
    late.note(&actor, wall);
    late.flush(&world.db).await.unwrap();
    let key = world.key(org_id, editor).await;
    let query = |id: i64, days: &str| {
        format!(
            "{{ user(id: \"{id}\") {{ permission_uses{days} {{ permission held_by last_exercised_on }} }} }}"
        )
    };
    let uses = |answer: &Json| answer["data"]["user"]["permission_uses"].clone();
    let listed = uses(&run(&world, &key, &query(editor, "")).await);
    let find = |name: &str| {
        let all = listed.as_array().unwrap();
        all.iter().find(|it| it["permission"] == name).cloned().unwrap_or_default()
    };
    let tomorrow = wall.plus_seconds(86_400).to_string();
    let edits = find("can_edit_members");
    assert_eq!(edits["last_exercised_on"].as_str(), tomorrow.get(..10), "{listed}");
    assert_eq!(edits["held_by"], "flag");
    assert_eq!(find("is_developer")["last_exercised_on"], Json::Null);
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    let unused = uses(&run(&world, &key, &query(editor, "(unused_for_days: 30)")).await);
    assert_eq!(unused.as_array().unwrap().len(), 1, "{unused}");
    // Others' are for those who may edit members; one's own for everybody.
    let plain_key = world.key(org_id, plain).await;
    assert_eq!(uses(&run(&world, &plain_key, &query(editor, "")).await), Json::Null);
    assert!(uses(&run(&world, &plain_key, &query(plain, "")).await).is_array());
    let owners = uses(&run(&world, &key, &query(world.founded.owner.id.0, "")).await);
    let by_owner = owners.as_array().unwrap().iter().filter(|it| it["held_by"] == "owner");
    assert!(by_owner.count() > 0, "{owners}");
}
both!(what_is_held_and_not_used_is_told);
