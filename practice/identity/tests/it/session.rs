//! How long sessions are good, and what ends them.

use serde_json::Value as Json;
use ward_engine::ViewId::V2026;
use ward_identity::session::{Stage, is_live};
use ward_identity::{account, admin, tables::User};
use ward_instance::Timestamp;

use crate::support::{GOOD, World};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

#[test]
fn idle_and_absolute_limits() {
    let live = |stage, created: i64, used: i64, wall: i64| {
        let at = Timestamp::from_seconds;
        is_live(stage, at(created), at(used), at(wall))
    };
    for (stage, idle, absolute) in [
        (Stage::Member, 30 * MINUTE, 12 * HOUR),
        (Stage::Client, 20 * MINUTE, 12 * HOUR),
        (Stage::AwaitsCode, 15 * MINUTE, 15 * MINUTE),
    ] {
        assert!(live(stage, 0, 0, idle - 1), "{stage:?}");
        assert!(!live(stage, 0, 0, idle), "{stage:?}");
        assert!(live(stage, 0, absolute - 1, absolute - 1), "{stage:?}");
        assert!(!live(stage, 0, absolute - 1, absolute), "{stage:?}");
    }
}

async fn sign_in(world: &World, email: &str, password: &str) -> String {
    let document = format!(
        r#"mutation {{ signIn(input: {{email: "{email}", password: "{password}"}}) {{ token messages {{ message }} }} }}"#
    );
    let answer = world.run("", V2026, &document).await;
    let token = answer["data"]["signIn"]["token"].as_str();
    format!("Bearer {}", token.unwrap_or_else(|| panic!("{answer}")))
}

async fn works(world: &World, token: &str) -> bool {
    ward_identity::authenticate(&world.db, token).await.unwrap().is_ok()
}

/// A client who joined the practice; their session.
async fn client(world: &World) -> String {
    let document = format!(
        r#"mutation {{ signUp(input: {{role: "patient", first_name: "Clara", last_name: "Client",
            email: "clara@example.com", password: "{GOOD}", dietitian_id: "{}"}}) {{ token messages {{ message }} }} }}"#,
        world.founded.owner.id
    );
    let answer = world.run("", V2026, &document).await;
    format!("Bearer {}", answer["data"]["signUp"]["token"].as_str().unwrap())
}

async fn who_does_nothing_is_signed_out(world: World) {
    let member = sign_in(&world, "owner@example.com", GOOD).await;
    let client = client(&world).await;
    world.pass(20 * MINUTE - 1);
    assert!(works(&world, &client).await && works(&world, &member).await);
    world.pass(20 * MINUTE - 1);
    assert!(works(&world, &client).await && works(&world, &member).await, "both were used");
    world.pass(20 * MINUTE);
    assert!(!works(&world, &client).await && works(&world, &member).await);
    world.pass(30 * MINUTE);
    assert!(!works(&world, &member).await);
}
both!(who_does_nothing_is_signed_out);

async fn who_is_busy_all_day_signs_in_again(world: World) {
    let member = sign_in(&world, "owner@example.com", GOOD).await;
    for _ in 0..(12 * 3 - 1) {
        world.pass(20 * MINUTE);
        assert!(works(&world, &member).await);
    }
    world.pass(20 * MINUTE);
    assert!(!works(&world, &member).await);
}
both!(who_is_busy_all_day_signs_in_again);

/// A new session at each sign-in; a new password and a deactivation end all.
async fn what_ends_sessions(world: World) {
    let (first, second) = (
        sign_in(&world, "owner@example.com", GOOD).await,
        sign_in(&world, "owner@example.com", GOOD).await,
    );
    assert_ne!(first, second);
    let over = "mutation { revokeToken(input: {}) { messages { message } } }";
    let answer = world.run(&first, V2026, over).await;
    assert_eq!(answer["data"]["revokeToken"]["messages"], Json::Null, "{answer}");
    assert!(!works(&world, &first).await && works(&world, &second).await);
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let before = scope.find(id).await.unwrap().unwrap();
                let after = User { password_hash: Some("$other".to_owned()), ..before.clone() };
                account::update(scope, &before, &after).await.map(drop).unwrap();
            })
        })
        .await;
    assert!(!works(&world, &second).await);
    let link = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                admin::one_time_link(scope, id, "http://x.test").await.unwrap().to_string()
            })
        })
        .await;
    let token = link.split_once("token=").unwrap().1;
    let new = "orchid-basement-clover-31";
    ward_identity::set_password_by_link(&world.db, token, new).await.unwrap().unwrap();
    let third = sign_in(&world, "owner@example.com", new).await;
    assert!(works(&world, &third).await);
    world
        .system(org.0, move |scope| {
            Box::pin(async move { admin::disable_user(scope, id).await.map(drop).unwrap() })
        })
        .await;
    assert!(!works(&world, &third).await);
}
both!(what_ends_sessions);
