//! One-time links and sessions end with what they were made for; the bound of
//! keys holds at every door.

use serde_json::Value as Json;
use ward_engine::ViewId::V2026;
use ward_identity::tables::User;
use ward_identity::{account, admin};

use crate::support::{GOOD, World};

const NEW: &str = "orchid-basement-clover-31";
const NOT_GOOD: &str = "This link is not valid any more. Ask for a new one";

async fn link(world: &World) -> String {
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    let address = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                admin::one_time_link(scope, id, "http://x.test").await.unwrap().to_string()
            })
        })
        .await;
    address.split_once("token=").unwrap().1.to_owned()
}

async fn change(world: &World, change: fn(&User) -> User) {
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let before = scope.find(id).await.unwrap().unwrap();
                account::update(scope, &before, &change(&before)).await.map(drop).unwrap();
            })
        })
        .await;
}

async fn session(world: &World, more: &str) -> Json {
    let document = format!(
        "mutation {{ signIn(input: {{{more}}}) {{ token api_key messages {{ message }} }} }}"
    );
    world.run("", V2026, &document).await["data"]["signIn"].clone()
}

async fn works(world: &World, token: &str) -> bool {
    ward_identity::authenticate(&world.db, &format!("Bearer {token}")).await.unwrap().is_ok()
}

async fn a_new_address_ends_links_and_sessions(world: World) {
    let signed_in =
        session(&world, &format!(r#"email: "owner@example.com", password: "{GOOD}""#)).await;
    let token = signed_in["token"].as_str().unwrap();
    let open = link(&world).await;
    change(&world, |user| User { bio: Some("Nothing that matters".to_owned()), ..user.clone() })
        .await;
    assert!(works(&world, token).await);
    change(&world, |user| User { email: Some("moved@example.com".to_owned()), ..user.clone() })
        .await;
    assert!(!works(&world, token).await);
    let refused = session(&world, &format!(r#"reset_token: "{open}""#)).await;
    assert_eq!(refused["messages"][0]["message"], NOT_GOOD, "{refused}");
    let set = ward_identity::set_password_by_link(&world.db, &open, NEW).await.unwrap();
    assert_eq!(set, Err(vec![NOT_GOOD.to_owned()]));
    let moved =
        session(&world, &format!(r#"email: "moved@example.com", password: "{GOOD}""#)).await;
    assert!(moved["token"].is_string(), "{moved}");
}
both!(a_new_address_ends_links_and_sessions);

async fn a_new_password_ends_links_and_a_link_still_opens(world: World) {
    let open = link(&world).await;
    change(&world, |user| User { password_hash: Some("$other".to_owned()), ..user.clone() }).await;
    let set = ward_identity::set_password_by_link(&world.db, &open, NEW).await.unwrap();
    assert_eq!(set, Err(vec![NOT_GOOD.to_owned()]));
    let fresh = link(&world).await;
    ward_identity::set_password_by_link(&world.db, &fresh, NEW).await.unwrap().unwrap();
    let by_link = link(&world).await;
    let answer = session(&world, &format!(r#"reset_token: "{by_link}""#)).await;
    assert!(answer["token"].is_string(), "{answer}");
    let answer =
        session(&world, &format!(r#"email: "owner@example.com", password: "{NEW}""#)).await;
    assert!(answer["token"].is_string(), "{answer}");
}
both!(a_new_password_ends_links_and_a_link_still_opens);

async fn keys_made_at_sign_in_are_counted(world: World) {
    for _ in 0..50 {
        world.owner_key().await;
    }
    let many = format!(
        r#"email: "owner@example.com", password: "{GOOD}", generate_api_token: true, allow_multiple_api_keys: "#
    );
    let refused = session(&world, &format!("{many}true")).await;
    assert_eq!(refused["api_key"], Json::Null);
    assert_eq!(
        refused["messages"][0]["message"],
        "A user can have 50 API keys. Delete one that is not used"
    );
    let only = session(&world, &format!("{many}false")).await;
    assert!(only["api_key"].is_string(), "the others are gone: {only}");
}
both!(keys_made_at_sign_in_are_counted);
