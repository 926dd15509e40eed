//! Nobody crowds another out by making accounts with their address.

use serde_json::Value as Json;
use ward_engine::ViewId::V2026;
use ward_identity::practice::Founded;
use ward_identity::tables::{PasswordSetBy, User};
use ward_identity::{account, password};
use ward_store::{Actor, Id, Query, Role, Scope, StoreError, Tx};

use crate::support::{GOOD, World};

const VICTIM: &str = "owner@example.com";
const CROWD: &str = "gravel-sonnet-pepper-58";

fn sign_in(email: &str, password: &str) -> String {
    format!(
        r#"mutation {{ signIn(input: {{email: "{email}", password: "{password}"}}) {{
            token user {{ id }} messages {{ message }} }} }}"#
    )
}

/// Signs up and shows the session again, as if signing in anew.
async fn sign_up(world: &World, n: usize, role: &str, email: &str, provider: &str) -> String {
    let at = match role {
        "patient" => format!(r#", dietitian_id: "{provider}""#),
        _ => String::new(),
    };
    let document = format!(
        r#"mutation {{ signUp(input: {{role: "{role}", first_name: "Crowd{n}", last_name: "Other",
            email: "{email}", password: "{CROWD}"{at}}}) {{ token user {{ id }} messages {{ message }} }} }}"#
    );
    let answer = world.run_from(&format!("198.51.100.{n}"), "", V2026, &document).await;
    let payload = &answer["data"]["signUp"];
    let token = payload["token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let again = format!(
        r#"mutation {{ signIn(input: {{token: "{token}"}}) {{ user {{ id }} messages {{ message }} }} }}"#
    );
    let answer = world.run("", V2026, &again).await;
    assert_eq!(answer["data"]["signIn"]["user"], payload["user"], "{answer}");
    payload["user"]["id"].as_str().unwrap().to_owned()
}

/// The attempts on an address start anew, so that sign-ups are not slowed.
async fn calm(world: &World) {
    world
        .db
        .write(|tx: &mut Tx| {
            Box::pin(async move {
                let sql = ward_store::Sql::fixed("DELETE FROM sign_in_attempts", []);
                tx.execute(&sql).await.map(drop)
            })
        })
        .await
        .unwrap();
}

async fn assert_opens(world: &World, password: &str, user: &str) {
    let before = password::hashes_done();
    let answer = world.run("", V2026, &sign_in(VICTIM, password)).await;
    assert_eq!(answer["data"]["signIn"]["user"]["id"], user, "{answer}");
    assert!(password::hashes_done() - before >= 4);
}

async fn sign_ups_with_the_owners_address_displace_nobody(world: World) {
    let second = world.practice("second@example.com").await;
    let provider = second.owner.id.to_string();
    let owner = world.founded.owner.id.to_string();
    for n in 0..8 {
        sign_up(&world, n, "patient", VICTIM, &provider).await;
        sign_up(&world, n, "dietitian", VICTIM, &provider).await;
        calm(&world).await;
        if n == 3 || n == 7 {
            assert_opens(&world, GOOD, &owner).await;
        }
    }
}
both!(sign_ups_with_the_owners_address_displace_nobody);

/// A client that a practice's owner makes, with a password that they choose.
async fn made_by_staff(world: &World, practice: &Founded, n: usize, email: &'static str) -> User {
    let hash = password::hash(world.instance.random(), CROWD).await.unwrap();
    let owner = practice.owner.clone();
    let actor = Actor {
        role: Role::Member,
        user_id: owner.id.0,
        is_owner: true,
        ..Actor::system(owner.org_id.0)
    };
    world
        .db
        .write(move |tx: &mut Tx| {
            let (hash, owner, actor) = (hash.clone(), owner.clone(), actor.clone());
            Box::pin(async move {
                let mut scope = Scope::new(tx, &actor);
                let id: Id<User> = scope.next_id().await?;
                let human = account::human_of(&mut scope, "healthie", Some(email), true).await?;
                let client = User {
                    is_patient: true,
                    email: Some(email.to_owned()),
                    first_name: Some(format!("Made{n}")),
                    last_name: Some("Client".to_owned()),
                    dietitian_id: Some(owner.id),
                    password_hash: Some(hash),
                    password_set_by: Some(PasswordSetBy::Staff),
                    ..User::blank(id, owner.org_id, owner.unit_id, human, scope.now())
                };
                account::create(&mut scope, &client).await?;
                Ok::<_, StoreError>(client)
            })
        })
        .await
        .unwrap()
}

async fn a_client_with_the_address_of_another_practices_owner_opens_only_itself(world: World) {
    let second = world.practice("second@example.com").await;
    let owner = world.founded.owner.id.to_string();
    let first = made_by_staff(&world, &second, 0, VICTIM).await;
    assert_opens(&world, CROWD, &first.id.to_string()).await;
    assert_opens(&world, GOOD, &owner).await;
    for n in 1..8 {
        made_by_staff(&world, &second, n, VICTIM).await;
    }
    assert_opens(&world, GOOD, &owner).await;
    let answer = world.run("", V2026, &sign_in(VICTIM, CROWD)).await;
    assert_ne!(answer["data"]["signIn"]["user"]["id"], owner);
}
both!(a_client_with_the_address_of_another_practices_owner_opens_only_itself);

async fn who_was_there_first_stays_though_no_address_is_proven(world: World) {
    let second = world.practice("second@example.com").await;
    let provider = second.owner.id.to_string();
    let address = "mine@example.com";
    let own = "orchid-basement-clover-31";
    let document = format!(
        r#"mutation {{ signUp(input: {{role: "dietitian", first_name: "Own", last_name: "Practice",
            email: "{address}", password: "{own}"}}) {{ user {{ id }} messages {{ message }} }} }}"#
    );
    let mine = world.run("", V2026, &document).await["data"]["signUp"]["user"]["id"].clone();
    for n in 0..5 {
        made_by_staff(&world, &second, n, address).await;
        sign_up(&world, n, "dietitian", address, &provider).await;
        sign_up(&world, n, "patient", address, &provider).await;
        calm(&world).await;
    }
    let answer = world.run("", V2026, &sign_in(address, own)).await;
    assert_ne!(mine, Json::Null);
    assert_eq!(answer["data"]["signIn"]["user"]["id"], mine, "{answer}");
}
both!(who_was_there_first_stays_though_no_address_is_proven);

async fn a_link_that_was_used_proves_an_address(world: World) {
    let second = world.practice("second@example.com").await;
    let provider = second.owner.id.to_string();
    let address = "late@example.com";
    for n in 0..8 {
        sign_up(&world, n, "patient", address, &provider).await;
        calm(&world).await;
    }
    let last = made_by_staff(&world, &second, 9, address).await;
    let (org, id) = (last.org_id.0, last.id);
    let link = world
        .system(org, move |scope| {
            Box::pin(async move {
                let made = ward_identity::admin::one_time_link(scope, id, "http://x.test");
                made.await.unwrap().to_string()
            })
        })
        .await;
    let token = link.split_once("token=").unwrap().1;
    let own = "orchid-basement-clover-31";
    ward_identity::set_password_by_link(&world.db, token, own).await.unwrap().unwrap();
    for n in 10..18 {
        made_by_staff(&world, &second, n, address).await;
    }
    let answer = world.run("", V2026, &sign_in(address, own)).await;
    assert_eq!(answer["data"]["signIn"]["user"]["id"], id.to_string(), "{answer}");
}
both!(a_link_that_was_used_proves_an_address);
